// How a prediction comes about: each layer read as if it were the last (the logit lens), and what
// each part of the model gave to a word.

import { sentences, t } from "./language.js";

/**
 * @typedef {{at: number, token: number | null, other: number | null}} Asked
 * @typedef {Asked & {reason?: string, numbers: number[], positions: number[], texts: string[][],
 *            tops: [string, number][][], names: string[], chances: Float32Array}} Lens
 *   reason: why there is nothing, and then there is nothing else; numbers: the layers, −1 for what
 *   stands before the first; texts: the likeliest token, `[layer][position]`; tops: at the position
 *   the likeliest of each layer with their probabilities; names: what the tokens write that were
 *   asked about; chances: `[2, layer, position]`, of the likeliest, and of the one in the end
 * @typedef {{name: string, kind: string, layer: number | null, head: number | null}} Part
 * @typedef {Asked & {reason?: string, parts: Part[], constant: number, rest: number, logit: number,
 *            shown: number, values: Float64Array}} Wrote
 *   values: what each part gives; constant: what is added in any case; rest: what the sum misses;
 *   shown: the logit behind a cap, where the model has one
 * @typedef {{edge: number[], reason?: string, parts: (Part & {side: "query" | "key"})[],
 *            pairs: [string, string, number][], bands: number[] | null, rest: number,
 *            score: number, added: number, values: Float64Array}} Why
 *   of the score of an edge; values: what each part gives with the whole of the other side; pairs:
 *   the strongest pairs of a part of the query and one of the key; bands: of rotation, the fastest
 *   first; added: by a bias of the distance, or by what a cap has bent
 * @typedef {{part: Part, value: number}} Given
 * @typedef {{layer: number, name: string,
 *            cells: {position: number, text: string, p: number, followed: number}[]}} LensRow
 */

/** Whether an answer is about what is asked. @param {Asked | null} answer @param {Asked} asked */
export const isAbout = (answer, asked) =>
  answer !== null &&
  answer.at === asked.at &&
  answer.token === asked.token &&
  answer.other === asked.other;

/**
 * The lens row by row, the last layer first, as the text goes up through them.
 * @param {Lens} lens
 * @returns {LensRow[]}
 */
export function lensRows({ numbers, positions, texts, chances }) {
  const [n, size] = [positions.length, positions.length * numbers.length];
  const rows = numbers.map((layer, i) => ({
    layer,
    name: layer < 0 ? t("input") : `${layer}`,
    cells: positions.map((position, j) => ({
      ...{ position, text: texts[i][j], p: chances[i * n + j] },
      followed: chances[size + i * n + j],
    })),
  }));
  return rows.reverse();
}

/**
 * The first layer after which the token that is likeliest in the end is the likeliest for good.
 * @param {Lens} lens @param {number} position
 * @returns {number} the layer's number; −1 where it is so from the beginning
 */
export function settledAt({ numbers, positions, texts }, position) {
  const at = positions.indexOf(position);
  const end = texts[texts.length - 1][at];
  let first = numbers.length - 1;
  while (first > 0 && texts[first - 1][at] === end) first--;
  return numbers[first];
}

/**
 * Which positions are beside one another, and how many before them are not.
 * @param {Pick<Lens, "positions">} lens
 */
export function columnsWords({ positions: [first, ...more] }) {
  if (!first) return t("columns are positions.");
  const n = more.length + 1;
  if (first === 1)
    return t("columns are the last {n} positions up to here; the one before is left out.", { n });
  return t("columns are the last {n} positions up to here; the {before} before are left out.", {
    n,
    before: first,
  });
}

/**
 * Since when it is settled, in words; after the last layer is only in the end.
 * @param {Lens} lens @param {number} position
 */
export function settledSince(lens, position) {
  const first = settledAt(lens, position);
  if (first < 0) return t("before the first layer");
  const isLast = first === lens.numbers[lens.numbers.length - 1];
  return isLast
    ? t("only in the end, after the last layer")
    : t("after layer {layer}", { layer: first });
}

