// The lines of the flow: the fewest of each row and head that hold a share of its attention. Pure
// functions, but for what they remember.

import { bound, remember } from "./basics.js";
import { t } from "./language.js";
import { heaviest, rowOf } from "./model.js";

/**
 * @typedef {{row: number, column: number, weight: number, head: number}} Line
 * @typedef {{model: Pick<import("./scene.js").Model, "perHead" | "picture">, mass: number,
 *            kept: Map<number, number[]>}} Source
 *   mass: per cent of a row's attention that its lines hold; kept: heaviest keys, by head and row
 */

export const MAX_LINES = 800; // drawn at once, the heaviest: more are a thicket, and cost frames
const TONES = 10;
/** @type {Set<number>} */
const EVERY = new Set();

/** The keys that a row's lines go to. @param {Source} of @param {number} head its place among the chosen @param {number} row */
const targets = ({ model, mass, kept }, head, row) =>
  remember(kept, head * model.picture.rows.length + row, () =>
    heaviest(rowOf(model.perHead[head].picture, row), mass / 100),
  );

/**
 * @param {Source} of @param {number} row @param {number} [least] weight
 * @param {Set<number>} [wanted] keys; all if empty
 * @returns {Line[]}
 */
function linesOf(of, row, least = 0, wanted = EVERY) {
  const { perHead, picture } = of.model;
  /** @type {Line[]} */
  const lines = [];
  perHead.forEach(({ head, picture: own }, i) => {
    for (const column of targets(of, i, row)) {
      const weight = own.weights[row * picture.columns.length + column];
      if (weight < least || (wanted.size && !wanted.has(column))) continue;
      lines.push({ row, column, head, weight });
    }
  });
  return lines;
}

/**
 * The weight that the lines of some rows need to be drawn, and how many lines there are.
 * @param {Source} of @param {number[]} rows
 * @returns {[number, number]}
 */
function threshold(of, rows) {
  const { perHead, picture } = of.model;
  const n = picture.columns.length;
  const weights = rows.flatMap((row) =>
    perHead.flatMap(({ picture: own }, i) =>
      targets(of, i, row).map((column) => own.weights[row * n + column]),
    ),
  );
  if (weights.length <= MAX_LINES) return [0, weights.length];
  return [Float32Array.from(weights).sort()[weights.length - MAX_LINES], weights.length];
}

/**
 * The lines of some rows, the strongest if they are too many, and how many there are.
 * @param {Source} of @param {number[]} rows
 */
export function linesOfRows(of, rows) {
  const [least, all] = threshold(of, rows);
  return { lines: rows.flatMap((row) => linesOf(of, row, least)).slice(0, MAX_LINES), all };
}

/**
 * The lines of what is pointed at, alone. A cell that the share leaves out is still drawn when it
 * is pointed at itself.
 * @param {Source} of @param {import("./words.js").Focus} point @param {number[]} rowsInSight
 */
export function linesOfPoint(of, point, rowsInSight) {
  const wanted = new Set(point.columns);
  const rows = point.rows.length ? point.rows : rowsInSight;
  const lines = rows.flatMap((row) => linesOf(of, row, 0, wanted));
  if (lines.length || point.rows.length !== 1 || wanted.size !== 1) return strongestOf(lines);
  const [row, column] = [point.rows[0], point.columns[0]];
  const at = row * of.model.picture.columns.length + column;
  return strongestOf(
    of.model.perHead.map(({ head, picture }) => ({
      ...{ row, column, head },
      weight: picture.weights[at],
    })),
  );
}

/** As many lines as are drawn at once. @param {Line[]} lines */
function strongestOf(lines) {
  if (lines.length <= MAX_LINES) return lines;
  const least = Float32Array.from(lines, (line) => line.weight).sort()[lines.length - MAX_LINES];
  return lines.filter((line) => line.weight >= least).slice(0, MAX_LINES);
}

/**
 * Lines that are stroked together, the faintest first: those of a head and a tone.
 * @param {Line[]} lines @param {Float32Array} tops full tone of each row
 * @returns {{head: number, tone: number, lines: Line[]}[]} tones above 0, to 1
 */
export function inTones(lines, tops) {
  /** @type {Map<number, Line[]>} */
  const byTone = new Map();
  for (const line of lines) {
    const tone = bound(Math.ceil((line.weight / tops[line.row]) * TONES), 1, TONES);
    remember(byTone, line.head * (TONES + 1) + tone, () => []).push(line);
  }
  return [...byTone]
    .sort(([a], [b]) => (a % (TONES + 1)) - (b % (TONES + 1)))
    .map(([id, group]) => ({
      head: Math.floor(id / (TONES + 1)),
      tone: (id % (TONES + 1)) / TONES,
      lines: group,
    }));
}

/**
 * What the lines are. @param {number} mass @param {number} all how many there are
 */
export function linesNote(mass, all) {
  const values = {
    ...{ mass, n: all.toLocaleString("en"), most: MAX_LINES.toLocaleString("en") },
  };
  return all > MAX_LINES
    ? t(
        "Lines: the fewest that hold {mass} % of each row’s attention; of the {n} of the rows in sight the {most} strongest are drawn.",
        values,
      )
    : t("Lines: the fewest that hold {mass} % of each row’s attention.", values);
}

/**
 * The numbers beside the tokens of what is pointed at, and how strongly each is tinted.
 * @param {Pick<import("./scene.js").Scene, "focus" | "given" | "got"> &
 *         {model: Pick<import("./scene.js").Model, "tops">}} scene
 */
export function valuesOf({ focus, given, got, model }) {
  const chosen = { row: new Set(focus.rows), column: new Set(focus.columns) };
  const top = model.tops[focus.rows[0] ?? 0];
  /** -1 where there is none. @param {number} i @param {boolean} isRow */
  const value = (i, isRow) => {
    const [own, other] = isRow ? [chosen.row, got] : [chosen.column, given];
    return other && (!own.size || own.has(i)) ? other[i] : -1;
  };
  return {
    value,
    /** @param {number} i @param {boolean} isRow */
    shade: (i, isRow) => {
      if ((isRow ? chosen.row : chosen.column).has(i)) return 1;
      const v = value(i, isRow);
      return v < 0 ? 0 : bound(v / (isRow ? model.tops[i] : top), 0, 1) * 0.8;
    },
  };
}
