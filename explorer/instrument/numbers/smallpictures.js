// The head grid's small pictures: their dots, and the number on each. Pure functions.

import { bound } from "./basics.js";
import { raster } from "./model.js";

/**
 * @typedef {{levels: Uint8ClampedArray, height: number, width: number, colours: Uint32Array,
 *            masked?: Uint8Array | null}} Small
 *   a small picture: colour numbers of so many dots, their colours, and 1 where nothing may be looked at
 */

const DOTS = 32; // on a small picture's side, at most
const HATCH = 4; // pixels from one stroke over masked dots to the next
const STROKE = 88; // the colour number of strokes

/**
 * @param {import("./scene.js").Thumb} thumb @param {Uint32Array} colours
 * @returns {Small}
 */
export function smallOf({ weights, nRows, nColumns, tops, reach }, colours) {
  const [height, width] = [Math.min(nRows, DOTS), Math.min(nColumns, DOTS)];
  const levels = raster(weights, nRows, nColumns, height, width, tops);
  const dots = { rows: height / nRows, columns: width / nColumns, height, width };
  return { levels, height, width, colours, masked: reach ? maskedDots(reach, dots) : null };
}

/**
 * The dots in which no row may look at any column.
 * @param {import("./masks.js").Reach} reach
 * @param {{rows: number, columns: number, height: number, width: number}} dots for a row, a column
 */
function maskedDots({ first, end }, { rows, columns, height, width }) {
  const masked = new Uint8Array(height * width).fill(1);
  first.forEach((from, r) => {
    if (from >= end[r]) return;
    const line = width * Math.floor(r * rows);
    const last = Math.floor((end[r] - 1) * columns);
    masked.fill(0, line + Math.floor(from * columns), line + last + 1);
  });
  return masked;
}

/**
 * Where masked dots lie, one box for each run of a row.
 * @param {Small} small @param {import("../parts/paint.js").Box} box of the picture
 */
export function maskedBoxes({ masked, height, width }, box) {
  const [wide, tall] = [box.width / width, box.height / height];
  const boxes = [];
  for (let y = 0; masked && y < height; y++) {
    const row = masked.subarray(y * width, (y + 1) * width);
    for (let from = row.indexOf(1); from >= 0; ) {
      const past = row.indexOf(0, from);
      const to = past < 0 ? width : past;
      const at = { x: box.x + from * wide, y: box.y + y * tall };
      boxes.push({ ...at, width: (to - from) * wide, height: tall });
      from = row.indexOf(1, to);
    }
  }
  return boxes;
}

/**
 * Write a small picture into a larger one, each dot as a block; strokes run over what is masked.
 * @param {Uint32Array} pixels @param {number} line the larger picture's width
 * @param {Small} small @param {import("../parts/paint.js").Box} box @param {number} ratio
 */
export function enlarge(pixels, line, { levels, height, width, colours, masked }, box, ratio) {
  const step = Math.round(HATCH * ratio);
  const [left, top] = [Math.round(box.x * ratio), Math.round(box.y * ratio)];
  const [wide, tall] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
  for (let y = 0; y < tall; y++) {
    const from = Math.floor((y * height) / tall) * width;
    const to = (top + y) * line + left;
    for (let x = 0; x < wide; x++) {
      const dot = from + Math.floor((x * width) / wide);
      const isStroke = masked?.[dot] && (left + x + top + y) % step === 0;
      pixels[to + x] = colours[isStroke ? STROKE : levels[dot]];
    }
  }
}

/**
 * A pinned pair's number as it fits on a small picture: four signs.
 * @param {number | undefined} number @param {number} [strongest] of all heads
 */
export function shortOf(number, strongest = 1) {
  if (number === undefined) return "";
  if (number > 0 && number < 0.005) {
    const isFar = strongest < 0.1 && number >= 1e-9; // as in a long text
    return isFar ? number.toExponential(0) : "<.01";
  }
  return number >= 0.995 ? "1.0" : number.toFixed(2).slice(1);
}

/**
 * How strong a number's colour is, of 255, beside the strongest.
 * @param {number | undefined} number @param {number} strongest
 */
export const levelOf = (number, strongest) =>
  bound(Math.round((255 * (number ?? 0)) / strongest), 0, 255);
