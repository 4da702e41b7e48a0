// The instrument's host in a file of its own: the payload lies in the page, the view in the part of
// the address after the #, and nothing is asked of anybody.

import { mount } from "./instrument.js";

const WAIT = 150; // ms; browsers limit how often a page may rewrite its address

const holder = /** @type {HTMLElement} */ (document.getElementById("payload"));
const letters = atob(holder.textContent ?? "");
const packed = new Uint8Array(letters.length);
for (let i = 0; i < packed.length; i++) packed[i] = letters.charCodeAt(i);
const place = /** @type {HTMLElement} */ (document.querySelector(".ax"));
let waiting = 0;

const here = mount(place, {
  params: () => new URLSearchParams(window.location.hash.slice(1)),
  onView: (params) => {
    clearTimeout(waiting);
    waiting = window.setTimeout(() => {
      if (window.location.protocol === "about:") return; // a notebook's frame has no address
      window.history.replaceState(null, "", `#${new URLSearchParams(params)}`);
    }, WAIT);
  },
  need: null, // what the file holds is all there is
  copyLink: null,
  walk: null,
  onFocus: null,
});
here.update(packed);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  here.retheme();
});
