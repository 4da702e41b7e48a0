import assert from "node:assert/strict";
import test from "node:test";
import { unpack } from "../../explorer/instrument/numbers/data.js";
import {
  followedIn,
  isPathHere,
  knownOf,
  linksTable,
  pathOf,
  pathParts,
} from "../../explorer/instrument/numbers/pathscene.js";
import { modelOf } from "../../explorer/instrument/numbers/scene.js";
import { START } from "../../explorer/instrument/numbers/view.js";
import { floats, payload, token } from "./trace.js";

/** @typedef {import("../../explorer/instrument/numbers/view.js").View} View */

// Layers 1 and 4 of a model, two heads each, over [CLS] a b. Head 0 looks at the mark, head 1 at
// itself: their mean is half and half.
const MARK = [1, 0, 0, 1, 0, 0, 1, 0, 0];
const ITSELF = [1, 0, 0, 0, 1, 0, 0, 0, 1];
const HEAD = {
  ...{ id: "x", title: "m", numbers: [1, 4], n_heads: 2, texts: ["a b"], n_cut: [0] },
  query_tokens: [token("[CLS]", { special: true }), token("a"), token("b")],
  ...{ key_tokens: null, opening: null, link: null, training: null, unknown: null, thumb: [1, 1] },
  ...{ possible: [2, 2], sinks: false },
};
/** @param {number[]} layers that are here */
const traceOf = (layers) =>
  unpack(
    payload(
      HEAD,
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      layers.map((layer) => [
        { kind: "layer", layer, shape: [2, 3, 3] },
        floats([...MARK, ...ITSELF]),
      ]),
    ),
  );

/** @param {Partial<View>} [rest] */
function sceneOf(rest = {}) {
  const trace = traceOf([1, 4]);
  /** @type {View} */
  const view = {
    ...START,
    layer: 4,
    heads: [1],
    residual: 0,
    mass: 100,
    specials: "shown",
    ...rest,
  };
  const model = modelOf(trace, view, 4, [1]) ?? assert.fail("the layer is here");
  return { trace, view, model };
}
const say = (/** @type {any[]} */ parts) => parts.flat().join("");

test("a path needs every layer, or the means of all", () => {
  assert.equal(isPathHere(traceOf([1, 4])), true);
  assert.equal(isPathHere(traceOf([4])), false);
  assert.equal(isPathHere({ ...traceOf([4]), means: new Float32Array(18) }), true);
});

test("what is pointed at is followed, else what is pinned, else everything", () => {
  const pinned = sceneOf({ queries: [2] });
  assert.deepEqual(followedIn(pinned, { level: 1, unit: 0 }), { level: 1, units: [0] });
  assert.deepEqual(followedIn(pinned, null), { level: 2, units: [2] });
  assert.deepEqual(followedIn(sceneOf(), null), { level: 2, units: [] });
});

test("the chosen heads are followed in their layer alone, in the others the mean of all", () => {
  const from = { level: 2, units: [2] };
  const all = pathOf(sceneOf(), knownOf(null), from);
  assert.deepEqual([...all.mass[0]], [0.75, 0, 0.25]);
  const chosen = pathOf(sceneOf({ path: "chosen" }), knownOf(null), from);
  assert.deepEqual([...chosen.mass[1]], [0, 0, 1]);
  assert.deepEqual([...chosen.mass[0]], [0.5, 0, 0.5]);
});

test("hidden marks are left out of the drawing, and what they carry is said", () => {
  const scene = sceneOf({ specials: "hidden" });
  const from = { level: 2, units: [1] }; // the second of the shown tokens
  const path = pathOf(scene, knownOf(null), from);
  assert.deepEqual([...path.mass[0]], [0, 0.25]);
  assert.equal(path.hidden, 0.75);
  assert.match(say(pathParts(scene, from, path)), /75(\.0)? % comes from hidden special tokens/);
});

test("a path that was found once is not sought again for the same model", () => {
  const [scene, known] = [sceneOf(), knownOf(null)];
  const from = { level: 1, units: [1] };
  assert.equal(pathOf(scene, known, from), pathOf(scene, known, { ...from }));
  assert.notEqual(pathOf(scene, knownOf(null), from), pathOf(scene, known, from));
});

test("a path that begins inside the model is told by the model's own number of the layer", () => {
  const scene = sceneOf();
  const told = (/** @type {{level: number, units: number[]}} */ from) =>
    say(pathParts(scene, from, pathOf(scene, knownOf(null), from)));
  assert.match(told({ level: 1, units: [1] }), /^After layer 1, a draws most on /);
  assert.match(told({ level: 2, units: [1] }), /^The output of a draws most on /);
  assert.match(told({ level: 2, units: [] }), /^The paths of all outputs together/);
});

test("the table names the links by the model's layers and the words, and waits for the layers", () => {
  const scene = sceneOf();
  const units = scene.model.layout.rows;
  const { rows } = linksTable(
    scene.trace,
    units,
    pathOf(scene, knownOf(null), { level: 1, units: [1] }),
  );
  assert.deepEqual(rows, [
    [1, "a", "[CLS]", 0.5],
    [1, "a", "a", 0.5],
  ]);
  assert.deepEqual(linksTable(scene.trace, units, null).rows, []);
});
