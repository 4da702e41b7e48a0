// What √d_k is for: the spread of random scores and how sharp softmax becomes, over d_k; and the same
// for the head that is looked at, whose weights say what softmax would get undivided.

import { lookingOf, weightsOf } from "../../numbers/article.js";
import { ofHead, undivided, undividedHead } from "../../numbers/articleheads.js";
import { inQuotes } from "../../numbers/basics.js";
import { headName } from "../../numbers/headname.js";
import { t } from "../../numbers/language.js";
import { percent } from "../../numbers/model.js";
import { choice, h, setText } from "../../parts/dom.js";
import { createHeadChoice } from "./headchoice.js";
import { createNumbers, createPlot, createWalk } from "./plot.js";
import { createSentence } from "./sentence.js";

/**
 * @typedef {{spread: number[], entropy: number[]}} Curves
 * @typedef {{widths: number[], keys: number, divided: Curves, plain: Curves}} Scale
 *   as `scale_facts` of scratch/articlefacts.py writes it
 * @typedef {import("../../pages/articlefigures.js").Shown} Shown
 */

/** @param {import("../../pages/articlefigures.js").Acts} _acts @returns {import("../../pages/articlefigures.js").Figure} */
export function createScale(_acts) {
  let [at, of] = [6, /** @type {"spread" | "entropy"} */ ("spread")];
  /** @type {Shown | null} */
  let last = null;
  const again = () => last && show(last);
  const walk = createWalk(t("Width of a head, dₖ"), (next) => {
    at = next;
    again();
  });
  const which = choice(
    t("Shown"),
    [
      ["spread", t("spread of the scores"), t("Their standard deviation")],
      ["entropy", t("entropy of the weights"), t("In bits: 5 is even attention to 32 keys")],
    ],
    (value) => {
      of = value;
      again();
    },
  );
  which.show("spread");
  const plot = createPlot();
  const says = h("p", { class: "ax-fig-says", "aria-live": "polite" });
  const numbers = createNumbers();
  const tools = h("div", { class: "ax-tools" }, which.element);
  const element = h("div", {}, tools, walk.element, plot.element, says, numbers.element);

  /** @param {Shown} shown */
  function show(shown) {
    last = shown;
    const scale = /** @type {Scale | undefined} */ (shown.state.article.facts?.corrections?.scale);
    if (!scale) return setText(says, t("The numbers are being fetched…"));
    walk.show(at, scale.widths.length - 1, `dₖ = ${scale.widths[at]}`);
    const said = saysOf(scale, at);
    plot.show(plotOf(scale, of, at, shown.theme), said, shown.theme);
    setText(says, said);
    numbers.show(
      ["dₖ", t("spread, divided"), t("not divided"), t("bits, divided"), t("not divided")],
      scale.widths.map((width, i) => [
        String(width),
        ...[scale.divided.spread[i], scale.plain.spread[i]].map((x) => x.toFixed(3)),
        ...[scale.divided.entropy[i], scale.plain.entropy[i]].map((x) => x.toFixed(3)),
      ]),
    );
  }
  return {
    element,
    show,
    where: () => ({
      ...{ page: "step", open: { stage: "6", scale: "0" } },
      label: t("Your text without the division, in Step by step"),
    }),
  };
}

/** @param {Scale} scale @param {number} at */
const saysOf = ({ widths, divided, plain }, at) =>
  t(
    "With dₖ = {width}, the products q·k of random queries and keys have a spread of {plain}, near √{width} = {root}; divided by √dₖ it is {divided}. Softmax of the products leaves {plainBits} bits of the 5 that even attention to 32 keys has, softmax of the divided ones {bits}.",
    {
      ...{ width: widths[at], root: Math.sqrt(widths[at]).toFixed(2) },
      ...{ plain: plain.spread[at].toFixed(2), divided: divided.spread[at].toFixed(2) },
      ...{ plainBits: plain.entropy[at].toFixed(2), bits: divided.entropy[at].toFixed(2) },
    },
  );

