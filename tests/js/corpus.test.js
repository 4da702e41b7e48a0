import assert from "node:assert/strict";
import { test } from "node:test";
import {
  axisOf,
  corpusCsv,
  dotAt,
  dotsOf,
  indexOf,
  isAnswered,
  linkOfView,
  rankedOf,
  ticksOf,
  viewOfLink,
  wishOf,
  withCorpus,
} from "../../explorer/instrument/numbers/corpus.js";
import {
  besideSentence,
  corpusSentence,
  nameOf,
  withSpread,
} from "../../explorer/instrument/numbers/corpuswords.js";

/** @typedef {import("../../explorer/instrument/numbers/corpus.js").Corpus} Corpus */

/** Two measures of two layers (4 and 7) of two heads; the last head shows the second one nowhere. */
function corpusOf(part = {}) {
  const measures = [
    { key: "column", name: "One token", exactly: "", unit: "", share: true, n: 9 },
    { key: "distance", name: "Mean distance", exactly: "", unit: "tokens", share: false, n: 9 },
  ];
  return /** @type {Corpus} */ (
    /** @type {unknown} */ ({
      ...{ id: "a", name: "sentences", kind: "run", link: { corpus: "sentences" }, about: {} },
      ...{ model: "m", corpus: "c", measures, layers: [4, 7], n_heads: 2, n_texts: 9 },
      ...{ n_tokens: 90, place: [7, 1], head: null, others: [["b", "B"]], beside: null },
      ...{ growing: false, opening: null },
      mean: new Float64Array([0.1, 0.4, 0.2, 0.4, 3, 1, 2, Number.NaN]),
      spread: new Float64Array([0.05, 0.1, 0, 0.1, 1, 0.5, 0.5, Number.NaN]),
      low: new Float64Array(8).fill(0.05),
      high: new Float64Array(8).fill(0.9),
      ...part,
    })
  );
}

const stateOf = (link = "", part = {}) =>
  withCorpus(null, corpusOf(part), new URLSearchParams(link));

test("a link gives the view back, and says nothing of what is as at first", () => {
  const link = "layer=4&heads=1&measure=distance&x=distance&bars=1&lowest=1&beside=b";
  const state = stateOf(link);
  assert.deepEqual(state.view.pick, 1);
  const again = new URLSearchParams(linkOfView(state));
  assert.deepEqual(viewOfLink(state.corpus, again), state.view);
  assert.deepEqual(linkOfView(stateOf()), { layer: "7", heads: "1" });
});

test("what a link names that is not there is left out", () => {
  const { view } = stateOf("layer=5&heads=9&measure=none&x=y&beside=../etc&bars=2");
  assert.deepEqual(
    { ...view },
    { ...stateOf("layer=5&heads=0").view, pick: -1, beside: "", bars: false },
  );
  assert.equal(view.measure, "column");
  assert.equal(indexOf(corpusOf(), 7, 1.5), -1);
  assert.equal(indexOf(corpusOf(), 7, 2), -1);
});

test("heads are ranked by their mean, equal ones in their order, and without a number last", () => {
  assert.deepEqual(rankedOf(stateOf()), [1, 3, 2, 0]);
  assert.deepEqual(rankedOf(stateOf("measure=distance")), [0, 2, 1, 3]);
  assert.deepEqual(rankedOf(stateOf("measure=distance&lowest=1")), [1, 2, 0, 3]);
});

test("a head stands where its two means are, and its bars reach one spread to either side", () => {
  const frame = { left: 0, right: 110, top: 0, bottom: 110 };
  const { dots, axes } = dotsOf(stateOf("x=distance&y=column"), frame);
  assert.deepEqual(
    dots.map((dot) => dot.i),
    [0, 1, 2],
  ); // the last one has no distance
  assert.deepEqual(axes.x, { low: 0.9, high: 3.1 });
  const perToken = 110 / 2.2;
  assert.ok(Math.abs(dots[0].x - (3 - 0.9) * perToken) < 1e-9);
  assert.ok(Math.abs(dots[0].dx - 1 * perToken) < 1e-9);
  assert.equal(dotAt(dots, dots[1].x + 3, dots[1].y - 3), 1);
  assert.equal(dotAt(dots, dots[1].x + 40, dots[1].y), null);
});

test("an axis holds the bars where they are shown, and no share below nothing", () => {
  const [values, spread] = [
    new Float64Array([0.1, Number.NaN, 0.5]),
    new Float64Array(3).fill(0.3),
  ];
  assert.equal(axisOf(values, spread, true).low, 0);
  assert.ok(axisOf(values, spread, true).high > 0.8);
  assert.ok(axisOf(values, null, false).high < 0.53);
  assert.deepEqual(axisOf(new Float64Array([Number.NaN]), null, false), { low: 0, high: 1 });
});

test("an axis has round numbers within it", () => {
  assert.deepEqual(ticksOf({ low: 0, high: 1 }), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  for (const axis of [
    { low: 0.0379, high: 0.0442 },
    { low: -3, high: 1e5 },
  ]) {
    const ticks = ticksOf(axis);
    assert.ok(ticks.length >= 2 && ticks.length <= 12);
    assert.ok(ticks.every((tick) => tick >= axis.low && tick <= axis.high));
  }
});

test("the server is asked for what the view wants and has not got", () => {
  const state = stateOf();
  assert.equal(isAnswered(state), false);
  assert.deepEqual(wishOf(state), { layer: 7, head: 1, measure: "column", beside: "" });
  const head = { layer: 7, head: 1, measure: "column" };
  assert.ok(isAnswered(stateOf("", { head })));
  assert.equal(isAnswered(stateOf("beside=b", { head })), false);
});

test("more of the same folder keeps the view, another one opens as its link says", () => {
  const state = { ...stateOf(), view: { ...stateOf().view, pick: 0 } };
  const more = withCorpus(state, corpusOf({ n_texts: 20 }), new URLSearchParams());
  assert.deepEqual([more.view.pick, more.corpus.n_texts], [0, 20]);
  assert.equal(withCorpus(state, corpusOf({ id: "b" }), new URLSearchParams()).view.pick, 3);
});

test("a head is told with its spread, its unit and how often", () => {
  const state = stateOf("measure=distance&layer=4&heads=0");
  assert.equal(withSpread(state.corpus, "distance", 0), "3.00 ± 1.00 tokens");
  assert.equal(withSpread(state.corpus, "distance", 3), "—");
  assert.equal(
    corpusSentence(state),
    "L4·H0: Mean distance 3.00 ± 1.00 tokens. In eight of ten texts it is from 0.05 to 0.90; 9 texts could show it.",
  );
});

test("what differs is told with how it was found", () => {
  const beside = { name: "b", title: "B", why: "", rows: [], n_tested: 1152, same_texts: true };
  assert.match(
    besideSentence({ ...beside, n_differs: 78 }),
    /^Of 1,152 measures of heads 78 differ/,
  );
  assert.match(besideSentence({ ...beside, n_differs: 1 }), /one differs from “B”\. Both read/);
  assert.equal(besideSentence({ ...beside, n_differs: 0, why: "No." }), "No.");
});

test("the table for a spreadsheet has every number of every head", () => {
  const corpus = corpusOf();
  const lines = corpusCsv(corpus, (i) => nameOf(corpus, i))
    .trim()
    .split("\r\n");
  assert.equal(lines.length, 5);
  assert.equal(lines[1], "L4·H0,4,0,0.1,0.05,0.05,0.9,3,1,0.05,0.9,9,9");
  assert.equal(lines[4], "L7·H1,7,1,0.4,0.1,0.05,0.9,,,0.05,0.9,9,9");
});
