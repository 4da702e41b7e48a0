// Who makes the tiles of long texts: a worker, or, where there is none, the page itself, a few in
// each frame. What is wanted may change at any time; what is made is kept.

import { piecesOf, tileOf } from "../numbers/tile.js";
import { createShelf } from "../numbers/tiles.js";
import { WORKER_TEXT } from "../wire/workertext.js";

/**
 * @typedef {import("../numbers/model.js").Unit} Unit
 * @typedef {import("../numbers/tile.js").About} About
 * @typedef {import("../numbers/tile.js").Head} Head
 * @typedef {import("../numbers/tile.js").Made} Made
 * @typedef {import("../numbers/tile.js").Order} Order
 * @typedef {import("../numbers/tile.js").Place} Place
 * @typedef {{name: string, about: About, heads: {name: string, head: Head}[]}} Job
 *   name: another for whatever makes other tiles
 * @typedef {{postMessage: (order: Order) => void, terminate: () => void}} Port
 * @typedef {{open: ((made: (made: Made) => void, broken: () => void) => Port) | null,
 *            frame: (act: () => void) => void, now: () => number,
 *            wait: (act: () => void, ms: number) => number, noWait: (wait: number) => void}} World
 *   open: a worker, and what it calls; null where there is none
 * @typedef {{world: World, arrived: () => void, shelf: ReturnType<typeof createShelf>,
 *            job: Job | null, wanted: Place[], port: Port | null, told: Set<string>,
 *            toldJob: string, underway: Set<string>, broken: boolean, framed: boolean,
 *            resting: number}} Here
 *   told, toldJob: the heads and the job that the worker knows; underway: the tiles that it makes
 */

const AHEAD = 2; // orders that a worker has at a time: what is wanted may change
const FRAME = 6; // ms of a frame in which the page makes tiles
const IDLE = 30_000; // ms after which a worker that has nothing to do is let go, with its memory

/** The browser's. @type {World} */
const WORLD = {
  open: WORKER_TEXT && "Worker" in globalThis ? openWorker : null,
  frame: (act) => requestAnimationFrame(act),
  now: () => performance.now(),
  wait: (act, ms) => window.setTimeout(act, ms),
  noWait: (wait) => clearTimeout(wait),
};

/**
 * @param {(made: Made) => void} made @param {() => void} broken
 * @returns {Port}
 */
