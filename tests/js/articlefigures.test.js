// What the Article computes in the browser, against torch's and numpy's own numbers.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  entropyOf,
  farthest,
  largestKept,
  meanDistance,
  rankKept,
  undivided,
  undividedHead,
  windowKept,
} from "../../explorer/instrument/numbers/articleheads.js";
import {
  answerOf,
  moveWords,
  softmax,
  swapped,
} from "../../explorer/instrument/numbers/articlelayer.js";
import { sumsSaid } from "../../explorer/instrument/panels/figures/formula.js";
import { PAPERS } from "../../explorer/instrument/panels/figures/papers.js";
import { still } from "../../explorer/instrument/panels/figures/same.js";

const KEPT = new URL("../../explorer/scratch/article_facts.json", import.meta.url);
const { order } = JSON.parse(readFileSync(KEPT, "utf8"));

/** @param {number} a @param {number} b */
const close = (a, b, off = 1e-12) => assert.ok(Math.abs(a - b) <= off, `${a} is not ${b}`);

test("the small layer gives torch's numbers, with and without positions", () => {
  for (const placed of [false, true]) {
    const { rows } = moveWords(order, order.moved, placed);
    const wanted = order.answers[placed ? "with" : "without"];
    rows.forEach((row, i) => row.forEach((value, c) => close(value, wanted[i][c], 1e-13)));
  }
});

test("only with positions does a word's output change when words change places", () => {
  const same = [0, 1, 2, 3, 4];
  const moved = swapped(same, 1, 4);
  assert.deepEqual(moved, [0, 4, 2, 3, 1]);
  assert.ok(Math.max(...moveWords(order, moved, false).off) < 1e-14); // rounding
  assert.ok(Math.min(...moveWords(order, moved, true).off) > 1e-3);
  assert.equal(Math.max(...moveWords(order, same, true).off), 0);
});

test("without positions equal words get equal outputs", () => {
  const out = answerOf(order, order.x);
  assert.equal(order.words[0], order.words[3]);
  out[0].forEach((value, c) => close(value, out[3][c]));
});

/** Weights of random scores. @param {number} n @param {number} scale */
function drawn(n, scale) {
  let seed = 7;
  const next = () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 2147483648 - 0.5;
  };
  const scores = Array.from({ length: n }, () => Array.from({ length: n }, () => scale * next()));
  return { scores, weights: Float32Array.from(scores.flatMap((row) => softmax(row))) };
}

test("what softmax would get undivided is known from the weights", () => {
  const [n, width] = [9, 16];
  const { scores, weights } = drawn(n, 6);
  const row = undivided(weights, n, 4, width);
  const mean = scores[4].reduce((a, b) => a + b) / n;
  const spread = Math.sqrt(scores[4].reduce((a, b) => a + (b - mean) ** 2, 0) / n);
  close(row.spread[0], spread, 1e-5); // weights are float32
  close(row.spread[1], 4 * spread, 4e-5);
  softmax(scores[4].map((score) => 4 * score)).forEach((w, j) => close(row.plain[j], w, 1e-5));
  close(row.bits[1], entropyOf(row.plain));
  const head = undividedHead(weights, n, width);
  assert.ok(head.bits[1] < head.bits[0]);
  close(head.spread[1], 4 * head.spread[0]);
});

test("a weight of zero has no logarithm, and does not spoil the row", () => {
  const { spread, bits } = undivided(new Float32Array([1, 0, 0.5, 0.5]), 2, 0, 4);
  assert.ok(Number.isFinite(spread[1]));
  bits.forEach((value) => close(value, 0));
});

test("what is left of a head is what a plain sum says", () => {
  const n = 8;
  const { weights } = drawn(n, 5);
  const near = (/** @type {number} */ reach) => {
    let sum = 0;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) if (Math.abs(i - j) <= reach) sum += weights[i * n + j];
    return sum / n;
  };
  windowKept(weights, n).forEach((share, reach) => close(share, near(reach), 1e-6));
  const largest = largestKept(weights, n);
  let firsts = 0;
  for (let i = 0; i < n; i++) firsts += Math.max(...weights.subarray(i * n, (i + 1) * n));
  close(largest[0], firsts / n, 1e-6);
  for (const kept of [windowKept(weights, n), largest, rankKept(weights, n)]) {
    close(kept[n - 1], 1);
    kept.forEach((share, i) => assert.ok(i === 0 || share >= kept[i - 1] - 1e-12));
  }
});

