import assert from "node:assert/strict";
import test from "node:test";
import {
  across,
  bothParams,
  differenceOf,
  differenceSentence,
  followOf,
  isRanked,
  largest,
  led,
  mapsOf,
  NO_DIFFERENCE,
  noteOf,
  onUnits,
  ownParams,
  pairSentence,
  pinnedSentence,
  pythonOfPair,
  shownHead,
  unpackPair,
} from "../../explorer/instrument/numbers/comparison.js";
import { NO_STEPS, noted, stepped } from "../../explorer/instrument/numbers/pairhistory.js";
import { fullAt } from "../../explorer/instrument/numbers/palette.js";
import { START } from "../../explorer/instrument/numbers/view.js";
import { levelsOf } from "../../explorer/instrument/parts/matrix.js";
import { container } from "./trace.js";

/** @typedef {import("../../explorer/instrument/numbers/view.js").View} View */

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

/** @param {Partial<import("../../explorer/instrument/numbers/comparison.js").Pairing>} more */
const pairing = (more = {}) => ({
  ...{ id: "x", link: null, opening: null, units, findings: [], ranking: [], matches: [] },
  ...{ left_out: /** @type {[string[], string[]]} */ ([[], []]), same_shape: true },
  ...{ kept: /** @type {[number, number]} */ ([1, 1]), ...more },
});
/**
 * A side that shows a head of the layers 3 and 7, or of 1 and 2, with two heads each.
 * @param {number[]} numbers @param {Partial<View>} view @param {Float32Array} [weights]
 * @returns {any}
 */
const side = (numbers, view, weights = new Float32Array()) => ({
  trace: {
    head: { numbers, n_heads: 2, query_tokens: new Array(4), key_tokens: new Array(4) },
    layers: new Map([[numbers[1], { weights }]]),
  },
  view: { ...START, ...view },
});
const A = side([3, 7], { layer: 7, heads: [1], queries: [1], keys: [3], words: true, step: 5 });
const B = side([1, 2], { layer: 1, heads: [0], step: 8 });

test("the side that follows takes switches and pins on the same words, but not the step", () => {
  const how = { pairing: pairing(), follow: /** @type {const} */ ("free") };
  const view = led(how, "a", A, B, B.view);
  assert.deepEqual([view.queries, view.keys, view.words, view.step], [[0], [1], true, 8]);
});

test("the head that follows is the namesake in the other’s own layers", () => {
  const how = { pairing: pairing(), follow: /** @type {const} */ ("same") };
  const view = led(how, "a", A, B, B.view);
  assert.deepEqual([view.layer, view.heads], [2, [1]]);
  const back = led(how, "b", side([1, 2], { layer: 1, heads: [0, 1] }), A, A.view);
  assert.deepEqual([back.layer, back.heads], [3, [0, 1]]);
});

test("the head that follows is the best match, and only where A leads", () => {
  /** @type {[number, number][]} */
  const matches = [
    [1, 0],
    [1, 1],
    [2, 0],
    [2, 1],
  ];
  matches[3] = [1, 1]; // of layer 7, head 1
  const how = { pairing: pairing({ matches }), follow: /** @type {const} */ ("match") };
  const view = led(how, "a", A, B, B.view);
  assert.deepEqual([view.layer, view.heads], [1, [1]]);
  const back = led(how, "b", B, A, A.view);
  assert.deepEqual([back.layer, back.heads], [7, [1]]);
});

test("a head stays where none can follow or none is to", () => {
  const kept = (/** @type {any} */ how, /** @type {any} */ to = B) => {
    const view = led(how, "a", A, to, B.view);
    assert.deepEqual([view.layer, view.heads], [1, [0]]);
  };
  kept({ pairing: pairing(), follow: "free" });
  kept({ pairing: pairing({ same_shape: false }), follow: "same" });
  kept({ pairing: pairing({ matches: [] }), follow: "match" });
  kept({ pairing: pairing(), follow: "same" }, null); // its layers are on their way
});

test("which head follows is what the link asks for where that can be, else what is usual", () => {
  const [same, other] = [pairing(), pairing({ same_shape: false })];
  assert.deepEqual([followOf(null, same), followOf(null, other)], ["same", "match"]);
  assert.deepEqual([followOf("free", same), followOf("match", same)], ["free", "match"]);
  assert.deepEqual([followOf("same", other), followOf("nonsense", same)], ["match", "same"]);
});

