// One head's arithmetic, number by number: the same sums as the model's, in double precision, from
// the model's own vectors. wire/layertrace.py writes what is read here.

import { read } from "../wire/container.js";

/**
 * @typedef {import("./data.js").Token} Token
 * @typedef {{title: string, passport: string, layer: number, head: number, n_layers: number, n_heads: number,
 *            d_model: number, d_k: number, causal: boolean, normed: boolean, parts: string[],
 *            tokens: Token[]}} About
 * @typedef {About & {of: Record<string, Float32Array>}} LayerTrace of: the arrays by name
 * @typedef {{offered: string[], changes: string[], other: [number, number], trouble: string}} WhatIf
 *   offered: what the server can change; changes: what is changed; other: d_model and heads of a
 *   layer of another size; trouble: why it cannot be shown
 * @typedef {{id: string, note: string, what_if: WhatIf, opening: Record<string, unknown> | null,
 *            usual: number, about: import("../parts/about.js").About | null, texts: string[],
 *            link: Record<string, string> | null, traces: LayerTrace[], page: Uint8Array}} LayerTraces
 *   usual: the query where nobody has chosen one; about: whose picture it is; page: a page that was
 *   asked for as a file; empty if none was
 * @typedef {{scale: boolean, temperature: number, causal: boolean}} Rules
 *   temperature: what the products are divided by besides √d_k
 * @typedef {{products: Float64Array, scores: Float64Array, allowed: boolean[], exps: Float64Array,
 *            top: number, total: number, weights: Float64Array}} Row one query's way to its weights
 *   products: q · k; scores: what softmax is given
 * @typedef {{terms: [number, number, number][], sum: number, rest: number}} Sum
 *   factor, factor, product; what is added at the end
 */

/** @param {Uint8Array} bytes @returns {LayerTraces} */
export function unpackLayerTraces(bytes) {
  const { head, blocks } = read(bytes);
  const arrays = blocks.filter((block) => block.name !== "page");
  const traces = head.traces.map((/** @type {About} */ about, /** @type {number} */ i) => ({
    ...about,
    of: Object.fromEntries(arrays.filter(({ trace }) => trace === i).map((a) => [a.name, a.data])),
  }));
  return { ...head, traces, page: blocks.find(({ name }) => name === "page")?.data };
}

/** The rules that the model itself keeps. @param {LayerTrace} trace @returns {Rules} */
export const ownRules = (trace) => ({ scale: true, temperature: 1, causal: trace.causal });

/** @param {Rules} one @param {Rules} other */
export const sameRules = (one, other) =>
  one.scale === other.scale && one.temperature === other.temperature && one.causal === other.causal;

/** A row of a matrix. @param {Float32Array} matrix @param {number} i @param {number} width */
export const lineOf = (matrix, i, width) => matrix.subarray(i * width, (i + 1) * width);

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
export function dot(a, b) {
  let sum = 0;
  for (let c = 0; c < a.length; c++) sum += a[c] * b[c];
  return sum;
}

/**
 * What the products q · k are divided by.
 * @param {LayerTrace} trace @param {Rules} rules
 */
export const divisor = (trace, rules) =>
  (rules.scale ? Math.sqrt(trace.d_k) : 1) * rules.temperature;

/**
 * From one query to its attention weights: softmax(q Kᵀ / √d_k) (Vaswani et al. 2017).
 * @param {LayerTrace} trace @param {number} i the query @param {Rules} rules
 * @returns {Row}
 */
export function rowFrom(trace, i, rules) {
  const { d_k: width, tokens } = trace;
  const q = lineOf(trace.of.q, i, width);
  const products = Float64Array.from(tokens, (_, j) => dot(q, lineOf(trace.of.k, j, width)));
  const scores = products.map((product) => product / divisor(trace, rules));
  const allowed = tokens.map((_, j) => !(rules.causal || trace.causal) || j <= i);
  const top = scores.reduce((most, s, j) => (allowed[j] ? Math.max(most, s) : most), -Infinity);
  const exps = scores.map((s, j) => (allowed[j] ? Math.exp(s - top) : 0));
  const total = exps.reduce((sum, e) => sum + e, 0);
  return { products, scores, allowed, exps, top, total, weights: exps.map((e) => e / total) };
}

