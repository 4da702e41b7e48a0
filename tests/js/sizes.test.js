// When is drawn what has got another width.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createRedraw } from "../../explorer/instrument/pages/sizes.js";

/** @typedef {() => void} Act */

/** Boxes whose drawings are told, and frames that pass when the test says so. */
function house() {
  /** @type {Act[]} */
  let next = [];
  /** @type {string[]} */
  const drawn = [];
  const redraw = createRedraw((act) => next.push(act));
  const frame = () => {
    const acts = next;
    next = [];
    for (const act of acts) act();
    return drawn.splice(0);
  };
  const draws = (/** @type {string} */ name) => () => drawn.push(name);
  return { redraw, frame, draws };
}

test("what has got another width is drawn in the next frame, and once", () => {
  const { redraw, frame, draws } = house();
  redraw.watch("grid", draws("grid"), 300);
  redraw.watch("heat", draws("heat"), 400);
  redraw.changed("grid", 310);
  redraw.changed("grid", 320);
  redraw.changed("heat", 400); // only its height is another
  assert.deepEqual(frame(), ["grid"]);
  assert.deepEqual(frame(), []);
});

test("boxes that one hand draws are drawn together", () => {
  const { redraw, frame, draws } = house();
  const both = draws("both");
  redraw.watch("left", both, 100);
  redraw.watch("right", both, 100);
  redraw.changed("left", 90);
  redraw.changed("right", 80);
  assert.deepEqual(frame(), ["both"]);
});

test("a drawing that changes the width by itself settles at the smaller one", () => {
  const { redraw, frame } = house();
  let width = 1000;
  /** @type {number[]} */
  const widths = [];
  // Drawn for 1000 it is so tall that a scroll bar takes 15 of them; drawn for 985 it is not.
  const draw = () => {
    widths.push(width);
    width = width === 1000 ? 985 : 1000;
    redraw.changed("page", width);
  };
  redraw.watch("page", draw, 0);
  redraw.changed("page", width);
  for (let i = 0; i < 20; i++) frame();
  assert.deepEqual(widths, [1000, 985]);
});

test("a hand may make a box narrow and wide again", () => {
  const { redraw, frame, draws } = house();
  redraw.watch("heat", draws("heat"), 600);
  redraw.changed("heat", 400);
  assert.deepEqual(frame(), ["heat"]);
  frame();
  frame();
  redraw.changed("heat", 600);
  assert.deepEqual(frame(), ["heat"]);
});

test("nothing is drawn of what has been left", () => {
  const { redraw, frame, draws } = house();
  redraw.watch("flow", draws("flow"), 600);
  redraw.changed("flow", 400);
  redraw.leave("flow");
  redraw.changed("flow", 500);
  assert.deepEqual(frame(), []);
});
