// The heatmap of the chosen heads: rows are queries, columns are keys, with a cross-hair. It zooms
// and pans; the corner between the labels then shows the whole, with a frame round what is in sight.
// Of a long text it shows a map of groups, and zooming leads on to the tokens below.

import { carried } from "../numbers/depth.js";
import {
  cellNote,
  colourNote,
  deepGround,
  dotNote,
  mapGround,
  maskNote,
  savedMap,
  savedPart,
} from "../numbers/heatground.js";
import { NO_HAND } from "../numbers/heatpress.js";
import { sentences, t } from "../numbers/language.js";
import { tilesIn } from "../numbers/tiles.js";
import { ALL_IN_SIGHT, inSight, plotOf, within } from "../numbers/viewport.js";
import { helpMark } from "../parts/bubble.js";
import { h, setText } from "../parts/dom.js";
import { paintOn } from "../parts/paint.js";
import { heightFor, roomOf } from "../parts/room.js";
import { pairsTable } from "../parts/table.js";
import { createTiles, jobOf } from "../parts/tileworker.js";
import { createLens } from "../parts/tools.js";
import { listen, zoom } from "./heathands.js";
import { paintCross, paintHeat } from "./heatpaint.js";
import { below, isZoomed, mapSize, shownNow, sizeNow } from "./heatstate.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/heatground.js").Ground} Ground
 * @typedef {import("../numbers/heatground.js").Saved} Saved
 * @typedef {import("../numbers/viewport.js").Cell} Cell
 * @typedef {import("../pages/explore.js").Actions} Actions
 * @typedef {import("../parts/paint.js").Pen} Pen
 * @typedef {import("./heatpaint.js").Shown} Shown
 * @typedef {import("./heatstate.js").Here} Here
 * @typedef {import("./heatstate.js").State} State
 * @typedef {{element: HTMLElement, draw: (next: Scene) => void, focus: (next: Scene) => void}} Panel
 * @typedef {{top: number, height: number, beside: number}} Place beside: what is free on the right
 * @typedef {Panel & {saved: () => Saved | null, place: () => Place}} Heatmap
 *   saved: the numbers of the map; below it, of what is in sight; place: where the cells are
 * @typedef {ReturnType<typeof build>} Dom
 */

const MAX_SIDE = 620;
const MAX_CELL = 44;
const MIN_CELL = 20; // with a number in it
const LABEL = 84; // room for the labels, at most
const ZOOM_FROM = 24; // tokens from which there is something to zoom into
const TIP = t(
  "Each row is a query (it looks), each column a key (it is looked at). A click or a tap pins a cell, a drag a block. Where cells are sentences, a double click or the key O opens the words of one.",
);
const ALONE = t("This browser makes the cells in the page itself, so that moving may lag.");

/**
 * @param {Actions} actions @param {Actions} [deepActions] where there is something below the map
 * @returns {Heatmap}
 */
export function createHeatmap(actions, deepActions) {
  /** @type {Here} */
  const here = {
    ...{ dom: build((factor) => zoom(here, factor)), state: atStart(), actions },
    deepActions: deepActions ?? null,
    redraw: () => here.state.scene && draw(here, here.state.scene),
    tiles: createTiles(() => drawSoon(here)),
  };
  /** @type {Heatmap} */
  const panel = {
    element: here.dom.element,
    draw: (next) => draw(here, next),
    focus: (next) => focus(here, next),
    saved: () => savedOf(here),
    place: () => placeOf(here.state),
  };
  listen(here, panel);
  return panel;
}

/** @returns {State} */
const atStart = () => ({
  ...{ scene: null, depth: null, ground: null, deep: false },
  box: plotOf({ ...ALL_IN_SIGHT, count: 1 }, 0, 1, 1, 1),
  part: ALL_IN_SIGHT,
  ...{ font: "", wide: 1, size: "" },
  measured: { units: null, room: LABEL },
  ...{ room: new Float32Array(), framed: false },
  hand: NO_HAND,
});

