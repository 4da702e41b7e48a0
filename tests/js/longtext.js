// One text told twice: with all its weights, and as a long one, whose heads come one by one as q, k
// and what the server adds up. What is added up is made here from the definition.

import { container, floats, payload, token } from "./trace.js";

/** @typedef {import("./trace.js").Given} Given */

const WIDTH = 3;
export const N = 12;
const WORDS = "[CLS] Th ##e cat sat . A dog ran off . [SEP]".split(" ");
const SPANS = [
  null,
  [0, 2],
  [2, 3],
  [4, 7],
  [8, 11],
  [11, 12],
  [13, 14],
  [15, 18],
  [19, 22],
  [23, 26],
  [26, 27],
  null,
];
const NUMBERS = [null, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, null];
const TEXT = "The cat sat. A dog ran off.";
export const STARTS = [0, 1, 6, 11];

export const TOKENS = WORDS.map((text, i) =>
  token(text, {
    span: /** @type {any} */ (SPANS[i]),
    word: NUMBERS[i],
    special: text.startsWith("["),
  }),
);

/** Numbers that are the same every time. @param {number} seed */
function numbersFrom(seed) {
  let state = seed;
  return (/** @type {number} */ count) =>
    Array.from({ length: count }, () => {
      state = (state * 1103515245 + 12345) % 2 ** 31;
      return Math.fround((4 * state) / 2 ** 31 - 2);
    });
}

/** @param {number} seed @param {boolean} sinks a sink takes a part of every row */
export function headOf(seed, sinks = false) {
  const next = numbersFrom(seed);
  const [q, k] = [next(N * WIDTH), next(N * WIDTH)];
  const [logs, weights] = [new Float64Array(N), new Float64Array(N * N)];
  for (let i = 0; i < N; i++) {
    let total = sinks ? 1 : 0; // e to the sink's score, 0
    for (let j = 0; j < N; j++) {
      let score = 0;
      for (let c = 0; c < WIDTH; c++) score += q[i * WIDTH + c] * k[j * WIDTH + c];
      weights[i * N + j] = Math.exp(score);
      total += weights[i * N + j];
    }
    logs[i] = Math.log(total);
    for (let j = 0; j < N; j++) weights[i * N + j] /= total;
  }
  return { q, k, logs, weights, sinks };
}

/** @typedef {ReturnType<typeof headOf>} Made */

/** @param {number} sinks */
const headerOf = (sinks) => ({
  ...{ id: "x", title: "m", numbers: [4], n_heads: 2, texts: [TEXT], n_cut: [0], thumb: [1, 1] },
  ...{ query_tokens: TOKENS, key_tokens: null, opening: null, link: null, training: null },
  ...{ unknown: null, possible: [Math.log2(N)], sinks: sinks > 0 },
  ...{ levels: { sentence: STARTS }, key_levels: null },
});

/** With all weights. @param {Made[]} heads */
export function whole(heads) {
  const header = { ...headerOf(Number(heads[0].sinks)), long: false, map_level: null };
  const weights = floats(heads.flatMap((head) => [...head.weights]));
  return payload(
    header,
    [0, 0],
    [0, 0],
    [[{ kind: "layer", layer: 4, shape: [heads.length, N, N] }, weights]],
  );
}

const groups = STARTS.map((start, i) => [start, STARTS[i + 1] ?? N]);
const ordinary = TOKENS.map((one) => !one.special);

/** @param {Made} made */
function summaryOf({ weights }) {
  const at = (/** @type {number} */ i, /** @type {number} */ j) => weights[i * N + j];
  const all = Array.from({ length: N }, (_, i) => i);
  const sum = (/** @type {number[]} */ some) => some.reduce((a, b) => a + b, 0);
  const cells = (/** @type {number[][]} */ some, /** @type {(cells: number[]) => number} */ how) =>
    some.flatMap(([r0, r1]) =>
      some.map(([c0, c1]) =>
        how(all.slice(r0, r1).flatMap((i) => all.slice(c0, c1).map((j) => at(i, j)))),
      ),
    );
  const counts = groups.flatMap(([r0, r1]) => groups.map(() => r1 - r0));
  const sums = cells(groups, sum).map((total, i) => total / counts[i]);
  const received = all.map((j) => sum(all.map((i) => at(i, j))) / N);
  const order = all
    .flatMap((i) => all.map((j) => [i, j]))
    .sort((a, b) => at(b[0], b[1]) - at(a[0], a[1]));
  const plain = order.filter(([i, j]) => ordinary[i] && ordinary[j]);
  const pairs = [...order.slice(0, 5), ...plain.slice(0, 5)];
  return {
    received: floats(received),
    ordinary: floats(all.map((i) => sum(all.map((j) => (ordinary[j] ? at(i, j) : 0))))),
    maps: floats([...sums, ...cells(groups, (some) => Math.max(...some))]),
    pairs: Int32Array.from(pairs.flat()),
    pair_weights: floats(pairs.map(([i, j]) => at(i, j))),
    sink: 1 - sum(received),
  };
}

/** What a server sends of a head. @param {Made} made @param {number} head @returns {Given[]} */
export function headBlocks({ q, k, logs, sinks }, head) {
  const about = { kind: "head", layer: 4, head, scale: 1, cap: null };
  /** @type {Given[]} */
  const blocks = [
    [{ ...about, part: "q", shape: [1, N, WIDTH] }, floats(q)],
    [{ ...about, part: "k", shape: [1, N, WIDTH] }, floats(k)],
    [{ ...about, part: "log_sum_exp", shape: [1, N] }, logs],
  ];
  return sinks ? [...blocks, [{ ...about, part: "sinks" }, floats([0])]] : blocks;
}

/** What a server adds up of a head. @param {Made} made @param {number} head @param {any} profile @returns {Given[]} */
export function summaryBlocks(made, head, profile) {
  const { sink, ...parts } = summaryOf(made);
  const shapes = { maps: [2, 4, 4], pairs: [2, 5, 2], pair_weights: [2, 5] };
  const about = {
    kind: "summary",
    layer: 4,
    head,
    level: "sentence",
    profile: { ...profile, sink },
  };
  return Object.entries(parts).map(([part, data]) => [
    { ...about, part, shape: /** @type {any} */ (shapes)[part] ?? [data.length] },
    data,
  ]);
}

/** What is said of the long text besides its heads. @param {boolean} [sinks] */
export const aboutLong = (sinks = false) => {
  const { thumb: _, ...header } = headerOf(Number(sinks));
  return { ...header, long: true, map_level: "sentence" };
};

/** As a long text, with some blocks. @param {Given[]} blocks @param {boolean} [sinks] */
export const long = (blocks, sinks = false) =>
  container({ ...aboutLong(sinks), thumb: [1, 1] }, blocks);
