// The words of the interface in the reader's language. Until the catalogue is here they are English.

/** @typedef {Record<string, string | number>} Values */

/** @param {string} text @param {Values} [values] */
export const t = (text, values = {}) =>
  text.replace(/\{(\w+)\}/gu, (all, name) => (name in values ? String(values[name]) : all));

/** @param {string} one @param {string} many @param {Values & {n: number}} values */
export const tn = (one, many, values) => t(values.n === 1 ? one : many, values);
