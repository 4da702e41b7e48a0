import assert from "node:assert/strict";
import test from "node:test";
import { merge, unpack } from "../../explorer/instrument/numbers/data.js";
import { deepOf } from "../../explorer/instrument/numbers/deep.js";
import { modelOf } from "../../explorer/instrument/numbers/scene.js";
import { START } from "../../explorer/instrument/numbers/view.js";
import { missingOf } from "../../explorer/instrument/pages/exploresupply.js";
import {
  aboutLong,
  headBlocks,
  headOf,
  long,
  STARTS,
  summaryBlocks,
  TOKENS,
  whole,
} from "./longtext.js";
import { container } from "./trace.js";

/** @typedef {import("../../explorer/instrument/numbers/scene.js").Model} Model */
/** @typedef {import("../../explorer/instrument/numbers/view.js").View} View */

// float32 weights beside numbers made in double precision of float32 q and k
const NEAR = 2e-6;

/** @param {ArrayLike<number> | null} found @param {ArrayLike<number> | null} wanted @param {string} what */
function near(found, wanted, what) {
  assert.equal(found?.length, wanted?.length, what);
  for (let i = 0; i < (found?.length ?? 0); i++) {
    const off = Math.abs((found?.[i] ?? 9) - (wanted?.[i] ?? 0));
    assert.ok(off < NEAR, `${what}: ${found?.[i]}, not ${wanted?.[i]}`);
  }
}

/** The same text, whole and long. @param {boolean} [sinks] */
function both(sinks = false) {
  const heads = [headOf(7, sinks), headOf(99, sinks)];
  const dense = unpack(whole(heads));
  const blocks = heads.flatMap((head, i) => {
    const profile = modelOf(dense, { ...START, layer: 4 }, 4, [i])?.profile();
    return [...headBlocks(head, i), ...summaryBlocks(head, i, profile)];
  });
  return { dense, sparse: unpack(long(blocks, sinks)) };
}

/** @type {Partial<View>[]} */
const VIEWS = ["shown", "hidden", "renormalised"].flatMap((specials) =>
  [false, true].flatMap((words) =>
    ["mean", "max"].map((combine) => /** @type {Partial<View>} */ ({ specials, words, combine })),
  ),
);

/** @param {Model | null} one @param {Model | null} other @param {string} what */
function sameNumbers(one, other, what) {
  assert.ok(one && other);
  const [rows, columns] = [other.picture.rows.length, other.picture.columns.length];
  assert.deepEqual(one.picture.rows, other.picture.rows, what);
  for (const some of [[0], [1, rows - 1], [rows - 1]]) {
    near(one.given(some), other.given(some), `${what}: where ${some} look`);
    near([one.nowhere(some)], [other.nowhere(some)], `${what}: what ${some} give to nothing`);
  }
  for (const some of [[0], [0, columns - 1], [columns - 1]]) {
    near(one.got(some), other.got(some), `${what}: who looks at ${some}`);
  }
  near([one.number([0, 1], [0, 1]) ?? 9], [other.number([0, 1], [0, 1]) ?? 0], `${what}: a number`);
  near(one.shares(), other.shares(), `${what}: shares`);
}

test("a long text says of every row, column and share what its whole weights say", () => {
  for (const sinks of [false, true]) {
    const { dense, sparse } = both(sinks);
    for (const view of VIEWS) {
      for (const heads of [[0], [0, 1]]) {
        const now = { ...START, layer: 4, ...view };
        const [found, wanted] = [sparse, dense].map((trace) => modelOf(trace, now, 4, heads));
        assert.equal(found?.base, wanted?.base, "and of which rows its shares are");
        sameNumbers(found, wanted, JSON.stringify({ ...view, heads, sinks }));
      }
    }
  }
});

test("the map between its sentences is that of the whole weights, by sum and by maximum", () => {
  const { dense, sparse } = both();
  for (const view of VIEWS) {
    for (const pool of /** @type {const} */ (["sum", "max"])) {
      if (pool === "max" && view.specials === "renormalised") continue; // sums, see poolOf
      for (const heads of [[1], [0, 1]]) {
        const now = { ...START, layer: 4, ...view, pool, map: /** @type {const} */ ("sentence") };
        const what = JSON.stringify({ ...view, heads, pool });
        const [found, wanted] = [sparse, dense].map((trace) => modelOf(trace, now, 4, heads)?.map);
        near(found?.picture.weights ?? null, wanted?.picture.weights ?? null, what);
        near(found?.tops ?? null, wanted?.tops ?? null, what);
        sameNumbers(found ?? null, wanted ?? null, what);
      }
    }
  }
});

