// Files made in the browser: their names, and how a reader is handed one.

import { h } from "../parts/dom.js";

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
