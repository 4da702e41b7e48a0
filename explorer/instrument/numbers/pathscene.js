// The path through the layers in a scene: what is followed, what is found, and what is said of it.

import { remember } from "./basics.js";
import { meanWeights } from "./data.js";
import { sentencesInParts, t } from "./language.js";
import { layoutOf, unitsHolding } from "./layout.js";
import { follow, shownOf } from "./path.js";
import { pictureOf } from "./scene.js";
import { named, pathNote, pathSentence } from "./words.js";

/**
 * @typedef {import("./scene.js").Scene} Scene
 * @typedef {import("./data.js").Trace} Trace
 * @typedef {Pick<Scene, "trace" | "view">} Asked
 * @typedef {ReturnType<typeof shownOf>} Path
 * @typedef {{level: number, units: number[]}} Followed no units: all of them
 * @typedef {{model: unknown, maps: Map<number, Float32Array>, paths: Map<string, Path>}} Known
 *   what was found for a model
 */

const MOST_KEPT = 64; // paths

/** @param {unknown} model @returns {Known} nothing yet */
export const knownOf = (model) => ({ model, maps: new Map(), paths: new Map() });

/** @param {Pick<Trace, "head">} trace */
export const levelsOf = ({ head }) => head.numbers.length;

/** The model’s own number of the layer below a level. @param {Pick<Trace, "head">} trace @param {number} level */
export const numberBelow = ({ head }, level) => head.numbers[level - 1] ?? 0;

/** Whether every layer's attention is here. @param {Pick<Trace, "head" | "means" | "layers">} trace */
export const isPathHere = ({ head, means, layers }) =>
  means !== null || layers.size === head.numbers.length;

/**
 * What is followed now: what is pointed at, else what is pinned, else everything.
 * @param {Pick<Scene, "trace" | "view" | "model">} scene
 * @param {import("./pathplaces.js").Spot | null} at
 * @returns {Followed}
 */
export function followedIn({ trace, view, model }, at) {
  if (at) return { level: at.level, units: [at.unit] };
  const units = unitsHolding(view.queries, model.layout.rowOfToken);
  return { level: levelsOf(trace), units };
}

/**
 * Attention passes hidden tokens too: they are left out of the drawing, not of the sums.
 * @param {import("./view.js").View} view
 */
const followedView = ({ words, specials }) => ({
  words,
  specials: specials === "hidden" ? /** @type {const} */ ("shown") : specials,
});

/**
 * A layer's attention between the units.
 * @param {Asked} scene @param {Known} known @param {number} i the layer's place
 */
function mapOf({ trace, view }, known, i) {
  return remember(known.maps, i, () => {
    const layer = numberBelow(trace, i + 1);
    const chosen = view.path === "chosen" && layer === view.layer && trace.layers.has(layer);
    const weights = meanWeights(trace, layer, chosen ? view.heads : undefined);
    const here = /** @type {Float32Array} */ (weights); // nothing is drawn before all layers are
    return pictureOf(trace, followedView(view), here).weights;
  });
}

/** @param {Asked} scene @param {Known} known @param {Followed} from */
export function pathOf(scene, known, { level, units }) {
  return remember(known.paths, `${level} ${units}`, () => {
    const { view, trace } = scene;
    if (known.paths.size > MOST_KEPT) known.paths.clear();
    const { rows } = layoutOf(trace, followedView(view));
    const seen = [...rows.keys()].filter((i) => view.specials !== "hidden" || !rows[i].special);
    const start = units.length ? units.map((unit) => seen[unit]) : seen;
    const [kept, share] = [view.residual / 100, view.mass / 100];
    const map = (/** @type {number} */ i) => mapOf(scene, known, i);
    return shownOf(follow(map, rows.length, level, start, kept, share), seen);
  });
}

/**
 * Where the path has led to, in words.
 * @param {Pick<Scene, "trace" | "view" | "model">} scene @param {Followed} from @param {Path} path
 */
export function pathParts({ trace, view, model }, { level, units }, path) {
  const { rows } = model.layout;
  const name = units.length ? named(units, rows) : [];
  const last = level === levelsOf(trace);
  const start = last
    ? t("The output of {name} draws most on {found}")
    : t("After layer {layer}, {name} draws most on {found}", {
        layer: numberBelow(trace, level),
      });
  const { hidden, lost } = path;
  const [rescaled, numbers] = [view.specials === "renormalised", trace.head.numbers];
  const passed = { rescaled, residual: view.residual, numbers: numbers.slice(0, level) };
  const of = { hidden, lost, ...passed };
  if (units.length) return pathNote(pathSentence(start, name, path.mass[0], rows), of);
  const all = pathNote([t("The paths of all outputs together")], of);
  return sentencesInParts(all, [t("Point at a word, or tap it, to follow it.")]);
}

/**
 * The links that are drawn, for a table.
 * @param {Pick<Trace, "head">} trace @param {{text: string}[]} units
 * @param {Path | null} path null while a layer is not here
 */
export function linksTable(trace, units, path) {
  const found = (path?.links ?? []).map(({ layer, from, to, flow }) => [
    ...[numberBelow(trace, layer + 1), units[from].text, units[to].text, flow],
  ]);
  return {
    titles: [t("layer"), t("takes (above)"), t("from (below)"), t("share of the whole")],
    counts: [t("layer")],
    rows: found,
    caption: t("The links that are drawn, from the output down"),
  };
}
