// From the groups of a map to the units below them and back: where the picture goes as one zooms,
// so that what one looked at stays where it is. Pure functions. A place is a number: 12.5 is the
// middle of the group, or of the unit, with the number 12.

import { bound } from "./basics.js";
import { CLOSEST, inSight, within, zoomed } from "./viewport.js";

/**
 * @typedef {import("./viewport.js").Cell} Cell
 * @typedef {import("./viewport.js").Sight} Sight
 * @typedef {import("./viewport.js").Stretch} Stretch
 * @typedef {{rows: {length: number}, columns: {length: number},
 *            rowsOf: (group: number) => [number, number],
 *            columnsOf: (group: number) => [number, number],
 *            groupOfRow: Int32Array, groupOfColumn: Int32Array}} Depth
 *   rowsOf, columnsOf: the first and the last unit of a group, [0, -1] where it has none here;
 *   groupOfRow, groupOfColumn: −1 where the map leaves a unit out
 * @typedef {{rows: {tokens: number[]}[], columns: {tokens: number[]}[]}} Units
 * @typedef {{deep: boolean, sight: Sight}} Level deep: units are in sight, not groups
 * @typedef {{of: (group: number) => [number, number], groupOf: Int32Array}} Side
 */

export const MOST_UNITS = 1024; // on a side, shown one by one

/** @param {Depth} depth @returns {Side} */
const rowSide = ({ rowsOf, groupOfRow }) => ({ of: rowsOf, groupOf: groupOfRow });

/** @param {Depth} depth @returns {Side} */
const columnSide = ({ columnsOf, groupOfColumn }) => ({ of: columnsOf, groupOf: groupOfColumn });

/** @param {Side} side @param {number} place among the groups @param {number} nGroups */
function toUnits({ of }, place, nGroups) {
  const group = bound(Math.floor(place), 0, nGroups - 1);
  const [first, last] = of(group);
  return first + (place - group) * (last + 1 - first);
}

/** @param {Side} side @param {number} place among the units */
function toGroups({ of, groupOf }, place) {
  const unit = bound(Math.floor(place), 0, groupOf.length - 1);
  const group = nearestGroup(groupOf, unit);
  const [first, last] = of(group);
  return group + bound((place - first) / (last + 1 - first || 1), 0, 1);
}

/** @param {Int32Array} groupOf @param {number} unit */
function nearestGroup(groupOf, unit) {
  for (let away = 0; away < groupOf.length; away++) {
    const found = Math.max(groupOf[unit - away] ?? -1, groupOf[unit + away] ?? -1);
    if (found >= 0) return found;
  }
  return 0;
}

/** @param {Pick<Depth, "rows" | "columns">} depth */
const allOf = ({ rows, columns }) => Math.max(rows.length, columns.length);

/** The most units on a side that can be in sight one by one. @param {Pick<Depth, "rows" | "columns">} depth */
const mostOf = (depth) => Math.min(MOST_UNITS, allOf(depth));

/**
 * The units of the groups in sight.
 * @param {Depth} depth @param {Stretch} stretch
 * @returns {Stretch}
 */
export function unitsIn({ rowsOf, columnsOf }, { top, bottom, left, right }) {
  const [rows, columns] = [endsOf(rowsOf, top, bottom), endsOf(columnsOf, left, right)];
  return { top: rows[0], bottom: rows[1], left: columns[0], right: columns[1] };
}

/** @param {Side["of"]} of @param {number} first @param {number} last one past the last */
function endsOf(of, first, last) {
  const ends = Array.from({ length: last - first }, (_, i) => of(first + i));
  const full = ends.filter(([from, to]) => to >= from);
  return full.length ? [full[0][0], full[full.length - 1][1] + 1] : [0, 0];
}

/**
 * Come nearer (a factor above 1), go back, or see the whole (0), from groups to the units below them
 * and from these back. What is pointed at stays where it is; where nothing is, the middle does.
 * @param {Level} level @param {number} factor @param {Partial<Cell>} around
 * @param {[number, number]} size rows and columns of the map
 * @param {Depth | null} depth null where nothing lies below the map
 * @returns {Level}
 */
export function stepped({ deep, sight }, factor, around, size, depth) {
  if (!depth || (deep && !factor))
    return { deep: false, sight: zoomed(sight, factor, around, ...size) };
  if (!deep) {
    const down = factor > 1 ? zoomedDown(sight, factor, around, size, depth) : null;
    return { deep: down !== null, sight: down ?? zoomed(sight, factor, around, ...size) };
  }
  const most = mostOf(depth);
  if (factor < 1 && sight.count >= most) {
    return { deep: false, sight: zoomedUp(sight, factor, around, size, depth) };
  }
  const held = Math.max(factor, sight.count / most);
  return { deep, sight: zoomed(sight, held, around, depth.rows.length, depth.columns.length) };
}

/**
 * From groups to units, once these are few, or once the groups can come no nearer.
 * @param {Sight} sight @param {number} factor @param {Partial<Cell>} around
 * @param {[number, number]} size @param {Depth} depth
 * @returns {Sight | null} null: the groups stay
 */
