import assert from "node:assert/strict";
import test from "node:test";
import {
  carried,
  groupsIn,
  MOST_UNITS,
  middleBelow,
  stepped,
  unitsIn,
  unitsOfCell,
} from "../../explorer/instrument/numbers/depth.js";
import { ALL_IN_SIGHT, CLOSEST } from "../../explorer/instrument/numbers/viewport.js";
import { numbers } from "./longhead.js";

/** @typedef {import("../../explorer/instrument/numbers/depth.js").Depth} Depth */
/** @typedef {import("../../explorer/instrument/numbers/depth.js").Level} Level */

const GROUPS = 400;
/** @type {[number, number]} */
const SIZE = [GROUPS, GROUPS];

/** Groups of such lengths, on both sides. @param {number[]} lengths @returns {Depth} */
function depthOf(lengths) {
  /** @type {[number, number][]} */
  const ends = [];
  let at = 0;
  for (const length of lengths) {
    ends.push(length ? [at, at + length - 1] : [0, -1]);
    at += length;
  }
  const groupOf = Int32Array.from(lengths.flatMap((n, group) => new Array(n).fill(group)));
  const of = (/** @type {number} */ group) => ends[group];
  const units = { length: at };
  return {
    ...{ rows: units, columns: units, rowsOf: of, columnsOf: of },
    ...{ groupOfRow: groupOf, groupOfColumn: groupOf },
  };
}

const next = numbers(7);
const SENTENCES = Array.from({ length: GROUPS }, () => 5 + Math.floor(30 * (next() + 0.5)));
const TEXT = depthOf(SENTENCES);

/** @param {Level} level @param {number} factor @param {{row?: number, column?: number}} around */
const step = (level, factor, around = {}) => stepped(level, factor, around, SIZE, TEXT);

/** @type {Level} */
const FAR = { deep: false, sight: ALL_IN_SIGHT };

test("zooming leads from the whole to single weights, never farther at a step than asked", () => {
  let level = FAR;
  let spans = TEXT.rows.length;
  for (let i = 0; i < 40; i++) {
    level = step(level, 1.5, level.deep ? {} : { row: 100, column: 300 });
    const units = level.deep ? level.sight.count : spanOf(level);
    assert.ok(units <= spans * 1.2, "it only comes nearer, but for groups of other lengths");
    assert.ok(units > spans / 3, `from ${spans} units to ${units} in one step`);
    spans = units;
    if (i === 2) assert.equal(level.deep, false, "far away there are groups");
  }
  assert.ok(level.deep);
  assert.equal(level.sight.count, CLOSEST);
});

/** The units in sight of a map. @param {Level} level */
function spanOf({ sight: { row, column, count } }) {
  const seen = { top: row, bottom: row + count, left: column, right: column + count };
  const { top, bottom, left, right } = unitsIn(TEXT, seen);
  return Math.max(bottom - top, right - left);
}

test("the level turns once the units in sight are few, and what is pointed at stays there", () => {
  const sight = { row: 100, column: 200, count: 30 };
  const around = { row: 112, column: 223 };
  const level = step({ deep: false, sight }, 1.25, around);
  assert.ok(level.deep && level.sight.count <= MOST_UNITS);
  const share = (/** @type {number} */ i, /** @type {number} */ first, /** @type {number} */ n) =>
    (i - first) / n;
  for (const side of /** @type {const} */ (["row", "column"])) {
    const [first, last] = TEXT.rowsOf(around[side]);
    const after = share((first + last + 1) / 2, level.sight[side], level.sight.count);
    const before = share(around[side] + 0.5, sight[side], sight.count);
    assert.ok(Math.abs(after - before) < 0.01, `${side}: ${before} became ${after}`);
  }
});

test("there and back the same groups are in sight", () => {
  const sight = { row: 100, column: 200, count: 30 };
  let level = step({ deep: false, sight }, 1.25);
  assert.ok(level.deep);
  const below = groupsIn(TEXT, level.sight);
  assert.ok(below.top > 99 && below.bottom < 131 && below.left > 199 && below.right < 231);
  for (let i = 0; i < 20 && level.deep; i++) level = step(level, 1 / 1.25);
  assert.equal(level.deep, false);
  const middle = [level.sight.row, level.sight.column].map((at) => at + level.sight.count / 2);
  const off = [middle[0] - 115, middle[1] - 215].map(Math.abs);
  assert.ok(Math.max(...off) <= 6, `the middle is off by ${off} of ${level.sight.count} groups`);
});

