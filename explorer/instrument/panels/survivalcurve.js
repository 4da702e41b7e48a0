// What survives of a head over the budget, beside all others and their mean. A click chooses a budget.

import { bound } from "../numbers/basics.js";
import {
  budgetOf,
  curveOf,
  givenIn,
  headOf,
  meansOf,
  nameOf,
  percent,
  wayOf,
} from "../numbers/efficiency.js";
import { sentences, t } from "../numbers/language.js";
import { helpMark } from "../parts/bubble.js";
import { h, pointIn, setText } from "../parts/dom.js";
import { paintOn } from "../parts/paint.js";

/**
 * @typedef {import("../numbers/efficiency.js").EfficiencyState} EfficiencyState
 * @typedef {import("../parts/paint.js").Pen} Pen
 * @typedef {import("../parts/theme.js").Theme} Theme
 * @typedef {{left: number, right: number, top: number, bottom: number}} Plot
 */

const TALL = 230; // pixels

/** @param {(budget: number) => void} choose the place of a budget */
export function createSurvivalCurve(choose) {
  const canvas = document.createElement("canvas");
  const title = h("h3");
  const help = h("span");
  const says = h("p", { class: "ax-help" });
  const heading = h("div", { class: "ax-title" }, title, help);
  const element = h("section", { class: "ax-eff-panel" }, heading, canvas, says);
  canvas.setAttribute("role", "img");
  /** @type {EfficiencyState | null} */
  let shown = null;
  /** @type {Plot} */
  let plot = { left: 0, right: 1, top: 0, bottom: 1 };
  let explained = "";
  canvas.addEventListener("click", (event) => {
    if (!shown) return;
    const [x] = pointIn(canvas, event);
    const { budgets } = wayOf(shown);
    const far = budgets.map((_, at) => Math.abs(xOf(budgets, at, plot) - x));
    choose(far.indexOf(Math.min(...far)));
  });

  /** @param {EfficiencyState} state @param {Theme} theme */
  function show(state, theme) {
    shown = state;
    const way = wayOf(state);
    const head = headOf(state);
    const width = bound(element.clientWidth || 400, 240, 640);
    plot = { left: 44, right: width - 12, top: 8, bottom: TALL - 36 };
    setText(
      title,
      t("Over the budget: {head} beside the mean of all heads", {
        head: nameOf(state.found, head),
      }),
    );
    if (explained !== way.kind) help.replaceChildren(helpMark(way.exactly));
    explained = way.kind;
    paintOn(canvas, width, TALL, (pen) => paint(pen, state, theme, plot));
    const own = curveOf(state, head)[state.view.budget];
    const mean = meansOf(state)[state.view.budget];
    setText(
      says,
      t(
        "With {given}: {own} of {head} (thick), {mean} on average (thin); every other head is pale. It makes {cost} of the numbers that full attention makes.",
        {
          given: givenIn(way, budgetOf(state)),
          own: percent(own),
          head: nameOf(state.found, head),
          mean: percent(mean),
          cost: percent(way.costs[state.view.budget]),
        },
      ),
    );
    canvas.setAttribute(
      "aria-label",
      sentences(t("{sentence}.", { sentence: title.textContent ?? "" }), says.textContent),
    );
  }

  return { element, show };
}

/** Where a budget stands: its logarithm counts. @param {number[]} budgets @param {number} at @param {Plot} plot */
function xOf(budgets, at, { left, right }) {
  const place = (/** @type {number} */ budget) => Math.log(budget + 1);
  const [low, high] = [place(budgets[0]), place(budgets[budgets.length - 1])];
  return high > low
    ? left + ((place(budgets[at]) - low) / (high - low)) * (right - left)
    : (left + right) / 2;
}

/** @param {Pen} pen @param {EfficiencyState} state @param {Theme} theme @param {Plot} plot */
function paint(pen, state, theme, plot) {
  const { budgets, budget } = wayOf(state);
  const heads = state.found.numbers.length * state.found.n_heads;
  const y = (/** @type {number} */ share) => plot.bottom - share * (plot.bottom - plot.top);
  frame(pen, theme, plot, y);
  names(pen, theme, plot, budgets, budget);
  const line = (
    /** @type {number[]} */ curve,
    /** @type {string} */ colour,
    /** @type {number} */ wide,
  ) => {
    pen.strokeStyle = pen.fillStyle = colour;
    pen.lineWidth = wide;
    pen.beginPath();
    curve.forEach((share, at) => {
      const x = xOf(budgets, at, plot);
      if (curve.length === 1) pen.rect(x - 6, y(share) - wide / 2, 12, wide);
      else if (at) pen.lineTo(x, y(share));
      else pen.moveTo(x, y(share));
    });
    pen.stroke();
  };
  for (let head = 0; head < heads; head++) line(curveOf(state, head), theme.border, 1);
  line(meansOf(state), theme.text, 1.5);
  line(curveOf(state, headOf(state)), theme.accent, 3);
  const x = xOf(budgets, state.view.budget, plot);
  pen.strokeStyle = theme.muted;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(x, plot.top);
  pen.lineTo(x, plot.bottom);
  pen.stroke();
}

/** @param {Pen} pen @param {Theme} theme @param {Plot} plot @param {(share: number) => number} y */
function frame(pen, theme, { left, right, top, bottom }, y) {
  pen.font = `11px ${theme.font}`;
  pen.strokeStyle = theme.border;
  pen.lineWidth = 1;
  pen.strokeRect(left, top, right - left, bottom - top);
  pen.fillStyle = theme.muted;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const share of [0, 0.5, 1]) pen.fillText(`${100 * share} %`, left - 6, y(share));
}

/** The budgets that have room under the axis. @param {Pen} pen @param {Theme} theme @param {Plot} plot @param {number[]} budgets @param {string} called */
function names(pen, theme, plot, budgets, called) {
  pen.fillStyle = theme.muted;
  pen.textAlign = "center";
  let free = Number.NEGATIVE_INFINITY;
  const last = xOf(budgets, budgets.length - 1, plot);
  budgets.forEach((budget, at) => {
    const x = xOf(budgets, at, plot);
    const isLast = at === budgets.length - 1;
    if (x < free || (!isLast && last - x < 30)) return;
    free = x + 30;
    if (called)
      pen.fillText(String(budget), bound(x, plot.left + 4, plot.right - 8), plot.bottom + 11);
  });
  pen.fillText(called || t("no budget"), (plot.left + plot.right) / 2, plot.bottom + 27);
}
