import assert from "node:assert/strict";
import test from "node:test";
import {
  chunkAt,
  chunksIn,
  chunksOf,
  guessed,
  heightsOf,
  lineOf,
  placeAfter,
  placesOf,
  rateOf,
  stripOf,
  topsOf,
} from "../../explorer/instrument/numbers/readingpages.js";

/** @typedef {import("../../explorer/instrument/numbers/readingtext.js").Piece} Piece */

/**
 * A text of words, each a token, with a space or something else behind it.
 * @param {number} count @param {(i: number) => string} after
 * @returns {Piece[]}
 */
const words = (count, after = () => " ") =>
  Array.from(
    { length: count },
    (_, i) =>
      /** @type {Piece[]} */ ([
        { kind: "token", text: `w${i}`, i },
        { kind: "plain", text: after(i) },
      ]),
  ).flat();

/** @param {{pieces: Piece[]}[]} chunks */
const textOf = (chunks) =>
  chunks
    .flatMap(({ pieces }) => pieces.map((piece) => (piece.kind === "scissors" ? "✂" : piece.text)))
    .join("");

test("chunks hold the whole text and every token once, in order", () => {
  const pieces = words(1700, (i) => (i % 90 === 89 ? ".\n\n" : " "));
  const chunks = chunksOf(pieces, false);
  assert.equal(textOf(chunks), textOf([{ pieces }]));
  const own = chunks.flatMap((chunk) => chunk.own);
  assert.deepEqual(
    own,
    Array.from({ length: 1700 }, (_, i) => i),
  );
  assert.equal(
    chunks.reduce((sum, { letters }) => sum + letters, 0),
    textOf([{ pieces }]).length,
  );
});

test("a chunk ends with a line, else with a sentence, else with a word, else anywhere", () => {
  const ends = (/** @type {Piece[]} */ pieces) => chunksOf(pieces, false)[0].own.length;
  assert.equal(ends(words(900, (i) => (i === 119 ? "\n" : " "))), 120);
  const sentences = words(900);
  sentences[2 * 270] = { kind: "token", text: "end.", i: 270 };
  assert.equal(ends(sentences), 271);
  assert.equal(ends(words(900)), 340);
  assert.equal(ends(words(900, () => "")), 420);
  assert.equal(chunksOf(words(900), true).length, 1);
});

test("what stands behind a line's end begins the next chunk", () => {
  const chunks = chunksOf(
    words(300, (i) => (i === 110 ? "\n  " : " ")),
    false,
  );
  assert.ok(textOf(chunks.slice(0, 1)).endsWith("w110\n"));
  assert.ok(textOf(chunks.slice(1)).startsWith("  w111"));
});

test("a text of nothing is one chunk without anything", () => {
  assert.deepEqual(chunksOf([], false), [{ pieces: [], letters: 0, own: [] }]);
});

const CHUNKS = [10, 20, 30, 40].map((letters, c) => ({
  pieces: [],
  letters,
  own: [2 * c, 2 * c + 1],
}));

test("what was measured keeps its height, what was not is guessed from its letters", () => {
  assert.equal(heightsOf(CHUNKS).known.includes(1), false);
  const measured = new Map([[1, 50]]);
  const rate = rateOf(CHUNKS, measured, 0.3);
  assert.equal(rate, 2.5);
  assert.equal(rateOf(CHUNKS, new Map(), 0.3), 0.3);
  const { heights, known } = guessed(CHUNKS, measured, 2);
  assert.deepEqual([...heights], [20, 50, 60, 80]);
  assert.deepEqual([...known], [0, 1, 0, 0]);
});

const TOPS = topsOf(Float64Array.of(100, 50, 200, 50));

test("the chunks that are wanted are those of which something is near the sight", () => {
  assert.deepEqual([...TOPS], [0, 100, 150, 350, 400]);
  assert.deepEqual(
    [-9, 0, 99, 100, 349, 350, 999].map((y) => chunkAt(TOPS, y)),
    [...[0, 0, 0, 1, 2, 3, 3]],
  );
  assert.deepEqual(chunksIn(TOPS, 120, 360), [1, 3]);
});

test("a height that turns out otherwise does not move what is in sight", () => {
  const after = topsOf(Float64Array.of(160, 50, 200, 50));
  assert.equal(placeAfter(120, 90, TOPS, after), 180); // 20 into the second, as before
  assert.equal(placeAfter(40, 90, TOPS, TOPS), 40);
  const other = topsOf(Float64Array.of(100, 100, 200, 50));
  assert.equal(placeAfter(125, 90, TOPS, other), 150); // the middle of the second stays in its middle
});

test("who looks at the end of the text goes on looking at it", () => {
  const after = topsOf(Float64Array.of(100, 50, 200, 80));
  assert.equal(placeAfter(310, 90, TOPS, after), 340);
  assert.equal(placeAfter(300, 90, TOPS, after), 300);
  assert.equal(placeAfter(0, 900, TOPS, after), 0);
});

test("the strip shows the strongest of the tokens that share a line", () => {
  const places = placesOf(CHUNKS, TOPS, 8);
  assert.deepEqual(
    [...places].map((place) => Math.round(place * 400)),
    [...[25, 75, 113, 138, 200, 300, 363, 388]],
  );
  const values = [9, 8, 7, 60, 5, 4, 30, 200];
  assert.deepEqual([...stripOf(places, 4, (i) => values[i])], [9, 60, 5, 200]);
  assert.deepEqual([lineOf(0, 4), lineOf(0.5, 4), lineOf(1, 4)], [0, 2, 3]);
});
