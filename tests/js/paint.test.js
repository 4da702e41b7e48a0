import assert from "node:assert/strict";
import test from "node:test";
import { cutTo } from "../../explorer/instrument/parts/paint.js";

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
