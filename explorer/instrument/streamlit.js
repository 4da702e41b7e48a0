// The instrument's host in Streamlit: a component that keeps the reader's view in the page's URL.

import { mount } from "./instrument.js";
import { PARAMS } from "./view.js";

const WRITE_AFTER = 150; // ms; browsers limit how often a page may rewrite its address

/** @type {WeakMap<object, import("./instrument.js").Instrument & {last: Uint8Array | null}>} */
const live = new WeakMap();

/**
 * @param {{data: Uint8Array, parentElement: ParentNode,
 *          setTriggerValue: (name: string, value: unknown) => void}} component
 */
export default function instrument({ data, parentElement, setTriggerValue }) {
  let mounted = live.get(parentElement);
  if (!mounted) {
    const root = /** @type {HTMLElement} */ (parentElement.querySelector(".ax"));
    mounted = { ...mount(root, host(setTriggerValue)), last: null };
    live.set(parentElement, mounted);
  }
  // Streamlit calls again with what is here already: when the theme or any state has changed.
  if (sameBytes(data, mounted.last)) mounted.retheme();
  else mounted.update(data);
  mounted.last = data;
  return () => {
    live.get(parentElement)?.destroy();
    live.delete(parentElement);
  };
}

/** Whether two views show the same stretch of the same memory. @param {Uint8Array} one @param {Uint8Array | null} other */
const sameBytes = (one, other) =>
  one.buffer === other?.buffer &&
  one.byteOffset === other.byteOffset &&
  one.length === other.length;

/**
 * @param {(name: string, value: unknown) => void} setTriggerValue
 * @returns {import("./instrument.js").Host}
 */
function host(setTriggerValue) {
  /** @type {URL | null} */
  let next = null;
  let timer = 0;
  const write = () => {
    clearTimeout(timer);
    timer = 0;
    if (next) window.history.replaceState(window.history.state, "", next);
    next = null;
  };
  return {
    params: () => new URLSearchParams(window.location.search),
    onView: (params, link) => {
      next = address(params, link);
      if (!timer) timer = window.setTimeout(write, WRITE_AFTER);
    },
    need: (want) => setTriggerValue("want", want),
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

/**
 * This page's address with the view, and the run where a link can carry it.
 * @param {Record<string, string>} params @param {Record<string, string> | null} link
 */
function address(params, link) {
  const url = new URL(window.location.href);
  for (const name of PARAMS) url.searchParams.delete(name);
  for (const [name, value] of Object.entries({ ...(link ?? {}), ...params }))
    url.searchParams.set(name, value);
  return url;
}
