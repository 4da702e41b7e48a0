// What is chosen of a survey of all heads, and how that changes. Plain data and functions of it.

import {
  habitsOf,
  measuresOf,
  POINTED,
  piecesAt,
  placeOf,
  readPairs,
  sameWord,
  wordAt,
} from "./survey.js";
import { readTokens, writeTokens } from "./view.js";

/**
 * @typedef {import("./survey.js").Heads} Heads
 * @typedef {import("./survey.js").Pair} Pair
 * @typedef {import("./survey.js").Specials} Specials
 * @typedef {{measure: string, kinds: number[], lowest: boolean, specials: Specials, pick: number,
 *            pairs: Pair[], repeats: string}} HeadsView
 *   kinds: none means all; pick: a head, counted through all layers, or -1; repeats: the score on
 *   repeated random tokens that is looked at, none while nobody does
 * @typedef {{heads: Heads, view: HeadsView, hovered: number | null, ranks: number}} HeadsState
 *   hovered: the head under the pointer; ranks: how many heads the list shows
 */

const RANKS = 12; // heads in the list at first

/** What heads are asked on repeated random tokens; what each means, wire/repeats.py says. */
export const SCORES = ["induction", "same", "previous", "copying"];

/**
 * What a link names, as far as this survey has it; else what another page has left.
 * @param {Heads} heads @param {URLSearchParams} params @returns {HeadsView}
 */
export function viewOfLink(heads, params) {
  const kinds = (params.get("kinds") ?? "").split(".").filter(Boolean).map(Number);
  const known = (/** @type {Pair} */ [text, from, to]) =>
    Math.max(from, to) < (heads.texts[text]?.length ?? 0);
  const said = readPairs(params.get("pairs") ?? "").filter(known);
  const { given } = heads.place;
  const pairs = said.length || !given || !known(given) ? said : [given];
  return {
    measure: params.get("measure") ?? (pairs.length ? POINTED : ""),
    kinds: kinds.filter((k) => k < heads.kinds.length),
    lowest: params.get("lowest") === "1",
    specials: params.get("special") === "out" && heads.left_out ? "left_out" : "counted",
    pick: headIn(heads, params),
    pairs,
    repeats: heads.repeats ? scoreIn(params.get("repeats")) : "",
  };
}

/** The score that a link names; the first where it names one that there is not. @param {string | null} name */
const scoreIn = (name) => (name === null || SCORES.includes(name) ? (name ?? "") : SCORES[0]);

/** The head that a link names, else that of the place. @param {Heads} heads @param {URLSearchParams} params */
function headIn({ numbers, n_heads, place }, params) {
  if (!params.has("layer")) return place.head;
  const layer = numbers.indexOf(Number(params.get("layer")));
  const head = Number((params.get("heads") ?? "0").split(".")[0]);
  return layer >= 0 && Number.isInteger(head) && head >= 0 && head < n_heads
    ? layer * n_heads + head
    : -1;
}

/**
 * Where the reader looks on all pages: the picked head, and of one text the words pointed at last.
 * What this page has nothing to say of stays as it came.
 * @param {HeadsState} state @returns {Record<string, string>}
 */
export function placeOfView({ heads, view }) {
  const { query = "", key = "", ...rest } = heads.place.view;
  const [tokens] = heads.texts;
  const pair = view.pairs.at(-1);
  const picked = placeOf(heads, Math.max(view.pick, 0));
  const head = view.pick >= 0 ? { layer: String(picked.layer), heads: String(picked.head) } : rest;
  if (heads.n_texts > 1 || (!pair && !(query && key)))
    return { ...head, ...(query ? { query } : {}), ...(key ? { key } : {}) };
  if (!pair) return head; // it was taken away here
  const [looks, looked] = [pair[1], pair[2]].map((at) => writeTokens(piecesAt(tokens, at)));
  return { ...head, query: looks, key: looked };
}

/** The words of that pair, by which they are found in another text. @param {HeadsState} state @returns {[string, string]} */
export function wordsOfView({ heads, view }) {
  const pair = view.pairs.at(-1);
  if (heads.n_texts > 1 || !pair) return heads.place.words;
  return [wordAt(heads.texts[0], pair[1]), wordAt(heads.texts[0], pair[2])];
}

/** What a link says of a view: the place, and what is not as at first. @param {HeadsState} state */
export function linkOfView(state) {
  const { heads, view } = state;
  /** @type {Record<string, string>} */
  const params = placeOfView(state);
  if (view.measure !== measuresOf(heads)[0].key) params.measure = view.measure;
  if (view.kinds.length) params.kinds = view.kinds.join(".");
  if (view.lowest) params.lowest = "1";
  if (view.specials === "left_out") params.special = "out";
  if (view.repeats) params.repeats = view.repeats;
  if (view.pairs.length) params.pairs = view.pairs.map((pair) => pair.join("-")).join("_");
  return params;
}

