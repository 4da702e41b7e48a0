// The heatmap of the chosen heads: rows are queries, columns are keys, with a cross-hair. It zooms
// and pans; the corner between the labels then shows the whole, with a frame round what is in sight.

import { bound } from "../numbers/basics.js";
import {
  blockOf,
  dragged,
  lifted,
  moved,
  NO_HAND,
  pickedBy,
  pinched,
  pressed,
} from "../numbers/heatpress.js";
import {
  ALL_IN_SIGHT,
  cellIn,
  cornerOf,
  isPart,
  middleAt,
  panned,
  plotOf,
  showing,
  within,
  zoomed,
} from "../numbers/viewport.js";
import { scaleNote } from "../numbers/words.js";
import { h, keys, setText } from "../parts/dom.js";
import { paintOn } from "../parts/paint.js";
import { pairsTable } from "../parts/table.js";
import { createLens } from "../parts/tools.js";
import { paintCross, paintHeat, sizeOf } from "./heatpaint.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../pages/explore.js").Actions} Actions
 * @typedef {import("../parts/paint.js").Pen} Pen
 * @typedef {import("../numbers/viewport.js").Cell} Cell
 * @typedef {import("../numbers/heatpress.js").Press} Press
 * @typedef {import("./heatpaint.js").Shown} Shown
 * @typedef {{element: HTMLElement, draw: (next: Scene) => void,
 *            focus: (next: Scene) => void}} Panel
 * @typedef {ReturnType<typeof build>} Dom
 * @typedef {Omit<Shown, "scene"> & {scene: Scene | null, size: string, wide: number,
 *            measured: {units: unknown, room: number},
 *            hand: import("../numbers/heatpress.js").Hand}} State
 *   size: of the picture that the part belongs to; wide: the stage; measured: the room that the
 *   labels of some units need
 * @typedef {{dom: Dom, state: State}} Here
 * @typedef {{clientX: number, clientY: number}} Pointed
 */

const MAX_SIDE = 620;
const MAX_CELL = 44;
const LABEL = 84; // room for the labels, at most
const ZOOM_FROM = 24; // tokens from which there is something to zoom into

/** @param {Actions} actions @returns {Panel} */
export function createHeatmap(actions) {
  /** @type {Here} */
  const here = { dom: build((factor) => zoom(here, factor)), state: atStart() };
  /** @type {Panel} */
  const panel = {
    element: here.dom.element,
    draw: (next) => draw(here, next),
    focus: (next) => focus(here, next),
  };
  onPointers(here, actions, panel);
  onClick(here, actions);
  onZoom(here);
  onKeys(here, actions);
  return panel;
}

/** @returns {State} */
const atStart = () => ({
  scene: null,
  box: plotOf({ ...ALL_IN_SIGHT, count: 1 }, 0, 1, 1, 1),
  part: ALL_IN_SIGHT,
  font: "",
  wide: 1,
  size: "",
  measured: { units: null, room: LABEL },
  hand: NO_HAND,
});

/** @param {(factor: number) => void} zoom */
function build(zoom) {
  const base = document.createElement("canvas");
  const over = document.createElement("canvas");
  const stage = h(
    "div",
    { class: "ax-stage", tabindex: "0", role: "application", "aria-roledescription": "heatmap" },
    base,
    over,
  );
  const note = h("p", { class: "ax-help ax-under" });
  const lens = createLens(zoom);
  const table = pairsTable("heatmap");
  const element = h(
    "section",
    { class: "ax-panel ax-panel-heat", "aria-label": "Heatmap" },
    h("div", { class: "ax-title" }, h("h3", {}, "Heatmap"), lens.element),
    h(
      "p",
      { class: "ax-help ax-tip" },
      "Each row is a query (it looks), each column a key (it is looked at). Click pins a cell, a drag a block.",
    ),
    stage,
    note,
    table.element,
  );
  return { element, stage, base, over, note, lens, table };
}

