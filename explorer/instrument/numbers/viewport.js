// The part of a heatmap that is in sight: zooming, panning, hit-testing. Pure functions.

import { bound } from "./basics.js";

/**
 * @typedef {{row: number, column: number, count: number}} Sight
 *   first row and column in sight, and how many cells across
 * @typedef {{row: number, column: number}} Cell
 * @typedef {{left: number, top: number, cell: number, x0: number, y0: number, width: number,
 *            height: number}} Plot
 *   x0 and y0 are where the first cell would lie, in sight or not
 */

export const CLOSEST = 8; // cells across, when nearest

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
