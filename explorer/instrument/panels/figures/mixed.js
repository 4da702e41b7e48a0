// A text and a picture in one list: which pairs there are then, and which of them the app shows.

import { sentences, t } from "../../numbers/language.js";
import { percent } from "../../numbers/model.js";
import { choice, h, setText } from "../../parts/dom.js";
import { paintOn } from "../../parts/paint.js";
import { whole } from "./cost.js";
import { createWalk } from "./plot.js";

/**
 * @typedef {import("../../pages/articlefigures.js").Shown} Shown
 * @typedef {"words" | "sees" | "named" | "patches"} Block
 */

const COUNTS = [4, 7, 8, 14, 16]; // patches across: those of 56, 32, 28, 16 and 14 pixels
const SIDE = 260; // pixels

/** Rows and columns of a block: 0 for words, 1 for patches. @type {Record<Block, [number, number]>} */
const PLACES = { words: [0, 0], sees: [0, 1], named: [1, 0], patches: [1, 1] };

/** @param {import("../../pages/articlefigures.js").Acts} _acts @returns {import("../../pages/articlefigures.js").Figure} */
export function createMixed(_acts) {
  let [block, at] = [/** @type {Block} */ ("sees"), 1];
  /** @type {Shown | null} */
  let last = null;
  const again = () => last && show(last);
  const which = choice(
    t("Who looks at whom"),
    [
      ["words", t("words at words"), t("As everywhere in this lesson")],
      ["sees", t("words at patches"), t("What a word stands for, on the picture")],
      ["named", t("patches at words"), t("What is said of a piece of the picture")],
      ["patches", t("patches at patches"), t("As in ViT")],
    ],
    (value) => {
      block = value;
      again();
    },
  );
  which.show(block);
  const walk = createWalk(t("Patches across the picture"), (next) => {
    at = next;
    again();
  });
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  const says = h("p", { class: "ax-fig-says", "aria-live": "polite" });
  const tools = h("div", { class: "ax-tools" }, which.element);
  const read = t("Rows look, columns are looked at: words first, then patches.");
  const element = h(
    "div",
    {},
    ...[tools, walk.element, h("p", { class: "ax-help" }, read), canvas, says],
  );

  /** @param {Shown} shown */
  function show(shown) {
    last = shown;
    const words = shown.state.article.trace.head.key_tokens.length;
    const patches = COUNTS[at] ** 2;
    walk.show(at, COUNTS.length - 1, `${COUNTS[at]} × ${COUNTS[at]}`);
    const said = saysOf(block, words, patches);
    paintOn(canvas, SIDE, SIDE, (pen) => paint(pen, block, words, patches, shown.theme));
    canvas.setAttribute("aria-label", said);
    setText(says, said);
  }
  return {
    element,
    show,
    where: () => ({ page: "explore", label: t("Open in Explore") }),
  };
}

/** @param {Block} block @param {number} words @param {number} patches */
function saysOf(block, words, patches) {
  const [row, column] = PLACES[block].map((side) => (side ? patches : words));
  const all = words + patches;
  const values = {
    ...{ words, patches: whole(patches), pairs: whole(row * column), all: whole(all * all) },
    share: percent((row * column) / (all * all)),
  };
  const counted = t(
    "{words} tokens of your text and {patches} patches in one list: {pairs} of its {all} pairs, {share}, are of this kind.",
    values,
  );
  return sentences(counted, MEANS[block]());
}

/** Where each kind of pair is seen. @type {Record<Block, () => string>} */
const MEANS = {
  words: () => t("They are what this lesson shows."),
  sees: () =>
    t(
      "One list looks at another: the formula is that of a translation, seen here with T5 or BART.",
    ),
  named: () => t("The same the other way round."),
  patches: () => t("They are what ViT and DeiT do, seen here on a picture of yours."),
};

/**
 * @param {import("../../parts/paint.js").Pen} pen @param {Block} block @param {number} words
 * @param {number} patches @param {import("../../parts/theme.js").Theme} theme
 */
function paint(pen, block, words, patches, theme) {
  const edge = (SIDE * words) / (words + patches);
  const parts = [
    [0, edge],
    [edge, SIDE],
  ];
  for (const [name, [r, c]] of Object.entries(PLACES)) {
    const [top, bottom] = parts[r];
    const [left, right] = parts[c];
    pen.fillStyle = theme.accentCss(name === block ? 0.85 : 0.15);
    pen.fillRect(left + 1, top + 1, right - left - 2, bottom - top - 2);
  }
  pen.strokeStyle = theme.border;
  pen.lineWidth = 1;
  pen.strokeRect(0.5, 0.5, SIDE - 1, SIDE - 1);
}
