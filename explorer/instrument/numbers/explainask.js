// What is asked of a model on Explain: the kinds of target, which of them it has, and how words go.

import { t } from "./language.js";

/**
 * @typedef {"like" | "word" | "class" | "vector" | "next" | "span"} Kind
 * @typedef {{kind: Kind, other: string, first: boolean, at: number | null, guess: string,
 *            label: number | null, versus: string, logit: boolean, start: number, end: number,
 *            how: "replace" | "drop" | "cut", neutral: string, by_word: boolean,
 *            whole_flow: boolean}} Wish
 *   what is asked for; explain.py checks it
 * @typedef {{wish: Wish, reasons: Record<Kind, string> | null, classes: string[],
 *            tokens: {text: string, special: boolean}[], answers: boolean, stale: boolean}} Bar
 *   reasons: why the model has a kind of target not, empty where it has it; null while that is not
 *   known; answers: whether what is called a next word is an answer at a token; stale: whether what is shown was found for something else
 */

/** @type {[Kind, string, string][]} */
export const KINDS = [
  ["like", t("likeness to a text"), t("How like its vector is to that of another text")],
  [
    "word",
    t("a masked word"),
    t("How likely the model holds a word in a place where it is masked"),
  ],
  ["next", t("the next word"), t("How likely a decoder holds a word after another")],
  [
    "span",
    t("a written span"),
    t("How likely a decoder holds some words, each after those before"),
  ],
  ["class", t("a class"), t("How high the model scores one of its classes")],
  ["vector", t("a word’s output"), t("How long a word’s vector is when it comes out of the model")],
];

/** What a kind of target is called. @param {Kind} kind @param {boolean} answers */
export const kindName = (kind, answers) =>
  kind === "next" && answers ? t("an answer") : (KINDS.find(([one]) => one === kind)?.[1] ?? "");

/** Whether a target is about one word, which a click chooses. @param {Kind} kind */
export const asksWord = (kind) => ["word", "vector", "next", "span"].includes(kind);

/** What is asked of the words. @param {Kind} kind @param {boolean} [answers] */
export function whichWord(kind, answers = false) {
  if (kind === "next") return answers ? t("At which token") : t("After which word");
  return kind === "span" ? t("From which word, to which") : t("Which word");
}

/**
 * What a click on a word asks for: of a span first where it begins, then where it ends.
 * @param {Wish} wish @param {number} at
 * @returns {Partial<Wish>}
 */
export function clicked({ kind, start, end }, at) {
  if (kind !== "span") return { at };
  return end === start + 1 && at > start ? { end: at + 1 } : { start: at, end: at + 1 };
}

/** Whether a word is chosen. @param {Wish} wish @param {number} at @param {number | null} found */
export function isChosen({ kind, start, end, at: asked }, at, found) {
  return kind === "span" ? start <= at && at < end : at === (asked ?? found);
}

/** The first sentence of some, without its end. @param {string} text */
const firstOf = (text) => text.split(/(?<=\.)\s|(?<=。)/)[0].replace(/[.。]$/, "");

/** What is grey and why, in short; empty where nothing is. @param {Bar} bar */
export function greyedSentence({ reasons, answers }) {
  const grey = KINDS.flatMap(([kind, name]) => {
    const why = reasons?.[kind];
    return why ? [{ name, why }] : [];
  });
  if (!grey.length) return "";
  if (answers) return t("{sentence}.", { sentence: firstOf(grey[0].why) });
  if (grey.length === KINDS.length) return t("None of these can be explained of what you chose.");
  const kinds = grey
    .map(({ name, why }) => t("{name} ({why})", { name, why: firstOf(why) }))
    .reduce((start, next) => t("{start}; {next}", { start, next }));
  return t("Not here: {kinds}.", { kinds });
}

/**
 * What is not as it usually is: each with a name, and the wish without it.
 * @param {Wish} wish @returns {{name: string, without: Partial<Wish>}[]}
 */
export function unusual({ how, neutral, by_word, whole_flow }) {
  /** @type {[boolean, string, Partial<Wish>][]} */
  const all = [
    [how === "drop", t("words are dropped"), { how: "replace" }],
    [how === "cut", t("words are cut out of attention"), { how: "replace" }],
    [
      how === "replace" && neutral !== "",
      t("“{word}” in their place", { word: neutral }),
      { neutral: "" },
    ],
    [!by_word, t("piece by piece"), { by_word: true }],
    [whole_flow, t("attention flow in full"), { whole_flow: false }],
  ];
  return all.flatMap(([is, name, without]) => (is ? [{ name, without }] : []));
}

/** A token as it is written in a line of text. @param {string} text */
export const tokenText = (text) => text.replace(/^##/, "");

/** The names of the classes to choose from, the likeliest first. @param {string[]} classes */
export const classChoices = (classes) => [
  /** @type {[string, string]} */ (["", t("the likeliest")]),
  ...classes.map((name, i) => /** @type {[string, string]} */ ([String(i), classText(name, i)])),
];

/** @param {string} name @param {number} i */
const classText = (name, i) => (name && name !== String(i) ? `${name} (${i})` : String(i));
