// What is on screen, drawn again with any pen: elements by where the browser has put them, canvases
// by the functions that painted them.

import { cutTo, hatch, painters } from "../parts/paint.js";

/** @typedef {import("../parts/paint.js").Pen} Pen */

const MARGIN = 20;
const HATCHED = 0.45; // how strong the strokes of a hatched token are, as unknowns.css has them
const INSET = 6; // of the words in a box of choices
const TITLE = 30; // the height of the title's line
/** Handles and instructions, which belong to the screen and not to the picture. */
const LEFT_OUT =
  ".ax-choice, .ax-copy, .ax-small, .ax-table, .ax-hidden, .ax-tip, .ax-away, .ax-lens, .ax-mark, summary";

/**
 * The size of the picture of some elements, its title included.
 * @param {HTMLElement[]} elements
 */
export function sizeOf(elements) {
  const boxes = elements.map((element) => element.getBoundingClientRect());
  const left = Math.min(...boxes.map((box) => box.left));
  const top = Math.min(...boxes.map((box) => box.top));
  const width = Math.max(...boxes.map((box) => box.right)) - left + 2 * MARGIN;
  const height = Math.max(...boxes.map((box) => box.bottom)) - top + 2 * MARGIN + TITLE;
  return { left, top, width: Math.ceil(width), height: Math.ceil(height) };
}

/**
 * Draw elements under a title.
 * @param {Pen} pen @param {HTMLElement[]} elements @param {string} title
 * @param {{text: string, page: string, font: string}} theme
 */
export function shoot(pen, elements, title, theme) {
  const { left, top, width, height } = sizeOf(elements);
  pen.fillStyle = theme.page;
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = theme.text;
  pen.font = `600 15px ${theme.font}`;
  pen.textBaseline = "alphabetic";
  pen.textAlign = "left";
  pen.fillText(cutTo(pen, title, width - 2 * MARGIN), MARGIN, MARGIN + 14);
  pen.save();
  pen.translate(MARGIN - left, MARGIN + TITLE - top);
  for (const element of elements) draw(pen, element);
  pen.restore();
}

/** @param {Pen} pen @param {HTMLElement} element */
function draw(pen, element) {
  const style = getComputedStyle(element);
  const rect = element.getBoundingClientRect();
  const unseen = style.display === "none" || style.visibility === "hidden" || !rect.width;
  if (unseen || element.matches(LEFT_OUT)) return;
  const canvas = element instanceof HTMLCanvasElement ? painters.get(element) : null;
  const cuts = [style.overflowX, style.overflowY].some(
    (flow) => flow === "auto" || flow === "clip",
  );
  plates(pen, element, style);
  if (element instanceof HTMLSelectElement) return chosen(pen, element, rect, style);
  if (canvas || cuts) {
    pen.save();
    pen.beginPath();
    pen.rect(rect.left, rect.top, rect.width, rect.height);
    pen.clip();
  }
  if (canvas) {
    pen.translate(rect.left, rect.top);
    canvas(pen);
  }
  for (const child of element.childNodes) {
    if (child instanceof HTMLElement) draw(pen, child);
    else if (child instanceof Text) write(pen, child, style);
  }
  if (canvas || cuts) pen.restore();
}

/**
 * An element's background, border and ring; an inline one has a box on every line.
 * @param {Pen} pen @param {HTMLElement} element @param {CSSStyleDeclaration} style
 */