/**
 * What the parts gave, the most first, whichever way; then what all others gave together.
 * @param {Wrote} wrote @param {number} most
 * @returns {Given[]}
 */
export const strongest = ({ parts, values }, most) =>
  ranked(
    parts.map((part, i) => ({ part, value: values[i] })),
    most,
  );

/**
 * The most first, whichever way; more than one that is left goes into one sum.
 * @param {Given[]} given @param {number} most
 * @returns {Given[]}
 */
function ranked(given, most) {
  const all = given.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const left = all.slice(most);
  if (left.length < 2) return all;
  const name = t("all others ({n})", { n: left.length });
  const value = left.reduce((sum, one) => sum + one.value, 0);
  return [
    ...all.slice(0, most),
    { part: { name, kind: "others", layer: null, head: null }, value },
  ];
}

/**
 * The edge that is pinned: layer, head, query and key; null for none.
 * @param {import("./view.js").View} view
 */
export function edgeOf({ layer, heads: [head], queries: [query], keys: [key] }) {
  return query === undefined || key === undefined || key > query ? null : [layer, head, query, key];
}

/** Whether an answer is about an edge. @param {Why | null} why @param {number[] | null} edge */
export const isOf = (why, edge) => why !== null && edge !== null && `${why.edge}` === `${edge}`;

/**
 * What the parts of one side of an edge give to its score, the most first; then all others.
 * @param {Why} why @param {"query" | "key"} side @param {number} most
 * @returns {Given[]}
 */
export function sideOf({ parts, values }, side, most) {
  const own = parts.flatMap((part, i) => (part.side === side ? [{ part, value: values[i] }] : []));
  return ranked(own, most);
}

/**
 * What made the score, in words.
 * @param {Why} why @param {string} from the word that looks @param {string} to the word looked at
 */
export function whyWords({ pairs, score, rest, added, bands }, from, to) {
  const [[query, key, value]] = pairs;
  const exact = t(
    "Mostly {query} at “{from}” with {key} at “{to}”: {value} of the score {score}, to which all parts sum",
    { query, key, from, to, value: signed(value), score: signed(score) },
  );
  const near =
    Math.abs(rest) < 5e-6
      ? exact
      : t("{sums} but for {rest}", { sums: exact, rest: rest.toExponential(0) });
  const all =
    Math.abs(added) < 0.005
      ? t("{sums}.", { sums: near })
      : t("{sums}; {added} is added to it.", { sums: near, added: signed(added) });
  return sentences(
    all,
    bands &&
      t("Of it {value} comes of the fast half of the rotation.", {
        value: signed(fastest(bands)),
      }),
  );
}

/** What the faster half of the bands gives. @param {number[]} bands */
const fastest = (bands) =>
  bands.slice(0, Math.ceil(bands.length / 2)).reduce((sum, value) => sum + value, 0);

/** A number with its sign. @param {number} value @param {number} [digits] */
export const signed = (value, digits = 2) =>
  `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;

/**
 * That the parts make the logit, and how far they miss it.
 * @param {Pick<Wrote, "logit" | "shown" | "constant" | "rest" | "other">} wrote
 */
export function sumWords({ logit, shown, constant, rest, other }) {
  const missed =
    rest === 0 ? t("exactly") : t("off by {rest}", { rest: Math.abs(rest).toExponential(0) });
  const how =
    Math.abs(constant) >= 5e-6
      ? t("{missed}, with {added} that is always added", { missed, added: signed(constant, 5) })
      : missed;
  const values = { how, logit: logit.toFixed(5) };
  const sum =
    other === null
      ? t("The parts sum to the logit, {logit}, {how}", values)
      : t("The parts sum to the difference of the logits, {logit}, {how}", values);
  return Math.abs(shown - logit) < 1e-4
    ? t("{sums}.", { sums: sum })
    : t("{sums}; the model bends it to {shown}.", { sums: sum, shown: shown.toFixed(5) });
}
