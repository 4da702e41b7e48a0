import assert from "node:assert/strict";
import test from "node:test";
import {
  ALL_IN_SIGHT,
  bandOf,
  CLOSEST,
  cellIn,
  cornerOf,
  frameOf,
  inSight,
  isPart,
  middleAt,
  panned,
  plotOf,
  showing,
  within,
  zoomed,
} from "../../explorer/instrument/numbers/viewport.js";

const N = 512;

test("at first everything is in sight, and zooming out stays there", () => {
  assert.ok(!isPart(ALL_IN_SIGHT, N, N));
  const out = zoomed(ALL_IN_SIGHT, 0.5, {}, N, N);
  assert.deepEqual(out, { row: 0, column: 0, count: N });
});

test("zooming keeps what is pointed at where it is, else the middle", () => {
  const near = zoomed(ALL_IN_SIGHT, 2, { row: 100, column: 400 }, N, N);
  assert.equal(near.count, 256);
  const share = (/** @type {number} */ i, /** @type {number} */ first) => (i - first) / near.count;
  assert.ok(Math.abs(share(100, near.row) - 100 / N) < 0.01);
  assert.ok(Math.abs(share(400, near.column) - 400 / N) < 0.01);
  const middle = zoomed(ALL_IN_SIGHT, 4, {}, N, N);
  assert.deepEqual(middle, { row: 192, column: 192, count: 128 });
  assert.deepEqual(zoomed(middle, 0, {}, N, N), { row: 0, column: 0, count: N });
});

test("nearest is eight cells, also in a picture of fewer", () => {
  let sight = ALL_IN_SIGHT;
  for (let i = 0; i < 30; i++) sight = zoomed(sight, 1.5, {}, N, N);
  assert.equal(sight.count, CLOSEST);
  assert.equal(zoomed(ALL_IN_SIGHT, 3, {}, 5, 5).count, 5);
});

test("a part never leaves the picture, also where the sides differ", () => {
  const far = within({ row: 900, column: -5, count: 50 }, 100, 200);
  assert.deepEqual(far, { row: 50, column: 0, count: 50 });
  const wide = within({ row: 3, column: 90, count: 150 }, 100, 200);
  assert.deepEqual(wide, { row: 0, column: 50, count: 150 });
});

test("a cell out of sight is brought in by the shortest way", () => {
  const sight = { row: 10, column: 10, count: 20 };
  assert.deepEqual(showing(sight, { row: 12, column: 29 }), sight);
  assert.deepEqual(showing(sight, { row: 30, column: 4 }), { row: 11, column: 4, count: 20 });
});

test("every cell in sight is found at its own middle, and none beside the plot", () => {
  const sight = { row: 30, column: 7, count: 10 };
  const plot = plotOf(sight, 40, 200, 100, 100);
  for (let row = 30; row < 40; row++) {
    for (let column = 7; column < 17; column++) {
      const [x, y] = [40 + (column - 7 + 0.5) * 20, 40 + (row - 30 + 0.5) * 20];
      assert.deepEqual(cellIn(plot, x, y, 100, 100), { row, column });
    }
  }
  for (const [x, y] of [
    [39, 50],
    [50, 39],
    [240, 50],
    [50, 240],
  ]) {
    assert.equal(cellIn(plot, x, y, 100, 100), null);
  }
});

test("what is in sight ends where the shorter side ends", () => {
  const sight = { row: 5, column: 50, count: 30 };
  assert.deepEqual(inSight(sight, 20, 100), { top: 5, bottom: 20, left: 50, right: 80 });
});

test("the cell that was grasped stays under the finger, wherever it goes", () => {
  const from = { row: 40, column: 60, count: 20 };
  const now = panned({ row: 1, column: 2, count: 20 }, from, 31, -19, 10);
  assert.deepEqual(now, { row: 42, column: 57, count: 20 });
  assert.deepEqual(panned(now, from, 4, 4, 10), from, "less than half a cell moves nothing");
});

test("a place of the corner becomes the middle of what is in sight", () => {
  const sight = middleAt({ row: 0, column: 0, count: 50 }, 0.25, 0.5, 100, 200);
  assert.deepEqual(sight, { row: 75, column: 25, count: 50 });
});

test("the corner fits between the labels", () => {
  const sight = { row: 0, column: 0, count: 50 };
  const side = (/** @type {number} */ label) => cornerOf(plotOf(sight, label, 500, 100, 100));
  assert.equal(side(60), 52);
  assert.equal(side(400), 76);
});

test("the frame in the corner lies round what is in sight, and is never too small to see", () => {
  const stretch = { top: 20, bottom: 30, left: 50, right: 60 };
  assert.deepEqual(frameOf(stretch, 0.5), { x: 26, y: 11, width: 5, height: 5 });
  assert.deepEqual(frameOf(stretch, 0.1), { x: 6, y: 3, width: 4, height: 4 });
});

test("a band goes round its rows, as far as they are in sight", () => {
  assert.deepEqual(bandOf([2, 4], [0, 10], 100, 20), { from: 2, to: 5, start: 140, wide: 60 });
  assert.deepEqual(bandOf([2, 4], [3, 10], 100, 20), { from: 3, to: 5, start: 160, wide: 40 });
  assert.deepEqual(bandOf([2, 4], [0, 4], 100, 20), { from: 2, to: 4, start: 140, wide: 40 });
  assert.equal(bandOf([2, 4], [5, 10], 100, 20), null);
  assert.equal(bandOf([5, 6], [0, 5], 100, 20), null);
});

test("a band of a thin row leaves air, so that the row itself is seen", () => {
  assert.deepEqual(bandOf([10, 10], [0, 500], 0, 1), { from: 10, to: 11, start: 8, wide: 5 });
});
