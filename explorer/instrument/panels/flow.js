// The flow: tokens that look on one side, tokens that are looked at on the other, a line for each
// weight. The sides stand as columns, or as lines of text above one another. Only the rows in sight
// are drawn, so its cost does not grow with the text.

import { bound, range, remember } from "../numbers/basics.js";
import { edgesOf, indexAt, settingOf, touching } from "../numbers/edges.js";
import { digits, heaviest, rowOf } from "../numbers/model.js";
import { focusOn } from "../numbers/words.js";
import { choice, h, keys, picking, setText } from "../parts/dom.js";
import { paintOn, plate, shorten } from "../parts/paint.js";
import { pairsTable } from "../parts/table.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../pages/explore.js").Actions} Actions
 * @typedef {import("../parts/paint.js").Pen} Pen
 * @typedef {{row: number, column: number, weight: number, head: number}} Line
 */

const MAX_HEIGHT = 560;
const ROW = [18, 30]; // pixels, least and most
const ACROSS_HEIGHT = 320;
const LABEL_HEIGHT = 40; // of a line of text with its numbers
const UNIT = [26, 130]; // pixels that a token takes along a line, least and most
const STRETCH = 1.8; // of a line that is shorter than the panel, at most
const MAX_LINES = 800; // drawn at once, the heaviest: more are a thicket, and cost frames
const TONES = 10;
/** @type {Set<number>} */
const EVERY = new Set();

