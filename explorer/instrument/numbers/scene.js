// From a trace and a view to everything that the panels paint. The panels only read it.

import { remember } from "./basics.js";
import { headWeights, indexOf, partOfHead, thumbWeights } from "./data.js";
import {
  arrange,
  attentionBetween,
  combine,
  fullColour,
  givenBy,
  gotBy,
  largest,
  numberOf,
  profileOf,
  received,
  unitsOf,
} from "./model.js";
import { isPinned, writeTokens } from "./view.js";
import { baseOf, nameOf } from "./words.js";

/**
 * @typedef {import("./data.js").Trace} Trace
 * @typedef {import("./model.js").Picture} Picture
 * @typedef {import("./model.js").Unit} Unit
 * @typedef {import("./view.js").View} View
 * @typedef {{weights: Float32Array, nRows: number, nColumns: number, tops: Float32Array}} Thumb
 * @typedef {{rows: Unit[], columns: Unit[], rowOfToken: Int32Array, columnOfToken: Int32Array}} Layout
 * @typedef {import("./words.js").Said & {layer: number, tops: Float32Array,
 *            perHead: {head: number, picture: Picture}[], pooled: Thumb | null,
 *            profile: () => import("./model.js").Profile, layout: Layout,
 *            hiddenShare: () => number | null, sinkShare: () => number}} Model
 *   hiddenShare: what special tokens get of the base; null where there are none to look at;
 *   sinkShare: what goes to no token, whatever is hidden
 * @typedef {{name: string, queries: number[][], keys: number[][], mean: boolean, together: boolean,
 *            rescaled: boolean, special: boolean[]}} Wish
 *   chosen words, whose attention is wanted in every head; special: of the side that is open
 * @typedef {{layer: number, head: number, weight: number}} Ranked
 * @typedef {import("../parts/theme.js").Theme} Theme
 * @typedef {{trace: Trace, view: View, model: Model, theme: Theme,
 *            focus: import("./words.js").Focus,
 *            given: Float32Array | null, got: Float32Array | null,
 *            parts: import("./words.js").Part[], says: string, loading: boolean, moved: boolean,
 *            thumb: (layer: number, head: number) => Thumb, pinnedNumbers: Ranked[]}} Scene
 *   given: where the rows in focus look; got: who looks at the columns in focus
 */

const EXACT_THUMBS = 64; // up to so many tokens, loaded heads get thumbnails of the shown picture

/** @type {WeakMap<import("./data.js").Token[], Map<string, Layout>>} */
const layouts = new WeakMap();

/**
 * Which units stand where; the same object as long as nothing changes it.
 * @param {Trace} trace @param {Pick<View, "words" | "specials">} view
 * @returns {Layout}
 */
export function layoutOf({ head }, view) {
  const known = remember(layouts, head.query_tokens, () => new Map());
  return remember(known, `${view.words} ${view.specials === "shown"}`, () => {
    const rows = unitsOf(head.query_tokens, view.words, view.specials);
    const columns =
      head.key_tokens === head.query_tokens
        ? rows
        : unitsOf(head.key_tokens, view.words, view.specials);
    return {
      rows,
      columns,
      rowOfToken: unitOfToken(rows, head.query_tokens.length),
      columnOfToken: unitOfToken(columns, head.key_tokens.length),
    };
  });
}

