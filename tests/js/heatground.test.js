import assert from "node:assert/strict";
import test from "node:test";
import { unpack } from "../../explorer/instrument/numbers/data.js";
import { deepOf } from "../../explorer/instrument/numbers/deep.js";
import {
  cellNote,
  colourNote,
  deepGround,
  dotNote,
  mapGround,
  savedMap,
  savedPart,
} from "../../explorer/instrument/numbers/heatground.js";
import { modelOf } from "../../explorer/instrument/numbers/scene.js";
import { START } from "../../explorer/instrument/numbers/view.js";
import { createTiles, jobOf } from "../../explorer/instrument/parts/tileworker.js";
import { headBlocks, headOf, long, N, summaryBlocks, whole } from "./longtext.js";

/** @typedef {import("../../explorer/instrument/numbers/scene.js").Scene} Scene */
/** @typedef {import("../../explorer/instrument/numbers/view.js").View} View */

const NEAR = 3e-6; // float32 weights that are rescaled beside numbers made in double precision

/** The same text, whole and long. @param {boolean} [sinks] */
function both(sinks = false) {
  const heads = [headOf(7, sinks), headOf(99, sinks)];
  const blocks = heads.flatMap((head, i) => [
    ...headBlocks(head, i),
    ...summaryBlocks(head, i, { special: 0 }),
  ]);
  return { dense: unpack(whole(heads)), sparse: unpack(long(blocks, sinks)) };
}

/**
 * @param {ReturnType<typeof unpack>} trace @param {Partial<View>} rest @param {number[]} [heads]
 * @returns {Scene & {deep: NonNullable<Scene["deep"]>}}
 */
function sceneOf(trace, rest, heads = [0]) {
  const view = { ...START, layer: 4, heads, ...rest };
  const model = modelOf(trace, view, 4, heads);
  assert.ok(model);
  const focus = { rows: [1], columns: [2] };
  const scene = {
    trace,
    view,
    model,
    focus,
    says: "",
    theme: {},
    deep: deepOf(trace, view, model),
  };
  const map = { ...scene, model: model.map, focus: { rows: [0], columns: [0] } };
  return /** @type {any} */ ({ ...scene, map });
}

const tiles = createTiles(() => {}, /** @type {any} */ ({ open: null }));

/** @param {ReturnType<typeof sceneOf>} scene @param {import("../../explorer/instrument/numbers/viewport.js").Sight} sight */
function groundOf(scene, sight) {
  const job = jobOf(scene.deep, N);
  return deepGround(scene, scene.deep, sight, (place) => tiles.make(job, place));
}

const ALL = { row: 0, column: 0, count: N };

test("below the map stand the weights, in the colours, that a short text would have", () => {
  for (const sinks of [false, true]) {
    const { dense, sparse } = both(sinks);
    for (const specials of /** @type {const} */ (["shown", "hidden", "renormalised"])) {
      for (const words of [false, true]) {
        for (const combine of /** @type {const} */ (["mean", "max"])) {
          for (const scale of /** @type {const} */ (["percentile", "row", "absolute"])) {
            const rest = { specials, words, combine, scale };
            const heads = [0, 1];
            const { patch, holes } = groundOf(sceneOf(sparse, rest, heads), ALL);
            const wanted = modelOf(dense, { ...START, ...rest, layer: 4 }, 4, heads);
            assert.ok(wanted && !holes);
            const { weights } = wanted.picture;
            assert.equal(patch.weights.length, weights.length);
            const what = JSON.stringify(rest);
            patch.weights.forEach((x, i) => assert.ok(Math.abs(x - weights[i]) < NEAR, what));
            patch.tops.forEach((x, i) => assert.ok(Math.abs(x - wanted.tops[i]) < NEAR, what));
          }
        }
      }
    }
  }
});

test("a part in sight is that part, and full colour is of what is in sight", () => {
  const { dense, sparse } = both();
  const scene = sceneOf(sparse, { scale: "row", specials: "hidden" });
  const { patch } = groundOf(scene, { row: 2, column: 4, count: 3 });
  const picture = modelOf(dense, { ...START, layer: 4, specials: "hidden" }, 4, [0])?.picture;
  assert.ok(picture);
  assert.deepEqual([patch.top, patch.left, patch.nRows, patch.nColumns], [2, 4, 3, 3]);
  for (let r = 0; r < 3; r++) {
    const from = (r + 2) * picture.columns.length + 4;
    /** @type {number[]} */
    const row = [...picture.weights.subarray(from, from + 3)];
    for (let c = 0; c < 3; c++) assert.ok(Math.abs(patch.weights[3 * r + c] - row[c]) < NEAR);
    assert.ok(Math.abs(patch.tops[r] - Math.max(...row)) < NEAR);
  }
});

