// A tile of the picture of a long text: how some units that stand side by side look at some others,
// in the chosen heads. Made in a worker, from q and k; in the page where there is none.

import { remember } from "./basics.js";
import { tileOfHead } from "./scores.js";

/**
 * @typedef {{scores: import("./scores.js").Scores} | {weights: Float32Array}} Head
 *   scores: of this one head; weights: `[query, key]`
 * @typedef {{tokens: Int32Array, starts: Int32Array}} Pieces
 *   the tokens of some units, ascending; those of unit i stand from starts[i] to starts[i + 1]
 * @typedef {{rows: Pieces, columns: Pieces, nKeys: number, combine: "mean" | "max",
 *            rescaled: boolean}} About
 *   nKeys: all tokens that are looked at; rescaled: rows are divided by what the columns get
 * @typedef {About & {heads: Head[]}} Job what tiles are made of
 * @typedef {{row: number, column: number}} Place of a tile, counted in tiles
 * @typedef {{name: string, row: number, column: number,
 *            job: {about: About, heads: {name: string, head: Head | null}[]} | null}} Order
 *   name: of the job; job: with the first order of it; head: null where the worker has it
 * @typedef {Place & {name: string, tile: Float32Array}} Made
 */

export const TILE = 128; // units on a side
const LITTLE = 0.05; // of a row: what is left is then added up, as a difference would be rounding

/**
 * The tokens of units, as they travel.
 * @param {{tokens: number[]}[]} units
 * @returns {Pieces}
 */
export function piecesOf(units) {
  const starts = new Int32Array(units.length + 1);
  units.forEach((unit, i) => {
    starts[i + 1] = starts[i] + unit.tokens.length;
  });
  const tokens = new Int32Array(starts[units.length]);
  units.forEach((unit, i) => {
    tokens.set(unit.tokens, starts[i]);
  });
  return { tokens, starts };
}

/** The units of a tile: the first, and one past the last. @param {Pieces} pieces @param {number} at */
const endsOf = ({ starts }, at) => [at * TILE, Math.min((at + 1) * TILE, starts.length - 1)];

/**
 * Attention between units: keys add, queries average, as `arrange` does it; then the mean or the
 * maximum of the heads.
 * @param {Job} job @param {Place} place
 * @returns {Float32Array} `[row, column]`; at the picture's ends a tile is smaller
 */
export function tileOf(job, place) {
  const [first, ...others] = job.heads.map((head) => tileOfOne(job, head, place));
  for (const other of others) {
    for (let i = 0; i < first.length; i++) {
      first[i] = job.combine === "max" ? Math.max(first[i], other[i]) : first[i] + other[i];
    }
  }
  const share = job.combine === "mean" ? job.heads.length : 1;
  return Float32Array.from(first, (sum) => sum / share);
}

/** @param {Job} job @param {Head} head @param {Place} place */
function tileOfOne(job, head, place) {
  const { rows, columns } = job;
  const [top, bottom] = endsOf(rows, place.row);
  const [left, right] = endsOf(columns, place.column);
  const wide = right - left;
  const queries = rows.tokens.subarray(rows.starts[top], rows.starts[bottom]);
  const keys = columns.tokens.subarray(columns.starts[left], columns.starts[right]);
  const whole = job.rescaled ? ordinaryOf(job, head, queries) : null;
  const first = keys[0];
  const across = keys[keys.length - 1] + 1 - first;
  const cells = cellsOf(job, head, queries, first, first + across);
  const out = new Float64Array((bottom - top) * wide);
  for (let r = top, line = 0; r < bottom; r++) {
    const from = (r - top) * wide;
    let sum = 0;
    for (let q = rows.starts[r]; q < rows.starts[r + 1]; q++, line++) {
      sum += whole ? whole[line] : 1;
      for (let c = left; c < right; c++) {
        for (let k = columns.starts[c]; k < columns.starts[c + 1]; k++) {
          out[from + c - left] += cells[line * across + columns.tokens[k] - first];
        }
      }
    }
    for (let c = 0; c < wide; c++) out[from + c] /= sum || 1;
  }
  return out;
}

/**
 * The weights of some queries on neighbouring keys, `[query, key]`.
 * @param {Job} job @param {Head} head @param {ArrayLike<number>} queries
 * @param {number} first @param {number} last one past the last
 */
function cellsOf({ nKeys }, head, queries, first, last) {
  if ("scores" in head) return tileOfHead(head.scores, 0, queries, first, last);
  const out = new Float64Array(queries.length * (last - first));
  for (let r = 0; r < queries.length; r++) {
    const line = head.weights.subarray(queries[r] * nKeys + first, queries[r] * nKeys + last);
    out.set(line, r * (last - first));
  }
  return out;
}

/**
 * What was found of heads, under some columns.
 * @type {WeakMap<Pieces, WeakMap<Head, Map<number, number>>>}
 */
const found = new WeakMap();

/**
 * What each query gives to the tokens of the columns together: all that it does not give to the
 * others, or to the sink.
 * @param {Job} job @param {Head} head @param {Int32Array} queries
 */
function ordinaryOf(job, head, queries) {
  const known = remember(
    remember(found, job.columns, () => new WeakMap()),
    head,
    () => new Map(),
  );
  return Float64Array.from(queries, (query) =>
    remember(known, query, () => left(job, head, query)),
  );
}

/** @param {Job} job @param {Head} head @param {number} query */
function left(job, head, query) {
  const { columns, nKeys } = job;
  if ("scores" in head) {
    const { logs, sinks } = head.scores;
    let rest = 1 - (sinks && logs ? Math.exp(sinks[0] - logs[query]) : 0);
    for (const key of others(columns, nKeys)) rest -= cellsOf(job, head, [query], key, key + 1)[0];
    if (rest >= LITTLE) return rest;
  }
  const row = cellsOf(job, head, [query], 0, nKeys);
  return columns.tokens.reduce((sum, key) => sum + row[key], 0);
}

/** @type {WeakMap<Pieces, number[]>} */
const kept = new WeakMap();

/** The tokens that stand in no column. @param {Pieces} columns @param {number} nKeys */
const others = (columns, nKeys) =>
  remember(kept, columns, () => {
    const inside = new Uint8Array(nKeys);
    for (const key of columns.tokens) inside[key] = 1;
    return Array.from({ length: nKeys }, (_, key) => key).filter((key) => !inside[key]);
  });

/**
 * Whoever makes tiles to order: he keeps the heads of the last job.
 * @returns {(order: Order) => Made}
 */
export function createMaker() {
  /** @type {Map<string, Head>} */
  let heads = new Map();
  /** @type {Job | null} */
  let job = null;
  return ({ name, row, column, job: next }) => {
    if (next) {
      const here = next.heads.map(
        (own) => /** @type {const} */ ([own.name, own.head ?? heads.get(own.name)]),
      );
      heads = new Map(/** @type {[string, Head][]} */ (here));
      job = { ...next.about, heads: [...heads.values()] };
    }
    const tile = tileOf(/** @type {Job} */ (job), { row, column });
    return { name, row, column, tile };
  };
}
