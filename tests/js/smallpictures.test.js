import assert from "node:assert/strict";
import test from "node:test";
import {
  enlarge,
  levelOf,
  maskedBoxes,
  shortOf,
  smallOf,
} from "../../explorer/instrument/numbers/smallpictures.js";

const colours = Uint32Array.from({ length: 256 }, (_, i) => 1000 + i);

test("a small picture fills its own box of the large one, each dot as a block", () => {
  const small = { levels: Uint8ClampedArray.of(1, 2, 3, 4), height: 2, width: 2, colours };
  const pixels = new Uint32Array(6 * 5);
  enlarge(pixels, 6, small, { x: 0.5, y: 0.5, width: 2, height: 1 }, 2);
  const [a, b, c, d] = [1001, 1002, 1003, 1004];
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((y) => [...pixels.subarray(6 * y, 6 * y + 6)]),
    [
      [0, 0, 0, 0, 0, 0],
      [0, a, a, b, b, 0],
      [0, c, c, d, d, 0],
      [0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0, 0],
    ],
  );
});

test("a long text's small picture has no more dots than are seen, a short one's as many as tokens", () => {
  const thumb = (/** @type {number} */ n) => ({
    ...{ weights: new Float32Array(n * n).fill(1), nRows: n, nColumns: n },
    tops: new Float32Array(n).fill(1),
  });
  const [few, many] = [smallOf(thumb(3), colours), smallOf(thumb(100), colours)];
  assert.deepEqual([few.height, few.width], [3, 3]);
  assert.deepEqual([many.height, many.width, many.levels.length], [32, 32, 32 * 32]);
});

test("what may not be looked at is hatched in a small picture, a dot only where nothing in it may", () => {
  const thumb = (/** @type {number} */ n) => ({
    ...{ weights: new Float32Array(n * n), nRows: n, nColumns: n },
    tops: new Float32Array(n).fill(1),
    reach: { first: new Int32Array(n), end: Int32Array.from({ length: n }, (_, r) => r + 1) },
  });
  const [few, many] = [smallOf(thumb(3), colours), smallOf(thumb(64), colours)];
  assert.deepEqual([...(few.masked ?? [])], [0, 1, 1, 0, 0, 1, 0, 0, 0]);
  many.masked?.forEach((is, i) => {
    assert.equal(is, Number(i % 32 > Math.floor(i / 32)));
  });
  const box = { x: 10, y: 0, width: 30, height: 30 };
  assert.deepEqual(maskedBoxes(few, box), [
    { x: 20, y: 0, width: 20, height: 10 },
    { x: 30, y: 10, width: 10, height: 10 },
  ]);
  const pixels = new Uint32Array(40 * 30);
  enlarge(pixels, 40, few, box, 1);
  const strokes = [...pixels].flatMap((pixel, i) => (pixel === 1088 ? [[i % 40, i / 40]] : []));
  assert.ok(strokes.length > 50);
  assert.ok(strokes.every(([x, y]) => Math.floor(x / 10) - 1 > Math.floor(y / 10)));
});

test("a number on a small picture has two digits, and the largest does not read as less than one", () => {
  assert.deepEqual(
    [undefined, 0, 0.034, 0.5, 0.994, 0.996, 1].map((x) => shortOf(x)),
    [...["", ".00", ".03", ".50", ".99", "1.0", "1.0"]],
  );
});

test("a number that is next to nothing fits on its picture, and in a long text it keeps its size", () => {
  assert.deepEqual(
    [9e-15, 0.0004].map((x) => shortOf(x, 0.6)),
    ["<.01", "<.01"],
  );
  assert.deepEqual(
    [9e-15, 0.0004].map((x) => shortOf(x, 0.02)),
    ["<.01", "4e-4"],
  );
});

test("the strongest number has the full colour, a missing one none", () => {
  assert.deepEqual([levelOf(0.2, 0.2), levelOf(0.1, 0.2), levelOf(undefined, 0.2)], [255, 128, 0]);
});
