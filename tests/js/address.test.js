// The view's part of the page's address.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { createAddress } from "../../explorer/instrument/hosts/address.js";

const given = { window: globalThis.window, document: globalThis.document };
/** @type {any[]} */
let told = [];
/** @type {string[]} */
let steps = [];
/** @type {((event: any) => void) | null} */
let travelled = null;
let clicked = () => {};
/** @type {(() => void)[]} */
let waiting = [];
let href = "";

beforeEach(() => {
  waiting = [];
  href = "http://localhost/step?text=old&layer=1";
  /** @type {any} */
  const asMuchAsAnAddressNeeds = {
    get location() {
      const url = new URL(href);
      return { href, search: url.search, pathname: url.pathname };
    },
    history: {
      state: null,
      replaceState: (
        /** @type {unknown} */ _state,
        /** @type {string} */ _title,
        /** @type {URL | undefined} */ url,
      ) => {
        href = String(url ?? href);
      },
      pushState: (
        /** @type {unknown} */ _state,
        /** @type {string} */ _title,
        /** @type {URL} */ url,
      ) => {
        steps.push(href);
        href = String(url);
      },
    },
    addEventListener: (/** @type {string} */ name, /** @type {() => void} */ act) => {
      if (name === "popstate") travelled = act;
      if (name === "click") clicked = act;
    },
    setTimeout: (/** @type {() => void} */ call) => waiting.push(call),
  };
  globalThis.window = asMuchAsAnAddressNeeds;
  globalThis.document = /** @type {any} */ ({
    dispatchEvent: (/** @type {CustomEvent} */ event) => told.push(event.detail),
  });
  [told, steps, travelled] = [[], [], null];
});
afterEach(() => Object.assign(globalThis, given));

test("a view is written into its own part of the address", () => {
  createAddress(["layer", "heads"]).onView({ layer: "2" }, { text: "old" });
  for (const call of waiting) call();
  assert.equal(new URL(href).search, "?text=old&layer=2");
});

test("a click writes a view that waits: it may lead to another page", () => {
  createAddress(["layer", "heads"]).onView({ layer: "2" }, { text: "old" });
  clicked();
  assert.equal(new URL(href).search, "?text=old&layer=2");
});

test("a view that waits to be written does not bring back a run that the page has left", () => {
  createAddress(["layer", "heads"]).onView({ layer: "2" }, { text: "old" });
  href = "http://localhost/step?text=new&source=scratch";
  for (const call of waiting) call();
  assert.equal(href, "http://localhost/step?text=new&source=scratch");
});

test("another place is a step of the browser's history, another switch is none", () => {
  const address = createAddress(["layer", "heads", "scale"]);
  address.onShown("me", { layer: "1" }, ["", ""]);
  address.onView({ layer: "2", heads: "1" }, null);
  for (const call of waiting.splice(0)) call();
  assert.deepEqual(steps, ["http://localhost/step?text=old&layer=1"]);
  address.onView({ layer: "2", heads: "1", scale: "row" }, null);
  for (const call of waiting.splice(0)) call();
  assert.equal(steps.length, 1);
  assert.equal(new URL(href).search, "?text=old&layer=2&heads=1&scale=row");
});

test("an address without a view has the one that its step of the history bears", () => {
  const address = createAddress(["layer", "heads"]);
  /** @type {any} */ (window).history.state = { ax: "me", view: { layer: "7", heads: "2" } };
  assert.equal(address.params("me").get("layer"), "1"); // what it names itself counts
  href = "http://localhost/?text=old";
  assert.equal(String(address.params("me")), "text=old&layer=7&heads=2");
  assert.equal(String(address.params("another")), "text=old");
});

test("Back within a picture is followed at once, and Streamlit hears nothing of it", () => {
  const address = createAddress(["layer"]);
  /** @type {string[]} */
  const followed = [];
  address.onShown("me", { layer: "1" }, ["it", ""]);
  address.onTravel((params) => followed.push(String(params.get("layer"))));
  let stopped = 0;
  const event = (/** @type {string} */ ax) => ({
    state: { ax, view: { layer: "1" } },
    stopImmediatePropagation: () => stopped++,
  });
  travelled?.(event("another"));
  assert.deepEqual([followed, stopped], [[], 0]);
  travelled?.(event("me"));
  assert.deepEqual([followed, stopped], [["1"], 1]);
});

test("the place is told with the words that are pinned, and again with another page", () => {
  const address = createAddress(["layer"]);
  address.onView({ layer: "2" }, null, ["it", ""]);
  address.onView({ measure: "x" }, null); // a page with a view of another kind
  address.go("heads", { finder: "1" });
  const place = { view: { layer: "2" }, words: ["it", ""] };
  assert.deepEqual(told, [place, { ...place, page: "heads", open: { finder: "1" } }]);
});
