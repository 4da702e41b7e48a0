// From what a reader has chosen to what is painted: which pictures are made anew, which are kept.

import { pinnedNumbers, wishOf } from "./answers.js";
import { remember } from "./basics.js";
import { areHere, headsIn, mapSize } from "./data.js";
import { deepOf } from "./deep.js";
import { placed, sentencesInParts, t, tn } from "./language.js";
import { unitsAcross, unitsHolding } from "./layout.js";
import { FEW } from "./longmodel.js";
import { modelOf, pooledModel } from "./scene.js";
import { thumbOf, wholeThumb } from "./thumbs.js";
import { counted, sentence } from "./words.js";

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

const FEW_IN_PASSING = 8; // rows or columns of a long text that a frame makes while a hand moves
const LONG = 150_000; // weights of a head from which a passing look is a small one

/** @returns {Pictures} */
export const noPictures = () => ({
  ...{ chosen: null, model: null, thumbs: new Map(), wish: null, numbers: [] },
});

/**
 * The pictures after a change; what it does not touch is kept.
 * @param {Pictures} before @param {Trace} trace @param {Told} told
 * @param {{thumbs?: boolean, smalls?: boolean, model?: boolean, peek?: boolean}} change
 *   smalls: more small pictures are here; peek: only for a look
 * @returns {Pictures}
 */
export function picturesAfter(before, trace, { view, peeked }, { thumbs, smalls, model, peek }) {
  const pictures = thumbs ? { ...before, ...answersOf(trace, view) } : { ...before };
  if (smalls) pictures.thumbs = new Map();
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
  const [place] = trace.heads.keys();
  const [layer, head] = (place ?? "").split(".").map(Number);
  if (place) return modelOf(trace, view, layer, [head]);
  const [first] = trace.layers.keys();
  return first === undefined ? null : modelOf(trace, view, first, view.heads);
}

/**
 * The chosen heads, or what is pointed at in the grid.
 * @param {Trace} trace @param {View} view @param {Told["peeked"]} peeked @param {Model | null} chosen
 */
function peekedModel(trace, view, peeked, chosen) {
  if (!peeked || !chosen) return chosen;
  const { layer, head, stays } = peeked;
  // A passing look shows the small picture, larger, where all weights would cost a frame.
  const dense = !trace.head.long && mapSize(trace.head) >= LONG;
  const whole = stays || !dense ? modelOf(trace, view, layer, [head]) : null;
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
  const loading = !areHere(trace, view.layer, view.heads);
  const most = Math.max(focus.rows.length, focus.columns.length);
  const coarse = trace.head.long && most > (told.hovered ? FEW_IN_PASSING : FEW);
  const onMap = focusOnMap(painted, focus);
  const spoken = coarse ? { model: painted.total, focus: onMap } : { model: painted, focus };
  const gone = told.hovered || loading ? [] : hiddenPins(trace, view, painted);
  const said = () => partsOf(spoken, painted, loading ? view : null, asks);
  const known = gone.length && !most ? gone : sentencesInParts(gone, said());
  const stands = !gone.length && !coarse && isMost(told, painted, numbers, trace);
  const ranked = stands ? withRank(known, numbers.length) : known;
  const parts =
    coarse && !told.hovered ? sentencesInParts([tooMany(most, painted.total)], ranked) : ranked;
  const base = {
    ...{ trace, view, theme, loading, moved, parts, coarse },
    says: parts.flat().join(""),
    thumb: (/** @type {number} */ layer, /** @type {number} */ head) =>
      remember(thumbs, `${layer}.${head}`, () =>
        thumbOf(trace, view, wish, layer, head, numbers[0]?.weight ?? 1),
      ),
    pinnedNumbers: numbers,
    asksOther: told.other,
    deep: deepOf(trace, view, painted),
  };
  const read = coarse ? { given: null, got: null } : seenIn(painted, focus);
  const scene = /** @type {Scene} */ ({ ...base, model: painted, focus, ...read });
  scene.map = scene;
  if (painted.map !== painted && painted.map.layout !== painted.layout) {
    scene.map = /** @type {Scene} */ ({
      ...{ ...base, model: painted.map, focus: onMap, ...seenIn(painted.map, onMap) },
    });
    scene.map.map = scene.map;
  }
  return scene;
}

