// A pen that draws nothing and remembers everything: what it wrote down becomes SVG or PDF.

import { remember } from "../numbers/basics.js";

/**
 * @typedef {import("../parts/paint.js").Box} Box
 * @typedef {[number, number, number, number]} Colour red, green, blue 0 to 255, and alpha 0 to 1
 * @typedef {["M" | "L", number, number] | ["C", number, number, number, number, number, number]
 *         | ["Z"]} Segment
 * @typedef {{kind: "path", segments: Segment[], fill: Colour | null, stroke: Colour | null,
 *            width: number}
 *         | {kind: "text", text: string, x: number, y: number, angle: number, size: number,
 *            bold: boolean, family: string, font: string, colour: Colour, width: number}
 *         | {kind: "image", pixels: Uint32Array, width: number, height: number, box: Box}
 *         | {kind: "clip", segments: Segment[]}
 *         | {kind: "end"}} Item x, y: where the text's baseline begins; `end` closes a clip
 * @typedef {[number, number, number, number, number, number]} Matrix
 */

const MOST_CELLS = 20_000; // more become a picture of dots
const ROUND = 0.5523; // a quarter of a circle as a cubic curve
const MIDDLE = 0.35; // of the font's size, from a middle to its baseline

/** @type {Map<string, Colour>} */
const colours = new Map();

/**
 * Any CSS colour as numbers.
 * @param {string} text
 */
function colourOf(text) {
  return remember(colours, text, () => {
    const known = /^rgba?\((\d+)[ ,]+(\d+)[ ,]+(\d+)(?:[ ,/]+([\d.]+))?\)$/.exec(text);
    if (known) return toColour(known.slice(1, 4).map(Number), Number(known[4] ?? 1));
    const canvas = document.createElement("canvas");
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.fillStyle = text;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    return toColour([r, g, b], a / 255);
  });
}

/** @param {number[]} rgb @param {number} alpha @returns {Colour} */
const toColour = ([r, g, b], alpha) => [r, g, b, alpha];

/** The part of a 2D context that the panels use: a `Pen`. */
export class Recorder {
  constructor() {
    /** @type {Item[]} */
    this.items = [];
    this.font = "12px sans-serif";
    /** @type {string | CanvasGradient | CanvasPattern} */
    this.fillStyle = "#000";
    /** @type {string | CanvasGradient | CanvasPattern} */
    this.strokeStyle = "#000";
    this.lineWidth = 1;
    /** @type {CanvasTextAlign} */
    this.textAlign = "left";
    /** @type {CanvasTextBaseline} */
    this.textBaseline = "alphabetic";
    /** @type {Matrix} */
    this.matrix = [1, 0, 0, 1, 0, 0];
    /** @type {Segment[]} */
    this.path = [];
    /** @type {{state: object, clips: number}[]} */
    this.saved = [];
    this.clips = 0;
    this.ruler = /** @type {CanvasRenderingContext2D} */ (
      document.createElement("canvas").getContext("2d")
    );
  }

  save() {
    const { font, fillStyle, strokeStyle, lineWidth, textAlign, textBaseline, matrix } = this;
    const state = { font, fillStyle, strokeStyle, lineWidth, textAlign, textBaseline, matrix };
    this.saved.push({ state, clips: this.clips });
  }

  restore() {
    const before = this.saved.pop();
    if (!before) return;
    Object.assign(this, before.state);
    for (; this.clips > before.clips; this.clips--) this.items.push({ kind: "end" });
  }

  /** @param {number} x @param {number} y */
  translate(x, y) {
    const [a, b, c, d] = this.matrix;
    this.matrix = [a, b, c, d, ...this.at(x, y)];
  }

  /** @param {number} angle */
  rotate(angle) {
    const [a, b, c, d, e, f] = this.matrix;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    this.matrix = [
      a * cos + c * sin,
      b * cos + d * sin,
      c * cos - a * sin,
      d * cos - b * sin,
      e,
      f,
    ];
  }

  /** @param {number} x @param {number} y @returns {[number, number]} */
  at(x, y) {
    const [a, b, c, d, e, f] = this.matrix;
    return [a * x + c * y + e, b * x + d * y + f];
  }

  beginPath() {
    this.path = [];
  }

  /** @param {number} x @param {number} y */
  moveTo(x, y) {
    this.path.push(["M", ...this.at(x, y)]);
  }

  /** @param {number} x @param {number} y */
  lineTo(x, y) {
    this.path.push(["L", ...this.at(x, y)]);
  }

