import assert from "node:assert/strict";
import test from "node:test";
import { createMaker, TILE, tileOf } from "../../explorer/instrument/numbers/tile.js";
import { createTiles, jobOf } from "../../explorer/instrument/parts/tileworker.js";
import { headOf, unitsIn } from "./longhead.js";

/** @typedef {import("../../explorer/instrument/numbers/tile.js").Order} Order */
/** @typedef {import("../../explorer/instrument/parts/tileworker.js").World} World */

const N = 2 * TILE;
const UNITS = unitsIn(N, false, () => false);
const ALL = [0, 1].flatMap((row) => [0, 1].map((column) => ({ row, column })));

/** @param {string[]} names @param {object[]} [heads] */
const job = (names, heads) =>
  jobOf(
    {
      ...{ rows: UNITS, columns: UNITS, combine: "mean", rescaled: false },
      heads: names.map((name, i) => ({
        name,
        head: /** @type {any} */ (heads?.[i] ?? { scores: HEADS[name] }),
      })),
    },
    N,
  );

/** @type {Record<string, ReturnType<typeof headOf>["scores"]>} */
const HEADS = { one: headOf(N, { seed: 1 }).scores, two: headOf(N, { seed: 2 }).scores };

/** A world whose clock and worker do what the test says. @param {boolean} worker */
function worldOf(worker) {
  /** @type {{orders: Order[], frames: (() => void)[], waits: (() => void)[], opened: number,
   *          ended: number, answer: () => void, broken: () => void, ms: number}} */
  const seen = {
    ...{ orders: [], frames: [], waits: [], opened: 0, ended: 0, ms: 0 },
    ...{ answer: () => {}, broken: () => {} },
  };
  /** @type {World} */
  const world = {
    open: !worker
      ? null
      : (made, broken) => {
          seen.opened++;
          const make = createMaker();
          seen.answer = () => made(make(/** @type {Order} */ (seen.orders.shift())));
          seen.broken = broken;
          return {
            postMessage: (order) => seen.orders.push(order),
            terminate: () => seen.ended++,
          };
        },
    frame: (act) => seen.frames.push(act),
    now: () => seen.ms,
    wait: (act) => seen.waits.push(act),
    noWait: () => {
      seen.waits = [];
    },
  };
  return { world, seen };
}

/** Tiles, the world that they are in, and how often one arrived. @param {boolean} worker */
function begun(worker) {
  const { world, seen } = worldOf(worker);
  const count = { arrived: 0 };
  const tiles = createTiles(() => count.arrived++, world);
  return { tiles, seen, count };
}

/** @param {ReturnType<typeof begun>} of @param {ReturnType<typeof job>} what */
function checkAll({ tiles }, what) {
  const heads = what.heads.map(({ head }) => head);
  for (const place of ALL) {
    assert.deepEqual(tiles.get(what, place), tileOf({ ...what.about, heads }, place));
  }
}

test("a worker makes what is wanted, two at a time, the first first, and is told of a head once", () => {
  const here = begun(true);
  const { tiles, seen } = here;
  const one = job(["one"]);
  tiles.want(one, ALL);
  assert.deepEqual(
    seen.orders.map(({ row, column }) => [row, column]),
    [
      [0, 0],
      [0, 1],
    ],
  );
  assert.ok(seen.orders[0].job?.heads[0].head, "with the first order comes the head");
  assert.equal(seen.orders[1].job, null);
  while (seen.orders.length) seen.answer();
  checkAll(here, one);
  assert.equal(here.count.arrived, 4);

  const both = job(["one", "two"]);
  tiles.want(both, ALL);
  assert.deepEqual(
    seen.orders[0].job?.heads.map(({ head }) => head !== null),
    [false, true],
  );
  while (seen.orders.length) seen.answer();
  checkAll(here, both);
  assert.equal(seen.opened, 1);
});

test("what is wanted may change while tiles are made; none is made twice", () => {
  const { tiles, seen, count } = begun(true);
  const [one, two] = [job(["one"]), job(["two"])];
  tiles.want(one, ALL);
  tiles.want(one, ALL); // it is drawn again meanwhile
  tiles.want(two, ALL.slice(0, 1));
  assert.equal(seen.orders.length, 2, "the worker has enough to do");
  seen.answer();
  assert.equal(count.arrived, 0, "a tile of another head moves nothing");
  while (seen.orders.length) seen.answer();
  assert.equal(count.arrived, 1);
  assert.ok(tiles.get(two, ALL[0]));
  assert.ok(tiles.get(one, ALL[1]), "but it is kept");
  assert.equal(tiles.get(one, ALL[2]), undefined, "what is wanted no more is not made");
  tiles.want(two, ALL.slice(0, 1));
  assert.equal(seen.orders.length, 0);
});

