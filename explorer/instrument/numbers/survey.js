// A survey of all heads as it is sent, and what can be said of it without a page.

import { read } from "../wire/container.js";

/**
 * @typedef {(number | null)[]} Numbers one for each head, layer by layer
 * @typedef {{key: string, name: string, unit: "share" | "bits" | "tokens", words: string,
 *            mean: Numbers, spread: Numbers, n_texts: number}} Measure
 * @typedef {{text: string, special: boolean, word: number | null}} Pointable
 * @typedef {[number, number, number]} Pair a text, and the positions of two of its tokens
 * @typedef {{weight: Numbers, spread: Numbers, baseline: Numbers, others: Numbers}} Found
 *   baseline: of other tokens at the same distance; others: of other tokens to the same word
 * @typedef {{id: string, link: Record<string, string> | null, title: string, passport: string, numbers: number[],
 *            n_heads: number, n_texts: number, n_placed: number, measures: Measure[],
 *            kinds: string[], heads: {kind: number, evidence: string, sink: string}[],
 *            places: [number, number][], stress: number, texts: Pointable[][], pairs: Pair[],
 *            found: Found | null,
 *            rows_placed: number | null, thumb: [number, number]}} Heads
 *   rows_placed: over how many rows of the first text heads are placed, where not over all
 */

export const POINTED = "pointed";
export const BEYOND = "beyond";
export const MOST_PAIRS = 40;

/** @param {Uint8Array} bytes */
export function unpackHeads(bytes) {
  const { head, blocks } = read(bytes);
  const { data, shape } = blocks[0];
  /** @type {Heads} */
  const heads = { ...head, thumb: [shape[2], shape[3]] };
  return { heads, thumbs: /** @type {Uint8Array<ArrayBuffer>} */ (data) };
}

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
  const many = pairs.length;
  /** @type {Measure[]} */
  const pointed = [
    {
      ...{ key: POINTED, name: "attention from the pointed words to the others", unit: "share" },
      ...{ words: "gives {} from the pointed words to the others", mean: weight, spread },
      n_texts: many,
    },
    {
      ...{ key: BEYOND, name: "the same, beyond what others give", unit: "share" },
      words: "gives {} more than others give to the same word, or at the same distance",
      ...{ mean: beyond, spread: spread.map(() => 0), n_texts: many },
    },
  ];
  return [...pointed, ...measures];
}

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
    other === null ? "" : `Other words give that word ${other.toFixed(3)}`,
    base === null ? "" : `at the same distance others give ${base.toFixed(3)}`,
  ].filter(Boolean);
  if (!parts.length) return "No other word to compare with.";
  const beyond = (/** @type {number} */ mine, /** @type {number | null} */ x) =>
    x === null || (mine > 2 * x && mine > x + 0.05);
  const above = (/** @type {number | null} */ x) => beyond(w, x);
  const weak = w - (spread[i] ?? 0);
  const steady = beyond(weak, other) && beyond(weak, base);
  const judged = !above(other)
    ? "it may look there whoever asks."
    : !above(base)
      ? "it may be no more than their distance."
      : !steady
        ? `it finds some of these pairs and not others (± ${(spread[i] ?? 0).toFixed(3)}).`
        : "it is this pair that it finds.";
  return `${parts.join("; ")}: ${judged}`;
}

/** The positions of a whole word. @param {Pointable[]} tokens @param {number} one @param {number} other */
export const sameWord = (tokens, one, other) =>
  one === other || (tokens[one]?.word !== null && tokens[one]?.word === tokens[other]?.word);

/** @param {Pointable[]} tokens @param {number} at */
export const wordAt = (tokens, at) =>
  tokens
    .filter((_, i) => sameWord(tokens, at, i))
    .map((token) => token.text.replace(/^##/, ""))
    .join("");
