// What the instrument is made of, and where it stands on the page.

import { t } from "../numbers/language.js";
import { createCaptions } from "../panels/captions.js";
import { createCards, createKeep } from "../panels/cards.js";
import { createChanges } from "../panels/changes.js";
import { createColours } from "../panels/colours.js";
import { createFlow } from "../panels/flow.js";
import { createGrid } from "../panels/grid.js";
import { createHeatmap } from "../panels/heatmap.js";
import { createLayers } from "../panels/layers.js";
import { createLead } from "../panels/lead.js";
import { createLens } from "../panels/lens.js";
import { createNext } from "../panels/next.js";
import { createPinned } from "../panels/pinned.js";
import { createReading } from "../panels/reading.js";
import { createStriking } from "../panels/striking.js";
import { createTraining } from "../panels/training.js";
import { createAbout } from "../parts/about.js";
import { h, pushButton } from "../parts/dom.js";
import {
  createCombine,
  createCopy,
  createGridShows,
  createOpenSteps,
  createSteps,
} from "../parts/tools.js";
import { createViewMenu } from "../parts/viewmenu.js";
import { createFiles } from "../save/files.js";
import { atMap, fromWithin, onMap } from "./maphands.js";

const LESSON = t("Sentence and picture alone, large, for a projector (P)");
const WEIGHT = "6"; // the stage of Step by step that makes a weight, as a link names it

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
 *   npz: (() => void) | null,
 *   readOther: (() => void) | null, writing: import("../panels/next.js").Writing | null,
 *   edit: ((edits: string) => void) | null,
 *   takeApart: (asked: import("./exploresupply.js").Apart) => void,
 *   asking: import("../parts/about.js").Asking | null,
 *   go: ((page: string, open?: Record<string, string>) => void) | null,
 *   askOther: (asks: boolean) => void,
 *   effects: (() => void) | null,
 *   cards: import("../panels/cards.js").Acts, lesson: (() => void) | null,
 * }} Doing what the parts do, once somebody uses them; go: to another page at this place; askOther:
 *   the next word that is clicked goes to the other side; effects: heads are switched off in turn;
 *   lesson: begins one; null in a part of a page
 * @typedef {ReturnType<typeof createParts>} Parts
 */

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
    ...wordsOf(doing),
    view: createViewMenu(change),
    changes: createChanges(doing.edit),
    picked: createPinned(change, doing),
    grid: createGrid(actions, chosen),
    striking: createStriking(doing),
    heatmap: createHeatmap(mapActions, deepActions),
    flow: atMap(createFlow(mapActions, change), outer),
    reading: createReading(actions, doing.readOther),
    lens: createLens(actions, doing.takeApart),
    next: createNext(change, doing.writing),
    training: createTraining((next) => change(next, { thumbs: true, model: true })),
    layers: createLayers(actions, change, doing.openLayers),
    steps: createSteps(doing.travel),
    blank: h(
      "p",
      { class: "ax-empty" },
      t(
        "Nothing to show: every token is special, and special tokens are hidden. Choose “shown” under View.",
      ),
    ),
    panels: h("div", { class: "ax-panels" }),
  };
  const { sceneNow, pages } = doing;
  const colours = coloursBeside(parts.heatmap);
  const files = createFiles(picturesOf(parts), sceneNow, pages, parts.heatmap.saved, doing.npz);
  return { ...parts, colours, files };
}

/** What the colours mean, drawn with the map. @param {ReturnType<typeof createHeatmap>} heatmap */
function coloursBeside(heatmap) {
  const [colours, { draw }] = [createColours(heatmap.place), { ...heatmap }];
  heatmap.draw = (scene) => {
    draw(scene);
    colours.draw(scene);
  };
  return colours;
}

/** What is said of the picture, and the ways that lead on. @param {Doing} doing */
function wordsOf({ go, asking, copyLink, actions, cards, lesson }) {
  const why = go && (() => go("step", { stage: WEIGHT }));
  const train = go && (() => go("train"));
  return {
    about: createAbout(asking, train),
    lead: createLead({ head: actions.nextHead, word: actions.pointAtText, why, train }),
    copy: copyLink && createCopy(copyLink),
    openSteps: why && createOpenSteps(why),
    cards: createCards(cards),
    toClass: lesson
      ? [createKeep(cards.keep), pushButton(t("Lesson"), LESSON, lesson, "ax-copy ax-to-lesson")]
      : [],
  };
}

/**
 * What each picture is made of that can be saved.
 * @param {Record<"training" | "picked" | "reading" | "next" | "lens" | "grid" | "flow" | "heatmap",
 *                {element: HTMLElement}>
 *         & {says: ReturnType<typeof createCaptions>, layers: ReturnType<typeof createLayers>}} parts
 * @returns {Parameters<typeof createFiles>[0]}
 */
function picturesOf(parts) {
  const { training, says, picked, reading, next, lens, grid, flow, heatmap, layers } = parts;
  const path = () => (layers.isOpen() ? [layers.element] : []);
  const about = () => (lens.element.matches("[open]") ? [lens.element] : []);
  const panels = [reading, next, grid, flow, heatmap].map(({ element }) => element);
  return {
    everything: () => [
      ...[training.element, says.sentence, says.notes, picked.element],
      ...[...panels, ...about(), ...path()],
    ],
    reading: () => [reading.element],
    grid: () => [grid.element],
    flow: () => [flow.element],
    heatmap: () => [heatmap.element],
    layers: path,
    next: () => [next.element],
    lens: about,
  };
}

/** What is drawn for a width of its own. @param {Parts} parts */
export const panelsOf = ({ training, grid, heatmap, flow, reading, layers }) => [
  ...[training, grid, heatmap, flow, reading, layers],
];

/** @param {HTMLElement} root @param {Parts} parts */
export function layOut(root, parts) {
  const { says, view, panels, reading, next, lens, grid, striking, flow, heatmap, layers } = parts;
  const heads = h("div", { class: "ax-column" }, grid.element, striking.element);
  const maps = [flow.element, heatmap.element, parts.colours.element];
  panels.append(reading.element, next.element, heads, ...maps, lens.element, layers.element);
  const copy = parts.copy ? [parts.copy.element] : [];
  const why = parts.openSteps ? [parts.openSteps] : [];
  const away = h("div", { class: "ax-away" }, ...parts.toClass, ...copy, parts.files.element);
  const top = h("div", { class: "ax-top" }, parts.about.element, away);
  const words = h("div", { class: "ax-words" }, says.sentence, says.notes);
  const steps = h("div", { class: "ax-away" }, ...parts.steps.elements, ...why);
  const menus = [view.element, view.chips, parts.changes.element, parts.changes.chips];
  const bar = h("div", { class: "ax-bar" }, ...menus, parts.picked.element, steps);
  root.replaceChildren(
    ...[top, parts.lead.element, parts.training.element, words, says.notice, bar],
    ...(parts.toClass.length ? [parts.cards.element] : []),
    ...[parts.blank, panels, says.spoken],
  );
}