test("until its weights are here a cell has the colour of its sentences", () => {
  const scene = sceneOf(both().sparse, { scale: "absolute", specials: "hidden" });
  const ground = deepGround(scene, scene.deep, ALL, () => undefined);
  assert.ok(ground.holes);
  const map = scene.map.model.picture;
  const { groupOfRow, groupOfColumn, columns } = scene.deep;
  ground.patch.weights.forEach((weight, i) => {
    const [r, c] = [Math.floor(i / columns.length), i % columns.length];
    assert.equal(weight, map.weights[groupOfRow[r] * map.columns.length + groupOfColumn[c]]);
  });
});

test("what is pointed at is told in the units that are in sight, and the corner shows the map", () => {
  const scene = sceneOf(both().sparse, {});
  const [near, far] = [groundOf(scene, ALL), mapGround(scene.map)];
  assert.deepEqual(near.focus, { rows: [1], columns: [2] });
  assert.deepEqual(far.focus, { rows: [0], columns: [0] });
  assert.equal(near.map.weights, far.map.weights);
  assert.deepEqual(far.frameOf({ row: 1, column: 2, count: 2 }), {
    ...{ top: 1, bottom: 3, left: 2, right: 4 },
  });
  const frame = near.frameOf({ row: 1, column: 6, count: 5 });
  assert.deepEqual([frame.top, frame.bottom, frame.left, frame.right], [1, 2, 2, 3]);
});

test("the note says what a cell is", () => {
  const { dense, sparse } = both();
  /** @param {Partial<View>} view @param {number[]} [heads] */
  const far = (view, heads) => cellNote(sceneOf(sparse, view, heads), false);
  /** @param {Partial<View>} view @param {number[]} [heads] */
  const near = (view, heads) => cellNote(sceneOf(sparse, view, heads), true);
  const summed = "attention summed over keys, averaged over queries.";
  assert.equal(far({}), `Each cell: a sentence looking at a sentence: ${summed}`);
  assert.equal(far({ pool: "max" }), "Each cell: the largest single weight.");
  assert.equal(near({ pool: "max" }), "Each cell: one weight.");
  assert.equal(near({}, [0, 1]), "Each cell: a token looking at a token.");
  assert.equal(near({ words: true }), `Each cell: a word looking at a word: ${summed}`);
  assert.equal(cellNote(sceneOf(dense, { map: "same" }), false), "", "as one reads");
  const grouped = cellNote(sceneOf(dense, { map: "sentence" }), false);
  assert.equal(grouped, far({}), "a short text's sentences too");
});

test("the note says what a dot of several cells shows", () => {
  const scene = sceneOf(both().sparse, {});
  assert.equal(dotNote(scene, true, 1), "");
  assert.equal(dotNote(scene, true, 0.4), "A dot shows the largest of the cells that it covers.");
  assert.notEqual(dotNote(scene, false, 0.4), "");
});

test("the note says of what the full colour is", () => {
  const scene = sceneOf(both().sparse, {});
  const [near, far] = [groundOf(scene, ALL), mapGround(scene.map)];
  assert.match(colourNote("percentile", near), /98th percentile over ordinary keys in sight\.$/);
  assert.match(colourNote("row", near), /on an ordinary token in sight\.$/);
  assert.match(colourNote("absolute", near), /^Full colour: weight 1; .*square root\.$/);
  assert.match(colourNote("percentile", far), /over ordinary keys\.$/);
});

test("what is kept of a map is the map, and of what lies below the part in sight, by its name", () => {
  const { sparse } = both(true);
  const scene = sceneOf(sparse, {});
  const map = savedMap(scene.map);
  assert.equal(map.picture, scene.map.model.picture);
  assert.equal(map.nowhere?.length, 4);
  const ground = groundOf(scene, { row: 6, column: 0, count: 3 });
  const part = savedPart(scene, ground);
  assert.equal(part.name, "L4·H0, tokens 6 to 8 looking at 0 to 2");
  assert.deepEqual(
    part.picture.rows.map(({ text }) => text),
    ["A", "dog", "ran"],
  );
  assert.notEqual(part.picture.weights, ground.patch.weights, "memory that is used again");
  part.nowhere?.forEach((share, i) => assert.equal(share, scene.model.nowhere([6 + i])));
  const rescaled = sceneOf(sparse, { specials: "renormalised" });
  assert.equal(savedPart(rescaled, groundOf(rescaled, ALL)).nowhere, null, "no share is left out");
});