  /** @param {number} a @param {number} b @param {number} c @param {number} d @param {number} x @param {number} y */
  bezierCurveTo(a, b, c, d, x, y) {
    this.path.push(["C", ...this.at(a, b), ...this.at(c, d), ...this.at(x, y)]);
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  rect(x, y, width, height) {
    this.moveTo(x, y);
    this.lineTo(x + width, y);
    this.lineTo(x + width, y + height);
    this.lineTo(x, y + height);
    this.path.push(["Z"]);
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height @param {number | DOMPointInit | Iterable<number | DOMPointInit>} [radius] */
  roundRect(x, y, width, height, radius = 0) {
    const r = Math.max(0, Math.min(Number(radius), width / 2, height / 2));
    if (!r) return this.rect(x, y, width, height);
    const k = r * (1 - ROUND);
    const [right, bottom] = [x + width, y + height];
    this.moveTo(x + r, y);
    this.lineTo(right - r, y);
    this.bezierCurveTo(right - k, y, right, y + k, right, y + r);
    this.lineTo(right, bottom - r);
    this.bezierCurveTo(right, bottom - k, right - k, bottom, right - r, bottom);
    this.lineTo(x + r, bottom);
    this.bezierCurveTo(x + k, bottom, x, bottom - k, x, bottom - r);
    this.lineTo(x, y + r);
    this.bezierCurveTo(x, y + k, x + k, y, x + r, y);
    this.path.push(["Z"]);
  }

  /** A whole circle: the panels draw no other arc. @param {number} x @param {number} y @param {number} radius */
  arc(x, y, radius) {
    this.roundRect(x - radius, y - radius, 2 * radius, 2 * radius, radius);
  }

  fill() {
    this.note(String(this.fillStyle), null);
  }

  stroke() {
    this.note(null, String(this.strokeStyle));
  }

  /** @param {string | null} fill @param {string | null} stroke */
  note(fill, stroke) {
    if (!this.path.length) return;
    this.items.push({
      kind: "path",
      segments: this.path,
      fill: fill === null ? null : colourOf(fill),
      stroke: stroke === null ? null : colourOf(stroke),
      width: this.lineWidth,
    });
  }

  clip() {
    this.items.push({ kind: "clip", segments: this.path });
    this.clips++;
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  fillRect(x, y, width, height) {
    this.beginPath();
    this.rect(x, y, width, height);
    this.fill();
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  strokeRect(x, y, width, height) {
    this.beginPath();
    this.rect(x, y, width, height);
    this.stroke();
  }

  /** @param {string} text */
  measureText(text) {
    this.ruler.font = this.font;
    return this.ruler.measureText(text);
  }

  /** @param {string} text @param {number} x @param {number} y */
  fillText(text, x, y) {
    if (!text.trim()) return;
    const size = Number(/([\d.]+)px/.exec(this.font)?.[1] ?? 12);
    const { width } = this.measureText(text);
    const back = { left: 0, start: 0, center: width / 2, right: width, end: width }[this.textAlign];
    const down = this.textBaseline === "middle" ? MIDDLE * size : 0;
    const [left, baseline] = this.at(x - back, y + down);
    const [a, b] = this.matrix;
    this.items.push({
      kind: "text",
      text,
      x: left,
      y: baseline,
      angle: Math.atan2(b, a),
      size,
      bold: /^(bold|[6-9]00)\b/.test(this.font),
      family: this.font.replace(/^.*?px\s*/, ""),
      font: this.font,
      colour: colourOf(String(this.fillStyle)),
      width,
    });
  }

  /**
   * A picture of so many dots, stretched over a box.
   * @param {Uint32Array} pixels @param {number} width @param {number} height @param {Box} box
   */
  photo(pixels, width, height, box) {
    const [x, y] = this.at(box.x, box.y);
    this.items.push({ kind: "image", pixels, width, height, box: { ...box, x, y } });
  }

  /**
   * Colour numbers as cells: boxes in one path a colour, or a picture of dots where there are many.
   * @param {Uint8ClampedArray} levels @param {number} _nRows @param {number} nColumns
   * @param {Uint32Array} packed @param {Box} box @param {import("../parts/paint.js").Part} part
   */
  cells(levels, _nRows, nColumns, packed, box, { top, bottom, left, right }) {
    const [wide, tall] = [right - left, bottom - top];
    const levelAt = (/** @type {number} */ r, /** @type {number} */ c) =>
      levels[(top + r) * nColumns + left + c];
    if (wide * tall > MOST_CELLS) {
      const pixels = new Uint32Array(wide * tall);
      for (let i = 0; i < pixels.length; i++) {
        pixels[i] = packed[levelAt(Math.floor(i / wide), i % wide)];
      }
      this.photo(pixels, wide, tall, box);
      return;
    }
    const [cell, line] = [box.width / wide, box.height / tall];
    /** @type {Map<number, Segment[]>} */
    const byLevel = new Map();
    for (let r = 0; r < tall; r++) {
      for (let c = 0; c < wide; c++) {
        this.beginPath();
        this.rect(box.x + c * cell, box.y + r * line, cell, line);
        remember(byLevel, levelAt(r, c), () => []).push(...this.path);
      }
    }
    for (const [level, segments] of byLevel) {
      const word = packed[level];
      this.path = segments;
      this.note(`rgb(${word & 255} ${(word >> 8) & 255} ${(word >> 16) & 255})`, null);
    }
  }
}
