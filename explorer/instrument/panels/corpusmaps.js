// All heads over a corpus twice: a map of one measure, and a scatter of two with their spread.

import { bound } from "../numbers/basics.js";
import {
  dotAt,
  dotsOf,
  indexOf,
  measureOf,
  placeOf,
  ticksOf,
  valuesOf,
} from "../numbers/corpus.js";
import { nameOf, scaleWords, spokenSentence, titled } from "../numbers/corpuswords.js";
import { t } from "../numbers/language.js";
import { helpMark } from "../parts/bubble.js";
import { h, keys, pointIn, setText } from "../parts/dom.js";
import { createHeadMap } from "../parts/headmap.js";
import { paintOn } from "../parts/paint.js";
import { paintCell } from "./headpictures.js";

/**
 * @typedef {import("../numbers/corpus.js").CorpusState} CorpusState
 * @typedef {import("../numbers/corpus.js").Dot} Dot
 * @typedef {import("../numbers/corpus.js").Frame} Frame
 * @typedef {import("../parts/paint.js").Pen} Pen
 * @typedef {import("../parts/theme.js").Theme} Theme
 * @typedef {{hover: (head: number | null) => void, pick: (head: number) => void,
 *            picked: () => number, open: () => void, x: (key: string) => void,
 *            y: (key: string) => void, bars: (on: boolean) => void}} MapActs
 */

const TALL = 300; // pixels of the scatter
const MANY = 300; // heads from which dots and bars are thin
const MAP_HELP = () =>
  t(
    "One cell for each head; the full colour is the largest mean of all. Click a head to see what it does, in the map or in the scatter; arrow keys lead to the next one.",
  );
const SCATTER_HELP = () =>
  t(
    "Each head where its means of two measures are. The bars reach one standard deviation over texts to either side: a head with long bars does one thing in some texts and another in others.",
  );

/** @param {MapActs} act */
export function createCorpusMap(act) {
  const map = createHeadMap({
    hover: act.hover,
    pick: act.pick,
    from: () => Math.max(act.picked(), 0),
    go: act.pick,
    enter: act.open,
    leave: () => act.pick(-1),
  });
  const scale = h("span", { class: "ax-help" });
  const title = h("h3", {}, t("Every head, by layer"));
  const element = h(
    "section",
    { class: "ax-corpus-map" },
    h("div", { class: "ax-title" }, title, helpMark(MAP_HELP()), scale),
    map.element,
  );

  /** @param {CorpusState} state @param {Theme} theme */
  function show(state, theme) {
    const { corpus, view } = state;
    const values = valuesOf(corpus, corpus.mean, view.measure);
    const measure = measureOf(corpus, view.measure);
    const top = values.reduce((most, x) => Math.max(most, Math.abs(x) || 0), 1e-9);
    const label = `${measure.name}. ${spokenSentence(state)}`;
    map.show(
      [corpus.layers.length, corpus.n_heads],
      theme,
      label,
      (pen, i, box) => {
        const value = Number.isNaN(values[i]) ? null : values[i];
        const level = bound(Math.round((255 * Math.max(0, value ?? 0)) / top), 0, 255);
        const marked = i === view.pick || i === state.hovered;
        paintCell(pen, box, theme, { value, level, marked });
      },
      corpus.layers,
    );
    setText(scale, scaleWords(measure, top));
  }

  return { element, show };
}

/** @param {MapActs} act */
export function createCorpusScatter(act) {
  const canvas = document.createElement("canvas");
  const [x, y] = [axisSelect(t("Across"), act.x), axisSelect(t("Up"), act.y)];
  const box = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox" }));
  box.addEventListener("change", () => act.bars(box.checked));
  const bars = h("label", { class: "ax-corpus-spread" }, box, t("Spread over texts"));
  const name = h("h3", {}, t("Every head, by two measures"));
  const title = h("div", { class: "ax-title" }, name, helpMark(SCATTER_HELP()));
  const element = h(
    "section",
    { class: "ax-corpus-scatter" },
    title,
    h("div", { class: "ax-tools" }, x.element, y.element, bars),
    canvas,
  );
  /** @type {Dot[]} */
  let dots = [];
  /** @type {CorpusState | null} */
  let shown = null;
  const under = (/** @type {MouseEvent} */ event) => dotAt(dots, ...pointIn(canvas, event));
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.addEventListener("pointermove", (event) => act.hover(under(event)));
  canvas.addEventListener("pointerleave", () => act.hover(null));
  canvas.addEventListener("click", (event) => {
    const head = under(event);
    if (head !== null) act.pick(head);
  });
  keys(
    canvas,
    (dx, dy) => shown && act.pick(headBeside(shown, act.picked(), dx, dy)),
    act.open,
    () => act.pick(-1),
  );

  /** @param {CorpusState} state @param {Theme} theme */
  function show(state, theme) {
    const width = bound(element.clientWidth || 500, 260, 720);
    const frame = { left: 50, right: width - 12, top: 10, bottom: TALL - 38 };
    const found = dotsOf(state, frame);
    [dots, shown] = [found.dots, state];
    x.show(state, state.view.x);
    y.show(state, state.view.y);
    box.checked = state.view.bars;
    bars.hidden = state.corpus.spread.every(Number.isNaN); // a tree made by others has none
    paintOn(canvas, width, TALL, (pen) => {
      paintAxes(pen, frame, found.axes, state, theme);
      paintDots(pen, found.dots, frame, state, theme);
    });
    const [one, other] = [state.view.x, state.view.y].map((key) => measureOf(state.corpus, key));
    const label = t("{one} across, {other} up.", { one: one.name, other: other.name });
    canvas.setAttribute("aria-label", `${label} ${spokenSentence(state)}`);
  }

  return { element, show, saved: [title, canvas] };
}

