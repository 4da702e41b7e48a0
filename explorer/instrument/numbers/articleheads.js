// What the Article says of one head: how widely its scores are spread, how far it looks, and what is
// left of it in a window, of its largest weights, and of few singular values.

import { weightsOf } from "./article.js";
import { wordsIn } from "./articleasked.js";
import { softmax } from "./articlelayer.js";
import { remember } from "./basics.js";

/** @typedef {import("./data.js").Token} Token */

/** @param {Float32Array} weights `[query, key]` @param {number} n @param {number} i */
const rowOf = (weights, n, i) => weights.subarray(i * n, (i + 1) * n);

/** Bits of a row. @param {ArrayLike<number>} row */
export function entropyOf(row) {
  let bits = 0;
  for (let j = 0; j < row.length; j++) if (row[j] > 0) bits -= row[j] * Math.log2(row[j]);
  return bits;
}

/** Standard deviation. @param {number[]} values */
function spread(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/**
 * The scores of one query but for a number that is the same for all its keys, which softmax does not
 * see: the logarithms of its weights. Times √d_k they are what softmax would get undivided.
 * @param {Float32Array} weights `[query, key]` @param {number} n @param {number} i the query
 * @param {number} width d_k
 * @returns {{divided: number[], plain: number[], spread: [number, number],
 *            bits: [number, number]}} weights, then spreads and bits: divided, and not
 */
export function undivided(weights, n, i, width) {
  const divided = [...rowOf(weights, n, i)];
  const scores = divided.map((weight) => Math.log(Math.max(weight, 1e-38)));
  const plain = softmax(scores.map((score) => score * Math.sqrt(width)));
  const own = spread(scores);
  return {
    ...{ divided, plain, spread: [own, own * Math.sqrt(width)] },
    bits: [entropyOf(divided), entropyOf(plain)],
  };
}

/**
 * The same of a whole head: means over its queries.
 * @param {Float32Array} weights `[query, key]` @param {number} n @param {number} width
 */
export function undividedHead(weights, n, width) {
  const rows = Array.from({ length: n }, (_, i) => undivided(weights, n, i, width));
  const mean = (/** @type {(row: ReturnType<typeof undivided>) => number} */ of) =>
    rows.reduce((sum, row) => sum + of(row), 0) / n;
  return {
    spread: [mean(({ spread: [a] }) => a), mean(({ spread: [, b] }) => b)],
    bits: [mean(({ bits: [a] }) => a), mean(({ bits: [, b] }) => b)],
  };
}

/**
 * The strongest weight between words that are at least so far apart; what is a piece of a word, or
 * only punctuation, is none.
 * @param {Float32Array} weights `[query, key]` @param {Token[]} tokens @param {number} least
 * @param {string | null} [unknown] what is written for what the model does not know
 * @returns {{query: number, key: number, weight: number} | null} null where there is no such pair
 */
export function farthest(weights, tokens, least, unknown = null) {
  const n = tokens.length;
  const words = wordsIn(tokens, unknown).flatMap(({ places }) => (places[1] ? [] : places));
  let found = null;
  for (const i of words)
    for (const j of words) {
      if (Math.abs(i - j) < least) continue;
      const weight = weights[i * n + j];
      if (!found || weight > found.weight) found = { query: i, key: j, weight };
    }
  return found;
}

/** How far a head looks on average, in tokens. @param {Float32Array} weights @param {number} n */
export function meanDistance(weights, n) {
  let [sum, all] = [0, 0];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      sum += weights[i * n + j] * Math.abs(i - j);
      all += weights[i * n + j];
    }
  return all ? sum / all : 0;
}

/**
 * What is left in a window, by its reach from 0 to n − 1, as `analysis/survival.py` finds it.
 * @param {Float32Array} weights @param {number} n
 */
export function windowKept(weights, n) {
  const at = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) at[Math.abs(i - j)] += weights[i * n + j];
  return shares(at);
}

/** What the largest of each row hold, by how many from 1 to n. @param {Float32Array} weights @param {number} n */
export function largestKept(weights, n) {
  const at = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const row = Float32Array.from(rowOf(weights, n, i)).sort();
    for (let j = 0; j < n; j++) at[j] += row[n - 1 - j];
  }
  return shares(at);
}