test("the map between paragraphs is made of that between sentences, which asks for nothing", () => {
  const { dense, sparse } = both();
  const levels = { sentence: STARTS, paragraph: [0, 1, 11] }; // [CLS], both sentences, [SEP]
  for (const trace of [dense, sparse]) trace.head.levels = levels;
  for (const pool of /** @type {const} */ (["sum", "max"])) {
    for (const specials of /** @type {const} */ (["shown", "hidden"])) {
      const now = { ...START, layer: 4, specials, pool, map: /** @type {const} */ ("paragraph") };
      const what = `${pool}, special tokens ${specials}`;
      const [found, wanted] = [sparse, dense].map((trace) => modelOf(trace, now, 4, [1])?.map);
      assert.equal(found?.pooled, null, what);
      near(found?.picture.weights ?? null, wanted?.picture.weights ?? null, what);
      assert.equal(missingOf(sparse, now, { layer: 4, heads: [1] }, false)?.summaries.length, 0);
    }
  }
  levels.paragraph = [0, 4, 11]; // one begins within a sentence
  const cut = { ...START, layer: 4, map: /** @type {const} */ ("paragraph") };
  const { sparse: other } = both();
  other.head.levels = levels;
  assert.ok(modelOf(other, cut, 4, [1])?.map.pooled, "what cannot be made is waited for");
});

test("of a text without special tokens none are said to be hidden", () => {
  const { sparse } = both();
  const shown = () => modelOf(sparse, { ...START, layer: 4 }, 4, [0])?.hiddenShare();
  assert.ok((shown() ?? 0) > 0);
  for (const one of sparse.head.key_tokens) one.special = false;
  assert.equal(shown(), null);
});

test("a map of sentences names them as they are read, special tokens on their own", () => {
  const { sparse } = both();
  const model = modelOf(sparse, { ...START, layer: 4 }, 4, [0]);
  const texts = model?.map.picture.rows.map((unit) => unit.text);
  assert.deepEqual(texts, ["[CLS]", "The cat sat.", "A dog ran off.", "[SEP]"]);
  const hidden = modelOf(sparse, { ...START, layer: 4, specials: "hidden" }, 4, [0]);
  assert.equal(hidden?.map.picture.rows.length, 2);
});

test("until a head is added up its rows are here, its shares and its map are not", () => {
  const sparse = unpack(long(headBlocks(headOf(7), 0)));
  const model = modelOf(sparse, { ...START, layer: 4 }, 4, [0]) ?? assert.fail();
  near(model.given([3]), Float32Array.from(headOf(7).weights.slice(36, 48)), "a row");
  assert.deepEqual([model.shares(), model.profile()], [null, null]);
  assert.ok(model.map.pooled, "the small picture stands in for the map");
  assert.equal(modelOf(sparse, { ...START, layer: 4 }, 4, [1]), null, "another is not here at all");
});

test("below a map stand the units that are read, and the strongest single weights", () => {
  const { sparse } = both();
  for (const specials of /** @type {const} */ (["shown", "hidden"])) {
    const now = { ...START, layer: 4, specials };
    const deep = deepOf(sparse, now, modelOf(sparse, now, 4, [0]) ?? assert.fail());
    const [first, last] = deep?.rowsOf(specials === "shown" ? 1 : 0) ?? [];
    assert.deepEqual([deep?.rows[first ?? 0].text, deep?.rows[last ?? 0].text], ["Th", "."]);
    assert.equal(deep?.groupOfRow[first ?? 0], specials === "shown" ? 1 : 0);
    const { weights } = headOf(7);
    const read = TOKENS.map((_, i) => i).filter((i) => specials === "shown" || !TOKENS[i].special);
    const all = read.flatMap((i) => read.map((j) => weights[i * TOKENS.length + j]));
    const wanted = all.sort((a, b) => b - a).slice(0, 5);
    near(deep?.pairs.map(({ weight }) => weight) ?? null, wanted, "the strongest");
  }
});

test("of many rows and columns at once no number is made in the page", () => {
  const { sparse } = both();
  const model = modelOf(sparse, { ...START, layer: 4 }, 4, [0]);
  const many = Array.from({ length: 140 }, (_, i) => i % 12);
  assert.equal(model?.number(many, many), null);
  assert.notEqual(model?.number(many, [1]), null);
});

test("rows of a head are made before the sums of its rows are here, columns after", () => {
  const made = headOf(7, true);
  const quick = headBlocks(made, 0).filter(([about]) => about.part !== "log_sum_exp");
  const sparse = unpack(long(quick, true));
  const model = modelOf(sparse, { ...START, layer: 4 }, 4, [0]) ?? assert.fail();
  near(model.given([3]), Float32Array.from(made.weights.slice(36, 48)), "a row");
  assert.equal(model.got([2]), null);
  assert.equal(
    deepOf(sparse, { ...START, layer: 4 }, model),
    null,
    "nor is anything below the map",
  );
  const about = { kind: "summary", layer: 4, head: 0, level: "sentence", part: "log_sum_exp" };
  const sums = /** @type {import("./trace.js").Given} */ ([{ ...about, profile: {} }, made.logs]);
  const next = unpack(container({ id: "x", more: true }, [sums]));
  merge(next, sparse);
  const whole = modelOf(next, { ...START, layer: 4 }, 4, [0]);
  near(
    whole?.got([2]) ?? null,
    Float32Array.from({ length: 12 }, (_, i) => made.weights[12 * i + 2]),
    "a column",
  );
});

test("a head of which nothing has come but itself stands in for its map as one dot", () => {
  const bare = unpack(container(aboutLong(), headBlocks(headOf(7), 0)));
  const model = modelOf(bare, { ...START, layer: 4 }, 4, [0]) ?? assert.fail();
  assert.deepEqual([model.map.pooled?.nRows, model.map.pooled?.nColumns], [1, 1]);
});
