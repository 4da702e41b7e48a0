// The Article: its prose, the attention that its figures show, the place in it, and the answers that
// a reader has given. It knows no page.

import { read } from "../wire/container.js";
import { askedPlace } from "./articleasked.js";
import { bound } from "./basics.js";
import { headWeights, unpack } from "./data.js";
import { pinnedWords } from "./pinnedwords.js";

/**
 * @typedef {import("./data.js").Trace} Trace
 * @typedef {{kind: "heading" | "text" | "list" | "quote" | "figure", texts: string[]}} Piece
 *   of a figure its name
 * @typedef {{title: string, anchor: string, pieces: Piece[]}} Chapter
 * @typedef {{shape: number[], data: any}} Numbers
 * @typedef {Record<string, any> & {arrays: Record<string, Numbers>}} Fact
 * @typedef {{id: string, link: Record<string, string> | null, run: Record<string, string> | null,
 *            about: import("../parts/about.js").About, opening: Record<string, string> | null,
 *            whose: "reader" | "beginning" | "example", chapters: Chapter[],
 *            facts: Record<string, Fact>, whole: boolean, trace: Trace}} Article
 *   link: what the reader looks at; run: what the figures show; whole: whether all facts are there
 * @typedef {{chapter: string, layer: number, head: number, query: number | null,
 *            key: number | null}} ArticleView
 *   layer: the model's own number; query, key: what is pinned
 * @typedef {{given: number, right: boolean}} Answer given: which of the choices
 * @typedef {{article: Article, view: ArticleView, hovered: number | null,
 *            answers: Record<string, Answer>}} ArticleState
 *   hovered: the query that is pointed at; answers: by the name of the question
 */

/** The names that a link uses. */
export const ARTICLE_PARAMS = ["chapter", "layer", "heads", "query", "key"];

/** @param {Uint8Array} bytes @returns {{article: Article, page: Uint8Array<ArrayBuffer>}} */
export function unpackArticle(bytes) {
  const { head, blocks } = read(bytes);
  const of = (/** @type {string} */ kind) => blocks.find((block) => block.kind === kind)?.data;
  /** @type {Record<string, Fact>} */
  const facts = {};
  for (const [name, said] of Object.entries(head.facts)) facts[name] = { ...said, arrays: {} };
  for (const { kind, of: name, part, shape, data } of blocks)
    if (kind === "fact") facts[name].arrays[part] = { shape, data };
  const page = /** @type {Uint8Array<ArrayBuffer>} */ (of("page"));
  const trace = unpack(/** @type {Uint8Array} */ (of("trace")));
  return { article: { ...head, facts, trace }, page };
}

/** @param {Article} article @param {URLSearchParams} params @returns {ArticleView} */
export function viewOfLink(article, params) {
  const { head } = article.trace;
  const { numbers, n_heads: nHeads, query_tokens: tokens } = head;
  const number = (/** @type {string} */ name) => {
    const value = Number.parseInt(params.get(name) ?? "", 10);
    return Number.isNaN(value) ? null : value;
  };
  const inText = (/** @type {number | null} */ at) =>
    at !== null && at >= 0 && at < tokens.length ? at : null;
  const asked = params.get("chapter");
  const chapter = article.chapters.some(({ anchor }) => anchor === asked) ? String(asked) : "";
  const [layer, head0] = [number("layer"), number("heads")];
  // Who names no place sees what the first question is about.
  if (!["layer", "heads", "query"].some((name) => params.has(name)))
    return { chapter, ...askedPlace(article.trace) };
  return {
    chapter,
    layer: layer !== null && numbers.includes(layer) ? layer : numbers[0],
    head: bound(head0 ?? 0, 0, nHeads - 1),
    query: inText(number("query")),
    key: inText(number("key")),
  };
}

/** @param {ArticleState} state @returns {Record<string, string>} */
export function linkOfView({ view }) {
  const { chapter, layer, head, query, key } = view;
  return {
    ...(chapter && { chapter }),
    layer: String(layer),
    heads: String(head),
    ...(query !== null && { query: String(query) }),
    ...(key !== null && { key: String(key) }),
  };
}

/** The words that the pinned tokens are pieces of, for the place. @param {ArticleState} state */
export const wordsOfView = ({ article, view: { query, key } }) =>
  pinnedWords(article.trace, {
    queries: query === null ? [] : [query],
    keys: key === null ? [] : [key],
  });

/** The token that looks: the one pointed at, the pinned one, else the first that is a word. @param {ArticleState} state */
export function lookingOf({ article, view, hovered }) {
  const tokens = article.trace.head.query_tokens;
  const first = tokens.findIndex(({ special }) => !special);
  return hovered ?? view.query ?? Math.max(first, 0);
}

/** The weights of the head that is looked at, `[query, key]`. @param {ArticleState} state */
export const weightsOf = ({ article, view }) =>
  /** @type {Float32Array} */ (headWeights(article.trace, view.layer, view.head));

/** How many questions were answered, and how many rightly. @param {ArticleState} state */
export function scoreOf({ answers }) {
  const given = Object.values(answers);
  return { n: given.length, right: given.filter(({ right }) => right).length };
}

/** What has come, with what a reader had chosen before. @param {ArticleState | null} before @param {Article} article @param {URLSearchParams} params @param {ArticleState["answers"]} [answers] @returns {ArticleState} */
export function withArticle(before, article, params, answers = {}) {
  if (before?.article.id === article.id) return { ...before, article };
  const view = viewOfLink(article, params);
  return { article, view, hovered: null, answers };
}
