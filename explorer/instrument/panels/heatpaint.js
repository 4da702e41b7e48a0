// What the heatmap's two canvases show: the cells with their labels and numbers, and over them the
// cross-hair.

import { maskedIn } from "../numbers/masks.js";
import { raster } from "../numbers/model.js";
import { runsOf } from "../numbers/view.js";
import { bandOf, cornerOf, frameOf, inSight, isPart } from "../numbers/viewport.js";
import { drawCells, fillUpwards, hatch, plate, shorten } from "../parts/paint.js";

/**
 * @typedef {import("../numbers/heatground.js").Ground} Ground
 * @typedef {import("../numbers/scene.js").Thumb} Thumb
 * @typedef {import("../parts/paint.js").Pen} Pen
 * @typedef {{ground: Ground, part: import("../numbers/viewport.js").Sight,
 *            box: import("../numbers/viewport.js").Plot, font: string}} Shown
 */

const LABEL_STEP = 13; // two labels stand at least this far apart
const SMALL = 0.05; // a full colour that stands for less is that of a long text
const SLIGHT = 0.1; // of the full colour
const WIDE_CELL = 42; // pixels that hold one digit more
const DIGITS_CELL = 24; // from this size on a cell shows its weight
const LEAST_CORNER = 20; // pixels from which the corner shows the whole

/**
 * How many rows and columns there are, in sight or not.
 * @param {Pick<Ground, "rows" | "columns">} ground @returns {[number, number]}
 */
export const sizeOf = ({ rows, columns }) => [rows.length, columns.length];

/** @param {Shown} shown */
const seen = ({ part, ground }) => inSight(part, ...sizeOf(ground));

/** Whether there is more than what is in sight. @param {Pick<Shown, "part" | "ground">} shown */
export const isNear = ({ part, ground }) => ground.deep || isPart(part, ...sizeOf(ground));

/** The side of the corner that shows the whole; 0 when there is none. @param {Shown} shown */
export const cornerIn = (shown) => (isNear(shown) ? cornerOf(shown.box) : 0);

/** @param {Pen} pen @param {Shown} shown */
export function paintHeat(pen, shown) {
  const { pooled, patch } = shown.ground;
  cells(pen, shown, pooled ?? patch);
  if (pooled) return;
  masked(pen, shown);
  labels(pen, shown);
  if (shown.box.cell >= DIGITS_CELL && !shown.ground.holes) numbers(pen, shown);
  divide(pen, shown);
}

/** @param {Pen} pen @param {Shown} shown @param {Thumb} thumb */
function cells(pen, shown, thumb) {
  const { ground, part, box } = shown;
  const { weights, nRows, nColumns, tops } = thumb;
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const near = isPart(part, ...sizeOf(ground)) && !ground.pooled && !ground.deep;
  const fits = (/** @type {number} */ n, /** @type {number} */ pixels) =>
    near ? n : Math.min(n, Math.round(pixels * ratio));
  const [height, width] = [fits(nRows, box.height), fits(nColumns, box.width)];
  const levels = raster(weights, nRows, nColumns, height, width, tops);
  const all = { top: 0, bottom: height, left: 0, right: width };
  const plot = { x: box.left, y: box.top, width: box.width, height: box.height };
  drawCells(pen, levels, height, width, ground.theme.packed, plot, near ? seen(shown) : all);
  pen.strokeStyle = ground.theme.border;
  pen.lineWidth = 1;
  pen.strokeRect(box.left - 0.5, box.top - 0.5, box.width + 1, box.height + 1);
  const corner = ground.pooled ? 0 : cornerIn(shown);
  if (corner > LEAST_CORNER) whole(pen, shown, corner);
}

/** What may not be looked at. @param {Pen} pen @param {Shown} shown */
function masked(pen, shown) {
  const { ground, box } = shown;
  if (!ground.reach) return;
  const areas = maskedIn(ground.reach, seen(shown), Math.ceil(1 / box.cell));
  const boxes = areas.map(({ top, bottom, left, right }) => ({
    ...{ x: box.x0 + left * box.cell, y: box.y0 + top * box.cell },
    ...{ width: (right - left) * box.cell, height: (bottom - top) * box.cell },
  }));
  hatch(pen, boxes, ground.theme.border);
}

/**
 * The whole in the corner, with a frame round what is in sight.
 * @param {Pen} pen @param {Shown} shown @param {number} side of the corner
 */
function whole(pen, { ground, part }, side) {
  const { theme, map } = ground;
  const { weights, nRows, nColumns, tops } = map;
  const dot = side / Math.max(nRows, nColumns);
  const [height, width] = [nRows, nColumns].map((n) => Math.max(1, Math.round(n * dot)));
  const [bottom, right] = [Math.min(height, nRows), Math.min(width, nColumns)];
  const levels = raster(weights, nRows, nColumns, bottom, right, tops);
  const corner = { x: 1, y: 1, width, height };
  drawCells(pen, levels, bottom, right, theme.packed, corner, { top: 0, bottom, left: 0, right });
  pen.strokeStyle = theme.border;
  pen.strokeRect(0.5, 0.5, width + 1, height + 1);
  pen.strokeStyle = theme.accent;
  pen.lineWidth = 1.5;
  const frame = frameOf(ground.frameOf(part), dot);
  pen.strokeRect(frame.x, frame.y, frame.width, frame.height);
}