test("at the units' level no more than can be told apart come into sight at once", () => {
  let level = step({ deep: false, sight: { row: 50, column: 50, count: 10 } }, 1.5);
  while (level.deep) {
    assert.ok(level.sight.count <= MOST_UNITS);
    level = step(level, 0.7);
  }
  assert.ok(level.sight.count >= 20, "then the groups take their place");
});

test("the whole is the whole map, from wherever one is", () => {
  const deep = { deep: true, sight: { row: 3000, column: 10, count: 100 } };
  assert.deepEqual(step(deep, 0), { deep: false, sight: { row: 0, column: 0, count: GROUPS } });
  assert.equal(step(FAR, 0).sight.count, GROUPS);
});

test("where nothing lies below a map it zooms as maps do", () => {
  const near = stepped(FAR, 1000, {}, SIZE, null);
  assert.deepEqual([near.deep, near.sight.count], [false, CLOSEST]);
  assert.equal(stepped(near, 1.5, {}, SIZE, null).deep, false);
});

test("groups too long for a map's last step open on what is pointed at", () => {
  const depth = depthOf([3000, 3000, 2192]);
  const level = stepped(FAR, 1.5, { row: 1, column: 2 }, [3, 3], depth);
  assert.equal(level.deep, true);
  assert.equal(level.sight.count, MOST_UNITS);
  const { row, column, count } = level.sight;
  assert.ok(row <= 4500 && row + count > 4500, "the middle of the second is in sight");
  assert.ok(column <= 7096 && column + count > 7096);
  const back = stepped(level, 0.5, {}, [3, 3], depth);
  assert.deepEqual(back, { deep: false, sight: { row: 0, column: 0, count: 3 } });
});

test("the words of a cell open in the middle, and none where it has none", () => {
  const depth = depthOf([10, 0, 40, 10, 2]);
  const sight = unitsOfCell({ row: 2, column: 3 }, depth);
  assert.deepEqual(sight, { row: 10, column: 22, count: 40 }, "held at the text's end");
  assert.equal(unitsOfCell({ row: 1, column: 0 }, depth), null);
  assert.equal(unitsOfCell({ row: 4, column: 4 }, depth)?.count, CLOSEST);
});

test("the frame on the map goes round the groups whose units are in sight, and parts of them", () => {
  const depth = depthOf([10, 20, 10]);
  const at = groupsIn(depth, { row: 5, column: 10, count: 15 });
  assert.ok(Math.abs(at.top - 0.5) < 1e-9 && Math.abs(at.bottom - 1.5) < 1e-9);
  assert.ok(Math.abs(at.left - 1) < 1e-9 && Math.abs(at.right - 1.75) < 1e-9);
});

test("a place of the map's corner becomes the middle of the units in sight", () => {
  const depth = depthOf([10, 20, 10]);
  const sight = middleBelow({ row: 0, column: 0, count: 8 }, 0.5, 5 / 6, [3, 3], depth);
  assert.deepEqual(sight, { row: 31, column: 16, count: 8 });
});

test("units that no group has are passed by", () => {
  const depth = depthOf([10, 20, 10]);
  depth.groupOfRow = depth.groupOfRow.slice();
  depth.groupOfRow.fill(-1, 0, 10);
  const at = groupsIn(depth, { row: 2, column: 2, count: 4 });
  assert.ok(at.top >= 1 && at.bottom >= 1 && at.left === 0.2);
});

test("among words one is where one was among tokens, and back again", () => {
  const units = (/** @type {number} */ size) =>
    Array.from({ length: 3000 / size }, (_, i) => ({
      tokens: Array.from({ length: size }, (_, at) => size * i + at),
    }));
  const side = (/** @type {number} */ size) => ({ rows: units(size), columns: units(size) });
  const [tokens, words] = [side(1), side(3)];
  const sight = { row: 1200, column: 2940, count: 60 };
  const among = carried(sight, tokens, words);
  assert.deepEqual(among, { row: 400, column: 980, count: 20 });
  const back = carried(among, words, tokens);
  const off = [back.row - sight.row, back.column - sight.column].map(Math.abs);
  assert.ok(back.count === 60 && Math.max(...off) <= 3);
  assert.equal(carried({ row: 0, column: 0, count: 9 }, tokens, words).count, CLOSEST);
});
