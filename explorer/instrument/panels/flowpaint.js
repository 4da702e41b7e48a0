// What the flow's two canvases show: all lines between the tokens of both sides, or those of what
// is pointed at alone.

import { bound } from "../numbers/basics.js";
import { inTones, linesOfPoint, linesOfRows, valuesOf } from "../numbers/flowlines.js";
import { middleOf, rowsInSight, tokenBox, tokensInSight } from "../numbers/flowplaces.js";
import { digits } from "../numbers/model.js";
import { plate, shorten } from "../parts/paint.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/model.js").Unit} Unit
 * @typedef {import("../numbers/flowlines.js").Line} Line
 * @typedef {import("../parts/paint.js").Pen} Pen
 * @typedef {import("../parts/paint.js").Box} Box
 * @typedef {import("../numbers/flowplaces.js").Places & {scene: Scene,
 *            kept: Map<number, number[]>}} Shown
 */

/** @param {boolean} across @param {number} row @param {Scene} scene */
export const fontOf = (across, row, scene) =>
  `${across || row >= 20 ? 13 : 12}px ${scene.theme.font}`;

/** @param {Shown} shown */
const sourceOf = ({ scene, kept }) => ({ model: scene.model, mass: scene.view.mass, kept });

/** All lines. @param {Pen} pen @param {Shown} shown @returns {number} how many there are */
export function paintFlow(pen, shown) {
  const { lines, all } = linesOfRows(sourceOf(shown), rowsInSight(shown));
  const air = bound(Math.sqrt(250 / lines.length), 0.2, 1); // a thicket is fainter and thinner
  stroke(pen, shown, lines, 0.75 * air, air * air);
  write(pen, shown, () => 0);
  return all;
}

/** The lines of what is pointed at. @param {Pen} pen @param {Shown} shown */
export function paintPoint(pen, shown) {
  const { scene } = shown;
  const lines = linesOfPoint(sourceOf(shown), scene.focus, rowsInSight(shown));
  const air = bound(Math.sqrt(150 / lines.length), 0.3, 1);
  stroke(pen, shown, lines, Math.sqrt(air), air * air);
  const { value, shade } = valuesOf(scene);
  write(pen, shown, shade, (i, isRow) => {
    const v = value(i, isRow);
    return v >= 0.005 ? digits(v) : "";
  });
}

/** The one token that is pinned stays in sight. @param {Shown} shown @param {number} i @param {boolean} isRow */
function middle(shown, i, isRow) {
  const { rows, columns } = shown.scene.focus;
  const chosen = isRow ? rows : columns;
  return middleOf(shown, i, isRow, chosen.length === 1 && chosen[0] === i);
}

/**
 * @param {Pen} pen @param {Shown} shown @param {Line[]} lines @param {number} strength
 * @param {number} width
 */
function stroke(pen, shown, lines, strength, width) {
  const { model, theme } = shown.scene;
  for (const { head, tone, lines: group } of inTones(lines, model.tops)) {
    pen.beginPath();
    for (const { row, column } of group) {
      curve(pen, shown, middle(shown, row, true), middle(shown, column, false));
    }
    pen.strokeStyle = theme.headCss(head, strength * (0.1 + 0.9 * tone));
    pen.lineWidth = 0.6 + 2.6 * tone * tone * width; // up to 1 pixel is drawn much faster
    pen.stroke();
  }
}

/** @param {Pen} pen @param {Shown} shown @param {number} from @param {number} to */
function curve(pen, { box, across }, from, to) {
  const [a, b, half] = [box.near + 4, box.far - 4, (box.near + box.far) / 2];
  if (across) {
    pen.moveTo(from, a);
    pen.bezierCurveTo(from, half, to, half, to, b);
  } else {
    pen.moveTo(a, from);
    pen.bezierCurveTo(half, from, half, to, b, to);
  }
}

/**
 * The tokens of both sides.
 * @param {Pen} pen @param {Shown} shown
 * @param {(i: number, isRow: boolean) => number} shade 0 to 1, the tint behind a token
 * @param {(i: number, isRow: boolean) => string} [number] written beside it
 */
