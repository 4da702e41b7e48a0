// What is painted of a long text: where one reads, numbers that are made of q and k when they are
// asked for; on maps, what the server has added up between groups.

import { once, remember } from "./basics.js";
import { placeOf, thumbWeights } from "./data.js";
import { mapsAt } from "./groupmaps.js";
import { t } from "./language.js";
import { layoutOf, mapLayoutOf, mapLevelOf, poolOf } from "./layout.js";
import { longHead } from "./longhead.js";
import { largestOf, numbersOf, together } from "./manyheads.js";
import { combine, fullColour, partsIn } from "./model.js";
import { baseOf, nameOf } from "./words.js";

/**
 * @typedef {import("./data.js").Trace} Trace
 * @typedef {import("./data.js").Head} Head
 * @typedef {import("./data.js").GroupMaps} GroupMaps
 * @typedef {import("./data.js").Summary} Summary
 * @typedef {import("./layout.js").Layout} Layout
 * @typedef {import("./longhead.js").LongHead} LongHead
 * @typedef {import("./manyheads.js").Numbers} Numbers
 * @typedef {import("./model.js").Picture} Picture
 * @typedef {import("./scene.js").Model} Model
 * @typedef {import("./view.js").View} View
 */

export const FEW = 128; // rows or columns that are made while the hand rests

/** What several units of a map are called. @type {Record<string, string>} */
const NOUNS = {
  token: t("tokens"),
  word: t("words"),
  sentence: t("sentences"),
  paragraph: t("paragraphs"),
  turn: t("turns"),
  stretch: t("stretches"),
};

/** @type {WeakMap<Head, Map<string, LongHead>>} */
const known = new WeakMap();

/**
 * What is painted for the chosen heads of a long text.
 * @param {Trace} trace @param {View} view @param {number} layer @param {number[]} heads
 * @returns {Model | null} null while one of them is not here
 */
export function longModelOf(trace, view, layer, heads) {
  const { head: header } = trace;
  const own = heads.flatMap((head) => trace.heads.get(placeOf(layer, head)) ?? []);
  if (own.length < heads.length) return null;
  const found = heads.flatMap((head) => trace.summaries.get(placeOf(layer, head)) ?? []);
  const summaries = found.length === heads.length ? found : null;
  const layout = layoutOf(trace, view);
  const rescaled = view.specials === "renormalised";
  const each = own.map((head, i) => headIn(trace, view, layout, head, summaries?.[i]));
  const said = saidOf(summaries, header, rescaled);
  const model = {
    ...said,
    ...{
      name: nameOf(layer, heads, header.n_heads, view.combine),
      layer,
      layout,
      own,
      chosen: heads,
    },
    most: heads.length > 1 && view.combine === "max",
    picture: { rows: layout.rows, columns: layout.columns, weights: new Float32Array() },
    ...{ tops: new Float32Array(), perHead: [], pooled: null },
    shares: once(() => sharesOf(summaries, layout)),
    nowhere: (/** @type {number[]} */ rows) => {
      if (!header.sinks || rescaled) return 0;
      return rows.length ? meanOf(each.map((head) => head.nowhere(rows))) : said.sinkShare();
    },
  };
  const numbers = numbersIn(each, model.most);
  return { ...model, ...numbers, ...mapsOf(trace, view, model, heads, summaries) };
}

/**
 * One head between the units that are read; made once.
 * @param {Trace} trace @param {View} view @param {Layout} layout @param {Head} head
 * @param {Summary | undefined} summary
 */
function headIn({ head: header }, { words, specials }, layout, head, summary) {
  const nKeys = header.key_tokens.length;
  const rescaled = specials === "renormalised";
  const own = remember(known, head, () => new Map());
  return remember(own, `${words} ${specials} ${summary !== undefined}`, () =>
    longHead(head, layout, nKeys, rescaled, summary?.ordinary ?? null),
  );
}

/**
 * Numbers of some heads, made of few rows or columns; of many on both sides there is none here.
 * @param {LongHead[]} each @param {boolean} most
 * @returns {Pick<Model, "given" | "got" | "number">}
 */
function numbersIn(each, most) {
  const how = most ? "max" : "mean";
  const of = (/** @type {(head: LongHead) => Float32Array} */ make) => combine(each.map(make), how);
  const sum = (/** @type {Float32Array} */ values, /** @type {number[]} */ some) =>
    some.reduce((all, i) => all + values[i], 0);
  return {
    given: (rows) => of((head) => head.given(rows)),
    got: (columns) => {
      const found = each.map((head) => head.got(columns));
      const all = found.filter((got) => got !== null);
      return all.length < found.length ? null : combine(all, how);
    },
    number: (rows, columns) => {
      if (Math.min(rows.length, columns.length) > FEW) return null;
      const found = each.flatMap((head) => {
        if (rows.length <= FEW) return sum(head.given(rows), columns);
        const got = head.got(columns);
        return got ? sum(got, rows) / rows.length : [];
      });
      if (found.length < each.length) return null;
      return most ? Math.max(...found) : meanOf(found);
    },
  };
}

/** @param {number[]} numbers */
const meanOf = (numbers) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

/**
 * What is said of heads as a whole; nothing while they are being added up.
 * @param {Summary[] | null} all @param {import("./data.js").Header} header
 * @param {boolean} rescaled
 * @returns {Pick<Model, "base" | "profile" | "hiddenShare" | "sinkShare">}
 */
