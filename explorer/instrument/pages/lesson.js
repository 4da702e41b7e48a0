// Lesson mode: the sentence and the picture alone, enlarged over the whole screen, for a room full
// of people; and the keys that show cards.

import { isTyped } from "../parts/dom.js";

/**
 * @typedef {{turned: () => void, keep: () => void, show: (i: number) => boolean}} Acts
 *   turned: it has begun or ended; show: a card, by its number from 0; false if there is none
 * @typedef {ReturnType<typeof createLesson>} Lesson
 */

/** @param {HTMLElement} root @param {Acts} acts */
export function createLesson(root, acts) {
  const ends = new AbortController();
  let on = false;
  /** @type {Element | null} */
  let before = null; // what had the focus
  const turn = (/** @type {boolean} */ next) => {
    if (next === on) return;
    on = next;
    if (on) before = /** @type {Document | ShadowRoot} */ (root.getRootNode()).activeElement;
    enlarge(root, on);
    if (!on && before instanceof HTMLElement) before.focus({ preventScroll: true });
    acts.turned();
  };
  const hear = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyped(event)) return;
    if (!root.clientWidth || !does(event)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  /** @param {KeyboardEvent} event */
  const does = ({ key, repeat }) => {
    if (key.toLowerCase() === "p" && !repeat) turn(!on);
    else if (key === "Escape" && on) turn(false);
    else if (key.toLowerCase() === "k") acts.keep();
    else return /^[1-9]$/.test(key) && acts.show(Number(key) - 1);
    return true;
  };
  // Before the panels: there Escape lets go of what is pinned.
  const { signal } = ends;
  document.addEventListener("keydown", hear, { capture: true, signal });
  /** On paper nothing is enlarged. @param {boolean} is */
  const paper = (is) => on && enlarge(root, !is);
  window.addEventListener("beforeprint", () => paper(true), { capture: true, signal });
  window.addEventListener("afterprint", () => paper(false), { signal });
  return {
    turn,
    paper,
    leave: () => {
      ends.abort();
      turn(false);
    },
  };
}

/**
 * The root stands above everything else of the page, which nobody sees or hears meanwhile (lesson.css,
 * ui/frame.css).
 * @param {HTMLElement} root @param {boolean} on
 */
function enlarge(root, on) {
  if (root.classList.contains("ax-lesson") === on) return;
  document.documentElement.toggleAttribute("data-lesson", on);
  root.classList.toggle("ax-lesson", on);
  root.classList.toggle("ax-plain", on);
  if (on) {
    root.popover = "manual";
    root.showPopover?.(); // an older browser shows it in its place
    root.tabIndex = -1;
    root.focus();
  } else {
    root.hidePopover?.();
    root.removeAttribute("popover");
    root.removeAttribute("tabindex");
  }
}
