// The strip beside a text that is longer than its box: the whole text from top to bottom, with where
// the attention goes, what is pinned, what was found, and a frame round what is in sight.

import { bound } from "../numbers/basics.js";
import { t } from "../numbers/language.js";
import { lineOf, placesOf, stripOf } from "../numbers/readingpages.js";
import { h } from "../parts/dom.js";
import { paintOn } from "../parts/paint.js";
import { firstInSight, heightOf, lastInSight } from "./chunks.js";

/**
 * @typedef {{tops: Float64Array, places: Float32Array, shading: unknown, levels: Uint8Array}} Kept
 *   places: of the tokens, 0 to 1, as long as the chunks stand at these tops; levels: by line, 0 to
 *   255, as long as the shading is the same
 * @typedef {import("./chunks.js").Chunks} Chunks
 * @typedef {{pinned: number[], found: import("./finding.js").Found,
 *            theme: import("../numbers/scene.js").Theme}} Marked
 *   pinned: spots
 * @typedef {{scroll: (by: number) => void, travel: (to: number) => void}} Going
 *   scroll: by so many boxes; travel: so far down the text, 0 to 1, into the middle of the sight
 */

const WIDE = 18; // pixels
const EDGE = 4; // of them, on each side, for what is pinned and what was found
const DASH = 2; // the least height of a mark
const LEAST = 6; // the least height of the frame
const LINE = 0.1; // boxes that an arrow key scrolls
const PAGE = 0.9;

/** @type {Record<string, number>} */
const KEYS = { ArrowUp: -LINE, ArrowDown: LINE, PageUp: -PAGE, PageDown: PAGE };

/** @param {Going} going */
export function createStrip(going) {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas"));
  const element = h(
    "div",
    {
      ...{ class: "ax-minimap", tabindex: "0", role: "slider", "aria-orientation": "vertical" },
      ...{ "aria-label": t("Place in the text"), "aria-valuemin": "0", "aria-valuemax": "100" },
      title: t(
        "The whole text: where the attention goes, and what is in sight. Click or drag to go there.",
      ),
    },
    canvas,
  );
  listen(element, going);
  /** @type {{theme: unknown, colour: string}} */
  let kept = { theme: null, colour: "" }; // of what was found, as the sheet has it
  return {
    element,
    /** @param {Kept} shown @param {Chunks} chunks @param {Marked} marked */
    draw: (shown, chunks, marked) => {
      const { theme } = marked;
      if (kept.theme !== theme) kept = { theme, colour: getComputedStyle(element).color };
      const { colour } = kept;
      paintOn(canvas, WIDE, shown.levels.length, (pen) =>
        paint(pen, shown, chunks, marked, colour),
      );
      say(element, chunks);
    },
  };
}

/**
 * What the strip shows of the shades; what has not changed is kept.
 * @param {Kept | null} before @param {Chunks} chunks @param {unknown} shading
 * @param {(i: number) => number} levelOf a spot
 * @returns {Kept}
 */
export function stripFor(before, { chunks, tops, chunkOf, tall }, shading, levelOf) {
  const same = before?.tops === tops ? before : null;
  if (same?.shading === shading && same?.levels.length === tall) return same;
  const places = same?.places ?? placesOf(chunks, tops, chunkOf.length);
  return { tops, places, shading, levels: stripOf(places, tall, levelOf) };
}

/** @param {HTMLElement} element @param {Chunks} chunks */
function say(element, chunks) {
  const { top, tall, chunkOf } = chunks;
  const [first, last] = [firstInSight(chunks), lastInSight(chunks)];
  const way = Math.max(1, heightOf(chunks) - tall);
  element.setAttribute("aria-valuenow", String(bound(Math.round((100 * top) / way), 0, 100)));
  const all = chunkOf.length.toLocaleString("en");
  element.setAttribute(
    "aria-valuetext",
    t("tokens {first} to {last} of {all}", { first, last, all }),
  );
}

/** @param {HTMLElement} element @param {Going} going */
function listen(element, { scroll, travel }) {
  const go = (/** @type {PointerEvent} */ event) => {
    const { top, height } = element.getBoundingClientRect();
    travel((event.clientY - top) / height);
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    go(event);
  });
  element.addEventListener("pointermove", (event) => {
    if (element.hasPointerCapture(event.pointerId)) go(event);
  });
  element.addEventListener(
    "wheel",
    (event) => {
      if (event.ctrlKey) return; // the browser's own zoom
      event.preventDefault();
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 / element.clientHeight : LINE;
      scroll(event.deltaY * unit);
    },
    { passive: false },
  );
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in KEYS) scroll(KEYS[event.key]);
    else if (event.key === "Home") travel(0);
    else if (event.key === "End") travel(1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

/**
 * @param {import("../parts/paint.js").Pen} pen @param {Kept} kept @param {Chunks} chunks
 * @param {Marked} marked @param {string} colour of what was found
 */
function paint(pen, { levels, places }, chunks, { pinned, found, theme }, colour) {
  const height = levels.length;
  const inner = WIDE - 2 * EDGE;
  for (let y = 0, end = 0; y < height; y = end) {
    for (end = y + 1; end < height && levels[end] === levels[y]; ) end++;
    pen.fillStyle = theme.fills[levels[y]];
    pen.fillRect(EDGE, y, inner, end - y);
  }
  const linesOf = (/** @type {Iterable<number>} */ spots) =>
    new Set(Array.from(spots, (i) => lineOf(places[i], height)));
  pen.fillStyle = theme.accent;
  for (const y of linesOf(pinned)) pen.fillRect(0, y - DASH / 2, EDGE, DASH);
  pen.fillStyle = colour;
  for (const y of linesOf(found.marks.keys())) {
    pen.fillRect(WIDE - EDGE, y - DASH / 2, EDGE, DASH);
  }
  const scale = height / Math.max(heightOf(chunks), 1);
  const [from, size] = [chunks.top * scale, Math.max(chunks.tall * scale, LEAST)];
  pen.fillStyle = theme.accentCss(0.1);
  pen.fillRect(0, from, WIDE, size);
  pen.strokeStyle = theme.muted;
  pen.lineWidth = 1;
  pen.strokeRect(0.5, from + 0.5, WIDE - 1, size - 1);
}
