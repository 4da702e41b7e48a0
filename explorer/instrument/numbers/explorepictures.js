// From what a reader has chosen to what is painted: which pictures are made anew, which are kept.

import { remember } from "./basics.js";
import { mapSize } from "./data.js";
import {
  modelOf,
  pinnedNumbers,
  pooledModel,
  thumbOf,
  unitsHolding,
  wholeThumb,
  wishOf,
} from "./scene.js";
import { sentence } from "./words.js";

/**
 * @typedef {import("./data.js").Trace} Trace
 * @typedef {import("./scene.js").Model} Model
 * @typedef {import("./scene.js").Scene} Scene
 * @typedef {import("./view.js").View} View
 * @typedef {import("./words.js").Focus} Focus
 * @typedef {import("./explorestore.js").Told} Told
 * @typedef {{chosen: Model | null, model: Model | null,
 *            thumbs: Map<string, import("./scene.js").Thumb>,
 *            wish: import("./scene.js").Wish | null,
 *            numbers: import("./scene.js").Ranked[]}} Pictures
 *   chosen: of the chosen heads, or the last good one while a layer loads; model: what is painted,
 *   the chosen heads or what is peeked at; wish: what is pinned, as a question to every head;
 *   numbers: a pinned pair's number in every head, strongest first
 */

const LONG = 150_000; // weights of a head from which a passing look is a small one

/** @returns {Pictures} */
export const noPictures = () => ({
  ...{ chosen: null, model: null, thumbs: new Map(), wish: null, numbers: [] },
});

/**
 * The pictures after a change; what it does not touch is kept.
 * @param {Pictures} before @param {Trace} trace @param {Told} told
 * @param {{thumbs?: boolean, model?: boolean, peek?: boolean}} change peek: only for a look
 * @returns {Pictures}
 */
export function picturesAfter(before, trace, { view, peeked }, { thumbs, model, peek }) {
  const pictures = thumbs ? { ...before, ...answersOf(trace, view) } : { ...before };
  if ((model && !peek) || thumbs || !pictures.chosen) {
    const next = modelOf(trace, view, view.layer, view.heads);
    pictures.chosen = next ?? pictures.chosen ?? anyModel(trace, view);
  }
  if (model || thumbs || !pictures.model) {
    pictures.model = peekedModel(trace, view, peeked, pictures.chosen);
  }
  return pictures;
}

/** What every head answers to what is pinned. @param {Trace} trace @param {View} view */
function answersOf(trace, view) {
  const wish = wishOf(trace, view);
  return { wish, numbers: pinnedNumbers(trace, wish), thumbs: new Map() };
}

/** Of some layer that is here, while the wanted one is on its way. @param {Trace} trace @param {View} view */
function anyModel(trace, view) {
  const [layer] = trace.layers.keys();
  return layer === undefined ? null : modelOf(trace, view, layer, view.heads);
}

/**
 * The chosen heads, or what is pointed at in the grid.
 * @param {Trace} trace @param {View} view @param {Told["peeked"]} peeked @param {Model | null} chosen
 */
function peekedModel(trace, view, peeked, chosen) {
  if (!peeked || !chosen) return chosen;
  const { layer, head, stays } = peeked;
  // Of a long text a passing look shows the small picture, larger: the whole would cost a frame.
  const whole = stays || mapSize(trace.head) < LONG ? modelOf(trace, view, layer, [head]) : null;
  return whole ?? pooledModel(chosen, wholeThumb(trace, view, layer, head), layer, head);
}

/**
 * @param {Trace} trace @param {Told} told @param {Pictures} pictures @param {Model} painted
 * @param {{theme: Scene["theme"], moved: boolean, asks: boolean}} rest asks: what is not here is on
 *   its way
 * @returns {Scene}
 */
export function sceneOf(trace, told, pictures, painted, { theme, moved, asks }) {
  const { view } = told;
  const { thumbs, wish, numbers } = pictures;
  const focus = focusOf(told, painted);
  const loading = !trace.layers.has(view.layer);
  const parts = sentenceOf(painted, focus, loading ? view.layer : null, asks);
  return {
    ...{ trace, view, model: painted, theme, focus, loading, moved, parts },
    given: focus.rows.length ? painted.given(focus.rows) : null,
    got: focus.columns.length ? painted.got(focus.columns) : null,
    says: parts.flat().join(""),
    thumb: (layer, head) =>
      remember(thumbs, `${layer}.${head}`, () =>
        thumbOf(trace, view, wish, layer, head, numbers[0]?.weight ?? 1),
      ),
    pinnedNumbers: numbers,
  };
}

/**
 * What is pointed at, or else what is pinned, as far as the picture has it.
 * @param {Told} told @param {Model} painted
 * @returns {Focus}
 */
function focusOf({ view, hovered }, { layout, picture }) {
  const point = hovered ?? {
    rows: unitsHolding(view.queries, layout.rowOfToken),
    columns: unitsHolding(view.keys, layout.columnOfToken),
  };
  return {
    rows: point.rows.filter((i) => i < picture.rows.length),
    columns: point.columns.filter((i) => i < picture.columns.length),
  };
}

/**
 * @param {Model} painted @param {Focus} focus @param {number | null} missing the layer that is wanted
 *   and not here @param {boolean} asks
 * @returns {Scene["parts"]}
 */
function sentenceOf(painted, focus, missing, asks) {
  const { name, pooled } = painted;
  if (pooled) return [`${name}: a small preview; stay or click to see it in full.`];
  if (missing === null) return sentence(painted, focus);
  return [asks ? `Loading layer ${missing}…` : `This file does not hold layer ${missing}.`];
}
