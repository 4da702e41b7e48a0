// All heads twice: a map with a cell for each, and a plane on which like heads stand together.

import { bound } from "../numbers/basics.js";
import { dotsOf, nameable, nearestDot } from "../numbers/headplane.js";
import { isMarked, isOfKinds, measureOf } from "../numbers/headsview.js";
import {
  headsSentence,
  MAP_HELP,
  nameOf,
  planeWords,
  scaleWords,
  spokenOf,
} from "../numbers/headwords.js";
import { sentences, t } from "../numbers/language.js";
import { helpMark, term } from "../parts/bubble.js";
import { h, pointIn, setText, woven } from "../parts/dom.js";
import { createHeadMap } from "../parts/headmap.js";
import { paintOn } from "../parts/paint.js";

/**
 * @typedef {import("../numbers/headplane.js").Dot} Dot
 * @typedef {import("../numbers/headsview.js").HeadsState} HeadsState
 * @typedef {import("../parts/paint.js").Pen} Pen
 * @typedef {import("../parts/paint.js").Box} Box
 * @typedef {import("../parts/theme.js").Theme} Theme
 * @typedef {{hover: (head: number | null) => void, pick: (head: number) => void,
 *            explorePicked: () => void, picked: () => number}} PictureActs
 */

/** @param {PictureActs} act */
export function createHeadPictures(act) {
  const map = createHeadMap({
    hover: act.hover,
    pick: act.pick,
    from: () => Math.max(act.picked(), 0),
    go: act.pick,
    enter: act.explorePicked,
    leave: () => act.pick(-1),
  });
  const plane = createHeadPlane(act);
  const scale = h("span", { class: "ax-help" });
  const title = h(
    "h3",
    {},
    ...woven(t("Every {head}, by {layer}"), {
      head: term("head", t("head")),
      layer: term("layer", t("layer")),
    }),
  );
  const kinds = h("div", { class: "ax-kinds" });
  const mapSection = h(
    "section",
    { class: "ax-head-map" },
    h("div", { class: "ax-title" }, title, helpMark(MAP_HELP), scale),
    map.element,
    kinds,
  );

  /** @param {HeadsState} state @param {Theme} theme */
  function show(state, theme) {
    showMap(map, scale, state, theme);
    plane.show(state, theme, 280);
  }

  return { map: mapSection, plane: plane.element, kinds, show };
}

/** The last kind, of what follows no rule, is grey. @param {HeadsState} state @param {Theme} theme @param {number} kind @param {number} [alpha] */
export const kindCss = ({ heads }, theme, kind, alpha = 1) =>
  kind === heads.kinds.length - 1 ? theme.greyCss(alpha) : theme.headCss(kind, alpha);

// — the map —

const DIGITS = 11; // pixels of a row that has room for numbers

/**
 * @param {ReturnType<typeof createHeadMap>} map @param {HTMLElement} scale
 * @param {HeadsState} state @param {Theme} theme
 */
function showMap(map, scale, state, theme) {
  const measure = measureOf(state);
  const { numbers, n_heads: width } = state.heads;
  const top = Math.max(1e-9, ...measure.mean.map((x) => Math.abs(x ?? 0)));
  map.show(
    [numbers.length, width],
    theme,
    sentences(t("Heads by {measure}.", { measure: measure.name }), headsSentence(state, spokenOf)),
    (pen, i, box) => {
      const value = measure.mean[i];
      const level = bound(Math.round((255 * Math.max(0, value ?? 0)) / top), 0, 255);
      paintHead(pen, box, state, theme, { i, value, level });
    },
    numbers,
  );
  setText(scale, scaleWords(measure, top));
}

/**
 * @param {Pen} pen @param {Box} box @param {HeadsState} state @param {Theme} theme
 * @param {{i: number, value: number | null, level: number}} of level: its colour, of 256
 */
function paintHead(pen, box, state, theme, { i, value, level }) {
  const marked = isMarked(state, i);
  if (isOfKinds(state, i)) {
    const edge = kindCss(state, theme, state.heads.heads[i].kind);
    paintCell(pen, box, theme, { value, level, marked, edge });
    return;
  }
  pen.strokeStyle = theme.border;
  pen.lineWidth = 1;
  pen.strokeRect(box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1);
  if (marked) frame(pen, box, theme);
}

/**
 * One head’s number as a cell.
 * @param {Pen} pen @param {Box} box @param {Theme} theme
 * @param {{value: number | null, level: number, marked: boolean, edge?: string}} of
 *   edge: the colour of its kind
 */
