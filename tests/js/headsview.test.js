// What is chosen on the page of all heads: what a link opens, what a click changes, what is said.

import assert from "node:assert/strict";
import { test } from "node:test";
import { dotsOf, nameable, nearestDot } from "../../explorer/instrument/numbers/headplane.js";
import {
  isOfKinds,
  linkOfView,
  measureOf,
  pointAt,
  roleOf,
  viewOfLink,
  withOrWithout,
  withPair,
  withPairs,
  withSurvey,
  withView,
} from "../../explorer/instrument/numbers/headsview.js";
import {
  finderSentence,
  headsCsv,
  headsSentence,
  measureGroups,
} from "../../explorer/instrument/numbers/headwords.js";
import { headAt, headBeside, layoutOf } from "../../explorer/instrument/parts/headmap.js";

const words = (/** @type {string[]} */ ...all) =>
  all.map((text, word) => ({ text, word, special: false }));
const measure = (/** @type {string} */ key, /** @type {(number | null)[]} */ mean) => ({
  ...{ key, name: key, words: `puts {} on ${key}`, n_texts: 2, mean },
  ...{ unit: "share", spread: [0, 0, 0, 0.25] },
});
/** Two layers of two heads, numbered 3 and 5. @type {any} */
const SURVEY = {
  ...{ id: "a", title: "t", passport: "", numbers: [3, 5], n_heads: 2, n_texts: 2 },
  ...{ kinds: ["one", "other"], pairs: [], found: null },
  heads: [0, 1, 1, 0].map((kind) => ({ kind, evidence: "=1" })),
  measures: [measure("first", [0.1, 0.2, null, 0.4]), measure("second", [4, 3, 2, 1])],
  texts: [words("The", "cat", "it"), words("so")],
};
const FOUND = {
  ...{ weight: [0.5, 0, 0, 0], spread: [0, 0, 0, 0] },
  ...{ baseline: [0, 0, 0, 0], others: [0, 0, 0, 0] },
};
const open = (link = "") => withSurvey(null, SURVEY, new URLSearchParams(link));

test("a link that a view gives opens the same view again", () => {
  const link = "measure=second&kinds=1&lowest=1&pick=2&pairs=0-2-1";
  const state = open(link);
  assert.equal(new URLSearchParams(linkOfView(state)).toString(), link);
  assert.deepEqual(linkOfView(open()), {});
});

test("what a link names and the survey has not is left out", () => {
  const odd = "measure=magic&kinds=99.x.1&pick=9999&pairs=9-9-9_0-1-999";
  assert.deepEqual(viewOfLink(SURVEY, new URLSearchParams(odd)).kinds, [1]);
  const { view } = open(odd);
  assert.deepEqual([view.measure, view.pick, view.pairs], ["first", -1, []]);
});

test("the same survey again keeps what is chosen, and another opens as its link says", () => {
  const chosen = { ...withView(open(), { pick: 3, measure: "second" }), ranks: 4, hovered: 2 };
  const again = withSurvey(chosen, { ...SURVEY }, new URLSearchParams("pick=1"));
  assert.deepEqual([again.view.pick, again.view.measure, again.ranks], [3, "second", 4]);
  assert.equal(again.hovered, 2);
  const other = withSurvey(chosen, { ...SURVEY, id: "b" }, new URLSearchParams("pick=1"));
  assert.deepEqual([other.view.pick, other.view.measure, other.ranks], [1, "first", 12]);
  assert.equal(other.hovered, null, "a head of the last one need not be one of this");
});

test("pointed words rank the heads once their answer is there, and never by another question’s", () => {
  const asked = withPairs(open(), [[0, 2, 1]]);
  assert.equal(asked.view.measure, "pointed");
  assert.equal(measureOf(asked).key, "first");
  const none = new URLSearchParams();
  const answered = withSurvey(asked, { ...SURVEY, pairs: [[0, 2, 1]], found: FOUND }, none);
  assert.equal(measureOf(answered).key, "pointed");
  const late = withSurvey(asked, { ...SURVEY, pairs: [[0, 1, 0]], found: FOUND }, none);
  assert.equal(late.heads.found, null);
  const onward = withPairs(answered, [[1, 0, 0]]);
  assert.equal(onward.heads.found, null);
  assert.equal(withPairs(onward, []).view.measure, "first");
});

