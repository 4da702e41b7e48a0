import assert from "node:assert/strict";
import test from "node:test";
import {
  headWeights,
  meanWeights,
  merge,
  partOfHead,
  thumbWeights,
  unpack,
} from "../../explorer/instrument/numbers/data.js";
import { attentionBetween } from "../../explorer/instrument/numbers/model.js";
import { floats, payload, token } from "./trace.js";

const HEAD = {
  id: "x",
  numbers: [0, 1],
  n_heads: 2,
  query_tokens: [token("猫"), token("</script>")],
  key_tokens: null,
  texts: ["猫 </script>"],
  thumb: [1, 1],
};
const LAYER = [0.25, 0.75, 0, 1, 0.002, 0.998, 0.5, 0.5];

/** Bit for bit what was sent. @param {Iterable<number> | null | undefined} got @param {number[]} want */
const exactly = (got, want) => assert.deepEqual([...(got ?? [])], [...Float32Array.from(want)]);

const LAYER_1 = /** @type {import("./trace.js").Given} */ ([
  { kind: "layer", layer: 1, shape: [2, 2, 2] },
  floats(LAYER),
]);

test("a payload comes out as it went in, at any byte offset", () => {
  const trace = unpack(payload(HEAD, [0, 255, 51, 0], [9, 8, 7, 6], [LAYER_1]));
  assert.equal(trace.head.query_tokens[1].text, "</script>");
  assert.equal(trace.head.key_tokens, trace.head.query_tokens);
  assert.deepEqual([...trace.thumbs], [0, 255, 51, 0]);
  assert.deepEqual([...trace.layers.keys()], [1]);
  exactly(headWeights(trace, 1, 0), LAYER.slice(0, 4));
  exactly(headWeights(trace, 1, 1), LAYER.slice(4));
  assert.equal(headWeights(trace, 1, 0)?.[2], 0);
  assert.equal(headWeights(trace, 1, 0)?.[3], 1);
});

test("a layer that is not here is null, not zeros", () => {
  const trace = unpack(payload(HEAD, [0, 0, 0, 0], [0, 0, 0, 0], [LAYER_1]));
  assert.equal(headWeights(trace, 0, 0), null);
  assert.equal(meanWeights(trace, 0), null);
});

test("means and groups travel beside the layers, and stay when more layers come", () => {
  const means = [0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6];
  const first = unpack(
    payload(
      HEAD,
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      [
        LAYER_1,
        [{ kind: "means", shape: [2, 2, 2] }, floats(means)],
        [{ kind: "group", name: "1_2_words_shown", shape: [2, 2] }, floats([0.5, 0.001, 0.25, 1])],
      ],
    ),
  );
  const next = unpack(
    payload(HEAD, [0, 0, 0, 0], [0, 0, 0, 0], [[{ ...LAYER_1[0], layer: 0 }, floats(LAYER)]]),
  );
  merge(next, first);
  assert.deepEqual([...next.layers.keys()], [1, 0], "oldest first");
  assert.equal(next.group?.name, "1_2_words_shown");
  exactly(next.group?.weights, [0.5, 0.001, 0.25, 1]);
  exactly(next.means, means);
});

test("the mean over heads comes from the means where they are here, else from the layer", () => {
  const means = [0.1, 0.9, 0.2, 0.8, 0, 0, 0, 0];
  const blank = [0, 0, 0, 0];
  const sent = /** @type {import("./trace.js").Given} */ ([
    { kind: "means", shape: [2, 2, 2] },
    floats(means),
  ]);
  const layer = unpack(payload(HEAD, blank, blank, [LAYER_1]));
  exactly(meanWeights(layer, 1), [
    (Math.fround(0.25) + Math.fround(0.002)) / 2,
    (Math.fround(0.75) + Math.fround(0.998)) / 2,
    ...[0.25, 0.75],
  ]);
  const trace = unpack(payload(HEAD, blank, blank, [LAYER_1, sent]));
  exactly(meanWeights(trace, 0), means.slice(0, 4));
  exactly(meanWeights(trace, 1, [0]), LAYER.slice(0, 4));
});

test("layers go by the model’s own numbers, of which some may be missing", () => {
  const head = { ...HEAD, numbers: [1, 3] };
  const sent = /** @type {import("./trace.js").Given} */ ([
    { kind: "layer", layer: 3, shape: [2, 2, 2] },
    floats(LAYER),
  ]);
  const trace = unpack(payload(head, [0, 0, 255, 0], [0, 0, 0, 0], [sent]));
  exactly(headWeights(trace, 3, 0), LAYER.slice(0, 4));
  assert.equal(thumbWeights(trace, 3, 0, false)?.[0], 1);
});

/** A layer of two queries and three keys as its scores; what is not named is left out. */
const scored = (
  /** @type {Record<string, unknown>} */ rule,
  /** @type {[string, number[], import("./trace.js").Numbers][]} */ ...rest
) => {
  // Two heads share one key head; a score of head 0 is the key's number, of head 1 twice as much.
  const head = { ...HEAD, numbers: [0], key_tokens: ["a", "b", "c"].map((text) => token(text)) };
  const about = { kind: "scores", layer: 0, scale: 1, cap: null, ...rule };
  /** @type {typeof rest} */
  const parts = [
    ["log_sum_exp", [2, 2], Float64Array.from([7, 7, 21, 21], Math.log)],
    ["q", [2, 2, 1], floats([1, 1, 2, 2])],
    ["k", [1, 3, 1], floats([0, Math.log(2), Math.log(4)])],
    ...rest,
  ];
  /** @type {import("./trace.js").Given[]} */
  const blocks = parts.map(([part, shape, data]) => [{ ...about, part, shape }, data]);
  const trace = unpack(payload(head, [0, 0], [0, 0], blocks));
  const of = (/** @type {number} */ head) => [...(headWeights(trace, 0, head) ?? [])];
  return Object.assign(of, { trace });
};
const close = (/** @type {number[]} */ got, /** @type {number[]} */ want) => {
  assert.equal(got.length, want.length);
  want.forEach((w, i) => assert.ok(Math.abs(got[i] - w) < 1e-7, `${i}: ${got[i]} is not ${w}`));
};

