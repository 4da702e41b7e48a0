// From a trace and a view to everything that the panels paint. The panels only read it.

import { headWeights, thumbWeights } from "./data.js";
import { packColours } from "./dom.js";
import { arrange, columnOf, combine, fullColour, profileOf, received, unitsOf } from "./model.js";
import { css, headColour, inkOn, luminance, oklch, weightRamp } from "./palette.js";
import { nameOf } from "./words.js";

/**
 * @typedef {import("./data.js").Trace} Trace
 * @typedef {import("./model.js").Picture} Picture
 * @typedef {import("./model.js").Unit} Unit
 * @typedef {import("./view.js").View} View
 * @typedef {{weights: Float32Array, nRows: number, nColumns: number, tops: Float32Array}} Thumb
 * @typedef {{name: string, whose: string, picture: Picture, tops: Float32Array,
 *            perHead: {head: number, picture: Picture}[], pooled: Thumb | null,
 *            shares: Float32Array, profile: import("./model.js").Profile, rowOfToken: Int32Array, columnOfToken: Int32Array, hiddenShare: number}} Model
 * @typedef {ReturnType<typeof readTheme>} Theme
 * @typedef {{trace: Trace, view: View, model: Model, theme: Theme,
 *            focus: import("./words.js").Focus, parts: import("./words.js").Part[], says: string, loading: boolean, moved: boolean,
 *            thumb: (layer: number, head: number) => Thumb}} Scene
 */

const EXACT_THUMBS = 64; // up to so many tokens, loaded heads get thumbnails of the shown picture

/**
 * @param {Trace} trace @param {View} view
 */
function layout(trace, view) {
  const rows = unitsOf(trace.head.query_tokens, view.words, view.specials);
  const columns = unitsOf(trace.head.key_tokens, view.words, view.specials);
  return { rows, columns };
}

/** @param {Trace} trace @param {View} view @param {Float32Array} weights */
function pictureOf(trace, view, weights) {
  const { rows, columns } = layout(trace, view);
  const nKeys = trace.head.key_tokens.length;
  if (!view.words && view.specials === "shown") return { weights, rows, columns };
  return arrange(weights, nKeys, rows, columns, view.specials === "renormalised");
}

/** @param {Unit[]} units @param {number} n */
function unitOfToken(units, n) {
  const found = new Int32Array(n).fill(-1);
  units.forEach((unit, u) =>
    unit.tokens.forEach((token) => {
      found[token] = u;
    }),
  );
  return found;
}

/**
 * What is painted for the chosen heads of a layer that is here.
 * @param {Trace} trace @param {View} view @param {number} layer @param {number[]} heads
 * @returns {Model | null} null while the layer is not here
 */
export function modelOf(trace, view, layer, heads) {
  const { head: header } = trace;
  const raw = heads.map((head) => headWeights(trace, layer, head));
  const all = raw.filter((weights) => weights !== null);
  if (all.length < raw.length) return null;
  const perHead = heads.map((head, i) => ({ head, picture: pictureOf(trace, view, all[i]) }));
  const together =
    perHead.length === 1
      ? perHead[0].picture
      : {
          ...perHead[0].picture,
          weights: combine(
            perHead.map((p) => p.picture.weights),
            view.combine,
          ),
        };
  return {
    name: nameOf(layer, heads, header.n_heads, view.combine),
    whose: heads.length === 1 ? "this head’s" : "these heads’",
    picture: together,
    tops: fullColour(together, view.scale),
    shares: received(together),
    profile: profileOf(combine(all, "mean"), header.query_tokens),
    perHead,
    pooled: null,
    rowOfToken: unitOfToken(together.rows, header.query_tokens.length),
    columnOfToken: unitOfToken(together.columns, header.key_tokens.length),
    hiddenShare:
      view.specials === "shown" ? 0 : hiddenShare(trace, combine(all, "mean"), together.rows),
  };
}

/** The mean share that the shown queries give to special keys. @param {Trace} trace @param {Float32Array} weights @param {Unit[]} rows */
function hiddenShare(trace, weights, rows) {
  const special = trace.head.key_tokens.flatMap((token, i) => (token.special ? [i] : []));
  const n = trace.head.key_tokens.length;
  const queries = rows.flatMap((row) => row.tokens);
  const sum = queries.reduce(
    (total, q) => total + special.reduce((part, k) => part + weights[q * n + k], 0),
    0,
  );
  return queries.length ? sum / queries.length : 0;
}

/**
 * The preview of a head whose layer is not here: its thumbnail, in place of the heatmap.
 * @param {Model} model @param {Thumb} thumb @param {number} layer @param {number} head
 * @returns {Model}
 */
export function pooledModel(model, thumb, layer, head) {
  return { ...model, pooled: thumb, name: `Layer ${layer}, head ${head}` };
}

/** Whether the grid shows the pinned tokens alone. @param {View} view */
export const showsPinned = (view) =>
  view.grid === "pinned" && (view.query !== null || view.key !== null);

/**
 * What a head says about the pinned tokens: one weight for a pair, one row for a query, one column
 * for a key.
 * @param {Trace} trace @param {View} view @param {number} layer @param {number} head
 * @returns {Picture | null} null where the layer is not here, or a pinned token is hidden
 */
