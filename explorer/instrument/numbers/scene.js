// From a trace and a view to everything that the panels paint. The panels only read it.

import { once } from "./basics.js";
import { headWeights, indexOf } from "./data.js";
import { headName } from "./headname.js";
import { layoutOf, mapLayoutOf } from "./layout.js";
import { longModelOf } from "./longmodel.js";
import { largestOf, numbersOf, together } from "./manyheads.js";
import {
  arrange,
  arrangeMost,
  combine,
  fullColour,
  partsIn,
  profileOf,
  received,
} from "./model.js";
import { baseOf, nameOf } from "./words.js";

/**
 * @typedef {import("./data.js").Trace} Trace
 * @typedef {import("./model.js").Picture} Picture
 * @typedef {import("./model.js").Unit} Unit
 * @typedef {import("./view.js").View} View
 * @typedef {{weights: Float32Array, nRows: number, nColumns: number, tops: Float32Array,
 *            reach?: import("./masks.js").Reach | null}} Thumb
 * @typedef {import("./layout.js").Layout} Layout
 * @typedef {import("./words.js").Said & {layer: number, tops: Float32Array,
 *            perHead: {head: number, picture: Picture}[], pooled: Thumb | null,
 *            profile: () => import("./model.js").Profile | null, layout: Layout,
 *            hiddenShare: () => number | null, sinkShare: () => number,
 *            own: import("./data.js").Head[], chosen: number[], map: Model, total: Model}} Model
 *   profile: null while it is added up; hiddenShare: what special tokens get of the base; null where
 *   there are none to look at; sinkShare: what goes to no token, whatever is hidden; own: of a
 *   long text its heads; chosen: their numbers; map: what maps show, which is this model itself
 *   where these show the same units; total: of a map, the one whose cells are sums
 * @typedef {{name: string, queries: number[][], keys: number[][], mean: boolean, together: boolean,
 *            rescaled: boolean, special: boolean[]}} Wish
 *   chosen words, whose attention is wanted in every head; special: of the side that is open
 * @typedef {{layer: number, head: number, weight: number}} Ranked
 * @typedef {import("../parts/theme.js").Theme} Theme
 * @typedef {{trace: Trace, view: View, model: Model, theme: Theme,
 *            focus: import("./words.js").Focus,
 *            given: Float32Array | null, got: Float32Array | null,
 *            parts: import("./words.js").Part[], says: string, loading: boolean, moved: boolean,
 *            thumb: (layer: number, head: number) => Thumb, pinnedNumbers: Ranked[],
 *            asksOther: boolean, map: Scene, coarse: boolean, deep: Deep | null}} Scene
 *   given: where the rows in focus look; got: who looks at the columns in focus; map: the same, as
 *   maps show it; asksOther: whether the next word goes to the other side; coarse: whether more is pointed at than a frame can make rows of, so that one
 *   reads what the map says; deep: what stands below a map of a long text
 * @typedef {{rows: Unit[], columns: Unit[], rowsOf: (group: number) => [number, number],
 *            columnsOf: (group: number) => [number, number], groupOfRow: Int32Array,
 *            groupOfColumn: Int32Array, heads: {name: string, head: import("./data.js").Head,
 *            ordinary: Float32Array | null}[], combine: "mean" | "max", rescaled: boolean,
 *            pairs: {row: number, column: number, weight: number, head: number}[]}} Deep
 *   rows, columns: what is read; rowsOf, columnsOf: the first and the last of them in a group of the
 *   map, groupOfRow, groupOfColumn the way back; ordinary: what each query gives to ordinary keys,
 *   once it is here; rescaled: whether rows are divided by that; pairs: the strongest single
 *   weights, heaviest first
 */

/** @param {Trace} trace @param {Pick<View, "words" | "specials">} view @param {Float32Array} weights */
export function pictureOf(trace, view, weights) {
  const { rows, columns } = layoutOf(trace, view);
  const nKeys = trace.head.key_tokens.length;
  if (!view.words && view.specials === "shown") return { weights, rows, columns };
  return arrange(weights, nKeys, rows, columns, view.specials === "renormalised");
}

/**
 * What is painted for the chosen heads of a layer that is here.
 * @param {Trace} trace @param {View} view @param {number} layer @param {number[]} heads
 * @returns {Model | null} null while the layer is not here
 */
export function modelOf(trace, view, layer, heads) {
  if (trace.head.long) return longModelOf(trace, view, layer, heads);
  const raw = heads.map((head) => headWeights(trace, layer, head));
  const all = raw.filter((weights) => weights !== null);
  if (all.length < raw.length) return null;
  const said = saidOf(trace, layer, heads, view, all);
  const pictures = all.map((weights) => pictureOf(trace, view, weights));
  const model = modelIn(layoutOf(trace, view), said, pictures);
  const layout = mapLayoutOf(trace, view);
  model.map = model;
  model.total = model;
  if (layout !== model.layout) Object.assign(model, mapsOf(trace, view, layout, said, all));
  return model;
}

