// The picture in words. A sentence is a list of parts; a part in [brackets of an array] is a
// token of the reader's text and is only ever set as text.

import { headName } from "./headname.js";
import { digits, EVEN_SHARES, percent, sinkOf } from "./model.js";

/**
 * @typedef {import("./model.js").Picture} Picture
 * @typedef {string | [string]} Part
 * @typedef {{rows: number[], columns: number[]}} Focus units pointed at or pinned, in order
 * @typedef {{name: string, base: string, picture: Picture, most: boolean,
 *            given: (rows: number[]) => Float32Array, got: (columns: number[]) => Float32Array | null,
 *            number: (rows: number[], columns: number[]) => number | null,
 *            shares: () => Float32Array | null, nowhere: (rows: number[]) => number,
 *            noun?: string}} Said
 *   what is said of some heads. noun: what several units are called; number, shares: null while
 *   they are added up elsewhere; most: whether cells are the largest of several heads; given: where
 *   rows look; got: who looks at columns; shares: what each column gets of the base, all tokens'
 *   attention; nowhere: what rows give to no token
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
  if (heads.length === 1) return headName(layer, heads[0]);
  const which =
    heads.length === nHeads ? `all ${nHeads} heads` : heads.map((head) => `H${head}`).join(", ");
  return `L${layer}, ${how} of ${which}`;
}

/** A count as it is written: 8,192. @param {number} n */
export const counted = (n) => n.toLocaleString("en");

/**
 * What every percentage is of. It is of the rows as the model has them: who rescales rows is told so,
 * as a long text's are added up before anyone rescales them.
 * @param {number} nQueries @param {number} nHeads @param {boolean} [rescaled] whether rows are
 */
export function baseOf(nQueries, nHeads, rescaled = false) {
  const whose =
    nQueries === 1 ? "the one token’s attention" : `all ${counted(nQueries)} tokens’ attention`;
  const where = nHeads === 1 ? whose : `${whose} in these ${nHeads} heads`;
  return rescaled ? `${where} before rescaling` : where;
}

/** @param {ArrayLike<number>} weights @param {number} count @returns {number[]} heaviest first */
function strongest(weights, count) {
  return Array.from({ length: weights.length }, (_, i) => i)
    .filter((i) => weights[i] > 0)
    .sort((a, b) => weights[b] - weights[a])
    .slice(0, count);
}

/** @param {number[]} found @param {{text: string}[]} units @param {ArrayLike<number>} weights @returns {Part[]} */
function listed(found, units, weights) {
  return found.flatMap(
    (i, k) =>
      /** @type {Part[]} */ ([k ? ", then " : " ", [units[i].text], ` (${digits(weights[i])})`]),
  );
}

const NAMED = 6; // units of a group that are named; of a larger one the ends

/**
 * The names of some units, with how many where not all are named.
 * @param {number[]} chosen @param {{text: string}[]} units @param {string} [noun] of several
 * @returns {Part[]}
 */
export function named(chosen, units, noun = "tokens") {
  const text = (/** @type {number[]} */ some) => some.map((i) => units[i].text).join(" ");
  if (chosen.length <= NAMED) return [[text(chosen)]];
  return [
    [text(chosen.slice(0, 3))],
    " … ",
    [text(chosen.slice(-2))],
    ` (${counted(chosen.length)} ${noun})`,
  ];
}

/**
 * What is pointed at, or the whole head if nothing is.
 * @param {Said} of @param {Focus} focus
 * @returns {Part[]}
 */
export function sentence(of, { rows, columns }) {
  if (rows.length && columns.length) return pairSentence(of, rows, columns);
  if (rows.length) return rowSentence(of, rows);
  if (columns.length) return columnSentence(of, columns);
  return [`${of.name}: ${POINT}`];
}

/** What the hand can do where nothing is pointed at; and what fingers can. */
export const POINT = "point at a word to see where it looks; click to pin it.";
export const TAP = "tap a word to see where it looks.";

const IN_ONE_HEAD = ", each in the head that gives most";

