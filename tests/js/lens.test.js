// How a prediction comes about, as the page reads and says it.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  isAbout,
  lensRows,
  others,
  settledAt,
  strongest,
  sumWords,
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
});

test("the strongest parts come first, whichever way, and the others are summed", () => {
  const shown = strongest(WROTE, 2);
  assert.deepEqual(
    shown.map((given) => given.part.name),
    ["two", "three"],
  );
  assert.equal(others(WROTE, shown), 0.5);
});

test("the sum is said with what it misses and what is always added", () => {
  const exact = "The parts sum to the logit, -0.25, exactly, to five digits, with +0.25";
  assert.ok(sumWords(WROTE).startsWith(exact), sumWords(WROTE));
  const missed = sumWords({ ...WROTE, rest: 0.003, other: 7, shown: -0.2 });
  assert.match(missed, /the difference of the logits, .*but for 3e-3.*bends it to -0\.20\.$/);
});

test("an answer is taken for that of its own question alone", () => {
  assert.ok(isAbout(LENS, ASKED));
  assert.ok(!isAbout(LENS, { ...ASKED, token: 3 }));
  assert.ok(!isAbout(null, ASKED));
});
