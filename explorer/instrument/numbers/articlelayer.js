// A layer small enough for a browser: words in, vectors out, so that their order can be changed.

/**
 * @typedef {{weight: number[][], bias: number[]}} LinearMap
 * @typedef {{words: string[], n_heads: number, x: number[][], positions: number[][],
 *            maps: Record<"W_Q" | "W_K" | "W_V" | "o", LinearMap>, moved: number[],
 *            answers: {without: number[][], with: number[][]}}} SmallLayer
 *   moved: an order of the words; answers: what torch gives for it
 */

/** X·Wᵀ + b, row by row. @param {number[][]} x @param {LinearMap} map */
export const linear = (x, { weight, bias }) =>
  x.map((row) => weight.map((line, i) => dot(row, line) + bias[i]));

/** @param {number[]} a @param {number[]} b */
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

/** Softmax of a row. @param {number[]} scores */
export function softmax(scores) {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** What comes out, a row for each that goes in. @param {SmallLayer} layer @param {number[][]} x */
export function answerOf({ maps, n_heads: nHeads }, x) {
  const [q, k, v] = [linear(x, maps.W_Q), linear(x, maps.W_K), linear(x, maps.W_V)];
  const width = q[0].length / nHeads;
  const joined = x.map((_, i) => {
    /** @type {number[]} */
    const row = [];
    for (let head = 0; head < nHeads; head++) {
      const own = (/** @type {number[]} */ line) => line.slice(head * width, (head + 1) * width);
      const weights = softmax(k.map((key) => dot(own(q[i]), own(key)) / Math.sqrt(width)));
      for (let c = head * width; c < (head + 1) * width; c++)
        row.push(weights.reduce((sum, weight, j) => sum + weight * v[j][c], 0));
    }
    return row;
  });
  return linear(joined, maps.o);
}

/**
 * What each word's output is in an order of the words, and how far it is from where they stood first.
 * @param {SmallLayer} layer @param {number[]} order the word at each place @param {boolean} placed
 *   whether positions are added
 * @returns {{rows: number[][], off: number[]}} both by place
 */
export function moveWords(layer, order, placed) {
  const read = (/** @type {number[]} */ words) =>
    words.map((word, place) =>
      layer.x[word].map((value, c) => value + (placed ? layer.positions[place][c] : 0)),
    );
  const before = answerOf(layer, read(layer.words.map((_, i) => i)));
  const rows = answerOf(layer, read(order));
  const off = rows.map((row, place) =>
    Math.max(...row.map((value, c) => Math.abs(value - before[order[place]][c]))),
  );
  return { rows, off };
}

/** An order with two places changed. @param {number[]} order @param {number} one @param {number} other */
export function swapped(order, one, other) {
  const next = [...order];
  [next[one], next[other]] = [order[other], order[one]];
  return next;
}
