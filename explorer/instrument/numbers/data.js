// A payload of a trace -> its numbers. wire/trace.py writes it, and says what it is and how exact.

import { read } from "../wire/container.js";
import { remember } from "./basics.js";
import { columnsOfHead, rowsOfHead } from "./scores.js";

/**
 * @typedef {{text: string, span: [number, number] | null, word: number | null,
 *            segment: number, special: boolean}} Token
 * @typedef {import("../wire/container.js").Block & {data: any}} Block of one of the kinds in PLACES
 * @typedef {{task: string, says: string, length: number, until: number, causal: boolean,
 *            steps: number[], loss: number[], accuracy: number[], chance: number,
 *            best: {accuracy: number, loss: number} | null,
 *            near: {name: string, heads: number[][]}[], ideals: string[], answers: string[][],
 *            right: (string | null)[], begun: string, written: string[], stale?: string}} About a training; length: tokens of what is learned from;
 *   best: what the best that anybody could do would reach, where that is known;
 *   begun: what is gone on with, empty where nothing is written; written: behind it, by frame;
 *   until: the step it is to come to; heads: by frame, then layer and head; stale: what it
 *   is of, where that is no longer what is asked for
 * @typedef {About & {weights: Float32Array, wanted: Float32Array}} Training
 *   weights: `[frame, layer, head, query, key]`; wanted: `[pattern, query, key]`
 * @typedef {{id: string, title: string, passport: string, numbers: number[], n_heads: number,
 *            query_tokens: Token[], key_tokens: Token[], texts: string[],
 *            marks: Record<string, string>[], patches: [number, number] | null, n_cut: number[],
 *            truncation_side: "left" | "right", unknown: string | null, possible: number[],
 *            sinks: boolean, thumb: [number, number], long: boolean, more?: boolean,
 *            levels: Levels, key_levels: Levels | null, map_level: string | null,
 *            opening: Record<string, unknown> | null, link: Record<string, string> | null,
 *            about: import("../parts/about.js").About, training: About | null,
 *            striking: "here" | "ask" | null, predicts: boolean, writing: string | null,
 *            edits: string | null,
 *            n_written: number}} Header
 *   passport: how far the model's numbers were found from its own, in words; numbers: the model's
 *   own, of its layers; marks: for each text what is shown in place of characters that nobody sees,
 *   by their place; patches: rows and columns of a picture whose pieces are the tokens that are not
 *   special; unknown: what is shown for what the model does not know; possible:
 *   by layer, the bits of even attention under its mask; sinks: whether rows give a share to no
 *   token; long: whether heads travel one by one; levels: by their names the tokens at which groups
 *   of the text begin, from fine to coarse; key_levels: those of the keys, null for the same
 *   tokens; map_level: the level that maps of a long text show, null in a short one;
 *   more: whether all else of this header is left out, as an earlier payload has it; striking:
 *   whether what is worth a look came along, or may be asked for; predicts: whether it may be
 *   asked what comes next; writing: "now" while the model writes, else why it wrote no further;
 *   edits: what is changed in the
 *   model's attention, as links say it, null where nothing can be; n_written: how many of the last query tokens were not given
 * @typedef {Record<string, number[]>} Levels
 * @typedef {{weights: Float32Array, bytes: number}
 *         | {scores: import("./scores.js").Scores, id: number, bytes: number}} Layer
 *   weights: `[head, query, key]`; bytes: how long it was on its way
 * @typedef {({scores: import("./scores.js").Scores} | {weights: Float32Array})
 *         & {id: number, bytes: number}} Head one of a long text; id: never another's
 * @typedef {{nRows: number, nColumns: number, weights: Float32Array}} GroupMaps
 *   weights: `[2, query group, key group]`, sums over keys and means over queries, then the largest
 * @typedef {{level: string, profile: import("./model.js").Profile & {sink: number},
 *            received: Float32Array, ordinary: Float32Array, maps: GroupMaps | null,
 *            pairs: Int32Array, pairWeights: Float32Array, logs: Float64Array}} Summary
 *   of a head of a long text: received: what each key gets of all attention; ordinary: what each
 *   query gives to ordinary keys; maps: at the level, null once forgotten; pairs: `[2, m, 2]`, the
 *   strongest single weights of all tokens, then of ordinary ones, with their weights, −1 for none
 * @typedef {{all: Uint8Array, ordinary: Uint8Array}} Small tones, with and without special tokens
 * @typedef {{name: string, shape: number[], weights: Float32Array}} GroupBlock
 * @typedef {{ticket: number, bytes: Uint8Array}} PageBlock
 * @typedef {{head: Header, thumbs: Uint8Array, ordinaryThumbs: Uint8Array,
 *            layers: Map<number, Layer>, heads: Map<string, Head>, summaries: Map<string, Summary>,
 *            smalls: Map<string, Small>, means: Float32Array | null,
 *            group: GroupBlock | null, page: PageBlock | null, picture: Uint8Array | null,
 *            training: Training | null, masks: Map<number, Int32Array>,
 *            striking: import("./striking.js").Striking | null,
 *            effects: import("./striking.js").Effects | null,
 *            next: import("./next.js").Next | null, lens: import("./lens.js").Lens | null,
 *            wrote: import("./lens.js").Wrote | null, why: import("./lens.js").Why | null}} Trace
 *   masks: by layer, of those where not every key may be looked at, `[query, 2]` as `Scores` has
 *   them; layers: by the model's own numbers; heads, summaries, smalls: of a long text, by `placeOf`
 */

