// The formula as the Article computes it, its questions, and the place in it.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  linkOfView,
  scoreOf,
  unpackArticle,
  viewOfLink,
  withArticle,
  wordsOfView,
} from "../../explorer/instrument/numbers/article.js";
import { askedToken, wordsIn } from "../../explorer/instrument/numbers/articleasked.js";
import {
  choicesOf,
  isHidden,
  largestOf,
  notGiven,
  questionOf,
} from "../../explorer/instrument/numbers/articlequestions.js";
import {
  mostApart,
  softmaxed,
  spreadOf,
  sumsOf,
} from "../../explorer/instrument/numbers/articlesums.js";
import { container, floats, payload, token } from "./trace.js";

/** @param {number} a @param {number} b */
const close = (a, b, off = 1e-6) => assert.ok(Math.abs(a - b) <= off, `${a} is not ${b}`);

const WORDS = ["[CLS]", "the", "cat", "slept", "as", "it", "was", "old", "[SEP]"];
const N = WORDS.length;

/** Rows that sum to 1; “it” gives “cat” a share, and “old” another. @param {number} cat @param {number} old */
function weightsWith(cat, old) {
  const rows = WORDS.map((_, i) => {
    const row = WORDS.map(() => 0.02);
    if (i === 5) [row[2], row[7]] = [cat, old];
    row[0] = 1 - row.reduce((sum, w, j) => (j ? sum + w : sum), 0);
    return row;
  });
  return floats(rows.flat());
}

/** @param {Float32Array} weights @param {Record<string, unknown>} [facts] @param {[Record<string, unknown>, any][]} [more] */
function lesson(weights, facts = {}, more = []) {
  const tokens = WORDS.map((text, i) =>
    token(text, { special: text.startsWith("["), word: i, span: [8 * i, 8 * i + text.length] }),
  );
  const texts = [WORDS.map((word) => word.padEnd(8)).join("")];
  const head = { id: "a", numbers: [3], n_heads: 2, query_tokens: tokens, texts, thumb: [1, 1] };
  const both = floats([...weights, ...weights]);
  const inner = payload(
    head,
    [0, 0],
    [0, 0],
    [[{ kind: "layer", layer: 3, shape: [2, N, N] }, both]],
  );
  const chapters = ["1", "2"].map((anchor) => ({ title: anchor, anchor, pieces: [] }));
  const bytes = container({ id: "a", chapters, facts, whole: true, about: {} }, [
    [{ kind: "trace" }, Uint8Array.from(inner)],
    ...more,
    [{ kind: "page" }, new Uint8Array()],
  ]);
  return unpackArticle(bytes).article;
}

/** @param {ReturnType<typeof lesson>} article @param {Record<string, string>} [params] */
const stateOf = (article, params = {}) =>
  withArticle(null, article, new URLSearchParams({ layer: "3", heads: "1", ...params }));

test("the four steps are the formula, summed here in another order", () => {
  const [n, d] = [3, 4];
  const numbers = (/** @type {number} */ seed) =>
    Float32Array.from({ length: 2 * n * d }, (_, i) => Math.sin(seed + 3 * i));
  const [q, k, v] = [1, 2, 3].map((seed) => ({ shape: [1, 2, n, d], data: numbers(seed) }));
  const sums = sumsOf({ q, k, v }, 0, 1);
  for (let i = 0; i < n; i++) {
    const of = (/** @type {Float32Array} */ data, /** @type {number} */ row) => [
      ...data.subarray(n * d + row * d, n * d + (row + 1) * d),
    ];
    const powers = [0, 1, 2].map((j) =>
      Math.exp(of(q.data, i).reduceRight((sum, x, c) => sum + x * of(k.data, j)[c], 0) / 2),
    );
    const total = powers[0] + powers[1] + powers[2];
    for (let j = 0; j < n; j++) {
      close(sums.scores[i * n + j], Math.log(powers[j]), 1e-12);
      close(sums.products[i * n + j], 2 * Math.log(powers[j]), 1e-12);
      close(sums.weights[i * n + j], powers[j] / total, 1e-12);
    }
    for (let c = 0; c < d; c++) {
      const mean = powers.reduce((sum, power, j) => sum + (power / total) * of(v.data, j)[c], 0);
      close(sums.out[i * d + c], mean, 1e-12);
    }
  }
});

