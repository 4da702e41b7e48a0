// The heatmap of the chosen heads: rows are queries, columns are keys, with a cross-hair.

import { bound, dots, fit, h, keys, shorten } from "./dom.js";
import { raster } from "./model.js";
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
  const element = h(
    "section",
    { class: "ax-panel ax-panel-heat", "aria-label": "Heatmap" },
    h("h3", {}, "Heatmap"),
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
  const box = { left: 0, top: 0, cellW: 1, cellH: 1, width: 1, height: 1, font: "" };

  stage.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") actions.hover(cellAt(event));
  });
  stage.addEventListener("pointerleave", () => actions.hover(null));
  stage.addEventListener("click", (event) => {
    const cell = cellAt(event);
    if (cell) actions.pin(cell.row, cell.column);
  });
  keys(
    stage,
    (dx, dy) => {
      if (!scene) return;
      const { rows, columns } = scene.model.picture;
      const { row, column } = scene.focus;
      actions.walk({
        row: row === null ? 0 : bound(row + dy, 0, rows.length - 1),
        column: column === null ? 0 : bound(column + dx, 0, columns.length - 1),
      });
    },
    () => scene && actions.pin(scene.focus.row, scene.focus.column),
    actions.clear,
  );

  /** @param {MouseEvent} event */
  function cellAt(event) {
    if (!scene || scene.model.pooled) return null;
    const frame = stage.getBoundingClientRect();
    const { rows, columns } = scene.model.picture;
    const row = Math.floor((event.clientY - frame.top - box.top) / box.cellH);
    const column = Math.floor((event.clientX - frame.left - box.left) / box.cellW);
    const inside = row >= 0 && column >= 0 && row < rows.length && column < columns.length;
    return inside ? { row, column } : null;
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
    const cell = side / Math.max(rows.length, columns.length);
    [box.cellW, box.cellH] = [cell, cell];
    [box.width, box.height] = [cell * columns.length, cell * rows.length];
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
    paint(ctx, shown);
    if (!pooled) labels(ctx);
    if (!pooled && cell >= DIGITS_CELL) numbers(ctx);
    if (!pooled) divide(ctx);
    focus(scene);
  }

  /** @param {CanvasRenderingContext2D} ctx @param {import("./scene.js").Thumb} shown */
  function paint(ctx, { weights, nRows, nColumns, tops }) {
    if (!scene) return;
    const ratio = ctx.getTransform().a;
    const height = Math.min(nRows, Math.round(box.height * ratio));
    const width = Math.min(nColumns, Math.round(box.width * ratio));
    const image = dots(
      raster(weights, nRows, nColumns, height, width, tops),
      width,
      height,
      scene.theme.packed,
    );
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(image, box.left, box.top, box.width, box.height);
    ctx.strokeStyle = scene.theme.border;
    ctx.strokeRect(box.left - 0.5, box.top - 0.5, box.width + 1, box.height + 1);
  }

  /** @param {CanvasRenderingContext2D} ctx */
  function labels(ctx) {
    if (!scene) return;
    const { rows, columns } = scene.model.picture;
    const step = Math.max(1, Math.ceil(LABEL_STEP / box.cellH));
    for (let r = 0; r < rows.length; r += step) label(ctx, rows[r], r, true);
    for (let c = 0; c < columns.length; c += step) label(ctx, columns[c], c, false);
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
        box.top + (i + 0.5) * box.cellH,
      );
    } else {
      ctx.translate(box.left + (i + 0.5) * box.cellW, box.top - 6);
      const single = [...unit.text].length === 1 && box.cellW >= LABEL_STEP;
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
    ctx.font = `${Math.min(11, box.cellW / 2.7)}px ${scene.theme.font}`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    picture.weights.forEach((weight, i) => {
      if (weight < 0.005 || !scene) return;
      const r = Math.floor(i / n);
      const level = Math.min(255, Math.round((255 * weight) / tops[r]));
      ctx.fillStyle = scene.theme.inks[level];
      const text = weight >= 0.995 ? weight.toFixed(1) : weight.toFixed(2).replace(/^0/, "");
      ctx.fillText(text, box.left + ((i % n) + 0.5) * box.cellW, box.top + (r + 0.5) * box.cellH);
    });
  }

  /** A line between the two texts of a pair. @param {CanvasRenderingContext2D} ctx */
  function divide(ctx) {
    if (!scene) return;
    const { rows, columns } = scene.model.picture;
    const [r, c] = [rows, columns].map((units) => units.findIndex((unit) => unit.segment === 1));
    ctx.fillStyle = scene.theme.muted;
    if (r > 0) ctx.fillRect(box.left, box.top + r * box.cellH - 0.5, box.width, 1);
    if (c > 0) ctx.fillRect(box.left + c * box.cellW - 0.5, box.top, 1, box.height);
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
    const air = Math.max(0, 2.5 - box.cellW / 2); // a thin row is framed, not covered
    ctx.strokeStyle = scene.theme.accent;
    if (row !== null && row < rows.length) {
      ctx.strokeRect(box.left, box.top + row * box.cellH - air, box.width, box.cellH + 2 * air);
      mark(ctx, 0, box.top + (row + 0.5) * box.cellH - 8, box.left - 2, 16);
      label(ctx, rows[row], row, true);
    }
    if (column !== null && column < columns.length) {
      ctx.strokeRect(box.left + column * box.cellW - air, box.top, box.cellW + 2 * air, box.height);
      mark(ctx, box.left + (column + 0.5) * box.cellW - 8, 0, 16, box.top - 2);
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
