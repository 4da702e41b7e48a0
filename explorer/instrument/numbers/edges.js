// Where tokens stand in a row or a column, and which of them lies where. Pure functions.

/**
 * Where each token begins, and where the last one ends.
 * @param {ArrayLike<number>} sizes
 */
export function edgesOf(sizes) {
  const edges = new Float64Array(sizes.length + 1);
  for (let i = 0; i < sizes.length; i++) edges[i + 1] = edges[i] + sizes[i];
  return edges;
}

/**
 * The token that lies at a place; -1 outside.
 * @param {Float64Array} edges @param {number} at
 */
export function indexAt(edges, at) {
  if (!(at >= 0) || at >= edges[edges.length - 1]) return -1;
  let [low, high] = [0, edges.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (edges[middle] <= at) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * The tokens that touch a stretch: the first, and one past the last.
 * @param {Float64Array} edges @param {number} from @param {number} to
 * @returns {[number, number]}
 */
export function touching(edges, from, to) {
  const n = edges.length - 1;
  if (!n || to <= 0 || from >= edges[n]) return [0, 0];
  const first = indexAt(edges, Math.max(from, 0));
  const last = indexAt(edges, Math.min(to, edges[n] - 1e-6));
  return [first, last + 1];
}

const ALONG =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Script=Bopomofo}/u;
const RIGHT_TO_LEFT = /\p{Script=Arabic}|\p{Script=Hebrew}|\p{Script=Syriac}|\p{Script=Thaana}/u;

/**
 * How a text is best set: Chinese, Japanese and Korean in a line, and what is written from right to
 * left in a line from right to left.
 * @param {{text: string, special: boolean}[]} tokens
 */
export function settingOf(tokens) {
  const ordinary = tokens.filter((token) => !token.special);
  const share = (/** @type {RegExp} */ script) =>
    ordinary.filter((token) => script.test(token.text)).length / Math.max(ordinary.length, 1);
  const rtl = share(RIGHT_TO_LEFT) > 0.4;
  return { across: rtl || share(ALONG) > 0.4, rtl };
}
