import assert from "node:assert/strict";
import test from "node:test";
import { isUpright } from "../../explorer/instrument/numbers/upright.js";
import { cutTo, fillUpwards } from "../../explorer/instrument/parts/paint.js";

test("a text is cut to the longest beginning that fits, and keeps whole letters", () => {
  let asked = 0;
  /** @type {any} */
  const pen = {
    measureText: (/** @type {string} */ text) => {
      asked++;
      return { width: [...text].length };
    },
  };
  assert.equal(cutTo(pen, "short", 5), "short");
  assert.equal(cutTo(pen, "longer", 5), "long…");
  assert.equal(cutTo(pen, "😀😀😀😀", 3), "😀😀…");
  assert.equal(cutTo(pen, "longer", 0), "l…"); // one letter at least
  asked = 0;
  cutTo(pen, "a".repeat(200_000), 10);
  assert.ok(asked < 25, `${asked} measurements`);
});

test("a column's label of Chinese characters stands upright, and ends where a lying one does", () => {
  const drawn = (/** @type {string} */ label) => {
    /** @type {(string | number)[][]} */
    const calls = [];
    /** @type {any} */
    const pen = {
      measureText: (/** @type {string} */ text) => ({ width: 12 * [...text].length }),
      rotate: (/** @type {number} */ by) => calls.push(["rotate", by]),
      fillText: (/** @type {string} */ text, /** @type {number} */ x, /** @type {number} */ y) =>
        calls.push([text, x, y]),
    };
    fillUpwards(pen, label);
    return calls;
  };
  assert.deepEqual(drawn("花园"), [
    ["花", 0, -18],
    ["园", 0, -6],
  ]);
  assert.deepEqual(drawn("cat"), [
    ["rotate", -Math.PI / 2],
    ["cat", 0, 0],
  ]);
});

test("what stands upright is what is written in squares, with its marks", () => {
  for (const text of ["猫", "花园", "。", "（它", "テスト", "고양이", "𠮷野家", "花…"])
    assert.ok(isUpright(text), text);
  for (const text of ["cat", "BERT模型", "“", "…", "1", "", "[UNK]"])
    assert.ok(!isUpright(text), text);
});
