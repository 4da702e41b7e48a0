// What a reader changes in the model's attention, as links say it and in words.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  changedIn,
  isSwitchedOff,
  offersOf,
  readEdits,
  writeEdits,
} from "../../explorer/instrument/numbers/edits.js";
import { START } from "../../explorer/instrument/numbers/view.js";

const TOKENS = ["the", "cat", "sat", "it"];
const WORD = "off:1-2.3-0_even:0-1_cut:1-2_edges:3-1-3-1.a-a-2-0";

test("what links say is read and written again", () => {
  assert.equal(writeEdits(readEdits("")), "");
  const edits = readEdits(WORD);
  assert.deepEqual(edits.off, ["1-2", "3-0"]);
  assert.deepEqual(edits.cut, [1, 2]);
  assert.equal(
    [...writeEdits(edits).split("_")].sort().join("_"),
    [...WORD.split("_")].sort().join("_"),
  );
});

test("a head is switched off where its output is, and not where it looks evenly", () => {
  const off = [1, 2, 3].map((layer) => isSwitchedOff(WORD, layer, 2));
  assert.deepEqual(off, [true, false, false]);
  assert.equal(isSwitchedOff(WORD, 0, 1), false);
  assert.equal(isSwitchedOff(null, 1, 2), false);
});

test("each change stands in words, and may be taken back alone", () => {
  const edits = readEdits(WORD);
  const changed = changedIn(edits, TOKENS);
  assert.deepEqual(
    changed.map(({ says }) => says),
    [
      ...["L1·H2 off", "L3·H0 off", "L0·H1 looks evenly", "“cat” cut out", "“sat” cut out"],
      ...["it → cat cut in L3·H1", "sat → the cut"],
    ],
  );
  for (const { without } of changed) {
    assert.equal(changedIn(without, TOKENS).length, changed.length - 1);
  }
});

test("a token that is a quotation mark stands in others", () => {
  const [cut] = changedIn(readEdits("cut:0"), ["”"]);
  assert.equal(cut.says, "‘”’ cut out");
});

test("what is looked at may be changed, and what is so already is not offered", () => {
  const view = { ...START, layer: 3, heads: [1], queries: [3], keys: [1] };
  const offers = offersOf(readEdits(""), view, TOKENS);
  const words = offers.map(({ says, edits }) => [says, writeEdits(edits)]);
  assert.deepEqual(words, [
    ["Switch L3·H1 off", "off:3-1"],
    ["Let L3·H1 look evenly", "even:3-1"],
    ["Silence the sink of L3·H1", "silent:3-1"],
    ["Cut “it” → “cat” in L3·H1", "edges:3-1-3-1"],
    ["Cut “it” → “cat” in all heads", "edges:a-a-3-1"],
    ["Cut “cat” out for all later words", "cut:1"],
  ]);
  const again = offersOf(readEdits("off:3-1"), view, TOKENS);
  assert.equal(again.length, offers.length - 1);
  assert.ok(
    again.every(({ edits }) => edits.off.includes("3-1")),
    "what is changed stays",
  );
});
