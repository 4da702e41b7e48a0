// What a heatmap shows: a map as it is, or, below a map of groups, the units in sight one by one.

import { groupsIn } from "./depth.js";
import { t } from "./language.js";
import { mapLevelOf, poolOf } from "./layout.js";
import { reachOf } from "./masks.js";
import { fullColour } from "./model.js";
import { assembled, fillHoles, shareOf } from "./tiles.js";
import { switchesOf } from "./view.js";
import { inSight } from "./viewport.js";
import { scaleNote } from "./words.js";

/**
 * @typedef {import("./model.js").Unit} Unit
 * @typedef {import("./scene.js").Scene} Scene
 * @typedef {import("./scene.js").Thumb} Thumb
 * @typedef {import("./viewport.js").Sight} Sight
 * @typedef {import("./viewport.js").Stretch} Stretch
 * @typedef {import("./scene.js").Deep} Deep
 * @typedef {{picture: import("./model.js").Picture, name: string, nowhere: number[] | null,
 *            most: boolean}} Saved
 *   nowhere: what each row gives to no token, where there is a sink; most: of several heads the largest
 * @typedef {Thumb & {top: number, left: number}} Patch
 *   a part of a picture that holds what is in sight; top, left: its first row and column
 * @typedef {{rows: Unit[], columns: Unit[], focus: Scene["focus"], says: string,
 *            theme: Scene["theme"], pooled: Thumb | null, patch: Patch, map: Thumb, deep: boolean,
 *            holes: boolean, frameOf: (sight: Sight) => Stretch,
 *            reach: import("./masks.js").Reach | null}} Ground
 *   rows, columns: all that there are; patch: with their weights in sight; map: the whole, for the
 *   corner; deep: below the map's level; holes: some weights are not here yet; frameOf: where on the
 *   map a sight is; reach: how far each row may look, null where a mask leaves nothing out
 */

/** @param {Scene} scene @returns {Ground} */
export function mapGround({ model, focus, says, theme, trace }) {
  const { rows, columns, weights } = model.picture;
  const map = { weights, nRows: rows.length, nColumns: columns.length, tops: model.tops };
  return {
    ...{ rows, columns, focus, says, theme, pooled: model.pooled, map },
    ...{ patch: { ...map, top: 0, left: 0 }, deep: false, holes: false },
    reach: model.pooled ? null : reachOf(trace.masks.get(model.layer), rows, columns),
    frameOf: (sight) => inSight(sight, map.nRows, map.nColumns),
  };
}

/**
 * The units in sight one by one; where their weights are not here yet, the groups that they are of.
 * @param {Scene} scene @param {Deep} deep @param {Sight} sight
 * @param {Parameters<typeof assembled>[2]} tileAt
 * @param {Float32Array} [room] memory to use again
 * @returns {Ground}
 */
export function deepGround(scene, deep, sight, tileAt, room) {
  const { map, pooled } = mapGround(scene.map);
  const { rows, columns } = deep;
  const at = inSight(sight, rows.length, columns.length);
  const found = assembled(at, columns.length, tileAt, room);
  const own = { rows: rows.slice(at.top, at.bottom), columns: columns.slice(at.left, at.right) };
  const { weights } = found;
  const parts = columns.length; // in sight are some of them
  const tops = fullColour({ weights, ...own }, scene.view.scale, { share: shareOf(found), parts });
  fillHoles(found, at, tops, { ...map, ...deep });
  const { focus, says, theme } = scene;
  const size = { nRows: at.bottom - at.top, nColumns: at.right - at.left };
  return {
    ...{ rows, columns, focus, says, theme, pooled, map, deep: true },
    patch: { weights, tops, ...size, top: at.top, left: at.left },
    holes: found.holes.length > 0,
    reach: reachOf(scene.trace.masks.get(scene.model.layer), rows, columns),
    frameOf: (now) => groupsIn(deep, now),
  };
}

