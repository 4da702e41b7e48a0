// Words with a little markup, as elements: *emphasis*, **strong**, `code`, $a formula$, and
// [a link](/page?query). Whatever else stands in them is text.

import { h } from "./dom.js";
import { formula } from "./formula.js";

/** @typedef {(page: string, open: Record<string, string>) => void} Go */

const MARKS = /(\*\*[^*]+\*\*|\*[^*]+\*|`[^`]+`|\$[^$]+\$|\[[^\]]+\]\([^)]+\))/u;
const LINK = /^\[([^\]]+)\]\(([^)]+)\)$/u;

/**
 * @param {string} text
 * @param {Go | null} go leads to a page of the app; null where there is none, and the words stay
 * @returns {(Node | string)[]}
 */
export const proseOf = (text, go) =>
  text
    .split(MARKS)
    .filter(Boolean)
    .map((part) => partOf(part, go));

/** @param {string} part @param {Go | null} go @returns {Node | string} */
function partOf(part, go) {
  const link = LINK.exec(part);
  if (link) return linkOf(link[1], link[2], go);
  if (part.length < 3) return part;
  const inside = (/** @type {number} */ n) => part.slice(n, -n);
  if (/^\*\*.+\*\*$/u.test(part)) return h("strong", {}, inside(2));
  if (/^\*.+\*$/u.test(part)) return h("em", {}, inside(1));
  if (/^`.+`$/u.test(part)) return h("code", {}, inside(1));
  return /^\$.+\$$/u.test(part) ? formula(inside(1)) : part;
}

/** @param {string} label @param {string} address @param {Go | null} go */
function linkOf(label, address, go) {
  if (/^https:\/\//u.test(address))
    return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, label);
  const page = /^\/(\w*)(?:\?(.*))?$/u.exec(address);
  if (!page || !go) return label;
  const element = h("button", { type: "button", class: "ax-link" }, label);
  const open = Object.fromEntries(new URLSearchParams(page[2] ?? ""));
  element.addEventListener("click", () => go(page[1] || "explore", open));
  return element;
}
