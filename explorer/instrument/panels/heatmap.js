// The heatmap of the chosen heads: rows are queries, columns are keys, with a cross-hair. It zooms
// and pans; the corner between the labels then shows the whole, with a frame round what is in sight.

import { bound, range } from "../numbers/basics.js";
import { raster } from "../numbers/model.js";
import { runsOf } from "../numbers/view.js";
import {
  ALL_IN_SIGHT,
  cellIn,
  isPart,
  plotOf,
  showing,
  within,
  zoomed,
} from "../numbers/viewport.js";
import { scaleNote } from "../numbers/words.js";
import { h, keys, setText } from "../parts/dom.js";
import { drawCells, paintOn, plate, shorten } from "../parts/paint.js";
import { pairsTable } from "../parts/table.js";
import { createLens } from "../parts/tools.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../pages/explore.js").Actions} Actions
 * @typedef {import("../parts/paint.js").Pen} Pen
 * @typedef {import("../numbers/viewport.js").Sight} Sight
 * @typedef {import("../numbers/viewport.js").Cell} Cell
 */

const MAX_SIDE = 620;
const MAX_CELL = 44;
const LABEL = 84; // room for the labels, at most
const LABEL_STEP = 13; // two labels stand at least this far apart
const DIGITS_CELL = 27; // from this size on a cell shows its weight
const ZOOM_FROM = 24; // tokens from which there is something to zoom into
const DRAGGED = 4; // pixels from which a press is a drag and not a click
const OVERVIEW = 76; // pixels across, at most

