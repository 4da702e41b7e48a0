// A matrix or a vector as cells of colour: signed numbers in two colours, weights in one.

import { t } from "../numbers/language.js";
import { css, fullAt, inkOn } from "../numbers/palette.js";
import { h, pointIn, setText, zoomOf } from "./dom.js";
import { drawCells, fillUpwards, packColours, paintOn, shorten } from "./paint.js";

/**
 * @typedef {import("./theme.js").Theme} Theme
 * @typedef {import("./paint.js").Pen} Pen
 * @typedef {{values: ArrayLike<number>, rows: number, columns: number, weights?: boolean,
 *            top?: number, row?: number | null, band?: [number, number] | null,
 *            cell?: [number, number] | null, masked?: ArrayLike<number> | null,
 *            name: string, shape: string, label: string, wide: number, tall?: number,
 *            line?: number, widest?: number, names?: string[] | null,
 *            rowNames?: string[] | null, columnNames?: string[] | null,
 *            print?: ((value: number) => string) | null}} Matrix
 *   weights: from 0 to 1 and in one colour; top: the number that has the full colour;
 *   row: the row to mark; band: the columns to mark, first and one past last; cell: the cell to
 *   mark; masked: where not 0, a cell is hatched;
 *   wide, tall: pixels of the whole across, of a row down; line: of a row down, with names too;
 *   widest: pixels of a column at most; names: of the rows and columns of a square;
 *   print: what is written in the cells, where they have room for it
 * @typedef {{x: number, y: number, width: number, height: number}} Box
 */

const NAMES = 62; // pixels for the names beside a matrix
const WIDEST = 24; // pixels of a column, where nothing else is said
const HATCH = 5; // pixels between two lines of a hatching
const LETTERS = [8, 11]; // pixels of the letters in cells, least and most

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
  let size = ""; // of the matrix, in words
  /** What a cell holds stands where the size does otherwise. @param {string} cell */
  const tell = (cell) => setText(shape, cell || size);
  const cellAt = (/** @type {MouseEvent} */ event) =>
    shown && cellOf(shown.matrix, shown.box, ...pointIn(canvas, event));
  canvas.addEventListener("pointermove", (event) => {
    const cell = cellAt(event);
    canvas.title = cell ? say(...cell) : "";
    tell(canvas.title);
  });
  canvas.addEventListener("pointerleave", () => tell(""));
  canvas.addEventListener("click", (event) => {
    const cell = cellAt(event);
    if (cell) pick(...cell);
  });
  /** Where a row stands in the window. @param {number} row */
  function rowAt(row) {
    if (!shown) return null;
    const { left, top } = canvas.getBoundingClientRect();
    const { matrix, box } = shown;
    const tall = box.height / matrix.rows;
    const zoom = zoomOf(canvas);
    const [x, y] = [left + zoom * box.x, top + zoom * (box.y + row * tall)];
    return new DOMRect(x, y, zoom * box.width, zoom * Math.max(tall, 1));
  }

  /** @param {Matrix} matrix @param {Theme} theme */
  function show(matrix, theme) {
    shown = { matrix, box: boxOf(matrix) };
    name.replaceChildren(matrix.name);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", matrix.label);
    const top = matrix.top ?? (matrix.weights ? 1 : fullAt(matrix.values));
    size = shapeText(matrix, top);
    tell("");
    draw(canvas, matrix, shown.box, top, theme);
  }
  return { element, canvas, show, rowAt };
}

/** Where the cells of a matrix stand in its picture. @param {Matrix} matrix @returns {Box} */
export function boxOf({ rows, columns, names, rowNames, columnNames, ...of }) {
  const x = (names ?? rowNames) ? NAMES : 1;
  const y = (names ?? columnNames) ? NAMES : 1;
  const most = (of.widest ?? WIDEST) * columns;
  const width = Math.round(Math.max(Math.min(of.wide - x - 1, most), 12));
  const line = of.line ?? (names ? width / columns : (of.tall ?? Math.min(12, 300 / rows)));
  return { x, y, width, height: Math.round(Math.max(rows * line, 10)) };
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
    ? top < 1 && t("full colour at {top}", { top: top.toPrecision(2) })
    : t("full colour at ±{top}", { top: top.toPrecision(2) });
  return [matrix.shape, scale].filter(Boolean).join(" · ");
}

/**
 * @param {HTMLCanvasElement} canvas @param {Matrix} matrix @param {Box} box @param {number} top
 * @param {Theme} theme
 */
