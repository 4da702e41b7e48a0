// All heads over a corpus as they are sent, and what a reader has chosen of them. Plain data.

import { read } from "../wire/container.js";
import { bound } from "./basics.js";
import { csvCell, exactly } from "./csv.js";

/**
 * @typedef {import("../parts/about.js").About} About
 * @typedef {{key: string, name: string, exactly: string, unit: string, share: boolean,
 *            n: number}} Measure n: how many texts can show it; 0 where nobody says
 * @typedef {[string, number, number, number, number, number, number]} Differing
 *   measure, layer, head, difference, its lower and upper end, corrected chance
 * @typedef {{name: string, title: string, why: string, rows: Differing[], n_differs: number,
 *            n_tested: number, same_texts: boolean}} Beside
 * @typedef {{id: string, name: string, kind: string, link: Record<string, string> | null,
 *            about: About, model: string, corpus: string, measures: Measure[], layers: number[],
 *            n_heads: number, n_texts: number, n_tokens: number, place: [number, number],
 *            head: import("./corpushead.js").CorpusHead | null, others: [string, string][], beside: Beside | null,
 *            growing: boolean, opening: Record<string, string> | null,
 *            pins?: Record<string, string>}} Header pins: what is pinned on all pages
 * @typedef {Header & {mean: Float64Array, spread: Float64Array, low: Float64Array,
 *            high: Float64Array}} Corpus `[measure, head]`, heads counted through all layers
 * @typedef {{measure: string, x: string, y: string, bars: boolean, lowest: boolean, pick: number,
 *            beside: string}} CorpusView
 *   measure: of the map and the order; x, y: of the scatter; bars: whether it shows the spread;
 *   pick: a head, counted through all layers, or -1; beside: the folder that this is compared with
 * @typedef {{corpus: Corpus, view: CorpusView, hovered: number | null, rows: number}} CorpusState
 *   rows: how many the table shows
 */

export const ROWS = 12;
const FIRST = ["previous", "column"]; // what the scatter shows at first, where it is there

/** Whose folder cannot be shown; null of one that can. @param {Uint8Array} bytes */
export const waitsIn = (bytes) => read(bytes).head.waits ?? null;

/** @param {Uint8Array} bytes @returns {{corpus: Corpus, page: Uint8Array}} */
export function unpackCorpus(bytes) {
  const { head, blocks } = read(bytes);
  const [mean, spread, low, high, page] = blocks.map((block) => block.data);
  return {
    corpus: { ...head, mean, spread, low, high },
    page: /** @type {Uint8Array} */ (page),
  };
}

/** How many heads there are. @param {Header} corpus */
export const countOf = ({ layers, n_heads }) => layers.length * n_heads;

/** A head’s number in a measure; NaN where there is none. @param {Corpus} corpus @param {Float64Array} of @param {string} key @param {number} i */
export function numberOf(corpus, of, key, i) {
  const m = corpus.measures.findIndex((measure) => measure.key === key);
  return m < 0 ? Number.NaN : of[m * countOf(corpus) + i];
}

/** All heads’ numbers in a measure. @param {Corpus} corpus @param {Float64Array} of @param {string} key */
export function valuesOf(corpus, of, key) {
  const m = corpus.measures.findIndex((measure) => measure.key === key);
  const n = countOf(corpus);
  return m < 0 ? new Float64Array(n).fill(Number.NaN) : of.subarray(m * n, (m + 1) * n);
}

/** @param {Header} corpus @param {string} key @returns {Measure} */
export const measureOf = ({ measures }, key) =>
  measures.find((measure) => measure.key === key) ?? measures[0];

/** The model’s own number of a head’s layer, and the head’s in it. @param {Header} corpus @param {number} i */
export const placeOf = ({ layers, n_heads }, i) => ({
  layer: layers[Math.floor(i / n_heads)] ?? 0,
  head: i % n_heads,
});

/** A head counted through all layers; -1 where there is none. @param {Header} corpus @param {number} layer @param {number} head */
export function indexOf({ layers, n_heads }, layer, head) {
  const at = layers.indexOf(layer);
  return at >= 0 && Number.isInteger(head) && head >= 0 && head < n_heads
    ? at * n_heads + head
    : -1;
}

