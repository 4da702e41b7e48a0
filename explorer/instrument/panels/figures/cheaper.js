// What this head could do without: what is left of its attention in a window, of its largest weights,
// and of its largest singular values. All of it is found here, from the weights.

import { weightsOf } from "../../numbers/article.js";
import { largestKept, ofHead, rankKept, windowKept } from "../../numbers/articleheads.js";
import { bound } from "../../numbers/basics.js";
import { headName } from "../../numbers/headname.js";
import { t, tn } from "../../numbers/language.js";
import { percent } from "../../numbers/model.js";
import { h, pointIn, setText } from "../../parts/dom.js";
import { drawCells, paintOn } from "../../parts/paint.js";
import { createHeadChoice } from "./headchoice.js";
import { createNumbers, createPlot, createWalk } from "./plot.js";

/**
 * @typedef {import("../../pages/articlefigures.js").Shown} Shown
 * @typedef {{window: number[], largest: number[], rank: number[]}} Left
 *   window: by its reach from 0; largest, rank: by how many from 1
 */

/** @param {Shown["state"]} state @returns {Left} */
const leftOf = (state) =>
  ofHead(state, "left", (weights, n) => ({
    ...{ window: windowKept(weights, n), largest: largestKept(weights, n) },
    rank: rankKept(weights, n),
  }));

/** @param {import("../../pages/articlefigures.js").Acts} acts @returns {import("../../pages/articlefigures.js").Figure} */
export function createCheaper(acts) {
  let budget = 2;
  /** @type {Shown | null} */
  let last = null;
  const head = createHeadChoice(acts.look);
  const walk = createWalk(t("Budget"), (at) => {
    budget = at + 1;
    if (last) show(last);
  });
  const plot = createPlot();
  const says = h("p", { class: "ax-fig-says", "aria-live": "polite" });
  const numbers = createNumbers();
  const tools = h("div", { class: "ax-tools" }, head.element);
  const element = h("div", {}, tools, walk.element, plot.element, says, numbers.element);

  /** @param {Shown} shown */
  function show(shown) {
    last = shown;
    const { state } = shown;
    const n = state.article.trace.head.key_tokens.length;
    const left = leftOf(state);
    const at = bound(budget, 1, n);
    head.show(state);
    walk.show(at - 1, n - 1, String(at));
    const said = saysOf(left, at, headName(state.view.layer, state.view.head), n);
    plot.show(plotOf(left, at, n, shown.theme), said, shown.theme);
    setText(says, said);
    numbers.show(
      [t("budget"), t("a window"), t("the largest weights"), t("rank")],
      left.rank.map((rank, i) => [
        ...[String(i + 1), percent(left.window[Math.min(i + 1, n - 1)])],
        ...[percent(left.largest[i]), percent(rank)],
      ]),
    );
  }
  return {
    element,
    show,
    where: () => ({ page: "efficiency", label: t("All heads and all ways, in Efficiency") }),
  };
}

/** @param {Left} left @param {number} at @param {string} head @param {number} n */
const saysOf = ({ window, largest, rank }, at, head, n) =>
  tn(
    "Of {head}, a window of {n} token to each side keeps {window} of the attention, the {n} largest weight of each row {largest}, and rank {n} {rank} of the energy. The text has {all} tokens.",
    "Of {head}, a window of {n} tokens to each side keeps {window} of the attention, the {n} largest weights of each row {largest}, and rank {n} {rank} of the energy. The text has {all} tokens.",
    at,
    {
      ...{ head, all: n, window: percent(window[Math.min(at, n - 1)]) },
      ...{ largest: percent(largest[at - 1]), rank: percent(rank[at - 1]) },
    },
  );

/** @param {Left} left @param {number} at @param {number} n @param {import("../../parts/theme.js").Theme} theme @returns {import("./plot.js").Plot} */
function plotOf({ window, largest, rank }, at, n, theme) {
  /** @param {number[]} kept @returns {[number, number][]} */
  const points = (kept) => kept.map((share, i) => [i + 1, share]);
  return {
    x: {
      ...{ low: 1, high: Math.max(n, 2), log: true, name: t("budget, logarithmic") },
      ticks: [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64].flatMap((b) =>
        b <= n ? [/** @type {[number, string]} */ ([b, String(b)])] : [],
      ),
    },
    y: {
      ...{ low: 0, high: 1, log: false, name: "" },
      ticks: [0, 0.25, 0.5, 0.75, 1].map((share) => [share, percent(share)]),
    },
    lines: [
      {
        points: window.slice(1).map((share, i) => [i + 1, share]),
        ...{ colour: theme.accent, wide: 3, name: t("a window of so many tokens to each side") },
      },
      {
        ...{ points: points(largest), colour: theme.headCss(1), wide: 2 },
        name: t("so many of the largest weights of each row"),
      },
      {
        ...{ points: points(rank), colour: theme.muted, wide: 2 },
        name: t("so many singular values (energy)"),
      },
    ],
    mark: at,
  };
}

