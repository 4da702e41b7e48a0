import assert from "node:assert/strict";
import { test } from "node:test";
import {
  byDecile,
  decileWords,
  endOf,
  gapsOf,
  headRows,
  heightsOf,
  heldWords,
  inDigits,
  namedPairs,
  pairWords,
  placeIn,
  searchWords,
  shadesOf,
  withSpread,
} from "../../explorer/instrument/numbers/corpushead.js";

/** @typedef {import("../../explorer/instrument/numbers/corpushead.js").CorpusHead} CorpusHead */

const share = {
  ...{ key: "previous", name: "Attention to the token before", unit: "", share: true, n: 3 },
  ...{ mean: 0.5, spread: 0.25, deciles: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] },
  bars: { below: 2, edges: [0.01, 0.1, 1], counts: [4, 1] },
};
const text = {
  ...{ n: 6, places: [0, 1, 3, 4], tokens: ["[CLS]", "a", "b", "c"], text: 7, value: 0.5 },
  pairs: /** @type {[number, number, number][]} */ ([
    [1, 0, 0.9],
    [3, 4, 0.8],
    [3, 1, 0.2],
  ]),
};
/** @type {CorpusHead} */
const head = {
  ...{ layer: 2, head: 9, measure: "previous", ordered: "previous", says: "It looks." },
  rules: [{ kind: "vertical", asks: "At least.", held: 1, of: 3, holds: false }],
  ...{ measures: [share], distances: [[0, 0, 1]], like: [], opens: true, others: [] },
  tokens: { key: { total: [["=1+1", 2, 0.5, 0.25]] }, query: { total: [] } },
  ...{ beside: null, search: null },
  examples: [
    { ...text, decile: 1, top: false },
    { ...text, decile: 10, top: false },
    { ...text, decile: 10, top: true },
    { ...text, decile: 10, top: false, text: 8 },
  ],
};

test("a text is shaded by where one token looks, full where it looks most", () => {
  assert.deepEqual(
    [...shadesOf(text, 3)],
    [
      [4, 1],
      [1, 0.25],
    ],
  );
  assert.deepEqual([...shadesOf(text, 5)], []);
});

test("pairs of the first token are named only where there are no others", () => {
  assert.deepEqual(namedPairs(text), [
    [3, 4, 0.8],
    [3, 1, 0.2],
  ]);
  const first = { ...text, pairs: /** @type {[number, number, number][]} */ ([[2, 0, 0.9]]) };
  assert.deepEqual(namedPairs(first), [[2, 0, 0.9]]);
  assert.equal(pairWords(text, [3, 4, 0.8]), "b → c 0.800");
});

test("of a long text it is seen where tokens were left out", () => {
  assert.deepEqual(gapsOf(text), { before: new Set([3]), after: true });
  assert.deepEqual(gapsOf({ ...text, places: [0, 1, 2], n: 3 }), {
    before: new Set(),
    after: false,
  });
});

test("examples stand by tenths, the largest of all first", () => {
  const found = byDecile(head);
  assert.deepEqual(
    found.map(({ top, decile, examples }) => [top, decile, examples.length]),
    [
      [true, 10, 1],
      [false, 10, 2],
      [false, 1, 1],
    ],
  );
  const said = found.map((group) => decileWords(group, share));
  assert.equal(said[1], "Tenth 10 of the texts: 0.900 or more");
  assert.equal(said[2], "Tenth 1 of the texts: up to 0.100");
  assert.equal(
    decileWords({ decile: 3, top: false }, share),
    "Tenth 3 of the texts: 0.200 to 0.300",
  );
  assert.equal(decileWords({ decile: 3, top: false }, undefined), "Tenth 3 of the texts");
});

test("the bars of a histogram are as high as their counts, and the mean stands among them", () => {
  const bars = /** @type {NonNullable<typeof share.bars>} */ (share.bars);
  assert.deepEqual(heightsOf(bars), [0.5, 1, 0.25]);
  assert.equal(placeIn(bars, 0.01), 1 / 3);
  assert.ok(Math.abs(Number(placeIn(bars, 0.1)) - 2 / 3) < 1e-12); // the second edge of three bars
  assert.equal(placeIn(bars, 0.001), 1 / 6); // in the bar of what is smaller
  assert.equal(placeIn(bars, null), null);
});

test("numbers are written as their measure is", () => {
  assert.equal(withSpread(share), "0.500 ± 0.250");
  const bits = { ...share, unit: "bits", share: false, mean: 1.651501, spread: 0.8711 };
  assert.equal(withSpread(bits), "1.65 ± 0.87 bits");
  assert.equal(inDigits(1114.2, bits), "1,114");
  assert.equal(inDigits(46.31, bits), "46.3");
  assert.equal(inDigits(0.00121, bits), "0.0012");
  assert.equal(
    heldWords({ kind: "", asks: "", held: 1756, of: 3000, holds: false }),
    "1,756 of 3,000 (58.5 %)",
  );
});

test("a search says what is asked, how far it is, and why it failed", () => {
  /** @param {Partial<NonNullable<CorpusHead["search"]>>} search */
  const said = (search) =>
    searchWords({
      ...head,
      search: {
        pair: ["it", "cat"],
        state: "told",
        trouble: "",
        n_texts: 0,
        of: 0,
        hits: [],
        ...search,
      },
    });
  const asks = "Where else does L2·H9 do what it does at it → cat?";
  assert.equal(said({ state: "offered" }), asks);
  assert.equal(
    said({ state: "busy", n_texts: 256, of: 3000 }),
    `${asks} Reading the texts: 256 of 3,000 so far.`,
  );
  assert.equal(said({ n_texts: 3000 }), `${asks} 3,000 texts were read.`);
  assert.equal(said({ state: "failed", trouble: "Another model." }), `${asks} Another model.`);
});

test("all numbers can be taken away, and no spreadsheet runs a token", () => {
  const rows = headRows(head)
    .split("\n")
    .map((row) => row.split("\t"));
  assert.ok(rows.every((row) => row.length === 8));
  assert.deepEqual(rows[1].slice(0, 5), ["L2·H9", "measure", "previous", "3", "0.5"]);
  assert.ok(rows.some((row) => row[2] === "'=1+1"));
});

test("a bar of shares ends at 1, one of other numbers where its bins do", () => {
  assert.equal(endOf(1.046, true), 1);
  assert.equal(endOf(0.5, true), 0.5);
  assert.equal(endOf(1.046, false), 1.046);
});