function draw(canvas, matrix, box, top, theme) {
  const { rows, columns, values } = matrix;
  const { x, y, width, height } = box;
  const [tall, wide] = [Math.min(rows, 2 * height), Math.min(columns, 2 * width)];
  const levels = levelsOf(values, rows, columns, tall, wide, top, matrix.weights === true);
  paintOn(canvas, x + width + 1, y + height + 1, (pen) => {
    const all = { top: 0, bottom: tall, left: 0, right: wide };
    drawCells(pen, levels, tall, wide, matrix.weights ? theme.packed : signed(theme), box, all);
    if (matrix.masked) hatch(pen, matrix, matrix.masked, box, theme);
    if (matrix.print && tall === rows && wide === columns)
      printCells(pen, matrix, matrix.print, levels, box, theme);
    pen.strokeStyle = theme.border;
    pen.lineWidth = 1;
    pen.strokeRect(x - 0.5, y - 0.5, width + 1, height + 1);
    nameAll(pen, matrix, box, theme);
    mark(pen, matrix, box, theme);
  });
}

/**
 * Lines over the masked cells: nothing stands there, which is not the same as a small number.
 * @param {Pen} pen @param {Matrix} matrix @param {ArrayLike<number>} masked @param {Box} box
 * @param {Theme} theme
 */
function hatch(pen, { rows, columns }, masked, { x, y, width, height }, theme) {
  const [wide, tall] = [width / columns, height / rows];
  pen.save();
  pen.beginPath();
  let any = false;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      let end = c;
      while (end < columns && masked[r * columns + end]) end++;
      if (end > c) pen.rect(x + c * wide, y + r * tall, (end - c) * wide, tall);
      any ||= end > c;
      c = end;
    }
  }
  if (any) {
    pen.clip();
    pen.strokeStyle = theme.muted;
    pen.lineWidth = 1;
    pen.beginPath();
    for (let at = HATCH; at < width + height; at += HATCH) {
      pen.moveTo(x + at, y);
      pen.lineTo(x + at - height, y + height);
    }
    pen.stroke();
  }
  pen.restore();
}

/**
 * The numbers themselves, if all of them have room in their cells.
 * @param {Pen} pen @param {Matrix} matrix @param {(value: number) => string} print
 * @param {Uint8ClampedArray} levels @param {Box} box @param {Theme} theme
 */
function printCells(pen, { rows, columns, values, weights, masked }, print, levels, box, theme) {
  const [wide, tall] = [box.width / columns, box.height / rows];
  const size = Math.min(LETTERS[1], Math.floor(tall) - 3);
  if (size < LETTERS[0] || wide < 2 * LETTERS[0]) return;
  const texts = Array.from(values, (value, at) => (masked?.[at] ? "" : print(value)));
  const fits = [size, LETTERS[0]].find((letters) => {
    pen.font = `${letters}px ${theme.font}`;
    return texts.every((text) => pen.measureText(text).width <= wide - 3);
  });
  if (!fits) return;
  const inks = weights ? theme.inks : theme.diverging.map((colour) => css(inkOn(colour)));
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  texts.forEach((text, at) => {
    const [r, c] = [Math.floor(at / columns), at % columns];
    pen.fillStyle = inks[levels[at]];
    pen.fillText(text, box.x + (c + 0.5) * wide, box.y + (r + 0.5) * tall + 0.5);
  });
}

/**
 * The chosen row, columns and cell.
 * @param {Pen} pen @param {Matrix} matrix @param {Box} box @param {Theme} theme
 */
function mark(pen, { row, rows, columns, band, cell }, { x, y, width, height }, theme) {
  const [wide, tall] = [width / columns, height / rows];
  pen.strokeStyle = theme.accent;
  pen.lineWidth = 2;
  if (typeof row === "number" && rows > 1)
    pen.strokeRect(x, y + row * tall, width, Math.max(tall, 3));
  if (band) pen.strokeRect(x + band[0] * wide, y, (band[1] - band[0]) * wide, height);
  if (!cell) return;
  const [w, d] = [Math.max(wide, 5), Math.max(tall, 5)];
  const [left, top] = [x + (cell[1] + 0.5) * wide - w / 2, y + (cell[0] + 0.5) * tall - d / 2];
  pen.strokeStyle = theme.page; // light and dark: to be seen on every colour
  pen.lineWidth = 5;
  pen.strokeRect(left, top, w, d);
  pen.strokeStyle = theme.text;
  pen.lineWidth = 2;
  pen.strokeRect(left, top, w, d);
}

/**
 * What the rows and columns are, where that is to be read.
 * @param {Pen} pen @param {Matrix} matrix @param {Box} box @param {Theme} theme
 */
function nameAll(pen, { rows, columns, names, rowNames, columnNames }, box, theme) {
  const { x, y } = box;
  const [wide, tall] = [box.width / columns, box.height / rows];
  const font = (/** @type {number} */ room) =>
    `${Math.min(12, Math.max(9, Math.floor(room) - 1))}px ${theme.font}`;
  pen.fillStyle = theme.muted;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  pen.font = font(tall);
  (names ?? rowNames ?? []).forEach((text, i) => {
    pen.fillText(shorten(pen, text, x - 8), x - 5, y + (i + 0.5) * tall);
  });
  pen.font = font(wide);
  (names ?? columnNames ?? []).forEach((text, i) => {
    pen.save();
    pen.translate(x + (i + 0.5) * wide, y - 5);
    fillUpwards(pen, shorten(pen, text, y - 8));
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
