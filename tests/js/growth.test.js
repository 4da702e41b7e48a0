import assert from "node:assert/strict";
import test from "node:test";
import { FUNCTIONS, HOSTILE, milliseconds } from "./growth.js";

const SHORT = 4_000;
const TIMES = 8;
const SLACK = 3; // how much more than proportional it may be on a busy machine; a square gives TIMES
const AT_ONCE = 20; // ms; what a long text takes no longer than grows with nothing that matters

for (const [name, call] of Object.entries(FUNCTIONS)) {
  test(`time grows no faster than the text: ${name}`, () => {
    for (const [kind, textOf] of Object.entries(HOSTILE)) {
      const [short, long] = [textOf(SHORT), textOf(SHORT * TIMES)];
      let took = milliseconds(call, long, 1);
      // A pause of the machine is not growth: it is measured anew before it counts.
      for (let i = 0; i < 3 && took > AT_ONCE; i++) {
        if (took <= SLACK * TIMES * milliseconds(call, short, 3)) break;
        took = Math.min(took, milliseconds(call, long, 3));
      }
      const most = Math.max(AT_ONCE, SLACK * TIMES * milliseconds(call, short, 3));
      assert.ok(took <= most, `${kind}: ${took} ms for ${TIMES} times the text`);
    }
  });
}
