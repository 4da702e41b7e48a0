// What a reader is asked before he sees it, and what is right: found in his own text.

import { askedHead, askedPlace, askedToken, otherHead, wordsIn } from "./articleasked.js";
import { undivided } from "./articleheads.js";
import { ofHead, spreadOf } from "./articlesums.js";
import { inQuotes } from "./basics.js";
import { headWeights, indexOf, meanWeights } from "./data.js";
import { headName } from "./headname.js";
import { listed, sentences, t } from "./language.js";

/**
 * @typedef {import("./article.js").ArticleState} ArticleState
 * @typedef {{text: string, choices: string[], right: number[], reveal: string}} Question
 *   right: the choices that count; several where they are nearly equal
 */

const NEAR = 0.9; // of the largest share: so near is as right
const MOST = 4; // choices
const SAME = 0.02; // a weight that moves by less stays about the same

/** @type {Record<string, (state: ArticleState) => Question | null>} */
const QUESTIONS = {
  ask_look: askLook,
  ask_sink: askSink,
  ask_scale: askScale,
  ask_noise: askNoise,
};

/** @param {string} name @param {ArticleState} state */
export const questionOf = (name, state) => QUESTIONS[name]?.(state) ?? null;

/** Whether a head and a word are asked about, and not answered yet. @param {ArticleState} state @param {number} looking */
export const isHidden = (state, looking) =>
  looking === askedPlace(state.article.trace).query && isHeadHidden(state);

/** @param {ArticleState} state */
function isHeadHidden(state) {
  const { layer, head } = askedHead(state.article.trace);
  const isThere = state.view.layer === layer && state.view.head === head;
  return isThere && !("ask_look" in state.answers) && askLook(state) !== null;
}

/** What stands above the question shows another head till it is answered. @param {ArticleState} state */
export const notGiven = (state) =>
  isHeadHidden(state)
    ? { ...state, view: { ...state.view, ...otherHead(state.article.trace) } }
    : state;

/**
 * What to choose among: those with the largest shares, each once, in the order of the text.
 * @template {{text: string}} T
 * @param {ArrayLike<number>} shares @param {T[]} tokens @param {(token: T) => boolean} isIn
 */
export function choicesOf(shares, tokens, isIn) {
  const order = tokens.flatMap((token, at) => (isIn(token) ? [at] : []));
  order.sort((a, b) => shares[b] - shares[a]);
  const said = new Set();
  const found = order.filter((at) => {
    const text = tokens[at].text.toLowerCase();
    return said.has(text) ? false : said.add(text);
  });
  const [first, second] = found;
  // The largest two, and two that are far from them.
  const others = found.slice(2);
  const kept = [first, second, others[0], others.at(-1)].filter((at) => at !== undefined);
  return [...new Set(kept)].slice(0, MOST).sort((a, b) => a - b);
}

/** Which of some shares count as the largest. @param {number[]} shares */
export const largestOf = (shares) =>
  shares.flatMap((share, i) => (share >= NEAR * Math.max(...shares) ? [i] : []));

/** @param {string[]} right the words that count */
const nearly = (right) =>
  right.length > 1 ? t("{words} are nearly equal, and each counts.", { words: listed(right) }) : "";

/** @param {ArticleState} state @returns {Question | null} */
function askLook({ article }) {
  const { trace } = article;
  const { key_tokens: tokens, unknown } = trace.head;
  const { layer, head } = askedHead(trace);
  const weights = headWeights(trace, layer, head);
  const query = askedToken(tokens, unknown);
  if (!weights || query < 0) return null;
  const own = tokens[query].text.toLowerCase();
  const row = weights.subarray(query * tokens.length, (query + 1) * tokens.length);
  const words = wordsIn(tokens, unknown);
  const shares = words.map(({ places }) => places.reduce((sum, at) => sum + row[at], 0));
  const chosen = choicesOf(shares, words, ({ text }) => text.toLowerCase() !== own);
  if (chosen.length < 2) return null;
  const right = largestOf(chosen.map((at) => shares[at]));
  const choices = chosen.map((at) => inQuotes(words[at].text));
  const told = chosen.map((at, i) => `${choices[i]} ${shares[at].toFixed(3)}`);
  const values = { head: headName(layer, head), word: inQuotes(tokens[query].text) };
  return {
    text: t("Which other word does {word} look at most in {head}?", values),
    ...{ choices, right },
    reveal: sentences(
      t("In {head}, {word} gives {shares}.", { ...values, shares: listed(told) }),
      nearly(right.map((i) => choices[i])),
    ),
  };
}

