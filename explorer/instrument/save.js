// Files made in the browser: their names, and how a reader is handed one.

import { h } from "./dom.js";

// What a spreadsheet may run as a formula: a sign that begins one, in any width, behind quotes,
// spaces and what cannot be seen, all of which an import may drop; or a tab or a line's end first.
const FORMULA =
  /^(?:[\s"'\p{Cf}]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]|[\t\r\n])/u;

/**
 * A cell of text in a CSV file. One that a spreadsheet may run gets an apostrophe before it; cells
 * of numbers do not come here.
 * @param {string} text
 */
export function csvCell(text) {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",;\t\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A number with all the digits that a float32 has. @param {number} x */
export const exactly = (x) => String(Number(x.toPrecision(9)));

/**
 * A picture as CSV: keys across, queries down, weights as the instrument holds them.
 * @param {import("./model.js").Picture} picture @param {string} corner
 * @param {number[] | null} [nowhere] what each row gives to no token, where there is a sink
 * @param {boolean} [most] whether cells are the largest of several heads: beside them the sink's
 *   share is a mean, and called one
 */
export function toCsv({ weights, rows, columns }, corner, nowhere, most) {
  const last = nowhere ? [`no token (sink${most ? ": mean of these heads" : ""})`] : [];
  const titles = [corner, ...columns.map((unit) => unit.text), ...last];
  const lines = [titles.map(csvCell).join(",")];
  rows.forEach((row, r) => {
    const cells = weights.subarray(r * columns.length, (r + 1) * columns.length);
    const own = [...cells, ...(nowhere ? [nowhere[r]] : [])];
    lines.push([csvCell(row.text), ...own.map(exactly)].join(","));
  });
  // The mark at the start tells spreadsheets that this is UTF-8.
  return `\ufeff${lines.join("\r\n")}\r\n`;
}

/**
 * Hand a file to the reader.
 * @param {Blob} blob @param {string} name
 */
export function offer(blob, name) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/**
 * A file name made of safe letters only.
 * @param {string} text @param {string} ending
 */
export const fileName = (text, ending) =>
  `${text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")}.${ending}`;

/** @param {number} bytes */
export function megabytes(bytes) {
  const size = bytes / 1e6;
  return size < 0.1 ? "0.1 MB" : `${size < 10 ? size.toFixed(1) : Math.round(size)} MB`;
}
