// The flow: tokens that look on the left, tokens that are looked at on the right, a line for each
// weight. Only the rows in sight are drawn, so its cost does not grow with the text.

import { bound, fit, h, keys, remember, shorten } from "./dom.js";
import { digits, heaviest, rowOf } from "./model.js";

/**
 * @typedef {import("./scene.js").Scene} Scene
 * @typedef {import("./instrument.js").Actions} Actions
 * @typedef {{row: number, column: number, weight: number, head: number}} Line
 */

const MAX_HEIGHT = 560;
const ROW = [18, 30]; // pixels, least and most
const MAX_LINES = 1500; // drawn at once; the heaviest are kept
const TONES = 10;

/** @param {Actions} actions */
export function createFlow(actions) {
  const base = document.createElement("canvas");
  const over = document.createElement("canvas");
  const stage = h("div", { class: "ax-stage" }, base, over);
  const spacer = h("div", { class: "ax-spacer" }, stage);
  const scroller = h(
    "div",
    {
      class: "ax-scroll",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "flow of attention",
    },
    spacer,
  );
  const note = h("p", { class: "ax-help ax-under" });
  const element = h(
    "section",
    { class: "ax-panel ax-panel-flow", "aria-label": "Flow" },
    h("h3", {}, "Flow"),
    h(
      "p",
      { class: "ax-help" },
      "Left looks at right. Point at a token for its lines alone; click pins it.",
    ),
    scroller,
    note,
  );
  /** @type {Scene | null} */
  let scene = null;
  let side = "row"; // the column that the arrow keys walk in
  const box = { width: 1, height: 1, row: 20, left: 0, right: 0 };
  /** @type {Map<number, number[]>} */
  let kept = new Map(); // heaviest keys, by head and row

  scroller.addEventListener("scroll", () => {
    if (scene) {
      paint();
      focus(scene);
    }
  });
  stage.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") actions.hover(tokenAt(event));
  });
  stage.addEventListener("pointerleave", () => actions.hover(null));
  stage.addEventListener("click", (event) => {
    const token = tokenAt(event);
    if (token) actions.pin(token.row, token.column);
  });
  keys(
    scroller,
    (dx, dy) => {
      if (!scene) return;
      if (dx) side = dx < 0 ? "row" : "column";
      const units = side === "row" ? scene.model.picture.rows : scene.model.picture.columns;
      const now = scene.focus.row ?? scene.focus.column;
      const next = now === null ? 0 : bound(now + dy, 0, units.length - 1);
      reveal(next);
      actions.walk(side === "row" ? { row: next, column: null } : { row: null, column: next });
    },
    () => scene && actions.pin(scene.focus.row, scene.focus.column),
    actions.clear,
  );

  /** @param {MouseEvent} event */
  function tokenAt(event) {
    if (!scene) return null;
    const frame = stage.getBoundingClientRect();
    const i = Math.floor((event.clientY - frame.top + scroller.scrollTop) / box.row);
    const x = event.clientX - frame.left;
    const { rows, columns } = scene.model.picture;
    if (x < box.left + 8 && i < rows.length) return { row: i, column: null };
    if (x > box.right - 8 && i < columns.length) return { row: null, column: i };
    return null;
  }

  /** Scroll a token into sight. @param {number} i */
  function reveal(i) {
    const y = i * box.row;
    if (y < scroller.scrollTop || y + box.row > scroller.scrollTop + box.height) {
      scroller.scrollTop = y - box.height / 2;
    }
  }

  /** @param {Scene} next */
  function draw(next) {
    scene = next;
    kept = new Map();
    const { rows, columns } = scene.model.picture;
    const n = Math.max(rows.length, columns.length);
    const width = scroller.clientWidth;
    if (!width || !n) return;
    box.row = bound(MAX_HEIGHT / n, ROW[0], ROW[1]);
    box.height = Math.min(n * box.row, MAX_HEIGHT);
    box.width = width;
    box.left = Math.round(width * 0.3);
    box.right = width - box.left;
    scroller.style.height = `${box.height}px`;
    spacer.style.height = `${n * box.row}px`;
    paint();
    const { row, column } = scene.focus;
    const at = row ?? column;
    if (at !== null && scene.moved) reveal(at);
    focus(scene);
  }

  /** The keys that a row's lines go to. @param {number} head its place among the chosen @param {number} row */
  function targets(head, row) {
    if (!scene) return [];
    const { perHead, picture } = scene.model;
    const id = head * picture.rows.length + row;
    const share = scene.view.mass / 100;
    return remember(kept, id, () => heaviest(rowOf(perHead[head].picture, row), share));
  }

  /** @param {number} row @returns {Line[]} */
  function linesOf(row) {
    if (!scene) return [];
    return scene.model.perHead.flatMap(({ head, picture }, i) =>
      targets(i, row).map((column) => ({
        row,
        column,
        head,
        weight: picture.weights[row * picture.columns.length + column],
      })),
    );
  }

  function inSight() {
    const n = scene ? scene.model.picture.rows.length : 0;
    const first = Math.max(0, Math.floor(scroller.scrollTop / box.row));
    return [first, Math.min(n, Math.ceil((scroller.scrollTop + box.height) / box.row))];
  }

  function paint() {
    if (!scene) return;
    const ctx = fit(base, box.width, box.height);
    const [first, end] = inSight();
    /** @type {Line[]} */
    let lines = [];
    for (let row = first; row < end; row++) lines.push(...linesOf(row));
    const all = lines.length;
    if (all > MAX_LINES) lines = lines.sort((a, b) => b.weight - a.weight).slice(0, MAX_LINES);
    stroke(ctx, lines, bound(Math.sqrt(250 / lines.length), 0.14, 0.75)); // a thicket is drawn fainter
    write(ctx, () => 0);
    note.textContent =
      `Lines: the fewest that hold ${scene.view.mass} % of each row’s attention` +
      (all > MAX_LINES
        ? `; the ${MAX_LINES.toLocaleString("en")} strongest of ${all.toLocaleString("en")} are drawn.`
        : ".");
  }

  /** @param {CanvasRenderingContext2D} ctx @param {Line[]} lines @param {number} strength */
  function stroke(ctx, lines, strength) {
    if (!scene) return;
    const { tops } = scene.model;
    /** @type {Map<number, Path2D>} */
    const paths = new Map();
    const middle = (box.left + box.right) / 2;
    for (const { row, column, weight, head } of lines) {
      const tone = bound(Math.ceil((weight / tops[row]) * TONES), 1, TONES);
      const id = head * (TONES + 1) + tone;
      const path = remember(paths, id, () => new Path2D());
      const [y1, y2] = [row, column].map((i) => (i + 0.5) * box.row - scroller.scrollTop);
      path.moveTo(box.left + 4, y1);
      path.bezierCurveTo(middle, y1, middle, y2, box.right - 4, y2);
    }
    for (const [id, path] of [...paths].sort(([a], [b]) => (a % (TONES + 1)) - (b % (TONES + 1)))) {
      const tone = (id % (TONES + 1)) / TONES;
      ctx.strokeStyle = scene.theme.headCss(
        Math.floor(id / (TONES + 1)),
        strength * (0.1 + 0.9 * tone),
      );
      ctx.lineWidth = 0.6 + 2.6 * tone;
      ctx.stroke(path);
    }
  }

  /**
   * The tokens of both columns.
   * @param {CanvasRenderingContext2D} ctx
   * @param {(i: number, isRow: boolean) => number} shade 0 to 1, the tint behind a token
   * @param {(i: number, isRow: boolean) => string} [number] written at the edge
   */
  function write(ctx, shade, number = () => "") {
    if (!scene) return;
    const { rows, columns } = scene.model.picture;
    const top = Math.floor(scroller.scrollTop / box.row);
    const end = Math.ceil((scroller.scrollTop + box.height) / box.row);
    ctx.font = `${box.row < 20 ? 12 : 13}px ${scene.theme.font}`;
    ctx.textBaseline = "middle";
    for (const isRow of [true, false]) {
      const units = isRow ? rows : columns;
      for (let i = top; i < Math.min(end, units.length); i++) {
        const y = (i + 0.5) * box.row - scroller.scrollTop;
        const tint = shade(i, isRow);
        const [x, w] = isRow ? [0, box.left] : [box.right, box.left];
        if (tint > 0) {
          ctx.fillStyle = scene.theme.accentCss(0.08 + 0.42 * tint);
          ctx.beginPath();
          ctx.roundRect(x, y - box.row / 2 + 1, w, box.row - 2, 4);
          ctx.fill();
        }
        ctx.fillStyle = units[i].special ? scene.theme.muted : scene.theme.text;
        ctx.textAlign = isRow ? "right" : "left";
        const digit = number(i, isRow);
        ctx.fillText(
          shorten(ctx, units[i].text, box.left - (digit ? 52 : 12)),
          isRow ? box.left - 6 : box.right + 6,
          y,
        );
        if (digit) {
          ctx.textAlign = isRow ? "left" : "right";
          ctx.fillText(digit, isRow ? 4 : box.width - 4, y);
        }
        if (i > 0 && units[i].segment !== units[i - 1].segment) {
          ctx.fillStyle = scene.theme.border;
          ctx.fillRect(x, y - box.row / 2, w, 1);
        }
      }
    }
  }

  /** The lines of what is pointed at, alone. @param {Scene} next */
  function focus(next) {
    scene = next;
    if (!scroller.clientWidth || !base.width) return;
    const { row, column } = scene.focus;
    const { picture, tops } = scene.model;
    const pointed = row !== null || column !== null;
    base.style.visibility = pointed ? "hidden" : "visible";
    const ctx = fit(over, box.width, box.height);
    scroller.setAttribute("aria-label", `Flow. ${scene.says}`);
    if (!pointed) return;
    const [first, end] = row !== null ? [row, row + 1] : inSight();
    /** @type {Line[]} */
    const lines = [];
    for (let r = first; r < end; r++) {
      lines.push(...linesOf(r).filter((line) => column === null || line.column === column));
    }
    // A cell that the mass slider leaves out is still drawn when it is pointed at itself.
    if (row !== null && column !== null && !lines.length) {
      scene.model.perHead.forEach(({ head, picture: own }) =>
        lines.push({ row, column, head, weight: own.weights[row * own.columns.length + column] }),
      );
    }
    stroke(ctx, lines, 1);
    const weight = (/** @type {number} */ r, /** @type {number} */ c) =>
      picture.weights[r * picture.columns.length + c];
    const value = (/** @type {number} */ i, /** @type {boolean} */ isRow) => {
      if (isRow) return column !== null && (row === null || row === i) ? weight(i, column) : -1;
      return row !== null && (column === null || column === i) ? weight(row, i) : -1;
    };
    write(
      ctx,
      (i, isRow) => {
        if (isRow ? i === row : i === column) return 1;
        const v = value(i, isRow);
        return v < 0 ? 0 : bound(v / tops[isRow ? i : (row ?? 0)], 0, 1) * 0.8;
      },
      (i, isRow) => {
        const v = value(i, isRow);
        return v >= 0.005 ? digits(v) : "";
      },
    );
  }

  return { element, draw, focus };
}