/** @param {Scale} scale @param {"spread" | "entropy"} of @param {number} at @param {import("../../parts/theme.js").Theme} theme @returns {import("./plot.js").Plot} */
function plotOf({ widths, divided, plain }, of, at, theme) {
  const isSpread = of === "spread";
  /** @param {Curves} curves @returns {[number, number][]} */
  const points = (curves) => widths.map((width, i) => [width, curves[of][i]]);
  const [low, high] = isSpread ? [0.5, 32] : [0, 5];
  const ticks = isSpread ? [0.5, 1, 2, 4, 8, 16, 32] : [0, 1, 2, 3, 4, 5];
  return {
    x: {
      ...{ low: 1, high: widths[widths.length - 1], log: true, name: t("dₖ, logarithmic") },
      ticks: widths.map((width) => [width, String(width)]),
    },
    y: { low, high, log: isSpread, name: "", ticks: ticks.map((value) => [value, String(value)]) },
    lines: [
      {
        points: points(plain),
        colour: theme.headCss(1),
        wide: 2,
        dots: true,
        name: t("q·k as it is"),
      },
      {
        ...{ points: points(divided), colour: theme.accent, wide: 3, dots: true },
        name: t("divided by √dₖ"),
      },
    ],
    mark: widths[at],
  };
}

// — the head that is looked at —

/** @param {import("../../pages/articlefigures.js").Acts} acts @returns {import("../../pages/articlefigures.js").Figure} */
export function createOwnScale(acts) {
  let plain = false;
  /** @type {Shown | null} */
  let last = null;
  const which = choice(
    t("The scores are"),
    [
      ["divided", t("divided by √dₖ"), t("As the model does it")],
      ["plain", t("not divided"), t("As softmax would get them without the division")],
    ],
    (value) => {
      plain = value === "plain";
      if (last) show(last);
    },
  );
  which.show("divided");
  const head = createHeadChoice(acts.look);
  const sentence = createSentence(
    acts.hover,
    (query) => acts.look({ query }),
    t("Your text: choose the word that looks"),
  );
  const says = h("p", { class: "ax-fig-says", "aria-live": "polite" });
  const tools = h("div", { class: "ax-tools" }, head.element, which.element);
  const element = h("div", {}, tools, sentence.element, says);

  /** @param {Shown} shown */
  function show(shown) {
    last = shown;
    const { state, theme } = shown;
    const width = state.article.facts?.head?.width;
    head.show(state);
    if (!width) return setText(says, t("The numbers are being fetched…"));
    const tokens = state.article.trace.head.key_tokens;
    const looking = lookingOf(state);
    const row = undivided(weightsOf(state), tokens.length, looking, width);
    sentence.show(tokens, { shares: plain ? row.plain : row.divided, top: 1, looking }, theme);
    setText(says, ownSays(shown, row, width));
  }
  return {
    element,
    show,
    where: ({ state: { view } }) => ({
      ...{ page: "step", open: { stage: "4", query: String(view.query ?? 1) } },
      label: t("These scores, number by number, in Step by step"),
    }),
  };
}

/** @param {Shown} shown @param {ReturnType<typeof undivided>} row @param {number} width */
function ownSays({ state }, row, width) {
  const { article, view } = state;
  const tokens = article.trace.head.key_tokens;
  const whole = ofHead(state, "undivided", (weights, n) => undividedHead(weights, n, width));
  const most = (/** @type {number[]} */ weights) => percent(Math.max(...weights));
  return t(
    "{head} has dₖ = {width}. The scores of {word} have a spread of {one} over the keys, and its largest weight is {most}. Without the division the spread would be {other} and the largest weight {alone}. On average over all tokens, the entropy would fall from {bits} to {plainBits} bits.",
    {
      head: headName(view.layer, view.head),
      width,
      word: inQuotes(tokens[lookingOf(state)].text),
      ...{ one: row.spread[0].toFixed(2), other: row.spread[1].toFixed(2) },
      ...{ most: most(row.divided), alone: most(row.plain) },
      ...{ bits: whole.bits[0].toFixed(2), plainBits: whole.bits[1].toFixed(2) },
    },
  );
}
