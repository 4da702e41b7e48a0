import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { pinnedNumbers, wishOf } from "../../explorer/instrument/numbers/answers.js";
import { unpack } from "../../explorer/instrument/numbers/data.js";
import { sameWords } from "../../explorer/instrument/numbers/model.js";
import { modelOf } from "../../explorer/instrument/numbers/scene.js";
import { START } from "../../explorer/instrument/numbers/view.js";
import { hiddenNote, sentence, sinkNote } from "../../explorer/instrument/numbers/words.js";
import { floats, payload, token } from "./trace.js";

/** @typedef {import("../../explorer/instrument/numbers/view.js").View} View */

// Nearly all attention drains to [CLS]; what is left says what the head does.
const LEFT = 2 ** -17;
const SINK = [
  [1, 0, 0, 0],
  [1 - LEFT, LEFT / 128, LEFT / 128, (LEFT * 126) / 128],
  [0.5, 0.25, 0.125, 0.125],
  [0.25, 0.25, 0.25, 0.25],
];
const EVEN = SINK.map(() => [0.25, 0.25, 0.25, 0.25]);
const HEAD = {
  ...{ id: "x", title: "m", numbers: [1], n_heads: 2, texts: ["a bb"], n_cut: [0], thumb: [1, 1] },
  query_tokens: [
    token("[CLS]", { special: true }),
    token("a", { word: 0 }),
    token("b", { word: 1 }),
    token("##b", { word: 1 }),
  ],
  ...{ key_tokens: null, opening: null, link: null, training: null, unknown: null },
  ...{ possible: [2], sinks: false },
};
const trace = unpack(
  payload(
    HEAD,
    [0, 0],
    [0, 0],
    [[{ kind: "layer", layer: 1, shape: [2, 4, 4] }, floats([...SINK, ...EVEN].flat())]],
  ),
);

/** @param {Partial<View>} view @param {number[]} heads */
const shown = (view, heads) => {
  const model = modelOf(trace, { ...START, layer: 1, ...view }, 1, heads);
  return model ?? assert.fail("the layer is here");
};
const say = (/** @type {any[]} */ parts) => parts.flat().join("");

test("a row of which little is left is rescaled from the weights themselves", () => {
  const { picture } = shown({ specials: "renormalised" }, [0]);
  assert.deepEqual([...picture.weights.subarray(0, 3)], [1 / 128, 1 / 128, 126 / 128]);
  const view = {
    ...START,
    specials: /** @type {const} */ ("renormalised"),
    queries: [1],
    keys: [3],
  };
  assert.deepEqual(pinnedNumbers(trace, wishOf(trace, { ...view, layer: 1 })), [
    { layer: 1, head: 0, weight: 126 / 128 },
    { layer: 1, head: 1, weight: Math.fround(1 / 3) },
  ]);
});

test("every share has one base, whatever is shown of the tokens", () => {
  const base = "of all 4 tokens’ attention";
  assert.equal(say(sinkNote(shown({}, [0]))), `69 % ${base} goes to [CLS].`);
  assert.equal(say(sinkNote(shown({ words: true }, [0]))), `69 % ${base} goes to [CLS].`);
  for (const specials of /** @type {const} */ (["hidden", "renormalised"])) {
    const model = shown({ specials, words: true }, [0]);
    const whose = specials === "renormalised" ? `${base} before rescaling` : base;
    assert.match(hiddenNote(specials, model), RegExp(`69 % ${whose}`));
    const said = say(sentence(model, { rows: [], columns: [1] })); // bb: .5625 + .4375 of the rest
    assert.ok(said.endsWith(`it gets 19 % ${whose}.`), said);
  }
});

test("where no key is a special token none is said to be hidden", () => {
  const query_tokens = HEAD.query_tokens.map((one) => ({ ...one, special: false }));
  const block = [{ kind: "layer", layer: 1, shape: [2, 4, 4] }, floats([...SINK, ...EVEN].flat())];
  const plain = unpack(
    payload({ ...HEAD, query_tokens }, [0, 0], [0, 0], [/** @type {any} */ (block)]),
  );
  for (const specials of /** @type {const} */ (["hidden", "renormalised"])) {
    const model = modelOf(plain, { ...START, layer: 1, specials }, 1, [0]);
    assert.match(hiddenNote(specials, model ?? assert.fail()), /^There are no special tokens to/);
  }
});

test("of a maximum shares come from means, and no weight is above 1", () => {
  const model = shown({ combine: "max" }, [0, 1]);
  const mean = (1 + 1 - LEFT + 0.5 + 0.25 + 4 * 0.25) / 8;
  assert.ok(Math.abs((model.shares()?.[0] ?? 0) - mean) < 1e-7);
  assert.match(say(sinkNote(model)), /^47 % of all 4 tokens’ attention in these 2 heads goes to/);
  assert.equal(model.number([1], [0, 1, 2, 3]), 1);
  assert.equal(model.number([2], [0, 1]), 0.75);
  assert.deepEqual(
    [...(model.got([0, 1]) ?? [])],
    [1, 1 - LEFT * (127 / 128), 0.75, 0.5].map(Math.fround),
  );
});

test("what a row does not give to any token is its sink’s", () => {
  const half = unpack(
    payload(
      { ...HEAD, sinks: true },
      [0, 0],
      [0, 0],
      [
        [
          { kind: "layer", layer: 1, shape: [2, 4, 4] },
          floats([...SINK, ...EVEN].flat().map((w) => w / 2)),
        ],
      ],
    ),
  );
  const model = modelOf(half, { ...START, layer: 1 }, 1, [0]);
  assert.ok(Math.abs((model?.nowhere([2]) ?? 0) - 0.5) < 1e-6);
  assert.ok(Math.abs((model?.nowhere([]) ?? 0) - 0.5) < 1e-6);
  assert.equal(shown({}, [0]).nowhere([2]), 0);
  // What rows are divided by leaves the sink out too, which its note says.
  const rescaled = modelOf(half, { ...START, layer: 1, specials: "renormalised" }, 1, [0]);
  assert.ok(Math.abs((rescaled?.sinkShare() ?? 0) - 0.5) < 1e-6);
  assert.equal(rescaled?.nowhere([]), 0);
  // What the sink takes is no place to look at: the entropy is that of the rest of the row.
  assert.ok(
    Math.abs((model?.profile()?.entropy ?? 0) - (shown({}, [0]).profile()?.entropy ?? 9)) < 1e-6,
  );
});

test("what the same word is, one rule says, here and on the Python side", () => {
  /** @type {{case: string, unknown: string | null, tokens: [string, number | null, boolean][],
   *          same: number[]}[]} */
  const cases = JSON.parse(
    readFileSync(new URL("../cases_same_word.json", import.meta.url), "utf8"),
  );
  assert.ok(cases.length > 5);
  for (const { case: name, unknown, tokens, same } of cases) {
    const said = tokens.map(([text, word, special]) => token(text, { word, special }));
    assert.deepEqual(sameWords(said, unknown), same, name);
  }
});
