// The box for finding words in the text: what is typed, how often it stands there, and what is done
// with it.

import { foundWords } from "../numbers/find.js";
import { t } from "../numbers/language.js";
import { h, pushButton, setText } from "../parts/dom.js";

/**
 * @typedef {{search: (query: string) => void, step: (by: number) => void,
 *            pin: (all: boolean) => void, close: () => void}} Finding
 * @typedef {{element: HTMLElement, input: HTMLInputElement, told: HTMLElement,
 *            buttons: HTMLButtonElement[], back: HTMLElement | null, finding: Finding,
 *            root: HTMLElement | null}} Here
 *   buttons: those that need something found; back: who had the focus before; root: whose keys are
 *   listened to
 */

/** @param {Finding} finding */
export function createFind(finding) {
  const input = /** @type {HTMLInputElement} */ (
    h("input", {
      ...{ type: "text", class: "ax-find-words", "aria-label": t("Find in the text") },
      ...{
        placeholder: t("Find in the text"),
        autocomplete: "off",
        spellcheck: "false",
        dir: "auto",
      },
    })
  );
  const told = h("span", { class: "ax-find-told", role: "status", dir: "auto" });
  const buttons = [
    pushButton("↑", t("The place before (Shift+Enter)"), () => finding.step(-1), "ax-small"),
    pushButton("↓", t("The next place (Enter)"), () => finding.step(1), "ax-small"),
    pushButton(t("Pin"), t("Pin the tokens of this place"), () => finding.pin(false), "ax-small"),
    pushButton(
      t("Pin all"),
      t("Pin the tokens of all places"),
      () => finding.pin(true),
      "ax-small",
    ),
  ].map((button) => /** @type {HTMLButtonElement} */ (button));
  const shut = pushButton("×", t("Close (Escape)"), () => close(here), "ax-small");
  const element = h(
    "div",
    { class: "ax-find ax-away", role: "search" },
    input,
    told,
    ...buttons,
    shut,
  );
  element.hidden = true;
  /** @type {Here} */
  const here = { element, input, told, buttons, back: null, finding, root: null };
  input.addEventListener("input", () => finding.search(input.value));
  element.addEventListener("keydown", (event) => {
    if (handle(here, event)) event.preventDefault();
    event.stopPropagation(); // letters that are typed here are no shortcuts of the page
  });
  return {
    element,
    open: () => open(here),
    isOpen: () => !element.hidden,
    /** @param {number} at @param {number} count */
    show: (at, count) => {
      setText(told, foundWords(input.value, at, count));
      for (const button of buttons) button.disabled = count === 0;
    },
    /** Another text: look again. */
    again: () => element.hidden || finding.search(input.value),
    /** @param {string} words */
    tell: (words) => setText(told, words),
    /** Keys of the whole instrument. @param {HTMLElement} root */
    listen: (root) => listen(here, root),
  };
}

/** @param {KeyboardEvent} event */
const asks = (event) =>
  (event.ctrlKey || event.metaKey) &&
  !event.altKey &&
  !event.shiftKey &&
  event.key.toLowerCase() === "f";

/** @param {Here} here @param {KeyboardEvent} event @returns {boolean} whether it was for the box */
function handle(here, event) {
  if (asks(event)) open(here);
  else if (event.key === "Escape" && !event.isComposing) close(here);
  else if (event.key === "F3") here.finding.step(event.shiftKey ? -1 : 1);
  else if (event.key === "Enter" && event.target === here.input && !event.isComposing) {
    here.finding.step(event.shiftKey ? -1 : 1);
  } else return false;
  return true;
}

/** @param {Here} here */
function open(here) {
  const { element, input, finding } = here;
  if (element.hidden) {
    const root = /** @type {Document | ShadowRoot} */ (element.getRootNode());
    here.back = /** @type {HTMLElement | null} */ (root.activeElement);
    element.hidden = false;
    finding.search(input.value);
  }
  input.focus();
  input.select();
}

/** @param {Here} here */
function close({ element, back, finding }) {
  element.hidden = true;
  finding.close();
  back?.focus();
}

/**
 * Ctrl+F while the instrument has the focus, or the mouse is over it.
 * @param {Here} here @param {HTMLElement} root
 */
function listen(here, root) {
  if (here.root === root) return;
  here.root = root;
  const gone = new AbortController();
  const { signal } = gone;
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (!here.element.isConnected) return gone.abort();
    if (event.defaultPrevented || !here.element.parentElement?.offsetWidth) return; // not ours
    const next = event.key === "F3" && !here.element.hidden;
    if ((asks(event) || next) && handle(here, event)) event.preventDefault();
  };
  root.addEventListener("keydown", onKey, { signal });
  const over = () => document.addEventListener("keydown", onKey, { signal });
  root.addEventListener("pointerenter", over, { signal });
  const away = () => document.removeEventListener("keydown", onKey);
  root.addEventListener("pointerleave", away, { signal });
}
