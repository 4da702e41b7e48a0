// What a hand does on the heatmap: a press that may become a drag, two fingers that part. A store:
// each function gives the hand as it is then. Pure functions.

import { range } from "./basics.js";

/**
 * @typedef {import("./viewport.js").Sight} Sight
 * @typedef {import("./viewport.js").Cell} Cell
 * @typedef {{x: number, y: number}} Point
 * @typedef {Point & {part: Sight, cell: Cell | null, does: "pan" | "block" | "overview",
 *            moved: boolean}} Press
 *   part, cell: what was in sight and under the hand when it began
 * @typedef {{press: Press | null, fingers: ReadonlyMap<number, Point>, spread: number}} Hand
 *   spread: how far two fingers were apart when they last zoomed; 0 before
 */

const DRAGGED = 4; // pixels from which a press is a drag and not a click
const PARTED = 1.12; // times as far apart, or as near, from which two fingers zoom

/** @type {Hand} */
export const NO_HAND = { press: null, fingers: new Map(), spread: 0 };

/**
 * A finger, or the mouse, comes down.
 * @param {Hand} hand @param {number} id @param {Omit<Press, "moved">} press
 * @returns {Hand}
 */
export const pressed = (hand, id, press) => ({
  press: { ...press, moved: false },
  fingers: new Map(hand.fingers).set(id, { x: press.x, y: press.y }),
  spread: 0,
});

/**
 * A finger that is down is somewhere else.
 * @param {Hand} hand @param {number} id @param {Point} at
 * @returns {Hand}
 */
export const moved = (hand, id, at) =>
  hand.fingers.has(id) ? { ...hand, fingers: new Map(hand.fingers).set(id, at) } : hand;

/**
 * A finger is gone; what was pressed is only over with a click.
 * @param {Hand} hand @param {number} id
 * @returns {Hand}
 */
export const lifted = (hand, id) => ({
  ...hand,
  fingers: new Map([...hand.fingers].filter(([finger]) => finger !== id)),
});

/**
 * Two fingers: once they are well apart, or together, the picture zooms around their middle.
 * @param {Hand} hand
 * @returns {{hand: Hand, factor: number, middle: Point} | {hand: Hand, factor: null}}
 */
export function pinched(hand) {
  const [one, other] = [...hand.fingers.values()];
  const now = Math.hypot(one.x - other.x, one.y - other.y);
  const before = hand.spread || now;
  if (now / before < PARTED && before / now < PARTED) {
    return { hand: { ...hand, press: null, spread: before }, factor: null };
  }
  const middle = { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
  return { hand: { ...hand, press: null, spread: now }, factor: now / before, middle };
}

/**
 * A press whose hand is somewhere else: it is a drag as soon as it was far enough away once.
 * @param {Press} press @param {Point} at
 * @returns {Press}
 */
export const dragged = (press, at) => ({
  ...press,
  moved: press.moved || Math.hypot(at.x - press.x, at.y - press.y) > DRAGGED,
});

/**
 * The rows and columns between two cells.
 * @param {Cell} one @param {Cell} other
 */
export const blockOf = (one, other) => ({
  rows: range(one.row, other.row),
  columns: range(one.column, other.column),
});

/**
 * What a click picks: a cell, or the block that was dragged to it.
 * @param {Press | null} press @param {Cell | null} cell under the hand at the end
 * @param {boolean} shift
 * @returns {{rows: number[], columns: number[], add: boolean} | null} null if nothing
 */
export function pickedBy(press, cell, shift) {
  if (!cell || press?.does === "overview") return null;
  if (!press?.moved) return { rows: [cell.row], columns: [cell.column], add: shift };
  if (press.does !== "block" || !press.cell) return null;
  return { ...blockOf(press.cell, cell), add: false };
}