test("softmax does not overflow, and even rows are spread over all their bits", () => {
  assert.deepEqual([...softmaxed(Float64Array.of(1000, 1000), 2)], [0.5, 0.5]);
  assert.deepEqual(spreadOf([0.25, 0.25, 0.25, 0.25], 4), { bits: 2, largest: 0.25 });
  assert.equal(mostApart([1, 2, 3], [1, 2.5, 3]), 0.5);
});

test("a link names the chapter, the head and the words, and nothing that is not there", () => {
  const article = lesson(weightsWith(0.5, 0.1));
  const view = viewOfLink(article, new URLSearchParams("chapter=2&layer=3&heads=1&query=5&key=2"));
  assert.deepEqual(linkOfView({ ...stateOf(article), view }), {
    ...{ chapter: "2", layer: "3", heads: "1", query: "5", key: "2" },
  });
  const odd = viewOfLink(article, new URLSearchParams("chapter=<b>&layer=9&heads=77&query=-3"));
  assert.deepEqual(odd, { chapter: "", layer: 3, head: 1, query: null, key: null });
  assert.deepEqual(wordsOfView({ ...stateOf(article), view }), ["it", "cat"]);
  assert.deepEqual(wordsOfView({ ...stateOf(article), view: odd }), ["", ""]);
});

test("what was answered is there again with the same lesson", () => {
  const answers = { ask_look: { given: 1, right: true } };
  const article = lesson(weightsWith(0.5, 0.1));
  assert.deepEqual(withArticle(null, article, new URLSearchParams(), answers).answers, answers);
  assert.deepEqual(withArticle(null, article, new URLSearchParams()).answers, {});
});

test("the pronoun is asked about, else the last word", () => {
  const tokens = WORDS.map((text) => token(text, { special: text.startsWith("[") }));
  assert.equal(askedToken(tokens, null), 5);
  const without = tokens.map((one, i) => (i === 5 ? token("cow") : one));
  assert.equal(askedToken(without, null), 7);
  assert.equal(askedToken(without, "old"), 6); // which the model does not know
});

test("choices are each word once, the largest among them, in the order of the text", () => {
  const tokens = ["a", "b", "a", "c", "d", "e"].map((text) => token(text));
  const found = choicesOf([0.1, 0.3, 0.2, 0.05, 0.4, 0.01], tokens, () => true);
  assert.deepEqual(found, [1, 2, 4, 5]);
});

test("what a word is cut into is chosen as one word, with all that its pieces get", () => {
  const article = lesson(weightsWith(0.3, 0.1));
  const tokens = article.trace.head.key_tokens;
  Object.assign(tokens[3], { text: "##s", word: tokens[2].word });
  assert.deepEqual(
    wordsIn(tokens, "the").map(({ text }) => text),
    ["cats", "as", "it", "was", "old"],
  );
  const question = questionOf("ask_look", stateOf(article));
  assert.ok(question);
  assert.ok(question.choices.includes("“cats”"));
  assert.match(question.reveal, /“cats” 0\.320/);
  assert.ok(!question.choices.some((choice) => choice.includes("##")));
});

test("what is asked is shown nowhere before it is answered, and stands there then", () => {
  const article = lesson(weightsWith(0.5, 0.1));
  const state = withArticle(null, article, new URLSearchParams());
  assert.deepEqual(state.view, { chapter: "", layer: 3, head: 1, query: 5, key: null });
  assert.ok(isHidden(state, 5));
  assert.ok(!isHidden(state, 2));
  const above = notGiven({ ...state, view: { ...state.view, head: 1 } });
  assert.equal(above.view.head, 1); // this model has no third head, so the word is veiled
  const answers = { ask_look: { given: 0, right: false } };
  assert.ok(!isHidden({ ...state, answers }, 5));
  assert.equal(notGiven({ ...state, answers }).view, state.view);
  assert.ok(!isHidden({ ...state, view: { ...state.view, head: 0 } }, 5));
});

