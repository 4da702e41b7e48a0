// A survey of all heads as it is sent, and what can be said of it without a page.

import { read } from "../wire/container.js";
import { sentences, t } from "./language.js";

/**
 * @typedef {import("../parts/about.js").About} About
 * @typedef {{head: number, view: Record<string, string>, words: [string, string],
 *            given: Pair | null}} Place where the reader looks on all pages
 *   head: counted through all layers, -1 where this model has it not; view: as a link writes it;
 *   given: the words that are pinned, as a pair of the first text
 * @typedef {(number | null)[]} Numbers one for each head, layer by layer
 * @typedef {{key: string, group: string, name: string, short: string, exactly: string,
 *            unit: "share" | "bits" | "tokens" | "sd", words: string, mean: Numbers, spread: Numbers,
 *            n_texts: number, farthest: number[], extreme: Numbers}} Measure
 *   name: alone; short: among those of its group; farthest: of several texts the one that is
 *   farthest from the mean, for each head; extreme: the number there
 * @typedef {"counted" | "left_out"} Specials whether special tokens count
 * @typedef {{measures: Measure[], heads: {kind: number, evidence: string, sink: string}[]}} Habits
 * @typedef {{text: string, special: boolean, word: number | null}} Pointable
 * @typedef {[number, number, number]} Pair a text, and the positions of two of its tokens
 * @typedef {{weight: Numbers, spread: Numbers, baseline: Numbers, others: Numbers,
 *            each: Numbers[]}} Found
 *   baseline: of other tokens at the same distance; others: of other tokens to the same word; each:
 *   the weights in each pair, of which weight is the mean
 * @typedef {{id: string, link: Record<string, string> | null, about: About, numbers: number[],
 *            n_heads: number, n_texts: number, n_placed: number, kinds: string[],
 *            counted: Habits, left_out: Habits | null,
 *            places: [number, number][], stress: number, texts: Pointable[][],
 *            begins: string[], pairs: Pair[],
 *            found: Found | null, repeats: import("./repeats.js").Repeats | null, place: Place, opening: Record<string, string> | null,
 *            rows_placed: number | null, thumb: [number, number]} & Habits} Heads
 *   measures and heads are those of `counted` or of `left_out`, which is null where no token is
 *   special; opening: the view of a file; begins: how each text begins; rows_placed: over how many rows of the first text heads are placed, where not over all
 */

export const POINTED = "pointed";
export const BEYOND = "beyond";
export const MOST_PAIRS = 40;

/**
 * Whose survey is still being made; null of one that is here.
 * @param {Uint8Array} bytes @returns {About | null}
 */
export const waitsIn = (bytes) => read(bytes).head.waits ?? null;

/** @param {Uint8Array} bytes */
export function unpackHeads(bytes) {
  const { head, blocks } = read(bytes);
  const [{ data, shape }, file] = blocks;
  /** @type {Heads} */
  const heads = { ...head, ...head.counted, thumb: [shape[2], shape[3]] };
  const [thumbs, page] = /** @type {Uint8Array<ArrayBuffer>[]} */ ([data, file.data]);
  return { heads, thumbs, page };
}

/**
 * The same survey with special tokens or without, where it has any.
 * @param {Heads} heads @param {Specials} specials @returns {Heads}
 */
export const habitsOf = (heads, specials) => ({ ...heads, ...(heads[specials] ?? heads.counted) });

/**
 * All measures: the survey's own, and those of the words that were pointed at.
 * @param {Heads} heads @returns {Measure[]}
 */
export function measuresOf({ measures, found, pairs }) {
  if (!found) return measures;
  const { weight, spread, baseline, others } = found;
  const beyond = weight.map((w, i) => {
    const [base, other] = [baseline[i], others[i]];
    return w === null || (base === null && other === null)
      ? null
      : w - Math.max(base ?? 0, other ?? 0);
  });
  const shared = { group: t("Pointed words"), n_texts: pairs.length, farthest: [], extreme: [] };
  /** @type {Measure[]} */
  const pointed = [
    {
      ...{ ...shared, key: POINTED, unit: "share", mean: weight, spread },
      name: t("attention from the pointed words to the others"),
      short: t("from the pointed words to the others"),
      words: t("gives {number} from the pointed words to the others"),
      exactly: sentences(OF_A_PAIR, t("The mean over the pairs. Special tokens count.")),
    },
    {
      ...{ ...shared, key: BEYOND, unit: "share", mean: beyond, spread: spread.map(() => 0) },
      name: t("the same, beyond what others give"),
      short: t("the same, beyond what others give"),
      words: t("gives {number} more than others give to the same word, or at the same distance"),
      exactly: sentences(
        OF_A_PAIR,
        t(
          "Less what all other tokens give to that word, or what is given at the same distance, whichever is more.",
        ),
      ),
    },
  ];
  return [...pointed, ...measures];
}

