// What is chosen on the page of explanations: what a link opens, what a click changes, what is said.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  chosenOf,
  explainPainted,
  isAwaited,
  linkOfExplained,
  placesGone,
  withExplained,
  withUnit,
} from "../../explorer/instrument/numbers/explainview.js";
import {
  agreedWords,
  explainedCsv,
  explainedPython,
  goneSentence,
  placeWords,
  pointedSentence,
  scoreText,
} from "../../explorer/instrument/numbers/explainwords.js";
import {
  byEffect,
  guessTable,
  headOf,
  headSentence,
  withHead,
} from "../../explorer/instrument/numbers/headsoff.js";

const method = (/** @type {string} */ key, signed = true) => ({
  ...{ key, signed, name: key, values: [0.5, null], reason: "" },
});
/** Two layers of two heads, numbered 3 and 5; a word of two pieces and another. @type {any} */
const FOUND = {
  ...{ id: "a", title: "t", value: 0.5, instead: "[MASK]", at: null, numbers: [3, 5] },
  ...{ shape: [2, 2], effects: [0.1, -0.4, 0, 0.2], importance: [1, 2, 3, 4], heads_reason: "" },
  tokens: ["=x", "##y", "so"].map((text) => ({ text, special: false })),
  units: [[0, 1], [2]],
  removal: [0.25, 0],
  methods: [method("one"), method("two", false)],
  predictions: [["cat", 0.5]],
  ...{ before: [], plain: null, edits: null, deciding: [], points: null, how: "replace" },
  changed: null,
};
const open = (link = "", found = FOUND) => withExplained(null, found, new URLSearchParams(link));

test("a link that an explanation gives opens the same one again", () => {
  const link = "method=two&off=5-1.3-0&gone=0.1";
  assert.equal(new URLSearchParams(linkOfExplained(open(link))).toString(), link);
  assert.deepEqual(linkOfExplained(open()), {});
});

test("what a link names and the explanation has not is left out", () => {
  const { method, off, gone } = open("method=magic&off=99-9.4-0.5-2.x&gone=999.-1.x.0.5");
  assert.deepEqual([method, off, gone], ["one", [], [0]]);
});

test("more of an explanation leaves what is chosen, and another one keeps only the method", () => {
  const chosen = { ...open("method=two&off=3-0&gone=1"), pointed: 1 };
  const none = new URLSearchParams();
  const more = withExplained(chosen, { ...FOUND, value: 1 }, none);
  assert.deepEqual({ ...more, found: FOUND }, chosen);
  assert.equal(more.found.value, 1);
  const other = withExplained(chosen, { ...FOUND, id: "b" }, none);
  assert.deepEqual([other.method, other.off, other.gone, other.pointed], ["two", [], [], null]);
});

test("a number of agreement says to which of two measures it belongs", () => {
  const agreed = { rho: 0.5, low: -0.1, high: 0.8, n: 9 };
  const [[size, inFull], [sign, also]] = [agreedWords(agreed, false), agreedWords(agreed, true)];
  assert.deepEqual([size, sign], ["size", "sign"]);
  assert.match(inFull, /^Held against the size of the effect, up or down: Spearman 0\.5/);
  assert.match(also, /^Held against the effect with its sign: /);
});

test("a method that another explanation has not gives way to the first", () => {
  const found = { ...FOUND, id: "b", methods: [method("one")] };
  const state = withExplained(open("method=two"), found, new URLSearchParams());
  assert.equal(chosenOf(state).key, "one");
});

test("a word goes with a click and comes back with another, and its pieces go together", () => {
  const gone = withUnit(withUnit([], 1), 0);
  assert.deepEqual(gone, [0, 1]);
  assert.deepEqual(withUnit(gone, 1), [0]);
  assert.deepEqual(placesGone({ ...open(), gone }), [0, 1, 2]);
});

test("an answer is awaited until the one to this very change is there", () => {
  const state = open("gone=0");
  assert.equal(isAwaited(open()), false);
  assert.equal(isAwaited(open("off=3-0")), false); // one head alone is measured already
  assert.equal(isAwaited(state), true);
  assert.equal(explainPainted(state), "a one  …");
  assert.equal(goneSentence(state), "Without “=xy”…");
  const changed = { heads: [], gone: [0, 1], value: 0.25, predictions: [] };
  const answered = withExplained(state, { ...FOUND, changed }, new URLSearchParams());
  assert.equal(isAwaited(answered), false);
  assert.match(goneSentence(answered), /the target is 0\.250 instead of 0\.500: −0\.2500\.$/);
  assert.equal(isAwaited({ ...answered, gone: [1] }), true);
});

