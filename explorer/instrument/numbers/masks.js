// Where a map's rows may look: keys that a mask leaves out are told from those that get next to
// nothing.

import { remember } from "./basics.js";

/**
 * @typedef {import("./model.js").Unit} Unit
 * @typedef {{first: Int32Array, end: Int32Array}} Reach
 *   by row: the first column that it may look at, and one past the last
 * @typedef {{top: number, bottom: number, left: number, right: number}} Area rows and columns
 */

/** @type {WeakMap<Int32Array, WeakMap<Unit[], Reach | null>>} */
const known = new WeakMap();

/**
 * How far each row may look. A unit may be looked at if any of its tokens may by any of the row's.
 * @param {Int32Array | undefined} mask `[query, 2]`, undefined where all keys may be looked at
 * @param {Unit[]} rows @param {Unit[]} columns those of the same layout as the rows
 * @returns {Reach | null} null where every row may look at every column
 */
export function reachOf(mask, rows, columns) {
  if (!mask) return null;
  const own = remember(known, mask, () => new WeakMap());
  return remember(own, rows, () => reachIn(mask, rows, columns));
}

/** @param {Int32Array} mask @param {Unit[]} rows @param {Unit[]} columns */
function reachIn(mask, rows, columns) {
  const firsts = columns.map(({ tokens }) => tokens[0]);
  const lasts = columns.map(({ tokens }) => tokens[tokens.length - 1]);
  const [first, end] = [new Int32Array(rows.length), new Int32Array(rows.length)];
  rows.forEach(({ tokens }, r) => {
    let [from, to] = [Number.POSITIVE_INFINITY, 0];
    for (const query of tokens) {
      if (mask[2 * query] >= mask[2 * query + 1]) continue; // it may look at nothing
      from = Math.min(from, mask[2 * query]);
      to = Math.max(to, mask[2 * query + 1]);
    }
    end[r] = placeOf(firsts, to);
    first[r] = Math.min(placeOf(lasts, from), end[r]);
  });
  const all = first.every((at) => at === 0) && end.every((at) => at === columns.length);
  return all ? null : { first, end };
}

/** How many of some rising numbers are below another. @param {number[]} rising @param {number} number */
function placeOf(rising, number) {
  let [low, high] = [0, rising.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rising[middle] < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * What a mask leaves out of what is in sight: before and behind what a row may look at. Rows that
 * share a dot of the screen are one, as far as none of them may look there.
 * @param {Reach} reach @param {Area} sight @param {number} [step] rows that are one
 * @returns {Area[]}
 */
export function maskedIn({ first, end }, { top, bottom, left, right }, step = 1) {
  /** @type {Area[]} */
  const areas = [];
  for (let r = top; r < bottom; r += step) {
    const last = Math.min(r + step, bottom);
    let [from, to] = [right, left];
    for (let i = r; i < last; i++) {
      if (first[i] >= end[i]) continue; // it may look at nothing
      from = Math.min(from, first[i]);
      to = Math.max(to, end[i]);
    }
    const row = { top: r, bottom: last };
    if (from > left) areas.push({ ...row, left, right: Math.min(from, right) });
    if (to < right && from < right) areas.push({ ...row, left: Math.max(left, to), right });
  }
  return areas;
}
