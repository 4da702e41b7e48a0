import assert from "node:assert/strict";
import test from "node:test";
import {
  createPlayer,
  frameUnder,
  nearest,
  sentenceHere,
  sentenceOfFrame,
  shareOnIdeal,
  stepOf,
  taskWords,
  weightsAt,
} from "../../explorer/instrument/numbers/trainingplay.js";
import { token } from "./trace.js";

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
  ...{ task: "Find", says: "", length: 3, until: 1500, causal: false },
  ...{ steps: [1200], loss: [0.5], accuracy: [0.996], chance: 0.25, ideals: [] },
  best: null,
  ...{ answers: [["a", "b", "c"]], right: [null, "b", "b"] },
  ...{ begun: "", written: [] },
  near: [
    { name: "the same word", heads: [[0, 0, 0.25, 0.75]] },
    { name: "the word after", heads: [[1, 1, 0.5, 0.25]] },
  ],
};
const tokens = (/** @type {string} */ text) => [...text].map((one) => token(one));
const trace = /** @type {any} */ ({
  head: { numbers: [0, 2], n_heads: 2, query_tokens: tokens("abc"), key_tokens: tokens("abc") },
});

test("the chosen heads, together, are told by the pattern that they are nearest to", () => {
  const both = { layer: 2, heads: [0, 1] };
  const known = { ...training, best: { accuracy: 0.62, loss: 0.9 } };
  assert.match(sentenceOfFrame(known, 0, trace, both), /\(chance 25 %, best possible 62 %\)/);
  assert.deepEqual(nearest(training, 0, trace, both), { near: 0.5, index: 0 });
  assert.deepEqual(nearest(training, 0, trace, { layer: 2, heads: [0] }), { near: 0.5, index: 1 });
  assert.equal(
    sentenceOfFrame(training, 0, trace, both),
    "After 1,200 steps: 99.6 % of the answers on held-out sequences of 3 tokens are right " +
      "(chance 25 %), loss 0.500. Of what L2·H0, H1 look at there, 50 % is the same word " +
      "(a mean over the rows that have one). " +
      "In this sequence 1 of 2 are right.",
  );
});

test("of a head that was not trained nothing is said of what it looks at", () => {
  const said = sentenceOfFrame(training, 0, trace, { layer: 2, heads: [5] });
  assert.ok(said.endsWith("loss 0.500. In this sequence 1 of 2 are right."), said);
});

test("what is asked and what is learned is said in a sentence each", () => {
  assert.match(
    taskWords({ says: "Name it." }),
    /^Name it\. What is learned: each step changes W_Q/,
  );
  assert.match(taskWords({ says: "" }), /^What is learned: .* so that the loss falls\.$/);
});

test("one step is no steps", () => {
  const said = sentenceOfFrame({ ...training, steps: [1] }, 0, trace, { layer: 0, heads: [0] });
  assert.ok(said.startsWith("After 1 step: "), said);
});

test("before the first step it is said that random weights are noise", () => {
  const untrained = { ...training, steps: [0] };
  const said = sentenceOfFrame(untrained, 0, trace, { layer: 0, heads: [0] });
  assert.ok(said.startsWith("After 0 steps: random weights, nothing but noise."), said);
});

test("a sequence of another length is told what lengths were learned from, a special token aside", () => {
  const head = { ...trace.head, query_tokens: [token("^", { special: true }), ...tokens("ab")] };
  assert.equal(
    sentenceHere(training, 0, { head }),
    "In this sequence 1 of 2 are right; it has only seen sequences of 3 tokens, and this one has 2.",
  );
  const able = { ...training, right: [null, "b", "c"] };
  assert.equal(
    sentenceHere(able, 0, { head }),
    "In this sequence 2 of 2 are right, though it has only seen sequences of 3 tokens, and this one has 2.",
  );
  const nothing = { ...training, right: [null, null, null] };
  assert.equal(sentenceHere(nothing, 0, trace), "In this sequence nothing is asked for.");
});

test("the picture of a step is the chosen head's own, of several their mean or the largest", () => {
  const head = { ...trace.head, query_tokens: tokens("ab"), key_tokens: tokens("ab") };
  // Two frames of two layers of two heads: in each the weights of the head follow from its place.
  const weights = Float32Array.from({ length: 2 * 4 * 4 }, (_, i) => i);
  const film = { ...training, weights, wanted: new Float32Array() };
  const seen = (/** @type {number} */ frame, /** @type {number[]} */ heads, combine = "mean") => [
    ...weightsAt(film, frame, { head }, /** @type {any} */ ({ layer: 2, heads, combine })),
  ];
  assert.deepEqual(seen(0, [1]), [12, 13, 14, 15]);
  assert.deepEqual(seen(1, [0]), [24, 25, 26, 27]);
  assert.deepEqual(seen(1, [0, 1]), [26, 27, 28, 29]);
  assert.deepEqual(seen(1, [0, 1], "max"), [28, 29, 30, 31]);
});

test("the share of a picture on the ideal is the mean over the rows that want something", () => {
  const weights = Float32Array.of(0.75, 0.25, 0.5, 0.5);
  assert.equal(shareOnIdeal(weights, Float32Array.of(1, 0, 0, 0), 2), 0.75);
  assert.equal(shareOnIdeal(weights, Float32Array.of(1, 0, 0, 1), 2), 0.625);
  assert.equal(shareOnIdeal(weights, new Float32Array(4), 2), null);
});
