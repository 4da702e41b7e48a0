// From q and k to weights, as `FromScores` of the Python side, in double precision.

/**
 * @typedef {{logs: Float64Array, q: Float32Array, k: Float32Array, allowed: Int32Array | null,
 *            offsets: Float32Array | null, sinks: Float32Array | null,
 *            heads: number, keyHeads: number, queries: number, keys: number, width: number,
 *            scale: number, cap: number | null}} Scores
 *   logs: the log-sum-exp of each row, `[head, query]`; q: `[head, query, width]`; k:
 *   `[key head, key, width]`; allowed: `[query, 2]`, the first key that a query may look at and one
 *   past the last; offsets: `[head, queries + keys − 1]`, added at key − query + queries − 1;
 *   sinks: `[head]`, one more score in every row that no key stands for; cap: what bends scores
 */

/**
 * A dot product of q and k.
 * @param {Float32Array} q @param {number} i where it begins in q
 * @param {Float32Array} k @param {number} j where it begins in k @param {number} width
 */
function product(q, i, k, j, width) {
  let [even, odd] = [0, 0]; // two sums at once are nearly twice as fast as one
  const end = width - 3;
  let c = 0;
  for (; c < end; c += 4) {
    even += q[i + c] * k[j + c] + q[i + c + 2] * k[j + c + 2];
    odd += q[i + c + 1] * k[j + c + 1] + q[i + c + 3] * k[j + c + 3];
  }
  for (; c < width; c++) even += q[i + c] * k[j + c];
  return even + odd;
}

/**
 * All weights of a head, `[query, key]`. A row is exp(score − log-sum-exp) over its own sum, which
 * is 1 but for the rounding of that logarithm.
 * @param {Scores} scores @param {number} head
 */
export function weightsOfHead(scores, head) {
  const { q, k, queries, keys, width, logs, allowed, offsets, scale, cap } = scores;
  const out = new Float32Array(queries * keys);
  const line = new Float64Array(keys);
  const from = Math.floor((head * scores.keyHeads) / scores.heads) * keys * width;
  for (let i = 0; i < queries; i++) {
    const log = logs[head * queries + i];
    const at = (head * queries + i) * width;
    const shift = head * (queries + keys - 1) + queries - 1 - i;
    const [first, last] = allowed ? [allowed[2 * i], allowed[2 * i + 1]] : [0, keys];
    let total = scores.sinks ? Math.exp(scores.sinks[head] - log) : 0;
    for (let j = first; j < last; j++) {
      let score = scale * product(q, at, k, from + j * width, width);
      if (cap !== null) score = cap * Math.tanh(score / cap);
      if (offsets) score += offsets[shift + j];
      line[j] = Math.exp(score - log);
      total += line[j];
    }
    for (let j = first; j < last; j++) out[i * keys + j] = line[j] / total;
  }
  return out;
}
