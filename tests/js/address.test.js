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
        /** @type {unknown} */ state,
        /** @type {string} */ _title,
        /** @type {URL | undefined} */ url,
      ) => {
        asMuchAsAnAddressNeeds.history.state = state;
        href = String(url ?? href);
      },
      pushState: (
        /** @type {unknown} */ state,
        /** @type {string} */ _title,
        /** @type {URL} */ url,
      ) => {
        steps.push(href);
        asMuchAsAnAddressNeeds.history.state = state;
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
  createAddress(["layer", "heads"], "step").onView({ layer: "2" }, { text: "old" });
  for (const call of waiting) call();
  assert.equal(new URL(href).search, "?text=old&layer=2");
});

test("a click writes a view that waits: it may lead to another page", () => {
  createAddress(["layer", "heads"], "step").onView({ layer: "2" }, { text: "old" });
  clicked();
  assert.equal(new URL(href).search, "?text=old&layer=2");
});

test("a view that waits to be written does not bring back a run that the page has left", () => {
  createAddress(["layer", "heads"], "step").onView({ layer: "2" }, { text: "old" });
  href = "http://localhost/step?text=new&source=scratch";
  for (const call of waiting) call();
  assert.equal(href, "http://localhost/step?text=new&source=scratch");
});

/** @param {string} to @param {unknown} state that the step of the history bears */
const stand = (to, state) => {
  href = `http://localhost${to}`;
  Object.assign(window.history, { state });
};

test("a page that was opened has its place in the address, without another step", () => {
  const address = createAddress(["layer", "heads"], "step");
  stand("/step", {}); // as Streamlit leaves it
  address.onShown("me", { layer: "2", heads: "1" }, ["", ""], { text: "a" });
  assert.equal(href, "http://localhost/step?text=a&layer=2&heads=1");
  assert.deepEqual(steps, []);
});

test("a first visit keeps its plain address, and so it does when it is loaded again", () => {
  const address = createAddress(["layer"], "step");
  stand("/step", null);
  for (const _ of [1, 2]) address.onShown("me", { layer: "2" }, ["", ""], { text: "a" });
  assert.deepEqual([href, steps], ["http://localhost/step", []]);
});

test("another text is one step, which bears its place and nothing of the text before", () => {
  const address = createAddress(["layer"], "step");
  stand("/step?embed=true&text=a&source=scratch&layer=1", {});
  address.onShown("a", { layer: "1" }, ["", ""], { text: "a", source: "scratch" });
  assert.equal(address.params("b").get("layer"), null);
  address.onShown("b", { layer: "3" }, ["", ""], { text: "b" });
  assert.deepEqual(steps, ["http://localhost/step?embed=true&text=a&source=scratch&layer=1"]);
  assert.equal(href, "http://localhost/step?embed=true&text=b&layer=3");
});

test("what a model writes on is one step, however many pictures come of it", () => {
  const address = createAddress(["layer"], "step");
  stand("/step?text=a&layer=1", {});
  address.onShown("a", { layer: "1" }, ["", ""], { text: "a" });
  for (const n of ["1", "2", "3"])
    address.onShown(n, { layer: "1" }, ["", ""], { text: "a", written: n }, n !== "3");
  assert.deepEqual(steps, ["http://localhost/step?text=a&layer=1"]);
  assert.equal(href, "http://localhost/step?text=a&written=3&layer=1");
  address.onShown("b", { layer: "1" }, ["", ""], { text: "b" });
  assert.equal(steps.length, 2);
});

test("a picture that comes when the reader has gone further leaves that step as it is", () => {
  const address = createAddress(["layer"], "step");
  address.onShown("a", { layer: "1" }, ["", ""], { text: "old" });
  stand("/heads?text=c&layer=5", { ax: "heads c", view: {} });
  address.onShown("b", { layer: "3" }, ["", ""], { text: "b" });
  assert.deepEqual([href, steps], ["http://localhost/heads?text=c&layer=5", []]);
});

test("another place is a step of the browser's history, another switch is none", () => {
  const address = createAddress(["layer", "heads", "scale"], "step");
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
  const address = createAddress(["layer", "heads"], "step");
  /** @type {any} */ (window).history.state = { ax: "step me", view: { layer: "7", heads: "2" } };
  assert.equal(address.params("me").get("layer"), "1"); // what it names itself counts
  href = "http://localhost/?text=old";
  assert.equal(String(address.params("me")), "text=old&layer=7&heads=2");
  assert.equal(String(address.params("another")), "text=old");
  assert.equal(String(createAddress(["layer"], "heads").params("me")), "text=old");
});

test("Back within a picture is followed at once, and Streamlit hears nothing of it", () => {
  const address = createAddress(["layer"], "step");
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
  travelled?.(event("heads me")); // another page of the same text
  travelled?.(event("step me"));
  assert.deepEqual([followed, stopped], [["1"], 1]);
});

test("the place is told with the words that are pinned, and again with another page", () => {
  const address = createAddress(["layer"], "step");
  address.onView({ layer: "2" }, null, ["it", ""]);
  address.onView({ measure: "x" }, null); // a page with a view of another kind
  address.go("heads", { finder: "1" });
  const place = { view: { layer: "2" }, words: ["it", ""] };
  assert.deepEqual(told, [place, { ...place, page: "heads", open: { finder: "1" } }]);
});