test("a link holds both views under names of their own, and gives each side its own back", () => {
  const views = { a: { layer: "2", heads: "1" }, b: { layer: "5", query: "0" } };
  const params = bothParams(views);
  assert.deepEqual(params, { layer: "2", heads: "1", b_layer: "5", b_query: "0" });
  const link = new URLSearchParams({ ...params, follow: "free", text: "x" });
  assert.deepEqual(Object.fromEntries(ownParams(link, "a")), views.a);
  assert.deepEqual(Object.fromEntries(ownParams(link, "b")), views.b);
});

const even = new Float32Array(16).fill(0.25);
const [sideA, sideB] = [
  side([3, 7], { layer: 7, heads: [0] }, even),
  side([1, 2], { layer: 2, heads: [0] }, even),
];

test("the difference is A less B on the common words, and waits for both layers", () => {
  const found = differenceOf(units, { a: sideA, b: sideB });
  // A's first word has two pieces, B's one: as a key it gets twice as much.
  assert.deepEqual([...(found?.a ?? [])], [0.5, 0.25, 0.5, 0.25]);
  assert.deepEqual([...(found?.b ?? [])], [0.25, 0.25, 0.25, 0.25]);
  assert.deepEqual([...(found?.less ?? [])], [0.25, 0, 0.25, 0]);
  const away = side([1, 2], { layer: 1, heads: [0] });
  assert.equal(differenceOf(units, { a: sideA, b: away }), null);
  assert.equal(differenceOf(units, { a: sideA, b: null }), null);
});

/** @param {number[]} a @param {number[]} b */
const apart = (a, b) => ({
  ...{ a: Float32Array.from(a), b: Float32Array.from(b) },
  less: Float32Array.from(a, (w, i) => w - b[i]),
});
const heads = { a: "L7·H0", b: "L2·H0" };

test("the sentence names the pair that differs most, by both words where they differ", () => {
  const edited = [units[0], { ...units[1], text: "cat", other: "dog" }];
  const found = apart([0.5, 0.25, 0.5, 0.5], [0.25, 0.25, 0.5, 1]);
  assert.equal(
    differenceSentence(edited, found, heads),
    "A’s L7·H0 and B’s L2·H0 differ most at “cat/dog” → “cat/dog”: A 0.500, B 1.000, difference −0.500.",
  );
  assert.match(pairSentence(edited, found, 0, 0), /^“Lovelace” → “Lovelace”: .* \+0\.250\.$/);
});

test("of a pinned pair both numbers are said, if both texts have it", () => {
  const found = apart([0.5, 0.25, 0.5, 0.5], [0.25, 0.25, 0.5, 1]);
  const pinned = (/** @type {number[]} */ queries, /** @type {number[]} */ keys) =>
    pinnedSentence(units, found, heads, { queries, keys });
  const [first, second] = units.map(({ a }) => a);
  assert.match(
    pinned(first, second),
    /^A’s L7·H0 and B’s L2·H0 at “.*” → “.*”: A 0\.250, B 0\.250, difference \+0\.000\.$/,
  );
  assert.equal(pinned(first, []), "");
  assert.equal(pinned([...first, ...second], second), "", "several have no one number here");
  assert.equal(pinned([99], second), "");
});

test("two that are the same are said to be, and nothing is said of what is not here", () => {
  const same = apart([0.5, 0.5, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5]);
  assert.match(differenceSentence(units, same, heads), /are the same on these words\.$/);
  assert.equal(differenceSentence(units, NO_DIFFERENCE, heads), "");
});

test("the largest differences stand first, thirty at most", () => {
  const found = apart([0.5, 0.25, 0.5, 0.5], [0.25, 0.25, 0.5, 1]);
  const lines = largest(units, found);
  assert.deepEqual(lines[0], ["wrote", "wrote", "0.5000", "1.0000", "−0.500"]);
  assert.deepEqual(lines[1].slice(0, 2), ["Lovelace", "Lovelace"]);
  assert.equal(lines.length, 4);
  const many = Array.from({ length: 6 }, () => units[0]);
  const flat = new Array(36).fill(0);
  assert.equal(largest(many, apart(flat, flat)).length, 30);
});

test("A and B are drawn in one scale, their difference in its own", () => {
  const maps = mapsOf(units, apart([0.5, 0, 0, 0], [1, 0, 0, 0.25]), heads, 900);
  assert.deepEqual(
    maps.map(({ name, top, shape }) => [name, top, shape]),
    [
      ["A", 1, heads.a],
      ["B", 1, heads.b],
      ["A − B", 0.5, "blue: A, orange: B"],
    ],
  );
});

