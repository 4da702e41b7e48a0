// What length costs: measured time beside the square of the length and beside an exponential.

import { t } from "../../numbers/language.js";
import { h, setText } from "../../parts/dom.js";
import { createNumbers, createPlot, createWalk } from "./plot.js";

/**
 * @typedef {{lengths: number[], seconds: number[], slope: number, multiplications: number[],
 *            width: number}} Cost as `cost_facts` of scratch/articlefacts.py writes it
 */

/** @param {import("../../pages/articlefigures.js").Acts} _acts @returns {import("../../pages/articlefigures.js").Figure} */
export function createCost(_acts) {
  let at = 3;
  /** @type {import("../../pages/articlefigures.js").Shown | null} */
  let last = null;
  const walk = createWalk(t("Length of the text"), (next) => {
    at = next;
    if (last) show(last);
  });
  const plot = createPlot();
  const says = h("p", { class: "ax-fig-says", "aria-live": "polite" });
  const numbers = createNumbers();
  const element = h("div", {}, walk.element, plot.element, says, numbers.element);

  /** @param {import("../../pages/articlefigures.js").Shown} shown */
  function show(shown) {
    last = shown;
    const cost = /** @type {Cost | undefined} */ (shown.state.article.facts?.corrections?.cost);
    if (!cost) return setText(says, t("The numbers are being fetched…"));
    walk.show(at, cost.lengths.length - 1, t("{n} tokens", { n: whole(cost.lengths[at]) }));
    const said = saysOf(cost, at);
    plot.show(plotOf(cost, at, shown.theme), said, shown.theme);
    setText(says, said);
    numbers.show(
      [t("tokens"), t("pairs"), t("multiplications"), t("measured")],
      cost.lengths.map((n, i) => [
        ...[whole(n), whole(n * n), whole(cost.multiplications[i])],
        inTime(cost.seconds[i]),
      ]),
    );
  }
  return {
    element,
    show,
    where: () => ({ page: "efficiency", label: t("Measure it on this machine, in Efficiency") }),
  };
}

/** @param {number} n */
export const whole = (n) => n.toLocaleString("en");

/** @param {number} seconds */
export const inTime = (seconds) =>
  seconds < 1 ? `${Number((1000 * seconds).toPrecision(3))} ms` : `${seconds.toPrecision(3)} s`;

/** @param {Cost} cost @param {number} at */
function saysOf({ lengths, seconds, slope }, at) {
  const values = {
    ...{ n: whole(lengths[at]), pairs: whole(lengths[at] ** 2), time: inTime(seconds[at]) },
    slope: slope.toFixed(2),
  };
  if (!at)
    return t(
      "{n} tokens make {pairs} pairs and took {time}. From 1,024 tokens on, the measured time grows with the length to the power of {slope}: the square, as the formula says.",
      values,
    );
  return t(
    "{n} tokens make {pairs} pairs and took {time}. That is {longer} times the length of the shortest text here and {slower} times its time; an exponential that doubles every 128 tokens would ask for {doubled} times. From 1,024 tokens on, the measured time grows with the length to the power of {slope}.",
    {
      ...values,
      longer: (lengths[at] / lengths[0]).toPrecision(3),
      slower: whole(Math.round(seconds[at] / seconds[0])),
      doubled: rounded(2 ** ((lengths[at] - lengths[0]) / 128)),
    },
  );
}

/** @param {number} value */
const rounded = (value) => whole(Number(value.toPrecision(3)));

/** @param {Cost} cost @param {number} at @param {import("../../parts/theme.js").Theme} theme @returns {import("./plot.js").Plot} */
function plotOf({ lengths, seconds }, at, theme) {
  const end = lengths.length - 1;
  /** @param {(n: number) => number} of @returns {[number, number][]} */
  const curve = (of) =>
    Array.from({ length: 81 }, (_, i) => {
      const n = lengths[0] * (lengths[end] / lengths[0]) ** (i / 80);
      return [n, of(n)];
    });
  const square = curve((n) => seconds[end] * (n / lengths[end]) ** 2);
  const doubling = curve((n) => seconds[0] * 2 ** ((n - lengths[0]) / 128));
  return {
    x: {
      ...{ low: lengths[0], high: lengths[end], log: true, name: t("tokens, logarithmic") },
      ticks: lengths.map((n) => [n, whole(n)]),
    },
    y: {
      ...{ low: 1e-5, high: 1, log: true, name: "" },
      ticks: [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1].map((s) => [s, inTime(s)]),
    },
    lines: [
      {
        points: lengths.map((n, i) => [n, seconds[i]]),
        ...{ colour: theme.accent, wide: 3, dots: true, name: t("measured") },
      },
      { points: square, colour: theme.muted, wide: 1.5, name: t("the square of the length") },
      {
        ...{ points: doubling, colour: theme.headCss(1), wide: 1.5 },
        name: t("if it were exponential: twice the time for every 128 tokens"),
      },
    ],
    mark: lengths[at],
  };
}
