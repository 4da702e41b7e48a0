// What a hand does on a map, told in the units that are read: a map may show sentences of words.

import { unitsAcross } from "../numbers/layout.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/words.js").Focus} Focus
 * @typedef {import("./explore.js").Actions} Actions
 * @typedef {import("./exploreschedule.js").Panel} Panel
 */

/**
 * A panel that shows the map of a scene.
 * @template {Panel} P
 * @param {P} panel @param {Map<Panel, Panel>} outer which panel a panel is known as
 * @returns {P}
 */
export function atMap(panel, outer) {
  /** @type {P} */
  const known = {
    ...panel,
    draw: (scene) => panel.draw(scene.map),
    focus: (scene) => panel.focus(scene.map),
  };
  outer.set(panel, known);
  return known;
}

/**
 * Actions that take what is read, from a panel that is known as another.
 * @param {Actions} actions @param {Map<Panel, Panel>} outer
 * @returns {Actions}
 */
export const fromWithin = (actions, outer) => ({
  ...actions,
  hover: (focus, from) => actions.hover(focus, outer.get(from) ?? from),
});

/**
 * Actions that take units of the map.
 * @param {Actions} actions take what is read @param {() => Scene | null} sceneNow
 * @returns {Actions}
 */
export function onMap(actions, sceneNow) {
  /** @param {"row" | "column"} side @param {number[]} units @returns {number[]} */
  function read(side, units) {
    const scene = sceneNow();
    if (!scene || scene.map === scene) return units;
    const [own, map] = [scene.model.layout, scene.map.model.layout];
    return side === "row"
      ? unitsAcross(units, map.rows, own.rowOfToken)
      : unitsAcross(units, map.columns, own.columnOfToken);
  }
  /** @param {Focus} focus @returns {Focus} */
  const readAll = ({ rows, columns }) => ({
    rows: read("row", rows),
    columns: read("column", columns),
  });
  return {
    ...actions,
    hover: (focus, from) => actions.hover(focus && readAll(focus), from),
    walk: (focus) => actions.walk(readAll(focus)),
    pick: (side, units, add) => actions.pick(side, read(side, units), add),
    pickPair: (rows, columns, add) =>
      actions.pickPair(read("row", rows), read("column", columns), add),
  };
}
