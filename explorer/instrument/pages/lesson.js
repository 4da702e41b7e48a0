// Lesson mode: the sentence and the picture alone, enlarged over the whole screen, for a room full
// of people; and the keys that show cards.

import { isTyped } from "../parts/dom.js";

/**
 * @typedef {{turned: () => void, keep?: () => void, show?: (i: number) => boolean}} Acts
 *   turned: it has begun or ended; show: a card, by its number from 0; false if there is none
 * @typedef {ReturnType<typeof createLesson>} Lesson
 */

/** @param {HTMLElement} root @param {Acts} acts */
export function createLesson(root, acts) {
  const ends = new AbortController();
  let on = false;
  const turn = (/** @type {boolean} */ next) => {
    if (next === on) return;
    on = next;
    enlarge(root, on);
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
    else if (key.toLowerCase() === "k" && acts.keep) acts.keep();
    else return /^[1-9]$/.test(key) && (acts.show?.(Number(key) - 1) ?? false);
    return true;
  };
  // Before the panels: there Escape lets go of what is pinned.
  document.addEventListener("keydown", hear, { capture: true, signal: ends.signal });
  return {
    isOn: () => on,
    turn,
    /** On paper nothing is enlarged. @param {boolean} paper */
    paper: (paper) => on && enlarge(root, !paper),
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
  for (const name of ["ax-plain", "ax-lesson"]) root.classList.toggle(name, on);
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
