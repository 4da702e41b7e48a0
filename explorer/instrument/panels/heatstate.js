// What the heatmap knows of itself, and what is read from it.

import { cellIn } from "../numbers/viewport.js";
import { pointIn } from "../parts/dom.js";
import { cornerIn, isNear } from "./heatpaint.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/heatground.js").Ground} Ground
 * @typedef {import("../numbers/viewport.js").Cell} Cell
 * @typedef {import("../numbers/viewport.js").Sight} Sight
 * @typedef {import("../pages/explore.js").Actions} Actions
 * @typedef {import("./heatpaint.js").Shown} Shown
 * @typedef {{scene: Scene | null, depth: Scene["deep"], ground: Ground | null, deep: boolean,
 *            part: Sight, box: Shown["box"], font: string, size: string, wide: number,
 *            measured: {units: unknown, room: number}, room: Float32Array, framed: boolean,
 *            hand: import("../numbers/heatpress.js").Hand}} State
 *   depth: what lies below the map; deep: whether that is in sight, and not groups; size: of the
 *   picture that the part belongs to; wide: the stage; measured: the room that the labels of some
 *   units need; room: memory for what is in sight; framed: it is painted anew in the next frame
 * @typedef {{dom: import("./heatmap.js").Dom, state: State, actions: Actions,
 *            deepActions: Actions | null, redraw: () => void,
 *            tiles: ReturnType<typeof import("../parts/tileworker.js").createTiles>}} Here
 *   actions: in units of the map; deepActions: in those below
 * @typedef {{clientX: number, clientY: number}} Pointed
 */

/** What a hand does, in the units that are in sight. @param {Here} here */
export const doing = ({ state, actions, deepActions }) => (state.deep && deepActions) || actions;

/** The first that is pointed at. @param {State} state @returns {Partial<Cell>} */
export const pointedAt = ({ ground }) => ({
  row: ground?.focus.rows[0],
  column: ground?.focus.columns[0],
});

/** How many rows and columns the map has. @param {Scene | null} scene @returns {[number, number]} */
export function mapSize(scene) {
  const picture = scene?.map.model.picture;
  return picture ? [picture.rows.length, picture.columns.length] : [0, 0];
}

/** How many there are of what is in sight. @param {State} state @returns {[number, number]} */
export const sizeNow = ({ scene, deep, depth }) =>
  deep && depth ? [depth.rows.length, depth.columns.length] : mapSize(scene);

/** What lies below the map. @param {Here} here */
export const below = ({ state, deepActions }) => deepActions && state.depth;

/** @param {Here} here @param {Pointed} event */
export const placeOf = ({ dom }, event) => pointIn(dom.stage, event);

/** @param {Here} here @param {Pointed} event */
export function cellAt(here, event) {
  const { ground, box } = here.state;
  if (!ground || ground.pooled) return null;
  return cellIn(box, ...placeOf(here, event), ...sizeNow(here.state));
}

/** @param {State} state @returns {Shown | null} */
export const shownNow = ({ ground, part, box, font }) => ground && { ground, part, box, font };

/** @param {State} state */
export function isZoomed(state) {
  const shown = shownNow(state);
  return shown !== null && isNear(shown);
}

/** The side of the corner that shows the whole; 0 when there is none. @param {State} state */
export function corner(state) {
  const shown = shownNow(state);
  return shown ? cornerIn(shown) : 0;
}

/** @param {Here} here @param {Pointed} event */
export function inCorner(here, event) {
  const [x, y] = placeOf(here, event);
  return x < corner(here.state) && y < corner(here.state);
}