export function pinnedOf(trace, view, layer, head) {
  const weights = headWeights(trace, layer, head);
  if (!weights) return null;
  const { rows, columns } = layout(trace, view);
  const [row] = rows.filter((unit) => unit.tokens.includes(view.query ?? -1));
  const [column] = columns.filter((unit) => unit.tokens.includes(view.key ?? -1));
  if ((view.query !== null && !row) || (view.key !== null && !column)) return null;
  const chosen = view.query === null ? rows : [row];
  const nKeys = trace.head.key_tokens.length;
  const picture = arrange(weights, nKeys, chosen, columns, view.specials === "renormalised");
  if (!column) return picture;
  const c = columns.indexOf(column);
  return { weights: columnOf(picture, c), rows: chosen, columns: [column] };
}

/** @typedef {{layer: number, head: number, weight: number}} Ranked */

/**
 * The heads that connect the pinned pair, strongest first; only layers that are here are asked.
 * @param {Trace} trace @param {View} view
 * @returns {Ranked[]}
 */
export function rankedHeads(trace, view) {
  const found = [];
  for (const layer of [...trace.layers.keys()].sort((a, b) => a - b)) {
    for (let head = 0; head < trace.head.n_heads; head++) {
      const picture = pinnedOf(trace, view, layer, head);
      if (picture) found.push({ layer, head, weight: picture.weights[0] });
    }
  }
  return found.sort((a, b) => b.weight - a.weight);
}

/**
 * @param {Trace} trace @param {View} view @param {number} layer @param {number} head
 * @param {number} strongest the pair's largest weight in any head
 * @returns {Thumb}
 */
function pinnedThumb(trace, view, layer, head, strongest) {
  const picture = pinnedOf(trace, view, layer, head);
  const empty = { weights: new Float32Array(1), nRows: 1, nColumns: 1, tops: Float32Array.of(1) };
  if (!picture) return empty;
  const { weights, rows, columns } = picture;
  const pair = rows.length === 1 && columns.length === 1;
  // A pair is painted against the strongest head, a strip against its own strongest weight.
  const top = pair ? strongest : Math.max(...weights);
  const tops = new Float32Array(rows.length).fill(top || 1);
  return { weights, nRows: rows.length, nColumns: columns.length, tops };
}

/**
 * A head's small picture.
 * @param {Trace} trace @param {View} view @param {number} layer @param {number} head
 * @param {number} strongest the pinned pair's largest weight in any head
 * @returns {Thumb}
 */
export function thumbOf(trace, view, layer, head, strongest) {
  if (showsPinned(view)) return pinnedThumb(trace, view, layer, head, strongest);
  const n = Math.max(trace.head.query_tokens.length, trace.head.key_tokens.length);
  const weights = n <= EXACT_THUMBS ? headWeights(trace, layer, head) : null;
  if (weights) {
    const picture = pictureOf(trace, view, weights);
    const tops = fullColour(picture, view.scale);
    return {
      weights: picture.weights,
      nRows: picture.rows.length,
      nColumns: picture.columns.length,
      tops,
    };
  }
  const [nRows, nColumns] = trace.head.thumb;
  const ordinary = thumbWeights(trace, layer, head, true);
  const unit = (/** @type {number} */ count) =>
    Array.from({ length: count }, () => ({ text: "", tokens: [], special: false, segment: 0 }));
  const tops = fullColour(
    { weights: ordinary, rows: unit(nRows), columns: unit(nColumns) },
    view.scale,
  );
  return {
    weights: view.specials === "shown" ? thumbWeights(trace, layer, head, false) : ordinary,
    nRows,
    nColumns,
    tops,
  };
}

/**
 * The page's colours, and ours for them.
 * @param {HTMLElement} root
 */
export function readTheme(root) {
  const style = getComputedStyle(root);
  const canvas = document.createElement("canvas").getContext("2d");
  const rgb = (/** @type {string} */ colour) => {
    if (!canvas) return /** @type {import("./palette.js").Rgb} */ ([0, 0, 0]);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
    return /** @type {import("./palette.js").Rgb} */ ([r, g, b]);
  };
  const text = rgb(style.color);
  const dark = luminance(text) > 0.4;
  const ramp = weightRamp(dark);
  const accent = dark ? oklch(0.76, 0.13, 262) : oklch(0.5, 0.2, 262);
  return {
    dark,
    text: css(text),
    page: style.getPropertyValue("--st-background-color").trim() || (dark ? "#12151c" : "#fff"),
    muted: css(text, 0.66),
    border: css(text, 0.22),
    chip: dark ? css(oklch(0.4, 0.1, 262)) : css(oklch(0.9, 0.06, 262)),
    accent: css(accent),
    accentCss: (/** @type {number} */ alpha) => css(accent, alpha),
    font: style.fontFamily,
    packed: packColours(ramp),
    fills: ramp.map((colour) => css(colour)),
    inks: ramp.map((colour) => css(inkOn(colour))),
    headCss: (/** @type {number} */ head, /** @type {number} */ alpha = 1) =>
      css(headColour(head, dark), alpha),
  };
}