/** @param {Said} of @param {number[]} rows @param {number[]} columns @returns {Part[]} */
function pairSentence({ name, picture, most, number, noun }, rows, columns) {
  const found = number(rows, columns);
  const weight = found === null ? "that is still being added up" : digits(found);
  const looks = rows.length > 1 ? ", on average, look at " : " looks at ";
  const all = columns.length > 1 ? ", taken together," : "";
  return [
    `${name}: `,
    ...named(rows, picture.rows, noun),
    looks,
    ...named(columns, picture.columns, noun),
    `${all} with weight ${weight}${most ? " in the head that gives most" : ""}.`,
  ];
}

/** @param {Said} of @param {number[]} rows @returns {Part[]} */
function rowSentence({ name, picture, most, given, nowhere, noun }, rows) {
  const weights = given(rows);
  const found = strongest(weights, 3);
  const who = named(rows, picture.rows, noun);
  if (!found.length) return [`${name}: `, ...who, " may look at nothing here."];
  const looks = rows.length > 1 ? ", on average, look most at" : " looks most at";
  const lost = nowhere(rows);
  const whose = most ? ", on average over these heads" : ""; // beside largest numbers, a mean
  const sink = lost ? `; to no token, into the sink${whose}: ${digits(lost)}` : "";
  const end = `${most ? IN_ONE_HEAD : ""}${sink}.`;
  return [`${name}: `, ...who, looks, ...listed(found, picture.columns, weights), end];
}

/** @param {Said} of @param {number[]} columns @returns {Part[]} */
function columnSentence({ name, base, picture, most, got, shares, noun }, columns) {
  const weights = got(columns);
  const found = strongest(weights ?? [], 3);
  const what = named(columns, picture.columns, noun);
  if (!weights) return [`${name}: who looks at `, ...what, " is still being added up."];
  if (!found.length) return [`${name}: nothing looks at `, ...what, "."];
  const [are, it] = columns.length > 1 ? [", taken together, are", "they get"] : [" is", "it gets"];
  const gets = shares();
  const share = gets && percent(columns.reduce((sum, c) => sum + gets[c], 0));
  return [
    `${name}: `,
    ...what,
    `${are} looked at most by`,
    ...listed(found, picture.rows, weights),
    `${most ? IN_ONE_HEAD : ""}${share === null ? "" : `; ${it} ${share} of ${base}`}.`,
  ];
}

/**
 * Where most of the attention drains to.
 * @param {Said} of
 * @returns {Part[]}
 */
export function sinkNote({ base, picture, shares, nowhere }) {
  const found = sinkOf(picture.columns, shares() ?? []);
  const lost = nowhere([]);
  const none = lost ? ` ${percent(lost)} goes to no token: this model’s rows have a sink.` : "";
  return found ? [`${percent(found.share)} of ${base} goes to `, [found.text], `.${none}`] : [];
}

const NONE_HIDDEN = "There are no special tokens to look at here, so no attention is hidden.";

/**
 * What special tokens and the sink took, and what was done about it.
 * @param {import("./model.js").Specials} specials
 * @param {{base: string, most: boolean, hiddenShare: () => number | null,
 *          sinkShare: () => number}} of
 *   hiddenShare: what special tokens get of the base; null where there are none to look at
 */
export function hiddenNote(specials, { base, most, hiddenShare, sinkShare }) {
  const [hidden, lost] = [hiddenShare(), sinkShare()];
  const sunk = lost ? `the ${percent(lost)} that this model’s sink takes` : "";
  if (specials === "hidden") {
    const rows = most ? "each head’s rows sum to less than 1" : "rows sum to less than 1";
    const sink = lost ? `${percent(lost)} goes to no token, into this model’s sink` : "";
    if (hidden !== null) {
      const own = `Special tokens are hidden; they get ${percent(hidden)} of ${base}`;
      return `${own}${sink && `, and ${sink}`}, so ${rows}.`;
    }
    return `${NONE_HIDDEN}${sink && ` Of ${base} ${sink}, so ${rows}.`}`;
  }
  const how = "left out and each row divided by what remains.";
  if (hidden === null) return `${NONE_HIDDEN}${sunk && ` Of ${base} ${sunk} is ${how}`}`;
  const own = `Special tokens are hidden; the ${percent(hidden)} of ${base} that they get`;
  return sunk ? `${own} and ${sunk} are ${how}` : `${own} is ${how}`;
}

/**
 * What the full colour stands for.
 * @param {import("./model.js").Scale} scale @param {Float32Array} tops
 */
