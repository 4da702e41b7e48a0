import assert from "node:assert/strict";
import test from "node:test";
import { edgesOf, indexAt, settingOf, touching } from "../../explorer/instrument/numbers/edges.js";
import { token } from "./trace.js";

test("a place belongs to the token that covers it, and to none outside", () => {
  const edges = edgesOf([10, 20, 5]);
  assert.deepEqual([...edges], [0, 10, 30, 35]);
  const found = [-1, 0, 9.9, 10, 29.9, 30, 34.9, 35].map((at) => indexAt(edges, at));
  assert.deepEqual(found, [-1, 0, 0, 1, 1, 2, 2, -1]);
  assert.equal(indexAt(edgesOf([]), 0), -1);
  assert.equal(indexAt(edges, Number.NaN), -1);
});

test("every place of a long row finds its token", () => {
  const sizes = Array.from({ length: 512 }, (_, i) => 18 + (i % 7));
  const edges = edgesOf(sizes);
  sizes.forEach((size, i) => assert.equal(indexAt(edges, edges[i] + size / 2), i));
});

test("a stretch touches the tokens that it covers in part", () => {
  const edges = edgesOf([10, 10, 10, 10]);
  assert.deepEqual(touching(edges, 5, 15), [0, 2]);
  assert.deepEqual(touching(edges, 10, 20), [1, 3]);
  assert.deepEqual(touching(edges, -50, 500), [0, 4]);
  assert.deepEqual(touching(edges, 50, 60), [0, 0]);
  assert.deepEqual(touching(edgesOf([]), 0, 10), [0, 0]);
});

test("Chinese, Japanese and Korean stand in lines, Arabic and Hebrew from right to left", () => {
  const setting = (/** @type {string[]} */ texts) => {
    const cls = token("[CLS]", { special: true });
    return settingOf([cls, ...texts.map((text) => token(text))]);
  };
  assert.deepEqual(setting(["the", "cat"]), { across: false, rtl: false });
  for (const text of ["猫坐在", "ねこです", "고양이는"]) {
    assert.deepEqual(setting([...text]), { across: true, rtl: false }, text);
  }
  for (const words of [
    ["القطة", "جلست"],
    ["החתול", "ישב"],
  ]) {
    assert.deepEqual(setting(words), { across: true, rtl: true });
  }
  assert.deepEqual(setting(["the", "word", "猫"]), { across: false, rtl: false });
});
