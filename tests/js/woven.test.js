// A sentence with elements in it: they stand where its places are, in any language.

import assert from "node:assert/strict";
import test from "node:test";

import { woven } from "../../explorer/instrument/parts/dom.js";

test("an element stands where the sentence has its place, whatever the order", () => {
  const within = { head: "H", layer: "L" };
  assert.equal(woven("Every {head}, by {layer}", within).join(""), "Every H, by L");
  assert.equal(woven("按{layer}排列的{head}", within).join(""), "按L排列的H");
});

test("what fills a place is never read as one, and an unknown place stays", () => {
  assert.equal(woven("“{said}” {but}", { said: "{but}" }).join(""), "“{but}” {but}");
});
