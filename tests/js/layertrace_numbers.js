// For tests/models/test_layertraces.py: the numbers that “Step by step” shows, made from a payload.
// Reads a file of bytes from pack_layer_traces, writes JSON.
import { readFileSync } from "node:fs";
import {
  added,
  allRows,
  cosines,
  lineOf,
  mixed,
  ownRules,
  sumOf,
  unpackLayerTraces,
} from "../../explorer/instrument/numbers/layertrace.js";

const bytes = new Uint8Array(readFileSync(process.argv[2]));
const [trace] = unpackLayerTraces(bytes).traces;
const rows = allRows(trace, ownRules(trace));
const all = (/** @type {"products" | "scores" | "weights"} */ name) =>
  rows.map((row) => [...row[name]]);
const z = rows.map((row) => mixed(trace, row.weights));
const numbers = (/** @type {"q" | "k" | "v"} */ which) =>
  trace.tokens.map((_, i) =>
    Array.from(
      { length: trace.d_k },
      (_, c) =>
        sumOf(
          lineOf(trace.of.x, i, trace.d_model),
          lineOf(trace.of[`w_${which}`], c, trace.d_model),
          trace.of[`b_${which}`][c],
        ).sum,
    ),
  );
process.stdout.write(
  JSON.stringify({
    q: numbers("q"),
    k: numbers("k"),
    v: numbers("v"),
    products: all("products"),
    scores: all("scores"),
    weights: all("weights"),
    z: z.map((row) => [...row]),
    likeness: trace.of.positions && [...cosines(trace.of.positions, trace.d_model)],
    part: z.map((row) => [...added(trace, row)]),
  }),
);