/** @param {(factor: number) => void} zoom */
function build(zoom) {
  const base = document.createElement("canvas");
  const over = document.createElement("canvas");
  const stage = h(
    "div",
    { class: "ax-stage", tabindex: "0", role: "application", "aria-roledescription": t("heatmap") },
    base,
    over,
  );
  const note = h("p", { class: "ax-help ax-under" });
  const lens = createLens(zoom);
  const table = pairsTable(t("heatmap"));
  const element = h(
    "section",
    { class: "ax-panel ax-panel-heat", "aria-label": t("Heatmap") },
    h("div", { class: "ax-title" }, h("h3", {}, t("Heatmap")), helpMark(TIP), lens.element),
    stage,
    note,
    table.element,
  );
  return { element, stage, base, over, note, lens, table };
}

/** Draw what has arrived, in the next frame. @param {Here} here */
function drawSoon(here) {
  const { state } = here;
  if (state.framed) return;
  state.framed = true;
  requestAnimationFrame(() => {
    state.framed = false;
    if (state.scene && state.deep) draw(here, state.scene);
  });
}

/**
 * What lies below the map now. A preview says nothing of it: one comes back from it. Of the same
 * text the place stays, also among other units.
 * @param {Here} here @param {Scene} next
 */
function take(here, next) {
  const { state } = here;
  const [before, same] = [state.depth, state.scene?.trace.head.id === next.trace.head.id];
  state.scene = next;
  if (!next.model.pooled) state.depth = next.deep;
  const depth = below(here);
  if (!depth) state.deep = false;
  if (!state.deep || !depth || !before || !same) return;
  if (before.rows === depth.rows && before.columns === depth.columns) return;
  state.part = carried(state.part, before, depth);
  state.size = sizeNow(state).join(" ");
}

/** @param {Here} here @param {Scene} next */
function draw(here, next) {
  const { dom, state } = here;
  take(here, next);
  state.wide = dom.stage.clientWidth;
  if (!state.wide || !mapSize(next)[0]) return;
  state.font = `12px ${next.theme.font}`;
  place(here, next);
  state.ground = groundOf(here, next);
  const { box, part, deep } = state;
  dom.stage.style.height = `${tall(state)}px`;
  Object.assign(dom.stage.dataset, {
    level: deep ? "deep" : "map",
    plot: `${box.left} ${box.top} ${box.cell}`,
    sight: `${part.row} ${part.column} ${part.count}`,
    whole: String(!state.ground.holes && !state.ground.pooled),
  });
  dom.stage.style.touchAction = isZoomed(state) ? "none" : "pan-y";
  tell(here, state.ground, next);
  paintOn(dom.base, state.wide, tall(state), painterOf(state, paintHeat));
  focus(here, next);
  dom.table.fill(deep ? next : next.map, [next.map.model, deep]);
}

/** What is shown at the level of now. @param {Here} here @param {Scene} scene @returns {Ground} */
function groundOf(here, scene) {
  const { state, tiles } = here;
  const depth = state.deep && below(here);
  if (!depth || scene.model.pooled) return mapGround(scene.map);
  const job = jobOf(depth, scene.trace.head.key_tokens.length);
  const at = inSight(state.part, ...sizeNow(state));
  if (job.heads.length) tiles.want(job, tilesIn(at));
  const size = (at.bottom - at.top) * (at.right - at.left);
  if (state.room.length < size) state.room = new Float32Array(size);
  const tileAt = (/** @type {Cell} */ tile) => tiles.get(job, tile);
  return deepGround(scene, depth, state.part, tileAt, state.room);
}

