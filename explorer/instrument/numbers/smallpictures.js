// The head grid's small pictures: their dots, and the number on each. Pure functions.

import { bound } from "./basics.js";
import { raster } from "./model.js";

/**
 * @typedef {{levels: Uint8ClampedArray, height: number, width: number, colours: Uint32Array}} Small
 *   a small picture: colour numbers of so many dots, and their colours
 */

const DOTS = 32; // on a small picture's side, at most

/**
 * @param {import("./scene.js").Thumb} thumb @param {Uint32Array} colours
 * @returns {Small}
 */
export function smallOf({ weights, nRows, nColumns, tops }, colours) {
  const [height, width] = [Math.min(nRows, DOTS), Math.min(nColumns, DOTS)];
  const levels = raster(weights, nRows, nColumns, height, width, tops);
  return { levels, height, width, colours };
}

/**
 * Write a small picture into a larger one, each dot as a block.
 * @param {Uint32Array} pixels @param {number} line the larger picture's width
 * @param {Small} small @param {import("../parts/paint.js").Box} box @param {number} ratio
 */
export function enlarge(pixels, line, { levels, height, width, colours }, box, ratio) {
  const [left, top] = [Math.round(box.x * ratio), Math.round(box.y * ratio)];
  const [wide, tall] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
  for (let y = 0; y < tall; y++) {
    const from = Math.floor((y * height) / tall) * width;
    const to = (top + y) * line + left;
    for (let x = 0; x < wide; x++) {
      pixels[to + x] = colours[levels[from + Math.floor((x * width) / wide)]];
    }
  }
}

/**
 * A pinned pair's number as it fits on a small picture.
 * @param {number | undefined} number
 */
export function shortOf(number) {
  if (number === undefined) return "";
  if (number > 0 && number < 0.005) return number.toExponential(0); // as most of a long text are
  return number >= 0.995 ? "1.0" : number.toFixed(2).slice(1);
}

/**
 * How strong a number's colour is, of 255, beside the strongest.
 * @param {number | undefined} number @param {number} strongest
 */
export const levelOf = (number, strongest) =>
  bound(Math.round((255 * (number ?? 0)) / strongest), 0, 255);
