import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import {
  chooseHead,
  clamp,
  fromParams,
  NO_HISTORY,
  note,
  PARAMS,
  pin,
  pinPair,
  readTokens,
  START,
  step,
  toParams,
  turn,
  writeTokens,
} from "../../explorer/instrument/numbers/view.js";

const MODEL = {
  ...{ numbers: [0, 1, 2, 3, 4, 5], n_heads: 12 },
  ...{ query_tokens: new Array(13), key_tokens: new Array(13) },
};

/** @param {import("../../explorer/instrument/numbers/view.js").View} view */
const throughLink = (view) => fromParams(START, new URLSearchParams(toParams(view)));

test("every view survives the way through a link", () => {
  const views = [
    START,
    { ...START, layer: 3, heads: [1, 4, 11], combine: /** @type {const} */ ("max"), queries: [8] },
    { ...START, keys: [0], look: /** @type {const} */ ("to"), words: true, mass: 55 },
    {
      ...START,
      queries: [0, 3, 4, 5],
      keys: [7, 9],
      residual: 0,
      path: /** @type {const} */ ("chosen"),
    },
    { ...START, grid: /** @type {const} */ ("whole"), flow: /** @type {const} */ ("across") },
    {
      ...START,
      specials: /** @type {const} */ ("renormalised"),
      scale: /** @type {const} */ ("row"),
    },
  ];
  for (const view of views) assert.deepEqual(throughLink(view), view);
});

test("what a stranger's link says wrongly is left as it was", () => {
  const hostile = new URLSearchParams(
    "layer=-1&heads=a.b&query=1e9&key=3-&residual=101&flow=up&scale=<b>&specials=__proto__&mass=900&words=yes&look=&combine=sum",
  );
  assert.deepEqual(fromParams(START, hostile), START);
});

test("pinned tokens are written as runs, and read however they were mixed", () => {
  assert.equal(writeTokens([0, 3, 4, 5, 9]), "0.3-5.9");
  assert.deepEqual(readTokens("9.3-5.0.4"), [0, 3, 4, 5, 9]);
  for (const wrong of ["", "a", "1-", "-1", "1..2", "1 2", "123456"]) {
    assert.equal(readTokens(wrong), null, wrong);
  }
  assert.equal(readTokens("0-99999")?.length, 4096, "a stranger’s link cannot ask for more");
});

test("a view that the model cannot show becomes the nearest that it can", () => {
  const far = { ...START, layer: 99, heads: [3, 40], queries: [2, 500], keys: [2] };
  const near = { ...START, layer: 5, heads: [3], queries: [2], keys: [2] };
  assert.deepEqual(clamp(far, MODEL), near);
  assert.deepEqual(clamp({ ...START, heads: [99] }, MODEL).heads, [0]);
  const hybrid = { ...MODEL, numbers: [1, 3, 9] };
  const opened = [0, 3, 4, 7, 99].map((layer) => clamp({ ...START, layer }, hybrid).layer);
  assert.deepEqual(opened, [1, 3, 3, 9, 9]);
});

test("a link without any view keeps the pins, one with a view replaces them", () => {
  const pinned = { ...START, queries: [4] };
  assert.deepEqual(fromParams(pinned, new URLSearchParams("text=x")).queries, [4]);
  assert.deepEqual(fromParams(pinned, new URLSearchParams("layer=1")).queries, []);
});

test("a click chooses, shift-click adds and takes away, the last head stays", () => {
  let view = chooseHead(START, 2, 5, false);
  assert.deepEqual([view.layer, view.heads], [2, [5]]);
  view = chooseHead(view, 2, 1, true);
  assert.deepEqual(view.heads, [1, 5]);
  view = chooseHead(view, 2, 5, true);
  assert.deepEqual(chooseHead(view, 2, 1, true).heads, [1]);
  assert.deepEqual(chooseHead(view, 3, 7, true).heads, [7], "another layer starts anew");
});

test("the same pin again lets go, and a key alone asks who looks at it", () => {
  const once = pin(START, "queries", [3], false);
  assert.deepEqual(once.queries, [3]);
  assert.deepEqual(pin(once, "queries", [3], false).queries, []);
  assert.equal(pin(START, "keys", [3], false).look, "to");
});

test("adding makes a group, adding again takes out, the other side stays", () => {
  let view = pin(pin(START, "keys", [7], false), "queries", [5, 6], false);
  view = pin(view, "queries", [2], true);
  assert.deepEqual([view.queries, view.keys], [[2, 5, 6], [7]]);
  assert.deepEqual(pin(view, "queries", [5, 6], true).queries, [2]);
  assert.deepEqual(pin(view, "queries", [5, 9], true).queries, [2, 5, 6, 9]);
});

test("a pair is pinned at once, and the same again lets go of both", () => {
  const pair = pinPair(START, [1, 2], [4]);
  assert.deepEqual([pair.queries, pair.keys], [[1, 2], [4]]);
  const none = pinPair(pair, [1, 2], [4]);
  assert.deepEqual([none.queries, none.keys], [[], []]);
});

test("what was changed can be taken back and brought again", () => {
  const one = { ...START, layer: 1 };
  const two = { ...one, words: true };
  const history = note(note(NO_HISTORY, START, one), one, two);
  const [after, back] = step(history, two, "past") ?? assert.fail();
  assert.deepEqual(back, one);
  const [, again] = step(after, back, "future") ?? assert.fail();
  assert.deepEqual(again, two);
  assert.equal(step(NO_HISTORY, START, "past"), null);
});

test("a new change forgets what was taken back, no change is none, sliding is one", () => {
  const one = { ...START, layer: 1 };
  const [after] = step(note(NO_HISTORY, START, one), one, "past") ?? assert.fail();
  assert.deepEqual(note(after, START, { ...START, words: true }).future, []);
  assert.equal(note(NO_HISTORY, START, { ...START }), NO_HISTORY);
  let history = NO_HISTORY;
  for (const [from, to] of [
    [90, 80],
    [80, 70],
    [70, 60],
  ]) {
    history = note(history, { ...START, mass: from }, { ...START, mass: to });
  }
  assert.deepEqual(history.past, [START]);
});

test("turning round asks the other question of the same tokens", () => {
  const to = turn(pin(START, "queries", [3, 4], false), "to");
  assert.deepEqual([to.queries, to.keys, to.look], [[], [3, 4], "to"]);
  assert.deepEqual(turn(to, "from").queries, [3, 4]);
});

test("a link that names the same tokens for ever is read as far as tokens can be pinned", () => {
  assert.deepEqual(readTokens(`0-99999${".0-99999".repeat(50_000)}`)?.length, 4096);
  assert.deepEqual(readTokens("3.3.1-2"), [1, 2, 3]);
});

test("Python knows the names of a view, and no others", () => {
  const file = new URL("../../explorer/export/notebook.py", import.meta.url);
  const [, block] = /^VIEW = \(([\s\S]*?)^\)/m.exec(readFileSync(file, "utf8")) ?? [];
  const names = [...block.matchAll(/"(\w+)"/g)].map(([, name]) => name);
  assert.deepEqual(names.sort(), [...PARAMS].sort());
});
