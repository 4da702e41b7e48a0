// Induction and its kin, on random tokens that are repeated: what a head does, in numbers and words.

import { nameOf, unitOf, withSpread } from "./headwords.js";
import { filledWith, sentences, t, tn } from "./language.js";
import { EVEN_SHARES } from "./model.js";
import { rankHeads } from "./survey.js";
import { counted } from "./words.js";

/**
 * @typedef {import("./survey.js").Heads} Heads
 * @typedef {import("./survey.js").Measure} Measure
 * @typedef {import("./headsview.js").HeadsState} HeadsState
 * @typedef {Measure & {even: number[],
 *            own: {mean: number[], even: number[], count: number} | null}} Score
 *   even: what even attention would give, for each head; own: the same in the reader’s text, over
 *   so many tokens; null where it shows none
 * @typedef {{state: "ask" | "busy" | "told" | "failed", reason: string, measures: Score[],
 *            length?: number, n_texts?: number, no_copying?: string, own_known?: boolean}} Repeats
 *   as wire/repeats.py says it; what may be missing is there once it is told
 */

/** The score that is shown; null while there is none. @param {HeadsState} state */
export function scoreOf({ heads, view }) {
  const all = heads.repeats?.measures ?? [];
  return all.find(({ key }) => key === view.repeats) ?? all[0] ?? null;
}

/** Heads by a score, the highest first; all kinds. @param {Heads} heads @param {Score} score */
export const rankedBy = (heads, score) => rankHeads(heads, score, [], false);

/** From where on a score is beyond chance: as worth a look, or a standard deviation. @param {Score} score */
const beyondChance = ({ even, unit }) => (unit === "share" ? EVEN_SHARES * Math.max(...even) : 1);

/** Whether any head is beyond chance. @param {Score} score */
export const standsOut = (score) => Math.max(...score.mean.map(Number)) >= beyondChance(score);

/** The number that has the full colour: what chance gives stays pale. @param {Score} score */
export const fullIn = (score) =>
  Math.max(beyondChance(score), ...score.mean.map((value) => value ?? 0));

/**
 * The head that is spoken of: under the pointer, the one that was clicked, or the first.
 * @param {HeadsState} state @param {Score} score @param {number | null} clicked
 */
export const headInScores = ({ heads, hovered }, score, clicked) =>
  hovered ?? clicked ?? rankedBy(heads, score)[0];

/** @param {number} value */
const inShare = (value) => value.toFixed(3);

/** What chance alone would give, of all heads. @param {Score} score */
export function evenWords({ even, unit }) {
  if (unit !== "share") return t("a head that writes at random: 0");
  const [least, most] = [Math.min(...even), Math.max(...even)].map(inShare);
  return least === most
    ? t("even attention: {least}", { least })
    : t("even attention: {least} to {most}", { least, most });
}

/**
 * What a head does on random tokens, and whether it does so in the reader’s text.
 * @param {HeadsState} state @param {number} i @param {typeof nameOf} [name] how a head is called
 */
export function repeatsSentence(state, i, name = nameOf) {
  const score = scoreOf(state);
  if (!score) return "";
  const does = filledWith(score.words, withSpread(score, i));
  const head = name(state.heads, i);
  if (score.unit !== "share") return t("{head} {does} (at random: 0).", { head, does });
  return sentences(
    t("{head} {does} (evenly: {even}).", { head, does, even: inShare(score.even[i]) }),
    ownWords(state, score, i),
  );
}

/** @param {HeadsState} state @param {Score} score @param {number} i */
function ownWords({ heads }, score, i) {
  const where = heads.n_texts > 1 ? t("the first text") : t("this text");
  const { own } = score;
  if (!own)
    return heads.repeats?.own_known
      ? t("In {where} no word comes again as it would have to.", { where })
      : (heads.repeats?.reason ?? "");
  const values = { where, mean: inShare(own.mean[i]), even: inShare(own.even[i]) };
  if (score.key === "previous") return t("In {where}, it is {mean} (evenly: {even}).", values);
  return tn(
    "In {where}, over {tokens} repeated token (unknown and special ones left out), it is {mean} (evenly: {even}).",
    "In {where}, over {tokens} repeated tokens (unknown and special ones left out), it is {mean} (evenly: {even}).",
    own.count,
    { ...values, tokens: counted(own.count) },
  );
}

/** What is measured on what. @param {Repeats} repeats */
export function repeatsNote({ length = 0, n_texts = 0, no_copying = "" }) {
  const what = t(
    "Measured on {n} sequences of {length} random tokens, twice each, of the model as it is; ± is the spread over them.",
    { n: n_texts, length },
  );
  return sentences(
    what,
    no_copying && t("Copying cannot be told: {reason}", { reason: no_copying }),
  );
}

/** What a head’s number in the reader’s text is, for a table. @param {Score} score @param {number} i */
export const ownNumber = ({ own }, i) => (own ? inShare(own.mean[i]) : "—");

/** @param {Score} score @param {number} i */
export const scoreNumber = (score, i) => `${withSpread(score, i)}${unitOf(score)}`;
