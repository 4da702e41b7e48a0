// Finding words in the text as it is read: letters whatever their case, accents as typed.

import { t } from "./language.js";

/**
 * @typedef {import("./readingtext.js").Piece} Piece
 * @typedef {import("./readingtext.js").Spot} Spot
 * @typedef {{text: string, owners: number[]}} Run letters that stand together, and the spot of each,
 *   or -1
 */

const ACCENT = /[\u0300-\u036f]/; // stands behind its letter
const SPACE = /\s/;

/**
 * What is searched: each text as it is read; and by itself the name of each token that is no text.
 * @param {Piece[][]} texts @param {Spot[]} spots
 * @returns {Run[]}
 */
export function runsOf(texts, spots) {
  /** @type {Run[]} */
  const runs = [];
  for (const pieces of texts) {
    /** @type {{text: string, i: number}[]} */
    const read = [];
    for (const piece of pieces) {
      if (piece.kind === "plain") read.push({ text: piece.text, i: -1 });
      if (piece.kind !== "token") continue;
      if (spots[piece.i].token.span) read.push(piece);
      else runs.push(folded([{ text: spots[piece.i].token.text, i: piece.i }]));
    }
    runs.push(folded(read));
  }
  return runs;
}

/**
 * Letters as they are compared: without their case, accents with the letter that bears them,
 * and whatever stands between words as one space.
 * @param {{text: string, i: number}[]} pieces
 * @returns {Run}
 */
export function folded(pieces) {
  /** @type {Run} */
  const run = { text: "", owners: [] };
  let [open, owner] = ["", -1]; // a letter and its accents so far
  const close = () => {
    const same = open.normalize("NFC").toUpperCase().toLowerCase();
    const more = SPACE.test(same) ? (run.text.endsWith(" ") ? "" : " ") : same;
    run.text += more;
    for (let n = 0; n < more.length; n++) run.owners.push(owner);
    open = "";
  };
  for (const { text, i } of pieces) {
    for (const letter of text) {
      if (open && ACCENT.test(letter)) {
        open += letter;
        continue;
      }
      close();
      [open, owner] = [letter, i];
    }
  }
  close();
  return run;
}

/**
 * Where some words stand.
 * @param {Run[]} runs @param {string} query
 * @returns {number[][]} the spots of each place, in the order of reading
 */
export function hitsOf(runs, query) {
  const { text: wanted } = folded([{ text: query, i: -1 }]);
  /** @type {number[][]} */
  const hits = [];
  if (!wanted.trim()) return hits;
  for (const { text, owners } of runs) {
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
      const own = new Set(owners.slice(at, at + wanted.length));
      own.delete(-1);
      if (own.size) hits.push([...own]);
    }
  }
  return hits.sort((one, other) => one[0] - other[0]);
}

/**
 * The place to begin with: the first that stands at a spot or behind it, else the first of all.
 * @param {number[][]} hits @param {number} spot
 */
export const firstFrom = (hits, spot) =>
  Math.max(
    0,
    hits.findIndex((hit) => hit[0] >= spot),
  );

/**
 * What was found, in words.
 * @param {string} query @param {number} at @param {number} count
 */
export function foundWords(query, at, count) {
  if (count)
    return t("{at} of {n}", { at: (at + 1).toLocaleString("en"), n: count.toLocaleString("en") });
  return query.trim() ? t("“{words}” is not in this text.", { words: query }) : "";
}
