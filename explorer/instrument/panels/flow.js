// The flow: tokens that look on one side, tokens that are looked at on the other, a line for each
// weight. The sides stand as columns, or as lines of text above one another. Only the rows in sight
// are drawn, so its cost does not grow with the text.

import { indexAt, settingOf } from "../numbers/edges.js";
import { linesNote } from "../numbers/flowlines.js";
import {
  extentDown,
  LEAST_ROW,
  MAX_HEIGHT,
  noPlaces,
  placeAcross,
  placeDown,
  scrollTo,
  spotAt,
  walked,
} from "../numbers/flowplaces.js";
import { sentences, t } from "../numbers/language.js";
import { focusOn } from "../numbers/words.js";
import { helpMark } from "../parts/bubble.js";
import { choice, h, keys, picking, pointIn, setText, windowOn } from "../parts/dom.js";
import { paintOn } from "../parts/paint.js";
import { heightFor, roomOf } from "../parts/room.js";
import { pairsTable } from "../parts/table.js";
import { fontOf, paintFlow, paintPoint } from "./flowpaint.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../pages/explore.js").Actions} Actions
 * @typedef {import("../parts/paint.js").Pen} Pen
 * @typedef {import("./flowpaint.js").Shown} Shown
 * @typedef {{element: HTMLElement, draw: (next: Scene) => void,
 *            focus: (next: Scene) => void}} Panel
 * @typedef {ReturnType<typeof build>} Dom
 * @typedef {Omit<Shown, "scene"> & {scene: Scene | null,
 *            walker: import("../numbers/flowplaces.js").Walker}} State
 * @typedef {{dom: Dom, state: State}} Here
 */

const ABOVE = t(
  "Above looks at below. Point at a token for its lines alone; a click or a tap pins it.",
);
const BESIDE = t(
  "Left looks at right. Point at a token for its lines alone; a click or a tap pins it.",
);

/** @param {HTMLElement} element */
const isWide = (element) => element.classList.contains("ax-wide");

/** @param {Actions} actions @param {import("../parts/tools.js").Change} change @returns {Panel} */
export function createFlow(actions, change) {
  const dom = build((flow) => change((view) => ({ ...view, flow }), { model: true }));
  /** @type {Here} */
  const here = { dom, state: atStart() };
  /** @type {Panel} */
  const panel = {
    element: dom.element,
    draw: (next) => draw(here, next),
    focus: (next) => focus(here, next),
  };
  dom.scroller.addEventListener("scroll", () => {
    const { scene } = here.state;
    here.state.at = scrolled(here);
    if (scene) {
      paint(here);
      focus(here, scene);
    }
  });
  picking(
    dom.stage,
    (event) => tokenAt(here, event),
    (where, units) => actions.hover(units && focusOn(where, units), panel),
    (where, units, event) => actions.pick(where, units, event.shiftKey),
  );
  onKeys(here, actions);
  return panel;
}

/** @returns {State} */
const atStart = () => ({
  ...noPlaces(),
  scene: null,
  kept: new Map(),
  walker: { side: "row", anchor: 0 },
});

/** @param {(flow: "down" | "across") => void} choose */
function build(choose) {
  const base = document.createElement("canvas");
  const over = document.createElement("canvas");
  const { stage, spacer, scroller } = windowOn(t("flow of attention"), base, over);
  const note = h("p", { class: "ax-help ax-under" });
  const help = helpMark(() => (isWide(element) ? ABOVE : BESIDE));
  const setting = choice(
    "",
    [
      ["down", t("columns"), t("Tokens in two columns")],
      ["across", t("lines"), t("Tokens in two lines of text")],
    ],
    choose,
  );
  const table = pairsTable(t("flow"));
  const element = h(
    "section",
    { class: "ax-panel ax-panel-flow", "aria-label": t("Flow") },
    h("div", { class: "ax-title" }, h("h3", {}, t("Flow")), help, setting.element),
    scroller,
    note,
    table.element,
  );
  return { element, base, over, stage, spacer, scroller, note, setting, table };
}

/** @param {Here} here @param {Actions} actions */
function onKeys(here, actions) {
  const { dom, state } = here;
  keys(
    dom.scroller,
    (dx, dy, shift) => {
      if (!state.scene) return;
      const [along, other] = state.across ? [state.rtl ? -dx : dx, dy] : [dy, dx];
      const step = { along, other, shift };
      const { walker, next, units } = walked(state.walker, state.scene.focus, step, state.edges);
      state.walker = walker;
      reveal(here, next);
      actions.walk(focusOn(walker.side, units));
    },
    (shift) => {
      if (!state.scene) return;
      const { side } = state.walker;
      const units = side === "row" ? state.scene.focus.rows : state.scene.focus.columns;
      if (units.length) actions.pick(side, units, shift);
    },
    actions.clear,
  );
}