/**
 * The rows of all queries.
 * @param {LayerTrace} trace @param {Rules} rules
 */
export const allRows = (trace, rules) => trace.tokens.map((_, i) => rowFrom(trace, i, rules));

/**
 * What a query's weights make of the values, `[d_k]`.
 * @param {LayerTrace} trace @param {ArrayLike<number>} weights
 */
export function mixed(trace, weights) {
  const z = new Float64Array(trace.d_k);
  for (let j = 0; j < trace.tokens.length; j++) {
    const v = lineOf(trace.of.v, j, trace.d_k);
    for (let c = 0; c < z.length; c++) z[c] += weights[j] * v[c];
  }
  return z;
}

/**
 * What a head adds to the output, `[d_model]`: z W_O of this head's columns.
 * @param {LayerTrace} trace @param {ArrayLike<number>} z
 */
export const added = (trace, z) =>
  Float64Array.from({ length: trace.d_model }, (_, c) =>
    dot(z, lineOf(trace.of.w_o, c, trace.d_k)),
  );

/**
 * A sum of products, term by term.
 * @param {ArrayLike<number>} a @param {ArrayLike<number>} b @param {number} [rest]
 * @returns {Sum}
 */
export function sumOf(a, b, rest = 0) {
  /** @type {[number, number, number][]} */
  const terms = Array.from({ length: a.length }, (_, c) => [a[c], b[c], a[c] * b[c]]);
  return { terms, rest, sum: rest + terms.reduce((sum, term) => sum + term[2], 0) };
}

/** Entropy in bits: how many equal choices, as a power of two. @param {ArrayLike<number>} weights */
export function bits(weights) {
  let sum = 0;
  for (let j = 0; j < weights.length; j++)
    if (weights[j] > 0) sum -= weights[j] * Math.log2(weights[j]);
  return sum;
}

/** Standard deviation. @param {ArrayLike<number>} values */
export function spreadOf(values) {
  const all = Array.from(values);
  const mean = all.reduce((sum, x) => sum + x, 0) / all.length;
  return Math.sqrt(all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / all.length);
}

/**
 * The likeness of every two rows of a matrix: the cosine of the angle between them, 1 for the same
 * direction; 0 for a row of nothing but zeros, which has none.
 * @param {Float32Array} matrix @param {number} width
 */
export function cosines(matrix, width) {
  const n = matrix.length / width;
  const rows = Array.from({ length: n }, (_, i) => lineOf(matrix, i, width));
  const long = rows.map(lengthOf);
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return dot(rows[i], rows[j]) / (long[i] * long[j] || 1);
  });
}

/** Where the number stands that is farthest from zero. @param {ArrayLike<number>} values */
export function largestAt(values) {
  let most = 0;
  for (let i = 1; i < values.length; i++)
    if (Math.abs(values[i]) > Math.abs(values[most])) most = i;
  return most;
}

/** Euclidean length. @param {ArrayLike<number>} values */
export const lengthOf = (values) => Math.sqrt(dot(values, values));

/** The largest difference of two lists. @param {ArrayLike<number>} one @param {ArrayLike<number>} other */
export function farthest(one, other) {
  let most = 0;
  for (let i = 0; i < one.length; i++) most = Math.max(most, Math.abs(one[i] - other[i]));
  return most;
}

/**
 * For each token of one trace its place in the other, which may read the same in another order.
 * @param {Token[]} tokens @param {Token[]} others
 * @returns {number[]} -1 where the other lacks it
 */
export function placesIn(tokens, others) {
  /** @type {Map<string, number[]>} */
  const places = new Map();
  const key = (/** @type {Token} */ t) => `${t.segment} ${t.span} ${t.text}`;
  for (let j = others.length - 1; j >= 0; j--) {
    const name = key(others[j]);
    const found = places.get(name);
    if (found) found.push(j);
    else places.set(name, [j]);
  }
  return tokens.map((token) => places.get(key(token))?.pop() ?? -1);
}
