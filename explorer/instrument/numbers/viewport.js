// The part of a heatmap that is in sight: zooming, panning, hit-testing, and where the corner with
// the whole and the frames round what is pointed at lie. Pure functions.

import { bound } from "./basics.js";

/**
 * @typedef {{row: number, column: number, count: number}} Sight
 *   first row and column in sight, and how many cells across
 * @typedef {{row: number, column: number}} Cell
 * @typedef {{left: number, top: number, cell: number, x0: number, y0: number, width: number,
 *            height: number}} Plot
 *   x0 and y0 are where the first cell would lie, in sight or not
 * @typedef {{top: number, bottom: number, left: number, right: number}} Stretch
 *   the first and one past the last of the rows and of the columns in sight
 */

export const CLOSEST = 8; // cells across, when nearest
const OVERVIEW = 76; // pixels across, at most
const LEAST_FRAME = 4; // pixels, of the frame in the corner
const LEAST_BAND = 5; // pixels, of a frame round rows or columns: a thin one is not covered by it

/** @type {Sight} */
export const ALL_IN_SIGHT = { row: 0, column: 0, count: Number.POSITIVE_INFINITY };

/** @param {Sight} sight @param {number} nRows @param {number} nColumns */
export const isPart = (sight, nRows, nColumns) => sight.count < Math.max(nRows, nColumns);

/**
 * The nearest part that there is.
 * @param {Sight} sight @param {number} nRows @param {number} nColumns
 * @returns {Sight}
 */
export function within(sight, nRows, nColumns) {
  const count = Math.min(sight.count, Math.max(nRows, nColumns));
  const first = (/** @type {number} */ i, /** @type {number} */ n) =>
    bound(i, 0, Math.max(0, n - count));
  return { row: first(sight.row, nRows), column: first(sight.column, nColumns), count };
}

/**
 * Come nearer (a factor above 1), go back, or see the whole (0). What is pointed at stays where it
 * is; where nothing is, the middle does.
 * @param {Sight} sight @param {number} factor @param {Partial<Cell>} around
 * @param {number} nRows @param {number} nColumns
 * @returns {Sight}
 */
export function zoomed(sight, factor, around, nRows, nColumns) {
  const all = Math.max(nRows, nColumns);
  const before = Math.min(sight.count, all);
  const count = factor ? bound(Math.round(before / factor), Math.min(CLOSEST, all), all) : all;
  const keep = (/** @type {number} */ first, /** @type {number | undefined} */ i) => {
    const at = i ?? first + before / 2;
    return Math.round(at - ((at - first) * count) / before);
  };
  const row = keep(sight.row, around.row);
  return within({ row, column: keep(sight.column, around.column), count }, nRows, nColumns);
}

/**
 * The part moved as little as brings a cell into sight.
 * @param {Sight} sight @param {Cell} cell
 * @returns {Sight}
 */
export function showing(sight, { row, column }) {
  const near = (/** @type {number} */ first, /** @type {number} */ i) =>
    bound(first, i - sight.count + 1, i);
  return { ...sight, row: near(sight.row, row), column: near(sight.column, column) };
}

/**
 * Where a part lies on a stage, below and right of the labels.
 * @param {Sight} sight @param {number} label the labels' room @param {number} side of the plot
 * @param {number} nRows @param {number} nColumns
 * @returns {Plot}
 */
export function plotOf(sight, label, side, nRows, nColumns) {
  const cell = side / sight.count;
  return {
    left: label,
    top: label,
    cell,
    x0: label - sight.column * cell,
    y0: label - sight.row * cell,
    width: cell * Math.min(nColumns, sight.count),
    height: cell * Math.min(nRows, sight.count),
  };
}

/**
 * The cell at a place on the stage.
 * @param {Plot} plot @param {number} x @param {number} y @param {number} nRows @param {number} nColumns
 * @returns {Cell | null} null beside the plot
 */
export function cellIn(plot, x, y, nRows, nColumns) {
  const { left, top, width, height, cell, x0, y0 } = plot;
  if (x < left || y < top || x >= left + width || y >= top + height) return null;
  return {
    row: bound(Math.floor((y - y0) / cell), 0, nRows - 1),
    column: bound(Math.floor((x - x0) / cell), 0, nColumns - 1),
  };
}

/**
 * The rows and columns in sight.
 * @param {Sight} sight @param {number} nRows @param {number} nColumns
 * @returns {Stretch}
 */
export const inSight = ({ row, column, count }, nRows, nColumns) => ({
  top: row,
  bottom: Math.min(nRows, row + count),
  left: column,
  right: Math.min(nColumns, column + count),
});

/**
 * The part after a drag: the cell that was grasped stays under the finger.
 * @param {Sight} sight @param {Cell} from the first cell in sight when the drag began
 * @param {number} dx @param {number} dy in pixels @param {number} cell its side
 * @returns {Sight}
 */
export function panned(sight, from, dx, dy, cell) {
  const [rows, columns] = [dy, dx].map((way) => Math.round(way / cell));
  return { ...sight, row: from.row - rows, column: from.column - columns };
}

/**
 * The part whose middle is a place of the corner that shows the whole.
 * @param {Sight} sight @param {number} x @param {number} y shares of the corner's side
 * @param {number} nRows @param {number} nColumns
 * @returns {Sight}
 */
export function middleAt(sight, x, y, nRows, nColumns) {
  const all = Math.max(nRows, nColumns);
  const first = (/** @type {number} */ share) => Math.round(share * all - sight.count / 2);
  return { ...sight, row: first(y), column: first(x) };
}

/** The side of the corner that shows the whole. @param {Plot} plot */
export const cornerOf = (plot) => Math.min(OVERVIEW, plot.left - 8, plot.top - 8);

/**
 * The frame in the corner round what is in sight.
 * @param {Stretch} stretch @param {number} dot the side of a cell there
 */
export function frameOf({ top, bottom, left, right }, dot) {
  const least = (/** @type {number} */ n) => Math.max(n * dot, LEAST_FRAME);
  return {
    x: 1 + left * dot,
    y: 1 + top * dot,
    width: least(right - left),
    height: least(bottom - top),
  };
}

/**
 * The frame round neighbouring rows or columns, as far as they are in sight.
 * @param {[number, number]} units the first and the last
 * @param {[number, number]} seen the first and one past the last in sight
 * @param {number} zero where the first of all would lie @param {number} cell its side
 * @returns {{from: number, to: number, start: number, wide: number} | null} null out of sight
 */
export function bandOf([first, last], [low, high], zero, cell) {
  if (last < low || first >= high) return null;
  const [from, to] = [Math.max(first, low), Math.min(last + 1, high)];
  const air = Math.max(0, LEAST_BAND / 2 - (cell * (to - from)) / 2);
  return { from, to, start: zero + from * cell - air, wide: cell * (to - from) + 2 * air };
}
