// Pointing at two words to find the heads that look from the one to the other.

import { MOST_PAIRS, sameWord, wordAt } from "../numbers/survey.js";
import { h, pushButton, setText } from "../parts/dom.js";

/** @typedef {import("../numbers/survey.js").Heads} Heads @typedef {import("../numbers/survey.js").Pair} Pair */

/**
 * @param {(pairs: Pair[]) => void} find called with the pairs that are pointed at now
 */
export function createFinder(find) {
  /** @type {Heads | null} */
  let heads = null;
  /** @type {Pair[]} */
  let pairs = [];
  /** @type {{text: number, at: number} | null} */
  let begun = null; // the word that looks, while the other is awaited

  const says = h("p", { class: "ax-help", role: "status" });
  const lines = h("div", { class: "ax-lines" });
  const chosen = h("div", { class: "ax-legend" });
  const element = /** @type {HTMLDetailsElement} */ (
    h(
      "details",
      { class: "ax-finder" },
      h("summary", {}, "Find a head by pointing: which one looks from this word to that one?"),
      says,
      lines,
      chosen,
    )
  );

  function draw() {
    if (!heads) return;
    setText(says, sentence());
    const rows = heads.texts.map((tokens, text) => {
      const words = tokens.map((token, at) => {
        const from = pairs.some((p) => p[0] === text && sameWord(tokens, p[1], at));
        const to = pairs.some((p) => p[0] === text && sameWord(tokens, p[2], at));
        const waiting = begun?.text === text && sameWord(tokens, begun.at, at);
        const classes = ["ax-point"];
        if (from || waiting) classes.push("ax-from");
        if (to) classes.push("ax-to");
        if (token.special) classes.push("ax-chip-special");
        return pushButton(token.text, token.text, () => pointAt(text, at), classes.join(" "));
      });
      return h("p", { class: "ax-line", dir: "auto" }, ...words);
    });
    lines.replaceChildren(...rows);
    const chips = pairs.map((pair, i) => {
      const tokens = heads?.texts[pair[0]] ?? [];
      const [from, to] = [wordAt(tokens, pair[1]), wordAt(tokens, pair[2])];
      return pushButton(
        `${from} → ${to}  ✕`,
        `Leave out ${from} → ${to}`,
        () => setPairs(pairs.filter((_, j) => j !== i)),
        "ax-chip",
      );
    });
    chosen.replaceChildren(...chips);
  }

  function sentence() {
    if (!heads) return "";
    if (begun) {
      const from = wordAt(heads.texts[begun.text], begun.at);
      return `From “${from}” to …? Click the word that it should look at.`;
    }
    if (pairs.length && !heads.found) return "Looking through all heads…";
    const more =
      heads.n_texts > 1
        ? "Point at a pair in several lines: what they have in common is what the head does."
        : "One sentence can fool: give several, one a line, and point at a pair in each.";
    return `Click the word that looks, then the word that it should look at. ${more}`;
  }

  /** @param {number} text @param {number} at */
  function pointAt(text, at) {
    if (!begun || begun.text !== text) {
      begun = { text, at };
      draw();
      return;
    }
    /** @type {Pair} */
    const pair = [text, begun.at, at];
    begun = null;
    setPairs([...pairs.filter((p) => p.join() !== pair.join()), pair].slice(-MOST_PAIRS));
  }

  /** @param {Pair[]} wanted */
  function setPairs(wanted) {
    begun = null;
    pairs = wanted;
    if (heads) heads.found = null;
    draw();
    find(pairs);
  }

  /** @param {Heads} shown @param {Pair[]} now */
  function show(shown, now) {
    if (heads?.id !== shown.id) begun = null;
    [heads, pairs] = [shown, now];
    if (pairs.length) element.open = true;
    draw();
  }

  return { element, show };
}
