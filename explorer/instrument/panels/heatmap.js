// The heatmap of the chosen heads: rows are queries, columns are keys, with a cross-hair. It zooms
// and pans; the corner between the labels then shows the whole, with a frame round what is in sight.
// Of a long text it shows a map of groups, and zooming leads on to the tokens below.

import { bound } from "../numbers/basics.js";
import { carried, middleBelow, stepped, unitsOfCell } from "../numbers/depth.js";
import {
  cellNote,
  colourNote,
  deepGround,
  dotNote,
  mapGround,
  savedMap,
  savedPart,
} from "../numbers/heatground.js";
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
import { tilesIn } from "../numbers/tiles.js";
import {
  ALL_IN_SIGHT,
  cellIn,
  inSight,
  middleAt,
  panned,
  plotOf,
  showing,
  within,
} from "../numbers/viewport.js";
import { h, keys, setText } from "../parts/dom.js";
import { paintOn } from "../parts/paint.js";
import { pairsTable } from "../parts/table.js";
import { createTiles, jobOf } from "../parts/tileworker.js";
import { createLens } from "../parts/tools.js";
import { cornerIn, isNear, paintCross, paintHeat } from "./heatpaint.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/heatground.js").Ground} Ground
 * @typedef {import("../numbers/heatground.js").Saved} Saved
 * @typedef {import("../pages/explore.js").Actions} Actions
 * @typedef {import("../parts/paint.js").Pen} Pen
 * @typedef {import("../numbers/viewport.js").Cell} Cell
 * @typedef {import("../numbers/viewport.js").Sight} Sight
 * @typedef {import("../numbers/heatpress.js").Press} Press
 * @typedef {import("./heatpaint.js").Shown} Shown
 * @typedef {{element: HTMLElement, draw: (next: Scene) => void, focus: (next: Scene) => void}} Panel
 * @typedef {Panel & {saved: () => Saved | null}} Heatmap
 *   saved: the numbers of the map; below it, of what is in sight
 * @typedef {ReturnType<typeof build>} Dom
 * @typedef {{scene: Scene | null, depth: Scene["deep"], ground: Ground | null, deep: boolean, part: Sight,
 *            box: Shown["box"], font: string, size: string, wide: number,
 *            measured: {units: unknown, room: number}, room: Float32Array, framed: boolean,
 *            hand: import("../numbers/heatpress.js").Hand}} State
 *   depth: what lies below the map; deep: that is in sight, and not groups; size: of the picture that the part belongs to; wide: the
 *   stage; measured: the room that the labels of some units need; room: memory for what is in
 *   sight; framed: it is painted anew in the next frame
 * @typedef {{dom: Dom, state: State, actions: Actions, deepActions: Actions | null,
 *            tiles: ReturnType<typeof createTiles>}} Here
 *   actions: in units of the map; deepActions: in those below
 * @typedef {{clientX: number, clientY: number}} Pointed
 */

const MAX_SIDE = 620;
const MAX_CELL = 44;
const LABEL = 84; // room for the labels, at most
const ZOOM_FROM = 24; // tokens from which there is something to zoom into
const TIP =
  "Each row is a query (it looks), each column a key (it is looked at). Click pins a cell, a drag a block.";
const TIP_BELOW = "A double click, or the key O, opens the words of a cell.";
const ALONE = "This browser makes the cells in the page itself, so that moving may lag.";

/**
 * @param {Actions} actions @param {Actions} [deepActions] where there is something below the map
 * @returns {Heatmap}
 */
export function createHeatmap(actions, deepActions) {
  /** @type {Here} */
  const here = {
    ...{ dom: build((factor) => zoom(here, factor)), state: atStart(), actions },
    deepActions: deepActions ?? null,
    tiles: createTiles(() => drawSoon(here)),
  };
  /** @type {Heatmap} */
  const panel = {
    element: here.dom.element,
    draw: (next) => draw(here, next),
    focus: (next) => focus(here, next),
    saved: () => savedOf(here),
  };
  onPointers(here, panel);
  onClick(here);
  onZoom(here);
  onKeys(here);
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
    { class: "ax-stage", tabindex: "0", role: "application", "aria-roledescription": "heatmap" },
    base,
    over,
  );
  const tip = h("p", { class: "ax-help ax-tip" });
  const note = h("p", { class: "ax-help ax-under" });
  const lens = createLens(zoom);
  const table = pairsTable("heatmap");
  const element = h(
    "section",
    { class: "ax-panel ax-panel-heat", "aria-label": "Heatmap" },
    h("div", { class: "ax-title" }, h("h3", {}, "Heatmap"), lens.element),
    tip,
    stage,
    note,
    table.element,
  );
  return { element, stage, base, over, tip, note, lens, table };
}

