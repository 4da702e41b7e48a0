// The part that carries the place to the server, and the reader where the server leads.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import keep from "../../explorer/instrument/hosts/place.js";

const given = { window: globalThis.window, document: globalThis.document };
/** @type {string[]} */
let steps = [];
/** @type {string[]} */
let heard = [];

beforeEach(() => {
  [steps, heard] = [[], []];
  globalThis.PopStateEvent ??= /** @type {any} */ (
    class {
      /** @param {string} type */
      constructor(type) {
        this.type = type;
      }
    }
  );
  globalThis.window = /** @type {any} */ ({
    location: { href: "http://localhost/base/?text=a&layer=3&embed=true" },
    history: {
      pushState: (
        /** @type {any} */ _state,
        /** @type {string} */ _title,
        /** @type {URL} */ url,
      ) => steps.push(String(url)),
    },
    dispatchEvent: (/** @type {Event} */ event) => heard.push(event.type),
  });
  globalThis.document = /** @type {any} */ ({
    addEventListener: () => {},
    documentElement: {},
    querySelectorAll: () => [],
  });
});
afterEach(() => Object.assign(globalThis, given));

/** @param {unknown} told */
const show = (told) =>
  keep({ data: new TextEncoder().encode(JSON.stringify(told)), setTriggerValue: () => {} });

test("where the server leads is one step of the history, which Streamlit hears of, once", () => {
  const go = { page: "heads", query: { text: "b c", layer: "2" }, way: "1" };
  for (const times of [1, 2]) show({ times, go });
  show({ times: 3, go: null });
  assert.deepEqual(steps, ["http://localhost/base/heads?embed=true&text=b+c&layer=2"]);
  assert.deepEqual(heard, ["popstate"]);
  show({ times: 4, go: { page: "explore", query: {}, way: "2" } });
  assert.equal(steps[1], "http://localhost/base/?embed=true");
});
