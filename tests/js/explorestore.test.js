import assert from "node:assert/strict";
import test from "node:test";
import {
  arrived,
  changed,
  haveOtherThumbs,
  letGo,
  NOTHING_TOLD,
  peekAt,
  picked,
  pickedPair,
  pointAt,
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

test("what a key asks for is seen, whatever the hand rests on", () => {
  const resting = peekAt(pointAt(NOTHING_TOLD, { rows: [1], columns: [] }), 4, 10);
  const { hovered, peeked } = letGo(resting);
  assert.deepEqual([hovered, peeked], [null, null]);
});