test("a text without words that are known asks nothing, and hides nothing", () => {
  const article = lesson(weightsWith(0.5, 0.1));
  for (const one of article.trace.head.key_tokens) if (!one.special) one.text = "[UNK]";
  article.trace.head.unknown = "[UNK]";
  const state = withArticle(null, article, new URLSearchParams());
  assert.equal(state.view.query, null);
  assert.equal(questionOf("ask_look", state), null);
  assert.equal(notGiven(state), state);
});

test("what the head looks at most is right, and what is nearly as much", () => {
  const clear = questionOf("ask_look", stateOf(lesson(weightsWith(0.5, 0.1))));
  assert.ok(clear);
  assert.match(clear.text, /“it” look at most in L3·H1/);
  assert.deepEqual(
    clear.right.map((i) => clear.choices[i]),
    ["“cat”"],
  );
  assert.match(clear.reveal, /“cat” 0\.500/);
  const near = questionOf("ask_look", stateOf(lesson(weightsWith(0.4, 0.38))));
  assert.ok(near);
  assert.deepEqual(
    near.right.map((i) => near.choices[i]),
    ["“cat”", "“old”"],
  );
  assert.match(near.reveal, /“cat” and “old” are nearly equal/);
  assert.deepEqual(largestOf([0.1, 0.2, 0.181]), [1, 2]);
});

test("questions wait for their numbers, and are answered by them", () => {
  const without = stateOf(lesson(weightsWith(0.5, 0.1)));
  assert.equal(questionOf("ask_scale", without), null);
  assert.equal(questionOf("ask_noise", without), null);
  assert.equal(questionOf("nothing", without), null);
  const noise = Float32Array.from({ length: 2 * N * N }, () => 1 / N);
  const q = new Float32Array(2 * N * 4);
  const state = stateOf(
    lesson(weightsWith(0.5, 0.1), { layers: {} }, [
      [{ kind: "fact", of: "layers", part: "noise", shape: [1, 2, N, N] }, noise],
      [{ kind: "fact", of: "layers", part: "q", shape: [1, 2, N, 4] }, q],
    ]),
  );
  const scale = questionOf("ask_scale", state);
  // Not divided, weights are as their squares: 0.5² of 0.5² + 0.26² + 0.1² + 6 · 0.02².
  assert.deepEqual(scale?.right, [2]);
  const squares = [0.5, 0.28, 0.1, ...Array(6).fill(0.02)].map((w) => w * w);
  const after = 0.25 / squares.reduce((sum, one) => sum + one, 0);
  assert.ok(scale?.reveal.includes(after.toFixed(3)), `${scale?.reveal} ${after}`);
  assert.deepEqual(questionOf("ask_noise", state)?.right, [0]);
  assert.equal(questionOf("ask_noise", state)?.choices[0], `about ${(1 / N).toFixed(2)}`);
});

test("most attention goes to [CLS] here, and the answer says so", () => {
  const sink = questionOf("ask_sink", stateOf(lesson(weightsWith(0.5, 0.1))));
  assert.deepEqual(
    sink?.right.map((i) => sink.choices[i]),
    ["“[CLS]”"],
  );
});

test("answers are counted, and are gone with the text", () => {
  const state = {
    ...stateOf(lesson(weightsWith(0.5, 0.1))),
    answers: { one: { given: 0, right: true }, other: { given: 1, right: false } },
  };
  assert.deepEqual(scoreOf(state), { n: 2, right: 1 });
  assert.deepEqual(withArticle(state, state.article, new URLSearchParams()).answers, state.answers);
  const other = { ...state.article, id: "b" };
  assert.deepEqual(withArticle(state, other, new URLSearchParams()).answers, {});
});
