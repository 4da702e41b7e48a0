// A head of a longer text with everything a score rule may have, and its weights from the definition.

/** Numbers that look random and are the same each time. @param {number} seed */
export function numbers(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

/**
 * @param {number} n tokens
 * @param {{seed?: number, window?: number, sink?: boolean, cap?: number, offsets?: boolean,
 *          causal?: boolean}} [rule]
 */
export function headOf(n, { seed = 1, window = 0, sink, cap, offsets, causal } = {}) {
  const next = numbers(seed);
  const width = 6;
  const floats = (/** @type {number} */ count, /** @type {number} */ size) =>
    Float32Array.from({ length: count }, () => size * next());
  const allowed = Int32Array.from({ length: 2 * n }, (_, at) => {
    const i = at >> 1;
    if (at % 2) return causal ? i + 1 : Math.min(n, window ? i + window : n);
    return window ? Math.max(0, i - window) : 0;
  });
  const scores = {
    ...{ heads: 1, keyHeads: 1, queries: n, keys: n, width, scale: 0.7, cap: cap ?? null },
    ...{ q: floats(n * width, 4), k: floats(n * width, 4), allowed },
    offsets: offsets ? floats(2 * n - 1, 1) : null,
    sinks: sink ? Float32Array.of(0.5) : null,
    logs: new Float64Array(n),
  };
  const weights = softmax(scores);
  return { scores, weights };
}

/**
 * The softmax of a head, row by row, from its definition; also writes its logarithms.
 * @param {import("../../explorer/instrument/numbers/scores.js").Scores} scores
 */
function softmax({ q, k, queries, keys, width, scale, cap, allowed, offsets, sinks, logs }) {
  const out = new Float64Array(queries * keys);
  for (let i = 0; i < queries; i++) {
    const line = new Map();
    for (let j = 0; j < keys; j++) {
      if (allowed && (j < allowed[2 * i] || j >= allowed[2 * i + 1])) continue;
      let score = 0;
      for (let c = 0; c < width; c++) score += q[i * width + c] * k[j * width + c];
      score *= scale;
      if (cap !== null) score = cap * Math.tanh(score / cap);
      if (offsets) score += offsets[j - i + queries - 1];
      line.set(j, Math.exp(score));
    }
    let total = sinks ? Math.exp(sinks[0]) : 0;
    for (const part of line.values()) total += part;
    if (logs) logs[i] = Math.log(total);
    for (const [j, part] of line) out[i * keys + j] = part / total;
  }
  return out;
}

/**
 * Units of tokens: each of one to three, and now and then one that is left out.
 * @param {number} n tokens @param {boolean} words @param {(token: number) => boolean} hidden
 */
export function unitsIn(n, words, hidden) {
  const units = [];
  for (let i = 0, size = 1; i < n; i += size) {
    size = words ? Math.min(1 + (i % 3), n - i) : 1;
    if (hidden(i)) size = 1;
    const tokens = Array.from({ length: size }, (_, at) => i + at);
    if (!hidden(i)) units.push({ text: `u${i}`, tokens, special: false, segment: 0 });
  }
  return units;
}