test("ranks are those of matrices whose singular values are known", () => {
  const same = new Float32Array(25).fill(0.2); // every row alike: rank 1
  close(rankKept(same, 5)[0], 1);
  const apart = Float32Array.from({ length: 25 }, (_, i) => (i % 6 ? 0 : 1)); // each to itself
  rankKept(apart, 5).forEach((share, i) => close(share, (i + 1) / 5));
  const two = new Float32Array([0.5, 0.5, 0, 0.5, 0.5, 0, 0, 0, 1]); // σ = 1, 1, 0
  rankKept(two, 3).forEach((share, i) => close(share, [0.5, 1, 1][i]));
});

test("squares of singular values add up, in the first and third power, to traces of AᵀA", () => {
  for (const [n, scale] of [
    [8, 5],
    [40, 20],
  ]) {
    const { weights } = drawn(n, scale);
    const at = (/** @type {number} */ r, /** @type {number} */ c) => weights[r * n + c];
    const [all, own] = [[...Array(n).keys()], /** @type {number[][]} */ ([])];
    for (const i of all) own.push(all.map((j) => all.reduce((s, r) => s + at(r, i) * at(r, j), 0)));
    const trace = all.reduce((s, i) => s + own[i][i], 0);
    const cube = all.flatMap((i) =>
      all.map((j) => own[i][j] * all.reduce((s, k) => s + own[j][k] * own[k][i], 0)),
    );
    const shares = rankKept(weights, n).map((share, i, kept) => share - (kept[i - 1] ?? 0));
    const third = shares.reduce((s, share) => s + share ** 3, 0);
    close(third, cube.reduce((a, b) => a + b) / trace ** 3);
  }
});

test("the strongest far pair leaves out what is near and what is no word", () => {
  const tokens = ["[CLS]", "a", "b", "c"].map((text, i) => ({
    ...{ text, special: i === 0, span: null, word: i, segment: 0 },
  }));
  const weights = new Float32Array([0, 0, 0, 1, 0.9, 0, 0.1, 0, 0, 1, 0, 0, 0.2, 0.5, 0.3, 0]);
  assert.deepEqual(farthest(weights, tokens, 2), { query: 3, key: 1, weight: 0.5 });
  assert.equal(farthest(weights, tokens, 3), null);
  const comma = tokens.map((one, i) => (i === 3 ? { ...one, text: "," } : one));
  assert.equal(farthest(weights, comma, 2), null);
  const pieces = tokens.map((one, i) => (i === 3 ? { ...one, text: "##c", word: 2 } : one));
  assert.equal(farthest(weights, pieces, 2), null);
  close(meanDistance(weights, 4), (3 + (0.9 + 0.1) + 1 + (0.6 + 1 + 0.3)) / 4, 1e-6);
});

test("numbers below zero have a minus sign, not a hyphen", () => {
  const [one, below] = [Float64Array.of(1), Float64Array.of(-0.5)];
  const rest = { weights: one, out: below, v: new Float32Array(1) };
  const sums = { n: 1, width: 1, products: below, scores: below, ...rest };
  const said = sumsSaid(sums, ["it"], 0, 0).join(" ");
  assert.match(said, /added up: −0\.5/);
  assert.match(said, /becomes −0\.5/);
  assert.ok(!said.includes("-"), said);
});

test("a paper's address is of the form and of the year that arXiv gives", () => {
  for (const { id, year, title, who } of PAPERS) {
    assert.match(id, /^\d{4}\.\d{4,5}$/);
    assert.equal(2000 + Number(id.slice(0, 2)), year, title);
    assert.ok(title && who);
  }
  assert.equal(new Set(PAPERS.map(({ id }) => id)).size, PAPERS.length);
});

test("a figure that shows nothing of what is pointed at is drawn for all but that", () => {
  let drawn = 0;
  const element = /** @type {any} */ ({ clientWidth: 300 });
  const figure = still(() => ({ element, show: () => drawn++ }))(/** @type {any} */ ({}));
  const [article, view, theme] = [{}, {}, {}];
  const show = (/** @type {number | null} */ hovered, of = {}) =>
    figure.show(/** @type {any} */ ({ state: { article, view, hovered, ...of }, theme }));
  show(null);
  show(1);
  show(2);
  assert.equal(drawn, 1);
  show(2); // nothing is pointed at anew, so it is for another reason
  show(2, { view: {} });
  assert.equal(drawn, 3);
  show(3, { view: {} });
  assert.equal(drawn, 4);
  element.clientWidth = 200;
  show(4);
  assert.equal(drawn, 5);
});