test("a kind is chosen by a first click and left by a second", () => {
  const kinds = withOrWithout(withOrWithout([], 1), 0);
  assert.deepEqual(kinds, [0, 1]);
  assert.deepEqual(withOrWithout(kinds, 0), [1]);
  assert.equal(isOfKinds(withView(open(), { kinds: [1] }), 0), false);
  assert.equal(isOfKinds(open(), 0), true);
});

test("a pair takes two words of one text; a word of another text begins anew", () => {
  const first = pointAt(null, 0, 2);
  assert.deepEqual(first, { begun: { text: 0, at: 2 }, pair: null });
  assert.deepEqual(pointAt(first.begun, 1, 0), { begun: { text: 1, at: 0 }, pair: null });
  assert.deepEqual(pointAt(first.begun, 0, 1), { begun: null, pair: [0, 2, 1] });
  assert.match(finderSentence(SURVEY, [], first.begun), /From “it” to …/);
  assert.equal(roleOf(SURVEY, [], first.begun, 0, 2).from, true);
  assert.deepEqual(roleOf(SURVEY, [[0, 2, 1]], null, 0, 1), { from: false, to: true });
});

test("a pair given twice counts once, and of too many the first goes", () => {
  assert.deepEqual(
    withPair(
      [
        [0, 1, 2],
        [0, 2, 1],
      ],
      [0, 1, 2],
      2,
    ),
    [
      [0, 2, 1],
      [0, 1, 2],
    ],
  );
  assert.deepEqual(withPair([[0, 1, 2]], [0, 2, 1], 1), [[0, 2, 1]]);
});

test("what is said is of the head under the pointer, else of the picked, else of the first", () => {
  const picked = withView(open(), { pick: 1 });
  assert.match(headsSentence({ ...picked, hovered: 2 }), /^Layer 5, head 0 has no number/);
  assert.match(headsSentence(picked), /^Layer 3, head 1 puts 0\.200 ± 0\.000 on first/);
  assert.match(headsSentence(open()), /^Layer 5, head 1 puts 0\.400 ± 0\.250 on first/);
});

test("every measure stands under one heading of the menu", () => {
  const groups = measureGroups({ ...SURVEY, pairs: [[0, 2, 1]], found: FOUND });
  assert.deepEqual(
    groups.map(([, measures]) => measures.map((m) => m.key)),
    [["pointed", "beyond"], ["first", "second"], []],
  );
});

test("the table has a line for each head, and no text of it runs as a formula", () => {
  const lines = headsCsv(SURVEY).trim().split("\r\n");
  assert.equal(lines.length, 5);
  assert.equal(lines[4], "5,1,one,'=1,0.4,0.25,1,0.25");
});

test("the plane keeps distances, finds the dot in reach, and names no two in one place", () => {
  const dots = dotsOf(
    [
      [0, 0],
      [3, 4],
      [0, 0.001],
    ],
    350,
    430,
  );
  assert.equal(Math.round(Math.hypot(dots[1].x - dots[0].x, dots[1].y - dots[0].y)), 500);
  const all = () => true;
  assert.equal(nearestDot(dots, dots[1], all), 1);
  assert.equal(nearestDot(dots, { x: dots[1].x + 14, y: dots[1].y }, all), null);
  assert.equal(
    nearestDot(dots, dots[1], (i) => i !== 1),
    null,
  );
  const none = () => false;
  assert.deepEqual(nameable(dots, none, all), [1]);
  assert.deepEqual(
    nameable(dots, (i) => i === 2, all),
    [2, 1],
  );
});

test("the map finds the head under the pointer, and arrow keys stop at its edges", () => {
  const layout = layoutOf([2, 3], 500);
  const { width, height } = layout.cell;
  assert.equal(headAt(layout, { offsetX: 24 + 1.5 * width, offsetY: 18 + 1.5 * height }), 4);
  assert.equal(headAt(layout, { offsetX: 3, offsetY: 30 }), null);
  assert.equal(headAt(layout, { offsetX: 24 + 3.5 * width, offsetY: 30 }), null);
  assert.equal(headBeside(layout, 0, 1, 1), 4);
  assert.equal(headBeside(layout, 5, 1, 1), 5);
});
