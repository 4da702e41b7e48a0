// The heatmap of the chosen heads: rows are queries, columns are keys, with a cross-hair.

import { bound, dots, fit, h, keys, shorten } from "./dom.js";
import { raster } from "./model.js";
import { createLens } from "./tools.js";
import { scaleNote } from "./words.js";

/**
 * @typedef {import("./scene.js").Scene} Scene
 * @typedef {import("./instrument.js").Actions} Actions
 */

const MAX_SIDE = 620;
const MAX_CELL = 44;
const LABEL = 84; // room for the labels, at most
const LABEL_STEP = 13; // two labels stand at least this far apart
const DIGITS_CELL = 27; // from this size on a cell shows its weight
const ZOOM_FROM = 24; // tokens from which there is something to zoom into
const CLOSEST = 8; // cells across, when nearest
const DRAGGED = 4; // pixels from which a press is a drag and not a click

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
  const element = h(
    "section",
    { class: "ax-panel ax-panel-heat", "aria-label": "Heatmap" },
    h("div", { class: "ax-title" }, h("h3", {}, "Heatmap"), lens.element),
    h(
      "p",
      { class: "ax-help" },
      "Each row is a query (it looks), each column a key (it is looked at). Click pins a cell.",
    ),
    stage,
    note,
  );
  /** @type {Scene | null} */
  let scene = null;
  // The plot on the stage; x0 and y0 are where the first cell would lie, in sight or not.
  const box = { left: 0, top: 0, cell: 1, x0: 0, y0: 0, width: 1, height: 1, font: "" };
  // The part in sight: its first row and column, and how many cells across.
  let part = { row: 0, column: 0, count: Number.POSITIVE_INFINITY };
  let size = ""; // of the picture that the part belongs to
  /** @type {{x: number, y: number, part: typeof part, moved: boolean} | null} */
  let drag = null;

  stage.addEventListener("pointerdown", (event) => {
    drag = { x: event.clientX, y: event.clientY, part, moved: false };
  });
  stage.addEventListener("pointermove", (event) => {
    if (drag && event.buttons && isZoomed()) return pan(event, drag);
    if (event.pointerType === "mouse") actions.hover(cellAt(event));
  });
  stage.addEventListener("pointerleave", () => actions.hover(null));
  stage.addEventListener("click", (event) => {
    const cell = drag?.moved ? null : cellAt(event);
    drag = null;
    if (cell) actions.pin(cell.row, cell.column);
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
      const row = bound((scene.focus.row ?? -dy) + dy, 0, rows.length - 1);
      const column = bound((scene.focus.column ?? -dx) + dx, 0, columns.length - 1);
      reveal(row, column);
      actions.walk({ row, column });
    },
    () => scene && actions.pin(scene.focus.row, scene.focus.column),
    actions.clear,
  );

  /** @param {MouseEvent} event */
  function cellAt(event) {
    if (!scene || scene.model.pooled) return null;
    const frame = stage.getBoundingClientRect();
    const { rows, columns } = scene.model.picture;
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    if (x < box.left || y < box.top || x >= box.left + box.width || y >= box.top + box.height) {
      return null;
    }
    const row = bound(Math.floor((y - box.y0) / box.cell), 0, rows.length - 1);
    const column = bound(Math.floor((x - box.x0) / box.cell), 0, columns.length - 1);
    return { row, column };
  }

  const isZoomed = () => {
    const { rows, columns } = scene?.model.picture ?? { rows: [], columns: [] };
    return part.count < Math.max(rows.length, columns.length);
  };

  /**
   * Come nearer (a factor above 1), go back, or see the whole (0), around what is pointed at.
   * @param {number} factor @param {{row: number | null, column: number | null} | null} [around]
   */
  function zoom(factor, around = scene?.focus) {
    if (!scene) return;
    const { rows, columns } = scene.model.picture;
    const all = Math.max(rows.length, columns.length);
    const before = Math.min(part.count, all);
    const count = factor ? bound(Math.round(before / factor), CLOSEST, all) : all;
    // What is pointed at stays where it is; otherwise the middle does.
    const keep = (/** @type {number} */ first, /** @type {number | null | undefined} */ i) => {
      const at = i ?? first + before / 2;
      return Math.round(at - ((at - first) * count) / before);
    };
    part = { row: keep(part.row, around?.row), column: keep(part.column, around?.column), count };
    draw(scene);
  }

  /** @param {PointerEvent} event @param {NonNullable<typeof drag>} from */
  function pan(event, from) {
    const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
    from.moved ||= Math.hypot(dx, dy) > DRAGGED;
    if (!from.moved || !scene) return;
    const [rows, columns] = [dy, dx].map((way) => Math.round(way / box.cell));
    part = { ...part, row: from.part.row - rows, column: from.part.column - columns };
    draw(scene);
  }

  /** Bring a cell into the part in sight. @param {number} row @param {number} column */
  function reveal(row, column) {
    if (!scene || !isZoomed()) return;
    const near = (/** @type {number} */ first, /** @type {number} */ i) =>
      bound(first, i - part.count + 1, i);
    part = { ...part, row: near(part.row, row), column: near(part.column, column) };
    draw(scene);
  }

  /** @param {Scene} next */
  function draw(next) {
    scene = next;
    const { picture, pooled, tops } = scene.model;
    const { rows, columns } = picture;
    const width = stage.clientWidth;
    if (!width || !rows.length) return;
    box.font = `12px ${scene.theme.font}`;
    const context = fit(base, 1, 1);
    context.font = box.font;
    const longest = Math.max(
      ...[...rows, ...columns].slice(0, 600).map((u) => context.measureText(u.text).width),
    );
    box.left = box.top = Math.min(longest + 10, LABEL);
    const side = Math.min(
      width - box.left - 2,
      MAX_SIDE,
      MAX_CELL * Math.max(rows.length, columns.length),
    );
    place(side, rows.length, columns.length);
    const ctx = fit(base, width, box.top + box.height + 2);
    fit(over, width, box.top + box.height + 2);
    stage.style.height = `${box.top + box.height + 2}px`;
    const shown = pooled ?? {
      weights: picture.weights,
      nRows: rows.length,
      nColumns: columns.length,
      tops,
    };
    note.textContent = scaleNote(scene.view.scale, shown.tops);
    lens.show(Math.max(rows.length, columns.length) > ZOOM_FROM, isZoomed());
    paint(ctx, shown);
    if (!pooled) labels(ctx);
    if (!pooled && box.cell >= DIGITS_CELL) numbers(ctx);
    if (!pooled) divide(ctx);
    focus(scene);
  }

  /** Where the part in sight lies on the stage. @param {number} side @param {number} nRows @param {number} nColumns */
  function place(side, nRows, nColumns) {
    if (size !== `${nRows} ${nColumns}`) {
      part = { row: 0, column: 0, count: Number.POSITIVE_INFINITY };
      size = `${nRows} ${nColumns}`;
    }
    const count = Math.min(part.count, Math.max(nRows, nColumns));
    const [rows, columns] = [nRows, nColumns].map((n) => Math.min(n, count));
    const row = bound(part.row, 0, nRows - rows);
    const column = bound(part.column, 0, nColumns - columns);
    part = { row, column, count };
    box.cell = side / count;
    box.x0 = box.left - column * box.cell;
    box.y0 = box.top - row * box.cell;
    [box.width, box.height] = [box.cell * columns, box.cell * rows];
  }

  /** The rows and columns in sight: first and one past last of each. */
  function inSight() {
    const { rows, columns } = scene?.model.picture ?? { rows: [], columns: [] };
    const end = (/** @type {number} */ first, /** @type {number} */ n) =>
      Math.min(n, first + part.count);
    return [part.row, end(part.row, rows.length), part.column, end(part.column, columns.length)];
  }

  /** @param {CanvasRenderingContext2D} ctx @param {import("./scene.js").Thumb} shown */
  function paint(ctx, { weights, nRows, nColumns, tops }) {
    if (!scene) return;
    const ratio = ctx.getTransform().a;
    const zoomed = isZoomed() && !scene.model.pooled;
    const height = zoomed ? nRows : Math.min(nRows, Math.round(box.height * ratio));
    const width = zoomed ? nColumns : Math.min(nColumns, Math.round(box.width * ratio));
    const image = dots(
      raster(weights, nRows, nColumns, height, width, tops),
      width,
      height,
      scene.theme.packed,
    );
    ctx.imageSmoothingEnabled = false;
    const [top, bottom, left, right] = zoomed ? inSight() : [0, height, 0, width];
    const [w, tall] = [right - left, bottom - top];
    ctx.drawImage(image, left, top, w, tall, box.left, box.top, box.width, box.height);
    ctx.strokeStyle = scene.theme.border;
    ctx.strokeRect(box.left - 0.5, box.top - 0.5, box.width + 1, box.height + 1);
  }

  /** @param {CanvasRenderingContext2D} ctx */
  function labels(ctx) {
    if (!scene) return;
    const { rows, columns } = scene.model.picture;
    const step = Math.max(1, Math.ceil(LABEL_STEP / box.cell));
    const [top, bottom, left, right] = inSight();
    for (let r = top; r < bottom; r += step) label(ctx, rows[r], r, true);
    for (let c = left; c < right; c += step) label(ctx, columns[c], c, false);
  }

  /**
   * @param {CanvasRenderingContext2D} ctx @param {import("./model.js").Unit} unit
   * @param {number} i @param {boolean} isRow
   */
  function label(ctx, unit, i, isRow) {
    if (!scene) return;
    ctx.save();
    ctx.font = box.font;
    ctx.fillStyle = unit.special ? scene.theme.muted : scene.theme.text;
    ctx.textBaseline = "middle";
    if (isRow) {
      ctx.textAlign = "right";
      ctx.fillText(
        shorten(ctx, unit.text, box.left - 8),
        box.left - 6,
        box.y0 + (i + 0.5) * box.cell,
      );
    } else {
      ctx.translate(box.x0 + (i + 0.5) * box.cell, box.top - 6);
      const single = [...unit.text].length === 1 && box.cell >= LABEL_STEP;
      if (single) {
        ctx.textAlign = "center"; // one character, such as a Chinese one, stands upright
        ctx.translate(0, -6);
      } else {
        ctx.rotate(-Math.PI / 2);
      }
      ctx.fillText(shorten(ctx, unit.text, box.top - 8), 0, 0);
    }
    ctx.restore();
  }

  /** @param {CanvasRenderingContext2D} ctx */
  function numbers(ctx) {
    if (!scene) return;
    const { picture, tops } = scene.model;
    const n = picture.columns.length;
    ctx.font = `${Math.min(11, box.cell / 2.7)}px ${scene.theme.font}`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    const [top, bottom, left, right] = inSight();
    for (let r = top; r < bottom; r++) {
      for (let c = left; c < right; c++) {
        const weight = picture.weights[r * n + c];
        if (weight < 0.005) continue;
        ctx.fillStyle = scene.theme.inks[Math.min(255, Math.round((255 * weight) / tops[r]))];
        const text = weight >= 0.995 ? weight.toFixed(1) : weight.toFixed(2).replace(/^0/, "");
        ctx.fillText(text, box.x0 + (c + 0.5) * box.cell, box.y0 + (r + 0.5) * box.cell);
      }
    }
  }

  /** A line between the two texts of a pair. @param {CanvasRenderingContext2D} ctx */
  function divide(ctx) {
    if (!scene) return;
    const { rows, columns } = scene.model.picture;
    const [r, c] = [rows, columns].map((units) => units.findIndex((unit) => unit.segment === 1));
    ctx.fillStyle = scene.theme.muted;
    const [top, bottom, left, right] = inSight();
    if (r > top && r < bottom) {
      ctx.fillRect(box.left, box.y0 + r * box.cell - 0.5, box.width, 1);
    }
    if (c > left && c < right) ctx.fillRect(box.x0 + c * box.cell - 0.5, box.top, 1, box.height);
  }

  /** The cross-hair and the labels of what is pointed at. @param {Scene} next */
  function focus(next) {
    scene = next;
    const { rows, columns } = scene.model.picture;
    const { row, column } = scene.focus;
    if (!stage.clientWidth || !base.width) return;
    const ctx = fit(over, stage.clientWidth, box.top + box.height + 2);
    if (scene.model.pooled) return;
    ctx.lineWidth = 1.5;
    const air = Math.max(0, 2.5 - box.cell / 2); // a thin row is framed, not covered
    const [top, bottom, left, right] = inSight();
    ctx.strokeStyle = scene.theme.accent;
    if (row !== null && row >= top && row < bottom) {
      ctx.strokeRect(box.left, box.y0 + row * box.cell - air, box.width, box.cell + 2 * air);
      mark(ctx, 0, box.y0 + (row + 0.5) * box.cell - 8, box.left - 2, 16);
      label(ctx, rows[row], row, true);
    }
    if (column !== null && column >= left && column < right) {
      ctx.strokeRect(box.x0 + column * box.cell - air, box.top, box.cell + 2 * air, box.height);
      mark(ctx, box.x0 + (column + 0.5) * box.cell - 8, 0, 16, box.top - 2);
      label(ctx, columns[column], column, false);
    }
    stage.setAttribute("aria-label", `Heatmap. ${scene.says}`);
  }

  /** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} w @param {number} height */
  function mark(ctx, x, y, w, height) {
    if (!scene) return;
    ctx.fillStyle = scene.theme.chip;
    ctx.beginPath();
    ctx.roundRect(x, y, w, height, 4);
    ctx.fill();
  }

  return { element, draw, focus };
}