/** @param {Here} here @param {MouseEvent} event */
function tokenAt({ dom, state }, event) {
  if (!state.scene) return null;
  const spot = spotAt(state, ...pointIn(dom.stage, event));
  if (!spot) return null;
  const i = indexAt(state.edges[spot.side], spot.along);
  return i < 0 ? null : { side: spot.side, i };
}

/** How far it is scrolled: kept, as asking the element costs a layout. @param {Here} here */
const scrolled = ({ dom, state }) =>
  state.across ? Math.abs(dom.scroller.scrollLeft) : dom.scroller.scrollTop;

/** Scroll a token into sight. @param {Here} here @param {number} i */
function reveal(here, i) {
  const { dom, state } = here;
  const next = scrollTo(state, i);
  if (next === null) return;
  if (state.across) dom.scroller.scrollLeft = state.rtl ? -next : next;
  else dom.scroller.scrollTop = next;
  state.at = scrolled(here);
}

/** @param {Here} here @param {Scene} next */
function draw(here, next) {
  const { dom, state } = here;
  state.scene = next;
  state.kept = new Map();
  const { rows, columns } = next.model.picture;
  const auto = settingOf(next.trace.head.query_tokens);
  const across = next.view.flow === "auto" ? auto.across : next.view.flow === "across";
  state.across = across;
  state.rtl = auto.rtl && across;
  dom.element.classList.toggle("ax-wide", across);
  dom.setting.show(across ? "across" : "down");
  dom.scroller.dir = state.rtl ? "rtl" : "ltr";
  if (!dom.scroller.clientWidth || !Math.max(rows.length, columns.length)) return;
  if (across) lieDown(here, next);
  else standUp(here, next);
  paint(here);
  const first = next.focus.rows[0] ?? next.focus.columns[0];
  if (first !== undefined && next.moved) reveal(here, first);
  focus(here, next);
  dom.table.fill(next);
}

/** @param {Here} here @param {Scene} scene */
function standUp({ dom, state }, scene) {
  const { rows, columns } = scene.model.picture;
  const n = Math.max(rows.length, columns.length);
  const most = Math.min(MAX_HEIGHT, heightFor(roomOf(dom.scroller), n, LEAST_ROW));
  const extent = extentDown(n, most);
  dom.scroller.style.height = `${Math.min(extent, most)}px`;
  Object.assign(dom.spacer.style, { height: `${extent}px`, width: "auto" });
  // Only now is it known whether a scroll bar takes some of the width.
  const { clientWidth } = dom.scroller;
  Object.assign(state, placeDown(rows.length, columns.length, clientWidth, most));
  sizeStage({ dom, state });
}

/** @param {Here} here @param {Scene} scene */
function lieDown({ dom, state }, scene) {
  const pen = /** @type {Pen} */ (dom.base.getContext("2d"));
  pen.font = fontOf(true, state.box.row, scene);
  const { rows, columns } = scene.model.picture;
  const [above, below] = [rows, columns].map((units) =>
    Float64Array.from(units, (unit) => pen.measureText(unit.text).width),
  );
  Object.assign(state, placeAcross(above, below, dom.scroller.clientWidth));
  const { box } = state;
  dom.scroller.style.height = "auto";
  Object.assign(dom.spacer.style, { height: `${box.height}px`, width: `${box.extent}px` });
  sizeStage({ dom, state });
}

/** @param {Here} here */
function sizeStage({ dom, state }) {
  const { width, height } = state.box;
  Object.assign(dom.stage.style, { width: `${width}px`, height: `${height}px` });
}

/** All lines, with a note of what they are. @param {Here} here */
function paint({ dom, state }) {
  const { width, height } = state.box;
  paintOn(dom.base, width, height, (pen) => {
    const { scene } = state; // the newest, whenever it is painted
    if (!scene) return;
    setText(dom.note, linesNote(scene.view.mass, paintFlow(pen, { ...state, scene })));
  });
}

/** The lines of what is pointed at, alone. @param {Here} here @param {Scene} next */
function focus({ dom, state }, next) {
  state.scene = next;
  const { width, height, extent } = state.box;
  if (!extent) return;
  const { rows, columns } = next.focus;
  const pointed = rows.length > 0 || columns.length > 0;
  dom.base.style.visibility = pointed ? "hidden" : "visible";
  dom.over.style.visibility = pointed ? "visible" : "hidden";
  dom.scroller.setAttribute("aria-label", sentences(t("Flow."), next.says));
  if (!pointed) return;
  paintOn(dom.over, width, height, (pen) => {
    const { scene } = state;
    if (scene) paintPoint(pen, { ...state, scene });
  });
}
