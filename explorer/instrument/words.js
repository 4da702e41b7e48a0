// The picture in words. A sentence is a list of parts; a part in [brackets of an array] is a
// token of the reader's text and is only ever set as text.

import { digits, givenBy, gotBy, numberOf, percent, received, sinkOf } from "./model.js";

/**
 * @typedef {import("./model.js").Picture} Picture
 * @typedef {string | [string]} Part
 * @typedef {{rows: number[], columns: number[]}} Focus units pointed at or pinned, in order
 */

/**
 * @param {"row" | "column"} side @param {number[]} units
 * @returns {Focus}
 */
export const focusOn = (side, units) =>
  side === "row" ? { rows: units, columns: [] } : { rows: [], columns: units };

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

const NAMED = 6; // units of a group that are named; of a larger one the ends

/**
 * The names of some units, with how many where not all are named.
 * @param {number[]} chosen @param {{text: string}[]} units
 * @returns {Part[]}
 */
export function named(chosen, units) {
  const text = (/** @type {number[]} */ some) => some.map((i) => units[i].text).join(" ");
  if (chosen.length <= NAMED) return [[text(chosen)]];
  return [
    [text(chosen.slice(0, 3))],
    " … ",
    [text(chosen.slice(-2))],
    ` (${chosen.length} tokens)`,
  ];
}

/**
 * What is pointed at, or the whole head if nothing is.
 * @param {string} name @param {Picture} picture @param {Focus} focus
 * @param {() => Float32Array} [shares] what each key gets
 * @returns {Part[]}
 */
export function sentence(name, picture, focus, shares = () => received(picture)) {
  const { rows, columns } = focus;
  if (rows.length && columns.length) return pairSentence(name, picture, rows, columns);
  if (rows.length) return rowSentence(name, picture, rows);
  if (columns.length) return columnSentence(name, picture, columns, shares());
  return [`${name}: point at a word to see where it looks; click to pin it.`];
}

/** @param {string} name @param {Picture} picture @param {number[]} rows @param {number[]} columns @returns {Part[]} */
function pairSentence(name, picture, rows, columns) {
  const weight = digits(numberOf(picture, rows, columns));
  const looks = rows.length > 1 ? ", on average, look at " : " looks at ";
  const all = columns.length > 1 ? ", taken together," : "";
  return [
    `${name}: `,
    ...named(rows, picture.rows),
    looks,
    ...named(columns, picture.columns),
    `${all} with weight ${weight}.`,
  ];
}

/** @param {string} name @param {Picture} picture @param {number[]} rows @returns {Part[]} */
function rowSentence(name, picture, rows) {
  const given = givenBy(picture, rows);
  const found = strongest(given, 3);
  const who = named(rows, picture.rows);
  if (!found.length) return [`${name}: `, ...who, " may look at nothing here."];
  const looks = rows.length > 1 ? ", on average, look most at" : " looks most at";
  return [`${name}: `, ...who, looks, ...listed(found, picture.columns, given), "."];
}

/** @param {string} name @param {Picture} picture @param {number[]} columns @param {Float32Array} shares @returns {Part[]} */
function columnSentence(name, picture, columns, shares) {
  const got = gotBy(picture, columns);
  const found = strongest(got, 3);
  const what = named(columns, picture.columns);
  if (!found.length) return [`${name}: nothing looks at `, ...what, "."];
  const [are, it] = columns.length > 1 ? [", taken together, are", "they get"] : [" is", "it gets"];
  const share = percent(columns.reduce((sum, c) => sum + shares[c], 0));
  return [
    `${name}: `,
    ...what,
    `${are} looked at most by`,
    ...listed(found, picture.rows, got),
    `; ${it} ${share} of all the attention.`,
  ];
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
  if (profile.crosses) return `From one text to the other; ${spread}.`;
  return found
    ? `Mostly ${found[1]} (${percent(profile[found[0]])} of the attention); ${spread}.`
    : `No simple habit of place; ${spread}.`;
}

/**
 * Where following attention down has led to.
 * @param {string} start what is followed, in words @param {Part[]} name the units, where chosen
 * @param {import("./path.js").Path} path @param {{text: string}[]} units
 * @param {number} residual per cent
 * @returns {Part[]}
 */
export function pathSentence(start, name, path, units, residual) {
  const input = Float32Array.from(path.mass[0]);
  const found = strongest(input, 3);
  const kept = `(attention rollout; residual share ${residual} %)`;
  return [`${start} `, ...name, " draws most on", ...listed(found, units, input), ` ${kept}.`];
}
