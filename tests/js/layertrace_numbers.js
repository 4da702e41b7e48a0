// For tests/models/test_layertraces.py: the numbers that “Step by step” shows, made from a payload.
// Reads a file of bytes from pack_layer_traces, writes JSON.
import { readFileSync } from "node:fs";
import {
  added,
  allRows,
  around,
  cosines,
  lineOf,
  mixed,
  normAt,
  normSum,
  ownRules,
  pairOf,
  sumOf,
  turnAt,
  unpackLayerTraces,
} from "../../explorer/instrument/numbers/layertrace.js";
import { stagesOf } from "../../explorer/instrument/numbers/stages.js";

const bytes = new Uint8Array(readFileSync(process.argv[2]));
const [trace] = unpackLayerTraces(bytes).traces;
const rows = allRows(trace, ownRules(trace));
const all = (/** @type {"products" | "scores" | "weights"} */ name) =>
  rows.map((row) => [...row[name]]);
const z = rows.map((row) => mixed(trace, row.weights));
const grid = (
  /** @type {number} */ n,
  /** @type {number} */ d,
  /** @type {(i: number, c: number) => number} */ at,
) => Array.from({ length: n }, (_, i) => Array.from({ length: d }, (_, c) => at(i, c)));

/** What a map gives, of the vectors that it reads. @param {"q" | "k" | "v"} which */
function mapped(which) {
  const x = (which !== "q" && trace.of.x_keys) || trace.of.x;
  const n = which === "q" ? trace.tokens.length : trace.keys.length;
  const [width, d] = [x.length / n, which === "v" ? trace.d_v : trace.d_k];
  return grid(n, d, (i, c) => {
    const weights = lineOf(trace.of[`w_${which}`], c, width);
    return sumOf(lineOf(x, i, width), weights, trace.of[`b_${which}`]?.[c] ?? 0).sum;
  });
}

/** The same behind its steps, each repeated from what was before it. @param {"q" | "k"} which */
function behind(which) {
  const n = which === "q" ? trace.tokens.length : trace.keys.length;
  let found = grid(n, trace.d_k, (i, c) => trace.of[which][i * trace.d_k + c]);
  for (const step of trace.steps) {
    const [before] = around(trace, which, step);
    found = grid(n, trace.d_k, (i, c) =>
      step === "norm"
        ? normSum(normAt(trace, `${which}_norm`, i, c))
        : turned(before, i, c, i * trace.d_k),
    );
  }
  return found;
}

/** @param {Float32Array} before @param {number} i @param {number} c @param {number} start */
function turned(before, i, c, start) {
  const pair = pairOf(trace, c);
  if (!pair) return before[start + c];
  const { cos, sin } = turnAt(trace, i, pair.at);
  const [a, b] = pair.places.map((place) => before[start + place]);
  return pair.second ? b * cos + a * sin : a * cos - b * sin;
}

process.stdout.write(
  JSON.stringify({
    q: mapped("q"),
    k: mapped("k"),
    v: mapped("v"),
    behind: { q: behind("q"), k: behind("k") },
    normed:
      trace.norm &&
      grid(trace.tokens.length, trace.d_model, (i, c) => normSum(normAt(trace, "norm", i, c))),
    products: all("products"),
    scores: all("scores"),
    weights: all("weights"),
    sums: rows.map(({ weights }) => weights.reduce((sum, w) => sum + w, 0)),
    z: z.map((row) => [...row]),
    likeness: trace.of.positions && [...cosines(trace.of.positions, trace.d_model)],
    part: z.map((row) => [...added(trace, row)]),
    stages: stagesOf(trace).map(({ id }) => id),
    window: trace.window,
    sink: trace.sink,
    bias: trace.bias,
    slope: trace.slope,
    beside: trace.beside,
  }),
);
