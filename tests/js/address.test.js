// The view's part of the page's address.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { createAddress } from "../../explorer/instrument/hosts/address.js";

const given = globalThis.window;
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
        /** @type {URL} */ url,
      ) => {
        href = String(url);
      },
    },
    setTimeout: (/** @type {() => void} */ call) => waiting.push(call),
  };
  globalThis.window = asMuchAsAnAddressNeeds;
});
afterEach(() => {
  globalThis.window = given;
});

test("a view is written into its own part of the address", () => {
  createAddress(["layer", "heads"]).onView({ layer: "2" }, { text: "old" });
  for (const call of waiting) call();
  assert.equal(new URL(href).search, "?text=old&layer=2");
});

test("a view that waits to be written does not bring back a run that the page has left", () => {
  createAddress(["layer", "heads"]).onView({ layer: "2" }, { text: "old" });
  href = "http://localhost/step?text=new&source=scratch";
  for (const call of waiting) call();
  assert.equal(href, "http://localhost/step?text=new&source=scratch");
});
