import assert from "node:assert/strict";
import test from "node:test";
import {
  arrived,
  changed,
  editing,
  editsBehind,
  haveOtherThumbs,
  letGo,
  NOTHING_TOLD,
  peekAt,
  picked,
  pickedPair,
  pointAt,
  soughtHead,
  stay,
  travelled,
  withWholeLayer,
} from "../../explorer/instrument/numbers/explorestore.js";

/** @typedef {import("../../explorer/instrument/numbers/data.js").Header} Header */

const HEAD = /** @type {Header} */ (
  /** @type {unknown} */ ({
    ...{ numbers: [0, 1, 2], n_heads: 4, opening: null },
    ...{ query_tokens: new Array(9), key_tokens: new Array(9) },
  })
);
const link = (text = "") => new URLSearchParams(text);
const opening = (/** @type {Record<string, unknown>} */ view) => ({ ...HEAD, opening: view });

/** @param {Partial<import("../../explorer/instrument/numbers/view.js").View>} view */
const after = (view, told = NOTHING_TOLD) => changed(told, (now) => ({ ...now, ...view }), HEAD);

test("a change can be taken back and brought again", () => {
  const told = after({ words: true }, after({ layer: 2 }));
  const back = travelled(told, "past") ?? assert.fail();
  assert.deepEqual([back.view.layer, back.view.words], [2, false]);
  const first = travelled(back, "past") ?? assert.fail();
  assert.equal(first.view.layer, 0);
  assert.equal(travelled(first, "past"), null);
  assert.deepEqual(travelled(back, "future")?.view, told.view);
});

/** @param {string} edits @param {string} [text] */
const edited = (edits, text = "a") => ({
  ...{ ...HEAD, edits, link: { text, ...(edits && { edits }), source: "stories" } },
});

test("a change of the model's attention is a step like another, once it is there", () => {
  const asked = editing(after({ layer: 2 }), "off-1.1", edited(""), null);
  assert.equal(editsBehind(asked, "past"), null, "it is not there yet");
  const there = arrived(asked, edited("off-1.1"), link());
  assert.deepEqual([editsBehind(there, "past"), editsBehind(there, "future")], ["", null]);
  assert.equal(travelled(there, "past"), null, "the server is asked");
  const back = arrived(editing(there, "", edited("off-1.1"), "past"), edited(""), link());
  assert.equal(editsBehind(back, "future"), "off-1.1");
  assert.equal(travelled(back, "past")?.view.layer, 0, "what was done before it can be undone too");
  const again = arrived(editing(back, "off-1.1", edited(""), "future"), edited("off-1.1"), link());
  assert.deepEqual(again.history, there.history);
});

test("what comes in place of a change that was asked for takes no steps over", () => {
  const asked = editing(after({ layer: 2 }), "off-1.1", edited(""), null);
  for (const head of [edited("off-1.1", "b"), edited("even-1.1"), { ...HEAD, link: null }]) {
    const there = arrived(asked, head, link());
    assert.deepEqual(there.history, { past: [], future: [] });
    assert.equal(there.asked, null);
  }
});

test("what the model cannot show is not chosen, and choosing it again is no step", () => {
  const told = after({ layer: 99, heads: [1, 40] });
  assert.deepEqual([told.view.layer, told.view.heads], [2, [1]]);
  assert.equal(after({ layer: 50 }, told).history, told.history);
});

test("pointing at the same once more is nothing new, at nothing ends it", () => {
  const told = pointAt(NOTHING_TOLD, { rows: [3], columns: [] });
  assert.deepEqual(told.hovered, { rows: [3], columns: [] });
  assert.equal(pointAt(told, { rows: [3], columns: [] }), told);
  assert.notEqual(pointAt(told, { rows: [3], columns: [1] }), told);
  assert.equal(pointAt(told, null).hovered, null);
  assert.equal(pointAt(NOTHING_TOLD, null), NOTHING_TOLD);
});

test("a look passes until it stays, and only a look can stay", () => {
  const looking = peekAt(NOTHING_TOLD, 1, 3);
  assert.deepEqual(looking.peeked, { layer: 1, head: 3, stays: false });
  assert.deepEqual(stay(looking).peeked, { layer: 1, head: 3, stays: true });
  assert.equal(peekAt(stay(looking), 1, 2).peeked?.stays, false, "the next head is passed again");
  assert.equal(stay(peekAt(looking, null)).peeked, null);
  assert.deepEqual(looking.view, NOTHING_TOLD.view, "nothing is chosen by looking");
});

test("where every click adds, a click is as one with Shift", () => {
  const several = { ...after({ queries: [3] }), several: true };
  const single = { ...several, several: false };
  assert.deepEqual(picked(several, "queries", [5], false).queries, [3, 5]);
  assert.deepEqual(picked(single, "queries", [5], true).queries, [3, 5]);
  assert.deepEqual(picked(single, "queries", [5], false).queries, [5]);
});

test("a pair is pinned alone, or added on both sides", () => {
  const told = after({ queries: [3], keys: [1] });
  const alone = pickedPair(told, [5], [6, 7], false);
  assert.deepEqual([alone.queries, alone.keys], [[5], [6, 7]]);
  const both = [
    [3, 5],
    [1, 6, 7],
  ];
  for (const added of [
    pickedPair(told, [5], [6, 7], true),
    pickedPair({ ...told, several: true }, [5], [6, 7], false),
  ]) {
    assert.deepEqual([added.queries, added.keys], both);
  }
});

