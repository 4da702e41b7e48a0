// What is chosen on the page of all heads: what a link opens, what a click changes, what is said.

import assert from "node:assert/strict";
import { test } from "node:test";
import { dotsOf, nameable, nearestDot } from "../../explorer/instrument/numbers/headplane.js";
import {
  isOfKinds,
  linkOfView,
  measureOf,
  placeOfView,
  pointAt,
  roleOf,
  viewOfLink,
  withLink,
  withOrWithout,
  withPair,
  withPairs,
  withSurvey,
  withView,
  wordsOfView,
} from "../../explorer/instrument/numbers/headsview.js";
import {
  finderSentence,
  headsCsv,
  headsSentence,
  headsTitle,
  measureGroups,
  ranked,
  ranksTitle,
  standing,
  standingWords,
} from "../../explorer/instrument/numbers/headwords.js";
import { headAt, headBeside, layoutOf } from "../../explorer/instrument/parts/headmap.js";

const words = (/** @type {string[]} */ ...all) =>
  all.map((text, word) => ({ text, word, special: false }));
const measure = (/** @type {string} */ key, /** @type {(number | null)[]} */ mean) => ({
  ...{ key, name: key, short: key, exactly: key, words: `puts {} on ${key}`, n_texts: 2, mean },
  ...{ group: "Where it looks", unit: "share", spread: [0, 0, 0, 0.25] },
  ...{ farthest: [0, 1, 0, 1], extreme: mean },
});
const COUNTED = {
  heads: [0, 1, 1, 0].map((kind) => ({ kind, evidence: "=1", sink: "." })),
  measures: [measure("first", [0.1, 0.2, null, 0.4]), measure("second", [4, 3, 2, 1])],
};
const NOWHERE = { head: -1, view: { layer: "3", heads: "0" }, words: ["", ""], given: null };
const LEFT_OUT = {
  heads: [1, 1, 1, 1].map((kind) => ({ kind, evidence: "=2", sink: "." })),
  measures: [measure("second", [0.4, 0.3, 0.2, 0.9])],
};
/** Two layers of two heads, numbered 3 and 5. @type {any} */
const SURVEY = {
  ...{ id: "a", about: { title: "t", passport: "" }, numbers: [3, 5], n_heads: 2, n_texts: 2 },
  ...{ kinds: ["one", "other"], pairs: [], found: null },
  ...{ ...COUNTED, counted: COUNTED, left_out: LEFT_OUT, place: NOWHERE },
  texts: [words("The", "cat", "it"), words("so")],
  begins: ["The cat", "=so, it"],
};
const FOUND = {
  ...{ weight: [0.5, 0, 0, 0], spread: [0, 0, 0, 0] },
  ...{ baseline: [0, 0, 0, 0], others: [0, 0, 0, 0], each: [[0.5, 0, 0, 0]] },
};
const open = (link = "") => withSurvey(null, SURVEY, new URLSearchParams(link));

test("a link that a view gives opens the same view again", () => {
  const link = "layer=5&heads=0&measure=second&kinds=1&lowest=1&pairs=0-2-1";
  const state = open(link);
  assert.equal(new URLSearchParams(linkOfView(state)).toString(), link);
  assert.deepEqual(linkOfView(open()), NOWHERE.view);
});

test("what another page has left is marked and pointed at, unless the link says otherwise", () => {
  const left = { ...SURVEY, place: { ...NOWHERE, head: 3, given: [0, 2, 1] } };
  const { view } = withSurvey(null, left, new URLSearchParams());
  assert.deepEqual([view.pick, view.pairs, view.measure], [3, [[0, 2, 1]], "pointed"]);
  const said = withSurvey(null, left, new URLSearchParams("layer=3&heads=1&pairs=1-0-0")).view;
  assert.deepEqual([said.pick, said.pairs], [1, [[1, 0, 0]]]);
  const foreign = { ...SURVEY, place: { ...NOWHERE, given: [0, 9, 1] } };
  assert.deepEqual(withSurvey(null, foreign, new URLSearchParams()).view.pairs, []);
});

