// What is asked on Explain: what is grey and why, what is not as usual, the classes to choose from.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  asksWord,
  classChoices,
  clicked,
  greyedSentence,
  isChosen,
  kindName,
  tokenText,
  unusual,
  whichWord,
} from "../../explorer/instrument/numbers/explainask.js";

/** @type {import("../../explorer/instrument/numbers/explainask.js").Wish} */
const WISH = {
  ...{ kind: "like", other: "x", first: false, at: null, guess: "", label: null },
  ...{ versus: "", logit: false, start: 0, end: 1 },
  ...{ how: "replace", neutral: "", by_word: true, whole_flow: false },
};
const bar = (/** @type {any} */ reasons) => ({
  ...{ wish: WISH, reasons, classes: [], tokens: [], answers: false, stale: false },
});
const NONE = { like: "", word: "", next: "", span: "", class: "", vector: "" };

test("what the model has not is named with the first sentence of its reason", () => {
  const word = "It has no head (v1.5) that predicts words. Choose another.";
  assert.equal(
    greyedSentence(bar({ ...NONE, word, class: "It has no classes." })),
    "Not here: a masked word (It has no head (v1.5) that predicts words); a class (It has no classes).",
  );
});

test("nothing is said where all is possible or nobody knows yet", () => {
  assert.equal(greyedSentence(bar(NONE)), "");
  assert.equal(greyedSentence(bar(null)), "");
});

test("where nothing is possible it is said once, without six reasons", () => {
  const all = Object.fromEntries(Object.keys(NONE).map((kind) => [kind, "no."]));
  assert.match(greyedSentence(bar(all)), /^None of these can be explained/);
});

test("what is not as usual can be taken back, one by one", () => {
  assert.deepEqual(unusual(WISH), []);
  /** @type {typeof WISH} */
  const other = { ...WISH, how: "drop", by_word: false, whole_flow: true };
  const all = unusual(other);
  assert.equal(all.length, 3);
  assert.deepEqual(Object.assign(other, ...all.map(({ without }) => without)), WISH);
});

test("a class is chosen by its name, or by its number where it has no other", () => {
  assert.deepEqual(classChoices(["sad", "1", ""]), [
    ["", "the likeliest"],
    ["0", "sad (0)"],
    ["1", "1"],
    ["2", "2"],
  ]);
});

test("only a target about one word asks for one, and pieces are written without their mark", () => {
  assert.deepEqual(Object.keys(NONE).filter(/** @type {any} */ (asksWord)), [
    ...["word", "next", "span", "vector"],
  ]);
  assert.deepEqual(["##lace", "cat"].map(tokenText), ["lace", "cat"]);
});

test("a click chooses a word, and of a span where it begins and then where it ends", () => {
  assert.deepEqual(clicked({ ...WISH, kind: "next" }, 4), { at: 4 });
  /** @type {typeof WISH} */
  const span = { ...WISH, kind: "span", start: 3, end: 4 };
  assert.deepEqual(clicked(span, 6), { end: 7 });
  assert.deepEqual(clicked(span, 2), { start: 2, end: 3 });
  assert.deepEqual(clicked({ ...span, end: 7 }, 5), { start: 5, end: 6 }, "a new one begins");
  const all = [2, 3, 6, 7].map((at) => isChosen({ ...span, end: 7 }, at, null));
  assert.deepEqual(all, [false, true, true, false]);
  assert.ok(isChosen({ ...WISH, at: null }, 5, 5));
});

test("of a trained layer the next word is called an answer, and one reason says why all else is grey", () => {
  assert.equal(kindName("next", true), "an answer");
  assert.equal(kindName("next", false), "the next word");
  assert.equal(kindName("like", true), "likeness to a text");
  assert.equal(whichWord("next", true), "At which token");
  const why = "Its answer is all that can be explained. Choose another.";
  const reasons = { like: why, word: why, next: "", span: why, class: why, vector: why };
  const said = greyedSentence({ ...bar(reasons), answers: true });
  assert.equal(said, "Its answer is all that can be explained.");
});

test("a token of the reader’s in the place of a word can be taken back", () => {
  const [one] = unusual({ ...WISH, neutral: "thing" });
  assert.deepEqual(one, { name: "“thing” in their place", without: { neutral: "" } });
  assert.deepEqual(unusual({ ...WISH, neutral: "thing", how: "cut" }).length, 1);
});
