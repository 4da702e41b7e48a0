// What self-attention is: point at a word, and it lights up where it looks, in one head and on
// average over all heads of the layer.

import { lookingOf, weightsOf } from "../../numbers/article.js";
import { isHidden, notGiven } from "../../numbers/articlequestions.js";
import { inQuotes } from "../../numbers/basics.js";
import { meanWeights } from "../../numbers/data.js";
import { headName } from "../../numbers/headname.js";
import { t } from "../../numbers/language.js";
import { percent } from "../../numbers/model.js";
import { choice, h, setText } from "../../parts/dom.js";
import { createHeadChoice } from "./headchoice.js";
import { createSentence } from "./sentence.js";

/** The same without any choice, to begin with. @param {import("../../pages/articlefigures.js").Acts} acts */
export const createGlance = (acts) => createDefinition(acts, true);

/**
 * @param {import("../../pages/articlefigures.js").Acts} acts @param {boolean} [isBare] without choices
 * @returns {import("../../pages/articlefigures.js").Figure}
 */
export function createDefinition(acts, isBare = false) {
  let together = false;
  /** @type {import("../../pages/articlefigures.js").Shown | null} */
  let last = null;
  const says = h("p", { class: "ax-fig-says", "aria-live": "polite" });
  const sentence = createSentence(
    acts.hover,
    (query) => acts.look({ query }),
    t("Your text: choose the word that looks"),
  );
  const which = choice(
    t("Shown"),
    [
      ["one", t("one head"), t("Where this head looks")],
      ["mean", t("mean of the layer"), t("The average over all heads of the layer")],
    ],
    (value) => {
      together = value === "mean";
      if (last) show(last);
    },
  );
  which.show("one");
  const head = createHeadChoice(acts.look);
  const element = h(
    "div",
    { class: isBare ? "ax-glance" : null },
    ...(isBare ? [] : [h("div", { class: "ax-tools" }, head.element, which.element)]),
    sentence.element,
    says,
  );

  /** @param {import("../../pages/articlefigures.js").Shown} shown */
  function show(shown) {
    last = shown;
    const { theme } = shown;
    const state = isBare ? notGiven(shown.state) : shown.state;
    const { trace } = state.article;
    const tokens = trace.head.key_tokens;
    const n = tokens.length;
    const looking = lookingOf(state);
    const weights = together ? meanWeights(trace, state.view.layer) : weightsOf(state);
    if (!weights) return;
    const row = weights.subarray(looking * n, (looking + 1) * n);
    const ordinary = row.filter((_, i) => !tokens[i].special);
    const top = Math.max(...(ordinary.length ? ordinary : row), 3 / n);
    const hidden = !together && isHidden(state, looking);
    sentence.show(tokens, { shares: hidden ? null : row, top, looking }, theme);
    head.show(state);
    setText(says, hidden ? hiddenSays(state, looking) : saysOf(state, row, looking, together));
  }
  return {
    element,
    show,
    where: () => ({ page: "explore", label: t("Open in Explore") }),
  };
}

/** @param {import("../../numbers/article.js").ArticleState} state @param {number} looking */
const hiddenSays = ({ article, view }, looking) =>
  t("What {word} gives in {head} is the question above: guess, and it is shown here.", {
    word: inQuotes(article.trace.head.key_tokens[looking].text),
    head: headName(view.layer, view.head),
  });

/** @param {import("../../numbers/article.js").ArticleState} state @param {Float32Array} row @param {number} looking @param {boolean} together */
function saysOf({ article, view }, row, looking, together) {
  const tokens = article.trace.head.key_tokens;
  const order = [...row.keys()].sort((a, b) => row[b] - row[a]);
  const [first, second] = order.map((at) => inQuotes(tokens[at].text));
  const values = {
    word: inQuotes(tokens[looking].text),
    ...{ first, one: percent(row[order[0]]), second, two: percent(row[order[1]] ?? 0) },
    ...{ head: headName(view.layer, view.head), layer: view.layer },
  };
  return together
    ? t(
        "On average over all heads of layer {layer}, {word} gives {first} {one} of its attention and {second} {two}; all shares together are 1.",
        values,
      )
    : t(
        "In {head}, {word} gives {first} {one} of its attention and {second} {two}; all shares together are 1.",
        values,
      );
}
