// What is pinned, as a question to every head, and the answers.

import { indexOf, partOfHead } from "./data.js";
import { layoutOf, mapLayoutOf, mapLevelOf, unitsHolding } from "./layout.js";
import { attentionBetween } from "./model.js";
import { isPinned, writeTokens } from "./view.js";

/**
 * @typedef {import("./data.js").Trace} Trace
 * @typedef {import("./model.js").Unit} Unit
 * @typedef {import("./scene.js").Ranked} Ranked
 * @typedef {import("./scene.js").Wish} Wish
 * @typedef {import("./view.js").View} View
 */

/**
 * What is pinned, as a question to every head: one number if both sides are, else a row of them.
 * @param {Trace} trace @param {View} view
 * @returns {Wish | null} null if nothing is pinned, or what is pinned is hidden
 */
export function wishOf(trace, view) {
  if (!isPinned(view)) return null;
  const { rows, columns, rowOfToken, columnOfToken } = layoutOf(trace, view);
  const open = trace.head.long ? mapLayoutOf(trace, view) : { rows, columns };
  const chosenRows = unitsHolding(view.queries, rowOfToken);
  const chosenColumns = unitsHolding(view.keys, columnOfToken);
  const [mean, together] = [view.queries.length > 0, view.keys.length > 0];
  if ((mean && !chosenRows.length) || (together && !chosenColumns.length)) return null;
  // Who looks at a word in every head of a long text would take every row of every head.
  if (trace.head.long && !mean) return null;
  const pieces = (/** @type {Unit[]} */ units) => units.map((unit) => unit.tokens);
  return {
    name: [
      writeTokens(view.queries),
      writeTokens(view.keys),
      view.words ? "words" : "pieces",
      view.specials,
      ...(trace.head.long ? [mapLevelOf(trace.head, view)] : []),
    ].join("_"),
    queries: pieces(mean ? chosenRows.map((r) => rows[r]) : open.rows),
    keys: pieces(together ? chosenColumns.map((c) => columns[c]) : open.columns),
    mean,
    together,
    rescaled: view.specials === "renormalised",
    special: (mean ? open.columns : open.rows).map((unit) => unit.special),
  };
}

/** Whether the server's answer to a wish is here. @param {Trace} trace @param {Wish} wish */
export const isAnswered = (trace, wish) => trace.group?.name === wish.name;

/**
 * One head's answer to a wish: from the server's answer for all heads, else from the layer itself.
 * @param {Trace} trace @param {Wish} wish @param {number} layer @param {number} head
 * @returns {Float32Array | null} null where neither is here
 */
export function answerOf(trace, wish, layer, head) {
  const { n_heads: nHeads, key_tokens: keys } = trace.head;
  if (trace.group && isAnswered(trace, wish)) {
    const size = trace.group.weights.length / (trace.head.numbers.length * nHeads);
    const at = (indexOf(trace.head, layer) * nHeads + head) * size;
    return trace.group.weights.subarray(at, at + size);
  }
  const part = partOfHead(trace, layer, head, wish);
  const kept = wish.rescaled ? Uint8Array.from(keys, (token) => Number(!token.special)) : null;
  return part && attentionBetween(part.weights, part.nKeys, { ...part.chosen, kept });
}

/**
 * The number of a pinned pair in every head that is known, strongest first.
 * @param {Trace} trace @param {Wish | null} wish
 * @returns {Ranked[]}
 */
export function pinnedNumbers(trace, wish) {
  if (!wish?.mean || !wish.together) return [];
  const found = [];
  for (const layer of trace.head.numbers) {
    for (let head = 0; head < trace.head.n_heads; head++) {
      const answer = answerOf(trace, wish, layer, head);
      if (answer) found.push({ layer, head, weight: answer[0] });
    }
  }
  return found.sort((a, b) => b.weight - a.weight);
}