/** What it is and what can be done. @param {Here} here @param {Ground} ground @param {Scene} scene */
function tell(here, ground, scene) {
  const { dom, state, tiles } = here;
  const alone = ground.deep && tiles.isAlone() ? ALONE : "";
  const dots = state.box.cell * Math.min(window.devicePixelRatio || 1, 2);
  const notes = [
    ...[cellNote(scene, ground.deep), dotNote(scene, ground.deep, dots)],
    ...[colourNote(scene.view.scale, ground), maskNote(ground), alone],
  ];
  setText(dom.note, notes.filter(Boolean).join(" "));
  const more = below(here) !== null;
  dom.lens.show(more || Math.max(...sizeNow(state)) > ZOOM_FROM, isZoomed(state));
}

/** What is in sight, and where it lies. @param {Here} here @param {Scene} scene */
function place({ dom, state }, scene) {
  const pen = /** @type {Pen} */ (dom.base.getContext("2d"));
  pen.font = state.font;
  if (state.size !== sizeNow(state).join(" ")) {
    state.deep = false;
    state.part = ALL_IN_SIGHT;
  }
  const [nRows, nColumns] = sizeNow(state);
  state.size = `${nRows} ${nColumns}`;
  state.part = within(state.part, nRows, nColumns);
  const label = labelRoom(pen, state, scene);
  const n = Math.max(nRows, nColumns);
  const tallest = heightFor(roomOf(dom.stage), n + label / MIN_CELL, MIN_CELL) - label - 2;
  const side = Math.min(state.wide - label - 2, MAX_SIDE, MAX_CELL * n, tallest);
  state.box = plotOf(state.part, label, side, nRows, nColumns);
}

/** @param {State} state @returns {Place} */
const placeOf = ({ box: { left, top, width, height }, wide }) => ({
  ...{ top, height, beside: wide - left - width },
});

/** @param {State} state */
const tall = ({ box }) => box.top + box.height + 2;

/**
 * A painter of what is shown by the time that it paints.
 * @param {State} state @param {(pen: Pen, shown: Shown) => void} paint
 * @returns {(pen: Pen) => void}
 */
const painterOf = (state, paint) => (pen) => {
  const shown = shownNow(state);
  if (shown) paint(pen, shown);
};

/** The room that the labels need. @param {Pen} pen @param {State} state @param {Scene} scene */
function labelRoom(pen, state, scene) {
  const { rows, columns } = scene.map.model.picture;
  if (state.deep) return LABEL;
  if (state.measured.units !== rows) {
    const units = rows === columns ? rows : [...rows, ...columns];
    const texts = [...new Set(units.map((unit) => unit.text))];
    const longest = Math.max(...texts.map((text) => pen.measureText(text).width));
    state.measured = { units: rows, room: Math.min(longest + 10, LABEL) };
  }
  return state.measured.room;
}

/** The cross-hair and the labels of what is pointed at. @param {Here} here @param {Scene} next */
function focus({ dom, state }, next) {
  state.scene = next;
  if (!state.ground) return; // not drawn yet
  const { focus: pointed, says } = state.deep ? next : next.map;
  state.ground = { ...state.ground, focus: pointed, says };
  const { rows, columns } = pointed;
  const shown = !state.ground.pooled && (rows.length > 0 || columns.length > 0);
  dom.over.style.visibility = shown ? "visible" : "hidden";
  dom.stage.setAttribute("aria-label", sentences(t("Heatmap."), says));
  if (shown) paintOn(dom.over, state.wide, tall(state), painterOf(state, paintCross));
}

/**
 * The numbers of the map, or of the part in sight below it: what is not here is made at once.
 * @param {Here} here @returns {Saved | null} null while only a small picture is here
 */
function savedOf(here) {
  const { state, tiles } = here;
  if (!state.scene || state.ground?.pooled) return null;
  const depth = state.deep && below(here);
  if (!depth) return savedMap(state.scene.map);
  const job = jobOf(depth, state.scene.trace.head.key_tokens.length);
  const tileAt = (/** @type {Cell} */ tile) =>
    job.heads.length ? tiles.make(job, tile) : undefined;
  return savedPart(state.scene, deepGround(state.scene, depth, state.part, tileAt));
}