/** The weight that each thumbnail byte stands for: square-root tones, finer among small weights. */
const TONE_WEIGHT = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255) ** 2);

const WITHOUT_LEVELS = { long: false, levels: {}, key_levels: null, map_level: null };
const NOTHING_SAID = { title: "", passport: "", checked: null, text: "", noise: false, asked: 0 };
const NOBODY_S = { n_layers: 0, n_heads: 0, n_tokens: 0, made: null, code: "", notice: "" };
const NO_NOTES = { facts: [], notes: [], other: null };

/** The name of a head's place. @param {number} layer @param {number} head */
export const placeOf = (layer, head) => `${layer}.${head}`;

/**
 * Read a payload.
 * @param {Uint8Array} bytes
 * @returns {Trace}
 * @throws {Error} it is none
 */
export function unpack(bytes) {
  const { head, blocks } = read(bytes);
  head.query_tokens = tokensOf(head.query_tokens ?? []);
  head.key_tokens = head.key_tokens ? tokensOf(head.key_tokens) : head.query_tokens;
  Object.assign(head, {
    ...WITHOUT_LEVELS,
    about: { ...NOTHING_SAID, ...NOBODY_S, ...NO_NOTES },
    ...head,
  });
  const training = head.training && {
    ...head.training,
    weights: new Float32Array(),
    wanted: new Float32Array(),
  };
  /** @type {Trace} */
  const trace = {
    ...{ head, training, layers: new Map(), means: null, group: null, page: null, picture: null },
    ...{ striking: null, effects: null, next: null, lens: null, wrote: null, why: null },
    ...{ thumbs: new Uint8Array(), ordinaryThumbs: new Uint8Array() },
    ...{ heads: new Map(), summaries: new Map(), smalls: new Map(), masks: new Map() },
  };
  for (const block of blocks) keep(trace, block);
  return trace;
}

/**
 * Tokens, which travel column by column.
 * @param {any} columns as `_columns` of wire/trace.py; or tokens one by one
 * @returns {Token[]}
 */
function tokensOf(columns) {
  if (Array.isArray(columns)) return columns;
  const { text, start, end, word, segment } = columns;
  const special = new Set(columns.special);
  return text.map((/** @type {string} */ said, /** @type {number} */ i) => ({
    ...{ text: said, span: start[i] === null ? null : [start[i], end[i]], word: word[i] },
    ...{ segment: segment[i], special: special.has(i) },
  }));
}

