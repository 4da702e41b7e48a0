import assert from "node:assert/strict";
import test from "node:test";
import { merge, unpack } from "../../explorer/instrument/numbers/data.js";
import { digits, percent } from "../../explorer/instrument/numbers/model.js";
import {
  atFinding,
  baselineWords,
  findingHead,
  findingWords,
  isAt,
  nextOff,
  offProgress,
  silenceWords,
} from "../../explorer/instrument/numbers/striking.js";
import { START } from "../../explorer/instrument/numbers/view.js";
import { createSupply, toldLater } from "../../explorer/instrument/pages/exploresupply.js";
import { container, payload, token } from "./trace.js";

/** @typedef {import("../../explorer/instrument/numbers/striking.js").Finding} Finding */
/** @typedef {import("../../explorer/instrument/numbers/striking.js").Kind} Kind */
/** @typedef {import("../../explorer/instrument/pages/explore.js").Request} Request */
/** @typedef {import("./trace.js").Given} Given */

const TEXT = "the cat naps";
const TOKENS = [
  token("[CLS]", { special: true, span: null }),
  token("the", { span: [0, 3], word: 0 }),
  token("cat", { span: [4, 7], word: 1 }),
  token("na", { span: [8, 10], word: 2 }),
  token("##ps", { span: [10, 12], word: 2 }),
];
const HEAD = {
  ...{ id: "x", numbers: [0, 2], n_heads: 3, texts: [TEXT], thumb: [1, 1] },
  ...{ query_tokens: TOKENS, key_tokens: null, striking: "ask", long: false },
};
const N = TOKENS.length;
const NONE = new Uint8Array();

/** @param {Kind} kind @param {Partial<Finding>} [more] @returns {Finding} */
const finding = (kind, more = {}) => ({
  ...{ kind, layer: 2, head: 1, queries: [], keys: [], number: 0.5, n_heads: 1 },
  ...{ baselines: { even: 0.1 }, ...more },
});

/** @param {Given[]} blocks */
const trace = (blocks = []) => unpack(payload(HEAD, Array(6).fill(7), Array(6).fill(8), blocks));

/** @param {Record<string, unknown>} [more] @returns {Given} */
const effects = (more = {}) => [
  { kind: "effects", done: [0], measure: "text", finding: null, reason: "", ...more },
  NONE,
];

/** A sentence as it is read. @param {Finding} one @param {ReturnType<typeof trace>} [of] */
const said = (one, of = trace()) => findingHead(one) + findingWords(one, of).flat().join("");

test("a pair is told with its words, whole, and how often what other words give goes into it", () => {
  const baselines = { others: 0.1, distance: 0.05, heads: 0.02 };
  const pair = finding("pair", { queries: [2], keys: [3, 4], number: 0.39, baselines });
  assert.equal(said(pair), "L2·H1 links cat → naps 3.9 times as much as other words do");
  const parts = findingWords(pair, trace()).filter((part) => typeof part !== "string");
  assert.deepEqual(parts, [["cat"], ["naps"]], "words are parts of their own, set as text");
  const rare = { ...pair, baselines: { ...baselines, others: 1e-9 } };
  assert.match(said(rare), /over 100 times as much/);
  const none = { ...pair, baselines: { ...baselines, others: 0 } };
  assert.match(said(none), /over 100 times as much/);
});

test("every kind of finding is one short sentence with its number and what is even", () => {
  const even = "50 % (evenly: 10 %)";
  const most = `50 % of at most ${percent((N - 1) / N)} (evenly: 10 %)`;
  assert.equal(said(finding("previous")), `L2·H1 looks at the token before: ${most}`);
  assert.equal(said(finding("next")), `L2·H1 looks at the token after: ${most}`);
  assert.equal(said(finding("self")), `L2·H1 looks at itself: ${even}`);
  const sink = finding("sink", { keys: [0], n_heads: 5 });
  assert.equal(
    said(sink),
    `L2·H1 gives [CLS] ${even}; most tokens look most at it in 5 of 6 heads`,
  );
  const again = finding("words again", { queries: [2], keys: [1] });
  assert.equal(said(again), `L2·H1 finds words again, such as cat: ${even}`);
  const on = finding("goes on", { queries: [3, 4], keys: [2] });
  const what = "looks at what came after the same word before, such as cat after naps";
  assert.equal(said(on), `L2·H1 ${what}: ${even}`);
  assert.equal(said(finding("own text")), `L2·H1 keeps each word to its own text: ${even}`);
  assert.match(said(finding("other text")), /looks from each text into the other: 50 %/);
});

