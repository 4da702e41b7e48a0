import assert from "node:assert/strict";
import test from "node:test";
import {
  middleOf,
  noPlaces,
  placeAcross,
  placeDown,
  rowsInSight,
  scrollTo,
  spotAt,
  tokenBox,
  walked,
} from "../../explorer/instrument/numbers/flowplaces.js";

/** @typedef {import("../../explorer/instrument/numbers/flowplaces.js").Places} Places */

/** @param {number} n @param {Partial<Places>} [rest] @returns {Places} */
const down = (n, rest) => ({ ...noPlaces(), ...placeDown(n, n, 400), ...rest });

/** @param {number[]} texts @param {Partial<Places>} [rest] @returns {Places} */
const lying = (texts, rest) => ({
  ...noPlaces(),
  ...placeAcross(texts, texts, 300),
  across: true,
  ...rest,
});

const NOTHING = { rows: [], columns: [] };

test("few tokens stand wide apart, many closely and the columns scroll", () => {
  const few = down(3).box;
  assert.deepEqual([few.row, few.extent, few.height], [30, 90, 90]);
  const many = down(100).box;
  assert.deepEqual([many.row, many.extent, many.height], [18, 1800, 560]);
  assert.deepEqual([many.near, many.far], [120, 280]);
});

test("where the columns are not equally long, the longer one says how close they stand", () => {
  const { edges, box } = placeDown(2, 40, 400);
  assert.equal(box.row, 18);
  assert.equal(edges.row.at(-1), 36);
  assert.equal(edges.column.at(-1), 720);
});

test("a line of text that is too short fills the room, but is not torn apart", () => {
  const near = lying([66, 106]); // 80 and 120 pixels with their air
  assert.equal(near.box.width, 300);
  assert.deepEqual([...near.edges.row], [0, 120, 300]);
  const short = lying([10]);
  assert.equal(short.box.extent, Math.floor(26 * 1.8));
  const long = lying([500, 500, 500]);
  assert.deepEqual([...long.edges.row], [0, 130, 260, 390], "no token is wider than 130");
  assert.deepEqual([long.box.width, long.box.extent], [300, 390]);
});

test("only the rows in sight are there to be drawn", () => {
  assert.deepEqual(rowsInSight(down(3)), [0, 1, 2]);
  const rows = rowsInSight(down(100, { at: 180 }));
  assert.deepEqual([rows[0], rows.at(-1)], [10, 41]);
  assert.deepEqual(rowsInSight(noPlaces()), []);
});

test("a spot belongs to the side that it is on, and to none between them", () => {
  const places = down(100, { at: 180 });
  assert.deepEqual(spotAt(places, 20, 5), { side: "row", along: 185 });
  assert.deepEqual(spotAt(places, 380, 5), { side: "column", along: 185 });
  assert.equal(spotAt(places, 200, 5), null);
});

test("from right to left, places count from the right edge", () => {
  const places = lying([500, 500, 500], { rtl: true, at: 50 });
  assert.deepEqual(spotAt(places, 290, 10), { side: "row", along: 60 });
  assert.equal(middleOf(places, 0, true, false), 300 - (65 - 50));
  assert.equal(middleOf({ ...places, rtl: false }, 0, true, false), 65 - 50);
});

test("a token out of sight is scrolled to the middle, one in sight stays where it is", () => {
  const places = down(100, { at: 180 });
  assert.equal(scrollTo(places, 10), null);
  assert.equal(scrollTo(places, 40), null);
  assert.equal(scrollTo(places, 41), 41 * 18 - 280, "one that is cut off");
  assert.equal(scrollTo(places, 2), 0);
  assert.equal(scrollTo(down(100, { edges: placeDown(2, 100, 400).edges }), 50), 50 * 18 - 280);
});

test("the pinned token stays at the edge behind which it lies", () => {
  const places = down(100, { at: 180 });
  assert.equal(middleOf(places, 0, true, false), 9 - 180);
  assert.equal(middleOf(places, 0, true, true), 9);
  assert.equal(middleOf(places, 99, true, true), 560 - 9);
  assert.equal(middleOf(places, 20, true, true), middleOf(places, 20, true, false));
});

test("a token lies on its own side, whichever way the sides stand", () => {
  assert.deepEqual(tokenBox(down(3), true, 30, 45), { x: 0, y: 30, width: 120, height: 30 });
  assert.deepEqual(tokenBox(down(3), false, 30, 45), { x: 280, y: 30, width: 120, height: 30 });
  const below = tokenBox(lying([66, 106]), false, 120, 60);
  assert.deepEqual(below, { x: 0, y: 280, width: 120, height: 40 });
});

test("the arrow keys walk along a side, stop at its ends, and go over to the other side", () => {
  const { edges } = placeDown(5, 3, 400);
  /** @type {Parameters<typeof walked>[0]} */
  const start = { side: "row", anchor: 0 };
  const on = { along: 1, other: 0, shift: false };
  const first = walked(start, NOTHING, on, edges);
  assert.deepEqual(first.units, [0], "the first step comes to the first token");
  const last = walked(start, { rows: [4], columns: [] }, on, edges);
  assert.deepEqual(last.units, [4]);
  const over = walked(start, NOTHING, { along: 0, other: 1, shift: false }, edges);
  assert.equal(over.walker.side, "column");
  assert.deepEqual(walked(over.walker, { rows: [], columns: [2] }, on, edges).units, [2]);
  const back = walked(over.walker, NOTHING, { along: 0, other: -1, shift: false }, edges);
  assert.equal(back.walker.side, "row");
});

test("with Shift a group grows from where it began, and shrinks on the way back", () => {
  const { edges } = placeDown(9, 9, 400);
  /** @type {Parameters<typeof walked>[0]} */
  let walker = { side: "row", anchor: 4 };
  let rows = [4];
  const seen = [1, 1, -1].map((along) => {
    const step = walked(walker, { rows, columns: [] }, { along, other: 0, shift: true }, edges);
    walker = step.walker;
    rows = step.units;
    return rows;
  });
  assert.deepEqual(seen, [
    [4, 5],
    [4, 5, 6],
    [4, 5],
  ]);
});
