// The elements of a text: the chunks near what is in sight are filled, the others are empty boxes
// of about their height. So 8,192 tokens cost no more than the few hundred that somebody sees.

import {
  chunkAt,
  chunksIn,
  directionOf,
  guessed,
  heightsOf,
  placeAfter,
  rateOf,
  topsOf,
} from "../numbers/readingpages.js";
import { h, zoomOf } from "../parts/dom.js";

/**
 * @typedef {import("../numbers/readingpages.js").Chunk} Chunk
 * @typedef {{fill: (chunk: Chunk) => Node[], drop: (chunk: Chunk) => void,
 *            lineOf: (spot: number) => number}} Making
 *   what a chunk is filled with, and where in it the line of one of its tokens begins
 * @typedef {{body: HTMLElement, making: Making, chunks: Chunk[], boxes: HTMLElement[],
 *            filled: Set<number>, heights: import("../numbers/readingpages.js").Heights,
 *            tops: Float64Array, chunkOf: Int32Array, lines: Float32Array, wide: number,
 *            top: number, tall: number}} Chunks
 *   by chunk: boxes, heights, tops; by spot: its chunk, or -1, and its line, within the chunk;
 *   wide: when they were measured; top, tall: what is in sight, as asking would cost a layout
 */

const NEAR = 200; // pixels above and below the sight that are filled
const FAR = 400; // pixels from which they are emptied
const LINE = 30; // pixels that one line of text takes, about
const LEAD = 6; // pixels of it above the letters
const ROUNDS = 4; // until what is in sight has its own heights

/** @param {HTMLElement} body that is scrolled @param {Making} making @returns {Chunks} */
export const createChunks = (body, making) => ({
  ...{ body, making, chunks: [], boxes: [], filled: new Set(), heights: heightsOf([]) },
  ...{ tops: topsOf(new Float64Array()), chunkOf: new Int32Array(), lines: new Float32Array() },
  ...{ wide: 0, top: 0, tall: 0 },
});

/**
 * Other texts.
 * @param {Chunks} here @param {Chunk[][]} texts @param {number} count of all spots
 * @returns {HTMLElement[]} a paragraph for each
 */
export function lay(here, texts, count) {
  here.chunks = texts.flat();
  here.boxes = here.chunks.map(() => h("span", { class: "ax-chunk" }));
  here.filled = new Set();
  here.heights = heightsOf(here.chunks);
  here.chunkOf = new Int32Array(count).fill(-1);
  here.lines = new Float32Array(count);
  here.chunks.forEach(({ own }, c) => {
    for (const i of own) here.chunkOf[i] = c;
  });
  settleTops(here);
  let done = 0;
  return texts.map((chunks) => {
    done += chunks.length;
    // What is not in the page tells the browser no direction.
    const dir = chunks.length > 1 ? directionOf(chunks) : "auto";
    return h("p", { dir }, ...here.boxes.slice(done - chunks.length, done));
  });
}

/** @param {Chunks} here */
function settleTops(here) {
  here.tops = topsOf(here.heights.heights);
  for (const c of here.chunks.keys()) {
    here.boxes[c].style.height = here.filled.has(c) ? "" : `${here.heights.heights[c]}px`;
  }
}

/** The whole text's height. @param {Chunks} here */
export const heightOf = ({ tops }) => tops[tops.length - 1];

/** Fill what is near the sight, and empty what is far from it. @param {Chunks} here */
export function settle(here) {
  const { body, filled } = here;
  here.tall = body.clientHeight;
  here.top = body.scrollTop;
  if (!here.chunks.length) return;
  for (let round = 0; round < ROUNDS; round++) {
    const [first, last] = chunksIn(here.tops, here.top - NEAR, here.top + here.tall + NEAR);
    const fresh = [];
    for (let c = first; c <= last; c++) if (!filled.has(c)) fresh.push(c);
    if (!fresh.length) break;
    for (const c of fresh) fill(here, c);
    measured(here, fresh);
    here.tall = body.clientHeight; // of a short text it is the text's own
  }
  const [first, last] = chunksIn(here.tops, here.top - FAR, here.top + here.tall + FAR);
  for (const c of filled) if (c < first || c > last) empty(here, c);
}

/** The text has another width, or other letters: everything is measured anew. @param {Chunks} here */
export function remeasure(here) {
  here.wide = here.body.clientWidth;
  if (here.filled.size) {
    here.heights.known.fill(0);
    measured(here, [...here.filled]);
  }
  settle(here);
}

/** @param {Chunks} here @param {number} c */
function fill(here, c) {
  here.filled.add(c);
  here.boxes[c].style.height = "";
  here.boxes[c].replaceChildren(...here.making.fill(here.chunks[c]));
}

/** @param {Chunks} here @param {number} c */
function empty(here, c) {
  here.filled.delete(c);
  here.boxes[c].style.height = `${here.heights.heights[c]}px`;
  here.boxes[c].replaceChildren();
  here.making.drop(here.chunks[c]);
}

/**
 * Chunks were filled: they have their own heights now, and what is in sight stays where it is.
 * @param {Chunks} here @param {number[]} fresh
 */
function measured(here, fresh) {
  const { chunks, boxes, making, heights, tops: before } = here;
  /** @type {Map<number, number>} */
  const known = new Map();
  for (const c of chunks.keys()) if (heights.known[c]) known.set(c, heights.heights[c]);
  const isFirst = !known.size;
  for (const c of fresh) {
    known.set(c, boxes[c].getBoundingClientRect().height / zoomOf(boxes[c]));
    for (const i of chunks[c].own) here.lines[i] = making.lineOf(i);
  }
  const rate = isFirst ? rateOf(chunks, known, heights.rate) : heights.rate;
  here.heights = guessed(chunks, known, rate);
  settleTops(here);
  const top = placeAfter(here.top, here.tall, before, here.tops);
  if (Math.abs(top - here.top) < 1) return;
  here.body.scrollTop = top;
  here.top = here.body.scrollTop;
}

/** Where the line of a token begins, in the whole text. @param {Chunks} here @param {number} i */
export const lineOfToken = ({ chunkOf, tops, lines }, i) =>
  chunkOf[i] < 0 ? 0 : tops[chunkOf[i]] + lines[i];

/** The tokens that have elements now. @param {Chunks} here */
export const tokensHere = ({ filled, chunks }) => [...filled].flatMap((c) => chunks[c].own);

/** The first token in sight, or just above. @param {Chunks} here */
export const firstInSight = (here) => tokenAt(here, here.top);

/** The last token in sight. @param {Chunks} here */
export const lastInSight = (here) => tokenAt(here, here.top + here.tall - LINE);

/** The first token of the line at a place. @param {Chunks} here @param {number} y */
function tokenAt(here, y) {
  const c = chunkAt(here.tops, y);
  const own = here.chunks[c]?.own ?? [];
  const found = own.find((i) => here.lines[i] >= y - here.tops[c] - LINE / 2);
  return found ?? own[own.length - 1] ?? 0;
}

/**
 * Go so far that a token is in sight, with text around it.
 * @param {Chunks} here @param {number} i
 */
export function goTo(here, i) {
  const c = here.chunkOf[i];
  if (c < 0) return;
  const above = LINE * Math.floor(here.tall / (2 * LINE)); // whole lines
  // Twice: what lies in between has its own height only once it is here.
  for (let round = 0; round < 2; round++) {
    const line = lineOfToken(here, i);
    if (here.filled.has(c) && line >= here.top && line < here.top + here.tall - LINE) return;
    here.body.scrollTop = line - above - LEAD;
    settle(here);
  }
}
