// What a reader changes in the model's attention: as links say it, in words, and what may be changed
// next. explorer/edits.py reads it.

import { inQuotes } from "./basics.js";
import { headName } from "./headname.js";
import { t, tn } from "./language.js";
import { readTokens, writeTokens } from "./view.js";

/**
 * @typedef {{off: string[], even: string[], silent: string[], cut: number[], edges: string[]}} Edits
 *   heads as `layer-head`; cut: positions; edges as `layer-head-query-key`, with `a` for all
 * @typedef {{says: string, title: string, edits: Edits}} Offer what may be changed, and all that is then
 */

const HEADS = /** @type {["off", "even", "silent"]} */ (["off", "even", "silent"]);
const HEAD_SAYS = {
  off: (/** @type {string} */ head) => t("{head} off", { head }),
  even: (/** @type {string} */ head) => t("{head} looks evenly", { head }),
  silent: (/** @type {string} */ head) => t("{head} sink silenced", { head }),
};

/** @param {string} word of a link @returns {Edits} */
export function readEdits(word) {
  const said = new Map(
    word.split("_").map((part) => /** @type {[string, string]} */ (part.split(":"))),
  );
  const list = (/** @type {string} */ name) => (said.get(name) ?? "").split(".").filter(Boolean);
  const [off, even, silent, edges] = ["off", "even", "silent", "edges"].map(list);
  return { off, even, silent, edges, cut: readTokens(said.get("cut") ?? null) ?? [] };
}

/** @param {Edits} edits */
export function writeEdits({ cut, ...lists }) {
  const all = { ...lists, cut: cut.length ? [writeTokens(cut)] : [] };
  return Object.entries(all)
    .filter(([, list]) => list.length)
    .map(([name, list]) => `${name}:${list.join(".")}`)
    .join("_");
}

/** What a head that is switched off shows all the same. */
export const OFF = t("Switched off: what it would look at.");

/**
 * Whether a head is switched off. @param {string | null} edits as links say them
 * @param {number} layer @param {number} head
 */
export const isSwitchedOff = (edits, layer, head) =>
  readEdits(edits ?? "").off.includes(`${layer}-${head}`);

/**
 * @template {string | number} T
 * @param {T[]} list @param {T[]} more
 * @returns {T[]}
 */
const and = (list, more) => [...new Set([...list, ...more])].sort((a, b) => Number(a) - Number(b));

/**
 * What may be changed of what is looked at: the chosen heads, and the words that are pinned.
 * @param {Edits} edits
 * @param {Pick<import("./view.js").View, "layer" | "heads" | "queries" | "keys">} view
 * @param {string[]} tokens of the text
 * @returns {Offer[]}
 */
export function offersOf(edits, { layer, heads, queries, keys }, tokens) {
  const chosen = heads.map((head) => `${layer}-${head}`);
  const several = tn("this {n} head", "these {n} heads", heads.length);
  const name = heads.length > 1 ? several : headName(layer, heads[0]);
  const words = (/** @type {number[]} */ some) => {
    const quoted = some.map((i) => inQuotes(tokens[i] ?? ""));
    return quoted.reduce((start, next) => t("{start}, {next}", { start, next }));
  };
  /** @type {[string, string, Partial<Edits>][]} */
  const all = [
    [
      t("Switch {heads} off", { heads: name }),
      t("Its output becomes zero (Michel et al. 2019)"),
      { off: chosen },
    ],
    [
      t("Let {heads} look evenly", { heads: name }),
      t("Each row shares out its attention evenly"),
      { even: chosen },
    ],
    [
      t("Silence the sink of {heads}", { heads: name }),
      t("No token looks at the first one there"),
      { silent: chosen },
    ],
  ];
  const pinned = keys.length ? keys : queries;
  if (queries.length && keys.length) {
    const pairs = queries.flatMap((query) => keys.map((key) => `${query}-${key}`));
    const [query, key] = [words(queries), words(keys)];
    const own = chosen.flatMap((head) => pairs.map((pair) => `${head}-${pair}`));
    const everywhere = pairs.map((pair) => `a-a-${pair}`);
    all.push([
      t("Cut {query} → {key} in {heads}", { query, key, heads: name }),
      t("What it had goes to the rest of the row"),
      { edges: own },
    ]);
    all.push([
      t("Cut {query} → {key} in all heads", { query, key }),
      t("In every head of every layer"),
      { edges: everywhere },
    ]);
  }
  if (pinned.length && pinned.length <= 8) {
    all.push([
      t("Cut {words} out for all later words", { words: words(pinned) }),
      t("No later token looks at it, in any layer (attention knockout, Geva et al. 2023)"),
      { cut: pinned },
    ]);
  }
  return all
    .map(([says, title, more]) => ({ says, title, edits: withMore(edits, more) }))
    .filter((offer) => writeEdits(offer.edits) !== writeEdits(edits));
}

/** @param {Edits} edits @param {Partial<Edits>} more @returns {Edits} */
function withMore(edits, more) {
  const next = { ...edits };
  for (const head of HEADS) next[head] = and(edits[head], more[head] ?? []);
  return {
    ...next,
    cut: and(edits.cut, more.cut ?? []),
    edges: and(edits.edges, more.edges ?? []),
  };
}

/**
 * What is changed now, each with what is left once it is taken back.
 * @param {Edits} edits @param {string[]} tokens of the text
 * @returns {{says: string, without: Edits}[]}
 */
export function changedIn(edits, tokens) {
  const heads = HEADS.flatMap((kind) =>
    edits[kind].map((one) => ({
      says: HEAD_SAYS[kind](headOf(one)),
      without: { ...edits, [kind]: edits[kind].filter((other) => other !== one) },
    })),
  );
  const cuts = edits.cut.map((at) => ({
    says: t("{word} cut out", { word: inQuotes(tokens[at] ?? String(at)) }),
    without: { ...edits, cut: edits.cut.filter((other) => other !== at) },
  }));
  const edges = edits.edges.map((edge) => ({
    says: edgeSays(edge, tokens),
    without: { ...edits, edges: edits.edges.filter((other) => other !== edge) },
  }));
  return [...heads, ...cuts, ...edges];
}

/** @param {string} one as `layer-head` */
const headOf = (one) => {
  const [layer, head] = one.split("-").map(Number);
  return headName(layer, head);
};

/** @param {string} edge @param {string[]} tokens */
function edgeSays(edge, tokens) {
  const [layer, head, ...pair] = edge.split("-");
  const [query, key] = pair.map((at) => tokens[Number(at)] ?? at);
  if (layer === "a") return t("{query} → {key} cut", { query, key });
  return t("{query} → {key} cut in {head}", { query, key, head: headOf(`${layer}-${head}`) });
}
