// Whose picture it is, in one line, and what a file is called after.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  headName,
  headsName,
  inSpeech,
  spokenHead,
} from "../../explorer/instrument/numbers/headname.js";
import { pinnedWords } from "../../explorer/instrument/numbers/pinnedwords.js";
import { fromParams, pythonOf, START, switchesOf } from "../../explorer/instrument/numbers/view.js";
import { ageOf, fileWords, quoted } from "../../explorer/instrument/parts/about.js";
import { heightFor } from "../../explorer/instrument/parts/room.js";
import { inForce } from "../../explorer/instrument/parts/viewmenu.js";

test("a head is written in one way and spoken in words", () => {
  assert.equal(headName(3, 1), "L3·H1");
  assert.equal(headsName(3, [1, 4]), "L3·H1, H4");
  assert.equal(spokenHead(3, 1), "layer 3, head 1");
  assert.equal(inSpeech("L3·H1: it, not L0·H11."), "layer 3, head 1: it, not layer 0, head 11.");
});

test("a short text is quoted whole, a long one up to the end of a word", () => {
  assert.equal(quoted(" The  cat\nsat. "), "The cat sat.");
  assert.equal(quoted("The old lighthouse had not been lit", 20), "The old lighthouse …");
  assert.equal(quoted("猫".repeat(60), 10), `${"猫".repeat(10)} …`);
  assert.ok(quoted("😀".repeat(60), 11).isWellFormed());
});

test("an age is told in the largest unit that it fills", () => {
  assert.deepEqual([0, 59, 60, 3599, 3600, 86_399, 86_400 * 3].map(ageOf), [
    "just now",
    "just now",
    "1 min ago",
    "59 min ago",
    "1 h ago",
    "23 h ago",
    "3 days ago",
  ]);
});

test("a file is called after its model and its text", () => {
  const about = /** @type {any} */ ({ title: "BERT", text: "The cat sat on the mat because" });
  assert.equal(fileWords(about), "BERT The cat sat on the mat …");
  assert.equal(fileWords(undefined), "");
});

test("what is not as usual is named, and each can be put back alone", () => {
  assert.deepEqual(inForce(START), []);
  const view = { ...START, words: true, scale: /** @type {const} */ ("row"), mass: 50 };
  const chips = inForce(view);
  assert.deepEqual(
    chips.map(([name]) => name),
    ["words", "colours per row", "lines hold 50 %"],
  );
  let now = view;
  for (const [, back] of chips) now = /** @type {any} */ (back(now));
  assert.deepEqual(now, START);
});

test("the Python of a picture opens it at its place, and nothing gives what has none", () => {
  const view = { ...START, layer: 3, heads: [1, 2], queries: [8] };
  assert.equal(pythonOf("", view), "");
  assert.equal(
    pythonOf("t = 1\n", view),
    't = 1\nexplorer.show(trace, layer=3, head=1, query=8, view={"heads": "1.2"})\n',
  );
  const both = pythonOf("", view, true) + pythonOf("t\n", view, true);
  assert.match(
    both,
    /query=8, heads=\[\(3, 1\), \(3, 2\)\], view=\{/,
    "of a long text both come along",
  );
  assert.match(pythonOf("t\n", START), /show\(trace, layer=0, head=0\)\n$/);
});

test("the Python of a picture has every switch, by the names that a link uses", () => {
  /** @type {import("../../explorer/instrument/numbers/view.js").View} */
  const view = {
    ...{
      ...START,
      layer: 2,
      heads: [1, 9],
      combine: "max",
      queries: [3, 4],
      keys: [6],
      look: "to",
    },
    ...{
      words: true,
      specials: "renormalised",
      scale: "row",
      mass: 50,
      grid: "whole",
      pool: "max",
    },
    ...{ map: "sentence", flow: "down", path: "chosen", residual: 40, temperature: 70, top: 5 },
    ...{ step: 3, cards: ["heads=1&layer=0"] },
  };
  const [, written] = /view=(\{.*\})\)\n$/.exec(pythonOf("t\n", view)) ?? assert.fail();
  const params = new URLSearchParams({ layer: "2", ...JSON.parse(written) });
  assert.deepEqual(fromParams(START, params), { ...view, step: null, cards: [] });
});

test("a file and a title name the switches that change numbers", () => {
  assert.deepEqual(switchesOf(START), []);
  assert.deepEqual(switchesOf({ words: true, specials: "hidden" }), [
    "words",
    "special tokens hidden",
  ]);
  const rescaled = switchesOf({ words: false, specials: "renormalised" });
  assert.deepEqual(rescaled, ["special tokens hidden, rescaled"]);
});

test("a pinned piece is told as the word that it is a piece of, by code points", () => {
  const token = (
    /** @type {number} */ start,
    /** @type {number} */ end,
    /** @type {number | null} */ word,
  ) => ({
    ...{ text: "x", span: [start, end], word, segment: 0, special: false },
  });
  const tokens = [
    { text: "[CLS]", span: null, word: null, segment: 0, special: true },
    ...[token(2, 5, 0), token(5, 10, 0), token(11, 13, 1)],
  ];
  const head = /** @type {any} */ ({
    ...{ query_tokens: tokens, key_tokens: tokens, texts: ["😀 Lovelace it"] },
  });
  const trace = /** @type {any} */ ({ head });
  assert.deepEqual(pinnedWords(trace, { queries: [2], keys: [3] }), ["Lovelace", "it"]);
  assert.deepEqual(pinnedWords(trace, { queries: [0], keys: [] }), ["", ""]);
});

test("a picture ends with the first screen if its rows can be read then", () => {
  const room = { first: 400, most: 600 };
  assert.equal(heightFor(room, 13, 20), 400);
  assert.equal(heightFor(room, 40, 20), 600);
});
