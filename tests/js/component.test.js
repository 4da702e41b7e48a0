// What Streamlit calls: one picture for one element, and what cannot be read leaves the last one.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { createComponent } from "../../explorer/instrument/hosts/address.js";
import { read } from "../../explorer/instrument/wire/container.js";
import { container } from "./trace.js";

const given = globalThis.document;

beforeEach(() => {
  globalThis.document = /** @type {any} */ ({
    createElement: () => ({ setAttribute() {}, append() {} }),
  });
});
afterEach(() => {
  globalThis.document = given;
});

/** An element as far as a component asks of it, and what happened to the picture in it. */
function place() {
  /** @type {unknown[]} */
  const happened = [];
  /** @type {{remove: () => void} | null} */
  let told = null;
  const parentElement = /** @type {any} */ ({
    querySelector: (/** @type {string} */ what) => (what === ".ax-broken" ? told : {}),
    prepend: (/** @type {any} */ element) => {
      told = Object.assign(element, { remove: () => (told = null) });
    },
  });
  const component = createComponent(() => ({
    update: (bytes) => happened.push(read(bytes).head.id),
    retheme: () => happened.push("retheme"),
    destroy: () => happened.push("gone"),
  }));
  /** @param {Uint8Array} data */
  const show = (data) => component({ data, parentElement, setTriggerValue: () => {} });
  return { show, happened, isTold: () => told !== null };
}

test("equal data is no new picture: the theme may be another one", () => {
  const { show, happened } = place();
  const data = container({ id: 1 }, []);
  show(data);
  show(data);
  show(container({ id: 2 }, []))();
  assert.deepEqual(happened, [1, "retheme", 2, "gone"]);
});

test("a payload that is cut is told until the next good one, and the last picture stays", () => {
  const { show, happened, isTold } = place();
  show(container({ id: 1 }, []));
  show(container({ id: 2 }, []).subarray(0, 20));
  assert.deepEqual([happened, isTold()], [[1], true]);
  show(container({ id: 3 }, []));
  assert.deepEqual([happened, isTold()], [[1, 3], false]);
});

test("any other failure is not hidden behind that sentence", () => {
  const { show } = place();
  assert.throws(() => show(container(/** @type {any} */ ({ toJSON: () => null }), [])), TypeError);
});
