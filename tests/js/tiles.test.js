import assert from "node:assert/strict";
import test from "node:test";
import { TILE } from "../../explorer/instrument/numbers/tile.js";
import {
  assembled,
  createShelf,
  fillHoles,
  shareOf,
  tilesIn,
} from "../../explorer/instrument/numbers/tiles.js";

/** @typedef {import("../../explorer/instrument/numbers/tile.js").Place} Place */

const SIDE = 3 * TILE + 40; // of a picture whose last tiles are smaller
const weightAt = (/** @type {number} */ row, /** @type {number} */ column) => row + column / 1024;

/** @param {Place} place */
function tileAt({ row, column }) {
  const tall = Math.min(TILE, SIDE - row * TILE);
  const wide = Math.min(TILE, SIDE - column * TILE);
  return Float32Array.from({ length: tall * wide }, (_, i) =>
    weightAt(row * TILE + Math.floor(i / wide), column * TILE + (i % wide)),
  );
}

/** @param {Place[]} places */
const names = (places) => places.map(({ row, column }) => `${row}.${column}`);

test("the tiles that hold what is in sight are wanted and no others", () => {
  const one = tilesIn({ top: TILE, bottom: 2 * TILE, left: 0, right: TILE });
  assert.deepEqual(names(one), ["1.0"]);
  const across = tilesIn({ top: TILE - 1, bottom: TILE + 1, left: 5, right: 6 });
  assert.deepEqual(names(across).sort(), ["0.0", "1.0"]);
});

test("the tile nearest to the middle comes first", () => {
  const [first, ...others] = names(tilesIn({ top: 0, bottom: 5 * TILE, left: 0, right: 5 * TILE }));
  assert.equal(first, "2.2");
  assert.ok(["0.0", "0.4", "4.0", "4.4"].includes(others[others.length - 1]));
});

test("what is in sight is put together of its tiles, cell by cell, also at the picture's end", () => {
  const at = { top: 100, bottom: SIDE, left: 250, right: SIDE };
  const { weights, holes } = assembled(at, SIDE, tileAt);
  assert.deepEqual(holes, []);
  for (let r = at.top; r < at.bottom; r++) {
    for (let c = at.left; c < at.right; c++) {
      const found = weights[(r - at.top) * (at.right - at.left) + c - at.left];
      assert.equal(found, Math.fround(weightAt(r, c)));
    }
  }
});

test("memory that is used again shows nothing of what was in it", () => {
  const room = new Float32Array(SIDE * SIDE).fill(-7);
  const at = { top: 0, bottom: TILE, left: 0, right: 2 * TILE };
  const only = (/** @type {Place} */ place) => (place.column ? undefined : tileAt(place));
  const { weights, holes } = assembled(at, SIDE, only, room);
  assert.deepEqual(holes, [{ top: 0, bottom: TILE, left: TILE, right: 2 * TILE }]);
  assert.equal(weights.length, 2 * TILE * TILE);
  assert.ok(!weights.includes(-7));
});

test("while a part is empty the percentile is that of the rest", () => {
  const hole = { top: 0, bottom: 50, left: 0, right: 100 };
  const patch = { weights: new Float32Array(100 * 100), holes: [hole] };
  assert.ok(Math.abs(shareOf(patch) - 0.99) < 1e-12, "2 % of a half are 1 % of the whole");
  assert.ok(Math.abs(shareOf({ ...patch, holes: [] }) - 0.98) < 1e-12);
});

test("a hole shows the colours of the groups that its units are of, and nothing where there is none", () => {
  const at = { top: 10, bottom: 12, left: 20, right: 23 };
  const weights = new Float32Array(6);
  const hole = { top: 10, bottom: 12, left: 21, right: 23 };
  const groupOfRow = new Int32Array(30).fill(-1);
  groupOfRow[10] = 1; // the group of row 11 is left out
  const groupOfColumn = Int32Array.from({ length: 30 }, (_, c) => (c < 22 ? 0 : 1));
  const map = {
    ...{ weights: Float32Array.of(9, 9, 0.25, 0.5), nColumns: 2, tops: Float32Array.of(1, 0.5) },
    ...{ groupOfRow, groupOfColumn },
  };
  fillHoles({ weights, holes: [hole] }, at, Float32Array.of(0.1, 0.1), map);
  const shares = [...weights].map((weight) => Number((weight / 0.1).toFixed(6)));
  assert.deepEqual(shares, [0, 0.5, 1, 0, 0, 0]);
});

test("beyond the room for tiles those used longest ago go", () => {
  const shelf = createShelf(3 * 400);
  const tile = () => new Float32Array(100);
  for (const name of ["a", "b", "c"]) shelf.put(name, tile());
  assert.ok(shelf.get("a"), "used again");
  shelf.put("d", tile());
  assert.deepEqual(
    ["a", "b", "c", "d"].map((name) => shelf.has(name)),
    [true, false, true, true],
  );
  shelf.put("d", tile());
  assert.equal(shelf.bytes(), 1200, "the same tile again takes no more room");
  shelf.put("large", new Float32Array(1000));
  assert.ok(shelf.has("large"), "one tile is always there");
  assert.equal(shelf.bytes(), 4000);
});
