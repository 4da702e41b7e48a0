// The text of the lesson as words to point at, shaded by numbers: the part that figures share.

import { h } from "../../parts/dom.js";

/**
 * @typedef {{shares: ArrayLike<number> | null, top: number, looking: number | null,
 *            marked?: number | null}} Shade
 *   shares: a number for each token; top: the one of the full colour; looking: the token whose they
 *   are; marked: one more that is to be seen
 */

/**
 * @param {(at: number | null) => void} hover null when nothing is pointed at
 * @param {(at: number) => void} pick
 * @param {string} label what it is, for who listens
 */
export function createSentence(hover, pick, label) {
  const element = h("div", { class: "ax-sentence", role: "group", "aria-label": label });
  let built = "";
  /** @type {HTMLElement[]} */
  let spans = [];
  const tokenAt = (/** @type {Event} */ event) => {
    const span = event.target instanceof Element ? event.target.closest("[data-token]") : null;
    return span instanceof HTMLElement ? Number(span.dataset.token) : null;
  };
  element.addEventListener("pointerover", (event) => {
    const at = event.pointerType === "mouse" ? tokenAt(event) : null;
    if (at !== null) hover(at);
  });
  element.addEventListener("pointerleave", () => hover(null));
  element.addEventListener("click", (event) => {
    const at = tokenAt(event);
    if (at !== null) pick(at);
  });

  /** @param {import("../../numbers/data.js").Token[]} tokens */
  function build(tokens) {
    const name = JSON.stringify(tokens.map(({ text }) => text));
    if (name === built) return;
    built = name;
    spans = tokens.map(({ text, special }, at) =>
      h(
        "button",
        {
          type: "button",
          "data-token": String(at),
          class: special ? "ax-token ax-special" : "ax-token",
          dir: "auto",
        },
        text,
      ),
    );
    element.replaceChildren(...spans);
  }

  /**
   * @param {import("../../numbers/data.js").Token[]} tokens @param {Shade} shade
   * @param {import("../../parts/theme.js").Theme} theme
   */
  function show(tokens, { shares, top, looking, marked = null }, theme) {
    build(tokens);
    spans.forEach((span, at) => {
      const level = shares ? Math.min(255, Math.round((255 * shares[at]) / top)) : 0;
      span.style.background = theme.fills[level];
      span.style.color = theme.inks[level];
      span.classList.toggle("ax-looking", at === looking);
      span.classList.toggle("ax-marked", at === marked);
      span.setAttribute("aria-pressed", String(at === looking));
    });
  }
  return { element, show };
}