/** Where each kind of block belongs. @type {Record<string, (trace: Trace, block: Block) => void>} */
const PLACES = {
  thumbs: (trace, block) => {
    const [height, width] = block.shape.slice(-2);
    trace.head.thumb = [height, width];
    if (block.places) keepSmalls(trace, block, "all");
    else trace.thumbs = block.data;
  },
  ordinary_thumbs: (trace, block) => {
    if (block.places) keepSmalls(trace, block, "ordinary");
    else trace.ordinaryThumbs = block.data;
  },
  head: (trace, block) => keepHead(trace, block),
  summary: (trace, block) => keepSummary(trace, block),
  layer: (trace, { layer, data }) => {
    trace.layers.set(layer, { weights: data, bytes: data.byteLength });
  },
  scores: (trace, block) => keepScores(trace, block),
  mask: ({ masks }, { layers, data }) => {
    for (const layer of layers) masks.set(layer, data);
  },
  means: (trace, { data }) => {
    trace.means = data;
  },
  group: (trace, { name, shape, data }) => {
    trace.group = { name, shape, weights: data };
  },
  training: ({ training }, { data }) => {
    if (training) training.weights = data;
  },
  ideals: ({ training }, { data }) => {
    if (training) training.wanted = data;
  },
  picture: (trace, { data }) => {
    trace.picture = data;
  },
  page: (trace, { ticket, data }) => {
    trace.page = { ticket, bytes: data };
  },
  striking: (trace, { findings, silence }) => {
    trace.striking = { findings, silence };
  },
  next: (trace, block) => keepNext(trace, block),
  lens: (trace, { data, ...told }) => {
    trace.lens = /** @type {any} */ ({ ...told, chances: data });
  },
  wrote: (trace, { data, ...told }) => {
    trace.wrote = /** @type {any} */ ({ ...told, values: data });
  },
  why: (trace, { data, ...told }) => {
    trace.why = /** @type {any} */ ({ ...told, values: data });
  },
  effects: (trace, { done, measure, finding, reason }) => {
    trace.effects = { done, measure, finding, reason };
  },
};

/** A part of what comes next, or why nothing does. @param {Trace} trace @param {Block} block */
function keepNext(trace, { kind: _, part, shape, data, ...told }) {
  const next = /** @type {any} */ (trace.next ?? {});
  trace.next = Object.assign(next, told, { [part]: data }, part === "ids" && { k: shape[1] });
}

/** @param {Trace} trace @param {Block} block */
const keep = (trace, block) => PLACES[block.kind]?.(trace, block);

let arrived = 0; // layers and heads as scores, ever

/** What is made of scores, before any part is here. @param {Block} block @returns {any} */
const emptyScores = ({ scale, cap }) => ({
  scores: { scale, cap, logs: null, allowed: null, offsets: null, sinks: null },
  id: ++arrived,
  bytes: 0,
});

/** A part of what a layer's weights are made of. @param {Trace} trace @param {Block} block */
const keepScores = ({ layers }, block) =>
  keepPart(/** @type {any} */ (remember(layers, block.layer, () => emptyScores(block))), block);

/** A part of what a head's weights are made of, or these. @param {Trace} trace @param {Block} block */
function keepHead({ heads }, block) {
  const { layer, head, part, data } = block;
  const place = placeOf(layer, head);
  if (part === "weights") {
    heads.set(place, { weights: data, id: ++arrived, bytes: data.byteLength });
  } else keepPart(/** @type {any} */ (remember(heads, place, () => emptyScores(block))), block);
}

/** Small pictures of some heads. @param {Trace} trace @param {Block} block @param {keyof Small} which */
function keepSmalls({ smalls }, { places, shape, data }, which) {
  const size = shape[1] * shape[2];
  places.forEach((/** @type {[number, number]} */ [layer, head], /** @type {number} */ i) => {
    const small = remember(smalls, placeOf(layer, head), () => ({
      ...{ all: new Uint8Array(), ordinary: new Uint8Array() },
    }));
    small[which] = data.subarray(i * size, (i + 1) * size);
  });
}

/** @type {Record<string, string>} */
const NAMES = { pair_weights: "pairWeights", log_sum_exp: "logs" };

/** A part of what is said of a head as a whole. @param {Trace} trace @param {Block} block */
function keepSummary({ summaries }, { layer, head, level, profile, part, shape, data }) {
  const summary = remember(
    summaries,
    placeOf(layer, head),
    () => /** @type {any} */ ({ level, profile }),
  );
  if (part === "maps") {
    summary.maps = { nRows: shape[1], nColumns: shape[2], weights: data };
  } else Object.assign(summary, { [NAMES[part] ?? part]: data });
}