test("a layer's number chooses all its heads", () => {
  const { layer, heads } = withWholeLayer(NOTHING_TOLD.view, 2, 4);
  assert.deepEqual([layer, heads], [2, [0, 1, 2, 3]]);
});

test("the small pictures are made anew for other pins, on the right side, and for another kind", () => {
  const { view } = after({ queries: [1], keys: [2] });
  assert.ok(haveOtherThumbs(view, { ...view, queries: [1, 2] }));
  assert.ok(haveOtherThumbs(view, { ...view, queries: [], keys: [1, 2] }));
  assert.ok(haveOtherThumbs(view, { ...view, queries: [1, 2], keys: [] }));
  const moved = { ...view, queries: [1], keys: [2, 3] };
  assert.ok(haveOtherThumbs(moved, { ...moved, queries: [1, 2], keys: [3] }));
  assert.ok(haveOtherThumbs(view, { ...view, grid: "whole" }));
  assert.ok(!haveOtherThumbs(view, { ...view, layer: 1, heads: [2] }));
});

test("with another text the switches stay; pins, what was undone and what is pointed at go", () => {
  const before = {
    ...after({ words: true, layer: 1, queries: [8], grid: "whole" }),
    ...{ hovered: { rows: [1], columns: [] }, several: true },
    peeked: { layer: 2, head: 0, stays: true },
  };
  const { view, history, hovered, peeked, several } = arrived(before, HEAD, link());
  assert.deepEqual([view.words, view.layer, several], [true, 1, true]);
  assert.deepEqual([view.queries, view.grid, hovered, peeked], [[], "pinned", null, null]);
  assert.deepEqual(history.past, []);
});

test("an example opens without the switches that change its numbers, unless a link has them", () => {
  const on = after({ words: true, specials: "renormalised", combine: "max", scale: "row" });
  const example = opening({ layer: 2, heads: [1], query: "4", example: true });
  const { words, specials, combine, scale } = arrived(on, example, link("text=x")).view;
  assert.deepEqual([words, specials, combine, scale], [false, "shown", "mean", "row"]);
  assert.equal(arrived(on, example, link("specials=hidden")).view.specials, "hidden");
  assert.equal(arrived(on, HEAD, link("text=x")).view.specials, "renormalised");
});

test("a link's word counts before what an example opens with, and that before the switches", () => {
  const example = opening({ layer: 2, heads: [1, 3], query: "4", example: true });
  const told = after({ layer: 1 });
  const opened = arrived(told, example, link("text=x")).view;
  assert.deepEqual([opened.layer, opened.heads, opened.queries], [2, [1, 3], [4]]);
  const linked = arrived(told, example, link("heads=2")).view;
  assert.deepEqual([linked.layer, linked.heads, linked.queries], [1, [2], []]);
  assert.equal(
    arrived(told, example, link("layer=99")).view.layer,
    2,
    "as far as there are layers",
  );
  const same = opening({ layer: 2, heads: [1], query: "4" }); // what the server knew of the place
  const kept = arrived(told, same, link("text=x")).view;
  assert.deepEqual([kept.layer, kept.queries], [1, [4]]);
});

/** The word 3 looks, and the word that it looks at was asked for and clicked, under the hand. */
function answered() {
  const asking = { ...after({ layer: 0, heads: [1], queries: [3] }), other: true };
  const resting = pointAt(asking, { rows: [], columns: [5] });
  return changed(resting, () => picked(resting, "keys", [5], false), HEAD);
}

test("a pair that was asked about leads to its strongest head, once all numbers are here", () => {
  const told = answered();
  const numbers = Array.from({ length: 12 }, (_, i) => ({
    layer: 2,
    head: 3,
    weight: 0.6 - i / 20,
  }));
  assert.deepEqual([told.view.queries, told.view.keys, told.other], [[3], [5], false]);
  assert.deepEqual(soughtHead(told, numbers, 12), { layer: 2, head: 3, weight: 0.6 });
  assert.equal(soughtHead(told, numbers.slice(0, 4), 12), null, "others are on their way");
  assert.equal(soughtHead(after({ layer: 1 }, told), numbers, 12), null, "another was chosen");
  const nothing = numbers.map((one) => ({ ...one, weight: 0 }));
  assert.equal(soughtHead(told, nothing, 12), null, "no head may look there");
  assert.equal(soughtHead(after({ queries: [3], keys: [5] }), numbers, 12), null, "nobody asked");
});

test("what the hand rests on after that click counts again once it has left it", () => {
  const told = answered();
  const here = { rows: [], columns: [5] };
  assert.equal(told.hovered, null);
  assert.equal(pointAt(told, here), told);
  assert.deepEqual(pointAt(pointAt(told, { rows: [], columns: [6] }), here).hovered, here);
  assert.deepEqual(pointAt(pointAt(told, null), here).hovered, here);
});

test("what a key asks for is seen, whatever the hand rests on", () => {
  const resting = peekAt(pointAt(NOTHING_TOLD, { rows: [1], columns: [] }), 4, 10);
  const { hovered, peeked } = letGo(resting);
  assert.deepEqual([hovered, peeked], [null, null]);
});
