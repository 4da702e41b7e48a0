// The picture in words. A sentence is a list of parts; a part in [brackets of an array] is a
// token of the reader's text and is only ever set as text.

import { columnOf, digits, percent, received, rowOf, sinkOf } from "./model.js";

/**
 * @typedef {import("./model.js").Picture} Picture
 * @typedef {string | [string]} Part
 * @typedef {{row: number | null, column: number | null}} Focus
 */

/**
 * @param {number} layer @param {number[]} heads @param {number} nHeads @param {"mean" | "max"} how
 */
export function nameOf(layer, heads, nHeads, how) {
  if (heads.length === 1) return `Layer ${layer}, head ${heads[0]}`;
  const which = heads.length === nHeads ? `all ${nHeads} heads` : `heads ${heads.join(", ")}`;
  return `Layer ${layer}, ${how} of ${which}`;
}

/** @param {Float32Array} weights @param {number} count @returns {number[]} heaviest first */
function strongest(weights, count) {
  return Array.from(weights.keys())
    .filter((i) => weights[i] > 0)
    .sort((a, b) => weights[b] - weights[a])
    .slice(0, count);
}

/** @param {number[]} found @param {{text: string}[]} units @param {Float32Array} weights @returns {Part[]} */
function listed(found, units, weights) {
  return found.flatMap(
    (i, k) =>
      /** @type {Part[]} */ ([k ? ", then " : " ", [units[i].text], ` (${digits(weights[i])})`]),
  );
}

/**
 * What is pointed at, or the whole head if nothing is.
 * @param {string} name @param {Picture} picture @param {Focus} focus
 * @param {Float32Array} [shares] what each key gets, where known already
 * @returns {Part[]}
 */
export function sentence(name, picture, { row, column }, shares = received(picture)) {
  const { weights, rows, columns } = picture;
  if (row !== null && column !== null) {
    const weight = weights[row * columns.length + column];
    return [
      `${name}: `,
      [rows[row].text],
      " looks at ",
      [columns[column].text],
      ` with weight ${digits(weight)}.`,
    ];
  }
  if (row !== null) {
    const given = rowOf(picture, row);
    const found = strongest(given, 3);
    if (!found.length) return [`${name}: `, [rows[row].text], " may look at nothing here."];
    return [`${name}: `, [rows[row].text], " looks most at", ...listed(found, columns, given), "."];
  }
  if (column !== null) {
    const got = columnOf(picture, column);
    const found = strongest(got, 3);
    const share = percent(shares[column]);
    if (!found.length) return [`${name}: nothing looks at `, [columns[column].text], "."];
    return [
      `${name}: `,
      [columns[column].text],
      " is looked at most by",
      ...listed(found, rows, got),
      `; it gets ${share} of all the attention.`,
    ];
  }
  return [`${name}: point at a word to see where it looks; click to pin it.`];
}

/**
 * Where most of the attention drains to, measured on what is shown.
 * @param {Picture} picture @param {string} whose "this head’s" or "these heads’"
 * @param {Float32Array} [shares] what each key gets, where known already
 * @returns {Part[]}
 */
export function sinkNote(picture, whose, shares = received(picture)) {
  const sink = sinkOf(picture, shares);
  if (!sink) return [];
  return [`${percent(sink.share)} of ${whose} attention goes to `, [sink.text], "."];
}

/**
 * What special tokens took, and what was done about it.
 * @param {import("./model.js").Specials} specials @param {number} hiddenShare @param {string} whose
 */
export function hiddenNote(specials, hiddenShare, whose) {
  const share = percent(hiddenShare);
  return specials === "hidden"
    ? `Special tokens are hidden; they get ${share} of ${whose} attention, so rows sum to less than 1.`
    : `Special tokens are hidden; the ${share} of ${whose} attention that they get is left out and each row divided by what remains.`;
}

/**
 * What the full colour stands for.
 * @param {import("./model.js").Scale} scale @param {Float32Array} tops
 */
export function scaleNote(scale, tops) {
  if (scale === "absolute") return "Full colour: weight 1.";
  if (scale === "row") return "Full colour: the row’s largest weight on an ordinary token.";
  return `Full colour: ${digits(tops[0] ?? 1)} and more, the 98th percentile over ordinary keys.`;
}

/** @type {["previous" | "next" | "self" | "repeat", string][]} */
const HABITS = [
  ["previous", "the token before"],
  ["next", "the token after"],
  ["self", "the token itself"],
  ["repeat", "the same word elsewhere"],
];
const HABIT = 0.3; // a share from which a habit is worth naming
const [SHARP, BROAD] = [1 / 3, 3 / 4]; // of the possible entropy

/**
 * What a head does on this text, from its numbers.
 * @param {import("./model.js").Profile} profile
 */
export function caption(profile) {
  const [found] = HABITS.filter(([name]) => profile[name] >= HABIT).sort(
    ([a], [b]) => profile[b] - profile[a],
  );
  const { entropy, possible } = profile;
  const how = entropy < SHARP * possible ? "sharp" : entropy > BROAD * possible ? "broad" : "mixed";
  const bits = `${entropy.toFixed(1)} of ${possible.toFixed(1)} bits`;
  const spread = `${how} (entropy ${bits})`;
  return found
    ? `Mostly ${found[1]} (${percent(profile[found[0]])} of the attention); ${spread}.`
    : `No simple habit of place; ${spread}.`;
}
