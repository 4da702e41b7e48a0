import assert from "node:assert/strict";
import test from "node:test";
import {
  changeOf,
  columnOf,
  dressOf,
  piecesOf,
  rowOf,
  shadeOf,
  shadingOf,
  sideOf,
  spotOf,
  spotsOf,
  stepThrough,
  TONES,
  unitsIn,
  unitsRead,
} from "../../explorer/instrument/numbers/readingtext.js";
import { token } from "./trace.js";

/** @param {import("../../explorer/instrument/numbers/readingtext.js").Piece[]} pieces */
const read = (pieces) =>
  pieces.map((piece) =>
    piece.kind === "scissors" ? `✂${piece.cut}` : `${piece.kind}:${piece.text}`,
  );
/** @param {[string, [number, number] | null][]} tokens */
const own = (...tokens) => tokens.map(([text, span], i) => ({ token: token(text, { span }), i }));

test("what a model reads once stands once, two texts stand one after the other, keys first", () => {
  const [one, other] = [[token("a")], [token("b"), token("c")]];
  const told = (/** @type {ReturnType<typeof spotsOf>} */ spots) =>
    spots.map(({ token: { text }, query, key }) => [text, query, key]);
  assert.deepEqual(told(spotsOf({ query_tokens: one, key_tokens: one })), [["a", 0, 0]]);
  assert.deepEqual(told(spotsOf({ query_tokens: one, key_tokens: other })), [
    ["b", -1, 0],
    ["c", -1, 1],
    ["a", 0, -1],
  ]);
});

test("the spaces between the tokens stay, and a mark without a place shows its own name", () => {
  const found = piecesOf(
    [..."a b!"],
    own(["[CLS]", null], ["a", [0, 1]], ["b", [2, 3]]),
    0,
    "right",
  );
  assert.deepEqual(read(found), ["token:[CLS]", "token:a", "plain: ", "token:b", "plain:!"]);
});

test("of a character that is split over two tokens the second shows only what is new", () => {
  const found = piecesOf([..."é1"], own(["Ã", [0, 1]], ["©1", [0, 2]]), 0, "right");
  assert.deepEqual(read(found), ["token:é", "token:1", "plain:"]);
});

test("what was cut away is shown on its own side, and no more of it than is worth reading", () => {
  const letters = [...`${"x".repeat(700)}ab`];
  const left = read(piecesOf(letters, own(["ab", [700, 702]]), 9, "left"));
  assert.deepEqual(left, [`gone:…${"x".repeat(600)}`, "✂9", "token:ab", "plain:"]);
  const right = read(piecesOf([..."ab cd"], own(["ab", [0, 2]]), 1, "right"));
  assert.deepEqual(right, ["token:ab", "✂1", "gone: cd"]);
  const long = read(piecesOf([...letters].reverse(), own(["ba", [0, 2]]), 9, "right"));
  assert.deepEqual(long, ["token:ba", "✂9", `gone:${"x".repeat(600)}…`]);
});

test("a hand picks the side that is asked about, with Ctrl the other", () => {
  assert.equal(sideOf("from"), "row");
  assert.equal(sideOf(undefined), "row");
  assert.equal(sideOf("to"), "column");
  assert.equal(sideOf("to", { ctrlKey: true }), "row");
  assert.equal(sideOf("from", { metaKey: true }), "column");
});

test("the arrow keys begin at the first token, walk, and stop at the ends", () => {
  assert.deepEqual(stepThrough([], 3, 1, 5, false), { i: 0, anchor: 0, units: [0] });
  assert.deepEqual(stepThrough([2], 2, 1, 5, false), { i: 3, anchor: 3, units: [3] });
  assert.deepEqual(stepThrough([4], 4, 1, 5, false).units, [4]);
  assert.deepEqual(stepThrough([0], 0, -1, 5, false).units, [0]);
});

test("with Shift a phrase grows from where walking began, shrinks, and turns round", () => {
  assert.deepEqual(stepThrough([2], 2, 1, 9, true).units, [2, 3]);
  assert.deepEqual(stepThrough([2, 3], 2, 1, 9, true).units, [2, 3, 4]);
  assert.deepEqual(stepThrough([2, 3], 2, -1, 9, true).units, [2]);
  assert.deepEqual(stepThrough([2], 2, -1, 9, true), { i: 1, anchor: 2, units: [1, 2] });
  assert.deepEqual(stepThrough([1, 2], 2, -1, 9, true).units, [0, 1, 2]);
});

/** Two tokens, of which the first is hidden. @param {Record<string, unknown>} rest */
const sceneOf = (rest) =>
  /** @type {any} */ ({
    model: {
      base: "all there is",
      layout: { rowOfToken: Int32Array.of(-1, 0), columnOfToken: Int32Array.of(-1, 0) },
      picture: { rows: [{ text: "b" }], columns: [{ text: "b", special: false }] },
      tops: Float32Array.of(0.5),
      shares: () => Float32Array.of(0.25),
    },
    view: { look: "from" },
    focus: { rows: [], columns: [] },
    ...{ given: null, got: null },
    ...rest,
  });
const [hidden, shown] = spotsOf(
  ((both) => ({ query_tokens: both, key_tokens: both }))([token("[CLS]"), token("b")]),
);