/** @param {Trace} trace @param {Pick<View, "words" | "specials">} view @param {Float32Array} weights */
export function pictureOf(trace, view, weights) {
  const { rows, columns } = layoutOf(trace, view);
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
 * The units that hold some tokens, in order.
 * @param {number[]} tokens @param {Int32Array} unitOf
 */
export const unitsHolding = (tokens, unitOf) =>
  [...new Set(tokens.map((token) => unitOf[token]))].filter((unit) => unit >= 0);

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
  const layout = layoutOf(trace, view);
  const perHead = heads.map((head, i) => ({ head, picture: pictureOf(trace, view, all[i]) }));
  const pictures = perHead.map((p) => p.picture.weights);
  const picture =
    perHead.length === 1
      ? perHead[0].picture
      : { ...perHead[0].picture, weights: combine(pictures, view.combine) };
  const most = perHead.length > 1 && view.combine === "max";
  // The base of every share: all tokens that look, and the mean of the heads, however they are shown.
  const mean = once(() => combine(all, "mean"));
  const gets = once(() => received(mean(), header.key_tokens.length));
  const marks = header.key_tokens.flatMap((token, i) => (token.special ? [i] : []));
  return {
    name: nameOf(layer, heads, header.n_heads, view.combine),
    base: baseOf(header.query_tokens.length, heads.length),
    layer,
    picture,
    most,
    tops: fullColour(picture, view.scale),
    ...numbersOf(most ? perHead.map((p) => p.picture) : [picture]),
    // Asked for by hovers over keys and by notes, not by a look at a head.
    shares: once(() => Float32Array.from(layout.columns, (unit) => sumAt(gets(), unit.tokens))),
    profile: once(() => profileOf(mean(), header, header.possible[indexOf(header, layer)])),
    perHead,
    pooled: null,
    layout,
    // Rescaled rows are shares of what ordinary tokens get: there the sink has none.
    nowhere: (rows) =>
      header.sinks && view.specials !== "renormalised" ? unheld(mean(), picture, rows, header) : 0,
    hiddenShare: once(() => (marks.length ? sumAt(gets(), marks) : null)),
    sinkShare: once(() => (header.sinks ? unheld(mean(), picture, [], header) : 0)),
  };
}

/**
 * Numbers of chosen units; of a maximum the largest that any single head has, as maxima of several
 * keys, added up, could be more than all the attention there is.
 * @param {Picture[]} pictures
 * @returns {Pick<Model, "given" | "got" | "number">}
 */
const numbersOf = (pictures) => ({
  given: (rows) => largest(pictures.map((picture) => givenBy(picture, rows))),
  got: (columns) => largest(pictures.map((picture) => gotBy(picture, columns))),
  number: (rows, columns) =>
    Math.max(...pictures.map((picture) => numberOf(picture, rows, columns))),
});

/** @param {ArrayLike<number>} numbers @param {number[]} places */
const sumAt = (numbers, places) => places.reduce((sum, i) => sum + numbers[i], 0);

/**
 * The share of some rows' attention that goes to no token, because the model has a sink.
 * @param {Float32Array} weights `[query, key]` @param {Picture} picture @param {number[]} chosen
 * @param {import("./data.js").Header} header none chosen: of all rows
 */
function unheld(weights, picture, chosen, { query_tokens: queries, key_tokens: keys }) {
  const rows = chosen.length
    ? chosen.map((row) => picture.rows[row].tokens)
    : [Array.from(queries, (_, i) => i)];
  const held = rows.map((tokens) => {
    const lines = tokens.map((i) => weights.subarray(i * keys.length, (i + 1) * keys.length));
    return lines.reduce((sum, line) => line.reduce((all, w) => all + w, sum), 0) / lines.length;
  });
  return Math.max(0, 1 - held.reduce((sum, share) => sum + share, 0) / held.length);
}

/** @template T @param {() => T} make what is made when it is first asked for */
function once(make) {
  /** @type {T | undefined} */
  let made;
  return () => (made ??= make());
}

/**
 * The preview of a head whose layer is not here: its thumbnail, in place of the heatmap.
 * @param {Model} model @param {Thumb} thumb @param {number} layer @param {number} head
 * @returns {Model}
 */
export function pooledModel(model, thumb, layer, head) {
  return { ...model, pooled: thumb, name: `Layer ${layer}, head ${head}` };
}

/**
 * What is pinned, as a question to every head: one number if both sides are, else a row of them.
 * @param {Trace} trace @param {View} view
 * @returns {Wish | null} null if nothing is pinned, or what is pinned is hidden
 */