/** @param {Extract<Layer, {scores: unknown}>} found @param {Block} block */
function keepPart(found, { part, shape, data }) {
  found.bytes += data.byteLength;
  const { scores } = found;
  if (part === "q") [scores.heads, scores.queries, scores.width] = shape;
  if (part === "k") [scores.keyHeads, scores.keys] = shape;
  Object.assign(scores, { [part === "log_sum_exp" ? "logs" : part]: data });
}

/** @param {Header} head */
export const mapSize = (head) => head.query_tokens.length * head.key_tokens.length;

/** How many heads there are. @param {Header} head */
export const headsIn = ({ numbers, n_heads }) => numbers.length * n_heads;

/** Where a layer stands among those that the model has. @param {Header} head @param {number} layer */
export const indexOf = ({ numbers }, layer) => numbers.indexOf(layer);

const MADE = 12 * 2 ** 20; // bytes of weights that were made of scores and are kept
/** @type {Map<string, Float32Array>} */
const made = new Map(); // used longest ago first
let madeBytes = 0;

/** @param {import("./scores.js").Scores} scores @param {number} id @param {number} head */
function remade(scores, id, head) {
  const name = `${id} ${head}`;
  const weights = made.get(name) ?? rowsOfHead(scores, head);
  if (!made.delete(name)) madeBytes += weights.byteLength;
  made.set(name, weights);
  for (const [oldest, kept] of made) {
    if (madeBytes <= MADE || oldest === name) break;
    made.delete(oldest);
    madeBytes -= kept.byteLength;
  }
  return weights;
}

/**
 * The weights of one head, `[query, key]`; not to be written to.
 * @param {Trace} trace @param {number} layer @param {number} head
 * @returns {Float32Array | null} null while the layer is not here
 */
export function headWeights(trace, layer, head) {
  const found = trace.layers.get(layer);
  if (!found) return null;
  if ("scores" in found) return remade(found.scores, found.id, head);
  const size = mapSize(trace.head);
  return found.weights.subarray(head * size, (head + 1) * size);
}

/**
 * What chosen words need of a head: its weights, or, where they are made of scores, only the rows
 * of the queries or the columns of the keys, as every head of every layer is asked; and the words'
 * places in it.
 * @template {{queries: number[][], keys: number[][], mean: boolean, together: boolean,
 *             rescaled: boolean}} Chosen
 * @param {Trace} trace @param {number} layer @param {number} head @param {Chosen} chosen
 * @returns {{weights: Float32Array, nKeys: number, chosen: Chosen} | null}
 *   null while the layer is not here
 */
export function partOfHead(trace, layer, head, chosen) {
  const here = trace.layers.get(layer);
  const nKeys = trace.head.key_tokens.length;
  const own = trace.heads.get(placeOf(layer, head));
  if (own && "scores" in own && chosen.mean) {
    const weights = rowsOfHead(own.scores, 0, chosen.queries.flat());
    return { weights, nKeys, chosen: { ...chosen, queries: renumbered(chosen.queries) } };
  }
  if (here && "scores" in here && chosen.mean) {
    const weights = rowsOfHead(here.scores, head, chosen.queries.flat());
    return { weights, nKeys, chosen: { ...chosen, queries: renumbered(chosen.queries) } };
  }
  if (here && "scores" in here && !chosen.rescaled) {
    const keys = chosen.keys.flat();
    const weights = columnsOfHead(here.scores, head, keys);
    return { weights, nKeys: keys.length, chosen: { ...chosen, keys: renumbered(chosen.keys) } };
  }
  const weights = headWeights(trace, layer, head);
  return weights && { weights, nKeys, chosen };
}

/** Words whose pieces stand one after the other. @param {number[][]} words */
function renumbered(words) {
  let at = 0;
  return words.map((word) => word.map(() => at++));
}

/**
 * The mean over the heads of a layer, `[query, key]`.
 * @param {Trace} trace @param {number} layer @param {number[]} [heads] which heads; all if left out
 * @returns {Float32Array | null} null where neither the layer nor the means are here
 */
