import assert from "node:assert/strict";
import test from "node:test";
import {
  arrange,
  attentionBetween,
  combine,
  digits,
  fullColour,
  givenBy,
  gotBy,
  heaviest,
  leastFull,
  numberOf,
  PERCENTILE,
  percent,
  profileOf,
  raster,
  received,
  sinkOf,
  topPairs,
  unitsOf,
} from "../../explorer/instrument/numbers/model.js";
import { token } from "./trace.js";

const near = (/** @type {ArrayLike<number>} */ got, /** @type {number[]} */ want) => {
  assert.equal(got.length, want.length);
  want.forEach((w, i) => assert.ok(Math.abs(got[i] - w) < 1e-6, `${i}: ${got[i]} is not ${w}`));
};

// [CLS] love ##lace it
const TOKENS = [
  token("[CLS]", { special: true, span: null }),
  token("love", { word: 0 }),
  token("##lace", { word: 0 }),
  token("it", { word: 1 }),
];
const W = Float32Array.from(
  [
    [0.4, 0.3, 0.2, 0.1],
    [0.5, 0.1, 0.2, 0.2],
    [0.7, 0.1, 0.1, 0.1],
    [0.2, 0.3, 0.4, 0.1],
  ].flat(),
);

const picture = (
  /** @type {boolean} */ words,
  /** @type {"shown" | "hidden" | "renormalised"} */ specials,
) => {
  const units = unitsOf(TOKENS, words, specials);
  return arrange(W, 4, units, units, specials === "renormalised");
};

test("pieces of a word become one unit with the word's own spelling", () => {
  assert.deepEqual(
    unitsOf(TOKENS, true, "shown").map((u) => u.text),
    ["[CLS]", "lovelace", "it"],
  );
  assert.deepEqual(
    unitsOf(TOKENS, true, "hidden").map((u) => u.tokens),
    [[1, 2], [3]],
  );
});

test("tokens without a word are never merged", () => {
  const tokens = [token("[UNK]"), token("[UNK]")];
  assert.equal(unitsOf(tokens, true, "shown").length, 2);
});

test("keys add, queries average, rows keep their sum (worked by hand)", () => {
  near(picture(true, "shown").weights, [0.4, 0.5, 0.1, 0.6, 0.25, 0.15, 0.2, 0.7, 0.1]);
});

test("hidden leaves rows as they are; rescaled divides by what is left (by hand)", () => {
  near(picture(false, "hidden").weights, [0.1, 0.2, 0.2, 0.1, 0.1, 0.1, 0.3, 0.4, 0.1]);
  near(picture(false, "renormalised").weights, [
    0.2,
    0.4,
    0.4,
    1 / 3,
    1 / 3,
    1 / 3,
    0.375,
    0.5,
    0.125,
  ]);
});

test("a row that has nothing left stays zeros, not NaN", () => {
  const units = unitsOf(TOKENS, false, "renormalised");
  const only = new Float32Array(16);
  for (let q = 0; q < 4; q++) only[4 * q] = 1;
  assert.deepEqual([...arrange(only, 4, units, units, true).weights], new Array(9).fill(0));
});

test("heads combine by mean or maximum, one head stays itself", () => {
  const [a, b] = [Float32Array.from([0.2, 0.8]), Float32Array.from([0.6, 0.4])];
  near(combine([a, b], "mean"), [0.4, 0.6]);
  near(combine([a, b], "max"), [0.6, 0.8]);
  assert.equal(combine([a], "max"), a);
  near(a, [0.2, 0.8]); // nothing was written into the caller's numbers
});

test("the smallest set of keys that holds a share (by hand)", () => {
  const row = Float32Array.from([0.1, 0.5, 0.05, 0.3, 0.05]);
  assert.deepEqual(heaviest(row, 0.5), [1]);
  assert.deepEqual(heaviest(row, 0.51), [1, 3]);
  assert.deepEqual(heaviest(row, 0.9), [1, 3, 0]);
  assert.equal(heaviest(row, 1).length, 5);
  assert.deepEqual(heaviest(new Float32Array(3), 0.9), []);
});

test("the smallest set really is the smallest, on many random rows", () => {
  for (let seed = 1; seed < 200; seed++) {
    const row = Float32Array.from({ length: 9 }, (_, i) =>
      Math.abs(Math.sin(seed * 12.9898 + i * 78.233)),
    );
    const total = row.reduce((s, w) => s + w, 0);
    const share = (seed % 100) / 100 + 0.005;
    const held = heaviest(row, share).map((k) => row[k]);
    const sum = held.reduce((s, w) => s + w, 0);
    assert.ok(sum >= total * share - 1e-5);
    assert.ok(sum - Math.min(...held) < total * share);
  }
});

