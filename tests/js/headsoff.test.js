// The heads that Explain may switch off or change.

import assert from "node:assert/strict";
import { test } from "node:test";

import { headsIn } from "../../explorer/instrument/numbers/headsoff.js";

test("all heads of a model may be chosen, by its own numbers of the layers", () => {
  assert.deepEqual(headsIn({ shape: [2, 2], numbers: [3, 5] }), [
    ...[
      [3, 0],
      [3, 1],
    ],
    ...[
      [5, 0],
      [5, 1],
    ],
  ]);
  assert.deepEqual(headsIn({ shape: null, numbers: [3] }), []);
});