test("a worker that has nothing to do is let go, and another is opened when there is", () => {
  const here = begun(true);
  const { tiles, seen } = here;
  const one = job(["one"]);
  tiles.want(one, ALL.slice(0, 1));
  seen.answer();
  assert.equal(seen.waits.length, 1);
  seen.waits[0]();
  assert.equal(seen.ended, 1);
  tiles.want(one, ALL);
  assert.ok(seen.orders[0].job?.heads[0].head, "the new one knows nothing yet");
  while (seen.orders.length) seen.answer();
  checkAll(here, one);
  assert.equal(seen.opened, 2);
});

test("without a worker the page makes them, a few in each frame", () => {
  const here = begun(false);
  const { tiles, seen, count } = here;
  assert.ok(tiles.isAlone());
  const one = job(["one"]);
  tiles.want(one, ALL);
  assert.equal(tiles.get(one, ALL[0]), undefined, "nothing is made while it is drawn");
  assert.equal(seen.frames.length, 1);
  seen.frames.shift()?.();
  checkAll(here, one);
  assert.equal(count.arrived, 1);
  assert.equal(seen.frames.length, 0);
});

test("a frame of the page ends when its time is up", () => {
  const { tiles, seen } = begun(false);
  const slow = { heads: 0 };
  const head = {
    get weights() {
      seen.ms += 4;
      slow.heads++;
      return new Float32Array(N * N);
    },
  };
  tiles.want(job(["slow"], [head]), ALL);
  seen.frames.shift()?.();
  assert.ok(slow.heads > 0);
  assert.equal(seen.frames.length, 1, "the rest comes in the next");
});

test("a worker that fails leaves its work to the page", () => {
  const here = begun(true);
  const { tiles, seen, count } = here;
  const one = job(["one"]);
  tiles.want(one, ALL);
  assert.ok(!tiles.isAlone());
  seen.broken();
  assert.ok(tiles.isAlone());
  assert.equal(count.arrived, 1, "so that it is drawn, and wanted, again");
  tiles.want(one, ALL);
  while (seen.frames.length) seen.frames.shift()?.();
  checkAll(here, one);
});

test("where a worker may not be opened the page makes them", () => {
  const { world, seen } = worldOf(false);
  world.open = () => {
    throw new Error("forbidden");
  };
  const tiles = createTiles(() => {}, world);
  const one = job(["one"]);
  tiles.want(one, ALL);
  tiles.want(one, ALL);
  while (seen.frames.length) seen.frames.shift()?.();
  assert.ok(tiles.get(one, ALL[3]));
});

test("weights that were given are read in the page and not sent", () => {
  const { tiles, seen } = begun(true);
  const given = job(["given"], [{ weights: new Float32Array(N * N).fill(1 / N) }]);
  tiles.want(given, ALL);
  assert.equal(seen.opened, 0);
  seen.frames.shift()?.();
  assert.ok(tiles.get(given, ALL[0])?.every((weight) => weight === Math.fround(1 / N)));
  assert.ok(!tiles.isAlone(), "there is nothing to apologise for");
});

test("for a file what is missing is made at once", () => {
  const { tiles } = begun(true);
  const one = job(["one"]);
  const heads = one.heads.map(({ head }) => head);
  assert.deepEqual(tiles.make(one, ALL[3]), tileOf({ ...one.about, heads }, ALL[3]));
});

test("tiles of other words, heads or sums have other names", () => {
  const same = job(["one"]).name;
  assert.equal(job(["one"]).name, same);
  assert.notEqual(job(["two"]).name, same);
  const most = jobOf({ ...deep(), combine: "max" }, N).name;
  const rescaled = jobOf({ ...deep(), rescaled: true }, N).name;
  const words = jobOf({ ...deep(), rows: unitsIn(N, true, () => false) }, N).name;
  assert.equal(new Set([same, most, rescaled, words]).size, 4);
  assert.equal(jobOf(deep(), N).name, same);
});

const deep = () => ({
  ...{ rows: UNITS, columns: UNITS, rescaled: false },
  combine: /** @type {"mean" | "max"} */ ("mean"),
  heads: [{ name: "one", head: { scores: HEADS.one } }],
});
