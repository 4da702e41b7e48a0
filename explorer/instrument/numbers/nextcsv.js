// What comes next, and how it comes about, as tables for a spreadsheet.

import { csvCell, exactly } from "./csv.js";
import { isOf, lensRows } from "./lens.js";

/**
 * @typedef {import("./lens.js").Lens} Lens
 * @typedef {import("./lens.js").Wrote} Wrote
 * @typedef {import("./lens.js").Why} Why
 * @typedef {(string | number)[]} Line texts and numbers, each as it is
 */

/**
 * The likeliest tokens behind every place that is known, each with its probability.
 * @param {import("./next.js").Next} next @param {string[]} tokens of the text
 * @param {string} corner whose they are
 */
export function nextCsv(next, tokens, corner) {
  const { first, k, ids, logs, was, names, ranks } = next;
  /** @type {Line[]} */
  const lines = [
    [corner],
    ["position", "token", "rank", "next token", "number", "probability", "stands there"],
  ];
  if (was) lines[1].push("with nothing changed");
  ranks.forEach((real, i) => {
    for (let j = 0; j < k; j++) {
      const at = i * k + j;
      const line = [first + i, tokens[first + i], j + 1, names[ids[at]] ?? "", ids[at]];
      const before = was ? [Math.exp(was[at])] : [];
      lines.push([...line, Math.exp(logs[at]), real === j ? "yes" : "", ...before]);
    }
  });
  return csvOf(lines);
}

/**
 * Each layer as the last, who wrote the word, and what made the score, one number a line.
 * @param {{lens: Lens, wrote: Wrote | null, why: Why | null}} found
 * @param {number[] | null} edge that is pinned @param {string[]} tokens of the text
 * @param {string} corner whose they are
 */
export function lensCsv({ lens, wrote, why }, edge, tokens, corner) {
  const heads = ["what", "layer or part", "position", "token", "word", "value"];
  const rows = lensRows(lens);
  const layers = rows.flatMap(({ name, cells }) =>
    cells.flatMap(({ position, text, p, followed }, i) => {
      const place = [name, position, tokens[position]];
      return [
        ["likeliest", ...place, text, p],
        ["the word in the end", ...place, rows[0].cells[i].text, followed],
      ];
    }),
  );
  const given = (/** @type {Wrote} */ { parts, values, at }) =>
    parts.map(({ name }, i) => ["gave", name, at, tokens[at], lens.names.join(" not "), values[i]]);
  const written = wrote && !wrote.reason ? given(wrote) : [];
  const made = why && isOf(why, edge) && !why.reason ? scoreLines(why, tokens) : [];
  return csvOf([[corner], heads, ...layers, ...written, ...made]);
}

/** @param {Why} why @param {string[]} tokens @returns {Line[]} */
const scoreLines = ({ edge, parts, values }, tokens) =>
  parts.map(({ name, side }, i) => {
    const at = edge[side === "query" ? 2 : 3];
    return [`score, as ${side}`, name, at, tokens[at], "", values[i]];
  });

/** @param {Line[]} lines */
function csvOf(lines) {
  const cell = (/** @type {string | number} */ one) =>
    typeof one === "number" ? exactly(one) : csvCell(one);
  // The mark at the start tells spreadsheets that this is UTF-8.
  return `\ufeff${lines.map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`;
}
