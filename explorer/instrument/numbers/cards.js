// Cards: views that were kept, each behind a key. A card is a view without cards, as a link has it.

import { cardParams, cardText, MOST_CARDS, MOST_LETTERS } from "./cardtext.js";
import { headsName } from "./headname.js";
import { t, tn } from "./language.js";
import { pinnedWords } from "./pinnedwords.js";
import { clamp, fromParams, START, toParams } from "./view.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./data.js").Trace} Trace
 */

const NAMED = 14; // letters of a word in a card's name

/** The card of what is seen. @param {View} view */
export const cardOf = (view) => cardText(toParams({ ...view, cards: [] }));

/**
 * The view that a card shows, with the cards that there are now.
 * @param {View} now @param {string} card @param {Trace["head"]} head
 * @returns {View}
 */
export const onCard = (now, card, head) => ({
  ...clamp(fromParams(START, cardParams(card)), head),
  cards: now.cards,
});

/**
 * What a class sees: colours that mean the same on every card, and both sides beside one another.
 * @param {View} view @returns {View}
 */
export const inLesson = (view) => ({
  ...view,
  scale: "absolute",
  flow: view.flow === "auto" ? "down" : view.flow,
});

/** Which card shows what is seen; -1 for none. @param {View} view */
export const cardNow = (view) => view.cards.indexOf(cardOf(view));

/**
 * Why a view cannot be kept; empty if it can.
 * @param {View} view
 */
export function whyNotKept(view) {
  const now = cardNow(view);
  if (now >= 0) return t("This is card {n} already.", { n: now + 1 });
  if (view.cards.length >= MOST_CARDS)
    return t("There are {n} cards: take one out first.", { n: MOST_CARDS });
  if (cardOf(view).length <= MOST_LETTERS) return "";
  return t("Too many words are pinned for a card: pin fewer, or a phrase.");
}

/** @param {View} view @returns {View} */
export const kept = (view) =>
  whyNotKept(view) ? view : { ...view, cards: [...view.cards, cardOf(view)] };

/** @param {View} view @param {string} card @returns {View} */
export const without = (view, card) => ({
  ...view,
  cards: view.cards.filter((other) => other !== card),
});

/**
 * What a card is called: its heads, and the words that are pinned.
 * @param {string} card @param {Trace} trace
 */
export function cardName(card, trace) {
  const view = clamp(fromParams(START, cardParams(card)), trace.head);
  const heads =
    view.heads.length > 3
      ? tn("L{layer}, {n} head", "L{layer}, {n} heads", view.heads.length, { layer: view.layer })
      : headsName(view.layer, view.heads);
  const [from, to] = nameOfPins(trace, view);
  return [heads, to ? `${from} → ${to}`.trim() : from].filter(Boolean).join(" ");
}

/** The word on each side, or what stands there if it is none. @param {Trace} trace @param {View} view */
function nameOfPins(trace, view) {
  const { query_tokens: queries, key_tokens: keys } = trace.head;
  const words = pinnedWords(trace, view);
  const tokens = [queries[view.queries[0]], keys[view.keys[0]]];
  return words.map((word, i) => shortened(word || (tokens[i]?.text ?? "")));
}

/** @param {string} word */
const shortened = (word) =>
  word.length > NAMED ? `${word.slice(0, NAMED - 1).toWellFormed()}…` : word;

/**
 * The heads that cards show, layer by layer.
 * @param {View} view @param {Trace["head"]} head
 * @returns {{layer: number, heads: number[]}[]}
 */
export const looksOf = (view, head) =>
  view.cards.map((card) => {
    const { layer, heads } = onCard(view, card, head);
    return { layer, heads };
  });