/** @param {Here} here @param {Actions} actions @param {Panel} panel */
function onPointers(here, actions, panel) {
  const { dom, state } = here;
  dom.stage.addEventListener("pointerdown", (event) => {
    const does = whatAPressDoes(here, event);
    const press = { ...pointOf(event), part: state.part, cell: cellAt(here, event), does };
    state.hand = pressed(state.hand, event.pointerId, press);
    if (does === "overview") look(here, event);
  });
  dom.stage.addEventListener("pointermove", (event) => {
    state.hand = moved(state.hand, event.pointerId, pointOf(event));
    if (state.hand.fingers.size === 2) return pinch(here);
    if (state.hand.press && event.buttons) {
      const press = dragged(state.hand.press, pointOf(event));
      state.hand = { ...state.hand, press };
      return drag(here, event, press, actions, panel);
    }
    if (event.pointerType === "mouse") actions.hover(focusAt(here, event), panel);
  });
  for (const ending of /** @type {const} */ (["pointerup", "pointercancel", "pointerleave"])) {
    dom.stage.addEventListener(ending, (event) => {
      state.hand = lifted(state.hand, event.pointerId);
    });
  }
  dom.stage.addEventListener("pointerleave", () => actions.hover(null, panel));
}

/** @param {Here} here @param {Actions} actions */
function onClick(here, actions) {
  const { dom, state } = here;
  dom.stage.addEventListener("click", (event) => {
    const { press } = state.hand;
    state.hand = { ...state.hand, press: null };
    const picked = pickedBy(press, cellAt(here, event), event.shiftKey);
    if (picked) actions.pickPair(picked.rows, picked.columns, picked.add);
  });
}

/** The wheel and the keys that zoom. @param {Here} here */
function onZoom(here) {
  const { stage } = here.dom;
  stage.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page; a pinch zooms
      event.preventDefault();
      zoom(here, event.deltaY < 0 ? 1.25 : 0.8, cellAt(here, event));
    },
    { passive: false },
  );
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey) return;
    if (event.key === "+" || event.key === "=") zoom(here, 1.5);
    if (event.key === "-") zoom(here, 1 / 1.5);
    if (event.key === "0") zoom(here, 0);
  });
}

/** @param {Here} here @param {Actions} actions */
function onKeys(here, actions) {
  const { dom, state } = here;
  keys(
    dom.stage,
    (dx, dy) => {
      if (!state.scene) return;
      const [nRows, nColumns] = sizeOf(state.scene);
      const { rows: on, columns: at } = state.scene.focus;
      const row = bound((on[0] ?? -dy) + dy, 0, nRows - 1);
      const column = bound((at[0] ?? -dx) + dx, 0, nColumns - 1);
      reveal(here, row, column);
      actions.walk({ rows: [row], columns: [column] });
    },
    (shift) => {
      if (!state.scene) return;
      const { rows, columns } = state.scene.focus;
      if (rows.length && columns.length) actions.pickPair(rows, columns, shift);
    },
    actions.clear,
  );
}

/** @param {Pointed} event */
const pointOf = ({ clientX, clientY }) => ({ x: clientX, y: clientY });

/** @param {Here} here @param {Pointed} event @returns {[number, number]} */
function placeOf({ dom }, event) {
  const frame = dom.stage.getBoundingClientRect();
  return [event.clientX - frame.left, event.clientY - frame.top];
}

/** @param {Here} here @param {Pointed} event */
function cellAt(here, event) {
  const { scene, box } = here.state;
  if (!scene || scene.model.pooled) return null;
  return cellIn(box, ...placeOf(here, event), ...sizeOf(scene));
}

/** @param {Here} here @param {Pointed} event */
function focusAt(here, event) {
  const cell = cellAt(here, event);
  return cell && { rows: [cell.row], columns: [cell.column] };
}

/** @param {State} state */
const isZoomed = ({ part, scene }) => isPart(part, ...sizeOf(scene));

/** The side of the corner that shows the whole; 0 when there is none. @param {State} state */
const corner = ({ part, box, scene }) => cornerOf(part, box, ...sizeOf(scene));

/** @param {Here} here @param {Pointed} event */
function inCorner(here, event) {
  const [x, y] = placeOf(here, event);
  return x < corner(here.state) && y < corner(here.state);
}

/** @param {Here} here @param {PointerEvent} event @returns {Press["does"]} */
function whatAPressDoes(here, event) {
  if (inCorner(here, event)) return "overview";
  return isZoomed(here.state) && !event.shiftKey ? "pan" : "block";
}

/** @param {Here} here @param {number} factor 0 for the whole @param {Cell | null} [around] */
function zoom(here, factor, around) {
  const { state } = here;
  if (!state.scene) return;
  const [row, column] = [state.scene.focus.rows[0], state.scene.focus.columns[0]];
  state.part = zoomed(state.part, factor, around ?? { row, column }, ...sizeOf(state.scene));
  draw(here, state.scene);
}

