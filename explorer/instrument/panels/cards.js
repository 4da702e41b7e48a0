// The cards, each to be shown again and to be taken out; in a lesson also the way to make one and
// the way out.

import { cardName, cardNow, cardOf, whyNotKept } from "../numbers/cards.js";
import { t, tn } from "../numbers/language.js";
import { quoted } from "../parts/about.js";
import { h, pushButton, setText } from "../parts/dom.js";

/**
 * @typedef {import("../numbers/view.js").View} View
 * @typedef {import("../numbers/data.js").Trace} Trace
 * @typedef {{keep: () => void, show: (card: string) => void, takeOut: (card: string) => void,
 *            end: () => void}} Acts
 */

const KEEP = t("A card that shows this very view again, also in the link and in a saved page (K)");
const QUOTED = 70; // letters of the text

/** @param {Acts} acts */
export function createCards(acts) {
  const list = h("ol", { class: "ax-cards-list" });
  const told = h("span", { class: "ax-help ax-told", role: "status" });
  const whose = h("span", { class: "ax-help ax-whose" });
  const keep = pushButton(t("Keep this view (K)"), KEEP, acts.keep, "ax-copy ax-in-lesson");
  const end = pushButton(t("End (P)"), t("Back to the whole page (P or Escape)"), acts.end);
  end.classList.add("ax-in-lesson");
  const element = h(
    "div",
    { class: "ax-cards", role: "group", "aria-label": t("Cards") },
    ...[keep, list, told, whose, end],
  );
  let built = "";
  return {
    element,
    /** @param {View} view @param {Trace} trace */
    show: (view, trace) => {
      const { id, about } = trace.head;
      const now = `${id} ${cardNow(view)} ${view.cards}`;
      if (built === now) return;
      built = now;
      setText(told, "");
      setText(whose, [about.title, quoted(about.text, QUOTED)].filter(Boolean).join(" · "));
      element.classList.toggle("ax-none", !view.cards.length);
      list.replaceChildren(...view.cards.map((card, i) => cardAt(card, i, view, trace, acts)));
    },
    /** What has been done, or why not. @param {string} words */
    tell: (words) => setText(told, words),
  };
}

/**
 * @param {string} card @param {number} i @param {View} view @param {Trace} trace @param {Acts} acts
 */
function cardAt(card, i, view, trace, acts) {
  const name = cardName(card, trace);
  const show = pushButton(name, t("Show card {n} (key {n})", { n: i + 1 }), () => acts.show(card));
  show.className = "ax-chip ax-card";
  show.prepend(h("b", {}, String(i + 1)), " ");
  show.setAttribute("aria-pressed", String(i === cardNow(view)));
  const out = pushButton(
    "×",
    t("Take card {n} out", { n: i + 1 }),
    () => acts.takeOut(card),
    "ax-small",
  );
  return h("li", {}, show, out);
}

/** The button beside Save. @param {() => void} keep */
export const createKeep = (keep) => pushButton(t("Keep this view"), KEEP, keep, "ax-copy ax-keep");

/** What is told once a view was kept, or why it was not. @param {View} before @param {Trace} trace */
export const toldOfKeeping = (before, trace) =>
  whyNotKept(before) ||
  t("Kept as card {n}, {name}.", {
    n: before.cards.length + 1,
    name: cardName(cardOf(before), trace),
  });

/** What is told of the cards of the text before. @param {number} left how many */
export const toldOfLeft = (left) =>
  tn(
    "1 kept view belongs to the text before: Back brings it.",
    "{n} kept views belong to the text before: Back brings them.",
    left,
  );
