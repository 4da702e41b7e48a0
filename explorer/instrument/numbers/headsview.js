// What is chosen of a survey of all heads, and how that changes. Plain data and functions of it.

import { measuresOf, POINTED, readPairs, sameWord } from "./survey.js";

/**
 * @typedef {import("./survey.js").Heads} Heads
 * @typedef {import("./survey.js").Pair} Pair
 * @typedef {{measure: string, kinds: number[], lowest: boolean, pick: number, pairs: Pair[]}} HeadsView
 *   kinds: none means all; pick: a head, counted through all layers, or -1
 * @typedef {{heads: Heads, view: HeadsView, hovered: number | null, ranks: number}} HeadsState
 *   hovered: the head under the pointer; ranks: how many heads the list shows
 */

const RANKS = 12; // heads in the list at first

/**
 * What a link names, as far as this survey has it.
 * @param {Heads} heads @param {URLSearchParams} params @returns {HeadsView}
 */
export function viewOfLink(heads, params) {
  const kinds = (params.get("kinds") ?? "").split(".").filter(Boolean).map(Number);
  const pick = Number(params.get("pick") ?? -1);
  const known = (/** @type {Pair} */ [text, from, to]) =>
    Math.max(from, to) < (heads.texts[text]?.length ?? 0);
  return {
    measure: params.get("measure") ?? "",
    kinds: kinds.filter((k) => k < heads.kinds.length),
    lowest: params.get("lowest") === "1",
    pick: Number.isInteger(pick) && pick < heads.heads.length ? pick : -1,
    pairs: readPairs(params.get("pairs") ?? "").filter(known),
  };
}

/** What a link says of a view: only what is not as at first. @param {HeadsState} state */
export function linkOfView({ heads, view }) {
  /** @type {Record<string, string>} */
  const params = {};
  if (view.measure !== measuresOf(heads)[0].key) params.measure = view.measure;
  if (view.kinds.length) params.kinds = view.kinds.join(".");
  if (view.lowest) params.lowest = "1";
  if (view.pick >= 0) params.pick = String(view.pick);
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
  const heads = current ? fresh : { ...fresh, found: null };
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
export const withView = (state, part) => ({ ...state, view: { ...state.view, ...part } });

/**
 * The state once other words are pointed at: what was found for the last ones is forgotten.
 * @param {HeadsState} state @param {Pair[]} pairs @returns {HeadsState}
 */
export function withPairs(state, pairs) {
  const heads = { ...state.heads, found: null };
  const measure = pairs.length ? POINTED : heads.measures[0].key;
  return withView({ ...state, heads }, { pairs, measure, lowest: false });
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
