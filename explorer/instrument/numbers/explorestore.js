// What a reader has chosen, points at and looks at, and every way from one such state to the next.
// No state is changed: each function gives back another one.

import {
  clamp,
  fromParams,
  hasView,
  isPair,
  isPinned,
  NO_HISTORY,
  note,
  pin,
  pinPair,
  START,
  step,
} from "./view.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./words.js").Focus} Focus
 * @typedef {import("./data.js").Header} Header
 * @typedef {{layer: number, head: number, stays: boolean}} Peek a head that is looked at, and
 *   whether the look has stayed on it
 * @typedef {{view: View, history: import("./view.js").History, hovered: Focus | null,
 *            peeked: Peek | null, several: boolean, other: boolean, seeks: boolean,
 *            rested: Focus | null, asked: Asked | null}} Told
 *   hovered: what is pointed at; several: every click adds; other: the next click goes to the side
 *   where nothing is pinned; seeks: it has, and the strongest head of that pair is wanted; rested:
 *   what the hand still rests on after that click, which counts again once it has left it; asked:
 *   what shall be changed in the model's attention
 * @typedef {{edits: string, of: string, history: import("./view.js").History}} Asked
 *   of: the run, apart from what is changed; history: what can be taken back once it is here
 */

/** @type {Told} */
export const NOTHING_TOLD = {
  view: START,
  history: NO_HISTORY,
  hovered: null,
  peeked: null,
  several: false,
  other: false,
  seeks: false,
  rested: null,
  asked: null,
};

/** Of another picture, or at another place: nothing is pointed at and nothing is asked. */
export const NOTHING_AT_HAND = {
  ...{ hovered: null, peeked: null, other: false, seeks: false, rested: null },
};

/** @param {Focus | null} one @param {Focus | null} other */
const same = (one, other) =>
  one === other ||
  (one !== null &&
    String(one.rows) === String(other?.rows) &&
    String(one.columns) === String(other?.columns));

/**
 * Something is pointed at, or nothing any more.
 * @param {Told} told @param {Focus | null} focus
 * @returns {Told} the same object if it was pointed at before
 */
export function pointAt(told, focus) {
  if (focus && same(focus, told.rested)) return told;
  if (same(focus, told.hovered) && !told.rested) return told;
  return { ...told, hovered: focus, rested: null };
}

/**
 * A look at a head; null: the look ends.
 * @param {Told} told @param {number | null} layer @param {number} [head]
 * @returns {Told}
 */
export const peekAt = (told, layer, head = 0) => ({
  ...told,
  peeked: layer === null ? null : { layer, head, stays: false },
});

/**
 * What was asked for by a key is seen, whatever the hand rests on: until it moves.
 * @param {Told} told
 * @returns {Told}
 */
export const letGo = (told) => ({ ...told, hovered: null, peeked: null });

/** The look has stayed where it is. @param {Told} told @returns {Told} */
export const stay = (told) =>
  told.peeked ? { ...told, peeked: { ...told.peeked, stays: true } } : told;

/**
 * A change of the view, as far as the model can show it. It can be taken back.
 * @param {Told} told @param {(now: View) => View} next @param {Header} head
 * @returns {Told}
 */
export function changed(told, next, head) {
  const view = clamp(next(told.view), head);
  const seeks = told.other && isPair(view);
  const other = told.other && isPinned(view) && !seeks;
  const hand = seeks ? { hovered: null, rested: told.hovered } : {};
  return { ...told, ...hand, view, other, seeks, history: note(told.history, told.view, view) };
}

/**
 * The head that gives a pair most, once every head's number is here; null before, and where none
 * gives anything.
 * @param {Told} told @param {import("./scene.js").Ranked[]} numbers strongest first
 * @param {number} all so many heads there are
 */
export const soughtHead = (told, numbers, all) =>
  told.seeks && numbers.length === all && numbers[0].weight > 0 ? numbers[0] : null;

/**
 * Undo or redo.
 * @param {Told} told @param {"past" | "future"} where
 * @returns {Told | null} null where there is no such step
 */