test("the full colour ignores what special keys soak up", () => {
  const units = unitsOf(TOKENS, false, "shown");
  const p = { weights: W, rows: units, columns: units };
  assert.deepEqual([...fullColour(p, "absolute")], [1, 1, 1, 1]);
  near(fullColour(p, "row"), [0.3, 0.2, 0.1, 0.4]);
  near(fullColour(p, "percentile", { parts: 40 }), [0.4, 0.4, 0.4, 0.4]);
});

test("what is near an even share stays pale: the full colour is 3 of these at least", () => {
  const side = Array.from({ length: 30 }, (_, i) => ({
    ...{ text: "", tokens: [i], segment: 0, special: false },
  }));
  const even = { weights: new Float32Array(900).fill(1 / 30), rows: side, columns: side };
  near(fullColour(even, "percentile"), Array(30).fill(0.1));
  near(fullColour(even, "percentile", { parts: 300 }), Array(30).fill(1 / 30));
  near(fullColour(even, "row"), Array(30).fill(1 / 30));
  assert.equal(leastFull(2), 1, "no weight is more than 1");
  const sharp = { ...even, weights: even.weights.map((_, i) => Number(i % 31 === 0)) };
  near(fullColour(sharp, "percentile"), Array(30).fill(1));
});

test("the percentile is what a sort would put there, to the bit", () => {
  for (const seed of [2, 3, 17, 40, 64, 65, 90, 150]) {
    const side = Array.from({ length: seed }, (_, i) => ({
      ...{ text: "", tokens: [i], segment: 0 },
      special: i === 0,
    }));
    const weights = Float32Array.from({ length: seed * seed }, (_, i) =>
      Math.abs(Math.sin(seed * 12.9898 + i * 78.233)),
    );
    const ordinary = weights.filter((_, i) => i % seed > 0).sort();
    const want = ordinary[Math.round(PERCENTILE * (ordinary.length - 1))];
    const [got] = fullColour({ weights, rows: side, columns: side }, "percentile", { parts: 1e9 });
    assert.equal(got, want, String(seed));
  }
});

test("the heaviest keys are what a sort would take, also among equals", () => {
  for (let seed = 1; seed < 200; seed++) {
    const row = Float32Array.from({ length: seed }, (_, i) =>
      Math.abs(Math.round(5 * Math.sin(seed * 12.9898 + i * 78.233)) / 5),
    );
    const total = row.reduce((sum, w) => sum + w, 0);
    const found = heaviest(row, 0.7);
    const sum = (/** @type {number[]} */ some) => some.reduce((all, k) => all + row[k], 0);
    assert.equal(new Set(found).size, found.length);
    assert.ok(sum(found) >= 0.7 * total - 1e-5);
    const lightest = Math.min(...found.map((k) => row[k]));
    assert.ok(!found.length || sum(found) - lightest < 0.7 * total + 1e-5, "none too many");
    row.forEach((w, k) => assert.ok(found.includes(k) || w <= lightest));
  }
});

test("a picture of special tokens alone still has a scale", () => {
  const units = [{ text: "[CLS]", tokens: [0], special: true, segment: 0 }];
  near(
    fullColour({ weights: Float32Array.from([1]), rows: units, columns: units }, "percentile"),
    [1],
  );
});

test("a profile by hand: three tokens, the last repeats the first", () => {
  const tokens = [token("a"), token("b"), token("a")];
  const weights = Float32Array.from([0.5, 0.25, 0.25, 1, 0, 0, 0.5, 0.5, 0]);
  const about = { query_tokens: tokens, key_tokens: tokens, unknown: null };
  const profile = profileOf(weights, about, Math.log2(3));
  near(
    [profile.self, profile.previous, profile.next, profile.repeat],
    [0.5 / 3, 1.5 / 3, 0.25 / 3, 0.75 / 3],
  );
  near([profile.entropy ?? 9, profile.possible], [(1.5 + 0 + 1) / 3, Math.log2(3)]);
});

test("between two texts a profile knows no places, and counts queries and keys apart", () => {
  const keys = [token("a"), token("</s>", { special: true })];
  const weights = Float32Array.from([0.5, 0.5, 1, 0, 0.25, 0.75]);
  const about = { query_tokens: ["x", "a", "y"].map((text) => token(text)), key_tokens: keys };
  const profile = profileOf(weights, { ...about, unknown: null }, 1);
  assert.ok(profile.crosses);
  near([profile.self, profile.previous, profile.next, profile.repeat], [0, 0, 0, 0]);
  near([profile.special, profile.possible], [1.25 / 3, 1]);
});

