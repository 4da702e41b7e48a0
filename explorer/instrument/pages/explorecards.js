// What Explore does with cards: it keeps and shows them, and prints each on a sheet of its own.

import { cardName, inLesson, kept, onCard, without } from "../numbers/cards.js";
import { joinCards } from "../numbers/cardtext.js";
import { letGo } from "../numbers/explorestore.js";
import { t } from "../numbers/language.js";
import { readCards, toParams } from "../numbers/view.js";
import { toldOfKeeping, toldOfLeft } from "../panels/cards.js";
import { quoted } from "../parts/about.js";
import { h } from "../parts/dom.js";
import { readTheme } from "../parts/theme.js";
import { Recorder } from "../save/record.js";
import { shoot, sizeOf } from "../save/shoot.js";
import { toSvg } from "../save/svg.js";

/**
 * @typedef {import("./explore.js").Here} Here
 * @typedef {import("../numbers/explorestore.js").Told} Told
 * @typedef {import("../numbers/view.js").View} View
 * @typedef {import("../numbers/data.js").Trace} Trace
 */

const KEPT = "attention-explorer-cards "; // in this tab's memory; the trace's name follows
const ALL = { thumbs: true, model: true };
const QUOTED = 300; // letters of the text on a sheet
const TOO_LONG = t("This text is too long for a link: save the page with “These cards” instead.");

/**
 * @param {Here} here
 * @param {(next: (now: View) => View, what: import("./exploreschedule.js").Change) => void} change
 */
export function cardsIn(here, change) {
  /** @param {(now: View) => View} next @param {import("./exploreschedule.js").Change} what */
  const turn = (next, what) => {
    change(next, what);
    if (here.trace) here.parts.cards.show(here.told.view, here.trace);
  };
  const show = (/** @type {string} */ card) => {
    const { trace } = here;
    if (!trace) return;
    here.told = letGo(here.told);
    turn((now) => onCard(now, card, trace.head), { ...ALL, moved: true });
  };
  return {
    keep: () => {
      const { view } = here.told;
      if (!here.trace) return;
      turn(kept, { model: true }); // the first card takes room
      here.parts.cards.tell(toldOfKeeping(view, here.trace));
    },
    show,
    /** @param {number} i */
    showAt: (i) => {
      const card = here.told.view.cards[i];
      if (card) show(card);
      return Boolean(card);
    },
    takeOut: (/** @type {string} */ card) => turn((now) => without(now, card), { model: true }),
    end: () => here.lesson?.turn(false),
  };
}

/**
 * A text's cards are there again when its page is, if its link has none. A file has its own.
 * @param {Here} here @param {string} id of the trace @returns {Told}
 */
export function withCardsOf(here, id) {
  const { told, host, lesson } = here;
  if (!host.need || !lesson) return told;
  if (told.view.cards.length) keepCards(here, id);
  try {
    const cards = readCards(sessionStorage.getItem(KEPT + id));
    return { ...told, view: { ...told.view, cards } };
  } catch {
    return told; // nothing may be kept here
  }
}

/**
 * Another text has come: the cards of the one before are said to be left with it.
 * @param {Here} here @param {number} left how many there were @param {Trace} next
 */
export function sayLeft({ told, parts }, left, next) {
  parts.cards.show(told.view, next);
  if (left && !told.view.cards.length) parts.cards.tell(toldOfLeft(left));
}

/** @param {Here} here @param {string} id */
export function keepCards({ told, host, lesson }, id) {
  if (!host.need || !lesson) return;
  try {
    sessionStorage.setItem(KEPT + id, joinCards(told.view.cards));
  } catch {
    // They are in the link.
  }
}

/**
 * What is painted of what was told: in a lesson with fixed colours.
 * @param {Here} here @returns {Told}
 */
export function toldNow(here) {
  if (!here.root.classList.contains("ax-plain")) return here.told;
  const { view } = here.told;
  if (here.plain.of !== view) here.plain = { of: view, view: inLesson(view) };
  return { ...here.told, view: here.plain.view };
}

/**
 * On paper each card has a sheet of its own, in place of the page.
 * @param {Here} here @param {boolean} paper @param {() => void} render
 */
export function cardsToPaper(here, paper, render) {
  const { root, told, trace } = here;
  root.querySelector(":scope > .ax-sheets")?.remove();
  root.classList.remove("ax-carded");
  here.lesson?.paper(paper);
  if (!paper || !trace || !told.view.cards.length || !here.lesson) return;
  root.classList.add("ax-plain", "ax-sheeting");
  here.theme = readTheme(root);
  const sheets = told.view.cards.map((card, i) => {
    const view = onCard(told.view, card, trace.head);
    here.told = { ...told, view, hovered: null, peeked: null };
    here.schedule.ask(ALL);
    render();
    return sheetOf(here, card, i);
  });
  here.told = told;
  root.classList.remove("ax-plain", "ax-sheeting");
  root.classList.add("ax-carded");
  root.append(h("div", { class: "ax-sheets" }, ...sheets));
}

/** @param {Here} here @param {string} card @param {number} i */
function sheetOf(here, card, i) {
  const { trace, scene, parts, host, told } = here;
  if (!trace || !scene) return h("section", {});
  const { about, link, title, passport } = trace.head;
  const { says, reading, flow, heatmap, colours } = parts;
  const all = [says.sentence, reading.element, flow.element, heatmap.element, colours.element];
  const elements = all.filter((element) => element.getClientRects().length);
  const name = `${i + 1} · ${cardName(card, trace)}`;
  const params = toParams({ ...told.view, cards: [] });
  const where = link || !host.linkTo ? host.linkTo?.(params, link) : TOO_LONG;
  return h(
    "section",
    { class: "ax-sheet", "aria-label": t("Card {card}", { card: name }) },
    drawingOf(elements, `${name} · ${title}`, scene),
    h("p", {}, [title, passport, quoted(about.text, QUOTED)].filter(Boolean).join(" · ")),
    h(
      "p",
      { class: "ax-sheet-link" },
      where ?? t("Card {n} of the page it was printed from.", { n: i + 1 }),
    ),
  );
}

/**
 * @param {HTMLElement[]} elements @param {string} title
 * @param {import("../numbers/scene.js").Scene} scene
 */
function drawingOf(elements, title, { theme, says }) {
  const pen = new Recorder();
  shoot(pen, elements, title, theme);
  const { width, height } = sizeOf(elements);
  const text = toSvg(pen.items, width, height, title, says);
  const { documentElement } = new DOMParser().parseFromString(text, "image/svg+xml");
  return document.importNode(documentElement, true);
}
