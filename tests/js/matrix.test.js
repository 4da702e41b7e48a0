import assert from "node:assert/strict";
import test from "node:test";
import { boxOf, cellOf } from "../../explorer/instrument/parts/matrix.js";

const about = { values: [], name: "", shape: "", label: "", wide: 200 };

test("the cell under a pointer is found, and none beside the cells", () => {
  const matrix = { ...about, rows: 2, columns: 4 };
  const box = boxOf(matrix);
  assert.deepEqual(box, { x: 1, y: 1, width: 96, height: 24 });
  assert.deepEqual(cellOf(matrix, box, 1, 1), [0, 0]);
  assert.deepEqual(cellOf(matrix, box, 96, 24), [1, 3]);
  for (const [x, y] of [
    [0, 5],
    [97, 5],
    [5, 0],
    [5, 25],
  ]) {
    assert.equal(cellOf(matrix, box, x, y), null);
  }
});

test("a square with names has room for them and cells as tall as wide", () => {
  const box = boxOf({ ...about, rows: 5, columns: 5, names: ["a", "b", "c", "d", "e"] });
  assert.deepEqual(box, { x: 62, y: 62, width: 120, height: 120 });
});

test("a matrix never stands out of its room, and a thin one can still be seen", () => {
  assert.equal(boxOf({ ...about, rows: 1, columns: 900 }).width, 198);
  assert.deepEqual(boxOf({ ...about, rows: 1, columns: 1, wide: 1, tall: 1 }), {
    ...{ x: 1, y: 1, width: 12, height: 10 },
  });
});
