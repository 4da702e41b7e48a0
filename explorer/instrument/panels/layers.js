// Layers as a path: tokens × layers, and the way of attention from an output down to the input.

import { sentences, t } from "../numbers/language.js";
import { HEAD, isInSight, NOWHERE, placesOf, spotAt, stepFrom } from "../numbers/pathplaces.js";
import {
  followedIn,
  isPathHere,
  knownOf,
  levelsOf,
  linksTable,
  pathOf,
  pathParts,
} from "../numbers/pathscene.js";
import { helpMark } from "../parts/bubble.js";
import { choice, h, keys, pointIn, slider, windowOn } from "../parts/dom.js";
import { paintOn } from "../parts/paint.js";
import { createTable } from "../parts/table.js";
import { paintPath } from "./layerspaint.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/pathplaces.js").Spot} Spot
 * @typedef {import("../pages/explore.js").Actions} Actions
 * @typedef {import("../parts/tools.js").Change} Change
 * @typedef {{scene: Scene | null, at: Spot | null, scrolled: number, painted: string,
 *            places: import("../numbers/pathplaces.js").Places,
 *            known: import("../numbers/pathscene.js").Known}} Here
 *   at: what is pointed at; scrolled: asking the element would cost a layout; painted: what is
 * @typedef {ReturnType<typeof controlsOf>} Controls
 * @typedef {ReturnType<typeof createTable>} Table
 * @typedef {ReturnType<typeof elementsOf>} Elements
 * @typedef {{here: Here, parts: Elements, controls: Controls, table: Table}} Panel
 */

const TOO_LONG = t(
  "The path adds up every weight of every layer, too many of a text this long. A shorter text shows it.",
);

const HELP = t(
  "Every column is the text after one more layer; the input is on the left, the output on the right. Point at a word in any column to follow its attention down to the input; a click or a tap pins an output. Attention rollout (Abnar and Zuidema 2020): it follows weights alone, not what the values and the feed-forward layers do with them. Lines: the fewest that hold the share set above, and at least 1/1500 each.",
);

/** @param {Actions} actions @param {Change} change @param {(open: boolean) => void} opened */
export function createLayers(actions, change, opened) {
  /** @type {Here} */
  const here = {
    ...{ scene: null, at: null, scrolled: 0, painted: "" },
    ...{ places: NOWHERE, known: knownOf(null) },
  };
  const controls = controlsOf(change);
  const table = createTable(t("paths"), (now) => {
    const { trace } = /** @type {Scene} */ (here.scene);
    return linksTable(trace, now.model.layout.rows, isPathHere(trace) ? seenNow(here).path : null);
  });
  const parts = elementsOf(controls, table);
  const panel = { here, parts, controls, table };
  const { element } = parts;
  element.addEventListener("toggle", () => opened(element.open));
  listen(panel, actions);
  return {
    element,
    /** @param {Scene} next */
    draw: (next) => draw(panel, next),
    /** @param {Scene} next */
    focus: (next) => {
      here.scene = next;
      if (element.open && isPathHere(next.trace) && here.known.model === next.model) repaint(panel);
    },
    isOpen: () => element.open,
  };
}

/** @param {Change} change */
function controlsOf(change) {
  const heads = choice(
    t("Heads"),
    [
      ["all", t("mean of all"), t("The mean over all heads of every layer")],
      [
        "chosen",
        t("the chosen ones"),
        t("In their layer the chosen heads, in the others the mean of all"),
      ],
    ],
    (/** @type {"all" | "chosen"} */ value) =>
      change((view) => ({ ...view, path: value }), { model: true }),
  );
  const residual = slider(
    t("Residual share"),
    t("The share of a layer’s output that the residual connection brings, in per cent"),
    [0, 100, 5],
    (value) => change((view) => ({ ...view, residual: value }), { model: true }),
  );
  return { heads, residual };
}

/** @param {Controls} controls @param {Table} table */
function elementsOf({ heads, residual }, table) {
  const base = document.createElement("canvas");
  const { stage, spacer, scroller } = windowOn(t("paths through the layers"), base);
  const says = h("p", { class: "ax-help ax-path-says" });
  const body = h(
    "div",
    {},
    h("div", { class: "ax-tools" }, heads.element, residual.element, helpMark(HELP)),
    says,
    scroller,
    table.element,
  );
  const element = /** @type {HTMLDetailsElement} */ (
    h(
      "details",
      { class: "ax-panel ax-panel-layers", "aria-label": t("Layers as a path") },
      h("summary", {}, t("Layers as a path: from an output down to the input")),
      body,
    )
  );
  return { element, base, stage, spacer, scroller, says };
}