function zoomedDown(sight, factor, around, size, depth) {
  const now = within(sight, ...size);
  const units = unitsIn(depth, inSight(now, ...size));
  const span = Math.max(units.bottom - units.top, units.right - units.left);
  if (!span || (span > MOST_UNITS && now.count > CLOSEST)) return null;
  const most = mostOf(depth);
  const count = bound(Math.round(span / factor), Math.min(CLOSEST, most), most);
  const first = (
    /** @type {Side} */ side,
    /** @type {number} */ start,
    /** @type {number | undefined} */ i,
    /** @type {number} */ n,
  ) => {
    const at = i === undefined ? start + Math.min(n, now.count) / 2 : i + 0.5;
    return Math.round(toUnits(side, at, n) - ((at - start) / now.count) * count);
  };
  const row = first(rowSide(depth), now.row, around.row, size[0]);
  const column = first(columnSide(depth), now.column, around.column, size[1]);
  return within({ row, column, count }, depth.rows.length, depth.columns.length);
}

/**
 * From units back to their groups.
 * @param {Sight} sight of units @param {number} factor below 1 @param {Partial<Cell>} around
 * @param {[number, number]} size @param {Depth} depth
 * @returns {Sight}
 */
function zoomedUp(sight, factor, around, size, depth) {
  const { top, bottom, left, right } = groupsIn(depth, sight);
  const all = Math.max(...size);
  const wide = Math.max(bottom - top, right - left);
  const count = bound(Math.ceil(wide / factor), Math.min(CLOSEST, all), all);
  const first = (
    /** @type {Side} */ side,
    /** @type {number} */ start,
    /** @type {number | undefined} */ i,
  ) => {
    const at = i === undefined ? start + Math.min(side.groupOf.length, sight.count) / 2 : i + 0.5;
    return Math.round(toGroups(side, at) - ((at - start) / sight.count) * count);
  };
  const row = first(rowSide(depth), sight.row, around.row);
  const column = first(columnSide(depth), sight.column, around.column);
  return within({ row, column, count }, ...size);
}

/**
 * The units of one cell of the map, in the middle.
 * @param {Cell} cell @param {Depth} depth
 * @returns {Sight | null} null: it has none
 */
export function unitsOfCell({ row, column }, depth) {
  const [rows, columns] = [depth.rowsOf(row), depth.columnsOf(column)];
  const span = Math.max(...[rows, columns].map(([first, last]) => last + 1 - first));
  if (rows[1] < rows[0] || columns[1] < columns[0]) return null;
  const most = mostOf(depth);
  const count = bound(span, Math.min(CLOSEST, most), most);
  const first = (/** @type {[number, number]} */ [from, to]) =>
    Math.round((from + to + 1 - count) / 2);
  const sight = { row: first(rows), column: first(columns), count };
  return within(sight, depth.rows.length, depth.columns.length);
}

/**
 * Where on the map the units in sight are.
 * @param {Depth} depth @param {Sight} sight
 * @returns {Stretch} places among the groups
 */
export function groupsIn(depth, sight) {
  const { top, bottom, left, right } = inSight(sight, depth.rows.length, depth.columns.length);
  const [rows, columns] = [rowSide(depth), columnSide(depth)];
  const end = (/** @type {Side} */ side, /** @type {number} */ past) =>
    toGroups(side, past - 1) + 1 / lengthAt(side, past - 1);
  return {
    top: toGroups(rows, top),
    bottom: end(rows, bottom),
    left: toGroups(columns, left),
    right: end(columns, right),
  };
}

/** How many units the group of a unit has. @param {Side} side @param {number} unit */
function lengthAt({ of, groupOf }, unit) {
  const [first, last] = of(nearestGroup(groupOf, unit));
  return Math.max(1, last + 1 - first);
}

/**
 * The units in sight whose middle is a place of the corner that shows the map.
 * @param {Sight} sight @param {number} x @param {number} y shares of the corner's side
 * @param {[number, number]} size rows and columns of the map @param {Depth} depth
 * @returns {Sight}
 */
export function middleBelow(sight, x, y, size, depth) {
  const all = Math.max(...size);
  const first = (/** @type {Side} */ side, /** @type {number} */ share, /** @type {number} */ n) =>
    Math.round(toUnits(side, bound(share * all, 0, n), n) - sight.count / 2);
  const [row, column] = [first(rowSide(depth), y, size[0]), first(columnSide(depth), x, size[1])];
  return within({ ...sight, row, column }, depth.rows.length, depth.columns.length);
}

/**
 * The same place among other units of the same text, such as words in place of tokens.
 * @param {Sight} sight @param {Units} from @param {Units} to
 * @returns {Sight}
 */
export function carried(sight, from, to) {
  const factor = allOf(to) / allOf(from);
  const most = mostOf(to);
  const count = bound(Math.round(sight.count * factor), Math.min(CLOSEST, most), most);
  const first = (
    /** @type {number} */ start,
    /** @type {Units["rows"]} */ old,
    /** @type {Units["rows"]} */ now,
  ) => {
    const middle = bound(Math.floor(start + sight.count / 2), 0, old.length - 1);
    const [token] = old[middle].tokens;
    const at = now.findIndex(({ tokens }) => tokens[tokens.length - 1] >= token);
    return Math.round((at < 0 ? now.length : at) - count / 2);
  };
  const row = first(sight.row, from.rows, to.rows);
  const column = first(sight.column, from.columns, to.columns);
  return within({ row, column, count }, to.rows.length, to.columns.length);
}
