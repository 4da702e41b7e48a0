import assert from "node:assert/strict";
import test from "node:test";
import { FEWEST, follow, shownOf } from "../../explorer/instrument/numbers/path.js";

// Two layers over three tokens.
const A = [
  [0.5, 0.5, 0, 0.2, 0.8, 0, 0, 0, 1],
  [0, 1, 0, 0.5, 0.25, 0.25, 1, 0, 0],
].map((rows) => Float32Array.from(rows));

/** @param {number} layer */
const maps = (layer) => A[layer];
const near = (/** @type {ArrayLike<number>} */ got, /** @type {number[]} */ want) =>
  want.forEach((w, i) => assert.ok(Math.abs(got[i] - w) < 1e-7, `${i}: ${got[i]} is not ${w}`));

test("following one output gives its row of the rollout (worked by hand)", () => {
  // W = A / 2 + I / 2. Row 1 of W1 is .25, .625, .125; times W0:
  // .25 (.75, .25, 0) + .625 (.1, .9, 0) + .125 (0, 0, 1) = .25, .625, .125.
  const { mass } = follow(maps, 3, 2, [1], 0.5, 1);
  near(mass[2], [0, 1, 0]);
  near(mass[1], [0.25, 0.625, 0.125]);
  near(mass[0], [0.25, 0.625, 0.125]);
});

test("without the residual connection only attention is followed", () => {
  const { mass } = follow(maps, 3, 2, [2], 0, 1);
  near(mass[1], [1, 0, 0]);
  near(mass[0], [0.5, 0.5, 0]);
});

test("with nothing else than the residual connection a token draws on itself", () => {
  const { mass, links } = follow(maps, 3, 2, [2], 1, 1);
  near(mass[0], [0, 0, 1]);
  assert.deepEqual(
    links.map(({ layer, from, to, flow }) => [layer, from, to, flow]),
    [
      [1, 2, 2, 1],
      [0, 2, 2, 1],
    ],
  );
});

test("in every layer the links add up to what passes, and the thinnest are left out first", () => {
  const all = follow(maps, 3, 2, [1], 0.5, 1);
  const sum = (/** @type {number} */ layer, /** @type {typeof all.links} */ links) =>
    links.filter((link) => link.layer === layer).reduce((total, link) => total + link.flow, 0);
  for (const layer of [0, 1]) assert.ok(Math.abs(sum(layer, all.links) - 1) < 1e-6);
  const most = follow(maps, 3, 2, [1], 0.5, 0.6);
  assert.deepEqual(
    most.links.map(({ layer, from, to }) => [layer, from, to]),
    [
      [1, 1, 1],
      [0, 1, 1],
      [0, 0, 0],
    ],
  );
});

test("several outputs, or all, share the start evenly", () => {
  near(follow(maps, 3, 1, [0, 2], 0.5, 1).mass[0], [0.375, 0.125, 0.5]);
  near(follow(maps, 3, 1, [], 0.5, 1).mass[1], [1 / 3, 1 / 3, 1 / 3]);
});

test("what carries next to nothing is not drawn but still counted", () => {
  const thin = Float32Array.from([1 - 2 * FEWEST, 2 * FEWEST, 0, 1]);
  const { mass, links } = follow(() => thin, 2, 1, [0], 0, 1);
  near(mass[0], [1 - 2 * FEWEST, 2 * FEWEST]);
  const faint = follow(() => Float32Array.from([1 - 1e-4, 1e-4, 0, 1]), 2, 1, [0], 0, 1);
  near(faint.mass[0], [1 - 1e-4, 1e-4]);
  assert.deepEqual([links.length, faint.links.length], [2, 1]);
});

test("hidden units are passed through: what comes from them, and what is lost, is known", () => {
  const path = follow(maps, 3, 2, [1], 0.5, 1);
  const shown = shownOf(path, [0, 2]);
  near(shown.mass[0], [0.25, 0.125]);
  near([shown.hidden, shown.lost], [0.625, 0]);
  const ends = shown.links.map(({ layer, from, to }) => [layer, from, to]);
  assert.deepEqual(ends, [
    [0, 0, 0],
    [0, 1, 1],
  ]);
  const halves = A.map((weights) => weights.map((w) => w / 2)); // rows with a sink
  const { lost } = shownOf(
    follow((layer) => halves[layer], 3, 2, [1], 0, 1),
    [0, 1, 2],
  );
  near([lost], [0.75]);
});