/** @param {Actions} actions */
export function createHeatmap(actions) {
  const base = document.createElement("canvas");
  const over = document.createElement("canvas");
  const stage = h(
    "div",
    { class: "ax-stage", tabindex: "0", role: "application", "aria-roledescription": "heatmap" },
    base,
    over,
  );
  const note = h("p", { class: "ax-help ax-under" });
  const lens = createLens((factor) => zoom(factor));
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
  /** @type {Scene | null} */
  let scene = null;
  const stageBox = { font: "", wide: 1 };
  let box = plotOf({ ...ALL_IN_SIGHT, count: 1 }, 0, 1, 1, 1);
  let part = ALL_IN_SIGHT;
  let size = ""; // of the picture that the part belongs to
  /** @type {{x: number, y: number, part: Sight, cell: Cell | null,
   *          does: "pan" | "block" | "overview", moved: boolean} | null} */
  let drag = null;
  /** @type {Map<number, {x: number, y: number}>} */
  const fingers = new Map();
  let spread = 0; // between two fingers

  stage.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    spread = 0;
    const does = inOverview(event)
      ? "overview"
      : isZoomed() && !event.shiftKey
        ? "pan"
        : /** @type {const} */ ("block");
    const at = { x: event.clientX, y: event.clientY };
    drag = { ...at, part, cell: cellAt(event), does, moved: false };
    if (does === "overview") look(event);
  });
  stage.addEventListener("pointermove", (event) => {
    if (fingers.has(event.pointerId)) {
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    }
    if (fingers.size === 2) return pinch();
    if (drag && event.buttons) return dragTo(event, drag);
    if (event.pointerType === "mouse") actions.hover(focusAt(event), panel);
  });
  for (const ending of /** @type {const} */ (["pointerup", "pointercancel", "pointerleave"])) {
    stage.addEventListener(ending, (event) => fingers.delete(event.pointerId));
  }
  stage.addEventListener("pointerleave", () => actions.hover(null, panel));
  stage.addEventListener("click", (event) => {
    const done = drag;
    drag = null;
    const cell = cellAt(event);
    if (!cell || done?.does === "overview") return;
    if (!done?.moved) actions.pickPair([cell.row], [cell.column], event.shiftKey);
    else if (done.does === "block" && done.cell) {
      const { row, column } = done.cell;
      actions.pickPair(range(row, cell.row), range(column, cell.column), false);
    }
  });
  stage.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page; a pinch zooms
      event.preventDefault();
      zoom(event.deltaY < 0 ? 1.25 : 0.8, cellAt(event));
    },
    { passive: false },
  );
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey) return;
    if (event.key === "+" || event.key === "=") zoom(1.5);
    if (event.key === "-") zoom(1 / 1.5);
    if (event.key === "0") zoom(0);
  });
  keys(
    stage,
    (dx, dy) => {
      if (!scene) return;
      const { rows, columns } = scene.model.picture;
      const { rows: on, columns: at } = scene.focus;
      const row = bound((on[0] ?? -dy) + dy, 0, rows.length - 1);
      const column = bound((at[0] ?? -dx) + dx, 0, columns.length - 1);
      reveal(row, column);
      actions.walk({ rows: [row], columns: [column] });
    },
    (shift) => {
      if (!scene) return;
      const { rows, columns } = scene.focus;
      if (rows.length && columns.length) actions.pickPair(rows, columns, shift);
    },
    actions.clear,
  );

  /** @param {MouseEvent} event @returns {[number, number]} */
  function placeOf(event) {
    const frame = stage.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  }

  const nRows = () => scene?.model.picture.rows.length ?? 0;
  const nColumns = () => scene?.model.picture.columns.length ?? 0;

  /** @param {MouseEvent} event */
  const cellAt = (event) =>
    scene && !scene.model.pooled ? cellIn(box, ...placeOf(event), nRows(), nColumns()) : null;

  /** @param {MouseEvent} event */
  function focusAt(event) {
    const cell = cellAt(event);
    return cell && { rows: [cell.row], columns: [cell.column] };
  }

  const isZoomed = () => isPart(part, nRows(), nColumns());

  /** @param {number} factor 0 for the whole @param {Cell | null} [around] */
  function zoom(factor, around) {
    if (!scene) return;
    const [row, column] = [scene.focus.rows[0], scene.focus.columns[0]];
    part = zoomed(part, factor, around ?? { row, column }, nRows(), nColumns());
    draw(scene);
  }

  /** Two fingers: as they part, the picture comes nearer, around the cell between them. */
  function pinch() {
    drag = null;
    const [one, other] = [...fingers.values()];
    const now = Math.hypot(one.x - other.x, one.y - other.y);
    if (!spread) spread = now;
    if (now / spread < 1.12 && spread / now < 1.12) return;
    const middle = { clientX: (one.x + other.x) / 2, clientY: (one.y + other.y) / 2 };
    zoom(now / spread, cellAt(/** @type {MouseEvent} */ (middle)));
    spread = now;
  }

  /** @param {PointerEvent} event @param {NonNullable<typeof drag>} from */
  function dragTo(event, from) {
    const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
    from.moved ||= Math.hypot(dx, dy) > DRAGGED;
    if (!from.moved || !scene) return;
    if (from.does === "overview") return look(event);
    if (from.does === "pan") {
      const [rows, columns] = [dy, dx].map((way) => Math.round(way / box.cell));
      part = { ...part, row: from.part.row - rows, column: from.part.column - columns };
      return draw(scene);
    }
    const cell = cellAt(event);
    if (!cell || !from.cell || event.pointerType !== "mouse") return;
    const { row, column } = from.cell;
    actions.hover({ rows: range(row, cell.row), columns: range(column, cell.column) }, panel);
  }

  /** The side of the overview, in pixels; 0 when there is none. */
  const overview = () => (isZoomed() ? Math.min(OVERVIEW, box.left - 8, box.top - 8) : 0);

  /** @param {MouseEvent} event */
  function inOverview(event) {
    const [x, y] = placeOf(event);
    return x < overview() && y < overview();
  }

  /** Go where the overview is pointed at. @param {MouseEvent} event */
  function look(event) {
    if (!scene) return;
    const [x, y] = placeOf(event).map((at) => at / overview());
    const all = Math.max(nRows(), nColumns());
    part = {
      ...part,
      row: Math.round(y * all - part.count / 2),
      column: Math.round(x * all - part.count / 2),
    };
    draw(scene);
  }

  /** Bring a cell into sight. @param {number} row @param {number} column */
  function reveal(row, column) {
    if (!scene || !isZoomed()) return;
    part = showing(part, { row, column });
    draw(scene);
  }

  /** @param {Scene} next */
  function draw(next) {
    scene = next;
    const { picture, pooled, tops } = scene.model;
    const { rows, columns } = picture;
    stageBox.wide = stage.clientWidth;
    if (!stageBox.wide || !rows.length) return;
    stageBox.font = `12px ${scene.theme.font}`;
    const pen = /** @type {Pen} */ (base.getContext("2d"));
    pen.font = stageBox.font;
    const most = Math.max(rows.length, columns.length);
    if (size !== `${rows.length} ${columns.length}`) part = ALL_IN_SIGHT;
    size = `${rows.length} ${columns.length}`;
    part = within(part, rows.length, columns.length);
    const label = labelRoom(pen);
    const side = Math.min(stageBox.wide - label - 2, MAX_SIDE, MAX_CELL * most);
    box = plotOf(part, label, side, rows.length, columns.length);
    stage.style.height = `${tall()}px`;
    Object.assign(stage.dataset, {
      plot: `${box.left} ${box.top} ${box.cell}`,
      sight: `${part.row} ${part.column} ${part.count}`,
    });
    stage.style.touchAction = isZoomed() ? "none" : "pan-y";
    setText(note, scaleNote(scene.view.scale, pooled?.tops ?? tops));
    lens.show(most > ZOOM_FROM, isZoomed());
    paintOn(base, stageBox.wide, tall(), paintBase);
    focus(scene);
    table.fill(scene);
  }

  const tall = () => box.top + box.height + 2;

  /** @type {{units: unknown, room: number}} */
  let measured = { units: null, room: LABEL };

  /** The room that the labels need. @param {Pen} pen */
  function labelRoom(pen) {
    const { rows, columns } = scene?.model.picture ?? { rows: [], columns: [] };
    if (measured.units !== rows) {
      const units = rows === columns ? rows : [...rows, ...columns];
      const texts = [...new Set(units.map((unit) => unit.text))];
      const longest = Math.max(...texts.map((text) => pen.measureText(text).width));
      measured = { units: rows, room: Math.min(longest + 10, LABEL) };
    }
    return measured.room;
  }

  /** The rows and columns in sight: first and one past last of each. */
  function inSight() {
    const { row: top, column: left, count } = part;
    return {
      top,
      bottom: Math.min(nRows(), top + count),
      left,
      right: Math.min(nColumns(), left + count),
    };
  }

  /** @param {Pen} pen */
  function paintBase(pen) {
    if (!scene) return;
    const { pooled, picture, tops } = scene.model;
    const whole = { weights: picture.weights, nRows: nRows(), nColumns: nColumns(), tops };
    cells(pen, pooled ?? whole);
    if (pooled) return;
    labels(pen);
    if (box.cell >= DIGITS_CELL) numbers(pen);
    divide(pen);
  }

  /** @param {Pen} pen @param {import("../numbers/scene.js").Thumb} shown */
  function cells(pen, shown) {
    if (!scene) return;
    const { weights, nRows: tallest, nColumns: widest, tops } = shown;
    const { packed } = scene.theme;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const near = isZoomed() && !scene.model.pooled;
    const fits = (/** @type {number} */ n, /** @type {number} */ pixels) =>
      near ? n : Math.min(n, Math.round(pixels * ratio));
    const [height, width] = [fits(tallest, box.height), fits(widest, box.width)];
    const levels = raster(weights, tallest, widest, height, width, tops);
    const all = { top: 0, bottom: height, left: 0, right: width };
    const plot = { x: box.left, y: box.top, width: box.width, height: box.height };
    drawCells(pen, levels, height, width, packed, plot, near ? inSight() : all);
    pen.strokeStyle = scene.theme.border;
    pen.lineWidth = 1;
    pen.strokeRect(box.left - 0.5, box.top - 0.5, box.width + 1, box.height + 1);
    if (near && overview() > 20) whole(pen, shown);
  }

  /**
   * The whole in the corner, with a frame round what is in sight.
   * @param {Pen} pen @param {import("../numbers/scene.js").Thumb} shown
   */
  function whole(pen, { weights, nRows: tallest, nColumns: widest, tops }) {
    if (!scene) return;
    const dot = overview() / Math.max(tallest, widest);
    const [height, width] = [tallest, widest].map((n) => Math.max(1, Math.round(n * dot)));
    const [bottom, right] = [Math.min(height, tallest), Math.min(width, widest)];
    const levels = raster(weights, tallest, widest, bottom, right, tops);
    const corner = { x: 1, y: 1, width, height };
    const all = { top: 0, bottom, left: 0, right };
    drawCells(pen, levels, bottom, right, scene.theme.packed, corner, all);
    pen.strokeStyle = scene.theme.border;
    pen.strokeRect(0.5, 0.5, width + 1, height + 1);
    const sight = inSight();
    pen.strokeStyle = scene.theme.accent;
    pen.lineWidth = 1.5;
    const least = (/** @type {number} */ n) => Math.max(n * dot, 4);
    const [wide, tall] = [least(sight.right - sight.left), least(sight.bottom - sight.top)];
    pen.strokeRect(1 + sight.left * dot, 1 + sight.top * dot, wide, tall);
  }

  /** @param {Pen} pen */
  function labels(pen) {
    if (!scene) return;
    const { rows, columns } = scene.model.picture;
    const step = Math.max(1, Math.ceil(LABEL_STEP / box.cell));
    const { top, bottom, left, right } = inSight();
    for (let r = top; r < bottom; r += step) label(pen, rows[r], r, true);
    for (let c = left; c < right; c += step) label(pen, columns[c], c, false);
  }

  /**
   * @param {Pen} pen @param {import("../numbers/model.js").Unit} unit
   * @param {number} i @param {boolean} isRow
   */
  function label(pen, unit, i, isRow) {
    if (!scene) return;
    pen.save();
    pen.font = stageBox.font;
    pen.fillStyle = unit.special ? scene.theme.muted : scene.theme.text;
    pen.textBaseline = "middle";
    const text = shorten(pen, unit.text, box.left - 8);
    if (isRow) {
      pen.textAlign = "right";
      pen.fillText(text, box.left - 6, box.y0 + (i + 0.5) * box.cell);
    } else {
      pen.translate(box.x0 + (i + 0.5) * box.cell, box.top - 6);
      const single = [...unit.text].length === 1 && box.cell >= LABEL_STEP;
      pen.textAlign = single ? "center" : "left";
      if (single)
        pen.translate(0, -6); // one character, such as a Chinese one, stands upright
      else pen.rotate(-Math.PI / 2);
      pen.fillText(text, 0, 0);
    }
    pen.restore();
  }

  /** @param {Pen} pen */
  function numbers(pen) {
    if (!scene) return;
    const { picture, tops } = scene.model;
    const n = picture.columns.length;
    pen.font = `${Math.min(11, box.cell / 2.7)}px ${scene.theme.font}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const { top, bottom, left, right } = inSight();
    for (let r = top; r < bottom; r++) {
      for (let c = left; c < right; c++) {
        const weight = picture.weights[r * n + c];
        if (weight < 0.005) continue;
        pen.fillStyle = scene.theme.inks[Math.min(255, Math.round((255 * weight) / tops[r]))];
        const text = weight >= 0.995 ? weight.toFixed(1) : weight.toFixed(2).replace(/^0/, "");
        pen.fillText(text, box.x0 + (c + 0.5) * box.cell, box.y0 + (r + 0.5) * box.cell);
      }
    }
  }

  /** A line between the two texts of a pair. @param {Pen} pen */
  function divide(pen) {
    if (!scene) return;
    const { rows, columns } = scene.model.picture;
    const [r, c] = [rows, columns].map((units) => units.findIndex((unit) => unit.segment === 1));
    pen.fillStyle = scene.theme.muted;
    const { top, bottom, left, right } = inSight();
    if (r > top && r < bottom) pen.fillRect(box.left, box.y0 + r * box.cell - 0.5, box.width, 1);
    if (c > left && c < right) pen.fillRect(box.x0 + c * box.cell - 0.5, box.top, 1, box.height);
  }

  /** The cross-hair and the labels of what is pointed at. @param {Scene} next */
  function focus(next) {
    scene = next;
    if (!stageBox.font) return; // not drawn yet
    const { rows, columns } = scene.focus;
    const shown = !scene.model.pooled && (rows.length > 0 || columns.length > 0);
    over.style.visibility = shown ? "visible" : "hidden";
    stage.setAttribute("aria-label", `Heatmap. ${scene.says}`);
    if (shown) paintOn(over, stageBox.wide, tall(), paintFocus);
  }

  /** @param {Pen} pen */
  function paintFocus(pen) {
    if (!scene) return;
    const { rows, columns } = scene.focus;
    const sight = inSight();
    pen.lineWidth = 1.5;
    pen.strokeStyle = scene.theme.accent;
    for (const [first, last] of runsOf(rows)) band(pen, first, last, true, sight.top, sight.bottom);
    for (const [first, last] of runsOf(columns)) {
      band(pen, first, last, false, sight.left, sight.right);
    }
  }

  /**
   * A frame round neighbouring rows or columns, and the labels of the first and the last.
   * @param {Pen} pen @param {number} first @param {number} last @param {boolean} isRow
   * @param {number} low @param {number} high the part in sight
   */
  function band(pen, first, last, isRow, low, high) {
    if (!scene || last < low || first >= high) return;
    const [from, to] = [Math.max(first, low), Math.min(last + 1, high)];
    const air = Math.max(0, 2.5 - (box.cell * (to - from)) / 2); // a thin one is framed, not covered
    const wide = box.cell * (to - from) + 2 * air;
    const start = (isRow ? box.y0 : box.x0) + from * box.cell - air;
    if (isRow) pen.strokeRect(box.left, start, box.width, wide);
    else pen.strokeRect(start, box.top, wide, box.height);
    const units = isRow ? scene.model.picture.rows : scene.model.picture.columns;
    const apart = (to - 1 - from) * box.cell >= LABEL_STEP;
    for (const i of apart ? [from, to - 1] : [from]) {
      const at = (isRow ? box.y0 : box.x0) + (i + 0.5) * box.cell - 8;
      if (isRow) plate(pen, scene.theme.chip, 0, at, box.left - 2, 16);
      else plate(pen, scene.theme.chip, at, 0, 16, box.top - 2);
      label(pen, units[i], i, isRow);
    }
  }

  const panel = { element, draw, focus };
  return panel;
}