test("a word pointed at is told with what its removal did, once that is measured", () => {
  assert.match(pointedSentence(open()), /^Point at a word/);
  const state = { ...open(), pointed: 0 };
  assert.match(
    pointedSentence(state),
    /put \[MASK\] in its place, and the target changes by −0\.25/,
  );
  const early = { ...state, found: { ...FOUND, removal: null } };
  assert.doesNotMatch(pointedSentence(early), /target changes/);
});

test("a score has a sign only where the method knows one", () => {
  assert.equal(scoreText(null, 0.5), "+0.500");
  assert.equal(scoreText(FOUND.methods[0], 0.5), "+0.500");
  assert.equal(scoreText(FOUND.methods[1], 0.5), "0.500");
});

test("the table has a line for each word, and no word runs as a formula", () => {
  assert.deepEqual(explainedCsv(FOUND).split("\r\n"), [
    "\ufeffword,tokens,measured removal,one,two",
    "'=xy,0 1,0.25,0.5,0.5",
    "so,2,0,,",
    "",
  ]);
});

test("a head goes off with a click and on with another, by the model’s own number of its layer", () => {
  const all = { found: FOUND, off: [], gone: [] };
  assert.deepEqual(headOf(FOUND, 3), [5, 1]);
  const off = withHead(all, 3);
  assert.deepEqual(off, [[5, 1]]);
  assert.deepEqual(withHead({ ...all, off }, 3), []);
  assert.deepEqual(byEffect(FOUND.effects), [1, 3, 0, 2]);
});

test("what is said of heads is of the one pointed at, else of those off, else of the strongest", () => {
  const all = { found: FOUND, off: [], gone: [] };
  assert.match(headSentence(all, null), /^All heads are on.* is L3·H1 \(−0\.4000\)/);
  const one = { ...all, off: withHead(all, 3) };
  assert.match(headSentence(one, null), /^Off: L5·H1\. The target is 0\.700/);
  assert.match(headSentence(one, 3), /^L5·H1 \(off\): switched off alone/);
  const two = { ...one, off: withHead(one, 0) };
  assert.match(headSentence(two, null), /^Off: L5·H1, L3·H0\. Running/);
  const none = { ...FOUND, heads_reason: "no heads" };
  assert.equal(headSentence({ ...all, found: none }, 3), "Not available: no heads");
});

test("what is predicted after a change stands beside what was, by how much or as new", () => {
  const all = { found: FOUND, off: [], gone: [] };
  assert.deepEqual(guessTable(all).body, [["cat", "0.5000"]]);
  assert.deepEqual(guessTable({ ...all, gone: [1] }).body, [["cat", "0.5000", "…", ""]]);
  const after = (/** @type {string} */ text) => {
    const changed = { heads: [], gone: [2], value: 0, predictions: [[text, 0.25]] };
    return guessTable({ found: { ...FOUND, changed }, off: [], gone: [1] }).body[0].slice(2);
  };
  assert.deepEqual(after("cat"), ["cat", "0.2500 (−0.2500)"]);
  assert.deepEqual(after("dog"), ["dog", "0.2500 (new)"]);
});

test("where attention is changed, what the model as it is predicts stands beside it", () => {
  const found = { ...FOUND, plain: 0.7, before: [["cat", 0.75]] };
  assert.deepEqual(guessTable({ found, off: [], gone: [] }), {
    head: ["now predicted", "probability", "the model as it is", "probability"],
    body: [["cat", "0.5000 (−0.2500)", "cat", "0.7500"]],
  });
  const other = { ...found, before: [["dog", 0.75]] };
  assert.equal(guessTable({ found: other, off: [], gone: [] }).body[0][1], "0.5000 (new)");
  assert.match(headSentence({ found, off: [], gone: [] }, null), /^No further head is off/);
});

test("the place of the words that decide is told, and what chance would be", () => {
  const [says, title] = placeWords({ rank: 1, area: 0.917, n: 12 });
  assert.equal(says, "truth: place 1 of 12");
  assert.match(title, /0\.92; 0\.5 by chance/);
  assert.equal(placeWords({ rank: 2.5, area: null, n: 3 })[0], "truth: place 2.5 of 3");
});

test("a word that is cut out of attention is said to stay", () => {
  const found = { ...FOUND, how: "cut", instead: null };
  assert.match(pointedSentence({ ...open("", found), pointed: 0 }), /let no later word look at it/);
  const state = open("gone=1", { ...found, about: { code: "asked = 1\n" } });
  assert.match(explainedPython(state), /asked\.changed\(\[\], \[2\], "cut"\)/);
});
