import assert from "node:assert/strict";
import test from "node:test";
import { wishOf } from "../../explorer/instrument/numbers/answers.js";
import { merge, unpack } from "../../explorer/instrument/numbers/data.js";
import { START } from "../../explorer/instrument/numbers/view.js";
import {
  createSupply,
  forget,
  forgetHeads,
  missingOf,
  pageBytes,
  toldLater,
} from "../../explorer/instrument/pages/exploresupply.js";
import { headBlocks, headOf, long, summaryBlocks } from "./longtext.js";
import { container, floats, payload, token } from "./trace.js";

/** @typedef {import("../../explorer/instrument/pages/explore.js").Request} Request */
/** @typedef {import("./trace.js").Given} Given */

const HEAD = {
  ...{ id: "x", numbers: [0, 1, 2], n_heads: 1, texts: ["a b"], thumb: [1, 1] },
  ...{ query_tokens: [token("a"), token("b")], key_tokens: null },
};
const WEIGHTS = floats([1, 0, 0.5, 0.5]);
const layer = (/** @type {number} */ number) =>
  /** @type {Given} */ ([{ kind: "layer", layer: number, shape: [1, 2, 2] }, WEIGHTS]);

/** A trace of which these layers are here. @param {number[]} layers @param {Given[]} others */
const trace = (layers, ...others) =>
  unpack(payload(HEAD, [0, 0, 0], [0, 0, 0], [...layers.map(layer), ...others]));

/** Layers of so many bytes, oldest first. @param {number[]} numbers @param {number} bytes */
const held = (numbers, bytes) =>
  new Map(numbers.map((number) => [number, { weights: WEIGHTS, bytes }]));

/** The first head of a layer is looked at. @param {number} layer */
const at = (layer) => ({ layer, heads: [0] });
const ALL = { layers: null, heads: null };

const PINNED = { ...START, queries: [1] };
const WISH = wishOf(trace([0]), PINNED) ?? assert.fail();

/** A supply, and all that was asked of the server. @param {number} [first] */
function supplied(first = 7) {
  /** @type {Request[]} */
  const asked = [];
  return { asked, supply: createSupply((request) => asked.push(request), first) };
}

test("a layer that is not here is missing, one that is here is not", () => {
  assert.deepEqual(missingOf(trace([0]), START, at(1), false), {
    ...{ trace: "x", layer: 1, group: null, means: false, page: null },
    ...{ heads: [], summaries: [], map: null, thumbs: [], known: false },
  });
  assert.equal(missingOf(trace([0]), START, at(0), false), null);
});

test("what is pinned is asked of every head until it is answered", () => {
  assert.equal(missingOf(trace([0]), PINNED, at(0), false)?.group?.name, WISH.name);
  const group = { kind: "group", name: WISH.name, shape: [3, 2] };
  const answered = trace([0], [group, floats([1, 0, 1, 0, 1, 0])]);
  assert.equal(missingOf(answered, PINNED, at(0), false), null);
  assert.ok(
    missingOf(answered, { ...PINNED, queries: [0] }, at(0), false),
    "another pin, another answer",
  );
});

test("the path needs the means of all layers, once", () => {
  assert.equal(missingOf(trace([0]), START, at(0), true)?.means, true);
  const means = /** @type {Given} */ ([{ kind: "means", shape: [3, 2, 2] }, floats(Array(12))]);
  assert.equal(missingOf(trace([0], means), START, at(0), true), null);
});

test("with every layer here nothing is missing, whatever is pinned or open", () => {
  assert.equal(missingOf(trace([0, 1, 2]), PINNED, at(1), true), null);
});

test("the same is asked once, and again only after something else or another trace", () => {
  const { asked, supply } = supplied();
  const now = trace([0]);
  const layers = () => asked.map((request) => request.layer);
  supply.fetchMissing(now, START, at(1), false);
  supply.fetchMissing(now, START, at(1), false);
  supply.fetchMissing(now, START, at(0), false);
  assert.deepEqual(layers(), [1]);
  supply.fetchMissing(now, START, at(2), false);
  supply.fetchMissing(now, START, at(1), false);
  assert.deepEqual(layers(), [1, 2, 1]);
  supply.restart();
  supply.fetchMissing(now, START, at(1), false);
  assert.deepEqual(layers(), [1, 2, 1, 1]);
});

