// Curves over numbers, a slider that walks along them, and the same numbers as a table.

import { bound } from "../../numbers/basics.js";
import { t } from "../../numbers/language.js";
import { h, setText } from "../../parts/dom.js";
import { paintOn } from "../../parts/paint.js";

/**
 * @typedef {import("../../parts/paint.js").Pen} Pen
 * @typedef {import("../../parts/theme.js").Theme} Theme
 * @typedef {{points: [number, number][], colour: string, wide: number, dots?: boolean,
 *            name: string}} Line name: written above the picture
 * @typedef {{low: number, high: number, log: boolean, ticks: [number, string][], name: string}} Axis
 * @typedef {{x: Axis, y: Axis, lines: Line[], mark: number | null}} Plot mark: an x that is chosen
 * @typedef {{left: number, right: number, top: number, bottom: number}} Box
 */

const TALL = 270; // pixels
const ROOM = { left: 52, right: 12, top: 10, bottom: 40 }; // beside the curves

/** A picture of curves. */
export function createPlot() {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  const key = h("ul", { class: "ax-key" });
  const element = h("div", { class: "ax-plot" }, key, canvas);

  /** @param {Plot} plot @param {string} label for who listens @param {Theme} theme */
  function show(plot, label, theme) {
    const width = bound(element.clientWidth || 400, 240, 640);
    const box = {
      ...{ left: ROOM.left, right: width - ROOM.right },
      ...{ top: ROOM.top, bottom: TALL - ROOM.bottom },
    };
    key.replaceChildren(...plot.lines.map(keyOf));
    paintOn(canvas, width, TALL, (pen) => paint(pen, plot, box, theme));
    canvas.setAttribute("aria-label", label);
  }
  return { element, show };
}

/** What a curve is called, beside a stroke of it. @param {Line} line */
function keyOf({ name, colour, wide }) {
  const stroke = h("i");
  stroke.style.borderTop = `${wide}px solid ${colour}`;
  return h("li", {}, stroke, name);
}

/** Where a number stands, 0 to 1. @param {Axis} axis @param {number} value */
function along({ low, high, log }, value) {
  const of = (/** @type {number} */ x) => (log ? Math.log(x) : x);
  return (of(value) - of(low)) / (of(high) - of(low) || 1);
}

/** @param {Pen} pen @param {Plot} plot @param {Box} box @param {Theme} theme */
function paint(pen, { x, y, lines, mark }, box, theme) {
  const { left, right, top, bottom } = box;
  const xOf = (/** @type {number} */ value) => left + along(x, value) * (right - left);
  const yOf = (/** @type {number} */ value) => bottom - along(y, value) * (bottom - top);
  pen.font = `12px ${theme.font}`;
  paintAxes(pen, x, y, box, theme, xOf, yOf);
  if (mark !== null)
    stroke(
      pen,
      [
        [xOf(mark), top],
        [xOf(mark), bottom],
      ],
      theme.muted,
      1,
    );
  for (const { points, colour, wide, dots } of lines) {
    const inside = points.filter(([, value]) => value >= y.low && value <= y.high);
    const places = inside.map(
      ([at, value]) => /** @type {[number, number]} */ ([xOf(at), yOf(value)]),
    );
    stroke(pen, places, colour, wide);
    for (const [px, py] of dots ? places : []) {
      pen.fillStyle = colour;
      pen.beginPath();
      pen.arc(px, py, wide + 1.5, 0, 2 * Math.PI);
      pen.fill();
    }
  }
}

/**
 * @param {Pen} pen @param {Axis} x @param {Axis} y @param {Box} box @param {Theme} theme
 * @param {(value: number) => number} xOf @param {(value: number) => number} yOf
 */
function paintAxes(pen, x, y, { left, right, top, bottom }, theme, xOf, yOf) {
  pen.strokeStyle = theme.border;
  pen.lineWidth = 1;
  pen.strokeRect(left, top, right - left, bottom - top);
  pen.fillStyle = theme.muted;
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  for (const [value, name] of y.ticks) pen.fillText(name, left - 6, yOf(value));
  pen.textAlign = "center";
  let free = Number.NEGATIVE_INFINITY;
  for (const [value, name] of x.ticks) {
    const half = pen.measureText(name).width / 2;
    const at = xOf(value);
    if (at - half < free) continue;
    pen.fillText(name, bound(at, left + half - 6, right - half + 6), bottom + 12);
    free = at + half + 6;
  }
  pen.fillText(x.name, (left + right) / 2, bottom + 30);
}

/** @param {Pen} pen @param {[number, number][]} places @param {string} colour @param {number} wide */
function stroke(pen, places, colour, wide) {
  pen.strokeStyle = colour;
  pen.lineWidth = wide;
  pen.beginPath();
  places.forEach(([x, y], i) => {
    if (i) pen.lineTo(x, y);
    else pen.moveTo(x, y);
  });
  pen.stroke();
}

/**
 * A slider over places in a list, with what stands there written beside it.
 * @param {string} label @param {(at: number) => void} slide
 */
export function createWalk(label, slide) {
  const input = /** @type {HTMLInputElement} */ (
    h("input", { type: "range", min: "0", step: "1", "aria-label": label })
  );
  const output = h("output");
  input.addEventListener("input", () => slide(Number(input.value)));
  return {
    element: h("label", { class: "ax-walk" }, h("span", {}, label), input, output),
    /** @param {number} at @param {number} last @param {string} said */
    show: (at, last, said) => {
      input.max = String(last);
      input.value = String(at);
      input.setAttribute("aria-valuetext", said);
      setText(output, said);
    },
  };
}

/** Numbers as a table that opens. */
export function createNumbers() {
  const table = h("table");
  const element = h(
    "details",
    { class: "ax-table" },
    h("summary", {}, t("These numbers as a table")),
    h("div", { class: "ax-fig-rows" }, table),
  );
  let made = "";

  /** @param {string[]} titles @param {string[][]} rows */
  function show(titles, rows) {
    const now = JSON.stringify([titles, rows]);
    if (now === made) return;
    made = now;
    const line = (/** @type {string[]} */ cells) =>
      h("tr", {}, ...cells.map((cell) => h("td", {}, cell)));
    table.replaceChildren(
      h("thead", {}, h("tr", {}, ...titles.map((title) => h("th", { scope: "col" }, title)))),
      h("tbody", {}, ...rows.map(line)),
    );
  }
  return { element, show };
}