/** Two fingers: as they part, the picture comes nearer, around the cell between them. @param {Here} here */
function pinch(here) {
  const found = pinched(here.state.hand);
  here.state.hand = found.hand;
  if (found.factor === null) return;
  const { x, y } = found.middle;
  zoom(here, found.factor, cellAt(here, { clientX: x, clientY: y }));
}

/**
 * @param {Here} here @param {PointerEvent} event @param {Press} press
 * @param {Actions} actions @param {Panel} panel
 */
function drag(here, event, press, actions, panel) {
  const { state } = here;
  if (!press.moved || !state.scene) return;
  if (press.does === "overview") return look(here, event);
  if (press.does === "pan") {
    const [dx, dy] = [event.clientX - press.x, event.clientY - press.y];
    state.part = panned(state.part, press.part, dx, dy, state.box.cell);
    return draw(here, state.scene);
  }
  const cell = cellAt(here, event);
  if (!cell || !press.cell || event.pointerType !== "mouse") return;
  actions.hover(blockOf(press.cell, cell), panel);
}

/** Go where the corner is pointed at. @param {Here} here @param {Pointed} event */
function look(here, event) {
  const { state } = here;
  if (!state.scene) return;
  const [x, y] = placeOf(here, event).map((at) => at / corner(state));
  state.part = middleAt(state.part, x, y, ...sizeOf(state.scene));
  draw(here, state.scene);
}

/** Bring a cell into sight. @param {Here} here @param {number} row @param {number} column */
function reveal(here, row, column) {
  const { state } = here;
  if (!state.scene || !isZoomed(state)) return;
  state.part = showing(state.part, { row, column });
  draw(here, state.scene);
}

/** @param {Here} here @param {Scene} next */
function draw(here, next) {
  const { dom, state } = here;
  state.scene = next;
  const { pooled, tops } = next.model;
  const [nRows, nColumns] = sizeOf(next);
  state.wide = dom.stage.clientWidth;
  if (!state.wide || !nRows) return;
  state.font = `12px ${next.theme.font}`;
  place(here, next);
  const { box, part } = state;
  dom.stage.style.height = `${tall(state)}px`;
  Object.assign(dom.stage.dataset, {
    plot: `${box.left} ${box.top} ${box.cell}`,
    sight: `${part.row} ${part.column} ${part.count}`,
  });
  dom.stage.style.touchAction = isZoomed(state) ? "none" : "pan-y";
  setText(dom.note, scaleNote(next.view.scale, pooled?.tops ?? tops));
  dom.lens.show(Math.max(nRows, nColumns) > ZOOM_FROM, isZoomed(state));
  paintOn(dom.base, state.wide, tall(state), painterOf(state, paintHeat));
  focus(here, next);
  dom.table.fill(next);
}

/** What is in sight, and where it lies. @param {Here} here @param {Scene} scene */
function place({ dom, state }, scene) {
  const [nRows, nColumns] = sizeOf(scene);
  const pen = /** @type {Pen} */ (dom.base.getContext("2d"));
  pen.font = state.font;
  const size = `${nRows} ${nColumns}`;
  if (state.size !== size) state.part = ALL_IN_SIGHT;
  state.size = size;
  state.part = within(state.part, nRows, nColumns);
  const label = labelRoom(pen, state, scene);
  const side = Math.min(state.wide - label - 2, MAX_SIDE, MAX_CELL * Math.max(nRows, nColumns));
  state.box = plotOf(state.part, label, side, nRows, nColumns);
}

/** @param {State} state */
const tall = ({ box }) => box.top + box.height + 2;

/**
 * A painter of what is shown by the time that it paints.
 * @param {State} state @param {(pen: Pen, shown: Shown) => void} paint
 * @returns {(pen: Pen) => void}
 */
const painterOf = (state, paint) => (pen) => {
  const { scene, part, box, font } = state;
  if (scene) paint(pen, { scene, part, box, font });
};

/** The room that the labels need. @param {Pen} pen @param {State} state @param {Scene} scene */
function labelRoom(pen, state, scene) {
  const { rows, columns } = scene.model.picture;
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
  if (!state.font) return; // not drawn yet
  const { rows, columns } = next.focus;
  const shown = !next.model.pooled && (rows.length > 0 || columns.length > 0);
  dom.over.style.visibility = shown ? "visible" : "hidden";
  dom.stage.setAttribute("aria-label", `Heatmap. ${next.says}`);
  if (shown) paintOn(dom.over, state.wide, tall(state), painterOf(state, paintCross));
}
