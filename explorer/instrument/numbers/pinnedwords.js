// The words that are pinned, as they stand in the text: by these a place is found in another text.

/**
 * @typedef {import("./data.js").Trace} Trace
 * @typedef {import("./data.js").Header["query_tokens"][number]} Token
 */

const LONGEST = 200; // letters, as wire/request.py

/**
 * The words that the first pinned query and the first pinned key are pieces of; empty for none.
 * @param {Trace} trace @param {{queries: number[], keys: number[]}} view
 * @returns {[string, string]}
 */
export const pinnedWords = ({ head }, { queries, keys }) => [
  wordAt(head.query_tokens, queries[0], head.texts),
  wordAt(head.key_tokens, keys[0], head.texts),
];

/** @param {Token[]} tokens @param {number | undefined} i @param {string[]} texts */
function wordAt(tokens, i, texts) {
  const token = i === undefined ? undefined : tokens[i];
  if (i === undefined || !token || token.special || token.span === null) return "";
  const isPiece = (/** @type {Token | undefined} */ other) =>
    other?.word === token.word && other.segment === token.segment && other.span !== null;
  let [first, last] = [i, i];
  if (token.word !== null) {
    while (isPiece(tokens[first - 1])) first--;
    while (isPiece(tokens[last + 1])) last++;
  }
  const [start, end] = [tokens[first].span?.[0] ?? 0, tokens[last].span?.[1] ?? 0];
  // Places are counted in code points, as Python does.
  return Array.from(texts[token.segment] ?? "")
    .slice(start, end)
    .join("")
    .slice(0, LONGEST);
}
