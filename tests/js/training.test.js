import assert from "node:assert/strict";
import test from "node:test";
import {
  frameAt,
  headWeights,
  merge,
  showFrame,
  unpack,
} from "../../explorer/instrument/numbers/data.js";
import { fromParams, START, toParams } from "../../explorer/instrument/numbers/view.js";
import { floats, payload, token } from "./trace.js";

/** One layer, one head, two tokens; three frames. */
const training = {
  ...{ task: "Copy", says: "", length: 2, until: 30, causal: false },
  steps: [0, 10, 30],
  loss: [2, 1, 0.5],
  accuracy: [0.1, 0.5, 1],
  chance: 0.1,
  best: null,
  near: [{ name: "x", heads: [[0], [0.5], [1]] }],
  ideals: ["x"],
  answers: [
    ["a", "a"],
    ["a", "b"],
    ["b", "b"],
  ],
  right: [null, "a"],
  ...{ begun: "a", written: ["a", "b", "b"] },
};
const head = {
  ...{ id: "t", title: "m", numbers: [0], n_heads: 1, texts: ["a b"], n_cut: [0] },
  ...{ query_tokens: [token("a"), token("b")], key_tokens: null, thumb: [1, 1] },
  ...{ opening: null, link: null, training },
};
const frames = [0.5, 0.5, 0.5, 0.5, 0.75, 0.25, 0.5, 0.5, 1, 0, 0, 1];
const bytes = payload(
  head,
  [0],
  [0],
  [
    [{ kind: "training", shape: [3, 1, 1, 2, 2] }, floats(frames)],
    [{ kind: "ideals", shape: [1, 2, 2] }, floats([0, 0, 1, 0])],
  ],
);

test("a training's frame is shown as the layers of its trace", () => {
  const trace = unpack(bytes);
  frames.forEach((_, i) => {
    if (i % 4) return;
    showFrame(trace, i / 4);
    assert.deepEqual([...(headWeights(trace, 0, 0) ?? [])], frames.slice(i, i + 4));
  });
});

test("a step stands for the first frame at or after it, none for the last", () => {
  assert.deepEqual(
    [0, 1, 10, 11, 99, null].map((step) => frameAt(training, step)),
    [0, 1, 1, 2, 2, 2],
  );
});

test("a longer training takes the place of a shorter one", () => {
  const old = unpack(bytes);
  const next = unpack(bytes);
  const longer = next.training;
  merge(next, old);
  assert.equal(next.training, longer);
});

test("the step survives the way through a link, and the last one is not named", () => {
  const view = { ...START, step: 30 };
  assert.deepEqual(fromParams(START, new URLSearchParams(toParams(view))), view);
  assert.equal(toParams(START).step, undefined);
});
