import assert from "node:assert/strict";
import test from "node:test";
import { orderBy, sorted } from "../../explorer/instrument/parts/table.js";

test("a click on a heading sorts words from A on, and numbers from the largest down", () => {
  const rows = [
    ["mat", 0.2],
    ["cat", 0.7],
    ["sat", 0.5],
  ];
  const words = sorted(rows, orderBy(null, 0, rows[0][0])).map(([word]) => word);
  assert.deepEqual(words, ["cat", "mat", "sat"]);
  const numbers = sorted(rows, orderBy(null, 1, rows[0][1])).map(([, number]) => number);
  assert.deepEqual(numbers, [0.7, 0.5, 0.2]);
});

test("a second click on a heading turns the order round, one on another begins anew", () => {
  const once = orderBy(null, 1, 0.2);
  const twice = orderBy(once, 1, 0.2);
  assert.deepEqual(twice, { by: 1, up: true });
  assert.deepEqual(orderBy(twice, 1, 0.2), once);
  assert.deepEqual(orderBy(twice, 2, 0.2), { by: 2, up: false });
  assert.deepEqual(orderBy(null, 1, undefined), { by: 1, up: false }, "a table without rows");
});