test("the place that other pages are told has the picked head, and of one text the pair pointed at", () => {
  const view = { layer: "3", heads: "0", query: "0", key: "1" };
  const place = { head: 0, view, words: ["The", "cat"], given: [0, 0, 1] };
  const one = { ...SURVEY, n_texts: 1, texts: [words("The", "cat", "it")], place };
  const state = withSurvey(null, one, new URLSearchParams());
  assert.deepEqual(placeOfView(state), view);
  const moved = withPairs(withView(state, { pick: 3 }), [[0, 2, 1]]);
  assert.deepEqual(placeOfView(moved), { layer: "5", heads: "1", query: "2", key: "1" });
  assert.deepEqual(wordsOfView(moved), ["it", "cat"]);
  const without = placeOfView(withPairs(state, []));
  assert.deepEqual(without, { layer: "3", heads: "0" }, "a pair that is taken away is unpinned");
  const many = withSurvey(null, { ...one, n_texts: 2 }, new URLSearchParams());
  assert.deepEqual(placeOfView(withPairs(many, [])), view, "pins are of the text, not of a line");
});

test("a word of several pieces is pinned whole, and one pinned word stays where none is pointed at", () => {
  const texts = [[...words("love"), { text: "##lace", word: 0, special: false }, ...words("it")]];
  texts[0][2] = { ...texts[0][2], word: 1 };
  const place = { ...NOWHERE, view: { layer: "3", heads: "0", query: "2" } };
  const one = withSurvey(null, { ...SURVEY, n_texts: 1, texts, place }, new URLSearchParams());
  assert.deepEqual(placeOfView(one), place.view);
  const { query, key } = placeOfView(withPairs(one, [[0, 2, 1]]));
  assert.deepEqual([query, key], ["2", "0-1"]);
});

test("a step back shows the head, the switches and the pairs that were there", () => {
  const before = withView(open(), { pick: 1, specials: "left_out" });
  const link = new URLSearchParams(linkOfView(before));
  const now = withPairs(withView(before, { pick: 2, specials: "counted" }), [[0, 2, 1]]);
  const back = withLink({ ...now, hovered: 3 }, link);
  assert.deepEqual(linkOfView(back), linkOfView(before));
  assert.equal(back.hovered, null);
  const one = withSurvey(null, { ...SURVEY, n_texts: 1 }, new URLSearchParams());
  const pinned = withLink(one, new URLSearchParams("layer=3&heads=1&query=2&key=0-1")).view;
  assert.deepEqual([pinned.pairs, pinned.measure], [[[0, 2, 0]], "pointed"]);
  assert.deepEqual(ranked(back), ranked(before));
});

test("without special tokens measures, kinds and ranks are others, and with them the same again", () => {
  const counted = withView(open(), { measure: "first" });
  const out = withView(counted, { specials: "left_out" });
  assert.equal(measureOf(out).key, "second", "the other is not there");
  assert.deepEqual(ranked(out), [3, 0, 1, 2]);
  assert.match(headsSentence(out), /^L5·H1 puts 0\.900 ± 0\.250 on second\. Kind: other/);
  assert.deepEqual(linkOfView(out), { ...NOWHERE.view, special: "out", measure: "first" });
  const again = withView(out, { specials: "counted" });
  assert.equal(headsSentence(again), headsSentence(counted));
  const answered = withSurvey(out, { ...SURVEY }, new URLSearchParams());
  assert.deepEqual(ranked(answered), [3, 0, 1, 2], "an answer leaves the switch where it is");
  const none = { ...SURVEY, left_out: null };
  assert.equal(withSurvey(null, none, new URLSearchParams("special=out")).view.specials, "counted");
});

test("what a link names and the survey has not is left out", () => {
  const odd = "measure=magic&kinds=99.x.1&layer=4&heads=9999&pairs=9-9-9_0-1-999";
  assert.deepEqual(viewOfLink(SURVEY, new URLSearchParams(odd)).kinds, [1]);
  const { view } = open(odd);
  assert.deepEqual([view.measure, view.pick, view.pairs], ["first", -1, []]);
});

test("the same survey again keeps what is chosen, and another opens as its link says", () => {
  const chosen = { ...withView(open(), { pick: 3, measure: "second" }), ranks: 4, hovered: 2 };
  const again = withSurvey(chosen, { ...SURVEY }, new URLSearchParams("layer=3&heads=1"));
  assert.deepEqual([again.view.pick, again.view.measure, again.ranks], [3, "second", 4]);
  assert.equal(again.hovered, 2);
  const other = withSurvey(chosen, { ...SURVEY, id: "b" }, new URLSearchParams("layer=3&heads=1"));
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
  assert.match(headsSentence({ ...picked, hovered: 2 }), /^L5·H0 has no number/);
  assert.match(headsSentence(picked), /^L3·H1 puts 0\.200 ± 0\.000 on first/);
  assert.match(headsSentence(open()), /^L5·H1 puts 0\.400 ± 0\.250 on first/);
});

