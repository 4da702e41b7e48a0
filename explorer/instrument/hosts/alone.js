// What a page of its own has instead of a server: its payload, and the part of its address behind #.

import { h } from "../parts/dom.js";
import { Broken } from "../wire/container.js";

const WAIT = 150; // ms; browsers limit how often a page may rewrite its address

/** The payload that lies in the page. */
function readPayload() {
  const holder = /** @type {HTMLElement} */ (document.getElementById("payload"));
  const letters = atob(holder.textContent ?? "");
  const packed = new Uint8Array(letters.length);
  for (let i = 0; i < packed.length; i++) packed[i] = letters.charCodeAt(i);
  return packed;
}

/** A host that keeps the view behind the #, and asks nobody for anything. */
export function createAlone() {
  let waiting = 0;
  return {
    params: () => new URLSearchParams(window.location.hash.slice(1)),
    /** @param {Record<string, string>} params */
    onView: (params) => {
      clearTimeout(waiting);
      waiting = window.setTimeout(() => {
        if (window.location.protocol === "about:") return; // a notebook's frame has no address
        window.history.replaceState(null, "", `#${new URLSearchParams(params)}`);
      }, WAIT);
    },
    need: null, // what the file holds is all there is
    copyLink: null,
  };
}

/**
 * Show what lies in the page, and follow its colours.
 * @param {{update: (bytes: Uint8Array) => void, retheme: () => void}} here
 */
export function startAlone(here) {
  try {
    here.update(readPayload());
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    const what = `The numbers in this file cannot be read: ${error.message}. Save it once more.`;
    document.body.prepend(h("p", { role: "alert" }, what));
  }
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    here.retheme();
  });
}
