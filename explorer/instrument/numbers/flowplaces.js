// Where the two sides of the flow lie: as columns, or as lines of text above one another; how they
// are scrolled, and how the arrow keys walk on them. Pure functions.

import { bound, range } from "./basics.js";
import { edgesOf, touching } from "./edges.js";

/**
 * @typedef {{width: number, height: number, near: number, far: number, row: number,
 *            extent: number}} Box
 *   near, far: where the side that looks ends, and where the one that is looked at begins; row: the
 *   thickness of a token; extent: of all tokens, in sight or not
 * @typedef {{row: Float64Array, column: Float64Array}} Edges
 * @typedef {{box: Box, edges: Edges, at: number, across: boolean, rtl: boolean}} Places
 *   at: how far it is scrolled
 * @typedef {{side: "row" | "column", anchor: number}} Walker
 *   side: that the arrow keys walk on; anchor: where walking with Shift began
 */

export const MAX_HEIGHT = 560;
export const LEAST_ROW = 18; // pixels
const MOST_ROW = 30;
const ACROSS_HEIGHT = 320;
const LABEL_HEIGHT = 40; // of a line of text with its numbers
const UNIT = [26, 130]; // pixels that a token takes along a line, least and most
const STRETCH = 1.8; // of a line that is shorter than the panel, at most
const SLACK = 8; // pixels beside a side's tokens that still belong to it

/** @returns {Places} */
export const noPlaces = () => ({
  box: { width: 1, height: 1, near: 0, far: 0, row: 20, extent: 0 },
  edges: { row: edgesOf([]), column: edgesOf([]) },
  ...{ at: 0, across: false, rtl: false },
});

/** How thick a token of a column is. @param {number} n tokens @param {number} most pixels of all */
const rowOfColumn = (n, most) => bound(most / n, LEAST_ROW, MOST_ROW);

/** How long two columns are. @param {number} n tokens of the longer one @param {number} [most] */
export const extentDown = (n, most = MAX_HEIGHT) => n * rowOfColumn(n, most);

/**
 * Two columns.
 * @param {number} nRows @param {number} nColumns @param {number} width of the panel
 * @param {number} [most] pixels that it is tall
 * @returns {{box: Box, edges: Edges}}
 */
export function placeDown(nRows, nColumns, width, most = MAX_HEIGHT) {
  const n = Math.max(nRows, nColumns);
  const [row, extent] = [rowOfColumn(n, most), extentDown(n, most)];
  const near = Math.round(width * 0.3);
  const same = (/** @type {number} */ count) => edgesOf(new Float64Array(count).fill(row));
  return {
    box: { width, height: Math.min(extent, most), near, far: width - near, row, extent },
    edges: { row: same(nRows), column: same(nColumns) },
  };
}

/**
 * Two lines of text.
 * @param {ArrayLike<number>} rows how wide their texts are @param {ArrayLike<number>} columns
 * @param {number} width of the panel
 * @returns {{box: Box, edges: Edges}}
 */
export function placeAcross(rows, columns, width) {
  const sizes = [rows, columns].map((texts) =>
    Float64Array.from(texts, (text) => bound(text + 14, UNIT[0], UNIT[1])),
  );
  const longest = Math.max(...sizes.map((side) => side.reduce((sum, size) => sum + size, 0)));
  const stretch = bound(width / longest, 1, STRETCH); // a short line fills the room
  const [row, column] = sizes.map((side) => edgesOf(side.map((size) => size * stretch)));
  const extent = Math.floor(longest * stretch);
  return {
    box: {
      width: Math.min(width, extent),
      height: ACROSS_HEIGHT,
      near: LABEL_HEIGHT,
      far: ACROSS_HEIGHT - LABEL_HEIGHT,
      row: LABEL_HEIGHT,
      extent,
    },
    edges: { row, column },
  };
}

/** How much of the sides is in sight. @param {Places} places */
const lengthOf = ({ across, box }) => (across ? box.width : box.height);

/**
 * The tokens of a side in sight: the first, and one past the last.
 * @param {Places} places @param {boolean} isRow
 */
export const tokensInSight = (places, isRow) =>
  touching(isRow ? places.edges.row : places.edges.column, places.at, places.at + lengthOf(places));

/** @param {Places} places */
export function rowsInSight(places) {
  const [first, end] = tokensInSight(places, true);
  return end > first ? range(first, end - 1) : [];
}

/**
 * The side and the place along it, scrolled or not, of a spot on the stage.
 * @param {Places} places @param {number} x @param {number} y
 * @returns {{side: "row" | "column", along: number} | null} null between the sides
 */
export function spotAt({ box, at, across, rtl }, x, y) {
  const along = (across ? (rtl ? box.width - x : x) : y) + at;
  const between = across ? y : x;
  if (between < box.near + SLACK) return { side: "row", along };
  return between > box.far - SLACK ? { side: "column", along } : null;
}

/**
 * How far to scroll so that a token is in sight.
 * @param {Places} places @param {number} i
 * @returns {number | null} null if it is
 */
export function scrollTo(places, i) {
  const { edges, at } = places;
  const [from, to] = [edges.row[i] ?? edges.column[i], edges.row[i + 1] ?? edges.column[i + 1]];
  if (from >= at && to <= at + lengthOf(places)) return null;
  return Math.max(0, from - lengthOf(places) / 2);
}

/**
 * The middle of a token along its side, from the stage's edge.
 * @param {Places} places @param {number} i @param {boolean} isRow
 * @param {boolean} stays at the edge when it is scrolled out of sight
 */
export function middleOf(places, i, isRow, stays) {
  const { box, edges, at, across, rtl } = places;
  const own = isRow ? edges.row : edges.column;
  const half = (own[i + 1] - own[i]) / 2;
  let middle = own[i] + half - at;
  if (stays) middle = bound(middle, half, lengthOf(places) - half);
  return rtl && across ? box.width - middle : middle;
}

/**
 * Where a token lies on the stage.
 * @param {Places} places @param {boolean} isRow @param {number} size along its side
 * @param {number} middle
 */
export const tokenBox = ({ box, across }, isRow, size, middle) =>
  across
    ? { x: middle - size / 2, y: isRow ? 0 : box.far, width: size, height: box.row }
    : { x: isRow ? 0 : box.far, y: middle - size / 2, width: box.near, height: size };

/**
 * A step with the arrow keys: along a side, or over to the other one; with Shift a group grows.
 * @param {Walker} walker @param {import("./words.js").Focus} focus
 * @param {{along: number, other: number, shift: boolean}} step @param {Edges} edges
 * @returns {{walker: Walker, next: number, units: number[]}} the token that is reached, and all
 *   that are pointed at
 */
export function walked(walker, focus, { along, other, shift }, edges) {
  const side = other ? (other < 0 ? "row" : "column") : walker.side;
  const n = edges[side].length - 1;
  const now = side === "row" ? focus.rows : focus.columns;
  const last = walker.anchor === now[0] ? now[now.length - 1] : now[0];
  const next = now.length ? bound((last ?? 0) + along, 0, n - 1) : 0;
  const anchor = shift ? walker.anchor : next;
  return { walker: { side, anchor }, next, units: shift ? range(anchor, next) : [next] };
}