test("every measure stands under one heading of the menu", () => {
  const groups = measureGroups({ ...SURVEY, pairs: [[0, 2, 1]], found: FOUND });
  assert.deepEqual(
    groups.map(([, measures]) => measures.map((m) => m.key)),
    [
      ["pointed", "beyond"],
      ["first", "second"],
    ],
  );
  assert.deepEqual(
    groups.map(([group]) => group),
    ["Pointed words", "Where it looks"],
  );
});

test("a head’s place among all is one more than have more; without a number it has none", () => {
  const [first, second] = SURVEY.measures;
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => standing(first, i)),
    [3, 2, null, 1],
  );
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => standing(second, i)),
    [1, 2, 3, 4],
  );
  assert.equal(standing({ ...first, mean: [0.5, 0.5, 0.1, 0.9] }, 1), 2);
  assert.deepEqual([standingWords(first, 2), standingWords(first, 0)], ["—", "3 of 4"]);
});

test("where nobody may look at the token after, no head has a place in it", () => {
  const none = { ...SURVEY.measures[0], key: "next", mean: [0, 0, 0, 0] };
  assert.equal(standingWords(none, 1), "– (they look only backwards)");
  assert.equal(standingWords({ ...none, mean: [0, 0.1, 0, 0] }, 1), "1 of 4");
  assert.equal(standingWords({ ...none, key: "previous" }, 1), "1 of 4");
});

test("the title says over how many texts, and what is left out", () => {
  const out = withView(open(), { specials: "left_out", measure: "second" });
  assert.equal(headsTitle(out), "t: heads by second · special tokens left out · 2 texts");
  assert.equal(
    headsTitle(withSurvey(null, { ...SURVEY, n_texts: 1 }, new URLSearchParams())),
    "t: heads by first",
  );
});

test("the table names of several texts the one that is farthest from the mean, of one none", () => {
  const titles = (/** @type {any} */ survey) =>
    headsCsv(survey).split("\r\n")[0].slice(1).split(",");
  const [, , , , mean, spread, there, text] = titles(SURVEY);
  assert.deepEqual([mean, spread], ["first", "± first"]);
  const alone = SURVEY.measures.map((/** @type {any} */ m) => ({ ...m, n_texts: 1 }));
  assert.deepEqual(titles({ ...SURVEY, measures: alone }).slice(4), ["first", "second"]);
  assert.notEqual(there, text);
});

test("the table has a line for each head, and no text of it runs as a formula", () => {
  const lines = headsCsv(SURVEY).trim().split("\r\n");
  assert.equal(lines.length, 5);
  assert.equal(lines[4], '5,1,one,\'=1,0.4,0.25,0.4,"2. =so, it",1,0.25,1,"2. =so, it"');
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

test("a deep map is as tall as the screen has room, its rows never lower than a hand can hit", () => {
  const rows = (/** @type {number} */ layers, /** @type {number} */ tall) =>
    layers * layoutOf([layers, 16], 620, tall).cell.height;
  assert.equal(rows(6, 480), 6 * 34);
  assert.ok(rows(24, 480) <= 480 && rows(48, 570) <= 570);
  assert.equal(layoutOf([80, 16], 620, 480).cell.height, 9);
  assert.equal(layoutOf([24, 16], 620, 480, 24).cell.height, 24);
});

test("the map finds the head under the pointer, and arrow keys stop at its edges", () => {
  const layout = layoutOf([2, 3], 500);
  const { width, height } = layout.cell;
  assert.equal(headAt(layout, { offsetX: 26 + 1.5 * width, offsetY: 18 + 1.5 * height }), 4);
  assert.equal(headAt(layout, { offsetX: 3, offsetY: 30 }), null);
  assert.equal(headAt(layout, { offsetX: 26 + 3.5 * width, offsetY: 30 }), null);
  assert.equal(headBeside(layout, 0, 1, 1), 4);
  assert.equal(headBeside(layout, 5, 1, 1), 5);
});

test("a list by pointed words is over their pairs, any other over the texts", () => {
  const asked = withSurvey(null, SURVEY, new URLSearchParams("pairs=0-2-1"));
  const heads = { ...SURVEY, n_texts: 3, pairs: /** @type {any} */ ([[0, 2, 1]]), found: FOUND };
  const one = withSurvey(asked, heads, new URLSearchParams());
  assert.match(ranksTitle(one, 4), /^4 heads, by .* to the others, over one pair$/);
  const plain = withSurvey(null, { ...SURVEY, n_texts: 3 }, new URLSearchParams());
  assert.match(ranksTitle(plain, 4), /, over 3 texts$/);
});