test("weights are made of q and k, heads may share one k (worked by hand)", () => {
  const made = scored({});
  close(made(0), [1 / 7, 2 / 7, 4 / 7, 1 / 7, 2 / 7, 4 / 7]);
  close(made(1), [1 / 21, 4 / 21, 16 / 21, 1 / 21, 4 / 21, 16 / 21]);
});

test("a mask leaves keys out, and a query that may look at none has a row of zeros", () => {
  const allowed = Int32Array.from([1, 3, 0, 0]);
  close(scored({}, ["allowed", [2, 2], allowed])(0), [0, 1 / 3, 2 / 3, 0, 0, 0]);
});

test("a number is added by the distance of key and query", () => {
  // At key − query + 1: from −1 to 2; only a key right behind its query gets ln 3 more.
  const offsets = floats([...[0, 0, Math.log(3), 0], ...[0, 0, 0, 0]]);
  const made = scored({}, ["offsets", [2, 4], offsets]);
  close(made(0), [1 / 11, 6 / 11, 4 / 11, 1 / 15, 2 / 15, 12 / 15]);
  close(made(1).slice(0, 3), [1 / 21, 4 / 21, 16 / 21]);
});

test("a sink takes its share of every row, a cap bends the scores", () => {
  const made = scored({}, ["sinks", [2], floats([Math.log(3), Math.log(21)])]);
  close(made(0).slice(0, 3), [0.1, 0.2, 0.4]);
  close(made(1).slice(0, 3), [1 / 42, 4 / 42, 16 / 42]);
  const bent = [0, Math.log(2), Math.log(4)].map((score) => Math.exp(Math.tanh(score)));
  const sum = bent[0] + bent[1] + bent[2];
  close(
    scored({ cap: 1 })(0).slice(0, 3),
    bent.map((x) => x / sum),
  );
});

test("what is pinned needs no whole heads: only its rows or columns are made", () => {
  const { trace } = scored({});
  const ask = { queries: [[0], [1]], keys: [[0, 2], [1]], mean: false, together: true };
  for (const head of [0, 1]) {
    for (const mean of [true, false]) {
      for (const rescaled of [true, false]) {
        const chosen = { ...ask, mean, together: !mean, rescaled };
        const kept = rescaled ? Uint8Array.from([0, 1, 1]) : null;
        const part = partOfHead(trace, 0, head, chosen) ?? assert.fail("it is here");
        const whole = headWeights(trace, 0, head) ?? assert.fail("it is here");
        close(
          [...attentionBetween(part.weights, part.nKeys, { ...part.chosen, kept })],
          [...attentionBetween(whole, 3, { ...chosen, kept })],
        );
      }
    }
  }
});

test("heads that were made are kept as long as there is room, and made again after that", () => {
  const size = 1024; // a head of 4 MB: there is room for three
  const tokens = Array.from({ length: size }, () => token("a"));
  const head = { ...HEAD, numbers: [0], n_heads: 5, query_tokens: tokens };
  const about = { kind: "scores", layer: 0, scale: 1, cap: null };
  const trace = unpack(
    payload(head, new Array(5).fill(0), new Array(5).fill(0), [
      [{ ...about, part: "log_sum_exp", shape: [5, size] }, new Float64Array(5 * size)],
      [{ ...about, part: "q", shape: [5, size, 1] }, new Float32Array(5 * size)],
      [{ ...about, part: "k", shape: [1, size, 1] }, new Float32Array(size)],
      // No key for any query: rows are made at once.
      [{ ...about, part: "allowed", shape: [size, 2] }, new Int32Array(2 * size)],
    ]),
  );
  const first = headWeights(trace, 0, 0);
  assert.equal(headWeights(trace, 0, 0), first, "kept");
  for (let other = 1; other < 5; other++) headWeights(trace, 0, other);
  const again = headWeights(trace, 0, 0);
  assert.notEqual(again, first, "let go");
  assert.equal(again?.length, size * size);
});

test("a page that was asked for comes out byte for byte", () => {
  const blank = [0, 0, 0, 0];
  const trace = unpack(
    payload(HEAD, blank, blank, [[{ kind: "page", ticket: 7 }, Uint8Array.from([1, 255, 3])]]),
  );
  assert.equal(trace.page?.ticket, 7);
  assert.deepEqual([...(trace.page?.bytes ?? [])], [1, 255, 3]);
});

test("thumbnails are square-root tones, with and without special tokens", () => {
  const trace = unpack(payload(HEAD, [0, 255, 51, 0], [0, 0, 255, 0], [LAYER_1]));
  const tones = [0, 1, 0.04, 0].map((want, i) => [
    thumbWeights(trace, i >> 1, i & 1, false)?.[0] ?? 9,
    want,
  ]);
  for (const [got, want] of tones) assert.ok(Math.abs(got - want) < 1e-6);
  assert.equal(thumbWeights(trace, 1, 0, true)?.[0], 1);
});
