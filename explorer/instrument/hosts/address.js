// The page's address as the place where a view is kept, for hosts in Streamlit.

import { h } from "../parts/dom.js";
import { Broken } from "../wire/container.js";

const WRITE_AFTER = 150; // ms; browsers limit how often a page may rewrite its address

/**
 * @param {string[]} names the view's own parameters; all others are left alone
 */
export function createAddress(names) {
  /** @type {URL | null} */
  let next = null;
  let timer = 0;
  let begun = ""; // the rest of the address when the view changed
  const rest = () => {
    const params = new URLSearchParams(window.location.search);
    for (const name of names) params.delete(name);
    return window.location.pathname + params;
  };
  const write = () => {
    clearTimeout(timer);
    timer = 0;
    // Where the page has gone on to another run meanwhile, this view is no longer what it shows.
    if (next && rest() === begun) window.history.replaceState(window.history.state, "", next);
    next = null;
  };
  return {
    params: () => new URLSearchParams(window.location.search),
    /** @param {Record<string, string>} params @param {Record<string, string> | null} link the run's part */
    onView: (params, link) => {
      const url = new URL(window.location.href);
      for (const name of names) url.searchParams.delete(name);
      for (const [name, value] of Object.entries({ ...(link ?? {}), ...params }))
        url.searchParams.set(name, value);
      next = url;
      begun = rest();
      if (!timer) timer = window.setTimeout(write, WRITE_AFTER);
    },
    copyLink: async () => {
      write();
      try {
        await navigator.clipboard.writeText(window.location.href);
        return true;
      } catch {
        return false;
      }
    },
  };
}

/** Whether two views show the same stretch of the same memory. @param {Uint8Array} one @param {Uint8Array | null} other */
const sameBytes = (one, other) =>
  one.buffer === other?.buffer &&
  one.byteOffset === other.byteOffset &&
  one.length === other.length;

/**
 * @typedef {(name: string, value: unknown) => void} Send
 * @typedef {{update: (bytes: Uint8Array) => void, retheme: () => void, destroy: () => void}} Mounted
 */

/**
 * Show a payload; one that cannot be read leaves the last picture, and that is said.
 * @param {Mounted} mounted @param {Uint8Array} data @param {ParentNode} parent
 */
function updateOrTell(mounted, data, parent) {
  parent.querySelector(".ax-broken")?.remove();
  try {
    mounted.update(data);
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    const what = `What the server sent cannot be read: ${error.message}.`;
    const next = "What you see is the last that could. Reload the page.";
    parent.prepend(h("p", { class: "ax-broken", role: "alert" }, `${what} ${next}`));
  }
}

/**
 * What Streamlit calls with an element and its data, at first and again; one picture for one element.
 * @param {(root: HTMLElement, send: Send) => Mounted} mountOn
 */
export function createComponent(mountOn) {
  /** @type {WeakMap<object, Mounted & {last: Uint8Array | null}>} */
  const live = new WeakMap();
  /** @param {{data: Uint8Array, parentElement: ParentNode, setTriggerValue: Send}} component */
  return ({ data, parentElement, setTriggerValue }) => {
    let mounted = live.get(parentElement);
    if (!mounted) {
      const root = /** @type {HTMLElement} */ (parentElement.querySelector(".ax"));
      mounted = { ...mountOn(root, setTriggerValue), last: null };
      live.set(parentElement, mounted);
    }
    // Streamlit calls again with what is here already: when the theme or any state has changed.
    if (sameBytes(data, mounted.last)) mounted.retheme();
    else updateOrTell(mounted, data, parentElement);
    mounted.last = data;
    return () => {
      live.get(parentElement)?.destroy();
      live.delete(parentElement);
    };
  };
}