export function meanWeights(trace, layer, heads) {
  const size = mapSize(trace.head);
  if (trace.means && !heads) {
    const at = indexOf(trace.head, layer) * size;
    return trace.means.subarray(at, at + size);
  }
  if (!trace.layers.has(layer)) return null;
  const chosen = heads ?? Array.from({ length: trace.head.n_heads }, (_, head) => head);
  const sum = new Float64Array(size);
  for (const head of chosen) {
    const weights = /** @type {Float32Array} */ (headWeights(trace, layer, head));
    for (let i = 0; i < size; i++) sum[i] += weights[i];
  }
  return Float32Array.from(sum, (total) => total / chosen.length);
}

/**
 * The frame of a training that stands nearest to a step.
 * @param {About} training @param {number | null} step null for the last
 */
export function frameAt({ steps }, step) {
  if (step === null) return steps.length - 1;
  const after = steps.findIndex((s) => s >= step);
  return after < 0 ? steps.length - 1 : after;
}

/**
 * Let a trace show one frame of its training.
 * @param {Trace} trace @param {number} frame
 */
export function showFrame(trace, frame) {
  if (!trace.training) return;
  const { numbers, n_heads: nHeads } = trace.head;
  const size = nHeads * mapSize(trace.head);
  numbers.forEach((layer, i) => {
    const at = (frame * numbers.length + i) * size;
    const weights = /** @type {Training} */ (trace.training).weights.subarray(at, at + size);
    trace.layers.set(layer, { weights, bytes: weights.byteLength });
  });
}

/** Heads that came before the sums of their rows get these of their summaries. @param {Trace} trace */
function giveSums({ heads, summaries }) {
  for (const [place, { logs }] of summaries) {
    const head = heads.get(place);
    if (head && "scores" in head) head.scores.logs ??= logs;
  }
}

/**
 * Take over what an earlier payload of the same trace brought.
 * @param {Trace} next @param {Trace} old
 */
export function merge(next, old) {
  next.layers = new Map([...old.layers, ...next.layers]); // oldest first
  next.heads = new Map([...old.heads, ...next.heads]);
  giveSums(next);
  next.summaries = new Map([...old.summaries, ...next.summaries]);
  next.smalls = new Map([...old.smalls, ...next.smalls]);
  next.head.thumb ??= old.head.thumb;
  // The same text: what is known of its tokens stays.
  if (next.head.more) {
    next.head = Object.assign(old.head, { thumb: next.head.thumb });
    Object.assign(next, { thumbs: old.thumbs, ordinaryThumbs: old.ordinaryThumbs });
    next.picture ??= old.picture;
  } else
    Object.assign(next.head, {
      query_tokens: old.head.query_tokens,
      key_tokens: old.head.key_tokens,
    });
  next.masks = new Map([...old.masks, ...next.masks]);
  next.means ??= old.means;
  next.group ??= old.group;
  next.training ??= old.training;
  next.striking ??= old.striking;
  next.effects ??= old.effects;
  next.next ??= old.next;
  next.lens ??= old.lens;
  next.wrote ??= old.wrote;
  next.why ??= old.why;
}

/**
 * The thumbnail of one head as weights, `thumb[0] x thumb[1]`, each the maximum of its block.
 * @param {Trace} trace @param {number} layer @param {number} head @param {boolean} ordinary
 * @returns {Float32Array | null} null where it is still to come
 */
export function thumbWeights(trace, layer, head, ordinary) {
  const tones = trace.head.long
    ? trace.smalls.get(placeOf(layer, head))?.[ordinary ? "ordinary" : "all"]
    : tonesIn(trace, layer, head, ordinary);
  return tones ? Float32Array.from(tones, (tone) => TONE_WEIGHT[tone]) : null;
}

/** @param {Trace} trace @param {number} layer @param {number} head @param {boolean} ordinary */
function tonesIn(trace, layer, head, ordinary) {
  const size = trace.head.thumb[0] * trace.head.thumb[1];
  const start = (indexOf(trace.head, layer) * trace.head.n_heads + head) * size;
  return (ordinary ? trace.ordinaryThumbs : trace.thumbs).subarray(start, start + size);
}

/**
 * Whether the attention of some heads is here.
 * @param {Trace} trace @param {number} layer @param {number[]} heads
 */
export const areHere = (trace, layer, heads) =>
  trace.head.long
    ? heads.every((head) => trace.heads.has(placeOf(layer, head)))
    : trace.layers.has(layer);