test("the head that matters most is told by what its absence does", () => {
  const off = finding("off", { number: -0.12, baselines: { heads: 0.02 } });
  const of = trace([effects({ done: [0, 2], finding: off })]);
  const than = "6.0 times as far as without another head";
  const turns = "the text’s vector keeps a likeness of 0.880 to itself";
  assert.equal(said(off, of), `L2·H1 matters most: without it ${turns}, ${than}`);
  const token = trace([effects({ measure: "token", finding: off })]);
  const shorter = "the first token’s vector is, along its direction, 12 % shorter";
  assert.equal(said(off, token), `L2·H1 matters most: without it ${shorter}, ${than}`);
  const grown = trace([effects({ measure: "token", finding: { ...off, number: 0.12 } })]);
  assert.match(
    said({ ...off, number: 0.12 }, grown),
    /along its direction, 12 % longer, 6.0 times/,
  );
});

test("all baselines of a finding are named with their numbers", () => {
  const baselines = { others: 0.1, distance: 0.05, heads: 0.02 };
  assert.equal(
    baselineWords(finding("pair", { baselines }), trace()),
    "0.500 of the first word’s attention; other words give this one 0.100, " +
      "by distance alone it would be 0.050, other heads give, on average, 0.020.",
  );
});

test("where one token has no neighbour it is said that not all can be", () => {
  const all = digits((N - 1) / N);
  const said = (/** @type {any} */ kind) => baselineWords(finding(kind), trace());
  const none = `has none before it, so ${all} is all that can be.`;
  assert.equal(
    said("previous"),
    `0.500 of all attention; even attention would give 0.100. The first token ${none}`,
  );
  assert.match(said("next"), /The last token has none after it/);
  assert.match(said("self"), /would give 0\.100\.$/);
});

test("where nothing is told it is said why", () => {
  assert.equal(
    silenceWords("noise", false),
    "Nothing stands out by these rules: no head looks at a neighbour, at the same word or at one token strongly and more often than heads of random weights can. Single strong links are not told then: random heads have them too.",
  );
  assert.doesNotMatch(silenceWords("noise", false), /nothing but noise/i); // rules failed, no more
  assert.equal(silenceWords("noise", true), "Random weights: nothing but noise. Train it.");
  assert.equal(silenceWords("short", true), "Random weights: nothing but noise. Train it.");
  assert.match(silenceWords("short", false), /too short/);
  assert.match(silenceWords("few words", false), /the same few words again and again/);
  assert.match(silenceWords("long", true), /too long/);
});

test("a finding leads to its head and its words, and is marked there", () => {
  const pair = finding("pair", { queries: [2], keys: [3, 4] });
  const before = { ...START, layer: 0, heads: [0, 2], queries: [1], words: true };
  const there = atFinding(before, pair);
  assert.deepEqual(there, { ...before, layer: 2, heads: [1], queries: [2], keys: [3, 4] });
  assert.equal(isAt(there, pair), true);
  assert.equal(isAt({ ...there, keys: [3] }, pair), false);
  assert.equal(isAt({ ...there, heads: [1, 2] }, pair), false);
  assert.equal(isAt(there, finding("previous")), true); // the same head, of whatever words
  assert.equal(isAt({ ...there, layer: 1 }, finding("previous")), false);
  assert.equal(isAt(atFinding(before, finding("previous")), finding("previous")), true);
  assert.deepEqual(atFinding(before, finding("previous")).queries, [1]); // the pin stays
});

