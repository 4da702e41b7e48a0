// Texts of a corpus, each drawn small: shaded by where one of its tokens looks, with its strongest
// pairs below, which open in Explore.

import {
  byDecile,
  decileWords,
  gapsOf,
  grouped,
  hitWords,
  inDigits,
  namedPairs,
  pairWords,
  shadesOf,
} from "../numbers/corpushead.js";
import { t, tn } from "../numbers/language.js";
import { h, pushButton } from "../parts/dom.js";

/**
 * @typedef {import("../numbers/corpushead.js").CorpusHead} CorpusHead
 * @typedef {import("../numbers/corpushead.js").Text} Text
 * @typedef {import("../numbers/corpushead.js").Pair} Pair
 * @typedef {import("../numbers/corpushead.js").HeadMeasure} HeadMeasure
 * @typedef {import("../parts/theme.js").Theme} Theme
 * @typedef {{text: number, query: number, key: number}} Opened
 * @typedef {{theme: Theme, explore: ((wish: Opened) => void) | null}} Drawing
 *   explore: null where nothing opens there
 */

/**
 * Examples by tenths, the largest first; all but the first of each fold away.
 * @param {CorpusHead} head @param {Drawing} drawing
 */
export function examplesOf(head, drawing) {
  const measure = head.measures.find((one) => one.key === head.ordered);
  return byDecile(head).map(({ decile, top, examples }) => {
    const [first, ...rest] = examples.map((one) => exampleCard(one, measure, drawing));
    const more = rest.length
      ? [h("details", {}, h("summary", {}, tn("One more", "{n} more", rest.length)), ...rest)]
      : [];
    const title = h("h4", {}, decileWords({ decile, top }, measure));
    return h("li", { class: "ax-corpus-tenth" }, title, first, ...more);
  });
}

/** @param {import("../numbers/corpushead.js").Example} example @param {HeadMeasure | undefined} measure @param {Drawing} drawing */
function exampleCard(example, measure, drawing) {
  const value = h("strong", { class: "ax-number" }, inDigits(example.value, measure));
  const number = t("text {n}", { n: grouped(example.text + 1) });
  return cardOf(example, [value, ` · ${number}`], drawing);
}

/** Texts in which the head links such words most. @param {CorpusHead} head @param {Drawing} drawing */
export const hitsOf = (head, drawing) =>
  (head.search?.hits ?? []).map((hit) => {
    const value = h("strong", { class: "ax-number" }, hit.value.toFixed(3));
    const why = h("span", { class: "ax-help" }, ` = ${hitWords(hit)}`);
    return h("li", {}, cardOf(hit, [value, why], drawing));
  });

/** @param {Text} text @param {(Node | string)[]} says @param {Drawing} drawing */
function cardOf(text, says, drawing) {
  const words = wordsOf(text);
  const shade = (/** @type {number} */ query) => shadeWords(text, words, query, drawing.theme);
  const named = namedPairs(text);
  const pairs = named.map((pair) => pairButton(text, pair, shade, drawing));
  if (named.length) shade(named[0][0]);
  const said = h("p", { class: "ax-corpus-words", dir: "auto" });
  const { before, after } = gapsOf(text);
  text.places.forEach((place, i) => {
    if (before.has(place)) said.append("… ");
    said.append(words[i], " ");
  });
  if (after) said.append("…");
  return h(
    "article",
    { class: "ax-corpus-text" },
    h("p", { class: "ax-corpus-value" }, ...says),
    said,
    h("p", { class: "ax-corpus-pairs" }, ...pairs),
  );
}

/** @param {Text} text */
const wordsOf = ({ tokens }) => tokens.map((token) => h("span", { dir: "auto" }, token));

/**
 * A pair: pointed at, it shades its text; pressed, it opens there.
 * @param {Text} text @param {Pair} pair @param {(query: number) => void} shade @param {Drawing} drawing
 */
function pairButton(text, pair, shade, { explore }) {
  const [query, key] = pair;
  const words = pairWords(text, pair);
  const point = () => shade(query);
  if (!explore) {
    const mark = h("span", { class: "ax-chip", tabindex: "0" }, words);
    mark.addEventListener("pointerenter", point);
    mark.addEventListener("focus", point);
    return mark;
  }
  const title = t("Open this text in Explore, at this pair");
  const open = () => explore({ text: text.text, query, key });
  const button = pushButton(words, title, open, "ax-chip");
  button.dir = "auto";
  button.addEventListener("pointerenter", point);
  button.addEventListener("focus", point);
  return button;
}

/** @param {Text} text @param {HTMLElement[]} words @param {number} query @param {Theme} theme */
function shadeWords(text, words, query, theme) {
  const shades = shadesOf(text, query);
  words.forEach((word, i) => {
    const place = text.places[i];
    const level = Math.round(255 * (shades.get(place) ?? 0));
    word.classList.toggle("ax-here", place === query);
    word.style.background = level ? theme.fills[level] : "";
    word.style.color = level ? theme.inks[level] : "";
  });
}
