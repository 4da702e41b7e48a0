// Which units stand in a picture, and in which of them each token is: tokens or words where one
// reads, and on maps the groups of a level.

import { remember } from "./basics.js";
import { unitsOf } from "./model.js";

/**
 * @typedef {import("./data.js").Token} Token
 * @typedef {import("./data.js").Trace} Trace
 * @typedef {import("./data.js").Header} Header
 * @typedef {import("./model.js").Unit} Unit
 * @typedef {import("./view.js").View} View
 * @typedef {{rows: Unit[], columns: Unit[], rowOfToken: Int32Array, columnOfToken: Int32Array,
 *            rowGroups: number[], columnGroups: number[]}} Layout
 *   rowOfToken, columnOfToken: −1 where a token stands in no unit; groups: of a level, which of its
 *   groups each unit is; empty for tokens and words
 */

const SHOWN = 48; // letters of a group that name it
const MOST_GROUPS = 1024; // on a side of a map that a long text can be shown by

/** @type {WeakMap<Token[], Map<string, Layout>>} */
const layouts = new WeakMap();

/**
 * Where one reads: the same object as long as nothing changes it.
 * @param {Pick<Trace, "head">} trace @param {Pick<View, "words" | "specials">} view
 * @returns {Layout}
 */
export function layoutOf({ head }, { words, specials }) {
  const known = remember(layouts, head.query_tokens, () => new Map());
  return remember(known, `${words} ${specials === "shown"}`, () => {
    const units = (/** @type {Token[]} */ tokens) => unitsOf(tokens, words, specials);
    return placed(head, units(head.query_tokens), () => units(head.key_tokens));
  });
}

/** The starts of a level's groups among the keys. @param {Header} head @param {string} level */
export const keyStarts = ({ levels, key_levels }, level) => (key_levels ?? levels)?.[level];

/**
 * The levels that maps can be shown by; of a long text only those whose maps can be made.
 * @param {Header} head
 */
export function levelsIn(head) {
  const most = head.long ? MOST_GROUPS : Number.POSITIVE_INFINITY;
  const isFew = (/** @type {number[] | undefined} */ starts) => starts && starts.length <= most;
  return Object.keys(head.levels ?? {}).filter(
    (level) => isFew(head.levels[level]) && isFew(keyStarts(head, level)),
  );
}

/**
 * The level that maps are shown by; null: by the units of the reading view.
 * @param {Header} head @param {Pick<View, "map">} view
 */
export function mapLevelOf(head, { map }) {
  if (levelsIn(head).includes(map)) return map;
  return map === "same" && !head.long ? null : head.map_level;
}

/**
 * How weights between groups become one. The largest rescaled weight would take every row of a
 * long text anew, so there it is the sum.
 * @param {Header} head @param {Pick<View, "pool" | "specials">} view
 */
export const poolOf = ({ long }, { pool, specials }) =>
  long && specials === "renormalised" ? "sum" : pool;

/**
 * What stands on maps: the groups of a level, or what stands where one reads.
 * @param {Pick<Trace, "head">} trace @param {Pick<View, "words" | "specials" | "map">} view
 * @returns {Layout}
 */
export function mapLayoutOf(trace, view) {
  const { head } = trace;
  const level = mapLevelOf(head, view);
  if (level === null) return layoutOf(trace, view);
  const known = remember(layouts, head.query_tokens, () => new Map());
  const shown = view.specials === "shown";
  return remember(known, `${level} ${shown}`, () => {
    const groups = (/** @type {Token[]} */ tokens, /** @type {number[]} */ starts) =>
      groupsOf(tokens, starts, head.texts).filter(({ unit }) => shown || !unit.special);
    const rows = groups(head.query_tokens, head.levels[level]);
    const own = head.key_tokens === head.query_tokens;
    const columns = own ? rows : groups(head.key_tokens, keyStarts(head, level));
    const units = (/** @type {typeof rows} */ some) => some.map(({ unit }) => unit);
    return {
      ...placed(head, units(rows), () => units(columns)),
      rowGroups: rows.map(({ group }) => group),
      columnGroups: columns.map(({ group }) => group),
    };
  });
}

/** @param {Header} head @param {Unit[]} rows @param {() => Unit[]} others of keys that are no queries */
function placed(head, rows, others) {
  const columns = head.key_tokens === head.query_tokens ? rows : others();
  return {
    rows,
    columns,
    rowOfToken: unitOfToken(rows, head.query_tokens.length),
    columnOfToken: unitOfToken(columns, head.key_tokens.length),
    ...{ rowGroups: [], columnGroups: [] },
  };
}

/**
 * The groups of a level as units, each named by how it begins.
 * @param {Token[]} tokens @param {number[]} starts @param {string[]} texts
 */
function groupsOf(tokens, starts, texts) {
  const letters = texts.map((text) => Array.from(text)); // spans count code points
  return starts.map((start, group) => {
    const end = starts[group + 1] ?? tokens.length;
    const own = tokens.slice(start, end);
    const { segment } = own[0];
    const text = nameOf(own, letters[segment] ?? []);
    const special = own.every((token) => token.special);
    return { group, unit: { text, tokens: own.map((_, i) => start + i), special, segment } };
  });
}

/** How a group of tokens begins, as it is read. @param {Token[]} tokens @param {string[]} letters */
function nameOf(tokens, letters) {
  const spans = tokens.flatMap(({ span }) => (span ? [span] : []));
  if (!spans.length) return tokens.map((token) => token.text).join(" ");
  const [from, to] = [spans[0][0], spans[spans.length - 1][1]];
  const begin = letters.slice(from, Math.min(to, from + 2 * SHOWN)).join("");
  const text = Array.from(begin.replace(/\s+/gu, " ").trim());
  const whole = text.length <= SHOWN && to - from <= 2 * SHOWN;
  return whole ? text.join("") : `${text.slice(0, SHOWN).join("")}…`;
}

/** @param {Unit[]} units @param {number} n */
function unitOfToken(units, n) {
  const found = new Int32Array(n).fill(-1);
  units.forEach((unit, u) => {
    for (const token of unit.tokens) found[token] = u;
  });
  return found;
}

/**
 * The units that hold some tokens, in order.
 * @param {number[]} tokens @param {Int32Array} unitOf
 */
export const unitsHolding = (tokens, unitOf) =>
  [...new Set(tokens.map((token) => unitOf[token]))].filter((unit) => unit >= 0);

/**
 * The units of one layout that hold what some units of another hold.
 * @param {number[]} chosen @param {Unit[]} units @param {Int32Array} unitOf of the other
 */
export const unitsAcross = (chosen, units, unitOf) =>
  unitsHolding(
    chosen.flatMap((i) => units[i]?.tokens ?? []),
    unitOf,
  );