export function wishOf(trace, view) {
  if (!isPinned(view)) return null;
  const { rows, columns, rowOfToken, columnOfToken } = layoutOf(trace, view);
  const chosenRows = unitsHolding(view.queries, rowOfToken);
  const chosenColumns = unitsHolding(view.keys, columnOfToken);
  const [mean, together] = [view.queries.length > 0, view.keys.length > 0];
  if ((mean && !chosenRows.length) || (together && !chosenColumns.length)) return null;
  const pieces = (/** @type {Unit[]} */ units) => units.map((unit) => unit.tokens);
  return {
    name: [
      writeTokens(view.queries),
      writeTokens(view.keys),
      view.words ? "words" : "pieces",
      view.specials,
    ].join("_"),
    queries: pieces(mean ? chosenRows.map((r) => rows[r]) : rows),
    keys: pieces(together ? chosenColumns.map((c) => columns[c]) : columns),
    mean,
    together,
    rescaled: view.specials === "renormalised",
    special: (mean ? columns : rows).map((unit) => unit.special),
  };
}

/** Whether the server's answer to a wish is here. @param {Trace} trace @param {Wish} wish */
export const isAnswered = (trace, wish) => trace.group?.name === wish.name;

/**
 * One head's answer to a wish: from the server's answer for all heads, else from the layer itself.
 * @param {Trace} trace @param {Wish} wish @param {number} layer @param {number} head
 * @returns {Float32Array | null} null where neither is here
 */
function answerOf(trace, wish, layer, head) {
  const { n_heads: nHeads, key_tokens: keys } = trace.head;
  if (trace.group && isAnswered(trace, wish)) {
    const size = trace.group.weights.length / (trace.head.numbers.length * nHeads);
    const at = (indexOf(trace.head, layer) * nHeads + head) * size;
    return trace.group.weights.subarray(at, at + size);
  }
  const part = partOfHead(trace, layer, head, wish);
  const kept = wish.rescaled ? Uint8Array.from(keys, (token) => Number(!token.special)) : null;
  return part && attentionBetween(part.weights, part.nKeys, { ...part.chosen, kept });
}

/**
 * The number of a pinned pair in every head that is known, strongest first.
 * @param {Trace} trace @param {Wish | null} wish
 * @returns {Ranked[]}
 */
export function pinnedNumbers(trace, wish) {
  if (!wish?.mean || !wish.together) return [];
  const found = [];
  for (const layer of trace.head.numbers) {
    for (let head = 0; head < trace.head.n_heads; head++) {
      const answer = answerOf(trace, wish, layer, head);
      if (answer) found.push({ layer, head, weight: answer[0] });
    }
  }
  return found.sort((a, b) => b.weight - a.weight);
}

/**
 * @param {Trace} trace @param {Wish} wish @param {number} layer @param {number} head
 * @param {number} strongest the pair's largest weight in any head
 * @returns {Thumb}
 */
function pinnedThumb(trace, wish, layer, head, strongest) {
  const weights = answerOf(trace, wish, layer, head);
  if (!weights) {
    return { weights: new Float32Array(1), nRows: 1, nColumns: 1, tops: Float32Array.of(1) };
  }
  const [nRows, nColumns] = wish.mean ? [1, weights.length] : [weights.length, 1];
  // A pair is painted against the strongest head, a strip against its own strongest ordinary token.
  const pair = wish.mean && wish.together;
  const ordinary = weights.filter((_, i) => !wish.special[i]);
  const top = pair ? strongest : ordinary.reduce((a, b) => Math.max(a, b), 0);
  return { weights, nRows, nColumns, tops: new Float32Array(nRows).fill(top || 1) };
}

/**
 * A head's small picture.
 * @param {Trace} trace @param {View} view @param {Wish | null} wish
 * @param {number} layer @param {number} head
 * @param {number} strongest the pinned pair's largest weight in any head
 * @returns {Thumb}
 */
export function thumbOf(trace, view, wish, layer, head, strongest) {
  return wish && view.grid === "pinned"
    ? pinnedThumb(trace, wish, layer, head, strongest)
    : wholeThumb(trace, view, layer, head);
}

/** Whether the small pictures are those of the weights that are here. @param {Trace} trace */
export const areThumbsExact = ({ head }) =>
  Math.max(head.query_tokens.length, head.key_tokens.length) <= EXACT_THUMBS;

/**
 * @param {Trace} trace @param {View} view @param {number} layer @param {number} head
 * @returns {Thumb}
 */
export function wholeThumb(trace, view, layer, head) {
  const weights = areThumbsExact(trace) ? headWeights(trace, layer, head) : null;
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
