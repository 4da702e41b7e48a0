import assert from "node:assert/strict";
import test from "node:test";
import { unpack } from "../../explorer/instrument/numbers/data.js";
import {
  noPictures,
  picturesAfter,
  sceneOf,
} from "../../explorer/instrument/numbers/explorepictures.js";
import { NOTHING_TOLD, peekAt, stay } from "../../explorer/instrument/numbers/explorestore.js";
import { nextHead } from "../../explorer/instrument/numbers/nexthead.js";
import { headBlocks, headOf, long, summaryBlocks } from "./longtext.js";
import { floats, payload, token } from "./trace.js";

/** @typedef {import("../../explorer/instrument/numbers/view.js").View} View */
/** @typedef {import("../../explorer/instrument/numbers/data.js").Trace} Trace */

/**
 * Two layers of two even heads, of which some are here.
 * @param {number[]} layers @param {number} n tokens @param {boolean} isSharp L1·H0 is not even
 */
function traceOf(layers, n = 3, isSharp = false) {
  const head = {
    ...{
      id: "x",
      title: "m",
      numbers: [0, 1],
      n_heads: 2,
      texts: ["a"],
      n_cut: [0],
      thumb: [1, 1],
    },
    query_tokens: Array.from({ length: n }, (_, i) => token(`t${i}`)),
    ...{ key_tokens: null, opening: null, link: null, training: null, unknown: null },
    ...{ possible: [1, 1], sinks: false },
  };
  const blocks = layers.map((layer) => {
    const about = { kind: "layer", layer, shape: [2, n, n] };
    const weights = floats(new Array(2 * n * n).fill(1 / n));
    if (layer === 1 && isSharp) weights.set([0.8, 0.1, 0.1]);
    return /** @type {import("./trace.js").Given} */ ([about, weights]);
  });
  return unpack(payload(head, [9, 9, 9, 9], [9, 9, 9, 9], blocks));
}

/** @param {Partial<View>} view */
const told = (view) => ({ ...NOTHING_TOLD, view: { ...NOTHING_TOLD.view, ...view } });
const ALL = { thumbs: true, model: true };

/** @param {Trace} trace @param {typeof NOTHING_TOLD} now */
const pictures = (trace, now) => picturesAfter(noPictures(), trace, now, ALL);

/** What is said of the pictures. @param {Trace} trace @param {typeof NOTHING_TOLD} now @param {boolean} asks */
function said(trace, now, asks = true) {
  const found = pictures(trace, now);
  const painted = found.model ?? assert.fail("something is painted");
  const theme = /** @type {any} */ (null);
  return sceneOf(trace, now, found, painted, { theme, moved: false, asks });
}

test("of the head that gives a pinned pair most it is said, once all are here and while no hand is there", () => {
  const pair = { queries: [0], keys: [0] };
  const strongest = told({ layer: 1, heads: [0], ...pair });
  const says = (/** @type {number[]} */ layers, now = strongest) =>
    said(traceOf(layers, 3, true), now).says;
  assert.equal(says([0, 1]), "L1·H0: t0 looks at t0 with weight 0.800, the most of all 4 heads.");
  assert.equal(says([1]), "L1·H0: t0 looks at t0 with weight 0.800.");
  assert.equal(
    says([0, 1], told({ layer: 1, heads: [1], ...pair })),
    "L1·H1: t0 looks at t0 with weight 0.333.",
  );
  const hovered = { ...strongest, hovered: { rows: [1], columns: [] } };
  assert.match(says([0, 1], hovered), /^L1·H0: t1 looks most at/);
});

