// The first line of every page: whose picture it is, and the way back to the inputs.

import { t, tn } from "../numbers/language.js";
import { explainedBy } from "./bubble.js";
import { h, pushButton, setText } from "./dom.js";

/**
 * @typedef {{title: string, passport: string, checked: string | null, text: string,
 *            n_layers: number, n_heads: number, n_tokens: number, noise: boolean, asked: number,
 *            made: number | null, code: string, notice: string, facts: string[],
 *            n_texts: number,
 *            notes: {label: string, says: string}[],
 *            other: {name: string, size: string} | null}} About as wire/about.py has it
 * @typedef {{edit: () => void, seen: (asked: number) => void}} Asking
 */

const QUOTED = 44; // letters of the text
const LOOK_AGAIN = 20_000; // ms between two looks at the clock
const NOISE = t("random weights: noise; train it");

/** The beginning of a text, at the end of a word where there is one. @param {string} text @param {number} most */
export function quoted(text, most = QUOTED) {
  const line = text.replace(/\s+/gu, " ").trim();
  if (line.length <= most) return line;
  const cut = line.slice(0, most).toWellFormed();
  return `${cut.replace(/\s\S{0,12}$/u, "").trimEnd()} …`;
}

/** How long ago something was. @param {number} seconds */
export function ageOf(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return t("just now");
  if (minutes < 60) return t("{minutes} min ago", { minutes });
  const hours = Math.floor(minutes / 60);
  return hours < 24
    ? t("{hours} h ago", { hours })
    : t("{n} days ago", { n: Math.floor(hours / 24) });
}

/** What a file of this is called after. @param {About | undefined} about */
export const fileWords = (about) => (about ? `${about.title} ${quoted(about.text, 24)}` : "");

/**
 * @param {Asking | null} asking null where there are no inputs
 * @param {(() => void) | null} train leads to where random weights are trained
 */
export function createAbout(asking, train = null) {
  const facts = h("span", { class: "ax-facts" });
  const element = h("div", { class: "ax-about" }, facts, ...(asking ? [editing(asking)] : []));
  const age = h("span", { class: "ax-age" });
  /** @type {About | null} */
  let shown = null;
  const tellAge = () => {
    if (shown?.made) setText(age, ageOf(Date.now() / 1000 - shown.made));
  };
  const clock = setInterval(tellAge, LOOK_AGAIN);
  return {
    element,
    /** @param {About} about */
    show: (about) => {
      asking?.seen(about.asked);
      if (JSON.stringify(about) === JSON.stringify(shown)) return;
      shown = about;
      tellAge();
      facts.replaceChildren(...partsOf(about, age, train));
    },
    stop: () => clearInterval(clock),
  };
}

/** The way back to the inputs. @param {Asking} asking */
function editing({ edit }) {
  const button = pushButton(t("Edit"), t("Change the text or the model (key E)"), edit, "ax-copy");
  button.classList.add("ax-edit");
  return button;
}

/** How a large number is written in a sentence. @param {number} n */
const counted = (n) => ({ n: n.toLocaleString("en") });

/** @param {number} n */
const layersInWords = (n) => tn("{n} layer", "{n} layers", n, counted(n));

/** @param {number} n */
const headsInWords = (n) => tn("{n} head", "{n} heads", n, counted(n));

/** @param {About} about @param {HTMLElement} age @param {(() => void) | null} train */
function partsOf(about, age, train) {
  const quote = about.text && h("q", { class: "ax-quote", dir: "auto" }, quoted(about.text));
  const [layers, heads] = [layersInWords(about.n_layers), headsInWords(about.n_heads)];
  const sizes = t("{layers} × {heads}", { layers, heads });
  const noise = train ? pushButton(NOISE, t("To Train"), train, "ax-link") : NOISE;
  const title = h("strong", {}, about.title);
  const own = [
    ...[quote, title, h("span", { class: "ax-sizes" }, sizes)],
    about.n_texts > 1 &&
      h("span", {}, tn("{n} text", "{n} texts", about.n_texts, counted(about.n_texts))),
    about.n_tokens > 0 &&
      h("span", {}, tn("{n} token", "{n} tokens", about.n_tokens, counted(about.n_tokens))),
    checkOf(about),
  ];
  const parts = [
    ...(about.facts.length ? [title, ...about.facts] : own),
    about.noise && h("span", { class: "ax-noise" }, noise),
    ...notesOf(about),
    about.made && age,
  ];
  return parts.flatMap((part) => (part ? [h("span", { class: "ax-fact" }, part)] : []));
}

/** What else is to be known, explained where one points. @param {About} about */
const notesOf = ({ notes }) =>
  notes.map(({ label, says }) =>
    explainedBy(h("button", { type: "button", class: "ax-term ax-note" }, label), says),
  );

/** How far the numbers were checked, explained where one points. @param {About} about */
function checkOf({ checked, passport }) {
  if (!passport) return null;
  const short = checked === null ? t("not checked") : t("checked {checked}", { checked });
  const sentence = t("{sentence}.", {
    sentence: `${passport[0].toUpperCase()}${passport.slice(1)}`,
  });
  return explainedBy(h("button", { type: "button", class: "ax-term" }, short), sentence);
}
