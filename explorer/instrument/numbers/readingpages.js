// A text in chunks, of which only those near the sight are in the page: where a text is cut, how
// high its chunks are, which are wanted, and where the sight goes when a height turns out otherwise.

import { bound } from "./basics.js";

/**
 * @typedef {import("./readingtext.js").Piece} Piece
 * @typedef {{pieces: Piece[], letters: number, own: number[]}} Chunk
 *   letters: how many it shows; own: its tokens' spots
 * @typedef {{heights: Float64Array, known: Uint8Array, rate: number}} Heights
 *   by chunk, in pixels; known: whether it was measured; rate: pixels a letter of the others
 */

export const LONG_TEXT = 1500; // tokens from which a text is cut into chunks
const PARAGRAPH = 100; // tokens after which a chunk ends with a line of the text
const SENTENCE = 260; // with a sentence
const WORD = 340; // with a word
const MOST = 420; // anywhere
const FIRST_RATE = 0.3; // pixels a letter, before any chunk was measured

/**
 * Cut one text into chunks. Each stands in a box of its own, so that cuts are made where a line
 * ends anyway, if there is such a place.
 * @param {Piece[]} pieces @param {boolean} whole leave it in one
 * @returns {Chunk[]}
 */
export function chunksOf(pieces, whole) {
  /** @type {Chunk[]} */
  const chunks = [];
  let open = newChunk();
  let before = "";
  const end = () => {
    chunks.push(open);
    open = newChunk();
  };
  for (const piece of pieces) {
    const text = piece.kind === "scissors" ? "" : piece.text;
    if (piece.kind === "token") open.own.push(piece.i);
    const isEnd = !whole && endsHere(open.own.length, before, text);
    const cut = isEnd && piece.kind === "plain" ? text.lastIndexOf("\n") + 1 : 0;
    if (cut) add(open, { kind: "plain", text: text.slice(0, cut) });
    else add(open, piece);
    if (isEnd) end();
    if (cut && cut < text.length) add(open, { kind: "plain", text: text.slice(cut) });
    before = text;
  }
  if (open.pieces.length || !chunks.length) end();
  return chunks;
}

const LEFTWARD =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

/**
 * The direction of a text that is in chunks: its first letter tells.
 * @param {Chunk[]} chunks
 */
export function directionOf(chunks) {
  for (const { pieces } of chunks) {
    for (const piece of pieces) {
      const isMark = piece.kind === "scissors" || /^[[<].*[\]>]$/.test(piece.text);
      const [letter] = (!isMark && /\p{L}/u.exec(piece.text)) || [];
      if (letter) return LEFTWARD.test(letter) ? "rtl" : "ltr";
    }
  }
  return "ltr";
}

/** @returns {Chunk} */
const newChunk = () => ({ pieces: [], letters: 0, own: [] });

/** @param {Chunk} chunk @param {Piece} piece */
function add(chunk, piece) {
  chunk.pieces.push(piece);
  if (piece.kind !== "scissors") chunk.letters += piece.text.length;
}

/** @param {number} tokens so far @param {string} before the piece before @param {string} text */
function endsHere(tokens, before, text) {
  const spaced = /\s$/.test(text);
  const told = /[。！？]$/.test(text) || (spaced && /[.!?]$/.test(before));
  return (
    tokens >= MOST ||
    (tokens >= WORD && spaced) ||
    (tokens >= SENTENCE && told) ||
    (tokens >= PARAGRAPH && text.includes("\n"))
  );
}

/** @param {Chunk[]} chunks @returns {Heights} */
export const heightsOf = (chunks) => guessed(chunks, new Map(), FIRST_RATE);

/**
 * Heights of which some were measured. What was not is guessed, once for all: a guess that changes
 * would move what is in sight.
 * @param {Chunk[]} chunks @param {Map<number, number>} measured by chunk @param {number} rate
 * @returns {Heights}
 */
export function guessed(chunks, measured, rate) {
  const known = Uint8Array.from(chunks, (_, c) => Number(measured.has(c)));
  const heights = Float64Array.from(chunks, (chunk, c) => measured.get(c) ?? chunk.letters * rate);
  return { heights, known, rate };
}

/**
 * Pixels a letter, of the chunks that were measured.
 * @param {Chunk[]} chunks @param {Map<number, number>} measured @param {number} before
 */
export function rateOf(chunks, measured, before) {
  let [pixels, letters] = [0, 0];
  for (const [c, height] of measured) {
    pixels += height;
    letters += chunks[c].letters;
  }
  return letters ? pixels / letters : before;
}

/** Where each chunk begins, and where the last ends. @param {Float64Array} heights */
export function topsOf(heights) {
  const tops = new Float64Array(heights.length + 1);
  heights.forEach((height, c) => {
    tops[c + 1] = tops[c] + height;
  });
  return tops;
}

/** The chunk at a place. @param {Float64Array} tops @param {number} y */
export function chunkAt(tops, y) {
  let [low, high] = [0, tops.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tops[middle] <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * The chunks of which something lies between two places.
 * @param {Float64Array} tops @param {number} from @param {number} to
 * @returns {[number, number]} the first and the last
 */
export const chunksIn = (tops, from, to) => [chunkAt(tops, from), chunkAt(tops, to)];

/**
 * Where the sight begins, once heights are others, so that the same text stands there; or so that
 * it still ends where the text ends.
 * @param {number} y before @param {number} tall @param {Float64Array} before tops
 * @param {Float64Array} after
 */
export function placeAfter(y, tall, before, after) {
  const [end, newEnd] = [before[before.length - 1], after[after.length - 1]];
  if (y > 0 && y + tall >= end - 1) return newEnd - tall;
  const c = chunkAt(before, y);
  const height = before[c + 1] - before[c];
  const into = height ? (y - before[c]) / height : 0;
  return after[c] + into * (after[c + 1] - after[c]);
}

/**
 * How far down the text each token stands, 0 to 1: within a chunk by its number, which is as exact
 * as the strip's dots are.
 * @param {Chunk[]} chunks @param {Float64Array} tops @param {number} count of all spots
 */
export function placesOf(chunks, tops, count) {
  const places = new Float32Array(count);
  const all = tops[tops.length - 1] || 1;
  chunks.forEach(({ own }, c) => {
    own.forEach((i, n) => {
      places[i] = (tops[c] + ((n + 0.5) / own.length) * (tops[c + 1] - tops[c])) / all;
    });
  });
  return places;
}

/**
 * The strip: of the tokens that share a line of dots the strongest is seen.
 * @param {Float32Array} places of the tokens, 0 to 1 @param {number} height in lines
 * @param {(i: number) => number} levelOf a spot, 0 to 255
 */
export function stripOf(places, height, levelOf) {
  const levels = new Uint8Array(height);
  places.forEach((place, i) => {
    const line = lineOf(place, height);
    levels[line] = Math.max(levels[line], levelOf(i));
  });
  return levels;
}

/** The strip's line at a place. @param {number} place 0 to 1 @param {number} height in lines */
export const lineOf = (place, height) => bound(Math.floor(place * height), 0, height - 1);