test("the shades are where the words in focus look, or who looks at them, else what all get", () => {
  const [given, got] = [Float32Array.of(0.5), Float32Array.of(0.1)];
  const rows = { rows: [0], columns: [] };
  const both = { rows: [0], columns: [0] };
  const nothing = shadingOf(sceneOf({}));
  assert.deepEqual([nothing.values[0], nothing.full], [0.25, 0.25]);
  assert.deepEqual(nothing.words, ["Shaded by what each token gets of all there is"]);
  assert.equal(shadingOf(sceneOf({ given, focus: rows })).values, given);
  const asked = { given, got, focus: both };
  assert.equal(shadingOf(sceneOf(asked)).values, given);
  assert.equal(shadingOf(sceneOf({ ...asked, view: { look: "to" } })).values, got);
  assert.deepEqual(shadingOf(sceneOf({ given, focus: rows })).words, [
    "Shaded by where ",
    ["b"],
    " looks",
  ]);
});

test("of a long text the full colour is that of the numbers that are shown", () => {
  const units = [
    { text: "a", special: true },
    { text: "b", special: false },
  ];
  const { model } = sceneOf({});
  const long = { ...model, picture: { rows: units, columns: units }, tops: new Float32Array() };
  const values = Float32Array.of(0.75, 0.25);
  const view = { look: "from", scale: "row" };
  const focus = { rows: [1], columns: [1] };
  const given = shadingOf(sceneOf({ model: long, view, focus, given: values }));
  assert.equal(given.full, 0.25); // what a special token gets does not count
  const got = shadingOf(sceneOf({ model: long, view, focus, got: values }));
  assert.equal(got.full, 0.25);
});

test("where too much is in focus whole groups are shaded, as the map has them, and that is said", () => {
  const group = [{ text: "a b", special: false }];
  const map = sceneOf({
    model: {
      noun: "sentences",
      tops: Float32Array.of(0.5),
      layout: { rowOfToken: Int32Array.of(0, 0), columnOfToken: Int32Array.of(0, 0) },
      picture: { rows: group, columns: group },
    },
    focus: { rows: [0], columns: [] },
    given: Float32Array.of(0.25),
  });
  const shading = shadingOf(sceneOf({ coarse: true, map, focus: { rows: [0], columns: [] } }));
  assert.deepEqual([hidden, shown].map(shading.unitOf), [0, 0]);
  assert.equal(shadeOf(shading, shown), 0.5);
  assert.match(String(shading.words.at(-1)), /; sentences as a whole$/);
});

test("as a table a word stands once, with the position of its first piece, and nothing hidden", () => {
  const tokens = ["[CLS]", "ba", "##bba", "##ge", "."].map((text) => token(text));
  const spots = spotsOf({ query_tokens: tokens, key_tokens: tokens });
  const units = /** @type {any} */ ([
    { text: "babbage", tokens: [1, 2, 3] },
    { text: ".", tokens: [4] },
  ]);
  const unitOf = (/** @type {{key: number}} */ { key }) => [-1, 0, 0, 0, 1][key];
  const values = Float32Array.of(0.5, 0.25);
  const read = [
    [1, "babbage", 0.5],
    [4, ".", 0.25],
  ];
  assert.deepEqual(unitsRead({ unitOf, values, units }, spots), read);
  assert.deepEqual(unitsRead({ unitOf, values: new Float32Array(), units: [] }, spots), []);
});

test("what is still being added up has no shade, and is said to be", () => {
  const { model } = sceneOf({});
  const shading = shadingOf(sceneOf({ model: { ...model, shares: () => null } }));
  assert.equal(shadeOf(shading, shown), 0);
  assert.deepEqual(shading.words, ["What each token gets of all there is is being added up"]);
});

test("the words of two texts are picked on their own sides, of one on the side that is asked for", () => {
  const [one, other] = [[token("a")], [token("b")]];
  const places = { rowOfToken: Int32Array.of(0), columnOfToken: Int32Array.of(0) };
  const layout = /** @type {any} */ (places);
  const cross = spotsOf({ query_tokens: one, key_tokens: other });
  assert.deepEqual(unitsIn({ layout }, cross, "row"), { rows: [0], columns: [0] });
  const same = spotsOf({ query_tokens: one, key_tokens: one });
  assert.deepEqual(unitsIn({ layout }, same, "row"), { rows: [0], columns: [] });
  assert.deepEqual(unitsIn({ layout }, same, "column"), { rows: [], columns: [0] });
  const { model } = sceneOf({});
  assert.deepEqual(unitsIn(model, [hidden], "row"), { rows: [], columns: [] });
  assert.deepEqual(
    [spotOf({ query_tokens: one, key_tokens: other }, "row", 0)],
    [cross.findIndex(({ query }) => query === 0)],
  );
});

test("a token wears its shade and its marks; one that is hidden wears none and is gone", () => {
  const scene = sceneOf({});
  const shading = shadingOf(scene);
  const dressed = (/** @type {any} */ spot, /** @type {number[]} */ rows) =>
    dressOf(shading, scene.model, spot, new Set(rows), new Set([0]));
  assert.deepEqual(dressed(shown, [0]), { tone: TONES, marks: " ax-here ax-seen" });
  assert.deepEqual(dressed(shown, []), { tone: TONES, marks: " ax-seen" });
  assert.deepEqual(dressed(hidden, [0]), { tone: 0, marks: " ax-gone" });
  assert.deepEqual([rowOf(scene.model, hidden), columnOf(scene.model, shown)], [-1, 0]);
});

test("a change by two shades may wait a frame, a larger one or another mark may not", () => {
  const worn = { tone: 5, marks: "" };
  const to = (/** @type {number} */ tone, marks = "") => changeOf(worn, { tone, marks });
  assert.deepEqual(
    [to(5), to(6), to(3), to(8), to(5, " ax-here")],
    [...["none", "slight", "slight", "plain", "plain"]],
  );
  assert.equal(changeOf(undefined, { tone: 0, marks: "" }), "plain");
});
