// What a decoder expects next, at every position of the text: read off what the server sent.

import { placed, t, tc } from "./language.js";

/**
 * @typedef {{reason?: string, at: number, first: number, last: number, k: number, ids: Int32Array, logs: Float32Array, was?: Float32Array, real: Float32Array, ranks: Int32Array,
 *            names: Record<string, string>, vocabulary: number, temperature: number, top: number,
 *            room: number, end: number[]}} Next
 *   reason: why there is nothing, and then there is nothing else; at: what was asked about; first:
 *   the first position of which is told; last: that of the text that can be gone on from;
 *   ids, logs: `[position, k]`, the likeliest tokens and the logarithms of their probabilities;
 *   was: the same with nothing changed in the model's attention, where something is;
 *   real, ranks: of the token that really stands behind, −1 in ranks where none does; names: what
 *   the tokens are shown as, by their numbers; temperature: what the logits were divided by; top:
 *   how many of the likeliest are drawn from, 0 for all; room: how many more the model can take; end: tokens that end a text
 * @typedef {{id: number, text: string, p: number, was: number | null, real: boolean,
 *            ends: boolean}} Candidate
 * @typedef {{at: number, rows: Candidate[], rest: number,
 *            real: {text: string, p: number, rank: number} | null}} NextAt
 *   rest: what all other tokens have together
 */

/**
 * What is expected behind a position.
 * @param {Next} next @param {number} at @param {string[]} tokens of the text @param {number} [most]
 * @returns {NextAt | null} null where nothing is told of it
 */
export function nextAt(next, at, tokens, most = next.k) {
  const { k, ids, logs, was, names, ranks, real, end } = next;
  const i = at - next.first;
  if (!(i in ranks)) return null;
  const rows = Array.from({ length: Math.min(k, most) }, (_, j) => {
    const id = ids[i * k + j];
    const p = Math.exp(logs[i * k + j]);
    const before = was ? Math.exp(was[i * k + j]) : null;
    return {
      id,
      text: names[id] ?? "",
      p,
      was: before,
      real: j === ranks[i],
      ends: end.includes(id),
    };
  }).filter(({ p }) => p > 0); // those that are never drawn
  const rest = Math.max(0, 1 - rows.reduce((sum, { p }) => sum + p, 0));
  const came = { text: tokens[at + 1], p: Math.exp(real[i]), rank: ranks[i] + 1 };
  return { at, rows, rest, real: ranks[i] < 0 ? null : came };
}

/**
 * The position that is asked about: behind what is pointed at, else behind what is pinned, else the
 * end of the text.
 * @param {{head: {query_tokens: unknown[]}, next: Next | null}} trace
 * @param {number[]} pointed tokens @param {number[]} pinned
 */
export function positionOf({ head, next }, pointed, pinned) {
  const last = next?.last ?? head.query_tokens.length - 1;
  const [of] = [pointed, pinned].filter((tokens) => tokens.length);
  return of ? Math.min(Math.max(...of), last) : last;
}

/**
 * Whether it is known what comes next behind a position, drawn as it is wanted.
 * @param {Next | null} next @param {{temperature: number, top: number}} draw @param {number} at
 */
export function isNextHere(next, draw, at) {
  if (!next) return false;
  if (next.reason) return true;
  const isSo = next.temperature === draw.temperature && next.top === draw.top;
  return isSo && (at - next.first in next.ranks || next.at === at);
}

/**
 * Why nothing more can be written; empty where there is room.
 * @param {Next | null} next @param {number} n tokens of the text
 */
export function fullWords(next, n) {
  if (!next || next.reason || next.room > 0) return "";
  return t(
    "No room for another token: the model reads at most {n}, and the text fills them. Shorten the text, and it can go on.",
    { n: n.toLocaleString("en") },
  );
}

/** A share in per cent, as it is written. @param {number} p */
export function percent(p) {
  const per = 100 * p;
  if (per >= 99.95) return per >= 100 ? "100 %" : "> 99.9 %";
  if (per >= 9.95 && per < 99.5) return `${Math.round(per)} %`;
  if (per >= 0.1) return `${per.toFixed(1)} %`;
  return per > 0 ? "< 0.1 %" : "0 %";
}

/** @param {number} n */
export function ordinal(n) {
  const [tens, ones] = [n % 100, n % 10];
  const at = { n: n.toLocaleString("en") };
  if (tens > 10 && tens < 14) return tc("ordinal", "{n}th", at);
  if (ones === 1) return tc("ordinal", "{n}st", at);
  if (ones === 2) return tc("ordinal", "{n}nd", at);
  return ones === 3 ? tc("ordinal", "{n}rd", at) : tc("ordinal", "{n}th", at);
}

/**
 * What is said of the place: behind which token, and what really stands there.
 * @param {NextAt} now @param {string[]} tokens of the text
 * @returns {(string | [string])[]} words; those in brackets are tokens
 */
export function nextWords({ at, real }, tokens) {
  /** @type {import("./language.js").Part[]} */
  const token = [[tokens[at]]];
  if (!real) return placed(t("After {token} the model expects"), { token });
  const says =
    real.rank === 1
      ? t("After {token} stands {next}, the likeliest, with {share}")
      : t("After {token} stands {next}, the {ordinal} likeliest, with {share}");
  const how = { ordinal: ordinal(real.rank), share: percent(real.p) };
  return placed(says, { token, next: [[real.text]], ...how });
}