test("a click shows the rows that a finding is told of: not rescaled, and with its sink", () => {
  const rescaled = { ...START, specials: /** @type {const} */ ("renormalised") };
  assert.equal(atFinding(rescaled, finding("previous")).specials, "shown");
  const hidden = { ...START, specials: /** @type {const} */ ("hidden") };
  assert.equal(atFinding(hidden, finding("previous")).specials, "hidden");
  assert.equal(atFinding(hidden, finding("sink", { keys: [0] })).specials, "shown");
});

test("what is worth a look is kept from the payload that brought it", () => {
  const brought = trace([[{ kind: "striking", findings: [], silence: "noise" }, NONE]]);
  assert.deepEqual(brought.striking, { findings: [], silence: "noise" });
  const next = trace();
  merge(next, brought);
  assert.equal(next.striking, brought.striking);
});

test("an answer alone leaves the small pictures of a short text as they are", () => {
  const [before, next] = [trace(), unpack(container({ id: "x", more: true }, [effects()]))];
  merge(next, before);
  assert.deepEqual([...next.thumbs], Array(6).fill(7));
  assert.deepEqual([...next.ordinaryThumbs], Array(6).fill(8));
  assert.deepEqual(next.effects?.done, [0]);
});

test("what is worth a look is asked for where it did not come along", () => {
  assert.equal(toldLater(trace(), START, false)?.striking, true);
  const here = trace([[{ kind: "striking", findings: [], silence: "noise" }, NONE]]);
  assert.equal(toldLater(here, START, false), null);
  const never = trace();
  never.head.striking = null;
  assert.equal(toldLater(never, START, false), null);
});

test("heads are switched off a layer at a time, until all were or there is a reason", () => {
  const striking = /** @type {Given} */ ([
    { kind: "striking", findings: [], silence: "noise" },
    NONE,
  ]);
  const wanted = (/** @type {ReturnType<typeof trace>} */ of) =>
    toldLater(of, START, true)?.effects;
  assert.equal(wanted(trace([striking])), 0);
  assert.equal(wanted(trace([striking, effects()])), 2, "the model has no layer 1");
  assert.equal(wanted(trace([striking, effects({ done: [0, 2] })])), undefined);
  assert.equal(wanted(trace([striking, effects({ reason: "No." })])), undefined);
  assert.equal(toldLater(trace([striking]), START, true)?.known, true);
});

test("how far switching off has come is said, and a reason stays", () => {
  assert.equal(offProgress(trace(), false), "");
  assert.match(offProgress(trace(), true), /each head of layer 0 \(of 2 layers\)/);
  assert.match(offProgress(trace([effects()]), false), /each head of layer 2/);
  assert.equal(offProgress(trace([effects({ done: [], reason: "No." })]), true), "No.");
  assert.equal(offProgress(trace([effects({ done: [0, 2] })]), true), "No head moves it.");
  const done = trace([effects({ done: [0, 2], finding: finding("off") })]);
  assert.equal(offProgress(done, true), "");
  assert.equal(nextOff(done), null);
});

test("a supply asks for effects once the rest is here, and not of another trace", () => {
  /** @type {Request[]} */
  const asked = [];
  const supply = createSupply((request) => asked.push(request), 0);
  const all = trace([
    [{ kind: "striking", findings: [], silence: "noise" }, NONE],
    [{ kind: "layer", layer: 0, shape: [0] }, NONE],
    [{ kind: "layer", layer: 2, shape: [0] }, NONE],
  ]);
  supply.fetchMissing(all, START, START, false);
  assert.equal(asked.length, 0);
  supply.askEffects();
  supply.fetchMissing(all, START, START, false);
  supply.fetchMissing(all, START, START, false);
  assert.deepEqual(
    asked.map(({ effects: off }) => off),
    [0],
  );
  supply.restart();
  supply.fetchMissing(all, START, START, false);
  assert.equal(asked.length, 1);
});
