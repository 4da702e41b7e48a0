// The picture in words. A sentence is a list of parts; a part in [brackets of an array] is a
// token of the reader's text and is only ever set as text.

import { headName } from "./headname.js";
import { placed, sentences, sentencesInParts, t, tc, tn } from "./language.js";
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
    heads.length === nHeads
      ? t("all {n} heads", { n: nHeads })
      : heads.map((head) => `H${head}`).join(", ");
  return how === "max"
    ? t("L{layer}, max of {heads}", { layer, heads: which })
    : t("L{layer}, mean of {heads}", { layer, heads: which });
}

/** A count as it is written: 8,192. @param {number} n */
export const counted = (n) => n.toLocaleString("en");

/**
 * What every percentage is of. It is of the rows as the model has them: who rescales rows is told so,
 * as a long text's are added up before anyone rescales them.
 * @param {number} nQueries @param {number} nHeads @param {boolean} [rescaled] whether rows are
 */
export function baseOf(nQueries, nHeads, rescaled = false) {
  const tokens = counted(nQueries);
  const whose = tn("the one token’s attention", "all {tokens} tokens’ attention", nQueries, {
    tokens,
  });
  const where =
    nHeads === 1 ? whose : t("{attention} in these {n} heads", { attention: whose, n: nHeads });
  return rescaled ? t("{attention} before rescaling", { attention: where }) : where;
}

/** @param {ArrayLike<number>} weights @param {number} count @returns {number[]} heaviest first */
function strongest(weights, count) {
  return Array.from({ length: weights.length }, (_, i) => i)
    .filter((i) => weights[i] > 0)
    .sort((a, b) => weights[b] - weights[a])
    .slice(0, count);
}

/** @param {number[]} found @param {{text: string}[]} units @param {ArrayLike<number>} weights @returns {Part[]} */
function inOrder(found, units, weights) {
  const each = found.map((i) =>
    placed(t("{token} ({weight})"), { token: [[units[i].text]], weight: digits(weights[i]) }),
  );
  return each.reduce((first, next) => placed(t("{first}, then {next}"), { first, next }));
}

const NAMED = 6; // units of a group that are named; of a larger one the ends

/**
 * The names of some units, with how many where not all are named.
 * @param {number[]} chosen @param {{text: string}[]} units @param {string} [noun] of several
 * @returns {Part[]}
 */
export function named(chosen, units, noun = t("tokens")) {
  const text = (/** @type {number[]} */ some) => some.map((i) => units[i].text).join(" ");
  if (chosen.length <= NAMED) return [[text(chosen)]];
  return placed(t("{first} … {last} ({n} {noun})"), {
    ...{ first: [[text(chosen.slice(0, 3))]], last: [[text(chosen.slice(-2))]] },
    ...{ n: counted(chosen.length), noun },
  });
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
  return [t("{name}: {what}", { name: of.name, what: POINT })];
}

/** What the hand can do where nothing is pointed at; and what fingers can. */
export const POINT = t("point at a word to see where it looks; click to pin it.");
export const TAP = t("tap a word to see where it looks.");

/** Where the largest of several heads is told. @param {Part[]} found @param {boolean} most */
const inItsHead = (found, most) =>
  most ? placed(t("{found}, each in the head that gives most"), { found }) : found;

/** @param {Said} of @param {number[]} rows @param {number[]} columns @returns {Part[]} */
function pairSentence({ name, picture, most, number, noun }, rows, columns) {
  const found = number(rows, columns);
  const value = found === null ? t("that is still being added up") : digits(found);
  const weight = most ? t("{weight} in the head that gives most", { weight: value }) : value;
  const keys = named(columns, picture.columns, noun);
  const what = columns.length > 1 ? placed(t("{tokens}, taken together,"), { tokens: keys }) : keys;
  const says =
    rows.length > 1
      ? t("{name}: {who}, on average, look at {what} with weight {weight}.")
      : t("{name}: {who} looks at {what} with weight {weight}.");
  return placed(says, { name, who: named(rows, picture.rows, noun), what, weight });
}

/** @param {Said} of @param {number[]} rows @returns {Part[]} */
function rowSentence({ name, picture, most, given, nowhere, noun }, rows) {
  const weights = given(rows);
  const found = strongest(weights, 3);
  const who = named(rows, picture.rows, noun);
  if (!found.length) return placed(t("{name}: {who} may look at nothing here."), { name, who });
  const strong = inItsHead(inOrder(found, picture.columns, weights), most);
  const lost = nowhere(rows);
  const sink = most // beside largest numbers, a mean
    ? t("{found}; to no token, into the sink, on average over these heads: {weight}")
    : t("{found}; to no token, into the sink: {weight}");
  const all = lost ? placed(sink, { found: strong, weight: digits(lost) }) : strong;
  const says =
    rows.length > 1
      ? t("{name}: {who}, on average, look most at {found}.")
      : t("{name}: {who} looks most at {found}.");
  return placed(says, { name, who, found: all });
}

