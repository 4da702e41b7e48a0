// A matrix or a vector as cells of colour: signed numbers in two colours, weights in one.

import { fullAt } from "../numbers/palette.js";
import { h } from "./dom.js";
import { drawCells, packColours, paintOn, shorten } from "./paint.js";

/**
 * @typedef {import("./theme.js").Theme} Theme
 * @typedef {import("./paint.js").Pen} Pen
 * @typedef {{values: ArrayLike<number>, rows: number, columns: number, weights?: boolean,
 *            top?: number, row?: number | null, band?: [number, number] | null,
 *            name: string, shape: string, label: string, wide: number, tall?: number,
 *            names?: string[] | null}} Matrix
 *   weights: from 0 to 1 and in one colour; top: the number that has the full colour;
 *   row: the row to mark; band: the columns to mark, first and one past last;
 *   wide, tall: pixels of the whole across, of a row down; names: of the rows and columns
 * @typedef {{x: number, y: number, width: number, height: number}} Box
 */

const NAMES = 62; // pixels for the names beside a square

/**
 * @param {(row: number, column: number) => void} pick
 * @param {(row: number, column: number) => string} say
 */
export function createMatrix(pick, say) {
  const canvas = document.createElement("canvas");
  const name = h("strong");
  const shape = h("span", { class: "ax-help" });
  const element = h(
    "figure",
    { class: "ax-matrix" },
    h("figcaption", {}, name, " ", shape),
    canvas,
  );
  /** @type {{matrix: Matrix, box: Box} | null} */
  let shown = null;
  const cellAt = (/** @type {MouseEvent} */ event) =>
    shown && cellOf(shown.matrix, shown.box, event.offsetX, event.offsetY);
  canvas.addEventListener("pointermove", (event) => {
    const cell = cellAt(event);
    canvas.title = cell ? say(...cell) : "";
  });
  canvas.addEventListener("click", (event) => {
    const cell = cellAt(event);
    if (cell) pick(...cell);
  });

  /** @param {Matrix} matrix @param {Theme} theme */
  function show(matrix, theme) {
    shown = { matrix, box: boxOf(matrix) };
    name.replaceChildren(matrix.name);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", matrix.label);
    const top = matrix.top ?? (matrix.weights ? 1 : fullAt(matrix.values));
    shape.textContent = shapeText(matrix, top);
    draw(canvas, matrix, shown.box, top, theme);
  }
  return { element, show };
}

/** Where the cells of a matrix stand in its picture. @param {Matrix} matrix @returns {Box} */
export function boxOf({ rows, columns, names, wide, tall }) {
  const edge = names ? NAMES : 1;
  const width = Math.round(Math.max(Math.min(wide - edge - 1, 24 * columns), 12));
  const line = names ? width / columns : (tall ?? Math.min(12, 300 / rows));
  return { x: edge, y: edge, width, height: Math.round(Math.max(rows * line, 10)) };
}

/**
 * The cell at a place of the picture, row and column.
 * @param {Matrix} matrix @param {Box} box @param {number} x @param {number} y
 * @returns {[number, number] | null}
 */
export function cellOf({ rows, columns }, box, x, y) {
  const row = Math.floor(((y - box.y) / box.height) * rows);
  const column = Math.floor(((x - box.x) / box.width) * columns);
  const inside = row >= 0 && row < rows && column >= 0 && column < columns;
  return inside ? [row, column] : null;
}

/** The sizes, and which number has the full colour. @param {Matrix} matrix @param {number} top */
function shapeText(matrix, top) {
  const scale = matrix.weights
    ? top < 1 && `full colour at ${top.toPrecision(2)}`
    : `full colour at ±${top.toPrecision(2)}`;
  return [matrix.shape, scale].filter(Boolean).join(" · ");
}

/**
 * @param {HTMLCanvasElement} canvas @param {Matrix} matrix @param {Box} box @param {number} top
 * @param {Theme} theme
 */
function draw(canvas, matrix, box, top, theme) {
  const { rows, columns, values } = matrix;
  const { x: edge, width, height } = box;
  const [tall, wide] = [Math.min(rows, 2 * height), Math.min(columns, 2 * width)];
  const levels = levelsOf(values, rows, columns, tall, wide, top, matrix.weights === true);
  paintOn(canvas, edge + width + 1, edge + height + 1, (pen) => {
    const all = { top: 0, bottom: tall, left: 0, right: wide };
    drawCells(pen, levels, tall, wide, matrix.weights ? theme.packed : signed(theme), box, all);
    pen.strokeStyle = theme.border;
    pen.lineWidth = 1;
    pen.strokeRect(edge - 0.5, edge - 0.5, width + 1, height + 1);
    if (matrix.names) nameAll(pen, matrix.names, edge, width / columns, theme);
    mark(pen, matrix, box, theme);
  });
}

/**
 * The chosen row and columns.
 * @param {Pen} pen @param {Matrix} matrix @param {Box} box @param {Theme} theme
 */
function mark(pen, { row, rows, columns, band }, { x, y, width, height }, theme) {
  pen.strokeStyle = theme.accent;
  pen.lineWidth = 2;
  if (typeof row === "number" && rows > 1) {
    const each = height / rows;
    pen.strokeRect(x, y + row * each, width, Math.max(each, 3));
  }
  if (band) {
    const each = width / columns;
    pen.strokeRect(x + band[0] * each, y, (band[1] - band[0]) * each, height);
  }
}

/** @param {Pen} pen @param {string[]} names @param {number} edge @param {number} cell @param {Theme} theme */
function nameAll(pen, names, edge, cell, theme) {
  pen.fillStyle = theme.muted;
  pen.font = `${Math.min(12, Math.max(9, cell - 1))}px ${theme.font}`;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  names.forEach((text, i) => {
    pen.fillText(shorten(pen, text, edge - 8), edge - 5, edge + (i + 0.5) * cell);
  });
  pen.textAlign = "left";
  names.forEach((text, i) => {
    pen.save();
    pen.translate(edge + (i + 0.5) * cell, edge - 5);
    pen.rotate(-Math.PI / 2);
    pen.fillText(shorten(pen, text, edge - 8), 0, 0);
    pen.restore();
  });
}

/** @type {WeakMap<Theme, Uint32Array>} */
const ramps = new WeakMap();

/** @param {Theme} theme */
function signed(theme) {
  const made = ramps.get(theme) ?? packColours(theme.diverging);
  ramps.set(theme, made);
  return made;
}

/**
 * Colour numbers, 0 to 255; where several values share a dot, the largest of them counts.
 * @param {ArrayLike<number>} values @param {number} rows @param {number} columns
 * @param {number} tall dots down @param {number} wide dots across
 * @param {number} top @param {boolean} weights
 */
export function levelsOf(values, rows, columns, tall, wide, top, weights) {
  const strongest = new Float64Array(tall * wide);
  for (let r = 0; r < rows; r++) {
    const y = Math.floor((r * tall) / rows);
    for (let c = 0; c < columns; c++) {
      const at = y * wide + Math.floor((c * wide) / columns);
      const value = values[r * columns + c];
      if (Math.abs(value) > Math.abs(strongest[at])) strongest[at] = value;
    }
  }
  const levels = new Uint8ClampedArray(tall * wide);
  for (let i = 0; i < levels.length; i++) {
    const share = strongest[i] / top;
    levels[i] = weights ? 255 * share : 127.5 + 127.5 * Math.max(-1, Math.min(1, share));
  }
  return levels;
}