test("the layers loaded longest ago are forgotten, never the one that is shown", () => {
  const layers = held([0, 1, 2, 3], 10);
  forget(layers, 1, 25);
  assert.deepEqual([...layers.keys()], [1, 3]);
  const enough = held([0, 1, 2], 10);
  forget(enough, 1, 30);
  assert.deepEqual([...enough.keys()], [0, 1, 2]);
  const alone = held([2], 100);
  forget(alone, 2, 30);
  assert.deepEqual([...alone.keys()], [2], "however large it is");
});

test("without a server nothing is asked and nothing forgotten: it could not be had again", () => {
  const now = trace([]);
  now.layers = held([0, 1, 2], 2 ** 30);
  const alone = createSupply(null, 7);
  alone.fetchMissing(trace([]), START, at(1), false);
  alone.fetchPage(now, START, ALL);
  alone.keep(now, at(0));
  assert.deepEqual([...now.layers.keys()], [0, 1, 2]);
  supplied().supply.keep(now, at(0));
  assert.deepEqual([...now.layers.keys()], [0], "with one only what is shown stays");
});

test("a page is asked for with the view, and taken once, if it is the last one asked for", () => {
  const { asked, supply } = supplied();
  const now = trace([0]);
  supply.fetchPage(now, { ...START, layer: 2 }, { layers: [2], heads: null });
  supply.fetchPage(now, START, ALL);
  const [first, last] = asked.map((request) => request.page ?? assert.fail());
  assert.deepEqual([first.layers, last.layers, first.view.layer], [[2], null, "2"]);
  const page = (/** @type {number} */ ticket) => ({
    ...now,
    page: { ticket, bytes: Uint8Array.of(ticket % 256) },
  });
  assert.equal(supply.pageOf(now), null);
  assert.equal(supply.pageOf(page(first.ticket)), null, "it was not waited for any more");
  assert.deepEqual(supply.pageOf(page(last.ticket)), Uint8Array.of(last.ticket % 256));
  assert.equal(supply.pageOf(page(last.ticket)), null, "the same payload may come again");
});

test("tickets of pages begin anew before they grow too long", () => {
  const { asked, supply } = supplied(99_999);
  supply.fetchPage(trace([0]), START, ALL);
  assert.equal(asked[0].page?.ticket, 0);
});

test("a page's size grows with its layers as gzip and base64 make it, from what a layer came with", () => {
  const { supply } = supplied();
  const now = trace([0]);
  now.layers = held([0], 3_000_000);
  supply.keep(now, at(0));
  const [one, all] = supply.pageChoices(now, START);
  const grown = all.bytes - one.bytes;
  assert.ok(Math.abs(grown - 6_720_000) < 1, `${grown}`);
  assert.ok(pageBytes(now.head, 0, 0) > 330_000, "it holds the instrument, too");
});

test("of one layer there is one page to be had", () => {
  const { supply } = supplied();
  const of = trace([0]);
  const only = { ...of, head: { ...of.head, numbers: [0] } };
  const names = supply.pageChoices(only, START).map(({ name }) => name);
  assert.deepEqual(names, ["Layer 0"]);
});

const HEADS = [headOf(7), headOf(99)];
const inFull = (/** @type {number} */ head) => headBlocks(HEADS[head], head);
const said = (/** @type {number} */ head) => summaryBlocks(HEADS[head], head, {});
const small = (/** @type {number} */ head) =>
  /** @type {Given[]} */ (
    ["thumbs", "ordinary_thumbs"].map((kind) => [
      { kind, places: [[4, head]], shape: [1, 1, 1] },
      Uint8Array.of(9),
    ])
  );
const LONG = { ...START, layer: 4 };
const first = { layer: 4, heads: [0] };

/** What is missing of a long text with some blocks. @param {Given[]} blocks @param {boolean} [seen] */
const missing = (blocks, seen) => missingOf(unpack(long(blocks)), LONG, first, false, seen);

