// A formula as it is written in books.

import { h } from "./dom.js";

/**
 * A formula with subscripts (_x) and superscripts (^x), or a group of several letters in braces.
 * @param {string} text
 */
export function formula(text) {
  const element = h("span", { class: "ax-formula" });
  for (const part of text.split(/([_^](?:\{[^}]*\}|d_k|ij|.))/u)) {
    const script = /^([_^])\{?([^}]*)\}?$/u.exec(part);
    if (script)
      element.append(h(script[1] === "_" ? "sub" : "sup", {}, script[2].replace("d_k", "dₖ")));
    else element.append(part);
  }
  return element;
}

/** The same where no letter can stand lower or higher: in a bubble, on a button. @param {string} text */
export const plainFormula = (text) =>
  text.replaceAll("d_k", "dₖ").replaceAll(/_(?=[A-Zij])|[{}]/g, "");
