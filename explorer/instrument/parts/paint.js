// Small parts for canvases. What a canvas shows is kept as a function, so that it can be drawn
// again elsewhere: on the screen, in a vector file.

import { remember } from "../numbers/basics.js";
import { isUpright } from "../numbers/upright.js";
import { zoomOf } from "./dom.js";

/**
 * The part of a 2D context that the panels use; `record.js` has another one of it.
 * @typedef {Pick<CanvasRenderingContext2D,
 *   "save" | "restore" | "translate" | "rotate" | "font" | "fillStyle" | "strokeStyle" | "lineWidth"
 *   | "textAlign" | "textBaseline" | "fillText" | "fillRect" | "strokeRect" | "beginPath"
 *   | "roundRect" | "moveTo" | "lineTo" | "bezierCurveTo" | "arc" | "rect" | "clip" | "fill" | "stroke"
 *   | "measureText">
 *   & {cells?: (levels: Uint8ClampedArray, nRows: number, nColumns: number, colours: Uint32Array,
 *               box: Box, part: Part) => void,
 *      photo?: (pixels: Uint32Array, width: number, height: number, box: Box) => void}} Pen
 * @typedef {{x: number, y: number, width: number, height: number}} Box
 * @typedef {{top: number, bottom: number, left: number, right: number}} Part rows and columns
 */

/** What each canvas shows, in CSS pixels. @type {WeakMap<HTMLCanvasElement, (pen: Pen) => void>} */
export const painters = new WeakMap();

/** Dots of the screen for a pixel of an element. @param {Element} element */
export const dotsFor = (element) => Math.min(window.devicePixelRatio || 1, 2) * zoomOf(element);

/**
 * Paint a canvas, at the screen's own dots, and remember how.
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height
 * @param {(pen: Pen) => void} painter
 */
export function paintOn(canvas, width, height, painter) {
  const ratio = dotsFor(canvas);
  const [w, tall] = [Math.round(width * ratio), Math.round(height * ratio)];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  if (canvas.width !== w || canvas.height !== tall) {
    canvas.width = w;
    canvas.height = tall;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  } else {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, w, tall);
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  painters.set(canvas, painter);
  painter(context);
}

/**
 * Colours as the 32-bit words that a picture's memory holds.
 * @param {import("../numbers/palette.js").Rgb[]} ramp
 */
export const packColours = (ramp) =>
  new Uint32Array(new Uint8ClampedArray(ramp.flatMap(([r, g, b]) => [r, g, b, 255])).buffer);

/**
 * Colour numbers as a small canvas, one dot each.
 * @param {Uint8ClampedArray} levels @param {number} width @param {number} height
 * @param {Uint32Array} colours from `packColours` @param {HTMLCanvasElement} [canvas]
 */
export function dots(levels, width, height, colours, canvas = document.createElement("canvas")) {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colours[levels[i]];
  context.putImageData(image, 0, 0);
  return canvas;
}

/**
 * Colour numbers as cells of a box.
 * @param {Pen} pen @param {Uint8ClampedArray} levels @param {number} nRows @param {number} nColumns
 * @param {Uint32Array} colours @param {Box} box @param {Part} part the rows and columns in sight
 */
export function drawCells(pen, levels, nRows, nColumns, colours, box, part) {
  if (pen.cells) return pen.cells(levels, nRows, nColumns, colours, box, part);
  const context = /** @type {CanvasRenderingContext2D} */ (pen);
  const { top, bottom, left, right } = part;
  context.imageSmoothingEnabled = false;
  const image = dots(levels, nColumns, nRows, colours);
  const [wide, tall] = [right - left, bottom - top];
  context.drawImage(image, left, top, wide, tall, box.x, box.y, box.width, box.height);
}

const HATCH = 6; // pixels from one stroke to the next

/**
 * Slanted strokes over some boxes, as one pattern.
 * @param {Pen} pen @param {Box[]} boxes @param {string} colour
 */
export function hatch(pen, boxes, colour) {
  if (!boxes.length) return;
  const least = (/** @type {(box: Box) => number} */ of) => Math.min(...boxes.map(of));
  const most = (/** @type {(box: Box) => number} */ of) => Math.max(...boxes.map(of));
  const [left, right] = [least(({ x }) => x), most(({ x, width }) => x + width)];
  const [top, bottom] = [least(({ y }) => y), most(({ y, height }) => y + height)];
  pen.save();
  pen.beginPath();
  for (const { x, y, width, height } of boxes) pen.rect(x, y, width, height);
  pen.clip();
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  pen.beginPath();
  const first = HATCH * Math.ceil((left + top) / HATCH); // the pattern stays where boxes grow
  for (let at = first; at < right + bottom; at += HATCH) {
    pen.moveTo(at - top, top);
    pen.lineTo(at - bottom, bottom);
  }
  pen.stroke();
  pen.restore();
}

/** @type {Map<string, string>} */
const shortened = new Map();
const MOST_SHORTENED = 4000;

/**
 * A text shortened until it fits. Measuring is slow, so what was found is kept.
 * @param {Pen} pen @param {string} text @param {number} width
 */
export function shorten(pen, text, width) {
  if (shortened.size > MOST_SHORTENED) shortened.clear();
  return remember(shortened, `${pen.font} ${Math.floor(width)} ${text}`, () =>
    cutTo(pen, text, width),
  );
}

/**
 * The longest beginning of a text that fits, of one letter at least. Halving: a word may be as long
 * as the whole text.
 * @param {Pick<Pen, "measureText">} pen @param {string} text @param {number} width
 */
export function cutTo(pen, text, width) {
  if (pen.measureText(text).width <= width) return text;
  const letters = [...text];
  const beginning = (/** @type {number} */ n) => `${letters.slice(0, n).join("")}…`;
  let [low, high] = [1, letters.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (pen.measureText(beginning(middle)).width <= width) low = middle;
    else high = middle;
  }
  return beginning(low);
}

/**
 * A label of a column, that ends where the pen stands: lying on its side, or of Chinese characters
 * upright, one below the other.
 * @param {Pen} pen @param {string} text
 */
export function fillUpwards(pen, text) {
  if (!isUpright(text)) {
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "left";
    return pen.fillText(text, 0, 0);
  }
  const letters = [...text];
  const tall = pen.measureText(letters[0]).width; // these characters are as tall as wide
  pen.textAlign = "center";
  letters.forEach((letter, i) => {
    pen.fillText(letter, 0, (i - letters.length + 0.5) * tall);
  });
}

/**
 * A filled box with round corners.
 * @param {Pen} pen @param {string} colour @param {number} x @param {number} y
 * @param {number} width @param {number} height
 */
export function plate(pen, colour, x, y, width, height) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.roundRect(x, y, width, height, 4);
  pen.fill();
}