/**
 * Whether what is said is of the one head that gives most to the pinned pair.
 * @param {Told} told @param {Model} painted @param {Scene["pinnedNumbers"]} numbers @param {Trace} trace
 */
function isMost({ hovered, peeked }, { layer, chosen, pooled }, numbers, { head }) {
  if (hovered || peeked || pooled || numbers.length < 2 || numbers.length < headsIn(head)) {
    return false;
  }
  const [first, second] = numbers;
  const isIt = chosen.length === 1 && first.layer === layer && first.head === chosen[0];
  return isIt && first.weight > second.weight;
}

/**
 * A sentence about a pair, with what makes its head stand out.
 * @param {Scene["parts"]} parts @param {number} all how many heads there are
 */
const withRank = (parts, all) => [
  ...parts.slice(0, -1),
  t("{sentence}, the most of all {n} heads.", {
    sentence: String(parts.at(-1)).replace(/[.。]$/, ""),
    n: all,
  }),
];

/**
 * What is pinned and yet not in the picture, as special tokens are hidden.
 * @param {Trace} trace @param {View} view @param {Model} painted
 * @returns {Scene["parts"]}
 */
function hiddenPins({ head }, { queries, keys, specials }, { layout, pooled }) {
  if (specials === "shown" || pooled) return [];
  const [rows, columns] = [layout.rowOfToken, layout.columnOfToken];
  const gone = [
    ...queries.filter((i) => rows[i] < 0).map((i) => head.query_tokens[i].text),
    ...keys.filter((i) => columns[i] < 0).map((i) => head.key_tokens[i].text),
  ];
  if (!gone.length) return [];
  const says = tn(
    "{tokens} is pinned, but special tokens are hidden: show them again under View.",
    "{tokens} are pinned, but special tokens are hidden: show them again under View.",
    gone.length,
  );
  return placed(says, { tokens: [[gone.join(" ")]] });
}

/** Where what is in focus looks, and who looks at it. @param {Model} model @param {Focus} focus */
const seenIn = (model, { rows, columns }) => ({
  given: rows.length ? model.given(rows) : null,
  got: columns.length ? model.got(columns) : null,
});

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

/** The same among the units of the map. @param {Model} painted @param {Focus} focus @returns {Focus} */
function focusOnMap({ layout: own, map: { layout } }, { rows, columns }) {
  if (layout === own) return { rows, columns };
  return {
    rows: unitsAcross(rows, own.rows, layout.rowOfToken),
    columns: unitsAcross(columns, own.columns, layout.columnOfToken),
  };
}

/**
 * Why what is said is of more than what is pinned.
 * @param {number} count what is pinned on the longer side @param {Model} total
 */
const tooMany = (count, { noun }) =>
  t(
    "{n} are pinned, too many for their own numbers: these are of the whole {noun} that they stand in.",
    { n: counted(count), noun: noun ?? t("groups") },
  );

/**
 * @param {{model: Model, focus: Focus}} spoken what is spoken of @param {Model} painted
 * @param {View | null} missing what is wanted and not here @param {boolean} asks
 * @returns {Scene["parts"]}
 */
function partsOf({ model, focus }, { name, pooled }, missing, asks) {
  if (pooled) return [t("{name}: a small preview; stay or click to see it in full.", { name })];
  // Of many words at once the map speaks, which may be on its way.
  if (missing === null && model.pooled)
    return [t("{name}: these numbers are still being added up.", { name })];
  if (missing === null) return sentence(model, focus);
  const { layer } = missing;
  return [
    asks
      ? t("Loading layer {layer}…", { layer })
      : t("This file does not hold layer {layer}.", { layer }),
  ];
}