/** @param {Said} of @param {number[]} columns @returns {Part[]} */
function columnSentence({ name, base, picture, most, got, shares, noun }, columns) {
  const weights = got(columns);
  const found = strongest(weights ?? [], 3);
  const what = named(columns, picture.columns, noun);
  if (!weights)
    return placed(t("{name}: who looks at {what} is still being added up."), { name, what });
  if (!found.length) return placed(t("{name}: nothing looks at {what}."), { name, what });
  const several = columns.length > 1;
  const strong = inItsHead(inOrder(found, picture.rows, weights), most);
  const gets = shares();
  const share = gets && percent(columns.reduce((sum, c) => sum + gets[c], 0));
  const sharing = several
    ? t("{found}; they get {share} of {base}")
    : t("{found}; it gets {share} of {base}");
  const all = share === null ? strong : placed(sharing, { found: strong, share, base });
  const says = several
    ? t("{name}: {what}, taken together, are looked at most by {found}.")
    : t("{name}: {what} is looked at most by {found}.");
  return placed(says, { name, what, found: all });
}

/**
 * Where most of the attention drains to.
 * @param {Said} of
 * @returns {Part[]}
 */
export function sinkNote({ base, picture, shares, nowhere }) {
  const found = sinkOf(picture.columns, shares() ?? []);
  const lost = nowhere([]);
  if (!found) return [];
  const none = t("{share} goes to no token: this model’s rows have a sink.", {
    share: percent(lost),
  });
  const goes = t("{share} of {base} goes to {token}.");
  const most = placed(goes, { share: percent(found.share), base, token: [[found.text]] });
  return sentencesInParts(most, lost ? [none] : []);
}

const NONE_HIDDEN = t("There are no special tokens to look at here, so no attention is hidden.");

/**
 * What special tokens and the sink took, and what was done about it.
 * @param {import("./model.js").Specials} specials
 * @param {{base: string, most: boolean, hiddenShare: () => number | null,
 *          sinkShare: () => number}} of
 *   hiddenShare: what special tokens get of the base; null where there are none to look at
 */
export function hiddenNote(specials, { base, most, hiddenShare, sinkShare }) {
  const [hidden, lost] = [hiddenShare(), sinkShare()];
  const of = { base, share: percent(hidden ?? 0), sink: percent(lost) };
  if (specials === "hidden") return hiddenShares(hidden, lost, of, most);
  if (hidden === null) return lost ? sentences(NONE_HIDDEN, sunkNote(of)) : NONE_HIDDEN;
  return lost
    ? t(
        "Special tokens are hidden; the {share} of {base} that they get and the {sink} that this model’s sink takes are left out and each row divided by what remains.",
        of,
      )
    : t(
        "Special tokens are hidden; the {share} of {base} that they get is left out and each row divided by what remains.",
        of,
      );
}

/** @typedef {{base: string, share: string, sink: string}} HiddenWords */

/** @param {HiddenWords} of */
const sunkNote = (of) =>
  t(
    "Of {base} the {sink} that this model’s sink takes is left out and each row divided by what remains.",
    of,
  );

/** @param {number | null} hidden @param {number} lost @param {HiddenWords} of @param {boolean} most */
function hiddenShares(hidden, lost, of, most) {
  const rows = most ? t("each head’s rows sum to less than 1") : t("rows sum to less than 1");
  const values = { ...of, rows };
  if (hidden === null) {
    const sunk = t("Of {base} {sink} goes to no token, into this model’s sink, so {rows}.", values);
    return lost ? sentences(NONE_HIDDEN, sunk) : NONE_HIDDEN;
  }
  return lost
    ? t(
        "Special tokens are hidden; they get {share} of {base}, and {sink} goes to no token, into this model’s sink, so {rows}.",
        values,
      )
    : t("Special tokens are hidden; they get {share} of {base}, so {rows}.", values);
}

/**
 * What the full colour stands for.
 * @param {import("./model.js").Scale} scale @param {Float32Array} tops
 */