/**
 * What a link names, as far as this folder has it.
 * @param {Corpus} corpus @param {URLSearchParams} params @returns {CorpusView}
 */
export function viewOfLink(corpus, params) {
  const keys = corpus.measures.map(({ key }) => key);
  const known = (/** @type {string} */ name, /** @type {string} */ usual) => {
    const said = params.get(name);
    return said && keys.includes(said) ? said : usual;
  };
  const [x, y] = FIRST.map((key, i) => (keys.includes(key) ? key : (keys[i] ?? keys[0])));
  return {
    measure: known("measure", keys[0]),
    x: known("x", x),
    y: known("y", y),
    bars: params.get("bars") === "1",
    lowest: params.get("lowest") === "1",
    pick: pickIn(corpus, params),
    beside: corpus.others.some(([name]) => name === params.get("beside"))
      ? (params.get("beside") ?? "")
      : "",
  };
}

/** The head that a link names, else that of the place. @param {Corpus} corpus @param {URLSearchParams} params */
function pickIn(corpus, params) {
  if (!params.has("layer")) return indexOf(corpus, ...corpus.place);
  const head = Number((params.get("heads") ?? "").split(".")[0]);
  return indexOf(corpus, Number(params.get("layer")), head);
}

/** What a link says of a view: the place, and what is not as at first. @param {CorpusState} state */
export function linkOfView({ corpus, view }) {
  const usual = viewOfLink(corpus, new URLSearchParams());
  /** @type {Record<string, string>} */
  const params = {};
  if (view.pick >= 0) {
    const { layer, head } = placeOf(corpus, view.pick);
    Object.assign(params, { layer: String(layer), heads: String(head), ...corpus.pins });
  }
  for (const name of /** @type {const} */ (["measure", "x", "y"]))
    if (view[name] !== usual[name]) params[name] = view[name];
  if (view.bars) params.bars = "1";
  if (view.lowest) params.lowest = "1";
  if (view.beside) params.beside = view.beside;
  return params;
}

/**
 * The state after a folder has come: another one opens as the link says.
 * @param {CorpusState | null} before @param {Corpus} fresh @param {URLSearchParams} params
 * @returns {CorpusState}
 */
export function withCorpus(before, fresh, params) {
  if (before?.corpus.id !== fresh.id)
    return { corpus: fresh, view: viewOfLink(fresh, params), hovered: null, rows: ROWS };
  return { ...before, corpus: fresh };
}

/** What the server is asked for a view. @param {CorpusState} state */
export function wishOf({ corpus, view }) {
  const place = view.pick >= 0 ? placeOf(corpus, view.pick) : {};
  return { ...place, measure: view.measure, beside: view.beside };
}

/** Whether what is here is what the view asks for. @param {CorpusState} state */
export function isAnswered({ corpus, view }) {
  const { head, beside } = corpus;
  const { layer, head: own } = placeOf(corpus, Math.max(view.pick, 0));
  const isHead =
    view.pick < 0 ||
    (head?.layer === layer && head?.head === own && head?.measure === view.measure);
  return isHead && (beside?.name ?? "") === view.beside;
}

/**
 * Heads in the order of a measure; those without a number last.
 * @param {CorpusState} state
 */
export function rankedOf({ corpus, view }) {
  const values = valuesOf(corpus, corpus.mean, view.measure);
  const sign = view.lowest ? 1 : -1;
  return Array.from(values.keys()).sort((i, j) => {
    const [one, other] = [values[i], values[j]];
    if (Number.isNaN(one) || Number.isNaN(other))
      return Number(Number.isNaN(one)) - Number(Number.isNaN(other)) || i - j;
    return sign * (one - other) || i - j;
  });
}

/**
 * @typedef {{low: number, high: number}} Axis
 * @typedef {{i: number, x: number, y: number, dx: number, dy: number}} Dot
 *   in pixels; dx, dy: how far the spread reaches on either side
 * @typedef {{left: number, right: number, top: number, bottom: number}} Frame
 */

