// Cards: views that are kept behind keys, in a link of nine at most.

import assert from "node:assert/strict";
import test from "node:test";
import {
  cardName,
  cardNow,
  cardOf,
  inLesson,
  kept,
  looksOf,
  onCard,
  whyNotKept,
  without,
} from "../../explorer/instrument/numbers/cards.js";
import { MOST_CARDS, splitCards } from "../../explorer/instrument/numbers/cardtext.js";
import { unpack } from "../../explorer/instrument/numbers/data.js";
import { fromParams, START, toParams } from "../../explorer/instrument/numbers/view.js";
import { createSupply } from "../../explorer/instrument/pages/exploresupply.js";
import { floats, payload, token } from "./trace.js";

/** @typedef {import("../../explorer/instrument/numbers/view.js").View} View */

const WORDS = ["The", "cat", "sat"];
const tokens = WORDS.map((text, i) => token(text, { span: [4 * i, 4 * i + 3], word: i }));
const HEAD = {
  ...{ id: "x", numbers: [0, 1, 2], n_heads: 4, texts: ["The cat sat"], thumb: [1, 1] },
  ...{ query_tokens: [token("[CLS]", { special: true, span: null }), ...tokens], key_tokens: null },
};
const NONE = Array(12).fill(0);
const layer = (/** @type {number} */ number) =>
  /** @type {import("./trace.js").Given} */ ([
    { kind: "layer", layer: number, shape: [4, 4, 4] },
    floats(Array(64).fill(0.25)),
  ]);
const TRACE = unpack(payload(HEAD, NONE, NONE, [layer(0)]));

/** @param {Partial<View>} view @returns {View} */
const view = (view) => ({ ...START, ...view });

/** @param {View} one @returns {View} */
const throughLink = (one) => fromParams(START, new URLSearchParams(toParams(one)));

test("a card shows the view that was kept, whatever is shown now, and keeps the cards of now", () => {
  const before = view({ layer: 2, heads: [1, 3], queries: [1], keys: [0, 2], words: true });
  const now = view({ cards: [cardOf(before), cardOf(START)], scale: "row", layer: 1 });
  assert.deepEqual(onCard(now, now.cards[0], TRACE.head), { ...before, cards: now.cards });
  assert.deepEqual(onCard(now, now.cards[1], TRACE.head), { ...START, cards: now.cards });
});

test("cards survive the way through a link, in letters that a server lets pass", () => {
  const one = view({ layer: 1, heads: [0, 2], queries: [0, 1, 2], specials: "renormalised" });
  const all = kept(kept(one));
  const both = kept({ ...all, layer: 2, keys: [3], path: "chosen", mass: 40 });
  assert.equal(both.cards.length, 2);
  assert.deepEqual(throughLink(both), both);
  assert.match(toParams(both).cards, /^[A-Za-z0-9_.-]{1,4000}$/);
  assert.equal(
    toParams(kept(view({ layer: 3, heads: [1], queries: [8] }))).cards,
    "layer-3_heads-1_query-8",
  );
});

test("the same view is kept once, no more than nine are, and a card can be taken out", () => {
  let now = START;
  for (let head = 0; head < 12; head++) now = kept({ ...now, heads: [head] });
  assert.equal(now.cards.length, MOST_CARDS);
  assert.match(whyNotKept(now), /9 cards: take one out first/);
  const first = onCard(now, now.cards[0], { ...TRACE.head, n_heads: 12 });
  assert.equal(cardNow(first), 0);
  assert.equal(whyNotKept(first), "This is card 1 already.");
  assert.equal(kept(first), first);
  const fewer = without(first, first.cards[0]);
  assert.equal(fewer.cards.length, MOST_CARDS - 1);
  assert.equal(cardNow(fewer), -1);
  assert.equal(whyNotKept(fewer), "");
});

test("nine of the longest cards fit into a link, and a longer view is refused with the reason", () => {
  const scattered = Array.from({ length: 100 }, (_, i) => 2 * i);
  let now = view({ queries: scattered });
  assert.match(whyNotKept({ ...now, keys: scattered }), /Too many words are pinned/);
  for (let head = 0; head < 9; head++) now = kept({ ...now, heads: [head] });
  assert.equal(now.cards.length, 9);
  assert.ok(toParams(now).cards.length <= 4000);
  assert.deepEqual(throughLink(now), now);
});

test("of a stranger's link only what this page would write becomes a card", () => {
  const hostile = [
    ...["", "__", "<b>", "layer-1_cards-layer.2", "layer", "-3", "layer-", "LAYER-1"],
    ...["layer-99999999_heads-a", "scale-evil", "__proto__-1", "a-1_"],
    `query-${"1.".repeat(5000)}2`,
  ];
  const params = new URLSearchParams({ cards: hostile.join("__") });
  assert.deepEqual(fromParams(START, params).cards, ["layer-1_heads-0", "layer-0_heads-0"]);
  const plain = new URLSearchParams({ cards: "layer-1_heads-2__heads-2_layer-1__<i>" });
  assert.deepEqual(fromParams(START, plain).cards, ["layer-1_heads-2"]);
  const many = Array.from({ length: 500 }, (_, i) => `layer-${i}`).join("__");
  assert.equal(splitCards(many).length, MOST_CARDS);
  assert.deepEqual(splitCards(null), []);
});

test("a card is called after its heads and its words", () => {
  const name = (/** @type {Partial<View>} */ one) => cardName(cardOf(view(one)), TRACE);
  assert.equal(name({}), "L0·H0");
  assert.equal(name({ layer: 2, heads: [1], queries: [2] }), "L2·H1 cat");
  assert.equal(name({ heads: [1, 2], queries: [2], keys: [3] }), "L0·H1, H2 cat → sat");
  assert.equal(name({ heads: [0, 1, 2, 3], keys: [0] }), "L0, 4 heads → [CLS]");
  assert.equal(name({ layer: 7, queries: [99] }), "L2·H0"); // as far as this text has it
});

test("a lesson has the same colours on every card, and leaves the choice as it was", () => {
  const own = view({ scale: "row" });
  assert.deepEqual(inLesson(own), { ...own, scale: "absolute", flow: "down" });
  assert.equal(inLesson(view({ flow: "across" })).flow, "across");
  assert.equal(own.scale, "row");
});

test("layers that cards show are fetched before their keys are pressed", () => {
  /** @type {number[]} */
  const asked = [];
  const supply = createSupply(({ layer: number }) => asked.push(number), 1);
  const cards = [cardOf(view({ layer: 0 })), cardOf(view({ layer: 2 }))];
  const now = view({ cards });
  supply.keep(TRACE, now);
  supply.fetchMissing(TRACE, now, now, false);
  assert.deepEqual(asked, [2]);
  assert.deepEqual(looksOf(now, TRACE.head), [
    { layer: 0, heads: [0] },
    { layer: 2, heads: [0] },
  ]);
});

test("a page can be saved that holds what its cards show and what is seen", () => {
  const supply = createSupply(() => {}, 1);
  const now = view({ layer: 1, cards: [cardOf(view({ layer: 2 })), cardOf(view({ layer: 1 }))] });
  const [first, ...others] = supply.pageChoices(TRACE, now);
  assert.equal(first.name, "These cards");
  assert.deepEqual(first.of, { layers: [1, 2], heads: null });
  assert.deepEqual(supply.pageChoices(TRACE, { ...now, cards: [] }), others);
});
