// Numbers of several heads together.

import { combine, givenBy, gotBy, largest, numberOf, rowOf } from "./model.js";

/**
 * @typedef {import("./model.js").Picture} Picture
 * @typedef {{given: (rows: number[]) => Float32Array, got: (columns: number[]) => Float32Array,
 *            number: (rows: number[], columns: number[]) => number}} Numbers
 *   given: where rows look; got: who looks at columns; number: how much rows look at columns
 */

/**
 * The picture of several heads together: their mean or, cell by cell, their largest.
 * @param {Picture[]} pictures @param {"mean" | "max"} how
 * @returns {Picture}
 */
export const together = (pictures, how) =>
  pictures.length === 1
    ? pictures[0]
    : {
        ...pictures[0],
        weights: combine(
          pictures.map(({ weights }) => weights),
          how,
        ),
      };

/**
 * Numbers of chosen units; of a maximum the largest that any single head has, as maxima of several
 * keys, added up, could be more than all the attention there is.
 * @param {Picture[]} pictures
 * @returns {Numbers}
 */
export const numbersOf = (pictures) => ({
  given: (rows) => largest(pictures.map((picture) => givenBy(picture, rows))),
  got: (columns) => largest(pictures.map((picture) => gotBy(picture, columns))),
  number: (rows, columns) =>
    Math.max(...pictures.map((picture) => numberOf(picture, rows, columns))),
});

/**
 * Numbers of a picture of largest weights: of several units again the largest.
 * @param {Picture} picture
 * @returns {Numbers}
 */
export const largestOf = (picture) => ({
  given: (rows) => largest(rows.map((row) => rowOf(picture, row))),
  got: (columns) =>
    Float32Array.from(picture.rows, (_, row) => {
      const own = rowOf(picture, row);
      return Math.max(...columns.map((column) => own[column]));
    }),
  number: (rows, columns) =>
    Math.max(...rows.flatMap((row) => columns.map((column) => rowOf(picture, row)[column]))),
});
