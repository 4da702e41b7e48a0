// From q and k to weights, as `FromScores` of the Python side, in double precision.

/**
 * @typedef {{logs: Float64Array | null, q: Float32Array, k: Float32Array, allowed: Int32Array | null,
 *            offsets: Float32Array | null, sinks: Float32Array | null,
 *            heads: number, keyHeads: number, queries: number, keys: number, width: number,
 *            scale: number, cap: number | null}} Scores
 *   logs: the log-sum-exp of each row, `[head, query]`, null while it is added up: columns and tiles
 *   need it; q: `[head, query, width]`; k:
 *   `[key head, key, width]`; allowed: `[query, 2]`, the first key that a query may look at and one
 *   past the last; offsets: `[head, queries + keys − 1]`, added at key − query + queries − 1;
 *   sinks: `[head]`, one more score in every row that no key stands for; cap: what bends scores
 */

/**
 * The dot products of a query with some keys. Four at once: nearly three times as fast as one.
 * @param {Float64Array} line where they are written, by key @param {Float64Array} query
 * @param {Float32Array} k @param {number} at where the first of all keys begins
 * @param {number} first @param {number} last one past the last
 */
function multiply(line, query, k, at, first, last) {
  const width = query.length;
  let j = first;
  for (; j + 3 < last; j += 4) {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let i = 0, place = at + j * width; i < width; i++, place++) {
      a += query[i] * k[place];
      b += query[i] * k[place + width];
      c += query[i] * k[place + 2 * width];
      d += query[i] * k[place + 3 * width];
    }
    line[j] = a;
    line[j + 1] = b;
    line[j + 2] = c;
    line[j + 3] = d;
  }
  for (; j < last; j++) {
    line[j] = 0;
    for (let i = 0; i < width; i++) line[j] += query[i] * k[at + j * width + i];
  }
}

/**
 * The scores of a query with some keys.
 * @param {Scores} scores @param {number} head @param {number} i the query
 * @param {Float64Array} line where they are written, by key @param {Float64Array} query room for it
 * @param {number} first @param {number} last one past the last
 */
function scoreRow(scores, head, i, line, query, first, last) {
  const { q, k, heads, keyHeads, queries, keys, width, offsets, scale, cap } = scores;
  const row = head * queries + i;
  for (let c = 0; c < width; c++) query[c] = scale * q[row * width + c];
  multiply(line, query, k, Math.floor((head * keyHeads) / heads) * keys * width, first, last);
  if (cap !== null) for (let j = first; j < last; j++) line[j] = cap * Math.tanh(line[j] / cap);
  if (!offsets) return;
  const shift = head * (queries + keys - 1) + queries - 1 - i;
  for (let j = first; j < last; j++) line[j] += offsets[shift + j];
}

/** The first key that a query may look at, and one past the last. @param {Scores} scores @param {number} i */
const boundsOf = ({ allowed, keys }, i) =>
  allowed ? [allowed[2 * i], allowed[2 * i + 1]] : [0, keys];

/** The largest of some scores. @param {Float64Array} line @param {number} first @param {number} last */
function highest(line, first, last) {
  let top = Number.NEGATIVE_INFINITY;
  for (let j = first; j < last; j++) if (line[j] > top) top = line[j];
  return top;
}

/**
 * All weights of some queries, `[query, key]`; of every query if none is named. A row is
 * exp(score − log-sum-exp) over its own sum, which is 1 but for the rounding of that logarithm;
 * where that is not known yet the largest score does as well.
 * @param {Scores} scores @param {number} head @param {number[]} [some]
 */
export function rowsOfHead(scores, head, some) {
  const { queries, keys, width, logs, sinks } = scores;
  const count = some?.length ?? queries;
  const out = new Float32Array(count * keys);
  const [line, query] = [new Float64Array(keys), new Float64Array(width)];
  for (let r = 0; r < count; r++) {
    const i = some?.[r] ?? r;
    const [first, last] = boundsOf(scores, i);
    scoreRow(scores, head, i, line, query, first, last);
    const log = logs ? logs[head * queries + i] : highest(line, first, last);
    let total = sinks ? Math.exp(sinks[head] - log) : 0;
    for (let j = first; j < last; j++) {
      line[j] = Math.exp(line[j] - log);
      total += line[j];
    }
    for (let j = first; j < last; j++) out[r * keys + j] = line[j] / total;
  }
  return out;
}

/** @param {Scores} scores that are whole */
const sumsOf = ({ logs }) => /** @type {Float64Array} */ (logs);

/**
 * The weights of all queries on some keys, `[query, key]`, as exp(score − log-sum-exp).
 * @param {Scores} scores @param {number} head @param {number[]} some
 */
export function columnsOfHead(scores, head, some) {
  const { queries, keys, width } = scores;
  const logs = sumsOf(scores);
  const out = new Float32Array(queries * some.length);
  const [line, query] = [new Float64Array(keys), new Float64Array(width)];
  for (let i = 0; i < queries; i++) {
    const [first, last] = boundsOf(scores, i);
    for (let c = 0; c < some.length; c++) {
      const key = some[c];
      if (key < first || key >= last) continue;
      scoreRow(scores, head, i, line, query, key, key + 1);
      out[i * some.length + c] = Math.exp(line[key] - logs[head * queries + i]);
    }
  }
  return out;
}

/**
 * The weights of some queries on neighbouring keys, `[query, key]`, as exp(score − log-sum-exp).
 * @param {Scores} scores @param {number} head @param {ArrayLike<number>} some queries
 * @param {number} first the first key @param {number} last one past the last
 */
export function tileOfHead(scores, head, some, first, last) {
  const { queries, keys, width } = scores;
  const logs = sumsOf(scores);
  const wide = last - first;
  const out = new Float64Array(some.length * wide);
  const [line, query] = [new Float64Array(keys), new Float64Array(width)];
  for (let r = 0; r < some.length; r++) {
    const [low, high] = boundsOf(scores, some[r]);
    const [from, to] = [Math.max(first, low), Math.min(last, high)];
    if (from >= to) continue;
    scoreRow(scores, head, some[r], line, query, from, to);
    const log = logs[head * queries + some[r]];
    for (let j = from; j < to; j++) out[r * wide + j - first] = Math.exp(line[j] - log);
  }
  return out;
}
