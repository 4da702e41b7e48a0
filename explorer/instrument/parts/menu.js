// What opens under a button, over the page, and closes with Escape or a click beside it.

import { h, zoomOf } from "./dom.js";

/**
 * @param {string} name on the button @param {HTMLElement[]} inside
 * @param {string} [style] of the whole
 */
export function createMenu(name, inside, style = "ax-save") {
  const menu = h("div", { class: "ax-menu" }, ...inside);
  const element = /** @type {HTMLDetailsElement} */ (
    h("details", { class: `ax-drop ${style}` }, h("summary", { class: "ax-copy" }, name), menu)
  );
  element.addEventListener("toggle", () => {
    keepInside(menu);
    if (element.open) closeBeside(element);
  });
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !element.open) return;
    element.open = false;
    event.stopPropagation();
    /** @type {HTMLElement} */ (element.firstElementChild).focus();
  });
  return element;
}

/** A click anywhere else closes it. @param {HTMLDetailsElement} element */
function closeBeside(element) {
  const ends = new AbortController();
  const { signal } = ends;
  const close = (/** @type {Event} */ event) => {
    if (event.composedPath().includes(element)) return;
    element.open = false;
  };
  document.addEventListener("pointerdown", close, { capture: true, signal });
  element.addEventListener("toggle", () => element.open || ends.abort(), { signal });
}

/** What opens beside a button at the edge is moved into sight. @param {HTMLElement} menu */
function keepInside(menu) {
  menu.style.translate = "";
  const { left, right, width } = menu.getBoundingClientRect();
  const room = menu.closest(".ax")?.getBoundingClientRect();
  if (!width || !room) return; // it is closed
  const shift = Math.max(room.left - left, Math.min(0, room.right - right));
  menu.style.translate = `${shift / zoomOf(menu)}px`;
}