function plates(pen, element, style) {
  const radius = Number.parseFloat(style.borderTopLeftRadius) || 0;
  const above = Number.parseFloat(style.borderTopWidth) || 0; // 0 where there is none
  const around = above && style.borderBottomWidth === style.borderTopWidth ? above : 0;
  const ring = /^(.*?\)|#\w+) 0px 0px 0px ([\d.]+)px$/.exec(style.boxShadow);
  for (const { left, top, width, height } of element.getClientRects()) {
    const box = (/** @type {number} */ out) => {
      pen.beginPath();
      const wide = Math.max(0, Math.min(radius, width / 2) + out);
      pen.roundRect(left - out, top - out, width + 2 * out, height + 2 * out, wide);
    };
    if (!/^rgba\(.*, 0\)$|\/ 0\)$|^transparent$/.test(style.backgroundColor)) {
      pen.fillStyle = style.backgroundColor;
      box(0);
      pen.fill();
    }
    const bar = /^linear-gradient\((.*\)), \1\)(?:, none)?$/.exec(style.backgroundImage);
    if (bar) {
      pen.fillStyle = bar[1];
      pen.fillRect(left, top, (width * Number.parseFloat(style.backgroundSize)) / 100, height);
    }
    if (style.backgroundImage.startsWith("repeating-linear-gradient")) {
      const faint = style.color.replace(/^rgb\((.*)\)$/, `rgba($1, ${HATCHED})`);
      hatch(pen, [{ x: left, y: top, width, height }], faint);
    }
    if (around) line(pen, style.borderTopColor, around, () => box(-around / 2));
    else if (above) {
      pen.fillStyle = style.borderTopColor;
      pen.fillRect(left, top, width, above);
    }
    if (ring) line(pen, ring[1], Number(ring[2]), () => box(Number(ring[2]) / 2));
  }
}

/**
 * What is chosen in a box of choices.
 * @param {Pen} pen @param {HTMLSelectElement} element @param {DOMRect} rect
 * @param {CSSStyleDeclaration} style
 */
function chosen(pen, element, { left, top, width, height }, style) {
  const words = element.selectedOptions[0]?.text ?? "";
  pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  pen.fillStyle = style.color;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  pen.fillText(cutTo(pen, words, width - 2 * INSET), left + INSET, top + height / 2);
}

/** @param {Pen} pen @param {string} colour @param {number} width @param {() => void} box */
function line(pen, colour, width, box) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  box();
  pen.stroke();
}

/**
 * A text where the browser has set it, line by line.
 * @param {Pen} pen @param {Text} node @param {CSSStyleDeclaration} style
 */
function write(pen, node, style) {
  if (!node.data.trim()) return;
  pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  pen.fillStyle = style.color;
  pen.textAlign = "left";
  pen.textBaseline = "alphabetic";
  const range = document.createRange();
  for (const [first, to] of linesOf(node, range)) {
    const from = seenFrom(node, range, first, to);
    range.setStart(node, from);
    range.setEnd(node, to);
    const rect = range.getBoundingClientRect();
    const text = node.data.slice(from, to).replace(/\s+/g, " ");
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = pen.measureText(text);
    pen.fillText(text.trimEnd(), rect.left, rect.top + (rect.height - up - down) / 2 + up);
  }
}

/**
 * Where a line begins to be seen: a space between it and the line before takes no room.
 * @param {Text} node @param {Range} range @param {number} from @param {number} to
 */
function seenFrom(node, range, from, to) {
  let at = from;
  for (; at < to && /\s/.test(node.data[at]); at++) {
    range.setStart(node, at);
    range.setEnd(node, at + 1);
    if (range.getBoundingClientRect().width) break;
  }
  return at;
}

/**
 * The stretches of a text that stand on one line each.
 * @param {Text} node @param {Range} range
 * @returns {[number, number][]}
 */
function linesOf(node, range) {
  range.selectNodeContents(node);
  const rects = [...range.getClientRects()];
  if (new Set(rects.map((rect) => Math.round(rect.top))).size <= 1) return [[0, node.length]];
  /** @type {[number, number][]} */
  const lines = [];
  let at = 0;
  let top = Number.NaN;
  for (const letter of node.data) {
    range.setStart(node, at);
    range.setEnd(node, at + letter.length);
    const rect = range.getBoundingClientRect();
    const last = lines[lines.length - 1];
    if (last && (!rect.width || Math.abs(rect.top - top) < 2)) last[1] = at + letter.length;
    else {
      lines.push([at, at + letter.length]);
      top = rect.top;
    }
    at += letter.length;
  }
  return lines;
}
