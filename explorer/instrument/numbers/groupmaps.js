// Maps between groups of a text: those of paragraphs are made of those of sentences, as a paragraph
// is whole sentences. So a reader waits for nobody, and a saved file shows every coarser level.

import { remember } from "./basics.js";
import { keyStarts } from "./layout.js";

/**
 * @typedef {import("./data.js").Header} Header
 * @typedef {import("./data.js").GroupMaps} GroupMaps
 * @typedef {import("./data.js").Summary} Summary
 */

/** @type {WeakMap<GroupMaps, Map<string, GroupMaps | null>>} */
const known = new WeakMap();

/**
 * A head's maps at a level.
 * @param {Header} head @param {Summary | undefined} summary @param {string | null} level
 * @returns {GroupMaps | null} null where they are not here and cannot be made of what is
 */
export function mapsAt(head, summary, level) {
  if (!summary?.maps || level === null) return null;
  const { maps, level: own } = summary;
  if (own === level) return maps;
  const made = remember(known, maps, () => new Map());
  return remember(made, level, () => {
    const rows = wholeIn(head.levels[own], head.levels[level]);
    const columns = wholeIn(keyStarts(head, own), keyStarts(head, level));
    const lengths = lengthsOf(head.levels[own] ?? [], head.query_tokens.length);
    return rows && columns ? merged(maps, rows, columns, lengths) : null;
  });
}

/**
 * In which of some groups each finer one stands.
 * @param {number[] | undefined} fine starts @param {number[] | undefined} coarse
 * @returns {number[] | null} null where one of them is cut
 */
function wholeIn(fine, coarse) {
  if (!fine || !coarse) return null;
  let at = -1;
  const found = fine.map((start) => {
    if (start === coarse[at + 1]) at++;
    return at;
  });
  return at === coarse.length - 1 ? found : null;
}

/** @param {number[]} starts @param {number} n tokens */
const lengthsOf = (starts, n) => starts.map((start, i) => (starts[i + 1] ?? n) - start);

/**
 * Sums add over keys and average over queries; of the largest weights the largest stays.
 * @param {GroupMaps} maps @param {number[]} rows @param {number[]} columns
 * @param {number[]} lengths tokens of each row
 * @returns {GroupMaps}
 */
function merged({ nRows, nColumns, weights }, rows, columns, lengths) {
  const size = { nRows: rows[nRows - 1] + 1, nColumns: columns[nColumns - 1] + 1 };
  const cells = size.nRows * size.nColumns;
  const out = new Float64Array(2 * cells);
  const whole = new Float64Array(size.nRows);
  for (let r = 0; r < nRows; r++) {
    whole[rows[r]] += lengths[r];
    for (let c = 0; c < nColumns; c++) {
      const at = rows[r] * size.nColumns + columns[c];
      const from = r * nColumns + c;
      out[at] += lengths[r] * weights[from];
      out[cells + at] = Math.max(out[cells + at], weights[nRows * nColumns + from]);
    }
  }
  for (let at = 0; at < cells; at++) out[at] /= whole[Math.floor(at / size.nColumns)];
  return { ...size, weights: Float32Array.from(out) };
}