function openWorker(made, broken) {
  const url = URL.createObjectURL(new Blob([WORKER_TEXT], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.onmessage = ({ data }) => {
    URL.revokeObjectURL(url);
    made(data);
  };
  worker.onerror = (event) => {
    event.preventDefault(); // the page goes on without it
    broken();
  };
  worker.onmessageerror = broken;
  return worker;
}

let numbered = 0;
/** @type {WeakMap<object, number>} */
const numbers = new WeakMap();
/** @type {WeakMap<Unit[], ReturnType<typeof piecesOf>>} */
const pieces = new WeakMap();

/** A thing's own number. @param {object} thing */
function numberOf(thing) {
  if (!numbers.has(thing)) numbers.set(thing, ++numbered);
  return numbers.get(thing);
}

/** @param {Unit[]} units */
function piecesIn(units) {
  const known = pieces.get(units) ?? piecesOf(units);
  pieces.set(units, known);
  return known;
}

/**
 * What tiles are made of.
 * @param {{rows: Unit[], columns: Unit[], heads: Job["heads"], combine: "mean" | "max",
 *          rescaled: boolean}} deep
 * @param {number} nKeys all tokens that are looked at
 * @returns {Job}
 */
export function jobOf({ rows, columns, heads, combine, rescaled }, nKeys) {
  const names = heads.map((own) => own.name).join(" ");
  return {
    name: `${numberOf(rows)} ${numberOf(columns)} ${combine} ${rescaled} ${names}`,
    about: { rows: piecesIn(rows), columns: piecesIn(columns), nKeys, combine, rescaled },
    heads,
  };
}

/**
 * @param {() => void} arrived called whenever a tile is here that was wanted
 * @param {World} [world]
 */
export function createTiles(arrived, world = WORLD) {
  /** @type {Here} */
  const here = {
    ...{ world, arrived, shelf: createShelf(), job: null, wanted: [], port: null },
    ...{ told: new Set(), toldJob: "", underway: new Set(), broken: false, framed: false },
    resting: 0,
  };
  return {
    /** What is missing of these is made, the first first. @param {Job} job @param {Place[]} places */
    want: (job, places) => {
      here.job = job;
      here.wanted = places.filter((place) => {
        const name = named(job, place);
        return !here.shelf.has(name) && !here.underway.has(name);
      });
      go(here);
    },
    /** @param {Job} job @param {Place} place */
    get: (job, place) => here.shelf.get(named(job, place)),
    /** Made at once if it is not here. @param {Job} job @param {Place} place */
    make: (job, place) => here.shelf.get(named(job, place)) ?? makeHere(here, job, place),
    /** Whether the page has to make tiles itself. */
    isAlone: () => here.broken || !world.open,
  };
}

/** @param {{name: string}} job @param {Place} place */
const named = ({ name }, { row, column }) => `${name} ${row} ${column}`;

/** Weights that were given need no worker: they are only read. @param {Job} job */
const areScores = ({ heads }) => heads.every(({ head }) => "scores" in head);

/** @param {Here} here */
function go(here) {
  if (!here.job || !here.wanted.length) return;
  if (here.world.open && !here.broken && areScores(here.job)) return order(here);
  if (here.framed) return;
  here.framed = true;
  here.world.frame(() => inFrame(here));
}

/** Send orders, as many as the worker should have. @param {Here} here */
function order(here) {
  const { world, job } = here;
  world.noWait(here.resting);
  try {
    here.port ??=
      world.open?.(
        (made) => came(here, made),
        () => fail(here),
      ) ?? null;
    while (job && here.wanted.length && here.underway.size < AHEAD) {
      const [next] = here.wanted.splice(0, 1);
      here.port?.postMessage({ name: job.name, ...next, job: told(here, job) });
      here.underway.add(named(job, next));
    }
  } catch {
    fail(here);
  }
}

/** What the worker must know of a job that it has not begun. @param {Here} here @param {Job} job */
function told(here, { name, about, heads }) {
  if (here.toldJob === name) return null;
  const before = here.told;
  here.toldJob = name;
  here.told = new Set(heads.map((own) => own.name));
  return {
    about,
    heads: heads.map((own) => ({ name: own.name, head: before.has(own.name) ? null : own.head })),
  };
}

/** @param {Here} here @param {Made} made */
function came(here, made) {
  const { world, job } = here;
  const name = named(made, made);
  here.underway.delete(name);
  here.shelf.put(name, made.tile);
  if (made.name === job?.name) here.arrived();
  if (here.wanted.length) go(here);
  else if (!here.underway.size) here.resting = world.wait(() => close(here), IDLE);
}

/** @param {Here} here */
function close(here) {
  here.port?.terminate();
  here.underway.clear();
  Object.assign(here, { port: null, told: new Set(), toldJob: "" });
}

/** The worker is of no use, as where a page may have none. @param {Here} here */
function fail(here) {
  close(here);
  here.broken = true;
  here.arrived(); // what is drawn then wants what it lacks
}

/** @param {Here} here */
function inFrame(here) {
  const { world, job } = here;
  here.framed = false;
  const start = world.now();
  do {
    const [next] = here.wanted.splice(0, 1);
    if (job && next && !here.shelf.has(named(job, next))) makeHere(here, job, next);
  } while (here.wanted.length && world.now() - start < FRAME);
  here.arrived();
  go(here);
}

/** @param {Here} here @param {Job} job @param {Place} place */
function makeHere({ shelf }, job, place) {
  const heads = job.heads.map(({ head }) => head);
  const tile = tileOf({ ...job.about, heads }, place);
  shelf.put(named(job, place), tile);
  return tile;
}
