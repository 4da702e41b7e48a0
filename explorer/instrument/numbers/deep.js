// What stands below the map of a long text: the units that are read, and the heads whose weights
// between them can be made.

import { placeOf } from "./data.js";
import { unitsHolding } from "./layout.js";

/**
 * @typedef {import("./data.js").Trace} Trace
 * @typedef {import("./model.js").Unit} Unit
 * @typedef {import("./scene.js").Deep} Deep
 * @typedef {import("./scene.js").Model} Model
 * @typedef {import("./view.js").View} View
 */

/** @type {WeakMap<Model, Deep>} */
const known = new WeakMap();

/**
 * @param {Trace} trace @param {View} view @param {Model} model
 * @returns {Deep | null} null of a short text, and while only a preview is here
 */
export function deepOf(trace, view, model) {
  if (!trace.head.long || model.pooled) return null;
  if (model.own.some((head) => "scores" in head && !head.scores.logs)) return null;
  const found = known.get(model) ?? made(trace, view, model);
  known.set(model, found);
  return found;
}

/** @param {Trace} trace @param {View} view @param {Model} model @returns {Deep} */
function made(trace, view, model) {
  const { layout, map, own, layer } = model;
  const { rows, columns } = layout;
  const groups = map.layout;
  const numbers = model.pooled ? [] : model.chosen;
  const place = (/** @type {number} */ head) => placeOf(layer, head);
  return {
    ...{ rows, columns, combine: view.combine, rescaled: view.specials === "renormalised" },
    rowsOf: (group) => ends(groups.rows[group], layout.rowOfToken),
    columnsOf: (group) => ends(groups.columns[group], layout.columnOfToken),
    groupOfRow: groupsOf(rows, groups.rowOfToken),
    groupOfColumn: groupsOf(columns, groups.columnOfToken),
    heads: own.map((head, i) => ({
      name: `${trace.head.id} ${place(numbers[i])} ${head.id}`,
      head,
      ordinary: trace.summaries.get(place(numbers[i]))?.ordinary ?? null,
    })),
    pairs: numbers
      .flatMap((head) => pairsOf(trace, layer, head, layout, view.specials === "shown"))
      .sort((a, b) => b.weight - a.weight),
  };
}

/** The first and the last unit of a group. @param {Unit | undefined} group @param {Int32Array} unitOf */
function ends(group, unitOf) {
  const units = group ? unitsHolding(group.tokens, unitOf) : [];
  return /** @type {[number, number]} */ (
    units.length ? [units[0], units[units.length - 1]] : [0, -1]
  );
}

/** In which group each unit stands. @param {Unit[]} units @param {Int32Array} groupOf */
const groupsOf = (units, groupOf) => Int32Array.from(units, ({ tokens }) => groupOf[tokens[0]]);

/**
 * The strongest single weights of a head, as far as both ends are shown.
 * @param {Trace} trace @param {number} layer @param {number} head
 * @param {import("./layout.js").Layout} layout @param {boolean} every special tokens too
 */
function pairsOf(trace, layer, head, { rowOfToken, columnOfToken }, every) {
  const summary = trace.summaries.get(placeOf(layer, head));
  if (!summary?.pairs) return [];
  const count = summary.pairWeights.length / 2;
  const from = every ? 0 : count;
  return Array.from({ length: count }, (_, i) => {
    const [query, key] = summary.pairs.subarray(2 * (from + i), 2 * (from + i) + 2);
    const weight = summary.pairWeights[from + i];
    return { row: rowOfToken[query], column: columnOfToken[key], weight, head };
  }).filter(({ row, column, weight }) => weight >= 0 && row >= 0 && column >= 0);
}
