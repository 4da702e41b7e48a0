// Help that is there when it is wanted: by hover, by focus, by tap. It hides nothing for good and
// takes no room.

import { t } from "../numbers/language.js";
import { TERMS } from "../wire/terms.js";
import { h, zoomOf } from "./dom.js";

const EDGE = 8; // pixels that stay free between a bubble and the window

/** @type {{mark: HTMLElement, bubble: HTMLElement} | null} */
let open = null; // one at a time

/** A round mark that explains what it stands beside. @param {string | (() => string)} text */
export function helpMark(text) {
  const says = typeof text === "string" ? () => text : text;
  const mark = h("button", { type: "button", class: "ax-mark", "aria-label": t("Help") }, "?");
  if (typeof text === "string") mark.setAttribute("aria-description", text);
  return explained(mark, says);
}

/** Whether a word is explained. @param {string} name */
export const isTerm = (name) => Object.hasOwn(TERMS, name);

/**
 * A word that explains itself; one that nobody has explained stays plain.
 * @param {string} name as terms.json has it @param {string} [label] what is written
 */
export function term(name, label = name) {
  const says = TERMS[name]?.says;
  if (!says) return h("span", {}, label);
  const mark = h("button", { type: "button", class: "ax-term", "aria-description": says }, label);
  return explained(mark, () => says);
}

/** Something that says more when it is pointed at. @param {HTMLElement} mark @param {string} text */
export function explainedBy(mark, text) {
  mark.setAttribute("aria-description", text);
  return explained(mark, () => text);
}

/** @param {HTMLElement} mark @param {() => string} text */
function explained(mark, text) {
  const show = () => showBubble(mark, text());
  mark.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show());
  mark.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && hide(mark));
  mark.addEventListener("focus", show);
  mark.addEventListener("blur", () => hide(mark));
  mark.addEventListener("click", (event) => {
    event.preventDefault(); // a mark in a summary does not open it
    event.stopPropagation();
    show();
  });
  mark.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || open?.mark !== mark) return;
    hide(mark);
    event.stopPropagation();
  });
  return mark;
}

/** @param {HTMLElement} mark @param {string} text */
function showBubble(mark, text) {
  if (open?.mark === mark) return;
  if (open) hide(open.mark);
  const room = mark.closest(".ax");
  if (!room) return;
  const bubble = h("div", { class: "ax-bubble", role: "tooltip", popover: "manual" }, text);
  room.append(bubble);
  bubble.showPopover?.(); // above everything; an older browser shows it in its place
  const [at, { width, height }] = [mark.getBoundingClientRect(), bubble.getBoundingClientRect()];
  const { clientWidth, clientHeight } = document.documentElement;
  const left = Math.max(EDGE, Math.min(at.left, clientWidth - width - EDGE));
  const below = at.bottom + EDGE;
  const fits = below + height <= clientHeight - EDGE || at.top < height + EDGE;
  const zoom = zoomOf(bubble);
  bubble.style.left = `${left / zoom}px`;
  bubble.style.top = `${(fits ? below : at.top - height - EDGE) / zoom}px`;
  open = { mark, bubble };
  window.addEventListener("scroll", hideOpen, { capture: true, once: true });
}

const hideOpen = () => open && hide(open.mark);

/** @param {HTMLElement} mark */
function hide(mark) {
  if (open?.mark !== mark) return;
  open.bubble.remove();
  open = null;
}
