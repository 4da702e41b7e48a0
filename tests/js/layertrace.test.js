// A head's arithmetic against cases worked by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  added,
  allRows,
  bits,
  divisor,
  farthest,
  mixed,
  ownRules,
  placesIn,
  rowFrom,
  spreadOf,
  sumOf,
} from "../../explorer/instrument/numbers/layertrace.js";
import { STAGES } from "../../explorer/instrument/numbers/stages.js";
import { picturesOf } from "../../explorer/instrument/numbers/steppictures.js";
import { madeOf } from "../../explorer/instrument/numbers/stepsums.js";
import { productInCell, stageSentence } from "../../explorer/instrument/numbers/stepwords.js";

import { layerOf } from "./layertraces.js";

/** @param {string} text @param {number} start @returns {import("../../explorer/instrument/numbers/data.js").Token} */
const token = (text, start) => ({
  text,
  span: [start, start + 1],
  word: start,
  segment: 0,
  special: false,
});
/** @param {number} a @param {number} b */
const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

/** Two tokens, d_k = 4: q0·k = [2, 0], q1·k = [0, 4]. */
const TRACE = layerOf([token("a", 0), token("b", 2)], 4, {
  q: Float32Array.of(1, 0, 0, 0, 0, 2, 0, 0),
  k: Float32Array.of(2, 0, 0, 0, 0, 2, 0, 0),
  v: Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0),
  w_o: Float32Array.of(1, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0),
});

test("a query's weights are softmax(q k / sqrt(d_k))", () => {
  const row = rowFrom(TRACE, 0, ownRules(TRACE));
  assert.deepEqual([...row.products], [2, 0]);
  assert.deepEqual([...row.scores], [1, 0]);
  near(row.weights[0], Math.E / (Math.E + 1));
  near(row.weights[0] + row.weights[1], 1);
  near(row.total, 1 + 1 / Math.E);
});

test("without the scale and with a temperature the products are divided by something else", () => {
  assert.equal(divisor(TRACE, { scale: false, temperature: 1, causal: false }), 1);
  assert.equal(divisor(TRACE, { scale: true, temperature: 0.5, causal: false }), 1);
  const sharp = rowFrom(TRACE, 1, { scale: false, temperature: 1, causal: false });
  near(sharp.weights[1], Math.E ** 4 / (Math.E ** 4 + 1));
});

test("a causal mask leaves a query its own and the earlier keys only", () => {
  const rows = allRows(TRACE, { scale: true, temperature: 1, causal: true });
  assert.deepEqual([...rows[0].weights], [1, 0]);
  assert.deepEqual(rows[0].allowed, [true, false]);
  assert.deepEqual(rows[1].allowed, [true, true]);
});

test("values are mixed by the weights, and the head's part of the output is z times its W_O", () => {
  const z = mixed(TRACE, [0.25, 0.75]);
  assert.deepEqual([...z], [0.25, 0.75, 0, 0]);
  assert.deepEqual([...added(TRACE, z)], [1, 1.5, 0, 0.75]);
});

test("a sum shows its terms and what is added at the end", () => {
  assert.deepEqual(sumOf([1, 2], [3, 4], 0.5), {
    terms: [
      [1, 3, 3],
      [2, 4, 8],
    ],
    rest: 0.5,
    sum: 11.5,
  });
});

test("entropy counts equal choices in bits; zero weights count nothing", () => {
  near(bits([0.25, 0.25, 0.25, 0.25]), 2);
  assert.equal(bits([1, 0, 0]), 0);
  near(spreadOf([1, 3]), 1);
  assert.equal(farthest([1, 2], [1, 5]), 3);
});

test("tokens are found in another order, the same word twice included", () => {
  const one = [token("a", 0), token("b", 2), token("a", 4)];
  assert.deepEqual(placesIn(one, [one[2], one[1], one[0]]), [2, 1, 0]);
  const cls = { text: "[CLS]", span: null, word: null, segment: 0, special: true };
  assert.deepEqual(placesIn([cls, one[0]], [one[0]]), [-1, 0]);
});

