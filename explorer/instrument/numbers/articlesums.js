// The formula on one head of the lesson's text: softmax(QKᵀ / √d_k) V, each step of it as numbers.

import { entropyOf } from "./articleheads.js";
import { indexOf } from "./data.js";

/**
 * @typedef {import("./article.js").Article} Article
 * @typedef {{n: number, width: number, products: Float64Array, scores: Float64Array,
 *            weights: Float64Array, out: Float64Array, v: Float32Array}} Sums
 *   n: tokens; width: d_k; products, scores, weights: `[query, key]`; out: `[query, width]`;
 *   v: `[key, width]`
 * @typedef {{shape: number[], data: Float32Array}} Numbers
 */

/** A head's part of numbers `[layer, head, token, width]`. @param {Numbers} all @param {number} layer its place @param {number} head */
export function ofHead({ shape, data }, layer, head) {
  const size = shape[2] * shape[3];
  const at = (layer * shape[1] + head) * size;
  return data.subarray(at, at + size);
}

/** A layer's part of numbers `[layer, token, width]`. @param {Numbers} all @param {number} layer its place */
export function ofLayer({ shape, data }, layer) {
  const size = shape[1] * shape[2];
  return data.subarray(layer * size, (layer + 1) * size);
}

/** Every query with every key, `[query, key]`. @param {Float32Array} q @param {Float32Array} k @param {number} n @param {number} width */
function multiplied(q, k, n, width) {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let c = 0; c < width; c++) sum += q[i * width + c] * k[j * width + c];
      out[i * n + j] = sum;
    }
  return out;
}

/** @param {Float64Array} scores `[query, key]` @param {number} n */
export function softmaxed(scores, n) {
  const out = new Float64Array(scores.length);
  for (let start = 0; start < scores.length; start += n) {
    const row = scores.subarray(start, start + n);
    const top = Math.max(...row);
    const powers = row.map((score) => Math.exp(score - top));
    const total = powers.reduce((sum, power) => sum + power, 0);
    for (let j = 0; j < n; j++) out[start + j] = powers[j] / total;
  }
  return out;
}

/** The mean of the values that each query takes. @param {Float64Array} weights @param {Float32Array} v @param {number} n @param {number} width */
function mixed(weights, v, n, width) {
  const out = new Float64Array(n * width);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let c = 0; c < width; c++) out[i * width + c] += weights[i * n + j] * v[j * width + c];
  return out;
}

/** @param {{q: Numbers, k: Numbers, v: Numbers}} arrays @param {number} layer its place @param {number} head @returns {Sums} */
export function sumsOf({ q, k, v }, layer, head) {
  const [n, width] = q.shape.slice(2);
  const products = multiplied(ofHead(q, layer, head), ofHead(k, layer, head), n, width);
  const scores = products.map((product) => product / Math.sqrt(width));
  const weights = softmaxed(scores, n);
  const values = ofHead(v, layer, head);
  return { n, width, products, scores, weights, out: mixed(weights, values, n, width), v: values };
}

/** @type {WeakMap<object, Map<string, Sums>>} by the numbers that they are of */
const made = new WeakMap();

/** The same, kept: a hover asks for it in every frame. @param {any} arrays @param {number} layer its place @param {number} head @returns {Sums} */
export function keptSums(arrays, layer, head) {
  const known = made.get(arrays) ?? new Map();
  made.set(arrays, known);
  const name = `${layer} ${head}`;
  const found = known.get(name) ?? sumsOf(arrays, layer, head);
  known.set(name, found);
  return found;
}

/**
 * The head that is looked at, step by step; null while its numbers are not here.
 * @param {import("./article.js").ArticleState} state
 */
export function sumsNow({ article, view }) {
  const arrays = article.facts.layers?.arrays;
  if (!arrays) return null;
  return keptSums(arrays, indexOf(article.trace.head, view.layer), view.head);
}

/** How spread and how sharp a map is: the means over its rows. @param {ArrayLike<number>} weights `[query, key]` @param {number} n keys */
export function spreadOf(weights, n) {
  const rows = weights.length / n;
  let [bits, largest] = [0, 0];
  for (let start = 0; start < weights.length; start += n) {
    const row = Array.prototype.slice.call(weights, start, start + n);
    bits += entropyOf(row) / rows;
    largest += Math.max(...row) / rows;
  }
  return { bits, largest };
}

/** How far two maps are apart at most. @param {ArrayLike<number>} one @param {ArrayLike<number>} other */
export function mostApart(one, other) {
  let most = 0;
  for (let i = 0; i < one.length; i++) most = Math.max(most, Math.abs(one[i] - other[i]));
  return most;
}
