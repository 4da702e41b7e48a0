// One head of a long text: its rows, columns and numbers between units, made of q and k when they
// are asked for, as all of its weights together would not fit into a browser.

import { remember } from "./basics.js";
import { columnsOfHead, rowsOfHead } from "./scores.js";

/**
 * @typedef {import("./data.js").Head} Head
 * @typedef {import("./layout.js").Layout} Layout
 * @typedef {{given: (rows: number[]) => Float32Array, got: (columns: number[]) => Float32Array | null,
 *            nowhere: (rows: number[]) => number}} LongHead
 *   given: where rows look, on average; got: how much each row looks at columns together, null
 *   while the sums of all rows are on their way; nowhere: what rows give to no token
 */

const KEPT = 48; // rows
const KEPT_SETS = 4; // of several rows, or columns
const NONE = new Float32Array();

/** All weights of some queries, `[query, key]`. @param {Head} head @param {number[]} queries @param {number} nKeys */
function rowsOf(head, queries, nKeys) {
  if ("scores" in head) return rowsOfHead(head.scores, 0, queries);
  const out = new Float32Array(queries.length * nKeys);
  queries.forEach((query, r) => {
    out.set(head.weights.subarray(query * nKeys, (query + 1) * nKeys), r * nKeys);
  });
  return out;
}

/** The weights of all queries on some keys, `[query, key]`. @param {Head} head @param {number[]} keys @param {number} nKeys */
function columnsOf(head, keys, nKeys) {
  if ("scores" in head) return columnsOfHead(head.scores, 0, keys);
  const n = head.weights.length / nKeys;
  const out = new Float32Array(n * keys.length);
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < keys.length; c++)
      out[i * keys.length + c] = head.weights[i * nKeys + keys[c]];
  }
  return out;
}

/**
 * @param {Head} head @param {Layout} layout @param {number} nKeys
 * @param {boolean} rescaled whether rows are divided by what they give to ordinary keys
 * @param {Float32Array | null} ordinary how much that is, by query; null while it is not here
 * @returns {LongHead}
 */
export function longHead(head, layout, nKeys, rescaled, ordinary) {
  /** @type {Map<number, Float32Array>} */
  const kept = new Map(); // made longest ago first
  const row = (/** @type {number} */ unit) => {
    if (kept.size > KEPT) kept.delete(/** @type {number} */ (kept.keys().next().value));
    return remember(kept, unit, () => rowOfUnit(head, layout, nKeys, unit, rescaled));
  };
  return {
    given: lately((rows) => (rows.length === 1 ? row(rows[0]) : meanOf(rows.map(row)))),
    got: lately((columns) =>
      "scores" in head && !head.scores.logs
        ? null
        : gotBy(head, layout, nKeys, columns, rescaled ? (ordinary ?? NONE) : null),
    ),
    nowhere: (rows) => {
      const shares = rows.map((unit) => missing(head, layout.rows[unit].tokens, nKeys));
      return shares.reduce((sum, share) => sum + share, 0) / shares.length;
    },
  };
}

/**
 * The same, with what was made last: what is pinned is asked for again whenever a hand goes.
 * @template T @param {(units: number[]) => T} make
 * @returns {(units: number[]) => T}
 */
function lately(make) {
  /** @type {Map<string, T>} */
  const made = new Map();
  return (units) => {
    const name = units.join();
    const found = made.has(name) ? /** @type {T} */ (made.get(name)) : make(units);
    made.delete(name);
    if (found !== null) made.set(name, found);
    if (made.size > KEPT_SETS) made.delete(/** @type {string} */ (made.keys().next().value));
    return found;
  };
}

/** @param {Head} head @param {Layout} layout @param {number} nKeys @param {number} unit @param {boolean} rescaled */
function rowOfUnit(head, { rows, columns }, nKeys, unit, rescaled) {
  const { tokens } = rows[unit];
  const weights = rowsOf(head, tokens, nKeys);
  const out = new Float64Array(columns.length);
  let sum = 0;
  columns.forEach((column, c) => {
    let cell = 0;
    for (let r = 0; r < tokens.length; r++) {
      for (const key of column.tokens) cell += weights[r * nKeys + key];
    }
    out[c] = cell;
    sum += cell;
  });
  const whole = rescaled ? sum || 1 : tokens.length;
  return Float32Array.from(out, (cell) => cell / whole);
}

/** @param {Float32Array[]} rows */
function meanOf(rows) {
  const out = new Float64Array(rows[0].length);
  for (const row of rows) for (let c = 0; c < out.length; c++) out[c] += row[c];
  return Float32Array.from(out, (sum) => sum / rows.length);
}

/**
 * @param {Head} head @param {Layout} layout @param {number} nKeys @param {number[]} chosen
 * @param {Float32Array | null} ordinary
 */
function gotBy(head, { rows, columns }, nKeys, chosen, ordinary) {
  const keys = chosen.flatMap((column) => columns[column].tokens);
  const weights = columnsOf(head, keys, nKeys);
  return Float32Array.from(rows, ({ tokens }) => {
    let [sum, whole] = [0, 0];
    for (const query of tokens) {
      for (let c = 0; c < keys.length; c++) sum += weights[query * keys.length + c];
      whole += ordinary ? (ordinary[query] ?? 0) : 1;
    }
    return whole > 0 ? sum / whole : 0;
  });
}

/** The share of some queries' attention that goes to no token. @param {Head} head @param {number[]} queries @param {number} nKeys */
function missing(head, queries, nKeys) {
  const held = rowsOf(head, queries, nKeys).reduce((sum, weight) => sum + weight, 0);
  return Math.max(0, 1 - held / queries.length);
}
