// One head's arithmetic, number by number: the same sums as the model's, in double precision, from
// the model's own vectors. wire/layertrace.py writes what is read here.

import { read } from "../wire/container.js";

/**
 * @typedef {import("./data.js").Token} Token
 * @typedef {{title: string, passport: string, layer: number, numbers: number[], head: number,
 *            n_heads: number, beside: number[], d_model: number, d_k: number, d_v: number,
 *            d_out: number, causal: boolean, window: number | null, follows: boolean,
 *            normed: boolean, norm: string | null, head_norm: string | null,
 *            after: string | null, steps: ("norm" | "turn")[], pairs: [number, number][] | null,
 *            scale: number, cap: number | null, bias: "buckets" | "slope" | "given" | null,
 *            slope: number | null, sink: number | null, parts: string[], tokens: Token[]}} About
 *   numbers: the layers; beside: the heads that read the same keys; window: the most keys that a
 *   query sees, where some lie outside; follows: whether what comes first is what the layer before
 *   wrote; norm, head_norm, after: what kind of norm is before the maps, of queries and keys, and
 *   behind the output; pairs: the numbers that are turned together; slope: how
 *   much more is added with each position
 * @typedef {About & {keys: Token[], of: Record<string, Float32Array>}} LayerTrace keys: the tokens
 *   that are looked at; of: the arrays by name
 * @typedef {{offered: string[], changes: string[], other: [number, number], trouble: string}} WhatIf
 *   offered: what the server can change; changes: what is changed; other: d_model and heads of a
 *   layer of another size; trouble: why it cannot be shown
 * @typedef {{id: string, note: string, what_if: WhatIf, opening: Record<string, unknown> | null,
 *            usual: number, apart: boolean, about: import("../parts/about.js").About | null,
 *            texts: string[],
 *            link: Record<string, string> | null, traces: LayerTrace[], page: Uint8Array}} LayerTraces
 *   usual: the query where nobody has chosen one; apart: whether Explore tells what each score is
 *   made of; about: whose picture it is; page: a page that was
 *   asked for as a file; empty if none was
 * @typedef {{scale: boolean, temperature: number, causal: boolean}} Rules
 *   temperature: what the products are divided by besides √d_k
 * @typedef {{products: Float64Array, scaled: Float64Array, capped: Float64Array,
 *            scores: Float64Array, allowed: boolean[], exps: Float64Array, sunk: number,
 *            top: number, total: number, weights: Float64Array}} Row one query's way to its weights
 *   products: q · k; scaled, capped: on the way to the scores, which softmax is given; sunk: what a
 *   sink adds to the sum of the powers
 * @typedef {{terms: [number, number, number][], sum: number, rest: number}} Sum
 *   factor, factor, product; what is added at the end
 */