export function scaleNote(scale, tops) {
  if (scale === "absolute") return t("Full colour: weight 1; tones rise with the square root.");
  if (scale === "row") return t("Full colour: the row’s largest weight on an ordinary token.");
  return t(
    "Full colour: {top} and more, the larger of {n} even shares and the 98th percentile over ordinary keys.",
    { top: digits(tops[0] ?? 1), n: EVEN_SHARES },
  );
}

/** What it is called, and why it is not all. @type {["previous" | "next" | "self" | "repeat", string][]} */
const HABITS = [
  ["previous", t("Mostly the token before ({share} of {base}; the first has none before it)")],
  ["next", t("Mostly the token after ({share} of {base}; the last has none after it)")],
  ["self", t("Mostly the token itself ({share} of {base})")],
  ["repeat", t("Mostly the same word elsewhere ({share} of {base})")],
];
const HABIT = 0.3; // a share from which a habit is worth naming
const [SHARP, BROAD] = [1 / 3, 3 / 4]; // of the possible entropy

/**
 * Which rows an entropy is of, where these are not the ones that are painted.
 * @param {boolean} most whether the largest of several heads is painted
 * @param {boolean} rescaled whether rows are
 */
export function measuredOn(most, rescaled) {
  const rows = most ? t("the rows of the heads’ mean") : t("the rows");
  return rescaled ? t("{rows}, before rescaling", { rows }) : rows;
}

/**
 * What a head does on this text, from its numbers.
 * @param {import("./model.js").Profile} profile @param {string} base what its shares are of
 * @param {string} [rows] as `measuredOn` says them
 */
export function caption(profile, base, rows = measuredOn(false, false)) {
  const [found] = HABITS.filter(([name]) => profile[name] >= HABIT).sort(
    ([a], [b]) => profile[b] - profile[a],
  );
  const share = found && percent(profile[found[0]]);
  const most = found && placed(found[1], { share, base }).join("");
  const { entropy, possible } = profile;
  if (entropy === null) {
    return most ? t("{habit}.", { habit: most }) : t("No simple habit of place.");
  }
  const spread = t("{how} (entropy {bits} of {possible} bits, a mean over {rows})", {
    ...{ how: spreadOf(entropy / possible), rows },
    ...{ bits: entropy.toFixed(1), possible: possible.toFixed(1) },
  });
  if (profile.crosses) return t("From one text to the other; {spread}.", { spread });
  return most
    ? t("{habit}; {spread}.", { habit: most, spread })
    : t("No simple habit of place; {spread}.", { spread });
}

/** How widely attention is spread. @param {number} share of the possible entropy */
function spreadOf(share) {
  if (share < SHARP) return tc("entropy", "sharp");
  return share > BROAD ? tc("entropy", "broad") : tc("entropy", "mixed");
}

/**
 * Where following attention down has led to.
 * @param {string} says what is followed, with places for the name and for what is found
 * @param {Part[]} name the units, where chosen
 * @param {ArrayLike<number>} input what is drawn from each unit of the input
 * @param {{text: string}[]} units
 * @returns {Part[]}
 */
export const pathSentence = (says, name, input, units) =>
  placed(says, { name, found: inOrder(strongest(input, 3), units, input) });

/**
 * What a path has found, with what is left out of it, and what it assumes.
 * @param {Part[]} found
 * @param {{hidden: number, lost: number, rescaled: boolean, residual: number, numbers: number[]}} of
 *   hidden: the share that comes from special tokens that are hidden; lost: that goes to no token;
 *   residual: per cent; numbers: the model's own numbers of the layers that are passed, in order
 * @returns {Part[]}
 */
export function pathNote(found, { hidden, lost, rescaled, residual, numbers }) {
  const but = (
    /** @type {Part[]} */ start,
    /** @type {string} */ says,
    /** @type {number} */ less,
  ) => (less < 0.0005 ? start : placed(says, { found: start, share: percent(less) }));
  const seen = but(found, t("{found}; {share} comes from hidden special tokens"), hidden);
  const all = but(seen, t("{found}; {share} is lost to sinks"), lost);
  const how = [
    t("attention rollout"),
    ...(rescaled ? [t("rows rescaled to ordinary tokens")] : []),
    t("residual share {residual} %", { residual }),
    ...gapsIn(numbers),
  ].reduce((start, next) => t("{start}; {next}", { start, next }));
  return placed(t("{found} ({how})."), { found: all, how });
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
  if (!runs.length) return [];
  if (runs.length === 1 && !runs[0].includes("–"))
    return [t("layer {layer} has no attention and is left out", { layer: runs[0] })];
  return [t("layers {layers} have no attention and are left out", { layers: runs.join(", ") })];
}
