// How a prediction comes about: each layer read as if it were the last (the logit lens), and what
// each part of the model gave to a word.

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
    name: layer < 0 ? "input" : `${layer}`,
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
  if (!first) return "columns are positions.";
  const left = first === 1 ? "the one before is" : `the ${first} before are`;
  return `columns are the last ${more.length + 1} positions up to here; ${left} left out.`;
}

/**
 * Since when it is settled, in words; after the last layer is only in the end.
 * @param {Lens} lens @param {number} position
 */
export function settledSince(lens, position) {
  const first = settledAt(lens, position);
  if (first < 0) return "before the first layer";
  const isLast = first === lens.numbers[lens.numbers.length - 1];
  return isLast ? "only in the end, after the last layer" : `after layer ${first}`;
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
  const name = `all others (${left.length})`;
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
  const missed = Math.abs(rest) < 5e-6 ? "" : ` but for ${rest.toExponential(0)}`;
  const more = Math.abs(added) < 0.005 ? "" : `; ${signed(added)} is added to it`;
  const turned = bands
    ? ` Of it ${signed(fastest(bands))} comes of the fast half of the rotation.`
    : "";
  return (
    `Mostly ${query} at “${from}” with ${key} at “${to}”: ${signed(value)} of the score ` +
    `${signed(score)}, to which all parts sum${missed}${more}.${turned}`
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
  const what = other === null ? "the logit" : "the difference of the logits";
  const always =
    Math.abs(constant) >= 5e-6 ? `, with ${signed(constant, 5)} that is always added` : "";
  const missed = rest === 0 ? "exactly" : `off by ${Math.abs(rest).toExponential(0)}`;
  const bent = Math.abs(shown - logit) < 1e-4 ? "" : `; the model bends it to ${shown.toFixed(5)}`;
  return `The parts sum to ${what}, ${logit.toFixed(5)}, ${missed}${always}${bent}.`;
}
