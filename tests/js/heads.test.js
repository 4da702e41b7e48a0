// The ranking of heads, links and verdicts.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  readHeads,
  stretches,
  unpackExplained,
} from "../../explorer/instrument/numbers/explained.js";
import {
  eachOf,
  measuresOf,
  rankHeads,
  readPairs,
  unpackHeads,
  verdict,
  waitsIn,
} from "../../explorer/instrument/numbers/survey.js";
import { container } from "./trace.js";

const measure = {
  ...{ key: "m", group: "g", name: "m", short: "m", exactly: "m", words: "{}", n_texts: 1 },
  ...{ farthest: [], extreme: [] },
  unit: /** @type {const} */ ("share"),
  mean: [0.2, null, 0.9, 0.2],
  spread: [0, 0, 0, 0],
};
/** @type {any} */
const heads = { heads: [{ kind: 0 }, { kind: 1 }, { kind: 1 }, { kind: 0 }], measures: [measure] };

test("heads are ranked from either end, those without a number last", () => {
  assert.deepEqual(rankHeads(heads, measure, [], false), [2, 0, 3, 1]);
  assert.deepEqual(rankHeads(heads, measure, [], true), [0, 3, 2, 1]);
  assert.deepEqual(rankHeads(heads, measure, [0], false), [0, 3]);
});

test("pointed words come first, and beyond what others give is the larger of both baselines", () => {
  const found = {
    ...{ weight: [0.5, 0.4], spread: [0, 0] },
    ...{ baseline: [0.1, null], others: [0.3, null] },
  };
  const [pointed, beyond] = measuresOf({ ...heads, found, pairs: [[0, 1, 2]] });
  assert.deepEqual(pointed.mean, [0.5, 0.4]);
  assert.ok(Math.abs((beyond.mean[0] ?? 0) - 0.2) < 1e-12);
  assert.equal(beyond.mean[1], null);
});

test("of several pairs each has its number, of a single one the mean is all", () => {
  const each = [
    [0.6, 0.1],
    [0.02, 0.3],
  ];
  const found = /** @type {any} */ ({ each });
  assert.deepEqual(eachOf(found, 0), ["0.600", "0.020"]);
  assert.deepEqual(eachOf({ ...found, each: each.slice(0, 1) }, 0), []);
});

test("a head that looks at a word from everywhere is not said to find the pair", () => {
  const found = { weight: [0.7, 0.5, 0.5], spread: [0, 0, 0], baseline: [0.1, 0.5, 0.1], each: [] };
  const all = { ...found, others: [0.65, 0.1, 0.1] };
  assert.match(verdict(all, 0), /whoever asks/);
  assert.match(verdict(all, 1), /their distance/);
  assert.match(verdict(all, 2), /this pair/);
  const uneven = {
    weight: [0.281, 0.6],
    spread: [0.429, 0.1],
    each: [],
    baseline: [0, 0.1],
    others: [0, 0.1],
  };
  assert.match(verdict(uneven, 0), /some of these pairs and not others \(± 0\.429\)/);
  assert.match(verdict(uneven, 1), /this pair/);
});

test("a link's pairs and heads are read, and what is none is left out", () => {
  assert.deepEqual(readPairs("0-8-2_1-3-4"), [
    [0, 8, 2],
    [1, 3, 4],
  ]);
  assert.deepEqual(readPairs("x_1-2_1-2--3_1-2-3.5"), []);
  assert.deepEqual(readHeads("5-11.0-2.x.1-2-3"), [
    [5, 11],
    [0, 2],
  ]);
});

test("the pieces of a word stand together, and what is never taken away between them", () => {
  const tokens = ["[CLS]", "love", "##lace", "it", "[SEP]"].map((text) => ({
    text,
    special: false,
  }));
  /** @type {any} */
  const found = { tokens, units: [[1, 2], [3]] };
  assert.deepEqual(
    stretches(found).map(({ unit, text }) => [unit, text]),
    [
      [null, "[CLS]"],
      [0, "lovelace"],
      [1, "it"],
      [null, "[SEP]"],
    ],
  );
});

test("a survey that is still being made says whose it will be, and one that is here waits for nothing", () => {
  const about = { title: "a model", text: "a text" };
  assert.deepEqual(waitsIn(container({ waits: about }, [])), about);
  const file = /** @type {any} */ ([{ kind: "page", shape: [0] }, new Uint8Array()]);
  assert.equal(waitsIn(container({ id: "a" }, [file])), null);
});

test("payloads are read as they are written", () => {
  const thumb = { kind: "thumbs", shape: [1, 2, 1, 1] };
  const file = (/** @type {number[]} */ ...bytes) =>
    /** @type {any} */ ([{ kind: "page", shape: [bytes.length] }, Uint8Array.from(bytes)]);
  const survey = { id: "é", counted: { measures: [], heads: [] } };
  const {
    heads: got,
    thumbs,
    page,
  } = unpackHeads(container(survey, [[thumb, Uint8Array.of(7, 9)], file(60)]));
  assert.deepEqual([...page], [60]);
  assert.equal(got.id, "é");
  assert.deepEqual(got.measures, []);
  assert.deepEqual([...thumbs], [7, 9]);
  assert.deepEqual(got.thumb, [1, 1]);
  const sent = container({ bar: { stale: false }, explained: { id: "é" } }, [file()]);
  assert.equal(unpackExplained(sent).found?.id, "é");
  assert.equal(unpackExplained(sent).page.length, 0);
  assert.equal(unpackExplained(container({ bar: {}, explained: null }, [file()])).found, null);
});
