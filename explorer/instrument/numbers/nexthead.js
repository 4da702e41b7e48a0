// Which head is looked at next: one that does something with what is pinned.

import { headWeights } from "./data.js";
import { isPinned } from "./view.js";

/**
 * @typedef {import("./data.js").Trace} Trace
 * @typedef {import("./scene.js").Ranked} Ranked
 * @typedef {import("./view.js").View} View
 */

const FEW = 5; // of the strongest heads; one walks through these

/**
 * The next of the strongest heads for what is pinned; where nothing is, the next one of the layer.
 * @param {Trace} trace @param {View} view @param {Ranked[]} numbers a pinned pair’s, strongest first
 * @returns {{layer: number, head: number}}
 */
export function nextHead(trace, view, numbers) {
  const strong = (numbers.length ? numbers : rankedByPin(trace, view)).slice(0, FEW);
  const own = view.heads[0] ?? 0;
  if (!strong.length) return { layer: view.layer, head: (own + 1) % trace.head.n_heads };
  const at = strong.findIndex(({ layer, head }) => layer === view.layer && head === own);
  return strong[(at + 1) % strong.length];
}

/**
 * The heads that are here, by the most that a pinned word gives to another ordinary token, or is
 * given by one.
 * @param {Trace} trace @param {View} view @returns {Ranked[]}
 */
function rankedByPin(trace, view) {
  if (!isPinned(view) || trace.head.long) return [];
  const { n_heads: nHeads } = trace.head;
  const heads = [...trace.layers.keys()].flatMap((layer) =>
    Array.from({ length: nHeads }, (_, head) => ({ layer, head })),
  );
  return heads
    .flatMap(({ layer, head }) => {
      const weights = headWeights(trace, layer, head);
      return weights ? [{ layer, head, weight: mostOf(trace, view, weights) }] : [];
    })
    .sort((one, other) => other.weight - one.weight);
}

/** @param {Trace} trace @param {View} view @param {Float32Array} weights `[query, key]` */
function mostOf({ head }, { queries, keys }, weights) {
  const { query_tokens: rows, key_tokens: columns } = head;
  const looks = queries.length > 0;
  const [pins, others] = looks ? [queries, columns] : [keys, rows];
  let most = 0;
  others.forEach((token, i) => {
    if (token.special || pins.includes(i)) return;
    for (const pin of pins) {
      const at = looks ? pin * columns.length + i : i * columns.length + pin;
      most = Math.max(most, weights[at]);
    }
  });
  return most;
}