/** @type {Record<string, string>} */
const CALLED = {
  token: t("a token"),
  word: t("a word"),
  sentence: t("a sentence"),
  paragraph: t("a paragraph"),
  turn: t("a turn"),
  stretch: t("a stretch of text"),
};

/**
 * What a cell stands for; nothing where a map is of tokens or words, as one reads.
 * @param {Scene} scene @param {boolean} deep
 */
export function cellNote({ view, trace, model }, deep) {
  const level = deep ? null : mapLevelOf(trace.head, view);
  if (!deep && level === null) return "";
  if (!deep && poolOf(trace.head, view) === "max")
    return t("Each cell: the largest single weight.");
  const unit = level ?? (view.words ? "word" : "token");
  if (unit === "token" && model.chosen.length === 1) return t("Each cell: one weight.");
  const one = CALLED[unit];
  return unit === "token"
    ? t("Each cell: {one} looking at {one}.", { one })
    : t("Each cell: {one} looking at {one}: attention summed over keys, averaged over queries.", {
        one,
      });
}

/**
 * What a dot of the screen shows, where it covers several cells.
 * @param {Scene} scene @param {boolean} deep @param {number} cell its side in dots
 */
export const dotNote = (scene, deep, cell) =>
  cell < 1 && (deep || scene.map !== scene)
    ? t("A dot shows the largest of the cells that it covers.")
    : "";

/** What hatched cells are. @param {Ground} ground */
export const maskNote = ({ reach }) => (reach ? t("Hatched: may not be looked at.") : "");

/**
 * What the full colour stands for.
 * @param {Scene["view"]["scale"]} scale @param {Ground} ground
 */
export function colourNote(scale, { pooled, patch, deep }) {
  const note = scaleNote(scale, pooled?.tops ?? patch.tops);
  if (!deep || scale === "absolute") return note;
  return t("{note} in sight.", { note: note.replace(/[.。]$/, "") });
}

/** The numbers of a map, to be kept. @param {Scene} scene @returns {Saved} */
export function savedMap(scene) {
  const { picture, nowhere, most } = scene.model;
  const rows = picture.rows.map((_, row) => row);
  const pooled = mapLevelOf(scene.trace.head, scene.view) && poolOf(scene.trace.head, scene.view);
  const name = nameIn(scene, pooled === "max" ? [t("strongest weights")] : []);
  return { picture, name, nowhere: sinksOf(scene, rows, nowhere), most };
}

/**
 * The numbers of what is in sight below the map; their name says which tokens these are.
 * @param {Scene} scene @param {Ground} ground
 * @returns {Saved}
 */
export function savedPart(scene, { rows, columns, patch }) {
  const { weights, top, left, nRows, nColumns } = patch;
  const picture = {
    weights: weights.slice(),
    rows: rows.slice(top, top + nRows),
    columns: columns.slice(left, left + nColumns),
  };
  const { nowhere, most } = scene.model;
  const which = t("tokens {queries} looking at {keys}", {
    queries: rangeOf(picture.rows),
    keys: rangeOf(picture.columns),
  });
  const own = picture.rows.map((_, row) => top + row);
  return {
    picture,
    name: nameIn(scene, [which]),
    nowhere: sinksOf(scene, own, nowhere),
    most,
  };
}

/**
 * The heads, and what is switched about their numbers. @param {Scene} scene @param {string[]} more
 */
const nameIn = ({ model, view }, more) =>
  [model.name, ...switchesOf(view), ...more].reduce((start, next) =>
    t("{start}, {next}", { start, next }),
  );

/** @param {Scene} scene @param {number[]} rows @param {(rows: number[]) => number} nowhere */
function sinksOf({ trace, view }, rows, nowhere) {
  const open = trace.head.sinks && view.specials !== "renormalised";
  return open ? rows.map((row) => nowhere([row])) : null;
}

/** The first and the last token of some units, by number. @param {Unit[]} units */
function rangeOf(units) {
  const tokens = units.flatMap((unit) => unit.tokens);
  if (!tokens.length) return t("none");
  return t("{first} to {last}", { first: tokens[0], last: tokens[tokens.length - 1] });
}
