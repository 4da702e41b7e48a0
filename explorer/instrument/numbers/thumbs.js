// The small pictures of heads: whole ones, and what is pinned alone.

import { answerOf } from "./answers.js";
import { remember } from "./basics.js";
import { headWeights, thumbWeights } from "./data.js";
import { reachOf } from "./masks.js";
import { fullColour, leastFull } from "./model.js";
import { pictureOf } from "./scene.js";

/**
 * @typedef {import("./data.js").Trace} Trace
 * @typedef {import("./scene.js").Thumb} Thumb
 * @typedef {import("./scene.js").Wish} Wish
 * @typedef {import("./model.js").Unit} Unit
 * @typedef {import("./view.js").View} View
 */

const EXACT_THUMBS = 64; // up to so many tokens, loaded heads get thumbnails of the shown picture

/** One blank dot, for a head of which nothing is here. @returns {Thumb} */
export const blank = () => ({
  ...{ weights: new Float32Array(1), nRows: 1, nColumns: 1, tops: Float32Array.of(1) },
});

/**
 * @param {Trace} trace @param {Wish} wish @param {number} layer @param {number} head
 * @param {number} strongest the pair's largest weight in any head
 * @returns {Thumb}
 */
function pinnedThumb(trace, wish, layer, head, strongest) {
  const weights = answerOf(trace, wish, layer, head);
  if (!weights) return blank();
  const [nRows, nColumns] = wish.mean ? [1, weights.length] : [weights.length, 1];
  // A pair is painted against the strongest head, a strip against its own strongest ordinary token.
  const pair = wish.mean && wish.together;
  const ordinary = weights.filter((_, i) => !wish.special[i]);
  const most = ordinary.reduce((a, b) => Math.max(a, b), 0);
  const top = pair ? strongest || 1 : Math.max(most, leastFull(trace.head.key_tokens.length));
  return { weights, nRows, nColumns, tops: new Float32Array(nRows).fill(top) };
}

/**
 * A head's small picture.
 * @param {Trace} trace @param {View} view @param {Wish | null} wish
 * @param {number} layer @param {number} head
 * @param {number} strongest the pinned pair's largest weight in any head
 * @returns {Thumb}
 */
export function thumbOf(trace, view, wish, layer, head, strongest) {
  return wish && view.grid === "pinned"
    ? pinnedThumb(trace, wish, layer, head, strongest)
    : wholeThumb(trace, view, layer, head);
}

/** Whether the small pictures are those of the weights that are here. @param {Trace} trace */
export const areThumbsExact = ({ head }) =>
  Math.max(head.query_tokens.length, head.key_tokens.length) <= EXACT_THUMBS;

/**
 * @param {Trace} trace @param {View} view @param {number} layer @param {number} head
 * @returns {Thumb}
 */
export function wholeThumb(trace, view, layer, head) {
  const weights = areThumbsExact(trace) ? headWeights(trace, layer, head) : null;
  const mask = trace.masks.get(layer);
  if (weights) {
    const picture = pictureOf(trace, view, weights);
    const tops = fullColour(picture, view.scale);
    return {
      weights: picture.weights,
      nRows: picture.rows.length,
      nColumns: picture.columns.length,
      tops,
      reach: reachOf(mask, picture.rows, picture.columns),
    };
  }
  const [nRows, nColumns] = trace.head.thumb;
  const ordinary = thumbWeights(trace, layer, head, true);
  const every = thumbWeights(trace, layer, head, false);
  if (!ordinary || !every) return blank();
  const unit = (/** @type {number} */ count) =>
    Array.from({ length: count }, () => ({ text: "", tokens: [], special: false, segment: 0 }));
  const tops = fullColour(
    { weights: ordinary, rows: unit(nRows), columns: unit(nColumns) },
    view.scale,
    { parts: trace.head.key_tokens.length }, // a dot is the largest single weight of its cells
  );
  return {
    weights: view.specials === "shown" ? every : ordinary,
    nRows,
    nColumns,
    tops,
    reach: reachInDots(mask, trace.head),
  };
}

/** @type {WeakMap<Trace["head"], {rows: Unit[], columns: Unit[]}>} */
const known = new WeakMap();

/**
 * How far the rows of a small picture may look, whose dots are stretches of tokens.
 * @param {Int32Array | undefined} mask @param {Trace["head"]} head
 */
function reachInDots(mask, head) {
  const { rows, columns } = remember(known, head, () => ({
    rows: stretches(head.query_tokens.length, head.thumb[0]),
    columns: stretches(head.key_tokens.length, head.thumb[1]),
  }));
  return reachOf(mask, rows, columns);
}

/** @param {number} n tokens @param {number} count of stretches @returns {Unit[]} */
const stretches = (n, count) =>
  Array.from({ length: count }, (_, i) => {
    const [from, to] = [i, i + 1].map((at) => Math.floor((at * n) / count));
    const tokens = Array.from({ length: Math.max(1, to - from) }, (_, t) => from + t);
    return { text: "", tokens, special: false, segment: 0 };
  });
