// How far attention reaches: the strongest weights between words at opposite ends of the text.

import { farthest, meanDistance } from "../../numbers/articleheads.js";
import { inQuotes } from "../../numbers/basics.js";
import { headWeights } from "../../numbers/data.js";
import { headName } from "../../numbers/headname.js";
import { t } from "../../numbers/language.js";
import { digits } from "../../numbers/model.js";
import { h, setText } from "../../parts/dom.js";
import { createSentence } from "./sentence.js";

/**
 * @typedef {import("../../numbers/article.js").Article} Article
 * @typedef {{layer: number, head: number, query: number, key: number, weight: number}} Pair
 */

const SHOWN = 4; // pairs

/** @type {WeakMap<import("../../numbers/data.js").Trace, {least: number, pairs: Pair[]}>} */
const known = new WeakMap();

/** The strongest far pairs, of as many heads. @param {Article} article */
function pairsOf({ trace }) {
  const found = known.get(trace) ?? search(trace);
  known.set(trace, found);
  return found;
}

/** @param {import("../../numbers/data.js").Trace} trace */
function search(trace) {
  const { numbers, n_heads: nHeads, key_tokens: tokens } = trace.head;
  const words = tokens.filter(({ special }) => !special).length;
  const least = Math.max(1, Math.ceil(words / 2));
  /** @type {Pair[]} */
  const pairs = [];
  for (const layer of numbers)
    for (let head = 0; head < nHeads; head++) {
      const weights = headWeights(trace, layer, head);
      const pair = weights && farthest(weights, tokens, least, trace.head.unknown);
      if (pair) pairs.push({ layer, head, ...pair });
    }
  pairs.sort((a, b) => b.weight - a.weight);
  return { least, pairs: pairs.slice(0, SHOWN) };
}

/** @param {import("../../pages/articlefigures.js").Acts} acts @returns {import("../../pages/articlefigures.js").Figure} */
export function createFar(acts) {
  /** @type {Pair | null} */
  let chosen = null;
  /** @type {import("../../pages/articlefigures.js").Shown | null} */
  let last = null;
  const list = h("ol", { class: "ax-far" });
  const sentence = createSentence(
    () => {},
    (query) => acts.look({ query }),
    t("Your text, with two words that are far apart"),
  );
  const says = h("p", { class: "ax-fig-says", "aria-live": "polite" });
  const element = h("div", {}, sentence.element, list, says);
  list.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-pair]");
    if (!(button instanceof HTMLElement) || !last) return;
    chosen = pairsOf(last.state.article).pairs[Number(button.dataset.pair)];
    const { layer, head, query, key } = chosen;
    acts.look({ layer, head, query, key });
  });

  /** @param {import("../../pages/articlefigures.js").Shown} shown */
  const where = ({ state: { article } }) => {
    const pair = chosen ?? pairsOf(article).pairs[0];
    if (!pair) return null;
    const { layer, head, query, key } = pair;
    const at = { layer, heads: head, query, key };
    const open = Object.fromEntries(Object.entries(at).map(([name, n]) => [name, String(n)]));
    return { page: "explore", open, label: t("This pair in Explore") };
  };

  /** @param {import("../../pages/articlefigures.js").Shown} shown */
  function show(shown) {
    if (last && last.state.article.id !== shown.state.article.id) chosen = null;
    last = shown;
    const { article } = shown.state;
    const tokens = article.trace.head.key_tokens;
    const { least, pairs } = pairsOf(article);
    const pair = chosen ?? pairs[0];
    list.hidden = !pair;
    if (!pair)
      return setText(says, t("This text has no two words that are far apart. Try a longer one."));
    const weights = headWeights(article.trace, pair.layer, pair.head);
    if (!weights) return;
    const n = tokens.length;
    const row = weights.subarray(pair.query * n, (pair.query + 1) * n);
    const shade = { shares: row, top: Math.max(pair.weight, 3 / n), looking: pair.query };
    sentence.show(tokens, { ...shade, marked: pair.key }, shown.theme);
    const lines = pairs.map((one, i) =>
      h("li", {}, buttonOf(one, i, tokens, isSamePair(one, pair))),
    );
    const held = [...list.children].findIndex((line) => line.matches(":focus-within"));
    list.replaceChildren(...lines);
    lines[held]?.querySelector("button")?.focus({ preventScroll: true }); // it was drawn anew
    setText(says, saysOf(pair, tokens, least, meanDistance(weights, n)));
  }
  return { element, show, where };
}

/** What comes anew is found anew; each head has one pair. @param {Pair} one @param {Pair} other */
const isSamePair = (one, other) => one.layer === other.layer && one.head === other.head;

/** @param {Pair} pair @param {number} i @param {import("../../numbers/data.js").Token[]} tokens @param {boolean} isHere */
function buttonOf({ layer, head, query, key, weight }, i, tokens, isHere) {
  return h(
    "button",
    {
      ...{ type: "button", class: "ax-pick", "data-pair": String(i) },
      "aria-pressed": String(isHere),
    },
    t("{head}: {query} gives {key} {weight}", {
      head: headName(layer, head),
      ...{ query: inQuotes(tokens[query].text), key: inQuotes(tokens[key].text) },
      weight: digits(weight),
    }),
  );
}

/** @param {Pair} pair @param {import("../../numbers/data.js").Token[]} tokens @param {number} least @param {number} mean */
const saysOf = ({ layer, head, query, key, weight }, tokens, least, mean) =>
  t(
    "Of all words at least {least} tokens apart, these are linked most, one pair of each head. {query} gives {key} {weight} in one step, over {distance} tokens; in a recurrent network it would be {distance} steps. {head} looks {mean} tokens far on average.",
    {
      ...{ least, distance: Math.abs(query - key), head: headName(layer, head) },
      ...{ query: inQuotes(tokens[query].text), key: inQuotes(tokens[key].text) },
      ...{ weight: digits(weight), mean: mean.toFixed(1) },
    },
  );