test("of a long text heads are asked for one by one, then what is said of them, then small ones", () => {
  assert.deepEqual(missing([])?.heads, [[4, 0]]);
  assert.deepEqual(missing(inFull(0))?.summaries, [[4, 0]]);
  assert.equal(missing(inFull(0))?.map, "sentence");
  const both = [...inFull(0), ...said(0)];
  assert.deepEqual(missing(both)?.thumbs, [
    [4, 0],
    [4, 1],
  ]);
  assert.deepEqual(missing([...both, ...small(0)])?.thumbs, [[4, 1]]);
  assert.equal(missing([...both, ...small(0), ...small(1)]), null);
  assert.equal(missing(both, false), null, "small pictures wait until somebody sees the page");
});

test("a pin of a long text is asked of every head where it looks, never who looks at it", () => {
  const trace = unpack(long([...inFull(0), ...said(0)]));
  const asked = missingOf(trace, { ...LONG, queries: [3] }, first, false);
  assert.deepEqual(asked?.group?.queries, [[3]]);
  assert.equal(asked?.group?.keys.length, 4, "by sentences, as there are too many tokens");
  assert.equal(missingOf(trace, { ...LONG, keys: [3] }, first, false)?.group, null);
});

test("heads and maps that came longest ago are forgotten, never those that are shown", () => {
  const trace = unpack(long([...inFull(0), ...said(0), ...inFull(1), ...said(1)]));
  forgetHeads(trace, first, 1, 1);
  assert.deepEqual([...trace.heads.keys()], ["4.0"]);
  assert.ok(trace.summaries.get("4.0")?.maps);
  assert.equal(trace.summaries.get("4.1")?.maps, null);
  assert.ok(trace.summaries.get("4.1")?.profile, "its few numbers stay");
  assert.equal(missing([])?.heads.length, 1);
});

test("of a text of 8,192 tokens ten other heads are kept, and not every head that there is", () => {
  const trace = unpack(long([]));
  const bytes = 8192 * (2 * 64 * 4 + 8); // q and k of 64 numbers, and a sum
  const [head] = unpack(long(inFull(0))).heads.values();
  const { supply } = supplied();
  const kept = [];
  for (let i = 0; i < 144; i++) {
    trace.heads.set(`4.${i}`, { ...head, bytes });
    supply.keep(trace, { layer: 4, heads: [i] });
    kept.push(trace.heads.size);
  }
  assert.ok(kept[10] === 11, "the first is here after ten others");
  assert.ok(Math.max(...kept) * bytes <= 96 * 2 ** 20, `${Math.max(...kept)} at once`);
  assert.ok(trace.heads.has("4.143"), "the one that is shown");
});

test("a page of a long text holds chosen heads, or all of their layer", () => {
  const { supply } = supplied();
  const trace = unpack(long([...inFull(0), ...said(0)]));
  supply.keep(trace, first);
  const [own, layer] = supply.pageChoices(trace, LONG);
  assert.deepEqual([own.name, own.of], ["L4·H0", { layers: null, heads: [[4, 0]] }]);
  assert.deepEqual([layer.name, layer.of.layers], ["All 2 heads of layer 4", [4]]);
  assert.ok(layer.bytes > own.bytes);
});

test("of a long text only what is new is asked for, unless the rest is not here", () => {
  assert.equal(missing([])?.known, true);
  const { asked, supply } = supplied();
  supply.fetchAll(unpack(container({ id: "x", more: true }, inFull(0))));
  assert.deepEqual([asked[0].trace, asked[0].known], ["x", false]);
});

test("an answer alone adds to what is here", () => {
  const before = unpack(long(inFull(0)));
  const next = unpack(container({ id: "x", more: true }, small(1)));
  merge(next, before);
  assert.equal(next.head.query_tokens.length, 12);
  assert.deepEqual([...next.heads.keys()], ["4.0"]);
  assert.deepEqual(next.head.thumb, [1, 1]);
});

test("a prediction read layer by layer and a score are asked for together, if both are missing", () => {
  const lens = { at: 1, token: null, other: null };
  const edge = [0, 0, 1, 0];
  const told = (/** @type {object} */ known) =>
    toldLater({ ...trace([0]), ...known }, START, false, { lens, why: edge });
  const both = told({});
  assert.deepEqual([both?.lens, both?.why], [lens, edge]);
  const left = told({ lens });
  assert.deepEqual([left?.lens, left?.why], [undefined, edge]);
  assert.equal(told({ lens, why: { edge } }), null);
});
