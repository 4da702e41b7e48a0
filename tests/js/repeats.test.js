// Induction and its kin on the page of all heads: what is said, ranked, kept in a link and in a file.

import assert from "node:assert/strict";
import { test } from "node:test";
import { linkOfView, withSurvey, withView } from "../../explorer/instrument/numbers/headsview.js";
import { headsCsv } from "../../explorer/instrument/numbers/headwords.js";
import {
  evenWords,
  fullIn,
  headInScores,
  ownNumber,
  rankedBy,
  repeatsNote,
  repeatsSentence,
  scoreOf,
  standsOut,
} from "../../explorer/instrument/numbers/repeats.js";

const score = (/** @type {string} */ key, more = {}) => ({
  ...{ key, short: key, name: `${key} on random tokens`, exactly: key, group: "", unit: "share" },
  ...{ words: `looks ${key}: {} of it`, n_texts: 4, farthest: [], extreme: [] },
  ...{ mean: [0.1, 0.62, 0.02, 0.3], spread: [0, 0.031, 0, 0], even: [0.014, 0.014, 0.02, 0.02] },
  own: { mean: [0, 0.41, 0, 0], even: [0.06, 0.06, 0.06, 0.06], count: 7 },
  ...more,
});
const COPYING = score("copying", {
  ...{ unit: "sd", own: null, words: "writes by {} standard deviations", even: [0, 0, 0, 0] },
  mean: [0.5, 2.312, -1.2, 0],
});
const TOLD = {
  ...{ state: "told", reason: "", length: 48, n_texts: 4, no_copying: "", own_known: true },
  measures: [score("induction"), score("same", { own: null }), COPYING],
};
const HABITS = {
  heads: [0, 0, 0, 0].map((kind) => ({ kind, evidence: "e", sink: "." })),
  measures: [{ ...score("first"), name: "first", n_texts: 1 }],
};
/** Two layers of two heads, numbered 3 and 5. @type {any} */
const SURVEY = {
  ...{ id: "a", about: { title: "t", passport: "" }, numbers: [3, 5], n_heads: 2, n_texts: 1 },
  ...{ kinds: ["one"], pairs: [], found: null, ...HABITS, counted: HABITS, left_out: null },
  ...{ texts: [[]], begins: ["x"], repeats: TOLD },
  place: { head: -1, view: {}, words: ["", ""], given: null },
};
const open = (link = "", more = {}) =>
  withSurvey(null, { ...SURVEY, ...more }, new URLSearchParams(link));

test("a head is told with its number, its spread, what is even, and the same in the text", () => {
  const state = open("repeats=induction");
  assert.equal(
    repeatsSentence(state, 1),
    "L3·H1 looks induction: 0.620 ± 0.031 of it (evenly: 0.014). In this text, over 7 repeated tokens (unknown and special ones left out), it is 0.410 (evenly: 0.060).",
  );
  const once = { mean: [0, 0.41, 0, 0], even: [0, 0.06, 0, 0], count: 1 };
  const measures = [score("induction", { own: once })];
  const of1 = open("repeats=induction", { repeats: { ...TOLD, measures } });
  assert.match(repeatsSentence(of1, 1), / over 1 repeated token \(/);
  const same = withView(state, { repeats: "same" });
  assert.match(repeatsSentence(same, 1), /In this text no word comes again as it would have to\.$/);
  const copying = withView(state, { repeats: "copying" });
  assert.equal(
    repeatsSentence(copying, 1),
    "L3·H1 writes by 2.31 ± 0.03 standard deviations (at random: 0).",
  );
  const many = open("repeats=induction", { n_texts: 3 });
  assert.match(repeatsSentence(many, 1), /In the first text, over 7 repeated tokens \(unknown/);
});

test("heads are ranked by the score that is chosen; the one that was clicked is spoken of", () => {
  const state = open("repeats=copying");
  const chosen = /** @type {any} */ (scoreOf(state));
  assert.equal(chosen.key, "copying");
  assert.deepEqual(rankedBy(state.heads, chosen), [1, 0, 3, 2]);
  assert.equal(headInScores(state, chosen, null), 1);
  assert.equal(headInScores(state, chosen, 3), 3);
  assert.equal(headInScores({ ...state, hovered: 2 }, chosen, 3), 2);
  assert.equal(ownNumber(chosen, 0), "—");
});

test("what chance would give stays pale, and no head is said to stand out by it", () => {
  const few = /** @type {any} */ (score("induction", { mean: [0.015, 0.014, 0.01, 0.02] }));
  assert.deepEqual([standsOut(few), fullIn(few)], [false, 0.06]);
  const one = /** @type {any} */ (score("induction"));
  assert.deepEqual([standsOut(one), fullIn(one)], [true, 0.62]);
  const copying = /** @type {any} */ ({ ...COPYING, mean: [0.4, 0.2, -3, 0] });
  assert.deepEqual([standsOut(copying), fullIn(copying)], [false, 1]);
});

test("what is even is said of all layers, and of what copies nothing", () => {
  assert.equal(evenWords(/** @type {any} */ (score("same"))), "even attention: 0.014 to 0.020");
  assert.equal(evenWords(/** @type {any} */ (COPYING)), "a head that writes at random: 0");
  assert.match(
    repeatsNote(/** @type {any} */ (TOLD)),
    /4 sequences of 48 random tokens, twice each/,
  );
  const without = { ...TOLD, no_copying: "No head for words." };
  assert.match(repeatsNote(/** @type {any} */ (without)), /cannot be told: No head for words\.$/);
});

test("the score is in the link, and what a link cannot mean is left out", () => {
  assert.deepEqual(linkOfView(open("repeats=same")), { repeats: "same" });
  assert.deepEqual(linkOfView(open("")), {});
  assert.deepEqual(linkOfView(open("repeats=magic")), { repeats: "induction" });
  assert.deepEqual(linkOfView(open("repeats=same", { repeats: null })), {});
});

test("the table of all heads has these numbers too, once they are measured", () => {
  const [titles, ...rows] = headsCsv(open().heads).trim().split("\r\n");
  const at = titles.split(",").indexOf("induction on random tokens");
  assert.deepEqual(rows[1].split(",").slice(at, at + 5), [
    "0.62",
    "0.031",
    "0.014",
    "0.41",
    "0.06",
  ]);
  const before = headsCsv(open("", { repeats: { state: "ask", reason: "", measures: [] } }).heads);
  assert.doesNotMatch(before, /induction on random tokens/);
});