function saidOf(all, { query_tokens: queries, key_tokens: keys }, rescaled) {
  const mean = (
    /** @type {"self" | "previous" | "next" | "repeat" | "special" | "sink"} */ name,
  ) => (all ? meanOf(all.map(({ profile }) => profile[name])) : 0);
  return {
    base: baseOf(queries.length, all?.length ?? 1, rescaled),
    profile: () =>
      all && {
        ...all[0].profile,
        ...{ self: mean("self"), previous: mean("previous"), next: mean("next") },
        ...{ repeat: mean("repeat"), special: mean("special") },
        // The entropy of a mean is no mean of entropies: it would take all rows of all heads.
        entropy: all.length === 1 ? all[0].profile.entropy : null,
      },
    hiddenShare: () => (keys.some((token) => token.special) ? mean("special") : null),
    sinkShare: () => mean("sink"),
  };
}

/** What each unit gets of all attention. @param {Summary[] | null} all @param {Layout} layout */
function sharesOf(all, { columns }) {
  if (!all) return null;
  return Float32Array.from(columns, ({ tokens }) =>
    tokens.reduce((sum, key) => sum + meanOf(all.map(({ received }) => received[key])), 0),
  );
}

/**
 * The maps between groups: as they are painted, and of sums, of which sentences speak.
 * @param {Trace} trace @param {View} view @param {any} model @param {number[]} heads
 * @param {Summary[] | null} summaries
 * @returns {{map: Model, total: Model}}
 */
function mapsOf(trace, view, model, heads, summaries) {
  const layout = mapLayoutOf(trace, view);
  const level = mapLevelOf(trace.head, view);
  const found = summaries?.flatMap((one) => mapsAt(trace.head, one, level) ?? []) ?? [];
  const base = {
    ...model,
    layout,
    shares: once(() => sharesOf(summaries, layout)),
    noun: NOUNS[level ?? ""] ?? t("groups"),
  };
  if (!summaries || found.length < heads.length) {
    const waiting = waitingMap(trace, view, base, layout, heads);
    return { map: waiting, total: waiting };
  }
  const made = (/** @type {"sum" | "max"} */ pool) => {
    const pictures = found.map((maps) => pictureIn(layout, maps, pool, view.specials));
    const picture = together(pictures, view.combine);
    const numbers = numbersOf(model.most ? pictures : [picture]);
    return /** @type {Model} */ ({
      ...base,
      ...{
        picture,
        tops: fullColour(picture, view.scale, { parts: partsIn(layout.columns, pool) }),
      },
      ...(pool === "max" ? largestOf(picture) : numbers),
      perHead: heads.map((head, i) => ({ head, picture: pictures[i] })),
      nowhere: (rows) => (model.nowhere([]) ? unheld(summaries, found, layout, rows) : 0),
    });
  };
  const total = made("sum");
  return { map: poolOf(trace.head, view) === "max" ? made("max") : total, total };
}

/**
 * Until sums are here: the small picture, larger.
 * @param {Trace} trace @param {View} view @param {any} base @param {Layout} layout @param {number[]} heads
 * @returns {Model}
 */
function waitingMap(trace, view, base, layout, heads) {
  const { rows, columns } = layout;
  const thumb = thumbWeights(trace, base.layer, heads[0], view.specials !== "shown");
  const [nRows, nColumns] = thumb ? trace.head.thumb : [1, 1];
  const pooled = {
    ...{ weights: thumb ?? new Float32Array(1), nRows, nColumns },
    tops: new Float32Array(nRows).fill(1),
  };
  const picture = { rows, columns, weights: new Float32Array(rows.length * columns.length) };
  return { ...base, ...numbersOf([picture]), picture, pooled };
}

/**
 * A head's map between the groups that are shown.
 * @param {Layout} layout @param {GroupMaps} maps @param {"sum" | "max"} pool
 * @param {View["specials"]} specials
 * @returns {Picture}
 */
function pictureIn({ rows, columns, rowGroups, columnGroups }, maps, pool, specials) {
  const { nRows, nColumns, weights } = maps;
  const from = pool === "max" ? nRows * nColumns : 0;
  const out = new Float32Array(rows.length * columns.length);
  rowGroups.forEach((group, r) => {
    const line = from + group * nColumns;
    let sum = 0;
    for (const column of columnGroups) sum += weights[line + column];
    const whole = (specials === "renormalised" && sum) || 1;
    columnGroups.forEach((column, c) => {
      out[r * columns.length + c] = weights[line + column] / whole;
    });
  });
  return { weights: out, rows, columns };
}

/**
 * The share of some groups' attention that goes to no token.
 * @param {Summary[]} all @param {GroupMaps[]} found @param {Layout} layout @param {number[]} chosen
 */
function unheld(all, found, { rowGroups }, chosen) {
  if (!chosen.length) return meanOf(all.map(({ profile }) => profile.sink));
  const held = found.flatMap(({ weights, nColumns }) =>
    chosen.map((row) => {
      const line = rowGroups[row] * nColumns;
      return weights.subarray(line, line + nColumns).reduce((sum, weight) => sum + weight, 0);
    }),
  );
  return Math.max(0, 1 - meanOf(held));
}
