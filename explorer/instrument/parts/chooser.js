// A box of choices.

import { h } from "./dom.js";

/**
 * A box of choices.
 * @param {string} name @param {[string, string][]} choices value, words
 * @param {(value: number) => void} choose
 */
export function chooser(name, choices, choose) {
  const element = /** @type {HTMLSelectElement} */ (
    h("select", { class: "ax-chooser", "aria-label": name, title: name })
  );
  /** @param {[string, string][]} offered */
  const offer = (offered) =>
    element.replaceChildren(...offered.map(([value, words]) => h("option", { value }, words)));
  offer(choices);
  element.addEventListener("change", () => choose(Number(element.value)));
  return {
    ...{ element, offer },
    /** @param {number} value */
    show: (value) => {
      element.value = String(value);
    },
  };
}
