import assert from "node:assert/strict";
import test from "node:test";
import {
  firstFrom,
  folded,
  foundWords,
  hitsOf,
  runsOf,
} from "../../explorer/instrument/numbers/find.js";
import { piecesOf, spotsOf } from "../../explorer/instrument/numbers/readingtext.js";
import { token } from "./trace.js";

/**
 * A text cut into tokens at the given places.
 * @param {string} text @param {[number, number][]} spans
 */
function read(text, spans) {
  const tokens = [
    token("[CLS]", { span: null, special: true }),
    ...spans.map((span) => token(text.slice(...span), { span })),
    token("[SEP]", { span: null, special: true }),
  ];
  const own = tokens.map((one, i) => ({ token: one, i }));
  const pieces = piecesOf([...text], own, 0, "right");
  return runsOf([pieces], spotsOf({ query_tokens: tokens, key_tokens: tokens }));
}

const DOOR = read("The red-door, RED\n DOOR", [
  [0, 3],
  [4, 7],
  [7, 8],
  [8, 10],
  [10, 12],
  [12, 13],
  [14, 17],
  [19, 23],
]);

test("words are found whatever their case, over several tokens, spaces and line breaks", () => {
  assert.deepEqual(hitsOf(DOOR, "red"), [[2], [7]]);
  assert.deepEqual(hitsOf(DOOR, "Door"), [[4, 5], [8]]);
  assert.deepEqual(hitsOf(DOOR, "red door"), [[7, 8]]);
  assert.deepEqual(hitsOf(DOOR, "d-d"), [[2, 3, 4]]);
  assert.deepEqual(hitsOf(DOOR, "or, r"), [[5, 6, 7]]);
  assert.deepEqual(hitsOf(DOOR, "dragon"), []);
});

test("a mark that is no text is found by its name, and is no neighbour of the text", () => {
  assert.deepEqual(hitsOf(DOOR, "[sep]"), [[9]]);
  assert.deepEqual(hitsOf(DOOR, "]the"), []);
});

test("nothing and mere space are nothing to find, and signs of patterns are letters", () => {
  assert.deepEqual(hitsOf(DOOR, ""), []);
  assert.deepEqual(hitsOf(DOOR, " \n"), []);
  assert.deepEqual(hitsOf(DOOR, "r.d"), []);
  assert.deepEqual(hitsOf(DOOR, "(red|.*"), []);
  assert.deepEqual(hitsOf(read("a.*b", [[0, 4]]), ".*"), [[1]]);
});

test("accents count as typed, however they are written down", () => {
  const cafe = read("café cafe CAFE\u0301", [
    [0, 4],
    [5, 9],
    [10, 15],
  ]);
  assert.deepEqual(hitsOf(cafe, "café"), [[1], [3]]);
  assert.deepEqual(hitsOf(cafe, "cafe\u0301"), [[1], [3]]);
  assert.deepEqual(hitsOf(cafe, "cafe"), [[2]]);
});

test("letters of other scripts, and those whose other case is longer, keep their owners", () => {
  const wide = read("Straße ΟΔΟΣ 👩‍👩‍👧猫", [
    [0, 6],
    [7, 11],
    [12, 17],
    [17, 18],
  ]);
  assert.deepEqual(hitsOf(wide, "STRASSE"), [[1]]);
  assert.deepEqual(hitsOf(wide, "οδος"), [[2]]);
  assert.deepEqual(hitsOf(wide, "猫"), [[4]]);
  for (const run of wide) assert.equal(run.text.length, run.owners.length);
  assert.deepEqual(folded([{ text: "İ", i: 3 }]).owners, [3, 3]);
});

test("matches do not overlap, and stand in the order of reading", () => {
  const runs = [folded([{ text: "aaa", i: 5 }]), folded([{ text: "aa", i: 1 }])];
  assert.deepEqual(hitsOf(runs, "aa"), [[1], [5]]);
});

test("the search begins with what is in sight, and goes round", () => {
  assert.equal(firstFrom([[2], [7], [9]], 5), 1);
  assert.equal(firstFrom([[2], [7]], 8), 0);
  assert.equal(firstFrom([], 8), 0);
});

test("what was found is counted, and nothing is said in a sentence", () => {
  assert.equal(foundWords("red", 2, 17), "3 of 17");
  assert.equal(foundWords("<b>", 0, 0), "“<b>” is not in this text.");
  assert.equal(foundWords(" ", 0, 0), "");
});