/**
 * The state after a survey has come. A new one opens as the link says; one that is here already
 * may bring an answer to what was pointed at.
 * @param {HeadsState | null} before @param {Heads} fresh @param {URLSearchParams} params
 * @returns {HeadsState}
 */
export function withSurvey(before, fresh, params) {
  const first = before?.heads.id !== fresh.id;
  const view = first ? viewOfLink(fresh, params) : before.view;
  // An answer to a question that has changed meanwhile is none.
  const current = first || asText(fresh.pairs) === asText(before.view.pairs);
  const heads = habitsOf(current ? fresh : { ...fresh, found: null }, view.specials);
  const all = measuresOf(heads);
  const known = all.some((m) => m.key === view.measure) || view.pairs.length > 0;
  return {
    heads,
    view: known ? view : { ...view, measure: all[0].key },
    hovered: first ? null : before.hovered,
    ranks: first ? RANKS : before.ranks,
  };
}

/** @param {Pair[]} pairs */
const asText = (pairs) => pairs.map((pair) => pair.join()).join();

/** @param {HeadsState} state @param {Partial<HeadsView>} part @returns {HeadsState} */
export function withView(state, part) {
  const view = { ...state.view, ...part };
  return { ...state, view, heads: habitsOf(state.heads, view.specials) };
}

/**
 * The state once other words are pointed at: what was found for the last ones is forgotten.
 * @param {HeadsState} state @param {Pair[]} pairs @returns {HeadsState}
 */
export function withPairs(state, pairs) {
  const heads = { ...state.heads, found: null };
  const measure = pairs.length ? POINTED : heads.measures[0].key;
  return withView({ ...state, heads }, { pairs, measure, lowest: false });
}

/**
 * The state after a step back or forward in the browser.
 * @param {HeadsState} state @param {URLSearchParams} params @returns {HeadsState}
 */
export function withLink(state, params) {
  const given = state.heads.n_texts > 1 ? null : pinnedIn(params);
  const heads = { ...state.heads, place: { ...state.heads.place, given } };
  const view = viewOfLink(heads, params);
  const same = asText(view.pairs) === asText(state.view.pairs);
  const found = same ? state.heads.found : null;
  return withView({ ...state, heads: { ...state.heads, found }, hovered: null }, view);
}

/** The words that a link has pinned on both sides, as a pair. @param {URLSearchParams} params @returns {Pair | null} */
function pinnedIn(params) {
  const [query, key] = ["query", "key"].map((side) => readTokens(params.get(side))?.[0]);
  return query === undefined || key === undefined ? null : [0, query, key];
}

/** The kinds once one of them is chosen, or no longer. @param {number[]} kinds @param {number} kind */
export const withOrWithout = (kinds, kind) =>
  kinds.includes(kind) ? kinds.filter((k) => k !== kind) : [...kinds, kind].sort();

/** The measure that is shown: the first one while the chosen is not there. @param {HeadsState} state */
export function measureOf({ heads, view }) {
  const all = measuresOf(heads);
  return all.find((m) => m.key === view.measure) ?? all[0];
}

/** Whether a head is of the chosen kinds. @param {HeadsState} state @param {number} i */
export const isOfKinds = ({ heads, view }, i) =>
  !view.kinds.length || view.kinds.includes(heads.heads[i].kind);

/** Whether a head is marked in both pictures. @param {HeadsState} state @param {number} i */
export const isMarked = ({ view, hovered }, i) => i === view.pick || i === hovered;

/**
 * @typedef {{text: number, at: number} | null} Begun the word that looks, while the other is awaited
 */

/**
 * A click on a word begins a pair, or ends the one that was begun in the same text.
 * @param {Begun} begun @param {number} text @param {number} at
 * @returns {{begun: Begun, pair: Pair | null}}
 */
export const pointAt = (begun, text, at) =>
  begun?.text === text
    ? { begun: null, pair: [text, begun.at, at] }
    : { begun: { text, at }, pair: null };

/**
 * Pairs with one more, which stands last; the first go where there are too many.
 * @param {Pair[]} pairs @param {Pair} pair @param {number} most
 */
export const withPair = (pairs, pair, most) =>
  [...pairs.filter((p) => p.join() !== pair.join()), pair].slice(-most);

/**
 * What a token is in the pairs: whether a pair begins at its word, and whether one leads to it.
 * @param {Heads} heads @param {Pair[]} pairs @param {Begun} begun @param {number} text @param {number} at
 */
export function roleOf(heads, pairs, begun, text, at) {
  const tokens = heads.texts[text];
  const own = pairs.filter((pair) => pair[0] === text);
  const waiting = begun?.text === text && sameWord(tokens, begun.at, at);
  return {
    from: waiting || own.some((pair) => sameWord(tokens, pair[1], at)),
    to: own.some((pair) => sameWord(tokens, pair[2], at)),
  };
}
