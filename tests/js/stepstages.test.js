// The stages that only some layers have, against cases worked by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  allRows,
  around,
  normAt,
  normSum,
  ownRules,
  pairOf,
  rowFrom,
  turnAt,
} from "../../explorer/instrument/numbers/layertrace.js";
import {
  STAGES,
  saidOf,
  stageIn,
  stagesOf,
  stageThere,
} from "../../explorer/instrument/numbers/stages.js";
import { picturesOf } from "../../explorer/instrument/numbers/steppictures.js";
import {
  asked,
  atStage,
  BEGIN,
  linkOf,
  onLayerTrace,
  remembering,
  shotOf,
} from "../../explorer/instrument/numbers/stepstate.js";
import { madeOf } from "../../explorer/instrument/numbers/stepsums.js";
import {
  checkSentence,
  degrees,
  positionSentence,
  rowLines,
  stageSentence,
} from "../../explorer/instrument/numbers/stepwords.js";
import { layerOf } from "./layertraces.js";
import { token } from "./trace.js";

/** @typedef {import("../../explorer/instrument/numbers/stages.js").StageId} StageId */

const named = (/** @type {string} */ words) =>
  words.split(" ").map((text, i) => token(text, { span: [i, i + 1], word: i }));
const near = (/** @type {number} */ a, /** @type {number} */ b) =>
  assert.ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}`);

/** Two tokens, two numbers: q0·k = [2, 0], q1·k = [0, 4]; what a test lays over it. @param {Record<string, any>} more @param {Record<string, Float32Array>} [arrays] */
const layer = (more, arrays = {}) =>
  layerOf(
    named("a b"),
    2,
    {
      q: Float32Array.of(1, 0, 0, 2),
      k: Float32Array.of(2, 0, 0, 2),
      v: Float32Array.of(1, 0, 0, 1),
      w_o: Float32Array.of(1, 0, 0, 1),
      weights: new Float32Array(4),
      x: Float32Array.of(1, 2, 3, 4),
      output: new Float32Array(4),
      ...arrays,
    },
    more,
  );

/** @param {import("./layertraces.js").LayerTrace} trace @param {StageId} stage @param {Record<string, any>} [state] */
const shotAt = (trace, stage, state = {}) => {
  const payload = /** @type {any} */ ({ traces: [trace], note: "" });
  return shotOf(payload, { ...BEGIN, stage, ...state }, remembering());
};
const ids = (/** @type {import("./layertraces.js").LayerTrace} */ trace) =>
  stagesOf(trace).map(({ id }) => id);
const PLAIN = ["input", "qkv", "products", "scale", "mask", "softmax", "mix", "join", "output"];

test("a plain layer has the nine stages, and one with more has those where they happen", () => {
  assert.deepEqual(ids(layer({})), PLAIN);
  const all = layer({
    ...{ norm: "RMSNorm", head_norm: "RMSNorm", steps: ["norm", "turn"], pairs: [[0, 1]] },
    ...{ cap: 50, bias: "given", after: "RMSNorm" },
  });
  assert.deepEqual(
    ids(all),
    STAGES.map(({ id }) => id),
  );
});

test("a layer that turns its queries before their norm has these stages in that order", () => {
  const found = ids(layer({ steps: ["turn", "norm"], pairs: [[0, 1]], head_norm: "RMSNorm" }));
  assert.deepEqual(found.slice(1, 5), ["qkv", "turn", "headnorm", "products"]);
});

test("a layer that divides by nothing has no such stage, and one with a number of its own says it", () => {
  assert.deepEqual(
    ids(layer({ scale: 1 })),
    PLAIN.filter((id) => id !== "scale"),
  );
  const own = layer({ scale: 0.25 });
  const [stage] = stagesOf(own).filter(({ id }) => id === "scale");
  assert.equal(saidOf(stage.formula, own), "S = Q K^⊤ × 0.25");
  assert.deepEqual([...rowFrom(own, 1, ownRules(own)).scores], [0, 1]);
});

test("a stage keeps its name in a link, and one that a layer has not leads to the one before", () => {
  const all = layer({ steps: ["turn"], pairs: [[0, 1]], cap: 5 });
  for (const { id } of stagesOf(all)) {
    const params = new URLSearchParams(linkOf({ ...BEGIN, stage: id }, all));
    assert.equal(asked(BEGIN, params).stage, id);
  }
  assert.equal(linkOf({ ...BEGIN, stage: "softmax" }, all).stage, "6"); // as ever
  assert.deepEqual(["rotation", "6", "99", "nonsense", null].map(stageIn), [
    ...["turn", "softmax", "output", "input", "input"],
  ]);
  assert.equal(stageThere(layer({}), "cap"), "scale");
  assert.equal(stageThere(layer({}), "after"), "output");
  assert.equal(onLayerTrace({ ...BEGIN, stage: "turn" }, layer({})).stage, "qkv");
  assert.equal(atStage(all, 2).stage, "turn");
});

test("a cap bends scores, a bias is added behind it, and softmax is given their sum", () => {
  const trace = layer(
    { cap: 2, bias: "given", scale: 1 },
    { bias: Float32Array.of(0, 0, -1, 0.5) },
  );
  const row = rowFrom(trace, 1, ownRules(trace));
  near(row.capped[1], 2 * Math.tanh(2));
  near(row.scores[0], -1);
  near(row.scores[1], 2 * Math.tanh(2) + 0.5);
  near(row.weights[1], 1 / (1 + Math.exp(-1 - row.scores[1])));
  const lines = madeOf(shotAt(trace, "bias", { query: 1, key: 1 })).lines.map(([what]) => what);
  assert.deepEqual(lines, [
    ...["sum of 2 products: q · k", "2 · tanh(that ÷ 2)", "+ what is added"],
    "together: the score",
  ]);
  const titles = rowLines(trace, row, 1)[0];
  assert.deepEqual(titles.slice(2, 7), ["q·k", "scaled", "capped", "added", "score"]);
});

test("a sink takes a part of every row, which is said, and its power stands in the sum", () => {
  const trace = layer({ sink: 1, scale: 1 });
  const row = rowFrom(trace, 0, ownRules(trace)); // scores 2 and 0
  const all = Math.exp(2) + 1 + Math.E;
  near(row.weights[0], Math.exp(2) / all);
  near(row.weights[0] + row.weights[1], 1 - Math.E / all);
  const rest = (Math.E / all).toFixed(4);
  assert.match(stageSentence(shotAt(trace, "softmax")), new RegExp(`The sink takes ${rest}: all`));
  const { lines } = madeOf(shotAt(trace, "softmax", { key: 0 }));
  const sunk = lines.find(([what]) => what === "of that the sink’s power")?.[1];
  near(Number(sunk), Number(Math.exp(1 - 2).toPrecision(6)));
  // A sink above all scores is the row's largest: nothing overflows.
  const high = layer({ sink: 900, scale: 1 });
  near(rowFrom(high, 0, ownRules(high)).weights[0], 0);
});

test("what lies outside a window is masked, counted, and said", () => {
  const tokens = named("a b c d");
  const one = Float32Array.of(1, 1, 1, 1);
  // Each sees itself and the one before.
  const allowed = Float32Array.of(1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1);
  const more = { causal: true, window: 2 };
  const trace = layerOf(tokens, 1, { q: one, k: one, v: one, allowed }, more);
  assert.deepEqual([...rowFrom(trace, 3, ownRules(trace)).weights], [0, 0, 0.5, 0.5]);
  const said = (/** @type {number} */ query) => stageSentence(shotAt(trace, "mask", { query }));
  assert.equal(
    said(3),
    "“d” may look at 2 of 4 tokens. 2 tokens before it lie outside the window: it holds 2.",
  );
  assert.match(
    said(1),
    /2 of 4 tokens\. No token before it lies outside the window: it holds 2\.$/,
  );
  const mask = STAGES.find(({ id }) => id === "mask");
  assert.match(mask?.text(trace, true) ?? "", /^A causal mask with a window: .* at most 2 tokens,/);
});

test("a norm’s number is what is left of it without the mean, by the spread, with gain and shift", () => {
  const arrays = {
    norm_read: Float32Array.of(1, 3, 0, 4),
    norm_gave: Float32Array.of(-1.5, 2.5, -1.5, 2.5),
    norm_scale: Float32Array.of(1, 2),
    norm_mean: Float32Array.of(2, 2),
    norm_gain: Float32Array.of(2, 2),
    norm_shift: Float32Array.of(0.5, 0.5),
  };
  const trace = layer({ norm: "LayerNorm" }, arrays);
  for (const i of [0, 1])
    for (const c of [0, 1]) {
      const one = normAt(trace, "norm", i, c);
      near(normSum(one), one.gave);
    }
  const made = madeOf(shotAt(trace, "norm", { query: 1, cell: { of: "x", c: 1 } }));
  assert.deepEqual(made.lines, [
    ["before", "4"],
    ["− the mean, 2", "2"],
    ["÷ σ, 2", "1"],
    ["× the gain of this place, 2", "2"],
    ["+ its shift, 0.5", "2.5"],
    ["the model’s own number", "2.5"],
    ["difference", "0.0e+0"],
  ]);
  assert.match(
    stageSentence(shotAt(trace, "norm", { query: 1 })),
    /The mean .* 2\.000.* by 2\.000/,
  );
  // The input of such a layer is what comes before the norm.
  assert.equal(picturesOf(shotAt(trace, "input"), 400)[0].name, "H of all tokens");
});

/** Turned by a right angle at position 1, by none at 0. */
const TURNED = layer(
  { steps: ["turn"], pairs: [[0, 1]] },
  {
    q_mapped: Float32Array.of(1, 0, 2, 0),
    k_mapped: Float32Array.of(2, 0, 2, 0),
    cos: Float32Array.of(1, 0),
    sin: Float32Array.of(0, 1),
  },
);

test("a pair of numbers is turned by the angle of its position, and its sum is written out", () => {
  assert.deepEqual([...around(TURNED, "q", "turn")[0]], [1, 0, 2, 0]);
  assert.deepEqual(pairOf(TURNED, 1), { at: 0, places: [0, 1], second: true });
  near(turnAt(TURNED, 1, 0).angle, Math.PI / 2);
  const made = madeOf(shotAt(TURNED, "turn", { query: 1, key: 0, cell: { of: "q", c: 1 } }));
  assert.deepEqual(made.lines, [
    ["φ at position 1, in radians", "1.5708"],
    ["0 × 0 + 2 × 1", "2"],
    ["the model’s own number", "2"],
    ["difference", "0.0e+0"],
  ]);
  assert.equal(
    stageSentence(shotAt(TURNED, "turn", { query: 1, key: 0 })),
    "“b” and “a”, 1 position apart: places 0 and 1 are turned by 90.00° and 0.000°; only the difference, 90.00°, is in their product.",
  );
  assert.equal(degrees(Math.PI * 1.5), "−90.00°");
  assert.match(positionSentence(shotAt(TURNED, "input"), null), /turns its queries and keys/);
});

test("a place that is turned with no other stays as it is, and says so", () => {
  const arrays = { ...TURNED.of, cos: new Float32Array(0), sin: new Float32Array(0) };
  const trace = { ...TURNED, pairs: /** @type {[number, number][]} */ ([]), of: arrays };
  const made = madeOf(shotAt(trace, "turn", { query: 1, key: 0, cell: { of: "q", c: 1 } }));
  assert.deepEqual(made.lines, [["this place is turned with no other: unchanged", "2"]]);
});

test("a distance that adds to a score is told with its bucket, or with its slope", () => {
  const bias = Float32Array.of(0, 0.5, -0.5, 0);
  const table = layer(
    { bias: "buckets", scale: 1 },
    { bias, buckets: Float32Array.of(0, 17, 1, 0) },
  );
  assert.equal(
    stageSentence(shotAt(table, "bias", { query: 1, key: 0 })),
    "“b” with “a”: a key 1 position earlier is in bucket 1, which adds −0.500; the score becomes −0.500.",
  );
  const slope = layer({ bias: "slope", slope: 0.5, scale: 1 }, { bias });
  assert.match(
    stageSentence(shotAt(slope, "bias", { query: 1, key: 0 })),
    /−0\.500 is added, 0\.500 more with each position; the score becomes −0\.500\.$/,
  );
  assert.match(positionSentence(shotAt(slope, "input"), null), /a number for each distance/);
});

test("heads that share their keys are named", () => {
  const qkv = STAGES.find(({ id }) => id === "qkv");
  const shared = qkv?.text(layer({ n_heads: 4, beside: [2, 3], layer: 5 }), false) ?? "";
  assert.match(shared, /2 heads share one map for keys and one for values: L5·H2, L5·H3\./);
  assert.doesNotMatch(qkv?.text(layer({}), false) ?? "", /share/);
});

test("in cross-attention keys are those of the other text: in rows, sums and tables", () => {
  const keys = named("x y z");
  const arrays = {
    k: Float32Array.of(2, 0, 0, 2, 1, 1),
    v: Float32Array.of(1, 0, 0, 1, 1, 1),
    x_keys: Float32Array.of(1, 0, 0, 1, 5, 6),
    w_k: Float32Array.of(1, 0, 0, 1),
    weights: new Float32Array(6),
  };
  const trace = layer({ keys }, arrays);
  assert.equal(rowFrom(trace, 0, ownRules(trace)).weights.length, 3);
  const key = madeOf(shotAt(trace, "qkv", { key: 2, cell: { of: "k", c: 1 } }));
  assert.equal(key.title, "Place 1 of the key of “z”");
  assert.equal(key.lines[0][1], "6");
  const [square] = picturesOf(shotAt(trace, "products"), 800);
  assert.deepEqual([square.rows, square.columns], [2, 3]);
  assert.deepEqual(square.columnNames, ["x", "y", "z"]);
  const lines = rowLines(trace, rowFrom(trace, 0, ownRules(trace)), 0);
  assert.deepEqual(
    lines.slice(1).map((line) => line[1]),
    ["x", "y", "z"],
  );
  assert.match(checkSentence(trace, allRows(trace, ownRules(trace))), /all 6 weights/);
});

test("every stage of a score has its pictures, whatever the layer has beside", () => {
  const kinds = [layer({}), TURNED, layer({ cap: 3 }), layer({ sink: 1 })];
  for (const trace of kinds)
    for (const { id } of stagesOf(trace)) {
      if (["input", "qkv", "join", "output"].includes(id)) continue; // of arrays not given here
      assert.ok(picturesOf(shotAt(trace, id), 800).length > 0, id);
    }
});