/** The head that an arrow key leads to, as in the map. @param {CorpusState} state @param {number} from @param {number} dx @param {number} dy */
function headBeside({ corpus }, from, dx, dy) {
  const { layer, head } = placeOf(corpus, Math.max(from, 0));
  const at = bound(corpus.layers.indexOf(layer) + dy, 0, corpus.layers.length - 1);
  return indexOf(corpus, corpus.layers[at], bound(head + dx, 0, corpus.n_heads - 1));
}

/** A choice of a measure. @param {string} label @param {(key: string) => void} choose */
export function axisSelect(label, choose) {
  const select = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": label }));
  select.addEventListener("change", () => choose(select.value));
  const element = h(
    "fieldset",
    { class: "ax-choice" },
    h("legend", {}, label),
    h("div", {}, select),
  );
  return {
    element,
    /** @param {CorpusState} state @param {string} key */
    show: ({ corpus }, key) => {
      const keysNow = corpus.measures.map((m) => m.key).join();
      if (keysNow !== [...select.options].map((option) => option.value).join())
        select.replaceChildren(
          ...corpus.measures.map((m) => h("option", { value: m.key }, m.name)),
        );
      select.value = key;
    },
  };
}

/** @param {Pen} pen @param {Frame} frame @param {{x: import("../numbers/corpus.js").Axis, y: import("../numbers/corpus.js").Axis}} axes @param {CorpusState} state @param {Theme} theme */
function paintAxes(pen, frame, axes, { corpus, view }, theme) {
  const { left, right, top, bottom } = frame;
  pen.strokeStyle = theme.border;
  pen.lineWidth = 1;
  pen.strokeRect(left, top, right - left, bottom - top);
  pen.font = `11px ${theme.font}`;
  pen.fillStyle = theme.muted;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const [mx, my] = [measureOf(corpus, view.x), measureOf(corpus, view.y)];
  for (const tick of ticksOf(axes.x)) {
    const at = left + ((tick - axes.x.low) / (axes.x.high - axes.x.low)) * (right - left);
    pen.fillText(shortly(tick), at, bottom + 11);
  }
  pen.fillText(titled(mx), (left + right) / 2, bottom + 28);
  pen.textAlign = "right";
  for (const tick of ticksOf(axes.y)) {
    const at = bottom - ((tick - axes.y.low) / (axes.y.high - axes.y.low)) * (bottom - top);
    pen.fillText(shortly(tick), left - 6, at);
  }
  pen.save();
  pen.translate(9, (top + bottom) / 2);
  pen.rotate(-Math.PI / 2);
  pen.textAlign = "center";
  pen.fillText(titled(my), 0, 0);
  pen.restore();
}

/** @param {number} value */
const shortly = (value) => String(Number(value.toPrecision(4))).replace("-", "−");

/** @param {Pen} pen @param {Dot[]} dots @param {Frame} frame @param {CorpusState} state @param {Theme} theme */
function paintDots(pen, dots, frame, state, theme) {
  const { corpus, view, hovered } = state;
  const isOn = (/** @type {number} */ i) => i === view.pick || i === hovered;
  const size = dots.length > MANY ? 3 : 5;
  pen.save();
  pen.beginPath();
  pen.rect(frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top);
  pen.clip();
  for (const dot of dots) {
    if (view.bars || isOn(dot.i)) paintBars(pen, dot, isOn(dot.i), dots.length > MANY, theme);
  }
  for (const { x, y } of dots) {
    pen.beginPath();
    pen.arc(x, y, size, 0, 2 * Math.PI);
    pen.fillStyle = theme.accentCss(dots.length > MANY ? 0.55 : 0.75);
    pen.fill();
  }
  pen.restore();
  for (const { i, x, y } of dots.filter((dot) => isOn(dot.i))) {
    pen.beginPath();
    pen.arc(x, y, size + 3, 0, 2 * Math.PI);
    pen.strokeStyle = theme.text;
    pen.lineWidth = 2;
    pen.stroke();
    const end = x > frame.right - 60;
    pen.textAlign = end ? "right" : "left";
    pen.textBaseline = "middle";
    pen.font = `600 13px ${theme.font}`;
    pen.fillStyle = theme.text;
    pen.fillText(
      nameOf(corpus, i),
      x + (end ? -11 : 11),
      bound(y, frame.top + 8, frame.bottom - 8),
    );
  }
}

/** One standard deviation to either side. @param {Pen} pen @param {Dot} dot @param {boolean} on @param {boolean} thin @param {Theme} theme */
function paintBars(pen, { x, y, dx, dy }, on, thin, theme) {
  pen.beginPath();
  pen.moveTo(x - dx, y);
  pen.lineTo(x + dx, y);
  pen.moveTo(x, y - dy);
  pen.lineTo(x, y + dy);
  pen.strokeStyle = on ? theme.text : theme.accentCss(thin ? 0.06 : 0.3);
  pen.lineWidth = on ? 1.5 : 1;
  pen.stroke();
}
