// How a prediction comes about, as the page reads and says it.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  columnsWords,
  isAbout,
  isOf,
  lensRows,
  settledAt,
  settledSince,
  sideOf,
  strongest,
  sumWords,
  whyWords,
} from "../../explorer/instrument/numbers/lens.js";

const ASKED = { at: 4, token: null, other: null };
const LENS = {
  ...ASKED,
  ...{ numbers: [-1, 0, 2], positions: [3, 4], names: ["cat"], tops: [] },
  texts: [
    ["a", "b"],
    ["c", "cat"],
    ["d", "cat"],
  ],
  chances: Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06),
};
const part = (/** @type {string} */ name) => ({ name, kind: "mlp", layer: 0, head: null });
const WROTE = {
  ...ASKED,
  parts: ["one", "two", "three"].map(part),
  values: Float64Array.of(0.5, -2, 1),
  ...{ constant: 0.25, rest: 1e-7, logit: -0.25, shown: -0.25 },
};

test("layers stand with the last on top, each cell with both its chances", () => {
  const rows = lensRows(LENS);
  assert.deepEqual(
    rows.map(({ name }) => name),
    ["2", "0", "input"],
  );
  const [, last] = rows[0].cells;
  assert.equal(last.text, "cat");
  assert.equal(last.p, Math.fround(0.6));
  assert.equal(last.followed, Math.fround(0.06));
  assert.equal(rows[2].cells[0].followed, Math.fround(0.01));
});

test("a word is settled from the first layer on after which it is never another", () => {
  assert.equal(settledAt(LENS, 4), 0);
  assert.equal(settledAt(LENS, 3), 2);
  const never = { ...LENS, texts: [["d"], ["c"], ["d"]], positions: [3] };
  assert.equal(settledAt(never, 3), 2);
  assert.equal(settledSince(LENS, 4), "after layer 0");
  assert.equal(settledSince(never, 3), "only in the end, after the last layer");
});

test("positions that are left out of the map are said", () => {
  assert.equal(columnsWords({ positions: [0, 1] }), "columns are positions.");
  const [two, one] = [columnsWords({ positions: [2, 3, 4] }), columnsWords({ positions: [1, 2] })];
  assert.equal(two, "columns are the last 3 positions up to here; the 2 before are left out.");
  assert.match(one, /last 2 positions up to here; the one before is left out\.$/);
});

/** @param {import("../../explorer/instrument/numbers/lens.js").Given[]} given */
const said = (given) => given.map(({ part: { name }, value }) => [name, value]);

test("the strongest parts come first, whichever way, and the others are summed", () => {
  assert.deepEqual(said(strongest(WROTE, 1)), [
    ["two", -2],
    ["all others (2)", 1.5],
  ]);
  const all = [
    ["two", -2],
    ["three", 1],
    ["one", 0.5],
  ];
  for (const most of [2, 3, 9]) assert.deepEqual(said(strongest(WROTE, most)), all, `${most}`);
});

test("the sum is said with what it misses and what is always added", () => {
  const near = "The parts sum to the logit, -0.25000, off by 1e-7, with +0.25000 that is";
  assert.ok(sumWords(WROTE).startsWith(near), sumWords(WROTE));
  const small = { ...WROTE, rest: 0, other: 7, logit: 0.00407, shown: 0.00407, constant: 0.001 };
  assert.match(
    sumWords(small),
    /logits, 0\.00407, exactly, with \+0\.00100 that is always added\./,
  );
  const missed = sumWords({ ...WROTE, rest: 0.003, other: 7, shown: -0.2 });
  assert.match(missed, /the difference of the logits, .*off by 3e-3.*bends it to -0\.20000\.$/);
});

test("an answer is taken for that of its own question alone", () => {
  assert.ok(isAbout(LENS, ASKED));
  assert.ok(!isAbout(LENS, { ...ASKED, token: 3 }));
  assert.ok(!isAbout(null, ASKED));
});

const WHY = {
  edge: [2, 1, 4, 3],
  parts: [
    { ...part("MLP of layer 0"), side: /** @type {const} */ ("query") },
    { ...part("L0·H1"), side: /** @type {const} */ ("query") },
    { ...part("token"), side: /** @type {const} */ ("key") },
  ],
  pairs: /** @type {[string, string, number][]} */ ([["L0·H1", "token", 1.25]]),
  ...{ bands: null, rest: 1e-8, score: 2, added: 0, values: Float64Array.of(0.5, -1.5, 2) },
};

test("what made a score is said on either side, the most first, and in words", () => {
  const names = sideOf(WHY, "query", 5).map((given) => given.part.name);
  assert.deepEqual(names, ["L0·H1", "MLP of layer 0"]);
  const both = { ...part("b"), side: /** @type {const} */ ("query") };
  const three = { ...WHY, parts: [...WHY.parts, both], values: Float64Array.of(0.5, -1.5, 2, 3) };
  assert.deepEqual(said(sideOf(three, "query", 1)), [
    ["b", 3],
    ["all others (2)", -1],
  ]);
  assert.equal(
    whyWords(WHY, "it", "cat"),
    "Mostly L0·H1 at “it” with token at “cat”: +1.25 of the score +2.00, to which all parts sum.",
  );
  const turned = whyWords({ ...WHY, bands: [0.5, 0.25, 1.25], rest: 0.01, added: -0.5 }, "a", "b");
  assert.match(
    turned,
    /sum but for 1e-2; −0\.50 is added to it\. Of it \+0\.75 comes of the fast half/,
  );
  assert.ok(isOf(WHY, [2, 1, 4, 3]));
  assert.ok(!isOf(WHY, [2, 1, 4, 2]));
  assert.ok(!isOf(null, [2, 1, 4, 3]));
});