function write(pen, shown, shade, number = () => "") {
  const { scene, across, box } = shown;
  pen.font = fontOf(across, box.row, scene);
  pen.textBaseline = "middle";
  for (const isRow of [true, false]) {
    const [first, end] = tokensInSight(shown, isRow);
    const chosen = isRow ? scene.focus.rows : scene.focus.columns;
    for (let i = first; i < end; i++) {
      token(pen, shown, i, isRow, shade(i, isRow), number(i, isRow));
    }
    // The pinned token stays in sight, over whatever lies there.
    const [only] = chosen;
    if (chosen.length === 1 && (only < first || only >= end)) {
      clear(pen, shown, only, isRow);
      token(pen, shown, only, isRow, 1, number(only, isRow));
    }
  }
}

/** Where a token stands. @param {Shown} shown @param {number} i @param {boolean} isRow */
function placeOf(shown, i, isRow) {
  const own = isRow ? shown.edges.row : shown.edges.column;
  return tokenBox(shown, isRow, own[i + 1] - own[i], middle(shown, i, isRow));
}

/** Nothing shows through a token that stands over another. @param {Pen} pen @param {Shown} shown @param {number} i @param {boolean} isRow */
function clear(pen, shown, i, isRow) {
  const place = placeOf(shown, i, isRow);
  pen.fillStyle = shown.scene.theme.page;
  pen.fillRect(place.x, place.y, place.width, place.height);
}

/**
 * @param {Pen} pen @param {Shown} shown @param {number} i @param {boolean} isRow
 * @param {number} tint @param {string} digit
 */
function token(pen, shown, i, isRow, tint, digit) {
  const { scene, edges, across } = shown;
  const { theme, model } = scene;
  const units = isRow ? model.picture.rows : model.picture.columns;
  const own = isRow ? edges.row : edges.column;
  const [size, at] = [own[i + 1] - own[i], middle(shown, i, isRow)];
  const place = placeOf(shown, i, isRow);
  if (tint > 0) {
    const colour = theme.accentCss(0.08 + 0.42 * tint);
    plate(pen, colour, place.x + 1, place.y + 1, place.width - 2, place.height - 2);
  }
  pen.fillStyle = units[i].special ? theme.muted : theme.text;
  if (across) labelAcross(pen, shown, units[i].text, digit, isRow, size, at);
  else labelDown(pen, shown, units[i].text, digit, isRow, at);
  if (i > 0 && units[i].segment !== units[i - 1].segment) divide(pen, shown, place);
}

/**
 * @param {Pen} pen @param {Shown} shown @param {string} text @param {string} digit
 * @param {boolean} isRow @param {number} size @param {number} at
 */
function labelAcross(pen, { box }, text, digit, isRow, size, at) {
  pen.textAlign = "center";
  pen.fillText(shorten(pen, text, size - 4), at, isRow ? box.near - 13 : box.far + 13);
  if (digit && size >= 34) pen.fillText(digit, at, isRow ? 10 : box.height - 10);
}

/**
 * @param {Pen} pen @param {Shown} shown @param {string} text @param {string} digit
 * @param {boolean} isRow @param {number} at
 */
function labelDown(pen, { box }, text, digit, isRow, at) {
  pen.textAlign = isRow ? "right" : "left";
  const room = box.near - (digit ? 52 : 12);
  pen.fillText(shorten(pen, text, room), isRow ? box.near - 6 : box.far + 6, at);
  pen.textAlign = isRow ? "left" : "right";
  if (digit) pen.fillText(digit, isRow ? 4 : box.width - 4, at);
}

/** A line before the first token of the other text. @param {Pen} pen @param {Shown} shown @param {Box} place */
function divide(pen, { scene, across, rtl }, place) {
  pen.fillStyle = scene.theme.border;
  const start = rtl ? place.x + place.width : place.x;
  if (across) pen.fillRect(start, place.y, 1, place.height);
  else pen.fillRect(place.x, place.y, place.width, 1);
}