/** @param {Uint8Array} bytes @returns {LayerTraces} */
export function unpackLayerTraces(bytes) {
  const { head, blocks } = read(bytes);
  const arrays = blocks.filter((block) => block.name !== "page");
  const traces = head.traces.map((/** @type {any} */ about, /** @type {number} */ i) => {
    const own = arrays.filter(({ trace }) => trace === i).map((a) => [a.name, a.data]);
    const of = Object.fromEntries(own);
    if (of.norm_read) of.norm_gave = of.x; // what the norm gave is what the maps read
    return { ...about, keys: about.keys ?? about.tokens, of };
  });
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

/** Whether products are divided by √d_k, as the article has it. @param {LayerTrace} trace */
export const isByRoot = ({ scale, d_k: width }) => Math.abs(scale * Math.sqrt(width) - 1) < 1e-9;

/** Whether queries look at another text. @param {LayerTrace} trace */
export const isCross = ({ tokens, keys }) => keys !== tokens;

/**
 * What the products q · k are divided by.
 * @param {LayerTrace} trace @param {Rules} rules
 */
export const divisor = (trace, rules) =>
  (rules.scale ? (isByRoot(trace) ? Math.sqrt(trace.d_k) : 1 / trace.scale) : 1) *
  rules.temperature;

/** Whether the model lets a query look at a key. @param {LayerTrace} trace @param {number} i @param {number} j */
export const maySee = ({ of, keys, causal }, i, j) =>
  of.allowed ? of.allowed[i * keys.length + j] > 0 : !causal || j <= i;

/**
 * From one query to its attention weights: softmax(q Kᵀ / √d_k) (Vaswani et al. 2017), with what a
 * model does between: a cap that bends scores, what is added by the distance, a sink.
 * @param {LayerTrace} trace @param {number} i the query @param {Rules} rules
 * @returns {Row}
 */
export function rowFrom(trace, i, rules) {
  const { d_k: width, keys, cap, sink, of } = trace;
  const q = lineOf(of.q, i, width);
  const products = Float64Array.from(keys, (_, j) => dot(q, lineOf(of.k, j, width)));
  const scaled = products.map((product) => product / divisor(trace, rules));
  const capped = cap ? scaled.map((s) => cap * Math.tanh(s / cap)) : scaled;
  const bias = of.bias && lineOf(of.bias, i, keys.length);
  const scores = bias ? capped.map((s, j) => s + bias[j]) : capped;
  const allowed = keys.map((_, j) => maySee(trace, i, j) && (!rules.causal || j <= i));
  const most = scores.reduce((top, s, j) => (allowed[j] ? Math.max(top, s) : top), -Infinity);
  const top = Math.max(most, sink ?? -Infinity);
  const exps = scores.map((s, j) => (allowed[j] ? Math.exp(s - top) : 0));
  const sunk = sink === null ? 0 : Math.exp(sink - top);
  const total = exps.reduce((sum, e) => sum + e, sunk);
  const weights = exps.map((e) => e / (total || 1)); // a row without a key stays one of zeros
  return { products, scaled, capped, scores, allowed, exps, sunk, top, total, weights };
}

/**
 * The rows of all queries.
 * @param {LayerTrace} trace @param {Rules} rules
 */
export const allRows = (trace, rules) => trace.tokens.map((_, i) => rowFrom(trace, i, rules));

/**
 * What a query's weights make of the values, `[d_v]`.
 * @param {LayerTrace} trace @param {ArrayLike<number>} weights
 */
export function mixed(trace, weights) {
  const z = new Float64Array(trace.d_v);
  for (let j = 0; j < trace.keys.length; j++) {
    const v = lineOf(trace.of.v, j, trace.d_v);
    for (let c = 0; c < z.length; c++) z[c] += weights[j] * v[c];
  }
  return z;
}

/**
 * What a head adds to the output, `[d_out]`: z W_O of this head's columns.
 * @param {LayerTrace} trace @param {ArrayLike<number>} z
 */
export const added = (trace, z) =>
  Float64Array.from({ length: trace.d_out }, (_, c) => dot(z, lineOf(trace.of.w_o, c, trace.d_v)));

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

/**
 * How a norm of vectors makes one of its numbers: `gave = (read − mean) / scale · gain + shift`.
 * @param {LayerTrace} trace
 * @param {"norm" | "q_norm" | "k_norm" | "after"} name @param {number} i the token
 * @param {number} c the place
 */
export function normAt({ of }, name, i, c) {
  const width = of[`${name}_read`].length / of[`${name}_scale`].length;
  const at = i * width + c;
  return {
    read: of[`${name}_read`][at],
    gave: of[`${name}_gave`][at],
    scale: of[`${name}_scale`][i],
    gain: of[`${name}_gain`][c],
    shift: of[`${name}_shift`] ? of[`${name}_shift`][c] : null,
    mean: of[`${name}_mean`] ? of[`${name}_mean`][i] : null,
  };
}

/** What a norm at a place gives, by its own sum. @param {ReturnType<typeof normAt>} one */
export const normSum = ({ read, mean, scale, gain, shift }) =>
  ((read - (mean ?? 0)) / scale) * gain + (shift ?? 0);

/**
 * What queries, or keys, are before and behind each step that follows their map.
 * @param {LayerTrace} trace @param {"q" | "k"} side @param {"norm" | "turn"} step
 * @returns {[Float32Array, Float32Array]}
 */
export function around({ of, steps }, side, step) {
  const at = steps.indexOf(step);
  const norm = steps.indexOf("norm");
  const between = steps.length < 2 ? null : of[`${side}_norm_${norm ? "read" : "gave"}`];
  return [
    at ? /** @type {Float32Array} */ (between) : of[`${side}_mapped`],
    between && !at ? between : of[side],
  ];
}

/**
 * The pair of numbers that a place is turned with: which it is, its two places, whether it is the
 * second of them; null where it is not turned.
 * @param {LayerTrace} trace @param {number} c
 */
export function pairOf({ pairs }, c) {
  const at = pairs?.findIndex((pair) => pair.includes(c)) ?? -1;
  if (!pairs || at < 0) return null;
  return { at, places: pairs[at], second: pairs[at][1] === c };
}

/**
 * The angle by which a token's pair is turned, and how much longer that makes it.
 * @param {LayerTrace} trace @param {number} i the token @param {number} pair
 */
export function turnAt({ of, pairs }, i, pair) {
  const at = i * (pairs?.length ?? 0) + pair;
  const [cos, sin] = [of.cos[at], of.sin[at]];
  return { cos, sin, angle: Math.atan2(sin, cos), longer: Math.hypot(cos, sin) };
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
