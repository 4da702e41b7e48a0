// An explanation as it is sent, and what can be said of it without a page.

import { read } from "../wire/container.js";
import { t } from "./language.js";

/**
 * @typedef {{layer: number, heads: number[], queries: number[], keys: number[]}} Place
 * @typedef {{rho: number | null, low: number, high: number, n: number}} Agreed
 * @typedef {{shares: number[], deletion: number[], insertion: number[], areas: [number, number]}} CurvesOf
 * @typedef {{key: string, name: string, paper: string, caveat: string, signed: boolean,
 *            values: (number | null)[] | null, reason: string, agreement: Agreed | null,
 *            curves: CurvesOf | null, pointing: Pointing | null}} MethodOf
 * @typedef {{rank: number, area: number | null, n: number}} Pointing
 *   the place of the best of the words that are known to decide; how likely one of them has a higher
 *   score than another word; of how many words
 * @typedef {[string, number][]} Guesses
 * @typedef {{heads: [number, number][], gone: number[], value: number, predictions: Guesses}} Changed
 * @typedef {{id: string, about: import("../parts/about.js").About, link: Record<string, string> | null,
 *            opening: Record<string, string> | null, title: string, name: string,
 *            value: number, plain: number | null, edits: string | null, place: Place | null,
 *            deciding: number[], points: Pointing | null, how: "replace" | "drop" | "cut",
 *            empty: number | null, instead: string | null, at: number | null,
 *            tokens: {text: string, special: boolean}[], units: number[][],
 *            whole: boolean, stopped: boolean, removal: (number | null)[] | null, lines: string[], methods: MethodOf[],
 *            shape: [number, number] | null, numbers: number[], effects: number[] | null, importance: number[] | null,
 *            heads_reason: string, heads_agree: number | null, predictions: Guesses,
 *            before: Guesses,
 *            agreements: [number | null, number, number][][], changed: Changed | null}} Explained
 *   plain: the target of the model as it is, null where nothing is changed in its attention; before:
 *   what it predicts then; edits: what is changed, as links say it, null where nothing can be;
 *   place: the head and words that are looked at; deciding: the units that are known to decide;
 *   points: how far measured removal points at those;
 *   opening: the view of a file, in which no server can be asked; null elsewhere;
 *   at: the token that the target is about, if it is about one;
 *   instead: the token that stands where a word was taken away, null where the gap is closed;
 *   numbers: the layers of the rows of effects and importance, as the model numbers them;
 *   agreements: of any two scores, removal first, then the methods that have values: Spearman's
 *   correlation and its interval; whole: false while some of it is still being computed
 */

/**
 * What is asked for, and the explanation that is shown, if there is one yet.
 * @param {Uint8Array} bytes
 * @returns {{bar: import("./explainask.js").Bar, found: Explained | null, page: Uint8Array}}
 *   page: a file that was asked for, else empty
 */
export function unpackExplained(bytes) {
  const { head, blocks } = read(bytes);
  const page = /** @type {Uint8Array} */ (blocks[0].data);
  return { bar: head.bar, found: head.explained, page };
}

/** Of some heads and words together, where no server can be asked. */
export const NOT_HERE = t(
  "This file does not hold what these do together: one head or one word alone it does.",
);

/**
 * The text in the order of reading: units, and between them what is never taken away.
 * @param {Explained} found @returns {{unit: number | null, tokens: number[], text: string}[]}
 */
export function stretches({ tokens, units }) {
  const unitOf = new Map(units.flatMap((unit, u) => unit.map((i) => [i, u])));
  /** @type {{unit: number | null, tokens: number[], text: string}[]} */
  const found = [];
  tokens.forEach(({ text }, i) => {
    const unit = unitOf.get(i) ?? null;
    const last = found.at(-1);
    if (last && unit !== null && last.unit === unit) {
      last.tokens.push(i);
      last.text += text.replace(/^##/, "");
    } else found.push({ unit, tokens: [i], text });
  });
  return found;
}

/** @param {number | null | undefined} x @param {number} [places] */
export const inSigned = (x, places = 3) =>
  x === null || x === undefined ? "—" : `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(places)}`;

/** Small numbers with three digits that say something. @param {number | null | undefined} x */
export const inPlain = (x) => {
  if (x === null || x === undefined) return "—";
  const text = x !== 0 && Math.abs(x) < 0.1 ? x.toPrecision(3) : x.toFixed(3);
  return text.replace("-", "−");
};

/** @param {string} text @returns {[number, number][]} heads as a link names them: 3-1.0-2 */
export const readHeads = (text) =>
  text
    .split(".")
    .map((name) => /^(\d{1,3})-(\d{1,3})$/.exec(name))
    .flatMap((m) => (m ? [/** @type {[number, number]} */ ([Number(m[1]), Number(m[2])])] : []));

/**
 * A method's scores of the units; without a method what removal measured.
 * @param {Explained} found @param {MethodOf | null} of @returns {(number | null)[]}
 */
export const valuesOf = (found, of) => (of ? of.values : found.removal) ?? [];

/** @type {WeakMap<Explained, Map<number | null, string>>} */
const texts = new WeakMap();

/** The text of a unit: its first stretch. @param {Explained} found @param {number} unit */
export function unitText(found, unit) {
  let known = texts.get(found);
  if (!known) {
    known = new Map(
      stretches(found)
        .reverse()
        .map((s) => [s.unit, s.text]),
    );
    texts.set(found, known);
  }
  return known.get(unit) ?? "";
}

/** @param {number[][]} one @param {number[][]} other */
const sameSets = (one, other) =>
  one
    .map((x) => x.join())
    .sort()
    .join(";") ===
  other
    .map((x) => x.join())
    .sort()
    .join(";");

/**
 * What the target comes to with some heads off and some units gone; null while that is not known.
 * @param {Explained} found @param {[number, number][]} off @param {number[]} gone
 * @returns {{value: number, predictions: Guesses | null} | null}
 */
export function answerTo(found, off, gone) {
  const { changed, effects, shape, units } = found;
  const places = gone.flatMap((unit) => units[unit]);
  const alone = (/** @type {number[]} */ some) => some.map((i) => [i]);
  if (changed && sameSets(alone(changed.gone), alone(places)) && sameSets(changed.heads, off))
    return changed;
  const { removal, opening } = found;
  const lost = opening && !off.length && gone.length === 1 ? removal?.[gone[0]] : null;
  if (typeof lost === "number") return { value: found.value - lost, predictions: null };
  if (off.length !== 1 || gone.length || !effects || !shape) return null;
  const [[layer, head]] = off; // one head: measured already
  const row = found.numbers.indexOf(layer);
  return { value: found.value + effects[row * shape[1] + head], predictions: null };
}