/** What has come so far, over all that comes. @param {Float64Array} parts */
function shares(parts) {
  const all = parts.reduce((sum, part) => sum + part, 0);
  let sum = 0;
  return [...parts].map((part) => {
    sum += part;
    return all > 0 ? sum / all : 1;
  });
}

/** What the largest singular values hold of Σσ², by how many from 1 to n. @param {Float32Array} weights @param {number} n */
export function rankKept(weights, n) {
  const squares = eigenvalues(products(weights, n), n).map((value) => Math.max(value, 0));
  return shares(Float64Array.from(squares).sort().reverse());
}

/** AᵀA. @param {Float32Array} a @param {number} n */
function products(a, n) {
  const found = new Float64Array(n * n);
  for (let r = 0; r < n; r++)
    for (let i = 0; i < n; i++) {
      const value = a[r * n + i];
      for (let j = 0; j < n; j++) found[i * n + j] += value * a[r * n + j];
    }
  return found;
}

/**
 * The eigenvalues of a symmetric matrix that has none below 0, in some order: it is brought to three
 * diagonals (Householder 1958), and each is closed in by counting how many are smaller (Sturm).
 * @param {Float64Array} a it is overwritten @param {number} n
 */
function eigenvalues(a, n) {
  const beside = new Float64Array(n); // the number to the left of each diagonal one
  for (let k = 0; k + 1 < n; k++) beside[k + 1] = fold(a, n, k);
  const all = Float64Array.from({ length: n }, (_, i) => a[i * n + i]);
  const most = all.reduce((sum, value) => sum + value, 0);
  return Array.from({ length: n }, (_, i) => {
    let [low, high] = [0, most];
    for (let step = 0; step < 52; step++) {
      const middle = (low + high) / 2;
      if (countBelow(all, beside, middle) > i) high = middle;
      else low = middle;
    }
    return (low + high) / 2;
  });
}

/** Make a column 0 but for the first below the diagonal, which is given. @param {Float64Array} a @param {number} n @param {number} k */
function fold(a, n, k) {
  const first = a[(k + 1) * n + k];
  const v = Float64Array.from({ length: n }, (_, i) => (i > k ? a[i * n + k] : 0));
  const length = Math.hypot(...v);
  const left = first > 0 ? -length : length;
  v[k + 1] -= left;
  const size = v.reduce((sum, value) => sum + value * value, 0);
  if (size === 0) return first;
  const w = new Float64Array(n);
  for (let i = k + 1; i < n; i++) {
    for (let j = k + 1; j < n; j++) w[i] += a[i * n + j] * v[j];
    w[i] *= 2 / size;
  }
  const share = v.reduce((sum, value, i) => sum + value * w[i], 0) / size;
  for (let i = k + 1; i < n; i++) w[i] -= share * v[i];
  for (let i = k + 1; i < n; i++)
    for (let j = k + 1; j < n; j++) a[i * n + j] -= v[i] * w[j] + w[i] * v[j];
  return left;
}

/** How many eigenvalues are below a number. @param {Float64Array} all the diagonal @param {Float64Array} beside @param {number} x */
function countBelow(all, beside, x) {
  let [count, pivot] = [0, 1];
  for (let i = 0; i < all.length; i++) {
    pivot = all[i] - x - (i ? beside[i] ** 2 / pivot : 0) || 1e-300;
    if (pivot < 0) count++;
  }
  return count;
}

/** @type {WeakMap<object, Map<string, any>>} */
const found = new WeakMap();

/**
 * What is found of a head once, while its trace is there.
 * @template T @param {import("./article.js").ArticleState} state @param {string} what
 * @param {(weights: Float32Array, n: number) => T} make
 * @returns {T}
 */
export function ofHead(state, what, make) {
  const { trace } = state.article;
  const known = remember(found, trace, () => new Map());
  const name = `${what} ${state.view.layer}.${state.view.head}`;
  return remember(known, name, () => make(weightsOf(state), trace.head.key_tokens.length));
}
