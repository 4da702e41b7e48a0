import assert from "node:assert/strict";
import test from "node:test";
import {
  HEAD,
  isInSight,
  linksByTone,
  middleOf,
  NOWHERE,
  placesOf,
  spotAt,
  stepFrom,
  TONES,
  unitsInSight,
} from "../../explorer/instrument/numbers/pathplaces.js";

// A thousand pixels, four tokens, three layers; and a text that is longer than its window.
const few = placesOf(1000, 4, 3);
const many = placesOf(1000, 100, 3);

test("a short text is as high as its rows, a long one scrolls in a window", () => {
  assert.equal(few.height, 4 * 26 + HEAD);
  assert.equal(many.row, 18);
  assert.ok(many.height < 100 * many.row);
});

test("a narrow picture keeps room for its words", () => {
  assert.equal(placesOf(300, 4, 3).left, 92);
  assert.equal(few.left, 160);
});

test("pointing at the middle of a unit finds it, scrolled or not", () => {
  for (const scrolled of [0, 90]) {
    for (const spot of [
      { level: 1, unit: 7 },
      { level: 3, unit: 12 },
    ]) {
      const [x, y] = middleOf(many, scrolled, spot);
      assert.deepEqual(spotAt(many, scrolled, 3, x, y), spot);
    }
  }
});

test("the input cannot be followed: pointing at it is pointing at the first layer's output", () => {
  const [x, y] = middleOf(few, 0, { level: 0, unit: 2 });
  assert.deepEqual(spotAt(few, 0, 3, x, y), { level: 1, unit: 2 });
});

test("neither the names of the levels nor what is below the text is a unit", () => {
  assert.equal(spotAt(many, 50, 3, 500, HEAD - 1), null);
  assert.equal(spotAt(few, 0, 3, 500, few.height + 1), null);
  assert.equal(spotAt(NOWHERE, 0, 1, 0, 30), null);
});

test("the first arrow key begins at the first output, the next ones walk and stop at the ends", () => {
  const first = stepFrom(null, 0, 0, 3, 4).spot;
  assert.deepEqual(first, { level: 3, unit: 0 });
  assert.deepEqual(stepFrom(first, -1, 1, 3, 4).spot, { level: 2, unit: 1 });
  assert.deepEqual(stepFrom(first, 1, -1, 3, 4).spot, first);
  assert.deepEqual(stepFrom({ level: 1, unit: 3 }, -1, 1, 3, 4), {
    spot: { level: 1, unit: 3 },
    sought: 3,
  });
});

test("a unit is in sight only as a whole, and those that touch the window are painted", () => {
  assert.equal(isInSight(many, 0, 0), true);
  assert.equal(isInSight(many, 1, 0), false);
  const last = Math.floor((many.height - HEAD) / many.row);
  assert.equal(isInSight(many, 0, last - 1), true);
  assert.equal(isInSight(many, 0, last), false);
  assert.equal(unitsInSight(many, 19)[0], 1);
});

test("the faintest links are painted first, and what passes out of sight is not", () => {
  const links = [
    { layer: 0, from: 0, to: 0, flow: 1 },
    { layer: 0, from: 1, to: 0, flow: 0.0001 },
    { layer: 0, from: 9, to: 8, flow: 0.5 },
    { layer: 0, from: 9, to: 0, flow: 1 }, // crosses the window
  ];
  const found = linksByTone(links, [0, 4]);
  assert.deepEqual(found, [
    [1, [links[1]]],
    [TONES, [links[0], links[3]]],
  ]);
});
