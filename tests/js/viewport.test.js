import assert from "node:assert/strict";
import test from "node:test";
import {
  ALL_IN_SIGHT,
  CLOSEST,
  cellIn,
  isPart,
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
