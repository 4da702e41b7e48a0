import assert from "node:assert/strict";
import test from "node:test";
import { fullAt } from "../../explorer/instrument/numbers/palette.js";
import { across, onUnits, unpackPair } from "../../explorer/instrument/pages/compare.js";
import { levelsOf } from "../../explorer/instrument/parts/matrix.js";
import { container } from "./trace.js";

const units = [
  { text: "Lovelace", other: "Lovelace", a: [1, 2], b: [0], special: false },
  { text: "wrote", other: "wrote", a: [3], b: [1], special: false },
];

test("tokens of one side stand for the same words on the other", () => {
  assert.deepEqual(across(units, "a", [2]), [0]);
  assert.deepEqual(across(units, "b", [0, 1]), [1, 2, 3]);
  assert.deepEqual(across(units, "a", [0]), []); // [CLS] has no counterpart
});

test("on common words pieces add up as keys and are averaged as queries", () => {
  // Four tokens of A; rows 1 and 2 are the pieces of one word.
  const rows = [
    [0.25, 0.25, 0.25, 0.25],
    [0, 0.5, 0.25, 0.25],
    [0.5, 0, 0.25, 0.25],
    [0.1, 0.2, 0.3, 0.4],
  ];
  const found = onUnits(Float32Array.from(rows.flat()), 4, units, "a");
  const want = [(0.75 + 0.25) / 2, 0.25, 0.5, 0.4];
  want.forEach((w, i) => {
    assert.ok(Math.abs(found[i] - w) < 1e-6);
  });
});

test("two payloads are taken apart where the header says", () => {
  const [a, b] = [Uint8Array.of(1, 2), Uint8Array.of(3, 4, 5)];
  const { payloads, pairing } = unpackPair(
    container({ id: "x" }, [
      [{ kind: "a" }, a],
      [{ kind: "b" }, b],
      [{ kind: "page" }, new Uint8Array()],
    ]),
  );
  assert.equal(pairing.id, "x");
  assert.deepEqual([...payloads[0]], [1, 2]);
  assert.deepEqual([...payloads[1]], [3, 4, 5]);
});

test("colours of a matrix: nothing in the middle, signs on both sides, the largest of a dot", () => {
  const levels = levelsOf([0, 1, -1, 0.5], 2, 2, 2, 2, 1, false);
  assert.deepEqual([...levels], [128, 255, 0, 191]);
  assert.deepEqual([...levelsOf([0.1, -1, 0.2, 0], 1, 4, 1, 2, 1, false)], [0, 153]);
  assert.deepEqual([...levelsOf([0, 1], 1, 2, 1, 2, 1, true)], [0, 255]);
});

test("a few large numbers do not bleach all others", () => {
  const values = [...new Array(99).fill(1), 1000];
  assert.equal(fullAt(values), 1);
  assert.equal(fullAt([0, 0]), 1);
});