/** @param {ArticleState} state @returns {Question | null} */
function askSink({ article }) {
  const { trace } = article;
  const { numbers, key_tokens: tokens } = trace.head;
  const n = tokens.length;
  const got = new Float64Array(n);
  for (const layer of numbers) {
    const mean = meanWeights(trace, layer);
    if (!mean) return null;
    for (let i = 0; i < mean.length; i++) got[i % n] += mean[i] / n / numbers.length;
  }
  const places = choicesOf(got, tokens, () => true);
  const right = largestOf(places.map((at) => got[at]));
  const choices = places.map((at) => inQuotes(tokens[at].text));
  const told = places.map((at, i) => `${choices[i]} ${got[at].toFixed(3)}`);
  return {
    text: t("All heads of all layers together: which token gets the most attention?"),
    ...{ choices, right },
    reveal: sentences(
      t("Of all attention these get {shares}; {even} would be even.", {
        shares: listed(told),
        even: (1 / n).toFixed(3),
      }),
      nearly(right.map((i) => choices[i])),
    ),
  };
}

/** @param {ArticleState} state @returns {Question | null} */
function askScale({ article }) {
  const { trace } = article;
  const tokens = trace.head.key_tokens;
  const width = article.facts.layers?.arrays.q.shape[3];
  const { layer, head } = askedHead(trace);
  const weights = headWeights(trace, layer, head);
  const query = askedToken(tokens, trace.head.unknown);
  if (!weights || query < 0 || !width) return null;
  const { divided, plain } = undivided(weights, tokens.length, query, width);
  const [before, after] = [Math.max(...divided), Math.max(...plain)];
  const moved = after - before;
  const right = Math.abs(moved) < SAME ? 1 : moved > 0 ? 2 : 0;
  const values = {
    ...{ head: headName(layer, head), word: inQuotes(tokens[query].text), width },
    ...{ before: before.toFixed(3), after: after.toFixed(3) },
  };
  return {
    text: t(
      "The largest weight of {word} in {head} is {before}. What would it be without the division by √{width}?",
      values,
    ),
    choices: [t("smaller"), t("about the same"), t("larger")],
    right: [right],
    reveal: t(
      "It would be {after}: the scores would be √{width} times as far apart, and the farther apart, the more softmax gives to the largest.",
      values,
    ),
  };
}

/** @param {ArticleState} state @returns {Question | null} */
function askNoise({ article }) {
  const noise = article.facts.layers?.arrays.noise;
  if (!noise) return null;
  const { head } = article.trace;
  const n = head.key_tokens.length;
  const asked = askedHead(article.trace);
  const { largest } = spreadOf(ofHead(noise, indexOf(head, asked.layer), asked.head), n);
  const offered = [largest, (1 + largest) / 2, 0.97];
  return {
    text: t(
      "A layer with random weights reads your {n} tokens. How large is the largest weight of a row, on average?",
      { n },
    ),
    choices: offered.map((one) => t("about {share}", { share: one.toFixed(2) })),
    right: [0],
    reveal: t(
      "It is {largest}, where {even} would be even: random queries and keys have hardly anything to do with one another. What stands out in a picture of random weights is noise.",
      { largest: largest.toFixed(3), even: (1 / n).toFixed(3) },
    ),
  };
}