const OF_A_PAIR = t(
  "What the word that looks gives to the other: added up over the pieces that are looked at, the mean over those that look.",
);

/**
 * The heads of some kinds by a measure; those without a number last.
 * @param {Heads} heads @param {Measure} measure @param {number[]} kinds none means all
 * @param {boolean} lowest
 */
export function rankHeads(heads, measure, kinds, lowest) {
  const sign = lowest ? 1 : -1;
  return heads.heads
    .map((_, i) => i)
    .filter((i) => !kinds.length || kinds.includes(heads.heads[i].kind))
    .sort((i, j) => {
      const [one, other] = [measure.mean[i], measure.mean[j]];
      if (one === null || other === null) return Number(one === null) - Number(other === null);
      return sign * (one - other) || i - j;
    });
}

/** @param {string} text @returns {Pair[]} */
export function readPairs(text) {
  return text
    .split("_")
    .map((pair) => pair.split("-").map(Number))
    .filter((pair) => pair.length === 3 && pair.every((x) => Number.isInteger(x) && x >= 0))
    .slice(0, MOST_PAIRS)
    .map(([one, two, three]) => [one, two, three]);
}

/** @param {number | null} value @param {Measure} measure */
export const inDigits = (value, { unit }) =>
  value === null ? "—" : value.toFixed(unit === "share" ? 3 : 2).replace("-", "−");

/**
 * Whether a head follows the words, or only their distance, or one of them. It finds the pair where
 * it gives the words clearly more than others do even in a weak example, one standard deviation
 * below the mean.
 * @param {Found} found @param {number} i
 */
export function verdict({ weight, spread, baseline, others }, i) {
  const [w, base, other] = [weight[i] ?? 0, baseline[i], others[i]];
  const parts = [
    other === null ? "" : t("Other words give that word {number}", { number: other.toFixed(3) }),
    base === null
      ? ""
      : t("at the same distance others give {number}", { number: base.toFixed(3) }),
  ].filter(Boolean);
  if (!parts.length) return t("No other word to compare with.");
  const beyond = (/** @type {number} */ mine, /** @type {number | null} */ x) =>
    x === null || (mine > 2 * x && mine > x + 0.05);
  const above = (/** @type {number | null} */ x) => beyond(w, x);
  const weak = w - (spread[i] ?? 0);
  const steady = beyond(weak, other) && beyond(weak, base);
  const judged = !above(other)
    ? t("it may look there whoever asks.")
    : !above(base)
      ? t("it may be no more than their distance.")
      : !steady
        ? t("it finds some of these pairs and not others (± {spread}).", {
            spread: (spread[i] ?? 0).toFixed(3),
          })
        : t("it is this pair that it finds.");
  const numbers = parts.reduce((start, next) => t("{start}; {next}", { start, next }));
  return t("{numbers}: {judged}", { numbers, judged });
}

/**
 * A head’s number in each of several pairs, in the order in which they were chosen.
 * @param {Found} found @param {number} i
 */
export const eachOf = ({ each }, i) =>
  each.length > 1 ? each.map((weights) => (weights[i] ?? 0).toFixed(3)) : [];

/** The model’s own number of a head’s layer, and the head’s in it. @param {Heads} heads @param {number} i */
export const placeOf = ({ n_heads, numbers }, i) => ({
  layer: numbers[Math.floor(i / n_heads)] ?? 0,
  head: i % n_heads,
});

/** The positions of a whole word. @param {Pointable[]} tokens @param {number} at */
export const piecesAt = (tokens, at) =>
  tokens.flatMap((_, i) => (sameWord(tokens, at, i) ? i : []));

/** Whether two positions are of one word. @param {Pointable[]} tokens @param {number} one @param {number} other */
export const sameWord = (tokens, one, other) =>
  one === other || (tokens[one]?.word !== null && tokens[one]?.word === tokens[other]?.word);

/** @param {Pointable[]} tokens @param {number} at */
export const wordAt = (tokens, at) =>
  piecesAt(tokens, at)
    .map((i) => tokens[i].text.replace(/^##/, ""))
    .join("");
