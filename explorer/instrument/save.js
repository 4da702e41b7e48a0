// What is on screen as files, made in the browser.

import { h } from "./dom.js";

/**
 * A cell of a CSV file. Spreadsheets run what begins with = + - @ as a formula, so such text gets
 * an apostrophe before it; numbers of ours never do.
 * @param {string} text
 */
export function csvCell(text) {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * A picture as CSV: keys across, queries down, weights as the instrument holds them.
 * @param {import("./model.js").Picture} picture @param {string} corner
 */
export function toCsv({ weights, rows, columns }, corner) {
  const lines = [[corner, ...columns.map((unit) => unit.text)].map(csvCell).join(",")];
  rows.forEach((row, r) => {
    const cells = weights.subarray(r * columns.length, (r + 1) * columns.length);
    lines.push([csvCell(row.text), ...Array.from(cells, (w) => w.toFixed(5))].join(","));
  });
  // The mark at the start tells spreadsheets that this is UTF-8.
  return `\ufeff${lines.join("\r\n")}\r\n`;
}

/**
 * Several canvases beside one another under a title, as one picture.
 * @param {string} title @param {HTMLCanvasElement[][]} stacks canvases that lie on each other
 * @param {{text: string, page: string, font: string}} theme
 * @returns {Promise<Blob | null>}
 */
export function toPng(title, stacks, theme) {
  const [margin, line] = [24, 44];
  const width = stacks.reduce((sum, [first]) => sum + first.width + margin, margin);
  const height = Math.max(...stacks.map(([first]) => first.height)) + line + 2 * margin;
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas"));
  [canvas.width, canvas.height] = [width, height];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = theme.page;
  context.fillRect(0, 0, width, height);
  context.fillStyle = theme.text;
  context.font = `20px ${theme.font}`;
  context.fillText(title, margin, margin + 20, width - 2 * margin);
  let x = margin;
  for (const layers of stacks) {
    for (const layer of layers) {
      if (layer.style.visibility !== "hidden") context.drawImage(layer, x, margin + line);
    }
    x += layers[0].width + margin;
  }
  return new Promise((done) => canvas.toBlob(done, "image/png"));
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
