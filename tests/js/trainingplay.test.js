import assert from "node:assert/strict";
import test from "node:test";
import {
  createPlayer,
  frameUnder,
  nearest,
  sentenceOfFrame,
  stepOf,
} from "../../explorer/instrument/numbers/trainingplay.js";

/** A training on a clock that is turned by hand. @param {{now: number, last: number} | null} training */
function played(training) {
  /** @type {(() => void) | null} */
  let tick = null;
  /** @type {number[]} */
  const turned = [];
  /** @type {boolean[]} */
  const told = [];
  const clock = {
    every: (/** @type {() => void} */ act) => {
      tick = act;
      return 7;
    },
    stop: (/** @type {number} */ id) => {
      if (id === 7) tick = null;
    },
  };
  const player = createPlayer(
    clock,
    () => training,
    (frame) => turned.push(frame),
    (playing) => told.push(playing),
  );
  return { player, turned, told, tick: () => tick?.(), runs: () => tick !== null };
}

test("a training plays from where it stands to its last frame, and stops there", () => {
  const { player, turned, told, tick, runs } = played({ now: 1, last: 3 });
  player.toggle();
  for (let i = 0; i < 5; i++) tick();
  assert.deepEqual(turned, [1, 2, 3]);
  assert.deepEqual(told, [true, false]);
  assert.equal(runs(), false);
});

test("a training that stands at its end plays from the beginning", () => {
  const { player, turned, tick } = played({ now: 3, last: 3 });
  player.toggle();
  tick();
  assert.deepEqual(turned, [0, 1]);
});

test("a second press on play pauses, a third goes on", () => {
  const training = { now: 0, last: 9 };
  const { player, turned, tick, runs } = played(training);
  player.toggle();
  tick();
  player.toggle();
  assert.equal(runs(), false);
  training.now = 1;
  player.toggle();
  tick();
  assert.deepEqual(turned, [0, 1, 1, 2]);
});

test("a training that grows while it plays is played to its new end", () => {
  const training = { now: 0, last: 1 };
  const { player, turned, tick, runs } = played(training);
  player.toggle();
  training.last = 2;
  tick();
  assert.equal(runs(), true);
  tick();
  assert.deepEqual(turned, [0, 1, 2]);
  assert.equal(runs(), false);
});

test("where there is no training nothing plays", () => {
  const { player, turned, told } = played(null);
  player.toggle();
  assert.deepEqual([turned, told], [[], [false]]);
});

test("the last frame stands for no step, so that it stays the last as the training goes on", () => {
  assert.deepEqual(
    [0, 1, 2, 9].map((frame) => stepOf([0, 10, 30], frame)),
    [0, 10, null, null],
  );
});

test("a place on the curves is the frame nearest to it, also beside them", () => {
  assert.deepEqual(
    [-0.2, 0, 0.3, 0.6, 1, 1.4].map((share) => frameUnder(share, 3)),
    [0, 0, 1, 1, 2, 2],
  );
});

// Two layers of two heads, two patterns, one frame.
const training = {
  ...{ steps: [1200], loss: [0.5], accuracy: [0.996], chance: 0.25, ideals: [], answers: [] },
  ...{ right: [], near: [] },
  near: [
    { name: "the same word", heads: [[0, 0, 0.25, 0.75]] },
    { name: "the word after", heads: [[1, 1, 0.5, 0.25]] },
  ],
};
const trace = /** @type {any} */ ({ head: { numbers: [0, 2], n_heads: 2 } });

test("the chosen heads, together, are told by the pattern that they are nearest to", () => {
  const both = { layer: 2, heads: [0, 1] };
  assert.deepEqual(nearest(training, 0, trace, both), { near: 0.5, index: 0 });
  assert.deepEqual(nearest(training, 0, trace, { layer: 2, heads: [0] }), { near: 0.5, index: 1 });
  assert.equal(
    sentenceOfFrame(training, 0, trace, both),
    "After 1,200 steps: 99.6 % of the answers on held-out sequences are right (chance 25 %), " +
      "loss 0.500. Of what layer 2’s chosen heads look at, 50 % is the same word.",
  );
});

test("of a head that was not trained nothing is said of what it looks at", () => {
  const said = sentenceOfFrame(training, 0, trace, { layer: 2, heads: [5] });
  assert.ok(said.endsWith("loss 0.500. "), said);
});
