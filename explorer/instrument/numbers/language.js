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

/**
 * @typedef {Record<string, string | number>} Values
 * @typedef {string | [string]} Part plain words, or the text of a token, which is set apart
 */

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

/**
 * A sentence in parts, so that what stands in a place can be set apart, such as the texts of tokens.
 * @param {string} sentence with places that are empty yet
 * @param {Record<string, string | number | Part[]>} values what each place is filled with
 * @returns {Part[]}
 */
export function placed(sentence, values) {
  const pieces = sentence.split(PLACE).flatMap((piece, i) => {
    const value = i % 2 ? (values[piece] ?? `{${piece}}`) : piece;
    return typeof value === "number" ? [String(value)] : value;
  });
  /** @type {Part[]} */
  const parts = [];
  for (const part of pieces) {
    const last = parts.length - 1;
    if (typeof part === "string" && typeof parts[last] === "string") parts[last] += part;
    else if (part !== "") parts.push(part);
  }
  return parts;
}

/** Things in parts, one after the other. @param {Part[][]} items @returns {Part[]} */
export function listedParts(items) {
  const last = items[items.length - 1] ?? [];
  if (items.length < 2) return last;
  const start = items
    .slice(0, -1)
    .reduce((some, next) => placed(t("{start}, {next}"), { start: some, next }));
  return placed(t("{start} and {last}"), { start, last });
}

/** Words that came with one place, whatever it is called, and what fills it. @param {string} words @param {string} number */
export const filledWith = (words, number) => words.replace(/\{\w*\}/, () => number);

/** Whole sentences in parts, one behind the other. @param {Part[][]} all @returns {Part[]} */
export const sentencesInParts = (...all) =>
  all
    .filter((parts) => parts.length)
    .reduce(
      (sentence, next) =>
        sentence.length ? placed(t("{sentence} {next}"), { sentence, next }) : next,
      [],
    );

/** Whole sentences one behind the other, as a language sets them. @param {(string | null | undefined)[]} parts */
export const sentences = (...parts) =>
  parts
    .filter((part) => !!part)
    .map(String)
    .reduce((sentence, next) => t("{sentence} {next}", { sentence, next }), "")
    .trim();
