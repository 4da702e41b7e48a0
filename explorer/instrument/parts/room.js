// How tall a picture may be, so that what belongs together stands on one screen; and a picture that
// takes the place of another.

import { zoomOf } from "./dom.js";

const MARGIN = 10; // pixels under it
const LEAST = 240; // a lower picture would show less than scrolling does
const ABOVE = 150; // what stays in sight when the page is scrolled: the header and the sentence

/**
 * @typedef {{first: number, most: number}} Room
 *   first: pixels from its top to the end of the screen, when the page is not scrolled; most: of a
 *   screen that is scrolled to it
 */

/** Without end, for paper and for tests. @type {Room} */
export const ENDLESS = { first: Number.POSITIVE_INFINITY, most: Number.POSITIVE_INFINITY };

/** @param {HTMLElement} element @returns {Room} */
export function roomOf(element) {
  const root = /** @type {HTMLElement | null} */ (element.closest(".ax"));
  if (!root || element.closest(".ax-paper")) return ENDLESS;
  const style = getComputedStyle(root);
  const [above, below] = ["--ax-above", "--ax-foot"].map(
    (name) => Number.parseFloat(style.getPropertyValue(name)) || 0,
  );
  const zoom = zoomOf(root);
  const top = (element.getBoundingClientRect().top - root.getBoundingClientRect().top) / zoom;
  const tall = window.innerHeight / zoom;
  const first = Math.max(LEAST, tall - above - top - MARGIN - below);
  // Where nothing is scrolled, all pictures end with the screen.
  return { first, most: below ? first : Math.max(LEAST, tall - ABOVE) };
}

/**
 * How tall a picture of so many rows is: it ends with the first screen if its rows can still be read
 * then, else with a screen that is scrolled to it.
 * @param {Room} room @param {number} n rows @param {number} least pixels of a row that can be read
 */
export const heightFor = ({ first, most }, n, least) => (n * least <= first ? first : most);

/**
 * What stands there now is of another trace: its boxes are made anew, in the same frame, as none of them
 * has moved there from where it was in the picture before. The page does not scroll meanwhile.
 * @param {HTMLElement} root
 */
export function standAnew(root) {
  const least = root.style.minHeight;
  root.style.minHeight = `${root.offsetHeight}px`;
  root.classList.add("ax-anew");
  root.getBoundingClientRect();
  root.classList.remove("ax-anew");
  root.getBoundingClientRect();
  root.style.minHeight = least;
}
