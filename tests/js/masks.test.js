import assert from "node:assert/strict";
import test from "node:test";
import { maskedIn, reachOf } from "../../explorer/instrument/numbers/masks.js";
import { hatch } from "../../explorer/instrument/parts/paint.js";

/** @param {number[][]} groups tokens of each unit @returns {any[]} */
const units = (groups) => groups.map((tokens) => ({ text: "x", tokens }));

/** Each token sees itself and so many before it. @param {number} n @param {number} before */
const windowed = (n, before) =>
  Int32Array.from({ length: 2 * n }, (_, i) => (i % 2 ? (i + 1) / 2 : Math.max(0, i / 2 - before)));

/** @param {import("../../explorer/instrument/numbers/masks.js").Area[]} areas @param {number} r @param {number} c */
const covers = (areas, r, c) =>
  areas.some(({ top, bottom, left, right }) => r >= top && r < bottom && c >= left && c < right);

/** @type {[string, number[][]][]} */
const LAYOUTS = [
  ["tokens", [[0], [1], [2], [3], [4], [5], [6]]],
  ["words, and special tokens hidden", [[1, 2], [3], [4, 5]]],
];

for (const [name, groups] of LAYOUTS) {
  for (const before of [1, 99]) {
    test(`what is hatched is what no token of a unit may look at: ${name}, ${before}`, () => {
      const mask = windowed(7, before);
      const rows = units(groups);
      const reach = reachOf(mask, rows, rows);
      assert.ok(reach);
      const n = rows.length;
      const all = { top: 0, bottom: n, left: 0, right: n };
      const areas = maskedIn(reach, all);
      for (const [r, row] of groups.entries()) {
        for (const [c, column] of groups.entries()) {
          const may = row.some((q) => column.some((k) => k >= mask[2 * q] && k < mask[2 * q + 1]));
          assert.equal(covers(areas, r, c), !may, `${r} ${c}`);
        }
      }
      // Rows that share a dot: hatched where none of them may look.
      const shared = maskedIn(reach, all, 2);
      for (let r = 0; r < n; r++) {
        const other = Math.min(r ^ 1, n - 1);
        for (let c = 0; c < n; c++) {
          const both = covers(areas, r, c) && covers(areas, other, c);
          assert.equal(covers(shared, r, c), both, `${r} ${c}`);
        }
      }
      // And no area leaves what is in sight.
      const sight = { top: 1, bottom: n, left: 1, right: n - 1 };
      for (const area of maskedIn(reach, sight)) {
        assert.ok(area.left >= 1 && area.right <= n - 1 && area.left < area.right);
      }
    });
  }
}

test("where all may be looked at nothing is hatched, and a row that may look nowhere is hatched whole", () => {
  const rows = units([[0], [1]]);
  assert.equal(reachOf(undefined, rows, rows), null);
  assert.equal(reachOf(Int32Array.of(0, 2, 0, 2), units([[0], [1]]), rows), null);
  const reach = reachOf(Int32Array.of(0, 0, 0, 2), rows, rows);
  assert.ok(reach);
  const areas = maskedIn(reach, { top: 0, bottom: 2, left: 0, right: 2 });
  assert.deepEqual(areas, [{ top: 0, bottom: 1, left: 0, right: 2 }]);
});

test("the strokes of a hatching are one pattern, and stay within their boxes", () => {
  /** @type {[string, ...number[]][]} */
  const done = [];
  const pen = /** @type {any} */ (
    new Proxy(
      {},
      {
        get:
          (_, name) =>
          (/** @type {number[]} */ ...args) =>
            done.push([String(name), ...args]),
        set: () => true,
      },
    )
  );
  hatch(pen, [], "#000");
  assert.equal(done.length, 0);
  hatch(
    pen,
    [
      { x: 10, y: 20, width: 30, height: 10 },
      { x: 20, y: 30, width: 20, height: 10 },
    ],
    "#000",
  );
  const names = done.map(([name]) => name);
  assert.ok(names.indexOf("clip") < names.indexOf("stroke"));
  assert.equal(names.filter((name) => name === "rect").length, 2);
  const starts = done.filter(([name]) => name === "moveTo");
  assert.ok(starts.length > 4);
  for (const [, x, y] of starts) assert.equal((x + y) % 6, 0);
});
