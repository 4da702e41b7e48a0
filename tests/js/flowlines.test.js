import assert from "node:assert/strict";
import test from "node:test";
import {
  inTones,
  linesNote,
  linesOfPoint,
  linesOfRows,
  MAX_LINES,
  valuesOf,
} from "../../explorer/instrument/numbers/flowlines.js";

/** @param {number} n */
const units = (n) =>
  Array.from({ length: n }, (_, i) => ({ text: `${i}`, tokens: [i], special: false, segment: 0 }));

/** @param {number[][][]} heads weights of each @param {number} mass */
function sourceOf(heads, mass) {
  const sides = { rows: units(heads[0].length), columns: units(heads[0][0].length) };
  const perHead = heads.map((rows, i) => ({
    head: 3 + i,
    picture: { ...sides, weights: Float32Array.from(rows.flat()) },
  }));
  return { model: { perHead, picture: perHead[0].picture }, mass, kept: new Map() };
}

const TWO = [
  [
    [0.5, 0.25, 0.25],
    [0.125, 0.75, 0.125],
  ],
  [
    [0, 0, 1],
    [0.25, 0.25, 0.5],
  ],
];

/** @param {import("../../explorer/instrument/numbers/flowlines.js").Line[]} lines */
const written = (lines) =>
  lines.map(({ head, row, column, weight }) => `${head}: ${row}>${column} ${weight}`);

test("a row's lines are the fewest of each head that hold the share asked for", () => {
  const { lines, all } = linesOfRows(sourceOf(TWO, 50), [0, 1]);
  assert.deepEqual(written(lines), ["3: 0>0 0.5", "4: 0>2 1", "3: 1>1 0.75", "4: 1>2 0.5"]);
  assert.equal(all, 4);
  assert.equal(linesOfRows(sourceOf(TWO, 100), [1]).all, 6);
});

test("of too many lines the heaviest are drawn, and all are counted", () => {
  const n = 60; // 60 times 60 lines, each row with one heavy one
  const row = (/** @type {number} */ r) =>
    Array.from({ length: n }, (_, c) => (c === r ? 0.5 : 0.5 / (n - 1)));
  const heads = [Array.from({ length: n }, (_, r) => row(r))];
  const rows = Array.from({ length: n }, (_, r) => r);
  const source = sourceOf(heads, 100);
  const { lines, all } = linesOfRows(source, rows);
  assert.equal(all, n * n);
  assert.equal(lines.length, MAX_LINES);
  const apart = sourceOf(
    [heads[0].map((line, r) => line.map((w, c) => w * (1 + (r * n + c) / 1e5)))],
    100,
  );
  const heavy = linesOfRows(apart, rows).lines.filter(({ row, column }) => row === column);
  assert.equal(heavy.length, n, "every heavy one is among them");
  assert.equal(linesOfPoint(source, { rows, columns: [] }, []).length, MAX_LINES);
});

test("what is pointed at has its own lines alone", () => {
  const source = sourceOf(TWO, 50);
  const ofRow = linesOfPoint(source, { rows: [1], columns: [] }, [0, 1]);
  assert.deepEqual(written(ofRow), ["3: 1>1 0.75", "4: 1>2 0.5"]);
  const ofColumn = linesOfPoint(source, { rows: [], columns: [2] }, [0, 1]);
  assert.deepEqual(written(ofColumn), ["4: 0>2 1", "4: 1>2 0.5"]);
  assert.deepEqual(linesOfPoint(source, { rows: [], columns: [2] }, []), [], "none is in sight");
});

test("a cell that the share leaves out is drawn when it is pointed at itself", () => {
  const source = sourceOf(TWO, 50);
  const cell = linesOfPoint(source, { rows: [1], columns: [0] }, [0, 1]);
  assert.deepEqual(written(cell), ["3: 1>0 0.125", "4: 1>0 0.25"]);
  assert.deepEqual(linesOfPoint(source, { rows: [0, 1], columns: [1] }, []).length, 1);
});

test("lines are stroked by head and tone, the faintest first", () => {
  const lines = [
    { row: 0, column: 0, head: 3, weight: 0.5 },
    { row: 1, column: 0, head: 3, weight: 0.001 },
    { row: 0, column: 1, head: 4, weight: 0.4999 },
    { row: 1, column: 1, head: 3, weight: 0.9 },
  ];
  const groups = inTones(lines, Float32Array.of(1, 0.5));
  assert.deepEqual(
    groups.map(({ head, tone, lines: own }) => [head, tone, own.length]),
    [
      [3, 0.1, 1],
      [3, 0.5, 1],
      [4, 0.5, 1],
      [3, 1, 1],
    ],
  );
});

test("the note says so when not all lines are drawn", () => {
  assert.equal(linesNote(50, 10), "Lines: the fewest that hold 50 % of each row’s attention.");
  assert.match(
    linesNote(90, 12345),
    /; of the 12,345 of the rows in sight the 800 strongest are drawn\.$/,
  );
});

test("what is pointed at is tinted whole, and the rest by its numbers", () => {
  const { value, shade } = valuesOf({
    focus: { rows: [1], columns: [] },
    given: Float32Array.of(0.25, 0.5, 1),
    got: null,
    model: { tops: Float32Array.of(1, 0.5) },
  });
  assert.equal(shade(1, true), 1);
  assert.deepEqual([value(0, true), shade(0, true)], [-1, 0], "no row has a number");
  assert.deepEqual(
    [0, 1, 2].map((i) => value(i, false)),
    [0.25, 0.5, 1],
  );
  assert.deepEqual(
    [0, 1, 2].map((i) => shade(i, false)),
    [0.4, 0.8, 0.8],
  );
});

test("of two sides that are pointed at only those units have numbers", () => {
  const { value } = valuesOf({
    focus: { rows: [0], columns: [1] },
    given: Float32Array.of(0.25, 0.75),
    got: Float32Array.of(0.75, 0.5),
    model: { tops: Float32Array.of(1, 1) },
  });
  assert.deepEqual([value(0, true), value(1, true)], [0.75, -1]);
  assert.deepEqual([value(0, false), value(1, false)], [-1, 0.75]);
});