/** @param {Pen} pen @param {Shown} shown */
function labels(pen, shown) {
  const { rows, columns } = shown.ground;
  const step = Math.max(1, Math.ceil(LABEL_STEP / shown.box.cell));
  const { top, bottom, left, right } = seen(shown);
  for (let r = top; r < bottom; r += step) label(pen, shown, rows[r], r, true);
  for (let c = left; c < right; c += step) label(pen, shown, columns[c], c, false);
}

/**
 * @param {Pen} pen @param {Shown} shown @param {import("../numbers/model.js").Unit} unit
 * @param {number} i @param {boolean} isRow
 */
function label(pen, { ground, box, font }, unit, i, isRow) {
  pen.save();
  pen.font = font;
  pen.fillStyle = unit.special ? ground.theme.muted : ground.theme.text;
  pen.textBaseline = "middle";
  const text = shorten(pen, unit.text, box.left - 8);
  if (isRow) {
    pen.textAlign = "right";
    pen.fillText(text, box.left - 6, box.y0 + (i + 0.5) * box.cell);
  } else {
    pen.translate(box.x0 + (i + 0.5) * box.cell, box.top - 6);
    if ([...unit.text].length === 1 && box.cell >= LABEL_STEP) {
      pen.textAlign = "center"; // a single letter stands upright, too
      pen.fillText(text, 0, -6);
    } else fillUpwards(pen, text);
  }
  pen.restore();
}

/** @param {Pen} pen @param {Shown} shown */
function numbers(pen, shown) {
  const { ground, box } = shown;
  const { weights, tops, nColumns, top: above, left: before } = ground.patch;
  pen.font = `${Math.min(11, box.cell / 2.4)}px ${ground.theme.font}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const { top, bottom, left, right } = seen(shown);
  for (let r = top; r < bottom; r++) {
    for (let c = left; c < right; c++) {
      const weight = weights[(r - above) * nColumns + c - before];
      const text = written(weight, tops[r - above], box.cell);
      if (!text) continue;
      pen.fillStyle =
        ground.theme.inks[Math.min(255, Math.round((255 * weight) / tops[r - above]))];
      pen.fillText(text, box.x0 + (c + 0.5) * box.cell, box.y0 + (r + 0.5) * box.cell);
    }
  }
}

/**
 * A weight as a cell holds it: two decimals; where the full colour stands for little, as in long
 * texts, its power of ten. What is slight beside the full colour is left out.
 * @param {number} weight @param {number} top @param {number} cell pixels
 */
function written(weight, top, cell) {
  if (weight >= 0.995) return weight.toFixed(1);
  if (weight >= 0.005) return weight.toFixed(2).replace(/^0/, "");
  if (top >= SMALL || weight < SLIGHT * top) return "";
  return weight.toExponential(cell >= WIDE_CELL ? 1 : 0);
}

/** A line between the two texts of a pair. @param {Pen} pen @param {Shown} shown */
function divide(pen, shown) {
  const { ground, box } = shown;
  const { rows, columns, theme } = ground;
  const [r, c] = [rows, columns].map((units) => units.findIndex((unit) => unit.segment === 1));
  pen.fillStyle = theme.muted;
  const { top, bottom, left, right } = seen(shown);
  if (r > top && r < bottom) pen.fillRect(box.left, box.y0 + r * box.cell - 0.5, box.width, 1);
  if (c > left && c < right) pen.fillRect(box.x0 + c * box.cell - 0.5, box.top, 1, box.height);
}

/** The cross-hair. @param {Pen} pen @param {Shown} shown */
export function paintCross(pen, shown) {
  const { focus, theme } = shown.ground;
  pen.lineWidth = 1.5;
  pen.strokeStyle = theme.accent;
  for (const run of runsOf(focus.rows)) band(pen, shown, run, true);
  for (const run of runsOf(focus.columns)) band(pen, shown, run, false);
}

/**
 * A frame round neighbouring rows or columns, and the labels of the first and the last in sight.
 * @param {Pen} pen @param {Shown} shown @param {[number, number]} run @param {boolean} isRow
 */
function band(pen, shown, run, isRow) {
  const { ground, box } = shown;
  const { top, bottom, left, right } = seen(shown);
  const zero = isRow ? box.y0 : box.x0;
  const found = bandOf(run, isRow ? [top, bottom] : [left, right], zero, box.cell);
  if (!found) return;
  const { from, to, start, wide } = found;
  if (isRow) pen.strokeRect(box.left, start, box.width, wide);
  else pen.strokeRect(start, box.top, wide, box.height);
  const units = isRow ? ground.rows : ground.columns;
  const apart = (to - 1 - from) * box.cell >= LABEL_STEP;
  for (const i of apart ? [from, to - 1] : [from]) {
    const at = zero + (i + 0.5) * box.cell - 8;
    if (isRow) plate(pen, ground.theme.chip, 0, at, box.left - 2, 16);
    else plate(pen, ground.theme.chip, at, 0, 16, box.top - 2);
    label(pen, shown, units[i], i, isRow);
  }
}
