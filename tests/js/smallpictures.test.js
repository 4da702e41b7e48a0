import assert from "node:assert/strict";
import test from "node:test";
import {
  enlarge,
  levelOf,
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

test("a number on a small picture has two digits, and the largest does not read as less than one", () => {
  assert.deepEqual([undefined, 0, 0.034, 0.5, 0.994, 0.996, 1].map(shortOf), [
    ...["", ".00", ".03", ".50", ".99", "1.0", "1.0"],
  ]);
});

test("the strongest number has the full colour, a missing one none", () => {
  assert.deepEqual([levelOf(0.2, 0.2), levelOf(0.1, 0.2), levelOf(undefined, 0.2)], [255, 128, 0]);
});
