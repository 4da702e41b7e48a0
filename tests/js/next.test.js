// What comes next, as the page reads and says it.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  fullWords,
  isNextHere,
  nextAt,
  nextWords,
  ordinal,
  percent,
  positionOf,
} from "../../explorer/instrument/numbers/next.js";

const TOKENS = ["the", "cat", "sat"];
const logs = (/** @type {number[]} */ ...shares) => shares.map(Math.log);
const NEXT = {
  ...{ at: 0, first: 0, last: 2, k: 2, ids: Int32Array.of(7, 8, 9, 7, 3, 8) },
  logs: Float32Array.from(logs(0.5, 0.25, 0.75, 0.125, 0.5, 0)),
  ...{ real: Float32Array.from([...logs(0.25, 0.01), Number.NaN]) },
  ranks: Int32Array.of(1, 40, -1),
  names: { 3: "</s>", 7: " cat", 8: " dog", 9: " ran" },
  ...{ vocabulary: 50, temperature: 100, top: 0, room: 5, end: [3] },
};

const told = (/** @type {number} */ at) => {
  const found = nextAt(NEXT, at, TOKENS);
  assert.ok(found);
  return found;
};

test("candidates come with their probabilities, and all others with what is left", () => {
  const { rows, rest, real } = told(0);
  assert.deepEqual(
    rows.map(({ text, p, real: is }) => [text, Number(p.toFixed(6)), is]),
    [
      [" cat", 0.5, false],
      [" dog", 0.25, true],
    ],
  );
  assert.ok(Math.abs(rest - 0.25) < 1e-6);
  assert.equal(real?.rank, 2);
  assert.equal(real?.text, "cat");
});

test("what is never drawn is no candidate, and the end of a text is told apart", () => {
  const { rows, real } = told(2);
  assert.deepEqual(
    rows.map(({ text, ends }) => [text, ends]),
    [["</s>", true]],
  );
  assert.equal(real, null);
});

test("a real token that is no candidate is said with its place", () => {
  const words = nextWords(told(1), TOKENS).flat().join("");
  assert.equal(words, "After cat stands sat, the 41st likeliest, with 1.0 %");
});

const of3 = { head: { query_tokens: TOKENS }, next: null };

test("one asks behind what is pointed at, else behind what is pinned, else at the end", () => {
  assert.equal(positionOf(of3, [0, 1], [2]), 1);
  assert.equal(positionOf(of3, [], [0]), 0);
  assert.equal(positionOf(of3, [], []), 2);
  const ends = { ...of3, next: { ...NEXT, last: 1 } }; // the last token is a closing mark
  assert.equal(positionOf(ends, [2], []), 1);
});

test("shares are written so that none is 0 or 100 that is not", () => {
  const written = [1, 0.9996, 0.998, 0.5, 0.0994, 0.001, 0.0004, 0].map(percent);
  assert.deepEqual(written, [
    ...["100 %", "> 99.9 %", "99.8 %", "50 %", "9.9 %", "0.1 %", "< 0.1 %", "0 %"],
  ]);
});

test("places are ordinals", () => {
  assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 102, 1111].map(ordinal), [
    ...["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "1,111th"],
  ]);
});

test("it is asked for once for each way of drawing, and for each part of a long text", () => {
  const draw = { temperature: 100, top: 0 };
  assert.ok(isNextHere(NEXT, draw, 2));
  assert.ok(!isNextHere(null, draw, 2));
  assert.ok(!isNextHere(NEXT, { ...draw, top: 5 }, 2));
  assert.ok(!isNextHere(NEXT, draw, 3));
  assert.equal(nextAt(NEXT, 3, TOKENS), null);
  assert.ok(isNextHere({ ...NEXT, at: 3 }, draw, 3), "what cannot be told is not asked again");
  assert.ok(isNextHere({ ...NEXT, reason: "none" }, { ...draw, top: 5 }, 3));
});

test("a full text says why nothing more can be written", () => {
  assert.equal(fullWords(NEXT, 3), "");
  assert.equal(fullWords(null, 3), "");
  assert.match(
    fullWords({ ...NEXT, room: 0 }, 1280),
    /^No room for another token: the model reads at most 1,280, and the text fills them\./,
  );
});