test("the next head is one of those that do most with what is pinned", () => {
  const trace = traceOf([0, 1], 3, true);
  const { numbers } = pictures(trace, told({ layer: 0, heads: [1], queries: [0], keys: [0] }));
  const at = (/** @type {Partial<View>} */ view) => told({ layer: 0, heads: [1], ...view }).view;
  assert.deepEqual(nextHead(trace, at({}), []), { layer: 0, head: 0 }, "nothing is pinned");
  const { layer, head } = nextHead(trace, at({ queries: [0], keys: [0] }), numbers);
  assert.deepEqual([layer, head], [1, 1], "the strongest is behind, so the one after this one");
  const first = nextHead(trace, at({ layer: 1, heads: [1], keys: [0] }), []);
  assert.deepEqual([first.layer, first.head], [0, 0], "round again");
});

test("a look paints the head that is looked at and leaves the chosen one alone", () => {
  const trace = traceOf([0, 1]);
  const before = pictures(trace, told({}));
  const looking = peekAt(told({}), 1, 1);
  const after = picturesAfter(before, trace, looking, { model: true, peek: true });
  assert.equal(after.model?.name, "L1·H1");
  assert.equal(after.chosen, before.chosen);
  const over = picturesAfter(after, trace, told({}), { model: true, peek: true });
  assert.equal(over.model, before.chosen, "and when it ends, the chosen one is painted again");
});

test("where nothing asks for another picture the same ones are painted", () => {
  const trace = traceOf([0]);
  const before = pictures(trace, told({}));
  assert.deepEqual(picturesAfter(before, trace, told({}), {}), before);
  assert.equal(picturesAfter(before, trace, told({}), {}).model, before.model);
});

test("a head of a layer that is not here is looked at as its small picture", () => {
  const { model } = pictures(traceOf([0]), peekAt(told({}), 1, 1));
  assert.ok(model?.pooled);
  assert.equal(model.name, "L1·H1");
});

test("of a long text a passing look is the small picture, one that stays the whole", () => {
  const long = traceOf([0, 1], 400);
  const looking = peekAt(told({}), 1, 1);
  assert.ok(pictures(long, looking).model?.pooled);
  assert.equal(pictures(long, stay(looking)).model?.pooled, null);
  assert.equal(pictures(traceOf([0, 1]), looking).model?.pooled, null, "a short one at once");
});

test("while a layer is on its way the last good picture stays, or one of any layer that is here", () => {
  const trace = traceOf([0]);
  const before = pictures(trace, told({}));
  const waiting = picturesAfter(before, trace, told({ layer: 1 }), { model: true });
  assert.equal(waiting.model, before.model);
  assert.equal(pictures(trace, told({ layer: 1 })).model?.layer, 0);
  assert.equal(pictures(traceOf([]), told({ layer: 1 })).model, null);
});

test("what is missing is said to be loading only where somebody loads it", () => {
  const waiting = told({ layer: 1 });
  assert.equal(said(traceOf([0]), waiting).says, "Loading layer 1…");
  assert.equal(said(traceOf([0]), waiting, false).says, "This file does not hold layer 1.");
  assert.ok(said(traceOf([0]), waiting).loading);
  const look = said(traceOf([0]), peekAt(told({}), 1, 1));
  assert.equal(look.says, "L1·H1: a small preview; stay or click to see it in full.");
});

test("what is pointed at comes before what is pinned, and never lies beyond the picture", () => {
  const trace = traceOf([0]);
  const pinned = told({ queries: [1] });
  const point = (/** @type {number[]} */ rows) => ({ ...pinned, hovered: { rows, columns: [] } });
  assert.deepEqual(said(trace, pinned).focus, { rows: [1], columns: [] });
  assert.deepEqual(said(trace, point([2])).focus.rows, [2]);
  assert.deepEqual(said(trace, point([2, 7])).focus.rows, [2]);
  assert.deepEqual(said(trace, point([])).given, null);
});

test("a pinned pair is asked of every head that is here, and every small picture is made once", () => {
  const scene = said(traceOf([1]), told({ layer: 1, queries: [0], keys: [2] }));
  const heads = scene.pinnedNumbers.map(({ layer, head }) => [layer, head]);
  assert.deepEqual(heads, [
    [1, 0],
    [1, 1],
  ]);
  assert.equal(scene.thumb(1, 0), scene.thumb(1, 0));
});