test("words name the rows of a map where each has room", () => {
  const many = Array.from({ length: 40 }, () => units[0]);
  const none = apart([], []);
  assert.deepEqual(mapsOf(units, none, heads, 900)[0].names, ["Lovelace", "wrote"]);
  assert.equal(mapsOf(many, none, heads, 900)[0].names, null);
});

test("a step back brings what both showed, whatever else was chosen since", () => {
  const both = (/** @type {Partial<View>} */ a, /** @type {Partial<View>} */ b) =>
    /** @type {const} */ ({ a: { ...START, ...a }, b: { ...START, ...b }, follow: "same" });
  const [one, two, three] = [
    both({ layer: 1 }, {}),
    both({ layer: 2 }, {}),
    both({}, { layer: 2 }),
  ];
  let steps = noted(NO_STEPS, one, one);
  assert.equal(steps, NO_STEPS); // nothing has changed
  steps = noted(noted(steps, one, two), two, three);
  const [after, was] = stepped(steps, three, "past") ?? assert.fail();
  assert.deepEqual([was, after.past, after.future], [two, [one], [three]]);
  const [again, is] = stepped(after, two, "future") ?? assert.fail();
  assert.deepEqual([is, again.past, again.future], [three, [one, two], []]);
  assert.equal(stepped(NO_STEPS, one, "past"), null);
  assert.deepEqual(noted(after, two, one).future, []); // a new way begins
});

test("what a slider passes is one step", () => {
  const at = (/** @type {number} */ mass) =>
    /** @type {const} */ ({ a: { ...START, mass }, b: { ...START, mass }, follow: "same" });
  let steps = NO_STEPS;
  for (const mass of [85, 80, 75]) steps = noted(steps, at(mass + 5), at(mass));
  assert.deepEqual(steps.past, [at(90)]);
});

test("a comparison of which one trace has no Python has none", () => {
  assert.equal(pythonOfPair("", 'trace = explorer.trace("a")\n'), "");
});

test("the Python of a comparison traces both and says what was found", () => {
  const code = (/** @type {string} */ text) =>
    `import explorer\n\ntrace = explorer.trace(${JSON.stringify(text)})\n`;
  assert.deepEqual(pythonOfPair(code("x = 1"), code("trace = 2")).split("\n"), [
    "import explorer",
    "from explorer.analysis.comparison import compare",
    "",
    'a = explorer.trace("x = 1")',
    'b = explorer.trace("trace = 2")',
    'print("\\n".join(compare(a, b).findings))',
    "",
  ]);
});

test("what has no counterpart is counted and named, eight at most", () => {
  const nine = "a b c d e f g h i".split(" ");
  const note = noteOf(pairing({ left_out: [["[CLS]"], nine], kept: [0.5, 0.75] }));
  assert.match(note, /Left out: 1 of A’s tokens \(\[CLS\]\), which have no counterpart/);
  assert.match(note, /give 50 % of their .* Left out: 9 of B’s tokens \(a b c d e f g h …\)/);
  assert.doesNotMatch(noteOf(pairing()), /no counterpart/);
});

test("tokens that differ in the same place are not called common, and marks are named", () => {
  const unit = (/** @type {string} */ text, other = text, special = false) => ({
    ...{ text, other, special, a: [0], b: [0] },
  });
  const units = [unit("[CLS]", "[CLS]", true), unit("was"), unit("tired", "soft")];
  assert.equal(
    noteOf(pairing({ units })),
    "2 tokens are common to both ([CLS] among them). In the same place, compared as one: “tired” with “soft”.",
  );
});

test("a ranked head is marked only where it alone is shown", () => {
  /** @type {[number, number, number, number, number]} */
  const rank = [7, 1, 2, 1, 0.5];
  assert.equal(isRanked(rank, A.view), true);
  assert.equal(isRanked(rank, { ...A.view, heads: [1, 0] }), false);
  assert.equal(isRanked(rank, { ...A.view, layer: 3 }), false);
  assert.equal(isRanked(rank, undefined), false);
});

test("a head goes by its name, several by their mean", () => {
  assert.equal(shownHead(A), "L7·H1");
  assert.equal(shownHead(side([3, 7], { layer: 3, heads: [0, 1] })), "L3, mean of 2 heads");
  assert.equal(shownHead(null), "");
});