/**
 * From where to where an axis goes: all means, the spread too where that is shown, and some room.
 * @param {Float64Array} values @param {Float64Array | null} spread @param {boolean} share
 * @returns {Axis}
 */
export function axisOf(values, spread, share) {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  values.forEach((x, i) => {
    if (Number.isNaN(x)) return;
    const reach = spread?.[i] || 0;
    [low, high] = [Math.min(low, x - reach), Math.max(high, x + reach)];
  });
  if (low > high) return { low: 0, high: 1 };
  const room = 0.05 * (high - low || Math.abs(high) || 1);
  return { low: share ? Math.max(low - room, 0) : low - room, high: high + room };
}

/**
 * All heads in a plane of two measures; those that have not both are left out.
 * @param {CorpusState} state @param {Frame} frame
 */
export function dotsOf({ corpus, view }, frame) {
  const [xs, ys] = [view.x, view.y].map((key) => valuesOf(corpus, corpus.mean, key));
  const [sx, sy] = [view.x, view.y].map((key) => valuesOf(corpus, corpus.spread, key));
  const axes = {
    x: axisOf(xs, view.bars ? sx : null, measureOf(corpus, view.x).share),
    y: axisOf(ys, view.bars ? sy : null, measureOf(corpus, view.y).share),
  };
  const wide = (frame.right - frame.left) / (axes.x.high - axes.x.low);
  const tall = (frame.bottom - frame.top) / (axes.y.high - axes.y.low);
  /** @type {Dot[]} */
  const dots = [];
  for (let i = 0; i < xs.length; i++) {
    if (Number.isNaN(xs[i]) || Number.isNaN(ys[i])) continue;
    dots.push({
      i,
      x: frame.left + (xs[i] - axes.x.low) * wide,
      y: frame.bottom - (ys[i] - axes.y.low) * tall,
      dx: (sx[i] || 0) * wide,
      dy: (sy[i] || 0) * tall,
    });
  }
  return { dots, axes };
}

const REACH = 14; // pixels from a dot at which it is still meant

/** The nearest dot in reach; null where none is. @param {Dot[]} dots @param {number} x @param {number} y */
export function dotAt(dots, x, y) {
  let [nearest, least] = [/** @type {number | null} */ (null), REACH ** 2];
  for (const dot of dots) {
    const apart = (dot.x - x) ** 2 + (dot.y - y) ** 2;
    if (apart < least) [nearest, least] = [dot.i, apart];
  }
  return nearest;
}

/** Round numbers along an axis, four to six of them. @param {Axis} axis */
export function ticksOf({ low, high }) {
  const raw = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= raw * 0.8) ?? raw;
  const first = Math.ceil(low / step);
  const count = bound(Math.floor(high / step) - first + 1, 0, 12);
  return Array.from({ length: count }, (_, k) => Number(((first + k) * step).toPrecision(12)));
}

/** All numbers of all heads, for a spreadsheet. @param {Corpus} corpus @param {(i: number) => string} nameOf */
export function corpusCsv(corpus, nameOf) {
  const each = corpus.measures.flatMap(({ name }) =>
    [name, `± ${name}`, `${name}, lowest tenth`, `${name}, highest tenth`].map(csvCell),
  );
  const counts = corpus.measures.map(({ name }) => csvCell(`${name}, texts`));
  const rows = Array.from({ length: countOf(corpus) }, (_, i) => {
    const { layer, head } = placeOf(corpus, i);
    const cells = corpus.measures.flatMap(({ key }) =>
      [corpus.mean, corpus.spread, corpus.low, corpus.high].map((of) =>
        inCell(numberOf(corpus, of, key, i)),
      ),
    );
    const own = corpus.measures.map(({ n }) => (n ? String(n) : ""));
    return [csvCell(nameOf(i)), String(layer), String(head), ...cells, ...own].join(",");
  });
  const titles = ["", "layer", "head", ...each, ...counts].join(",");
  return `\ufeff${[titles, ...rows].join("\r\n")}\r\n`;
}

/** @param {number} value */
const inCell = (value) => (Number.isNaN(value) ? "" : exactly(value));