/** What a hand does, in the units that are in sight. @param {Here} here */
const doing = ({ state, actions, deepActions }) => (state.deep && deepActions) || actions;

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

/** The first that is pointed at. @param {State} state @returns {Partial<Cell>} */
const pointedAt = ({ ground }) => ({
  row: ground?.focus.rows[0],
  column: ground?.focus.columns[0],
});

/** How many rows and columns the map has. @param {Scene | null} scene @returns {[number, number]} */
function mapSize(scene) {
  const picture = scene?.map.model.picture;
  return picture ? [picture.rows.length, picture.columns.length] : [0, 0];
}

/** How many there are of what is in sight. @param {State} state @returns {[number, number]} */
function sizeNow({ scene, deep }) {
  return deep && scene?.deep ? [scene.deep.rows.length, scene.deep.columns.length] : mapSize(scene);
}

/** What lies below the map. @param {Here} here */
const below = ({ state, deepActions }) => deepActions && state.depth;

/** @param {Pointed} event */
const pointOf = ({ clientX, clientY }) => ({ x: clientX, y: clientY });

/** @param {Here} here @param {Pointed} event @returns {[number, number]} */
function placeOf({ dom }, event) {
  const frame = dom.stage.getBoundingClientRect();
  return [event.clientX - frame.left, event.clientY - frame.top];
}

/** @param {Here} here @param {Pointed} event */
function cellAt(here, event) {
  const { ground, box } = here.state;
  if (!ground || ground.pooled) return null;
  return cellIn(box, ...placeOf(here, event), ...sizeNow(here.state));
}

/** @param {Here} here @param {Pointed} event */
function focusAt(here, event) {
  const cell = cellAt(here, event);
  return cell && { rows: [cell.row], columns: [cell.column] };
}

/** @param {State} state @returns {Shown | null} */
const shownNow = ({ ground, part, box, font }) => ground && { ground, part, box, font };

/** @param {State} state */
function isZoomed(state) {
  const shown = shownNow(state);
  return shown !== null && isNear(shown);
}

/** The side of the corner that shows the whole; 0 when there is none. @param {State} state */
function corner(state) {
  const shown = shownNow(state);
  return shown ? cornerIn(shown) : 0;
}

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
  draw(here, state.scene);
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
    state.part = panned(state.part, press.part, dx, dy, state.box.cell);
    return draw(here, state.scene);
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
  draw(here, state.scene);
}

/** Bring a cell into sight. @param {Here} here @param {number} row @param {number} column */
function reveal(here, row, column) {
  const { state } = here;
  if (!state.scene || !isZoomed(state)) return;
  state.part = showing(state.part, { row, column });
  draw(here, state.scene);
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
    whole: String(!state.ground.holes),
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
    ...[colourNote(scene.view.scale, ground), alone],
  ];
  setText(dom.note, notes.filter(Boolean).join(" "));
  const more = below(here) !== null;
  setText(dom.tip, more ? `${TIP} ${TIP_BELOW}` : TIP);
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
  dom.stage.setAttribute("aria-label", `Heatmap. ${says}`);
  if (shown) paintOn(dom.over, state.wide, tall(state), painterOf(state, paintCross));
}

/**
 * The numbers of the map, or of the part in sight below it: what is not here is made at once.
 * @param {Here} here @returns {Saved | null}
 */
function savedOf(here) {
  const { state, tiles } = here;
  if (!state.scene) return null;
  const depth = state.deep && below(here);
  if (!depth) return savedMap(state.scene.map);
  const job = jobOf(depth, state.scene.trace.head.key_tokens.length);
  const tileAt = (/** @type {Cell} */ tile) =>
    job.heads.length ? tiles.make(job, tile) : undefined;
  return savedPart(state.scene, deepGround(state.scene, depth, state.part, tileAt));
}