test("what is pointed at in a long text is pointed at in its map too, sentence by sentence", () => {
  const heads = [headOf(7), headOf(99)];
  const sparse = unpack(
    long(heads.flatMap((made, i) => [...headBlocks(made, i), ...summaryBlocks(made, i, {})])),
  );
  const now = { ...told({ layer: 4 }), hovered: { rows: [7], columns: [2, 3] } };
  const scene = said(sparse, now);
  assert.deepEqual(scene.focus, { rows: [7], columns: [2, 3] });
  assert.deepEqual(scene.map.focus, { rows: [2], columns: [1] });
  assert.equal(scene.map.says, scene.says, "both say the same sentence");
  assert.ok(scene.deep && !scene.coarse);
  const short = said(traceOf([0]), told({}));
  assert.equal(short.map, short, "of a short text the map shows what is read");
});

test("of many words of a long text nothing is said until the map is here", () => {
  const head = headOf(7);
  const rows = Array.from({ length: 40 }, (_, i) => i % 12);
  const now = { ...told({ layer: 4 }), hovered: { rows, columns: [] } };
  const waiting = said(unpack(long(headBlocks(head, 0))), now);
  assert.equal(waiting.says, "L4·H0: these numbers are still being added up.");
  const here = said(unpack(long([...headBlocks(head, 0), ...summaryBlocks(head, 0, {})])), now);
  assert.match(here.says, /on average, look most at/);
});

test("of more pinned words than rows can be made of it is said that whole sentences are told of", () => {
  const units = Array.from({ length: 140 }, (_, i) => ({
    ...{ text: `w${i}`, tokens: [i], special: false, segment: 0 },
  }));
  const places = Int32Array.from(units, (_, i) => i);
  const painted = /** @type {any} */ ({
    ...{ name: "H", base: "b", noun: "sentences", own: [], chosen: [0], pooled: null, most: false },
    picture: { rows: units, columns: units, weights: new Float32Array() },
    layout: { rows: units, columns: units, rowOfToken: places, columnOfToken: places },
    ...{ given: () => new Float32Array(140).fill(0.5), nowhere: () => 0 },
  });
  Object.assign(painted, { map: painted, total: painted });
  const trace = /** @type {any} */ ({
    head: { long: true },
    heads: new Map([["0.0", {}]]),
    summaries: new Map(),
  });
  const rest = { theme: /** @type {any} */ (null), moved: false, asks: true };
  const says = (/** @type {any} */ now) => sceneOf(trace, now, noPictures(), painted, rest).says;
  const all = told({ queries: units.map((_, i) => i) });
  assert.match(
    says(all),
    /^140 are pinned, too many .* of the whole sentences that they stand in\. H: /,
  );
  const few = told({ queries: [0, 1, 2] });
  assert.match(says(few), /^H: w0 w1 w2, on average, look most at/);
  const passing = { ...told({}), hovered: { rows: all.view.queries, columns: [] } };
  assert.match(says(passing), /^H: /, "a hand is only passing");
});

test("a pinned token that is hidden is said to be, alone or beside what is to be seen", () => {
  const trace = traceOf([0, 1]);
  trace.head.query_tokens[2].special = true;
  const hint = "t2 is pinned, but special tokens are hidden: show them again under View.";
  const alone = told({ keys: [2], look: "to", specials: "hidden" });
  assert.equal(said(trace, alone).says, hint);
  const pair = said(trace, told({ queries: [0], keys: [2], specials: "hidden" }));
  assert.match(pair.says, RegExp(`^${hint} L0·H0: t0 looks most at`));
  assert.equal(said(trace, told({ keys: [2] })).says.includes("hidden"), false);
  const over = { ...alone, hovered: { rows: [0], columns: [] } };
  assert.match(said(trace, over).says, /^L0·H0: t0 looks most at/);
});
