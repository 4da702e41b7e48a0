// What a hand does on the heatmap: it points, picks, zooms, moves what is in sight, and opens what
// lies below a cell.

import { bound } from "../numbers/basics.js";
import { middleBelow, stepped, unitsOfCell } from "../numbers/depth.js";
import {
  blockOf,
  dragged,
  lifted,
  moved,
  pickedBy,
  pinched,
  pressed,
} from "../numbers/heatpress.js";
import { middleAt, panned, showing } from "../numbers/viewport.js";
import { keys, zoomOf } from "../parts/dom.js";
import {
  below,
  cellAt,
  corner,
  doing,
  inCorner,
  isZoomed,
  mapSize,
  placeOf,
  pointedAt,
  sizeNow,
} from "./heatstate.js";

/**
 * @typedef {import("../numbers/heatpress.js").Press} Press
 * @typedef {import("../numbers/viewport.js").Cell} Cell
 * @typedef {import("../numbers/viewport.js").Sight} Sight
 * @typedef {import("./heatmap.js").Panel} Panel
 * @typedef {import("./heatstate.js").Here} Here
 * @typedef {import("./heatstate.js").Pointed} Pointed
 */

/** @param {Here} here @param {Panel} panel */
export function listen(here, panel) {
  onPointers(here, panel);
  onClick(here);
  onZoom(here);
  onKeys(here);
}

/** @param {Here} here @param {Panel} panel */
function onPointers(here, panel) {
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
      return drag(here, event, press, panel);
    }
    if (event.pointerType === "mouse") doing(here).hover(focusAt(here, event), panel);
  });
  for (const ending of /** @type {const} */ (["pointerup", "pointercancel", "pointerleave"])) {
    dom.stage.addEventListener(ending, (event) => {
      state.hand = lifted(state.hand, event.pointerId);
    });
  }
  dom.stage.addEventListener("pointerleave", () => doing(here).hover(null, panel));
}

/** @param {Here} here */
function onClick(here) {
  const { dom, state } = here;
  dom.stage.addEventListener("click", (event) => {
    if (event.detail > 1) return; // a double click opens what its first click has pinned
    const { press } = state.hand;
    state.hand = { ...state.hand, press: null };
    const picked = pickedBy(press, cellAt(here, event), event.shiftKey);
    if (picked) doing(here).pickPair(picked.rows, picked.columns, picked.add);
  });
  dom.stage.addEventListener("dblclick", (event) => {
    const cell = inCorner(here, event) ? null : cellAt(here, event);
    if (cell) open(here, cell);
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
    if (event.key.toLowerCase() === "o") open(here, pointedAt(here.state));
  });
}

/** @param {Here} here */
function onKeys(here) {
  const { dom, state } = here;
  keys(
    dom.stage,
    (dx, dy) => {
      if (!state.ground) return;
      const [nRows, nColumns] = sizeNow(state);
      const at = pointedAt(state);
      const row = bound((at.row ?? -dy) + dy, 0, nRows - 1);
      const column = bound((at.column ?? -dx) + dx, 0, nColumns - 1);
      reveal(here, row, column);
      doing(here).walk({ rows: [row], columns: [column] });
    },
    (shift) => {
      if (!state.ground) return;
      const { rows, columns } = state.ground.focus;
      if (rows.length && columns.length) doing(here).pickPair(rows, columns, shift);
    },
    () => doing(here).clear(),
  );
}

/** @param {Pointed} event */
const pointOf = ({ clientX, clientY }) => ({ x: clientX, y: clientY });

/** @param {Here} here @param {Pointed} event */
function focusAt(here, event) {
  const cell = cellAt(here, event);
  return cell && { rows: [cell.row], columns: [cell.column] };
}

/** @param {Here} here @param {PointerEvent} event @returns {Press["does"]} */
function whatAPressDoes(here, event) {
  if (inCorner(here, event)) return "overview";
  return isZoomed(here.state) && !event.shiftKey ? "pan" : "block";
}

/** @param {Here} here @param {number} factor 0 for the whole @param {Cell | null} [around] */
export function zoom(here, factor, around) {
  const { state } = here;
  if (!state.scene) return;
  const now = { deep: state.deep, sight: state.part };
  const at = around ?? pointedAt(state);
  turnTo(here, stepped(now, factor, at, mapSize(state.scene), below(here)));
}

/** @param {Here} here @param {{deep: boolean, sight: Sight}} level */
function turnTo(here, { deep, sight }) {
  const { state } = here;
  if (!state.scene) return;
  state.deep = deep;
  state.part = sight;
  state.size = sizeNow(state).join(" ");
  here.redraw();
}

/** Show what lies below a cell of the map. @param {Here} here @param {Partial<Cell>} cell */
function open(here, { row, column }) {
  const depth = below(here);
  if (!depth || here.state.deep || row === undefined || column === undefined) return;
  const sight = unitsOfCell({ row, column }, depth);
  if (sight) turnTo(here, { deep: true, sight });
}

/** Two fingers: as they part, the picture comes nearer, around the cell between them. @param {Here} here */
function pinch(here) {
  const found = pinched(here.state.hand);
  here.state.hand = found.hand;
  if (found.factor === null) return;
  const { x, y } = found.middle;
  zoom(here, found.factor, cellAt(here, { clientX: x, clientY: y }));
}

/** @param {Here} here @param {PointerEvent} event @param {Press} press @param {Panel} panel */
function drag(here, event, press, panel) {
  const { state } = here;
  if (!press.moved || !state.scene) return;
  if (press.does === "overview") return look(here, event);
  if (press.does === "pan") {
    const [dx, dy] = [event.clientX - press.x, event.clientY - press.y];
    const cell = state.box.cell * zoomOf(here.dom.stage);
    state.part = panned(state.part, press.part, dx, dy, cell);
    return here.redraw();
  }
  const cell = cellAt(here, event);
  if (!cell || !press.cell || event.pointerType !== "mouse") return;
  doing(here).hover(blockOf(press.cell, cell), panel);
}

/** Go where the corner is pointed at. @param {Here} here @param {Pointed} event */
function look(here, event) {
  const { state } = here;
  if (!state.scene) return;
  const [x, y] = placeOf(here, event).map((at) => at / corner(state));
  const [depth, size] = [state.deep && below(here), mapSize(state.scene)];
  state.part = depth
    ? middleBelow(state.part, x, y, size, depth)
    : middleAt(state.part, x, y, ...size);
  here.redraw();
}

/** Bring a cell into sight. @param {Here} here @param {number} row @param {number} column */
function reveal(here, row, column) {
  const { state } = here;
  if (!state.scene || !isZoomed(state)) return;
  state.part = showing(state.part, { row, column });
  here.redraw();
}
