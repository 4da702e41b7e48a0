// Sentences in the reader's language. A message is written in English where it belongs, with named
// places; whoever puts a host's code together (assets.py) writes the catalogue in here. Empty where
// modules are used as they are, which is English.

/** @type {Record<string, string | string[]>} */
export const CATALOGUE = {};
export const LANGUAGE = "en";

/** Which form a number of things takes. @param {number} n @returns {number} */
const formOf = (n) => Number(n !== 1);

const PLACE = /\{(\w+)\}/g;
const CONTEXT = "\u0004"; // between the context and the message, as gettext writes it

/** @typedef {Record<string, string | number>} Values */

/** @param {string} message @param {Values} values */
const filled = (message, values) =>
  message.replace(PLACE, (place, name) => String(values[name] ?? place));

/** @param {string} key @param {string} message @param {Values} values */
function said(key, message, values) {
  const known = CATALOGUE[key];
  return filled(typeof known === "string" ? known : message, values);
}

/**
 * A sentence; what stands in {name} is put there as it is.
 * @param {string} message @param {Values} [values]
 */
export const t = (message, values = {}) => said(message, message, values);

/**
 * A word or sentence that means different things in different places: the context tells them apart.
 * @param {string} context @param {string} message @param {Values} [values]
 */
export const tc = (context, message, values = {}) =>
  said(`${context}${CONTEXT}${message}`, message, values);

/**
 * A sentence about a number of things, which is {n} in it unless that is given otherwise.
 * @param {string} one @param {string} many @param {number} n @param {Values} [values]
 */
export function tn(one, many, n, values = {}) {
  const forms = CATALOGUE[one];
  const chosen = Array.isArray(forms) ? forms[formOf(n)] : n === 1 ? one : many;
  return filled(chosen, { n, ...values });
}

/** Things one after the other: a, b and c. @param {(string | number)[]} items */
export function listed(items) {
  const last = items[items.length - 1];
  if (items.length < 2) return items.length ? String(last) : "";
  const join = (/** @type {string | number} */ start, /** @type {string | number} */ next) =>
    t("{start}, {next}", { start, next });
  return t("{start} and {last}", { start: items.slice(0, -1).reduce(join), last });
}

/** Whole sentences one behind the other, as a language sets them. @param {(string | null | undefined)[]} parts */
export const sentences = (...parts) =>
  parts
    .filter((part) => !!part)
    .map(String)
    .reduce((sentence, next) => t("{sentence} {next}", { sentence, next }), "")
    .trim();