// — the window alone, on the map —

const SIDE = 300; // pixels of the map, at most

/** @param {import("../../pages/articlefigures.js").Acts} acts @returns {import("../../pages/articlefigures.js").Figure} */
export function createWindow(acts) {
  let reach = 2;
  /** @type {Shown | null} */
  let last = null;
  const head = createHeadChoice(acts.look);
  const walk = createWalk(t("Tokens to each side"), (at) => {
    reach = at;
    if (last) show(last);
  });
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.addEventListener("click", (event) => {
    if (!last) return;
    const n = last.state.article.trace.head.key_tokens.length;
    const side = sideOf(n);
    const [x, y] = pointIn(canvas, event);
    const [query, key] = [y, x].map((at) => bound(Math.floor((at / side) * n), 0, n - 1));
    acts.look({ query, key });
  });
  const says = h("p", { class: "ax-fig-says", "aria-live": "polite" });
  const tools = h("div", { class: "ax-tools" }, head.element);
  const read = t("Rows look, columns are looked at. What is struck out is not computed.");
  const element = h(
    "div",
    {},
    ...[tools, walk.element, h("p", { class: "ax-help" }, read), canvas, says],
  );

  /** @param {Shown} shown */
  function show(shown) {
    last = shown;
    const { state, theme } = shown;
    const n = state.article.trace.head.key_tokens.length;
    const weights = weightsOf(state);
    const at = bound(reach, 0, n - 1);
    const kept = leftOf(state).window;
    head.show(state);
    walk.show(at, n - 1, String(at));
    const needs = kept.findIndex((share) => share >= 0.9 - 1e-9);
    const said = tn(
      "With {n} token to each side, {share} of {head}’s attention stays and {pairs} of the pairs are computed. For 90 % of its attention it needs {needs}.",
      "With {n} tokens to each side, {share} of {head}’s attention stays and {pairs} of the pairs are computed. For 90 % of its attention it needs {needs}.",
      at,
      {
        ...{ share: percent(kept[at]), head: headName(state.view.layer, state.view.head) },
        ...{ pairs: percent(pairsIn(n, at) / (n * n)), needs },
      },
    );
    const side = sideOf(n);
    paintOn(canvas, side, side, (pen) => paintMap(pen, weights, n, at, side, theme));
    canvas.setAttribute("aria-label", said);
    setText(says, said);
  }
  return {
    element,
    show,
    where: () => ({
      ...{ page: "efficiency", open: { way: "window" } },
      label: t("Windows of all heads, in Efficiency"),
    }),
  };
}

/** Pixels of a map. @param {number} n */
const sideOf = (n) => Math.min(SIDE, 24 * n);

/** Pairs that are at most so far apart. @param {number} n @param {number} reach */
const pairsIn = (n, reach) => n * (2 * reach + 1) - reach * (reach + 1);

/**
 * @param {import("../../parts/paint.js").Pen} pen @param {Float32Array} weights @param {number} n
 * @param {number} reach @param {number} side @param {import("../../parts/theme.js").Theme} theme
 */
function paintMap(pen, weights, n, reach, side, theme) {
  const top = Math.max(...weights) || 1;
  const levels = Uint8ClampedArray.from(weights, (weight) => (255 * weight) / top);
  const box = { x: 0, y: 0, width: side, height: side };
  const whole = { top: 0, bottom: n, left: 0, right: n };
  drawCells(pen, levels, n, n, theme.packed, box, whole);
  const cell = side / n;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      if (Math.abs(i - j) <= reach) continue;
      pen.strokeStyle = theme.muted;
      pen.lineWidth = 1;
      pen.beginPath();
      pen.moveTo(j * cell + 1, (i + 1) * cell - 1);
      pen.lineTo((j + 1) * cell - 1, i * cell + 1);
      pen.stroke();
    }
  pen.strokeStyle = theme.border;
  pen.strokeRect(0.5, 0.5, side - 1, side - 1);
}
