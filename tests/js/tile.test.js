import assert from "node:assert/strict";
import test from "node:test";
import { createMaker, piecesOf, TILE, tileOf } from "../../explorer/instrument/numbers/tile.js";
import { headOf, unitsIn } from "./longhead.js";

/** @typedef {ReturnType<typeof unitsIn>} Units */

const N = 300;
const NEAR = 3e-7; // weights are below 1 and end as float32, whose digits end at 6e-8

const RULES = {
  "every key": {},
  "a causal mask": { causal: true },
  "a window": { window: 20 },
  "a sink": { sink: true },
  "a soft cap": { cap: 1.5 },
  "offsets by distance": { offsets: true, causal: true },
};

/**
 * Between units, cell by cell, from the definition.
 * @param {Float64Array[]} heads @param {Units} rows @param {Units} columns
 * @param {"mean" | "max"} combine @param {boolean} rescaled
 */
function wanted(heads, rows, columns, combine, rescaled) {
  return rows.map((row) => {
    const lines = heads.map((weights) => {
      const line = columns.map((column) => {
        let sum = 0;
        for (const i of row.tokens) for (const j of column.tokens) sum += weights[i * N + j];
        return sum;
      });
      const whole = rescaled ? line.reduce((sum, cell) => sum + cell, 0) : row.tokens.length;
      return line.map((cell) => (whole > 0 ? cell / whole : 0));
    });
    return columns.map((_, c) => {
      const cells = lines.map((line) => line[c]);
      if (combine === "max") return Math.max(...cells);
      return cells.reduce((sum, cell) => sum + cell, 0) / cells.length;
    });
  });
}

/**
 * Every tile of a picture against the definition.
 * @param {import("../../explorer/instrument/numbers/tile.js").Job} job @param {number[][]} picture
 */
function check(job, picture) {
  const [nRows, nColumns] = [picture.length, picture[0].length];
  for (let row = 0; row * TILE < nRows; row++) {
    for (let column = 0; column * TILE < nColumns; column++) {
      const tile = tileOf(job, { row, column });
      const tall = Math.min(TILE, nRows - row * TILE);
      const wide = Math.min(TILE, nColumns - column * TILE);
      assert.equal(tile.length, tall * wide);
      const far = tile.map((weight, i) =>
        Math.abs(weight - picture[row * TILE + Math.floor(i / wide)][column * TILE + (i % wide)]),
      );
      assert.ok(
        far.every((off) => off <= NEAR),
        `off by ${far.reduce((a, b) => Math.max(a, b))}`,
      );
    }
  }
}

/** @param {Units} units @param {import("../../explorer/instrument/numbers/tile.js").Head[]} heads */
const jobOf = (units, heads, rest = {}) => ({
  ...{ rows: piecesOf(units), columns: piecesOf(units), nKeys: N, heads },
  ...{ combine: /** @type {const} */ ("mean"), rescaled: false },
  ...rest,
});

for (const [name, rule] of Object.entries(RULES)) {
  test(`tiles of tokens are the softmax's own weights, with ${name}`, () => {
    const { scores, weights } = headOf(N, rule);
    const units = unitsIn(N, false, () => false);
    check(jobOf(units, [{ scores }]), wanted([weights], units, units, "mean", false));
  });

  test(`tiles of words add keys and average queries, rows rescaled, with ${name}`, () => {
    const { scores, weights } = headOf(N, rule);
    const units = unitsIn(N, true, (token) => token % 50 === 0);
    const picture = wanted([weights], units, units, "mean", true);
    check(jobOf(units, [{ scores }], { rescaled: true }), picture);
  });
}

test("rows are rescaled as exactly where special tokens take nearly everything", () => {
  const { scores } = headOf(N);
  scores.k.fill(3, 0, scores.width); // the first key draws, as [CLS] does
  scores.q.forEach((x, i) => {
    scores.q[i] = Math.abs(x) + 1;
  });
  const weights = new Float64Array(N * N);
  for (let i = 0; i < N; i++) {
    const dot = (/** @type {number} */ j) =>
      scores.scale *
      Array.from({ length: scores.width }, (_, c) => c).reduce(
        (sum, c) => sum + scores.q[i * scores.width + c] * scores.k[j * scores.width + c],
        0,
      );
    const parts = Array.from({ length: N }, (_, j) => Math.exp(dot(j)));
    const total = parts.reduce((sum, part) => sum + part, 0);
    scores.logs[i] = Math.log(total);
    parts.forEach((part, j) => {
      weights[i * N + j] = part / total;
    });
  }
  const units = unitsIn(N, true, (token) => token === 0);
  const left = 1 - weights[0];
  assert.ok(left < 0.05, `${left} is left of the first row`);
  const picture = wanted([weights], units, units, "mean", true);
  check(jobOf(units, [{ scores }], { rescaled: true }), picture);
});

for (const combine of /** @type {const} */ (["mean", "max"])) {
  test(`several heads become their ${combine}, each rescaled by itself`, () => {
    const heads = [headOf(N, { seed: 2 }), headOf(N, { seed: 3, sink: true }), headOf(N)];
    const units = unitsIn(N, true, (token) => token === 0 || token === N - 1);
    for (const rescaled of [false, true]) {
      const all = heads.map(({ weights }) => weights);
      const job = jobOf(
        units,
        heads.map(({ scores }) => ({ scores })),
        { combine, rescaled },
      );
      check(job, wanted(all, units, units, combine, rescaled));
    }
  });
}

test("weights that were given are read as they are, also where fewer queries look than keys", () => {
  const { weights } = headOf(N);
  const [rows, columns] = [unitsIn(100, true, () => false), unitsIn(N, false, () => false)];
  const head = { weights: Float32Array.from(weights.subarray(0, 100 * N)) };
  const job = jobOf(columns, [head], { rows: piecesOf(rows) });
  check(job, wanted([weights], rows, columns, "mean", false));
});

test("a worker keeps the heads that it was given, and makes what the page would", () => {
  const make = createMaker();
  const units = unitsIn(N, false, () => false);
  const [one, two] = [headOf(N, { seed: 5 }), headOf(N, { seed: 6 })].map(({ scores }) => ({
    scores,
  }));
  const { heads: _, ...about } = jobOf(units, []);
  const first = make({
    ...{ name: "a", row: 0, column: 1 },
    job: { about, heads: [{ name: "one", head: one }] },
  });
  assert.deepEqual(first.tile, tileOf(jobOf(units, [one]), { row: 0, column: 1 }));
  const again = make({ name: "a", row: 1, column: 0, job: null });
  assert.deepEqual(again.tile, tileOf(jobOf(units, [one]), { row: 1, column: 0 }));
  const both = make({
    ...{ name: "b", row: 0, column: 0 },
    job: {
      about,
      heads: [
        { name: "one", head: null },
        { name: "two", head: two },
      ],
    },
  });
  assert.equal(both.name, "b");
  assert.deepEqual(both.tile, tileOf(jobOf(units, [one, two]), { row: 0, column: 0 }));
});