/** @param {Panel} panel @param {Actions} actions */
function listen(panel, actions) {
  const { here, parts } = panel;
  const { scroller, stage } = parts;
  scroller.addEventListener("scroll", () => {
    here.scrolled = scroller.scrollTop;
    if (here.scene) repaint(panel);
  });
  stage.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") point(panel, spotUnder(panel, event));
  });
  stage.addEventListener("pointerleave", () => point(panel, null));
  stage.addEventListener("click", (event) => {
    const spot = spotUnder(panel, event);
    if (spot) actions.pick("row", [spot.unit], event.shiftKey);
  });
  keys(
    scroller,
    (dx, dy) => walk(panel, dx, dy),
    (shift) => here.at && actions.pick("row", [here.at.unit], shift),
    () => {
      here.at = null;
      actions.clear();
    },
  );
}

/** @param {Panel} panel @param {MouseEvent} event */
function spotUnder({ here, parts }, event) {
  if (!here.scene) return null;
  const levels = levelsOf(here.scene.trace);
  return spotAt(here.places, here.scrolled, levels, ...pointIn(parts.stage, event));
}

/** @param {Panel} panel @param {number} dx @param {number} dy */
function walk(panel, dx, dy) {
  const { here, parts } = panel;
  if (!here.scene) return;
  const { edges, height } = here.places;
  const levels = levelsOf(here.scene.trace);
  const { spot, sought } = stepFrom(here.at, dx, dy, levels, edges.length - 1);
  if (!isInSight(here.places, here.scrolled, sought)) {
    parts.scroller.scrollTop = edges[sought] - height / 2;
    here.scrolled = parts.scroller.scrollTop;
  }
  point(panel, spot);
}

/** @param {Panel} panel @param {Spot | null} spot */
function point(panel, spot) {
  const { here } = panel;
  if (here.at?.level === spot?.level && here.at?.unit === spot?.unit) return;
  here.at = spot;
  if (here.scene) repaint(panel);
}

/** @param {Panel} panel @param {Scene} next */
function draw(panel, next) {
  const { here, parts, controls } = panel;
  const { element, scroller, spacer, stage, says } = parts;
  here.scene = next;
  const { query_tokens: queries, key_tokens: keyTokens } = next.trace.head;
  element.hidden = queries !== keyTokens; // between two different texts there is no such path
  controls.heads.show(next.view.path);
  controls.residual.show(next.view.residual);
  const n = next.model.layout.rows.length;
  if (!element.open || !scroller.clientWidth || !n) return;
  if (!isPathHere(next.trace)) {
    says.textContent = next.trace.head.long ? TOO_LONG : t("Fetching the attention of all layers…");
    return;
  }
  here.known = knownOf(next.model);
  here.places = placesOf(scroller.clientWidth, n, levelsOf(next.trace));
  const { width, height, row } = here.places;
  scroller.style.height = `${height}px`;
  spacer.style.height = `${n * row + HEAD}px`;
  Object.assign(stage.style, { width: `${width}px`, height: `${height}px` });
  repaint(panel);
}

/** What is followed now, and where it stands. @param {Here} here */
function seenNow({ scene: maybe, at, places, scrolled, known }) {
  const scene = /** @type {Scene} */ (maybe);
  const from = followedIn(scene, at);
  return { scene, places, scrolled, ...from, path: pathOf(scene, known, from) };
}

/** @param {Panel} panel */
function repaint({ here, parts, table }) {
  const { base, says, scroller } = parts;
  const scene = /** @type {Scene} */ (here.scene);
  const { width, height } = here.places;
  const { level, units } = followedIn(scene, here.at);
  const now = `${level} ${units} ${here.scrolled} ${width}`;
  if (here.painted === now && here.known.paths.size) return;
  here.painted = now;
  paintOn(base, width, height, (pen) => paintPath(pen, seenNow(here)));
  const { path } = seenNow(here);
  const told = pathParts(scene, { level, units }, path);
  const text = told.map((part) => (typeof part === "string" ? part : h("strong", {}, part[0])));
  says.replaceChildren(...text);
  scroller.setAttribute("aria-label", sentences(t("Layers as a path."), told.flat().join("")));
  table.fill(scene, [path]);
}
