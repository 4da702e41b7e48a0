import assert from "node:assert/strict";
import test from "node:test";
import {
  dragged,
  lifted,
  moved,
  NO_HAND,
  pickedBy,
  pinched,
  pressed,
} from "../../explorer/instrument/numbers/heatpress.js";
import { ALL_IN_SIGHT } from "../../explorer/instrument/numbers/viewport.js";

/** @typedef {import("../../explorer/instrument/numbers/heatpress.js").Press} Press */

/** @param {Partial<Press>} rest @returns {Press} */
const press = (rest) => ({
  ...{ x: 0, y: 0, part: ALL_IN_SIGHT, cell: { row: 2, column: 5 } },
  ...{ does: "block", moved: false },
  ...rest,
});

/** Two fingers that are so far apart. @param {number} apart */
const two = (apart) => pressed(pressed(NO_HAND, 1, press({})), 2, press({ x: apart }));

test("a click picks its cell, and with Shift adds it", () => {
  const cell = { row: 3, column: 4 };
  assert.deepEqual(pickedBy(press({}), cell, false), { rows: [3], columns: [4], add: false });
  assert.deepEqual(pickedBy(null, cell, true), { rows: [3], columns: [4], add: true });
  assert.deepEqual(pickedBy(press({ does: "pan" }), cell, false)?.rows, [3]);
  assert.equal(pickedBy(press({}), null, false), null, "beside the plot");
});

test("a drag picks the block between its ends, whichever way it went", () => {
  const picked = pickedBy(press({ moved: true }), { row: 0, column: 7 }, true);
  assert.deepEqual(picked, { rows: [0, 1, 2], columns: [5, 6, 7], add: false });
  assert.equal(pickedBy(press({ moved: true, cell: null }), { row: 0, column: 7 }, false), null);
});

test("moving what is zoomed, and pointing into the corner, pick nothing", () => {
  const cell = { row: 3, column: 4 };
  assert.equal(pickedBy(press({ does: "pan", moved: true }), cell, false), null);
  assert.equal(pickedBy(press({ does: "overview" }), cell, false), null);
});

test("a press becomes a drag beyond four pixels, and stays one on the way back", () => {
  const near = dragged(press({}), { x: 0, y: 4 });
  assert.equal(near.moved, false);
  const far = dragged(near, { x: 3, y: 4 });
  assert.equal(far.moved, true);
  assert.equal(dragged(far, { x: 0, y: 0 }).moved, true);
});

test("two fingers zoom by how much farther apart they are, around their middle", () => {
  const first = pinched(two(100));
  assert.equal(first.factor, null, "they have only come down");
  const little = pinched(moved(first.hand, 2, { x: 110, y: 0 }));
  assert.equal(little.factor, null);
  const much = pinched(moved(little.hand, 2, { x: 150, y: 0 }));
  assert.ok(much.factor !== null);
  assert.equal(much.factor, 1.5);
  assert.deepEqual(much.middle, { x: 75, y: 0 });
  const back = pinched(moved(much.hand, 2, { x: 75, y: 0 }));
  assert.equal(back.factor, 0.5, "measured from where they last zoomed");
});

test("two fingers end a press, and a new one that comes down measures anew", () => {
  const { hand } = pinched(two(100));
  assert.equal(hand.press, null);
  assert.equal(pressed(hand, 2, press({ x: 300 })).spread, 0);
});

test("a finger that is gone counts no more, and one that never came down never does", () => {
  const one = lifted(two(100), 1);
  assert.deepEqual([...one.fingers.keys()], [2]);
  assert.ok(one.press, "a press is over with the click and not before");
  assert.equal(moved(one, 1, { x: 9, y: 9 }), one);
  assert.equal(NO_HAND.fingers.size, 0);
});
