// What a page of its own has instead of a server: its payload, and the part of its address behind #.

import { brokenWords } from "../numbers/broken.js";
import { t } from "../numbers/language.js";
import { h } from "../parts/dom.js";
import { Broken } from "../wire/container.js";

const WAIT = 150; // ms; browsers limit how often a page may rewrite its address

/**
 * The payload that lies in the page.
 * @throws {Broken} it cannot be unpacked
 */
async function readPayload() {
  const holder = /** @type {HTMLElement} */ (document.getElementById("payload"));
  const letters = atob(holder.textContent ?? "");
  const packed = new Uint8Array(letters.length);
  for (let i = 0; i < packed.length; i++) packed[i] = letters.charCodeAt(i);
  if (!("DecompressionStream" in window)) throw new Broken(t("this browser cannot unpack gzip"));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  try {
    return new Uint8Array(await new Response(unpacked).arrayBuffer());
  } catch {
    throw new Broken(t("a part is missing, or was changed"));
  }
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
    npz: null,
    copyLink: null,
  };
}

/**
 * Show what lies in the page, and follow its colours.
 * @param {{update: (bytes: Uint8Array) => void, retheme: () => void}} here
 */
export async function startAlone(here) {
  try {
    here.update(await readPayload());
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    const why = brokenWords(error);
    const says = t(
      "The numbers in this file cannot be read: {why}. Save it once more, or open it in a newer browser.",
      { why },
    );
    document.body.prepend(h("p", { role: "alert" }, says));
  }
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    here.retheme();
  });
}