/**
 * The maps between groups of tokens: as they are painted, and of sums, of which sentences speak.
 * @param {Trace} trace @param {View} view @param {Layout} layout
 * @param {ReturnType<typeof saidOf>} said @param {Float32Array[]} all
 * @returns {Pick<Model, "map" | "total">}
 */
function mapsOf({ head }, view, layout, said, all) {
  const nKeys = head.key_tokens.length;
  const made = (/** @type {typeof arrange} */ pool) =>
    all.map((weights) =>
      pool(weights, nKeys, layout.rows, layout.columns, view.specials === "renormalised"),
    );
  const total = modelIn(layout, said, made(arrange));
  if (view.pool === "sum") return { map: total, total };
  const map = modelIn(layout, said, made(arrangeMost));
  const tops = fullColour(map.picture, view.scale, { parts: partsIn(layout.columns, "max") });
  return { map: { ...map, tops, ...largestOf(map.picture) }, total };
}

/**
 * What is said of the heads of a layer, whatever the units are.
 * @param {Trace} trace @param {number} layer @param {number[]} heads @param {View} view
 * @param {Float32Array[]} all the heads' weights
 */
function saidOf({ head: header }, layer, heads, view, all) {
  // The base of every share: all tokens that look, and the mean of the heads, however they are shown.
  const mean = once(() => combine(all, "mean"));
  const gets = once(() => received(mean(), header.key_tokens.length));
  const marks = header.key_tokens.flatMap((token, i) => (token.special ? [i] : []));
  return {
    name: nameOf(layer, heads, header.n_heads, view.combine),
    base: baseOf(header.query_tokens.length, heads.length, view.specials === "renormalised"),
    ...{ layer, heads, header, view, mean, gets },
    most: heads.length > 1 && view.combine === "max",
    profile: once(() => profileOf(mean(), header, header.possible[indexOf(header, layer)])),
    hiddenShare: once(() => (marks.length ? sumAt(gets(), marks) : null)),
    sinkShare: once(() => (header.sinks ? unheld(mean(), null, [], header) : 0)),
  };
}

/**
 * A model of pictures in some units.
 * @param {Layout} layout @param {ReturnType<typeof saidOf>} said @param {Picture[]} pictures by head
 * @returns {Model}
 */
function modelIn(layout, said, pictures) {
  const { heads, header, view, mean, gets, most, ...rest } = said;
  const picture = together(pictures, view.combine);
  return /** @type {any} */ ({
    ...rest,
    ...{ picture, most, layout, pooled: null, own: [], chosen: heads },
    tops: fullColour(picture, view.scale),
    ...numbersOf(most ? pictures : [picture]),
    // Asked for by hovers over keys and by notes, not by a look at a head.
    shares: once(() => Float32Array.from(layout.columns, (unit) => sumAt(gets(), unit.tokens))),
    perHead: heads.map((head, i) => ({ head, picture: pictures[i] })),
    // Rescaled rows are shares of what ordinary tokens get: there the sink has none.
    nowhere: (/** @type {number[]} */ rows) =>
      header.sinks && view.specials !== "renormalised" ? unheld(mean(), picture, rows, header) : 0,
  });
}

/** @param {ArrayLike<number>} numbers @param {number[]} places */
const sumAt = (numbers, places) => places.reduce((sum, i) => sum + numbers[i], 0);

/**
 * The share of some rows' attention that goes to no token, because the model has a sink.
 * @param {Float32Array} weights `[query, key]` @param {Picture | null} picture
 * @param {number[]} chosen rows of the picture; none: of all tokens
 * @param {import("./data.js").Header} header
 */
function unheld(weights, picture, chosen, { query_tokens: queries, key_tokens: keys }) {
  const rows =
    picture && chosen.length
      ? chosen.map((row) => picture.rows[row].tokens)
      : [Array.from(queries, (_, i) => i)];
  const held = rows.map((tokens) => {
    const lines = tokens.map((i) => weights.subarray(i * keys.length, (i + 1) * keys.length));
    return lines.reduce((sum, line) => line.reduce((all, w) => all + w, sum), 0) / lines.length;
  });
  return Math.max(0, 1 - held.reduce((sum, share) => sum + share, 0) / held.length);
}

/**
 * The preview of a head whose layer is not here: its thumbnail, in place of the heatmap.
 * @param {Model} model @param {Thumb} thumb @param {number} layer @param {number} head
 * @returns {Model}
 */
export function pooledModel(model, thumb, layer, head) {
  const preview = { pooled: thumb, name: headName(layer, head) };
  return { ...model, ...preview, map: { ...model.map, ...preview } };
}
