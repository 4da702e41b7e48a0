// Numbers and texts as a CSV file that no spreadsheet runs.

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
 * @param {import("../numbers/model.js").Picture} picture @param {string} corner
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
