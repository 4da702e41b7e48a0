import assert from "node:assert/strict";
import test from "node:test";
import {
  headWeights,
  LEVELS,
  meanWeights,
  merge,
  thumbWeights,
  unpack,
  weightsOf,
} from "../../explorer/instrument/data.js";
import { payload, token } from "./trace.js";

const HEAD = {
  id: "x",
  n_layers: 2,
  n_heads: 2,
  query_tokens: [token("猫"), token("</script>")],
  key_tokens: null,
  texts: ["猫 </script>"],
  thumb: [1, 1],
};
const LAYER = [0.25, 0.75, 0, 1, 0.002, 0.998, 0.5, 0.5];
const STEP = 0.5 / LEVELS + 1e-7;

/** @param {ArrayLike<number> | null} got @param {number[]} want */
const near = (got, want) => {
  assert.equal(got?.length, want.length);
  want.forEach((w, i) => assert.ok(Math.abs((got?.[i] ?? 9) - w) <= STEP, `${i}: ${got?.[i]}`));
};

const LAYER_1 = /** @type {[Record<string, unknown>, number[]]} */ ([
  { kind: "layer", layer: 1, shape: [2, 2, 2] },
  LAYER,
]);

test("a payload comes out as it went in, at any byte offset", () => {
  const trace = unpack(payload(HEAD, [0, 255, 51, 0], [9, 8, 7, 6], [LAYER_1]));
  assert.equal(trace.head.query_tokens[1].text, "</script>");
  assert.equal(trace.head.key_tokens, trace.head.query_tokens);
  assert.deepEqual([...trace.thumbs], [0, 255, 51, 0]);
  assert.deepEqual([...trace.layers.keys()], [1]);
  near(headWeights(trace, 1, 0), LAYER.slice(0, 4));
  near(headWeights(trace, 1, 1), LAYER.slice(4));
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
        [{ kind: "means", shape: [2, 2, 2] }, means],
        [{ kind: "group", name: "1_2_words_shown", shape: [2, 2] }, [0.5, 0.001, 0.25, 1]],
      ],
    ),
  );
  const next = unpack(
    payload(HEAD, [0, 0, 0, 0], [0, 0, 0, 0], [[{ ...LAYER_1[0], layer: 0 }, LAYER]]),
  );
  merge(next, first);
  assert.deepEqual([...next.layers.keys()], [1, 0], "oldest first");
  assert.equal(next.group?.name, "1_2_words_shown");
  near(weightsOf(next.group?.codes ?? new Uint16Array(0)), [0.5, 0.001, 0.25, 1]);
  near(next.means && weightsOf(next.means), means);
});

test("the mean over heads comes from the layer if it is here, else from the means", () => {
  const means = [0.1, 0.9, 0.2, 0.8, 0, 0, 0, 0];
  const trace = unpack(
    payload(
      HEAD,
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      [LAYER_1, [{ kind: "means", shape: [2, 2, 2] }, means]],
    ),
  );
  near(meanWeights(trace, 1), [0.126, 0.874, 0.25, 0.75]);
  near(meanWeights(trace, 1, [0]), LAYER.slice(0, 4));
  near(meanWeights(trace, 0), means.slice(0, 4));
});

test("a page that was asked for comes out byte for byte", () => {
  const head = { ...HEAD, blocks: [{ kind: "page", ticket: 7, bytes: 3 }] };
  const text = new TextEncoder().encode(JSON.stringify(head));
  const length = new Uint8Array(new Uint32Array([text.length]).buffer);
  const trace = unpack(new Uint8Array([...length, ...text, ...new Array(8).fill(0), 1, 255, 3]));
  assert.equal(trace.page?.ticket, 7);
  assert.deepEqual([...(trace.page?.bytes ?? [])], [1, 255, 3]);
});

test("thumbnails are square-root tones, with and without special tokens", () => {
  const trace = unpack(payload(HEAD, [0, 255, 51, 0], [0, 0, 255, 0], [LAYER_1]));
  const tones = [0, 1, 0.04, 0].map((want, i) => [
    thumbWeights(trace, i >> 1, i & 1, false)[0],
    want,
  ]);
  for (const [got, want] of tones) assert.ok(Math.abs(got - want) < 1e-6);
  assert.equal(thumbWeights(trace, 1, 0, true)[0], 1);
});