export function travelled(told, where) {
  const found = step(told.history, told.view, where);
  if (!found || "edits" in found[1]) return null;
  return { ...told, history: found[0], view: found[1], seeks: false };
}

/**
 * What the model's attention is changed to by undo or redo; null where that is another step.
 * @param {Told} told @param {"past" | "future"} where
 */
export function editsBehind({ history }, where) {
  const next = history[where].at(-1);
  return next && "edits" in next ? next.edits : null;
}

/** A run, whatever is changed in it; empty where no link names it. @param {Header} head */
function runOf({ link }) {
  const params = new URLSearchParams(link ? { ...link, edits: "" } : {});
  params.sort();
  return String(params);
}

/**
 * The model's attention shall be changed: a step of the history, once it is.
 * @param {Told} told @param {string} edits @param {Header} head
 * @param {"past" | "future" | null} where it is undo or redo that asks
 * @returns {Told}
 */
export function editing(told, edits, head, where) {
  const now = { edits: head.edits ?? "" };
  const found = where && step(told.history, now, where);
  const history = found ? found[0] : { past: [...told.history.past, now], future: [] };
  return { ...told, asked: { edits, of: runOf(head), history } };
}

/**
 * What can be taken back of a new trace: of one that was asked for as a change, what could be before.
 * @param {Asked | null} asked @param {Header} head
 */
function historyOf(asked, head) {
  const isIt = asked?.of && asked.of === runOf(head) && asked.edits === (head.edits ?? "");
  return isIt ? asked.history : NO_HISTORY;
}

/**
 * A click on tokens of one side.
 * @param {Told} told @param {"queries" | "keys"} side @param {number[]} tokens @param {boolean} add
 */
export function picked({ view, several, other }, side, tokens, add) {
  if (!other) return pin(view, side, tokens, add || several);
  return {
    ...pin(view, view.queries.length ? "keys" : "queries", tokens, false),
    grid: START.grid,
  };
}

/**
 * A click that holds both sides.
 * @param {Told} told @param {number[]} queries @param {number[]} keys @param {boolean} add
 */
export const pickedPair = ({ view, several }, queries, keys, add) =>
  add || several
    ? pin(pin(view, "queries", queries, true), "keys", keys, true)
    : pinPair(view, queries, keys);

/**
 * All heads of a layer.
 * @param {View} view @param {number} layer @param {number} nHeads
 * @returns {View}
 */
export const withWholeLayer = (view, layer, nHeads) => ({
  ...view,
  layer,
  heads: Array.from({ length: nHeads }, (_, head) => head),
});

/** Whether the small pictures of two views differ. @param {View} one @param {View} other */
export const haveOtherThumbs = (one, other) =>
  one.grid !== other.grid ||
  String([one.queries, [], one.keys]) !== String([other.queries, [], other.keys]);

const { combine, words, specials, map, pool } = START;
const asMeasured = { combine, words, specials, map, pool };

/**
 * A new trace: keep the reader's switches, drop pins of another text, take the link's word. An
 * example says numbers of the weights as they are: it opens without what changes them.
 * @param {Told} told @param {Header} head @param {URLSearchParams} link
 * @returns {Told}
 */
export function arrived(told, head, link) {
  const kept = head.opening?.example ? { ...told.view, ...asMeasured } : told.view;
  const fresh = { ...kept, queries: [], keys: [], grid: START.grid, cards: [] };
  const opened = hasView(link) ? fresh : fromParams(fresh, openingOf(head));
  // The server may not have heard of the last look yet; an example says itself where to look.
  const { layer, heads } = told.view;
  const stays = told.view !== START && !head.opening?.example ? { layer, heads } : {};
  const view = clamp(fromParams({ ...opened, ...stays }, link), head);
  const history = historyOf(told.asked, head);
  return { ...told, view, history, asked: null, ...NOTHING_AT_HAND };
}

/** The view that an example opens with. @param {Header} head */
function openingOf({ opening }) {
  const entries = Object.entries(opening ?? {}).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(".") : String(value),
  ]);
  return new URLSearchParams(entries);
}
