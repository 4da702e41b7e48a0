// Pointing at two words to find the heads that look from the one to the other.

import { pointAt, roleOf, withPair } from "../numbers/headsview.js";
import { finderSentence } from "../numbers/headwords.js";
import { t } from "../numbers/language.js";
import { MOST_PAIRS, wordAt } from "../numbers/survey.js";
import { h, pushButton, setText } from "../parts/dom.js";

/**
 * @typedef {import("../numbers/survey.js").Heads} Heads
 * @typedef {import("../numbers/survey.js").Pair} Pair
 * @typedef {import("../numbers/headsview.js").Begun} Begun
 */

const LINES_TITLE = t(
  "Every line is a text of its own then: what their pairs have in common counts",
);

/**
 * @param {(pairs: Pair[]) => void} find called with the pairs that are pointed at now
 * @param {() => void} askForLines opens the place where several sentences are given
 */
export function createFinder(find, askForLines) {
  /** @type {Heads | null} */
  let heads = null;
  /** @type {Pair[]} */
  let pairs = [];
  /** @type {Begun} */
  let begun = null;

  const says = h("p", { class: "ax-help", role: "status" });
  const more = pushButton(t("Give several sentences"), LINES_TITLE, askForLines, "ax-small");
  const asks = h("div", { class: "ax-title" }, says, more);
  const lines = h("div", { class: "ax-lines" });
  const chosen = h("div", { class: "ax-legend" });
  const element = /** @type {HTMLDetailsElement} */ (
    h(
      "details",
      { class: "ax-fold ax-finder" },
      h("summary", {}, t("Find a head by pointing: which one looks from this word to that one?")),
      asks,
      lines,
      chosen,
    )
  );

  /** @param {number} text @param {number} at */
  function point(text, at) {
    const next = pointAt(begun, text, at);
    begun = next.begun;
    if (next.pair) find(withPair(pairs, next.pair, MOST_PAIRS));
    else if (heads) draw(heads);
  }

  /** @param {number} i */
  function leaveOut(i) {
    begun = null;
    find(pairs.filter((_, j) => j !== i));
  }

  /** @param {Heads} heads */
  function draw(heads) {
    setText(says, finderSentence(heads, pairs, begun));
    more.hidden = heads.n_texts > 1;
    lines.replaceChildren(
      ...heads.texts.map((_, text) => lineOf(heads, pairs, begun, text, (at) => point(text, at))),
    );
    chosen.replaceChildren(...pairs.map((pair, i) => chipOf(heads, pair, () => leaveOut(i))));
  }

  /** @param {Heads} shown @param {Pair[]} now */
  function show(shown, now) {
    if (heads?.id !== shown.id) begun = null;
    [heads, pairs] = [shown, now];
    if (pairs.length) element.open = true;
    draw(heads);
  }

  return { element, show };
}

/**
 * A text whose every token can be pointed at.
 * @param {Heads} heads @param {Pair[]} pairs @param {Begun} begun @param {number} text
 * @param {(at: number) => void} point
 */
function lineOf(heads, pairs, begun, text, point) {
  const words = heads.texts[text].map((token, at) => {
    const { from, to } = roleOf(heads, pairs, begun, text, at);
    const classes = ["ax-point"];
    if (from) classes.push("ax-from");
    if (to) classes.push("ax-to");
    if (token.special) classes.push("ax-chip-special");
    return pushButton(token.text, token.text, () => point(at), classes.join(" "));
  });
  return h("p", { class: "ax-line", dir: "auto" }, ...words);
}

/** @param {Heads} heads @param {Pair} pair @param {() => void} leaveOut */
function chipOf(heads, pair, leaveOut) {
  const tokens = heads.texts[pair[0]] ?? [];
  const [from, to] = [wordAt(tokens, pair[1]), wordAt(tokens, pair[2])];
  return pushButton(
    `${from} → ${to}  ✕`,
    t("Leave out {from} → {to}", { from, to }),
    leaveOut,
    "ax-chip",
  );
}