/** @param {Actions} actions @param {import("../parts/tools.js").Change} change */
export function createFlow(actions, change) {
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
  const help = h("p", { class: "ax-help ax-tip" });
  const setting = choice(
    "",
    [
      ["down", "columns", "Tokens in two columns"],
      ["across", "lines", "Tokens in two lines of text"],
    ],
    (/** @type {"down" | "across"} */ value) =>
      change((view) => ({ ...view, flow: value }), { model: true }),
  );
  const table = pairsTable("flow");
  const element = h(
    "section",
    { class: "ax-panel ax-panel-flow", "aria-label": "Flow" },
    h("div", { class: "ax-title" }, h("h3", {}, "Flow"), setting.element),
    help,
    scroller,
    note,
    table.element,
  );
  /** @type {Scene | null} */
  let scene = null;
  /** @type {"row" | "column"} */
  let side = "row"; // the side that the arrow keys walk on
  let anchor = 0; // where walking with Shift began
  const box = { width: 1, height: 1, near: 0, far: 0, row: 20, extent: 0 };
  let [across, rtl] = [false, false];
  let at = 0; // how far it is scrolled; asking the element would cost a layout
  let edges = { row: edgesOf([]), column: edgesOf([]) };
  /** @type {Map<number, number[]>} */
  let kept = new Map(); // heaviest keys, by head and row

  scroller.addEventListener("scroll", () => {
    at = across ? Math.abs(scroller.scrollLeft) : scroller.scrollTop;
    if (scene) {
      paintOn(base, box.width, box.height, paintBase);
      focus(scene);
    }
  });
  picking(
    stage,
    tokenAt,
    (where, units) => actions.hover(units && focusOn(where, units), panel),
    (where, units, event) => actions.pick(where, units, event.shiftKey),
  );
  keys(
    scroller,
    (dx, dy, shift) => {
      if (!scene) return;
      const [along, other] = across ? [rtl ? -dx : dx, dy] : [dy, dx];
      if (other) side = other < 0 ? "row" : "column";
      const n = edges[side].length - 1;
      const now = side === "row" ? scene.focus.rows : scene.focus.columns;
      const last = anchor === now[0] ? now[now.length - 1] : now[0];
      const next = now.length ? bound((last ?? 0) + along, 0, n - 1) : 0;
      if (!shift) anchor = next;
      reveal(next);
      actions.walk(focusOn(side, shift ? range(anchor, next) : [next]));
    },
    (shift) => {
      if (!scene) return;
      const units = side === "row" ? scene.focus.rows : scene.focus.columns;
      if (units.length) actions.pick(side, units, shift);
    },
    actions.clear,
  );

  const length = () => (across ? box.width : box.height);

  /** @param {MouseEvent} event */
  function tokenAt(event) {
    if (!scene) return null;
    const frame = stage.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    const along = (across ? (rtl ? box.width - x : x) : y) + at;
    const between = across ? y : x;
    const slack = 8;
    /** @type {"row" | "column" | null} */
    const where = between < box.near + slack ? "row" : between > box.far - slack ? "column" : null;
    if (!where) return null;
    const i = indexAt(edges[where], along);
    return i < 0 ? null : { side: where, i };
  }

  /** Scroll a token into sight. @param {number} i */
  function reveal(i) {
    const [from, to] = [edges.row[i] ?? edges.column[i], edges.row[i + 1] ?? edges.column[i + 1]];
    if (from >= at && to <= at + length()) return;
    const next = Math.max(0, from - length() / 2);
    if (across) scroller.scrollLeft = rtl ? -next : next;
    else scroller.scrollTop = next;
    at = across ? Math.abs(scroller.scrollLeft) : scroller.scrollTop;
  }

  /**
   * The middle of a token along its side, from the stage's edge. The one token that is pinned stays
   * at the edge when it is scrolled out of sight.
   * @param {number} i @param {boolean} isRow
   */
  function middleOf(i, isRow) {
    const own = isRow ? edges.row : edges.column;
    const chosen = isRow ? scene?.focus.rows : scene?.focus.columns;
    const half = (own[i + 1] - own[i]) / 2;
    let middle = own[i] + half - at;
    if (chosen?.length === 1 && chosen[0] === i) middle = bound(middle, half, length() - half);
    return rtl && across ? box.width - middle : middle;
  }

  /** @param {Scene} next */
  function draw(next) {
    scene = next;
    kept = new Map();
    const { rows, columns } = scene.model.picture;
    const n = Math.max(rows.length, columns.length);
    const auto = settingOf(scene.trace.head.query_tokens);
    across = scene.view.flow === "auto" ? auto.across : scene.view.flow === "across";
    rtl = auto.rtl && across;
    element.classList.toggle("ax-wide", across);
    setting.show(across ? "across" : "down");
    const how = across ? "Above looks at below." : "Left looks at right.";
    setText(help, `${how} Point at a token for its lines alone; click pins it.`);
    scroller.dir = rtl ? "rtl" : "ltr";
    if (!scroller.clientWidth || !n) return;
    if (across) placeAcross();
    else placeDown(n);
    paintOn(base, box.width, box.height, paintBase);
    const first = scene.focus.rows[0] ?? scene.focus.columns[0];
    if (first !== undefined && scene.moved) reveal(first);
    focus(scene);
    table.fill(scene);
  }

  /** @param {number} n */
  function placeDown(n) {
    if (!scene) return;
    const { rows, columns } = scene.model.picture;
    box.row = bound(MAX_HEIGHT / n, ROW[0], ROW[1]);
    box.extent = n * box.row;
    scroller.style.height = `${Math.min(box.extent, MAX_HEIGHT)}px`;
    Object.assign(spacer.style, { height: `${box.extent}px`, width: "auto" });
    box.height = Math.min(box.extent, MAX_HEIGHT);
    box.width = scroller.clientWidth;
    box.near = Math.round(box.width * 0.3);
    box.far = box.width - box.near;
    const same = (/** @type {unknown[]} */ units) => edgesOf(units.map(() => box.row));
    edges = { row: same(rows), column: same(columns) };
    sizeStage();
  }

  function placeAcross() {
    if (!scene) return;
    const { rows, columns } = scene.model.picture;
    const pen = /** @type {Pen} */ (base.getContext("2d"));
    pen.font = fontOf();
    const width = (/** @type {import("../numbers/model.js").Unit} */ unit) =>
      bound(pen.measureText(unit.text).width + 14, UNIT[0], UNIT[1]);
    const sizes = [rows, columns].map((units) => Float64Array.from(units, width));
    const longest = Math.max(...sizes.map((side) => side.reduce((sum, size) => sum + size, 0)));
    const stretch = bound(scroller.clientWidth / longest, 1, STRETCH); // a short line fills the room
    const [row, column] = sizes.map((side) => edgesOf(side.map((size) => size * stretch)));
    edges = { row, column };
    box.extent = Math.floor(longest * stretch);
    box.width = Math.min(scroller.clientWidth, box.extent);
    box.height = ACROSS_HEIGHT;
    box.near = LABEL_HEIGHT;
    box.far = box.height - LABEL_HEIGHT;
    box.row = LABEL_HEIGHT;
    scroller.style.height = "auto";
    Object.assign(spacer.style, { height: `${box.height}px`, width: `${box.extent}px` });
    sizeStage();
  }

  function sizeStage() {
    Object.assign(stage.style, { width: `${box.width}px`, height: `${box.height}px` });
  }

  const fontOf = () =>
    `${across || box.row >= 20 ? 13 : 12}px ${scene?.theme.font ?? "sans-serif"}`;

  /** The keys that a row's lines go to. @param {number} head its place among the chosen @param {number} row */
  function targets(head, row) {
    if (!scene) return [];
    const { perHead, picture } = scene.model;
    const share = scene.view.mass / 100;
    return remember(kept, head * picture.rows.length + row, () =>
      heaviest(rowOf(perHead[head].picture, row), share),
    );
  }

  /**
   * @param {number} row @param {number} [least] weight @param {Set<number>} [wanted] keys; all if empty
   * @returns {Line[]}
   */
  function linesOf(row, least = 0, wanted = EVERY) {
    if (!scene) return [];
    const { perHead, picture } = scene.model;
    /** @type {Line[]} */
    const lines = [];
    perHead.forEach(({ head, picture: own }, i) => {
      for (const column of targets(i, row)) {
        const weight = own.weights[row * picture.columns.length + column];
        if (weight < least || (wanted.size && !wanted.has(column))) continue;
        lines.push({ row, column, head, weight });
      }
    });
    return lines;
  }

  /**
   * The weight that the lines of some rows need to be drawn, and how many lines there are.
   * @param {number[]} rows
   * @returns {[number, number]}
   */
  function threshold(rows) {
    if (!scene) return [0, 0];
    const { perHead, picture } = scene.model;
    const n = picture.columns.length;
    const weights = rows.flatMap((row) =>
      perHead.flatMap(({ picture: own }, i) =>
        targets(i, row).map((column) => own.weights[row * n + column]),
      ),
    );
    if (weights.length <= MAX_LINES) return [0, weights.length];
    return [Float32Array.from(weights).sort()[weights.length - MAX_LINES], weights.length];
  }

  function rowsInSight() {
    const [first, end] = touching(edges.row, at, at + length());
    return end > first ? range(first, end - 1) : [];
  }

  /** @param {Pen} pen */
  function paintBase(pen) {
    if (!scene) return;
    const rows = rowsInSight();
    const [least, all] = threshold(rows);
    const lines = rows.flatMap((row) => linesOf(row, least)).slice(0, MAX_LINES);
    const air = bound(Math.sqrt(250 / lines.length), 0.2, 1); // a thicket is fainter and thinner
    stroke(pen, lines, 0.75 * air, air * air);
    write(pen, () => 0);
    const drawn = `; the ${MAX_LINES.toLocaleString("en")} strongest of ${all.toLocaleString("en")} are drawn.`;
    setText(
      note,
      `Lines: the fewest that hold ${scene.view.mass} % of each row’s attention` +
        (all > MAX_LINES ? drawn : "."),
    );
  }

  /** @param {Pen} pen @param {Line[]} lines @param {number} strength @param {number} [width] */
  function stroke(pen, lines, strength, width = 1) {
    if (!scene) return;
    const { tops } = scene.model;
    /** @type {Map<number, Line[]>} */
    const byTone = new Map();
    for (const line of lines) {
      const tone = bound(Math.ceil((line.weight / tops[line.row]) * TONES), 1, TONES);
      remember(byTone, line.head * (TONES + 1) + tone, () => []).push(line);
    }
    for (const [id, group] of [...byTone].sort(
      ([a], [b]) => (a % (TONES + 1)) - (b % (TONES + 1)),
    )) {
      const tone = (id % (TONES + 1)) / TONES;
      const head = Math.floor(id / (TONES + 1));
      pen.beginPath();
      for (const { row, column } of group) curve(pen, middleOf(row, true), middleOf(column, false));
      pen.strokeStyle = scene.theme.headCss(head, strength * (0.1 + 0.9 * tone));
      pen.lineWidth = 0.6 + 2.6 * tone * tone * width; // up to 1 pixel is drawn much faster
      pen.stroke();
    }
  }

  /** @param {Pen} pen @param {number} from @param {number} to */
  function curve(pen, from, to) {
    const [a, b, middle] = [box.near + 4, box.far - 4, (box.near + box.far) / 2];
    if (across) {
      pen.moveTo(from, a);
      pen.bezierCurveTo(from, middle, to, middle, to, b);
    } else {
      pen.moveTo(a, from);
      pen.bezierCurveTo(middle, from, middle, to, b, to);
    }
  }

  /**
   * The tokens of both sides.
   * @param {Pen} pen
   * @param {(i: number, isRow: boolean) => number} shade 0 to 1, the tint behind a token
   * @param {(i: number, isRow: boolean) => string} [number] written beside it
   */
  function write(pen, shade, number = () => "") {
    if (!scene) return;
    pen.font = fontOf();
    pen.textBaseline = "middle";
    for (const isRow of [true, false]) {
      const own = isRow ? edges.row : edges.column;
      const [first, end] = touching(own, at, at + length());
      const chosen = isRow ? scene.focus.rows : scene.focus.columns;
      for (let i = first; i < end; i++) token(pen, i, isRow, shade(i, isRow), number(i, isRow));
      // The pinned token stays in sight, over whatever lies there.
      const [only] = chosen;
      if (chosen.length === 1 && (only < first || only >= end)) {
        token(pen, only, isRow, 1, number(only, isRow));
      }
    }
  }

  /** @param {Pen} pen @param {number} i @param {boolean} isRow @param {number} tint @param {string} digit */
  function token(pen, i, isRow, tint, digit) {
    if (!scene) return;
    const units = isRow ? scene.model.picture.rows : scene.model.picture.columns;
    const own = isRow ? edges.row : edges.column;
    const [size, middle] = [own[i + 1] - own[i], middleOf(i, isRow)];
    const { theme } = scene;
    const place = across
      ? { x: middle - size / 2, y: isRow ? 0 : box.far, width: size, height: box.row }
      : { x: isRow ? 0 : box.far, y: middle - size / 2, width: box.near, height: size };
    if (tint > 0) {
      const colour = theme.accentCss(0.08 + 0.42 * tint);
      plate(pen, colour, place.x + 1, place.y + 1, place.width - 2, place.height - 2);
    }
    pen.fillStyle = units[i].special ? theme.muted : theme.text;
    const { text } = units[i];
    if (across) {
      pen.textAlign = "center";
      pen.fillText(shorten(pen, text, size - 4), middle, isRow ? box.near - 13 : box.far + 13);
      if (digit && size >= 34) pen.fillText(digit, middle, isRow ? 10 : box.height - 10);
    } else {
      pen.textAlign = isRow ? "right" : "left";
      const room = box.near - (digit ? 52 : 12);
      pen.fillText(shorten(pen, text, room), isRow ? box.near - 6 : box.far + 6, middle);
      pen.textAlign = isRow ? "left" : "right";
      if (digit) pen.fillText(digit, isRow ? 4 : box.width - 4, middle);
    }
    if (i > 0 && units[i].segment !== units[i - 1].segment) {
      pen.fillStyle = theme.border;
      const start = rtl ? place.x + place.width : place.x;
      if (across) pen.fillRect(start, place.y, 1, place.height);
      else pen.fillRect(place.x, place.y, place.width, 1);
    }
  }

  /** The lines of what is pointed at, alone. @param {Scene} next */
  function focus(next) {
    scene = next;
    if (!box.extent) return;
    const { rows, columns } = scene.focus;
    const pointed = rows.length > 0 || columns.length > 0;
    base.style.visibility = pointed ? "hidden" : "visible";
    over.style.visibility = pointed ? "visible" : "hidden";
    scroller.setAttribute("aria-label", `Flow. ${scene.says}`);
    if (pointed) paintOn(over, box.width, box.height, paintFocus);
  }

  /** @param {Pen} pen */
  function paintFocus(pen) {
    if (!scene) return;
    const { focus: point, given, got, model } = scene;
    const wanted = new Set(point.columns);
    const rows = point.rows.length ? point.rows : rowsInSight();
    let lines = rows.flatMap((row) => linesOf(row, 0, wanted));
    // A cell that the mass slider leaves out is still drawn when it is pointed at itself.
    if (point.rows.length === 1 && wanted.size === 1 && !lines.length) {
      const [row, column] = [point.rows[0], point.columns[0]];
      lines = model.perHead.map(({ head, picture }) => {
        const weight = picture.weights[row * picture.columns.length + column];
        return { row, column, head, weight };
      });
    }
    lines = strongestOf(lines);
    const air = bound(Math.sqrt(150 / lines.length), 0.3, 1);
    stroke(pen, lines, Math.sqrt(air), air * air);
    const chosen = { row: new Set(point.rows), column: wanted };
    const top = model.tops[point.rows[0] ?? 0];
    const value = (/** @type {number} */ i, /** @type {boolean} */ isRow) => {
      const [own, other] = isRow ? [chosen.row, got] : [chosen.column, given];
      return other && (!own.size || own.has(i)) ? other[i] : -1;
    };
    write(
      pen,
      (i, isRow) => {
        if ((isRow ? chosen.row : chosen.column).has(i)) return 1;
        const v = value(i, isRow);
        return v < 0 ? 0 : bound(v / (isRow ? model.tops[i] : top), 0, 1) * 0.8;
      },
      (i, isRow) => {
        const v = value(i, isRow);
        return v >= 0.005 ? digits(v) : "";
      },
    );
  }

  const panel = { element, draw, focus };
  return panel;
}

/** As many lines as are drawn at once. @param {Line[]} lines */
function strongestOf(lines) {
  if (lines.length <= MAX_LINES) return lines;
  const least = Float32Array.from(lines, (line) => line.weight).sort()[lines.length - MAX_LINES];
  return lines.filter((line) => line.weight >= least).slice(0, MAX_LINES);
}