export function paintCell(pen, box, theme, { value, level, marked, edge }) {
  const { x, y, width, height } = box;
  pen.fillStyle = theme.fills[level];
  pen.fillRect(x, y, width, height);
  if (edge) {
    pen.fillStyle = edge;
    pen.fillRect(x, y, 3, height);
  }
  if (width >= 28 && height >= DIGITS && value !== null) {
    pen.fillStyle = theme.inks[level];
    pen.fillText(short(value), x + width / 2 + (edge ? 2 : 0), y + height / 2);
  }
  if (marked) frame(pen, box, theme);
}

/** @param {Pen} pen @param {Box} box @param {Theme} theme */
function frame(pen, { x, y, width, height }, theme) {
  pen.strokeStyle = theme.accent;
  pen.lineWidth = 2;
  pen.strokeRect(x, y, width, height);
}

/** @param {number} value */
const short = (value) =>
  Math.abs(value) >= 10 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 1 ? 1 : 2);

// — the plane —

/** @param {PictureActs} act */
function createHeadPlane(act) {
  const canvas = document.createElement("canvas");
  const title = h("div", { class: "ax-title" });
  const element = h("section", { class: "ax-head-plane" }, title, canvas);
  let said = "";
  /** @type {HeadsState | null} */
  let state = null;
  /** @type {Dot[]} */
  let dots = [];
  /** @param {MouseEvent} event */
  function headAt(event) {
    const shown = state;
    const [x, y] = pointIn(canvas, event);
    return shown && nearestDot(dots, { x, y }, (i) => isOfKinds(shown, i));
  }
  canvas.setAttribute("role", "img");
  canvas.addEventListener("pointermove", (event) => act.hover(headAt(event)));
  canvas.addEventListener("pointerleave", () => act.hover(null));
  canvas.addEventListener("click", (event) => {
    const head = headAt(event);
    if (head !== null) act.pick(head);
  });

  /** @param {HeadsState} shown @param {Theme} theme @param {number} height */
  function show(shown, theme, height) {
    const width = Math.max(280, Math.min(element.clientWidth || 500, 720));
    const now = dotsOf(shown.heads.places, width, height);
    [state, dots] = [shown, now];
    paintOn(canvas, width, height, (pen) => {
      pen.strokeStyle = theme.border;
      pen.lineWidth = 1;
      pen.strokeRect(0.5, 0.5, width - 1, height - 1);
      pen.textBaseline = "middle";
      paintDots(pen, now, shown, theme);
      paintNames(pen, now, shown, theme, width); // last, so that no dot covers them
    });
    explain(planeWords(shown.heads));
    const placed = t("Heads placed by how alike their attention is.");
    const label = sentences(placed, headsSentence(shown, spokenOf));
    canvas.setAttribute("aria-label", label);
  }

  /** @param {string} words */
  function explain(words) {
    if (words === said) return;
    said = words;
    title.replaceChildren(h("h3", {}, t("Every head, near what it resembles")), helpMark(words));
  }

  return { element, show };
}

/** @param {Pen} pen @param {Dot[]} dots @param {HeadsState} state @param {Theme} theme */
function paintDots(pen, dots, state, theme) {
  dots.forEach(({ x, y }, i) => {
    const on = isMarked(state, i);
    pen.beginPath();
    pen.arc(x, y, on ? 8 : 5, 0, 2 * Math.PI);
    pen.fillStyle = kindCss(
      state,
      theme,
      state.heads.heads[i].kind,
      isOfKinds(state, i) ? 1 : 0.15,
    );
    pen.fill();
    if (on) {
      pen.strokeStyle = theme.accent;
      pen.lineWidth = 2;
      pen.stroke();
    }
  });
}

/** @param {Pen} pen @param {Dot[]} dots @param {HeadsState} state @param {Theme} theme @param {number} width */
function paintNames(pen, dots, state, theme, width) {
  const isOn = (/** @type {number} */ i) => isMarked(state, i);
  for (const i of nameable(dots, isOn, (i) => isOfKinds(state, i))) {
    const { x, y } = dots[i];
    const end = x > width - 46;
    pen.textAlign = end ? "right" : "left";
    pen.font = `${isOn(i) ? "600 13" : "11"}px ${theme.font}`;
    pen.fillStyle = isOn(i) ? theme.text : theme.muted;
    pen.fillText(nameOf(state.heads, i), x + (end ? -9 : 9), y);
  }
}
