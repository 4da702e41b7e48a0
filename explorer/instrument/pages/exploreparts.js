// What the instrument is made of, and where it stands on the page.

import { createCaptions } from "../panels/captions.js";
import { createFlow } from "../panels/flow.js";
import { createGrid } from "../panels/grid.js";
import { createHeatmap } from "../panels/heatmap.js";
import { createLayers } from "../panels/layers.js";
import { createPinned } from "../panels/pinned.js";
import { createReading } from "../panels/reading.js";
import { createTraining } from "../panels/training.js";
import { h } from "../parts/dom.js";
import {
  createCombine,
  createCopy,
  createGridShows,
  createLevels,
  createOpenSteps,
  createSteps,
  createSwitches,
} from "../parts/tools.js";
import { createFiles } from "../save/files.js";
import { atMap, fromWithin, onMap } from "./maphands.js";

/**
 * @typedef {import("./exploreschedule.js").Change} Change
 * @typedef {import("../numbers/view.js").View} View
 * @typedef {{
 *   actions: import("./explore.js").Actions,
 *   change: (next: (now: View) => View, what: Change) => void,
 *   travel: (where: "past" | "future") => void,
 *   several: (on: boolean) => void,
 *   openLayers: (open: boolean) => void,
 *   sceneNow: () => import("../numbers/scene.js").Scene | null,
 *   pages: import("../save/files.js").Pages,
 *   copyLink: (() => Promise<boolean>) | null,
 *   openSteps: (() => void) | null,
 * }} Doing what the parts do, once somebody uses them
 * @typedef {ReturnType<typeof createParts>} Parts
 */

const WIDE = 660; // pixels from which the switches are open at first

/** @param {Doing} doing */
export function createParts(doing) {
  const { actions, change } = doing;
  const says = createCaptions(actions);
  const combine = createCombine(change);
  const gridShows = createGridShows(change);
  const chosen = h("div", { class: "ax-chosen" });
  /** @type {Map<import("./exploreschedule.js").Panel, import("./exploreschedule.js").Panel>} */
  const outer = new Map();
  const deepActions = fromWithin(actions, outer);
  const mapActions = onMap(deepActions, doing.sceneNow);
  chosen.append(says.legend, combine.element, gridShows.element, says.ranking);
  const parts = {
    ...{ says, combine, gridShows },
    switches: createSwitches(change),
    copy: doing.copyLink && createCopy(doing.copyLink),
    levels: createLevels(change),
    picked: createPinned(change, actions.clear, doing.several),
    grid: createGrid(actions, chosen),
    heatmap: createHeatmap(mapActions, deepActions),
    flow: atMap(createFlow(mapActions, change), outer),
    reading: createReading(actions),
    training: createTraining((next) => change(next, { thumbs: true, model: true })),
    layers: createLayers(actions, change, doing.openLayers),
    steps: createSteps(doing.travel),
    openSteps: doing.openSteps && createOpenSteps(doing.openSteps),
    blank: h(
      "p",
      { class: "ax-empty" },
      "Nothing to show: every token is special, and special tokens are hidden. Choose “shown” above.",
    ),
    panels: h("div", { class: "ax-panels" }),
  };
  const { sceneNow, pages } = doing;
  const files = createFiles(picturesOf(parts), sceneNow, pages, parts.heatmap.saved);
  return { ...parts, files };
}

/**
 * What each picture is made of that can be saved.
 * @param {Record<"training" | "picked" | "reading" | "grid" | "flow" | "heatmap", {element: HTMLElement}>
 *         & {says: ReturnType<typeof createCaptions>, layers: ReturnType<typeof createLayers>}} parts
 * @returns {Parameters<typeof createFiles>[0]}
 */
function picturesOf({ training, says, picked, reading, grid, flow, heatmap, layers }) {
  const path = () => (layers.isOpen() ? [layers.element] : []);
  const panels = [reading.element, grid.element, flow.element, heatmap.element];
  return {
    everything: () => [
      ...[training.element, says.sentence, says.notes, picked.element],
      ...[...panels, ...path()],
    ],
    reading: () => [reading.element],
    grid: () => [grid.element],
    flow: () => [flow.element],
    heatmap: () => [heatmap.element],
    layers: path,
  };
}

/** What is drawn for a width of its own. @param {Parts} parts */
export const panelsOf = ({ training, grid, heatmap, flow, reading, layers }) => [
  ...[training, grid, heatmap, flow, reading, layers],
];

/** @param {HTMLElement} root @param {Parts} parts */
export function layOut(root, parts) {
  const { says, switches, panels, reading, grid, flow, heatmap, layers } = parts;
  switches.element.lastElementChild?.append(parts.levels.element);
  panels.append(reading.element, grid.element, flow.element, heatmap.element, layers.element);
  const away = h(
    "div",
    { class: "ax-away" },
    ...parts.steps.elements,
    ...(parts.openSteps ? [parts.openSteps] : []),
    ...(parts.copy ? [parts.copy.element] : []),
    parts.files.element,
  );
  const words = h("div", { class: "ax-words" }, h("div", {}, says.sentence, says.notes), away);
  switches.element.open = root.clientWidth >= WIDE; // on a phone the picture comes first
  root.replaceChildren(
    ...[parts.training.element, switches.element, words, parts.picked.element],
    ...[parts.blank, panels, says.spoken],
  );
}
