// Where the units of a path stand, level by level, and which of them lies where. Pure functions.

import { bound, remember } from "./basics.js";
import { edgesOf, indexAt, touching } from "./edges.js";

/**
 * @typedef {{level: number, unit: number}} Spot a unit after so many layers
 * @typedef {{width: number, height: number, row: number, left: number, step: number,
 *            edges: Float64Array}} Places
 *   in pixels; row: a unit's height; left: what the labels take on each side; step: between two
 *   levels; edges: where each unit begins
 * @typedef {import("./path.js").Link} Link
 */

const MAX_HEIGHT = 560;
const ROW = [18, 26]; // pixels, least and most
export const HEAD = 22; // of the line with the names of the levels
const LABEL = 0.16; // of the width, on each side
const LABEL_LEAST = 92; // pixels
export const TONES = 8;

/** Before anything is drawn. @type {Places} */
export const NOWHERE = { width: 1, height: 1, row: 20, left: 0, step: 1, edges: edgesOf([]) };

/**
 * @param {number} width @param {number} n units @param {number} levels
 * @returns {Places}
 */
export function placesOf(width, n, levels) {
  const row = bound((MAX_HEIGHT - HEAD) / n, ROW[0], ROW[1]);
  const left = Math.max(Math.round(width * LABEL), LABEL_LEAST);
  return {
    width,
    height: Math.min(n * row + HEAD, MAX_HEIGHT),
    row,
    left,
    step: (width - 2 * left) / levels,
    edges: edgesOf(new Float64Array(n).fill(row)),
  };
}

/**
 * The middle of a unit.
 * @param {Places} places @param {number} scrolled @param {Spot} spot
 * @returns {[number, number]}
 */
export const middleOf = ({ left, step, edges, row }, scrolled, { level, unit }) => [
  left + level * step,
  HEAD + edges[unit] + row / 2 - scrolled,
];

/**
 * What lies at a place of the picture; the input is never followed, so the first layer's output is
 * the least.
 * @param {Places} places @param {number} scrolled @param {number} levels
 * @param {number} x @param {number} y from its corner
 * @returns {Spot | null}
 */
export function spotAt({ left, step, edges }, scrolled, levels, x, y) {
  const unit = indexAt(edges, y - HEAD + scrolled);
  if (unit < 0 || y < HEAD) return null;
  return { level: bound(Math.round((x - left) / step), 1, levels), unit };
}

/**
 * One step of the arrow keys: the first one begins at the first output.
 * @param {Spot | null} at @param {number} dx @param {number} dy
 * @param {number} levels @param {number} n units
 * @returns {{spot: Spot, sought: number}} sought: the unit that shall be in sight
 */
export function stepFrom(at, dx, dy, levels, n) {
  const sought = bound((at?.unit ?? 0) + dy, 0, n - 1);
  if (!at) return { spot: { level: levels, unit: 0 }, sought };
  return { spot: { level: bound(at.level + dx, 1, levels), unit: sought }, sought };
}

/** @param {Places} places @param {number} scrolled @param {number} unit */
export function isInSight({ edges, row, height }, scrolled, unit) {
  const y = edges[unit];
  return y >= scrolled && y + row <= scrolled + height - HEAD;
}

/** The units in sight. @param {Places} places @param {number} scrolled */
export const unitsInSight = ({ edges, height }, scrolled) =>
  touching(edges, scrolled, scrolled + height);

/**
 * The links in sight by their tone, the faintest first: one stroke paints all of a tone.
 * @param {Link[]} links @param {[number, number]} sight the first unit, and one past the last
 * @returns {[number, Link[]][]}
 */
export function linksByTone(links, [low, high]) {
  /** @type {Map<number, Link[]>} */
  const byTone = new Map();
  const strongest = links.reduce((most, link) => Math.max(most, link.flow), 0) || 1;
  for (const link of links) {
    const [a, b] = [Math.min(link.from, link.to), Math.max(link.from, link.to)];
    if (b < low || a >= high) continue; // passes out of sight
    const tone = bound(Math.ceil(Math.sqrt(link.flow / strongest) * TONES), 1, TONES);
    remember(byTone, tone, () => []).push(link);
  }
  return [...byTone].sort(([a], [b]) => a - b);
}