test("the sink is measured, its occurrences added, and never assumed", () => {
  const tokens = [
    token("[CLS]", { special: true }),
    token("a"),
    token("[SEP]", { special: true }),
    token("[SEP]", { special: true }),
  ];
  const units = unitsOf(tokens, false, "shown");
  const weights = Float32Array.from([
    0.4, 0.1, 0.25, 0.25, 0.4, 0.1, 0.25, 0.25, 0.4, 0.1, 0.25, 0.25, 0.4, 0.1, 0.25, 0.25,
  ]);
  const shares = received(weights, 4);
  near(shares, [0.4, 0.1, 0.25, 0.25]);
  assert.equal(sinkOf(units, shares)?.text, "[SEP]");
  near([sinkOf(units, shares)?.share ?? 0], [0.5]);
});

test("without special tokens the ordinary token that gets most is named", () => {
  const units = unitsOf([token("a"), token("a"), token("b")], false, "shown");
  assert.equal(sinkOf(units, [0.3, 0.3, 0.4])?.text, "b");
});

test("a raster of another size never loses the strongest weight", () => {
  for (const [n, size] of [
    [100, 30],
    [100, 77],
    [7, 7],
  ]) {
    const weights = new Float32Array(n * n).fill(0.01);
    weights[(n - 1) * n + Math.floor(n / 2)] = 1;
    const levels = raster(weights, n, n, size, size, new Float32Array(n).fill(1));
    assert.equal(Math.max(...levels), 255, `${n} on ${size}`);
  }
});

test("weights beyond the full colour stay the full colour", () => {
  assert.deepEqual(
    [...raster(Float32Array.from([0.9, 0.05]), 1, 2, 1, 2, Float32Array.from([0.1]))],
    [255, 128],
  );
});

test("the strongest pairs come heaviest first", () => {
  const units = unitsOf(TOKENS, false, "shown");
  const pairs = topPairs({ weights: W, rows: units, columns: units }, 3);
  assert.deepEqual(
    pairs.map(({ row, column }) => [row, column]),
    [
      [2, 0],
      [1, 0],
      [0, 0],
    ],
  );
});

test("digits: three decimals, four below a hundredth, two digits of what is less, and nothing is rounded to a lie", () => {
  assert.deepEqual([0, 1e-9, 1 / 8192, 0.00432, 0.01, 0.84251, 1].map(digits), [
    "0",
    "< 0.0000001",
    "0.00012",
    "0.0043",
    "0.010",
    "0.843",
    "1.000",
  ]);
  assert.deepEqual([0, 0.004, 0.71].map(percent), ["0 %", "0.4 %", "71 %"]);
  assert.deepEqual([1 / 8192, 0.0009999, 3e-9].map(percent), ["0.012 %", "0.1 %", "< 0.0001 %"]);
});

test("attention between words adds over keys and averages over queries (worked by hand)", () => {
  const ask = { mean: true, together: true, kept: null };
  const [lovelace, it] = [[1, 2], [3]];
  // from "lovelace" (the mean of rows 1 and 2) to itself: ((.1 + .2) + (.1 + .1)) / 2
  near(attentionBetween(W, 4, { ...ask, queries: [lovelace], keys: [lovelace] }), [0.25]);
  // from "lovelace" and "it" to "it": (.15 + .1) / 2
  near(attentionBetween(W, 4, { ...ask, queries: [lovelace, it], keys: [it] }), [0.125]);
  near(
    attentionBetween(W, 4, {
      ...ask,
      together: false,
      queries: [lovelace],
      keys: [[0], lovelace, it],
    }),
    [0.6, 0.25, 0.15],
  );
  near(
    attentionBetween(W, 4, {
      ...ask,
      mean: false,
      queries: [[0], lovelace, it],
      keys: [lovelace],
    }),
    [0.5, 0.25, 0.7],
  );
});

test("rescaled, a row is divided by what it gives to ordinary keys before it is averaged", () => {
  const kept = Uint8Array.from([0, 1, 1, 1]);
  const words = { queries: [[1, 2], [3]], keys: [[3]], mean: true, together: true, kept };
  // "lovelace" gives .4 to ordinary keys, .15 of it to "it"; "it" gives .8, .1 of it to itself
  near(attentionBetween(W, 4, words), [(0.15 / 0.4 + 0.1 / 0.8) / 2]);
  const drained = Float32Array.from([1, 0, 1, 0]);
  const none = { queries: [[0], [1]], keys: [[1]], mean: true, together: true };
  assert.deepEqual(
    [...attentionBetween(drained, 2, { ...none, kept: Uint8Array.from([0, 1]) })],
    [0],
  );
});

test("a group's rows average, its columns add, its number does both", () => {
  const units = unitsOf(TOKENS, false, "shown");
  const whole = { weights: W, rows: units, columns: units };
  near(givenBy(whole, [1, 2]), [0.6, 0.1, 0.15, 0.15]);
  near(gotBy(whole, [0, 3]), [0.5, 0.7, 0.8, 0.3]);
  assert.ok(Math.abs(numberOf(whole, [1, 2], [0, 3]) - 0.75) < 1e-6);
});
