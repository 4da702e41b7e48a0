// For tests/models/test_walks.py: the numbers that “Step by step” shows, made from a payload.
// Reads a file of bytes from pack_walk, writes JSON.
import { readFileSync } from "node:fs";
import {
  added,
  allRows,
  lineOf,
  mixed,
  ownRules,
  sumOf,
  unpackWalks,
} from "../../explorer/instrument/numbers/walk.js";

const bytes = new Uint8Array(readFileSync(process.argv[2]));
const [walk] = unpackWalks(bytes).walks;
const rows = allRows(walk, ownRules(walk));
const all = (/** @type {"scores" | "scaled" | "weights"} */ name) =>
  rows.map((row) => [...row[name]]);
const z = rows.map((row) => mixed(walk, row.weights));
const numbers = (/** @type {"q" | "k" | "v"} */ which) =>
  walk.tokens.map((_, i) =>
    Array.from(
      { length: walk.d_k },
      (_, c) =>
        sumOf(
          lineOf(walk.of.x, i, walk.d_model),
          lineOf(walk.of[`w_${which}`], c, walk.d_model),
          walk.of[`b_${which}`][c],
        ).sum,
    ),
  );
process.stdout.write(
  JSON.stringify({
    q: numbers("q"),
    k: numbers("k"),
    v: numbers("v"),
    scores: all("scores"),
    scaled: all("scaled"),
    weights: all("weights"),
    z: z.map((row) => [...row]),
    part: z.map((row) => [...added(walk, row)]),
  }),
);
