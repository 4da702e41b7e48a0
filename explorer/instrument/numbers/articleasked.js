// What the Article's questions ask of: a head, a word, and the words that can be chosen.

/**
 * @typedef {import("./data.js").Token} Token
 * @typedef {import("./data.js").Trace} Trace
 * @typedef {{text: string, places: number[]}} Word places: of the tokens that it is cut into
 */

const PRONOUNS = ["it", "he", "she", "they", "him", "her", "them", "this", "its", "who", "which"];
const HEAD = { layer: 3, head: 1 }; // of the embedded model; it links pronouns with their nouns
const OTHER = { layer: 0, head: 2 }; // what is shown while that head is asked about

/**
 * The words of a text, each of one or more tokens; what holds no letter, or is not known, is none.
 * @param {Token[]} tokens @param {string | null} unknown what is written for what the model does not know
 */
export function wordsIn(tokens, unknown) {
  /** @type {Word[]} */
  const words = [];
  tokens.forEach((token, at) => {
    const before = tokens[at - 1];
    const goesOn = token.word !== null && before?.word === token.word;
    const last = words.at(-1);
    if (goesOn && last && before.segment === token.segment && last.places.at(-1) === at - 1) {
      last.text += token.text.replace(/^##/u, "");
      last.places.push(at);
    } else if (!token.special) words.push({ text: token.text, places: [at] });
  });
  return words.filter(
    ({ text, places }) =>
      /\p{Letter}/u.test(text) && places.every((at) => tokens[at].text !== unknown),
  );
}

/**
 * The token that is asked about: a pronoun, else the last word in one piece; −1 where there is none.
 * @param {Token[]} tokens @param {string | null} unknown
 */
export function askedToken(tokens, unknown) {
  const pronoun = tokens.findIndex(({ text }, i) => i > 1 && PRONOUNS.includes(text.toLowerCase()));
  if (pronoun >= 0) return pronoun;
  return wordsIn(tokens, unknown).findLast(({ places }) => places.length === 1)?.places[0] ?? -1;
}

/** The head that is asked about. @param {Trace} trace */
export function askedHead({ head: { numbers, n_heads: nHeads } }) {
  const layer = numbers.includes(HEAD.layer) ? HEAD.layer : numbers[0];
  return { layer, head: Math.min(HEAD.head, nHeads - 1) };
}

/** Where the answer to the first question can be seen. @param {Trace} trace */
export function askedPlace(trace) {
  const query = askedToken(trace.head.query_tokens, trace.head.unknown);
  return { ...askedHead(trace), query: query < 0 ? null : query, key: null };
}

/** A head that gives nothing away. @param {Trace} trace */
export function otherHead({ head: { numbers, n_heads: nHeads } }) {
  const layer = numbers.includes(OTHER.layer) ? OTHER.layer : numbers[0];
  return { layer, head: Math.min(OTHER.head, nHeads - 1) };
}
