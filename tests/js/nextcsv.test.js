// What comes next, and how it comes about, as tables: every number as the page holds it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { lensCsv, nextCsv } from "../../explorer/instrument/numbers/nextcsv.js";

const NEXT = {
  ...{ at: 1, first: 1, last: 2, k: 2, vocabulary: 9, temperature: 100, top: 0, room: 5, end: [] },
  ids: Int32Array.of(3, 4, 4, 5),
  logs: Float32Array.from([0.5, 0.25, 0.75, 0.125].map(Math.log)),
  real: Float32Array.of(Math.log(0.25), Number.NaN),
  ranks: Int32Array.of(1, -1),
  names: { 3: "␣cat", 4: '=1+1"', 5: "," },
};
const TOKENS = ["the", "big", "=red"];

/** @param {string} csv */
const lines = (csv) => csv.replace("\ufeff", "").trimEnd().split("\r\n");

test("what comes next is a table of places and tokens with their probabilities", () => {
  const found = lines(nextCsv(NEXT, TOKENS, "a model"));
  assert.equal(found[0], "a model");
  assert.equal(found[1], "position,token,rank,next token,number,probability,stands there");
  assert.deepEqual(
    found.slice(2).map((line) => line.split(",")[0]),
    ["1", "1", "2", "2"],
  );
  const [, , first, second] = found;
  assert.ok(first.startsWith("1,big,1,␣cat,3,") && first.endsWith(","));
  assert.ok(Math.abs(Number(first.split(",")[5]) - 0.5) < 1e-7);
  assert.ok(second.endsWith(",yes"));
});

test("no token is a formula to a spreadsheet, and where something is changed both stand there", () => {
  const found = lines(nextCsv({ ...NEXT, was: NEXT.logs }, TOKENS, "a model"));
  assert.ok(found[1].endsWith(",with nothing changed"));
  assert.ok(found[3].startsWith(`1,big,2,"'=1+1""",4,`));
  assert.ok(found[4].startsWith("2,'=red,1,"));
  assert.equal(found[2].split(",")[5], found[2].split(",")[7]);
});

const ASKED = { at: 1, token: null, other: null };
const LENS = {
  ...ASKED,
  ...{ numbers: [-1, 0], positions: [0, 1], names: ["cat"], tops: [] },
  texts: [
    ["a", "b"],
    ["c", "cat"],
  ],
  chances: Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
};
const part = (/** @type {string} */ name) => ({ name, kind: "mlp", layer: 0, head: null });
const WROTE = {
  ...ASKED,
  parts: [part("L0 MLP")],
  values: Float64Array.of(-2),
  ...{ constant: 0, rest: 0, logit: -2, shown: -2 },
};
const WHY = {
  edge: [0, 1, 1, 0],
  parts: [
    { ...part("token"), side: /** @type {const} */ ("query") },
    { ...part("token"), side: /** @type {const} */ ("key") },
  ],
  values: Float64Array.of(1.5, 0.5),
  ...{ pairs: [], bands: null, rest: 0, score: 1.5, added: 0 },
};

test("layers, parts of the logit and parts of the pinned score are one number a line", () => {
  const found = lines(lensCsv({ lens: LENS, wrote: WROTE, why: WHY }, WHY.edge, TOKENS, "a model"));
  assert.deepEqual(found.slice(0, 4), [
    "a model",
    "what,layer or part,position,token,word,value",
    "likeliest,0,0,the,c,0.300000012",
    "the word in the end,0,0,the,c,0.699999988",
  ]);
  assert.equal(found.filter((line) => line.startsWith("likeliest")).length, 4);
  assert.deepEqual(found.slice(-3), [
    "gave,L0 MLP,1,big,cat,-2",
    '"score, as query",token,1,big,,1.5',
    '"score, as key",token,0,the,,0.5',
  ]);
});

test("a score that is not pinned, and what could not be found, is left out", () => {
  const none = { lens: LENS, wrote: { ...WROTE, reason: "no" }, why: WHY };
  const found = lines(lensCsv(none, null, TOKENS, "a model"));
  assert.ok(found.every((line) => !/^"?(gave|score)/.test(line)));
});