test("how many tokens may be looked at is said of the mask that is on, the possible entropy too", () => {
  const said = (/** @type {string} */ id, /** @type {boolean} */ causal, trace = TRACE) => {
    const state = { stage: id, query: 0, key: 0, cell: null, scale: true, temperature: 1 };
    const rules = { ...ownRules(trace), causal: causal || trace.causal };
    const own = rowFrom(trace, 0, ownRules(trace));
    const shot = { trace, own, rules, key: 0, note: "", turned: null, state: { ...state, causal } };
    return stageSentence(/** @type {any} */ (shot));
  };
  assert.equal(said("mask", false), "“a” may look at 2 of 2 tokens.");
  assert.equal(said("mask", true), "“a” may look at 1 of 2 tokens.");
  assert.match(said("softmax", false), /of at most 1\.00 bits\.$/);
  const causal = { ...TRACE, causal: true };
  assert.equal(said("mask", false, causal), "“a” may look at 1 of 2 tokens.");
  assert.match(said("softmax", false, causal), /an entropy of 0\.00 of at most 0\.00 bits\.$/);
  // The stage's own text goes by the switch as the sentence beside it does.
  const mask = STAGES.find(({ id }) => id === "mask");
  const text = (/** @type {boolean} */ on, trace = TRACE) => mask?.text(trace, on) ?? "";
  assert.match(text(false), /^Here nothing is masked/);
  assert.match(
    text(true),
    /^A causal mask: .* switched it on above: the model itself masks nothing/,
  );
  assert.match(text(true, causal), /exactly 0\.$/);
});

test("a score is what softmax is given, and before the division it is the product q · k", () => {
  const weights = new Float32Array(4); // the model's own, of which nothing is asked here
  const trace = { ...TRACE, of: { ...TRACE.of, weights } };
  const own = rowFrom(trace, 0, ownRules(trace));
  const shotAt = (/** @type {string} */ stage, key = 0) => {
    const rules = ownRules(trace);
    const state = { stage, query: 0, key, cell: null, ...rules };
    const rows = () => allRows(trace, rules);
    return /** @type {any} */ ({
      ...{ trace, own, rules, key },
      note: "",
      turned: null,
      state,
      rows,
    });
  };
  assert.equal(stageSentence(shotAt("products")), "The product q · k of “a” with “a” is 2.000.");
  const scale = madeOf(shotAt("scale"));
  assert.deepEqual(scale.lines, [
    ["sum of 4 products: q · k", "2"],
    ["÷ √d_k, which is 2: the score", "1"],
  ]);
  assert.deepEqual(
    scale.rows.map(({ name, values }) => [name, ...Array.from(values)]),
    [
      ["q · k of “a”", 2, 0],
      ["÷ √dₖ: the scores", 1, 0],
    ],
  );
  const [scores] = madeOf(shotAt("softmax")).rows;
  assert.deepEqual([scores.name, ...Array.from(scores.values)], ["Scores of “a”", 1, 0]);
});

test("the weight of the chosen pair is said beside that of the strongest", () => {
  const stage = "softmax";
  const own = rowFrom(TRACE, 0, ownRules(TRACE));
  const said = (/** @type {number} */ key) =>
    stageSentence(/** @type {any} */ ({ trace: TRACE, own, key, state: { stage, query: 0 } }));
  assert.match(said(1), /^“a” looks at “b” with 0\.2689, most at “a”: 0\.7311\. Its row/);
  assert.match(said(0), /^“a” looks most at “a”: 0\.7311\. Its row/);
});

test("products in cells have the digits to be added up", () => {
  assert.deepEqual([-1.02584, -0.001, 0.049].map(productInCell), ["−1.03", "0.00", "0.05"]);
});

test("a causal mask over words that are read backwards is that of their new order", () => {
  const tokens = [TRACE.tokens[1], TRACE.tokens[0]];
  const turnedTrace = { ...TRACE, tokens, keys: tokens };
  const [rules, places] = [{ scale: true, temperature: 1, causal: true }, [1, 0]];
  const shotOf = (/** @type {number} */ query) => {
    const stage = "mask";
    const turned = {
      trace: turnedTrace,
      places,
      keyPlaces: places,
      own: rowFrom(turnedTrace, places[query], rules),
    };
    return /** @type {any} */ ({
      ...{ trace: TRACE, own: rowFrom(TRACE, query, ownRules(TRACE)), rules, key: 0, note: "" },
      rows: () => allRows(TRACE, ownRules(TRACE)),
      state: { ...{ stage, query, key: 0, cell: null }, ...rules },
      turned: { ...turned, rows: () => allRows(turnedTrace, rules) },
    });
  };
  assert.equal(stageSentence(shotOf(0)), "“a” may look at 2 of 2 tokens."); // it is read last
  assert.equal(stageSentence(shotOf(1)), "“b” may look at 1 of 2 tokens.");
  const [may, left] = picturesOf(shotOf(0), 400);
  assert.deepEqual(
    [may.name, ...Array.from(may.values)],
    ["May look, with the change", 1, 1, 0, 1],
  );
  // The vectors stand in the changed order: b's are the first of the trace that is turned.
  assert.deepEqual(
    [left.name, ...Array.from(left.values)],
    ["Scores that remain, with the change", 2, 0, 0, 1],
  );
});