export function scaleNote(scale, tops) {
  if (scale === "absolute") return "Full colour: weight 1; tones rise with the square root.";
  if (scale === "row") return "Full colour: the row’s largest weight on an ordinary token.";
  const larger = `the larger of ${EVEN_SHARES} even shares and the 98th percentile over ordinary keys`;
  return `Full colour: ${digits(tops[0] ?? 1)} and more, ${larger}.`;
}

/** What it is called, and why it is not all. @type {["previous" | "next" | "self" | "repeat", string, string][]} */
const HABITS = [
  ["previous", "the token before", "; the first has none before it"],
  ["next", "the token after", "; the last has none after it"],
  ["self", "the token itself", ""],
  ["repeat", "the same word elsewhere", ""],
];
const HABIT = 0.3; // a share from which a habit is worth naming
const [SHARP, BROAD] = [1 / 3, 3 / 4]; // of the possible entropy

/**
 * Which rows an entropy is of, where these are not the ones that are painted.
 * @param {boolean} most whether the largest of several heads is painted
 * @param {boolean} rescaled whether rows are
 */
export const measuredOn = (most, rescaled) =>
  [most ? " of the heads’ mean" : "", rescaled ? ", before rescaling" : ""].join("");

/**
 * What a head does on this text, from its numbers.
 * @param {import("./model.js").Profile} profile @param {string} base what its shares are of
 * @param {string} [on] as `measuredOn` says it
 */
export function caption(profile, base, on = "") {
  const [found] = HABITS.filter(([name]) => profile[name] >= HABIT).sort(
    ([a], [b]) => profile[b] - profile[a],
  );
  const most = found && `Mostly ${found[1]} (${percent(profile[found[0]])} of ${base}${found[2]})`;
  const { entropy, possible } = profile;
  if (entropy === null) {
    return most ? `${most}.` : "No simple habit of place.";
  }
  const how = entropy < SHARP * possible ? "sharp" : entropy > BROAD * possible ? "broad" : "mixed";
  const bits = `${entropy.toFixed(1)} of ${possible.toFixed(1)} bits`;
  const spread = `${how} (entropy ${bits}, a mean over the rows${on})`;
  if (profile.crosses) return `From one text to the other; ${spread}.`;
  return most ? `${most}; ${spread}.` : `No simple habit of place; ${spread}.`;
}

/**
 * Where following attention down has led to.
 * @param {string} start what is followed, in words @param {Part[]} name the units, where chosen
 * @param {ArrayLike<number>} input what is drawn from each unit of the input
 * @param {{text: string}[]} units @param {string} how the rest of the sentence
 * @returns {Part[]}
 */
export function pathSentence(start, name, input, units, how) {
  const found = strongest(input, 3);
  return [`${start} `, ...name, " draws most on", ...listed(found, units, input), how];
}

/**
 * What is left out of a path, and what it assumes.
 * @param {{hidden: number, lost: number, rescaled: boolean, residual: number, numbers: number[]}} of
 *   hidden: the share that comes from special tokens that are hidden; lost: that goes to no token;
 *   residual: per cent; numbers: the model's own numbers of the layers that are passed, in order
 */
export function pathNote({ hidden, lost, rescaled, residual, numbers }) {
  const special = hidden >= 0.0005 ? `; ${percent(hidden)} comes from hidden special tokens` : "";
  const sink = lost >= 0.0005 ? `; ${percent(lost)} is lost to sinks` : "";
  const rows = rescaled ? "rows rescaled to ordinary tokens; " : "";
  return `${special}${sink} (attention rollout; ${rows}residual share ${residual} %${gapsIn(numbers)}).`;
}

/**
 * Which layers a path passes by: a hybrid has some without attention, also below the first with it.
 * @param {number[]} numbers of the layers with attention, ascending
 */
function gapsIn(numbers) {
  const runs = numbers.flatMap((number, i) => {
    const [first, last] = [i ? numbers[i - 1] + 1 : 0, number - 1];
    if (first > last) return [];
    return [first === last ? `${first}` : `${first}–${last}`];
  });
  if (!runs.length) return "";
  const one = runs.length === 1 && !runs[0].includes("–");
  const which = one ? `layer ${runs[0]} has` : `layers ${runs.join(", ")} have`;
  return `; ${which} no attention and ${one ? "is" : "are"} left out`;
}
