import assert from "node:assert/strict";
import test from "node:test";
import { headWeights, LEVELS, thumbWeights, unpack } from "../../explorer/instrument/data.js";
import { payload, token } from "./trace.js";

const HEAD = {
  id: "x",
  n_layers: 2,
  n_heads: 1,
  query_tokens: [token("猫"), token("</script>")],
  key_tokens: [token("猫"), token("</script>")],
  texts: ["猫 </script>"],
  thumb: [2, 2],
  layers: [1],
};
const LAYER = [0.25, 0.75, 0, 1];

test("a payload comes out as it went in, at any byte offset", () => {
  const trace = unpack(
    payload(HEAD, [0, 255, 51, 0, 1, 2, 3, 4], [9, 9, 9, 9, 5, 6, 7, 8], [LAYER]),
  );
  assert.equal(trace.head.query_tokens[1].text, "</script>");
  assert.deepEqual([...trace.thumbs], [0, 255, 51, 0, 1, 2, 3, 4]);
  assert.deepEqual([...trace.layers.keys()], [1]);
  const weights = headWeights(trace, 1, 0) ?? [];
  LAYER.forEach((weight, i) => assert.ok(Math.abs(weights[i] - weight) <= 0.5 / LEVELS + 1e-7));
  assert.equal(weights[2], 0);
  assert.equal(weights[3], 1);
});

test("a layer that is not here is null, not zeros", () => {
  const trace = unpack(payload(HEAD, new Array(8).fill(0), new Array(8).fill(0), [LAYER]));
  assert.equal(headWeights(trace, 0, 0), null);
});

test("thumbnails are square-root tones, with and without special tokens", () => {
  const trace = unpack(
    payload(HEAD, [0, 255, 51, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 255, 0], [LAYER]),
  );
  const want = [0, 1, 0.04, 0];
  thumbWeights(trace, 0, 0, false).forEach((w, i) => assert.ok(Math.abs(w - want[i]) < 1e-6));
  assert.equal(thumbWeights(trace, 1, 0, true)[2], 1);
});
