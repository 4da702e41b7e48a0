import assert from "node:assert/strict";
import test from "node:test";
import {
  chooseHead,
  clamp,
  fromParams,
  NO_HISTORY,
  note,
  pin,
  START,
  step,
  toParams,
  turn,
} from "../../explorer/instrument/view.js";

const MODEL = { n_layers: 6, n_heads: 12, query_tokens: new Array(13), key_tokens: new Array(13) };

/** @param {import("../../explorer/instrument/view.js").View} view */
const throughLink = (view) => fromParams(START, new URLSearchParams(toParams(view)));

test("every view survives the way through a link", () => {
  const views = [
    START,
    { ...START, layer: 3, heads: [1, 4, 11], combine: /** @type {const} */ ("max"), query: 8 },
    { ...START, key: 0, look: /** @type {const} */ ("to"), words: true, mass: 55 },
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
    "layer=-1&heads=a.b&query=1e9&scale=<b>&specials=__proto__&mass=900&words=yes&look=&combine=sum",
  );
  assert.deepEqual(fromParams(START, hostile), START);
});

test("a view that the model cannot show becomes the nearest that it can", () => {
  const far = { ...START, layer: 99, heads: [3, 40], query: 500, key: 2 };
  assert.deepEqual(clamp(far, MODEL), { ...START, layer: 5, heads: [3], query: null, key: 2 });
  assert.deepEqual(clamp({ ...START, heads: [99] }, MODEL).heads, [0]);
});

test("a link without any view keeps the pins, one with a view replaces them", () => {
  const pinned = { ...START, query: 4 };
  assert.equal(fromParams(pinned, new URLSearchParams("text=x")).query, 4);
  assert.equal(fromParams(pinned, new URLSearchParams("layer=1")).query, null);
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
  const once = pin(START, 3, null);
  assert.equal(once.query, 3);
  assert.equal(pin(once, 3, null).query, null);
  assert.equal(pin(START, null, 3).look, "to");
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

test("turning round asks the other question of the same token", () => {
  const to = turn(pin(START, 3, null), "to");
  assert.deepEqual([to.query, to.key, to.look], [null, 3, "to"]);
  assert.equal(turn(to, "from").query, 3);
});
