// What survives of all heads when they are made cheaper: as it is sent, what is chosen of it, and
// what is said of it. It knows no page.

import { read } from "../wire/container.js";
import { bound } from "./basics.js";
import { csvCell, exactly } from "./csv.js";
import { headName } from "./headname.js";
import { filledWith, sentences, t } from "./language.js";

/**
 * @typedef {{kind: string, name: string, budget: string, given: string, kept: string,
 *            exactly: string, gives_up: string, source: string, not_placed: string, budgets: number[],
 *            costs: number[], needs: number[][], survives: Float32Array}} Way
 *   costs: of each budget, as a share of the pairs of full attention; needs: for each share the
 *   least budget of each head, or -1; survives: [budget, head]
 * @typedef {{way: string, heads: string, pooled: number, least: number, least_at: string,
 *            divergence: number | null, agrees: number | null}} Tried
 * @typedef {{id: string, link: Record<string, string> | null, about: import("../parts/about.js").About,
 *            numbers: number[], n_heads: number, n_tokens: number, everywhere: string[], ways: Way[],
 *            reasons: {name: string, why: string}[], shares: number[],
 *            without: [number, number, number][][], order: string[],
 *            place: Record<string, string>, opening: Record<string, string> | null,
 *            tried: Tried[], can_try: string, whole: boolean,
 *            of_map: {head: number, kind: string, budget: number} | null,
 *            before: Float32Array | null, after: Float32Array | null}} Efficiency
 *   without: for each share and head the number of the way in `order` (-1: none), its budget, its cost
 * @typedef {{way: string, budget: number, share: number, pick: number}} EfficiencyView
 *   budget: a place in the way's budgets; share: a place in `shares`; pick: a head, through all layers
 * @typedef {{found: Efficiency, view: EfficiencyView, hovered: number | null,
 *            asked?: URLSearchParams | null}} EfficiencyState
 *   asked: what a link opened it with, as long as not all of the ways are there
 */

/** @param {Uint8Array} bytes @returns {{found: Efficiency, page: Uint8Array<ArrayBuffer>}} */
export function unpackEfficiency(bytes) {
  const { head, blocks } = read(bytes);
  const of = (/** @type {string} */ kind) => blocks.find((block) => block.kind === kind)?.data;
  const ways = head.ways.map((/** @type {Way} */ way) => ({ ...way, survives: of(way.kind) }));
  const page = /** @type {Uint8Array<ArrayBuffer>} */ (of("page"));
  return {
    found: { ...head, ways, before: of("before") ?? null, after: of("after") ?? null },
    page,
  };
}

/** The way that is looked at. @param {EfficiencyState} state @returns {Way} */
export const wayOf = ({ found, view }) =>
  found.ways.find(({ kind }) => kind === view.way) ?? found.ways[0];

/** Its budget. @param {EfficiencyState} state */
export const budgetOf = (state) => wayOf(state).budgets[state.view.budget] ?? 0;

/** What survives of each head. @param {EfficiencyState} state */
export function survivesOf(state) {
  const count = state.found.numbers.length * state.found.n_heads;
  const start = state.view.budget * count;
  return wayOf(state).survives.subarray(start, start + count);
}

/** The mean over all heads, at every budget. @param {EfficiencyState} state @returns {number[]} */
export function meansOf({ found, view }) {
  const { survives, budgets } = wayOf({ found, view, hovered: null });
  const count = found.numbers.length * found.n_heads;
  return budgets.map((_, at) => meanOf(survives.subarray(at * count, (at + 1) * count)));
}

/** @param {ArrayLike<number>} numbers */
export const meanOf = (numbers) =>
  Array.from(numbers).reduce((sum, x) => sum + x, 0) / numbers.length;

/** One head, at every budget. @param {EfficiencyState} state @param {number} head @returns {number[]} */
export function curveOf(state, head) {
  const count = state.found.numbers.length * state.found.n_heads;
  const { survives, budgets } = wayOf(state);
  return budgets.map((_, at) => survives[at * count + head]);
}

/** The head that the words are about. @param {EfficiencyState} state */
export const headOf = ({ hovered, view }) => hovered ?? view.pick;

/** @param {Efficiency} found @param {number} head through all layers */
export const placeOf = ({ numbers, n_heads }, head) => ({
  layer: numbers[Math.floor(head / n_heads)],
  head: head % n_heads,
});

/** @param {Efficiency} found @param {number} head @param {typeof headName} [name] */
export function nameOf(found, head, name = headName) {
  const at = placeOf(found, head);
  return name(at.layer, at.head);
}

// — the view —

/** The place of the budget that is nearest to one. @param {Way} way @param {number} wanted */
export const nearestBudget = ({ budgets }, wanted) =>
  budgets.reduce(
    (best, budget, at) =>
      Math.abs(budget - wanted) < Math.abs(budgets[best] - wanted) ? at : best,
    0,
  );

/** A budget to begin with: the first that makes a tenth of the pairs. @param {Way} way */
export const firstBudget = ({ costs }) =>
  Math.max(
    costs.findIndex((cost) => cost >= 0.1),
    0,
  );

/** What a link names, as far as there is such. @param {Efficiency} found @param {URLSearchParams} params @returns {EfficiencyView} */
export function viewOfLink(found, params) {
  const way = found.ways.find(({ kind }) => kind === params.get("way")) ?? found.ways[0];
  const said = Number.parseInt(params.get("budget") ?? "", 10);
  const share = found.shares.findIndex((s) => String(Math.round(100 * s)) === params.get("share"));
  const layer = Number.parseInt(params.get("layer") ?? found.place.layer ?? "0", 10);
  const head = Number.parseInt(params.get("heads") ?? found.place.heads ?? "0", 10);
  const at = found.numbers.indexOf(layer);
  return {
    way: way.kind,
    budget: Number.isNaN(said) ? firstBudget(way) : nearestBudget(way, said),
    share: share < 0 ? 1 : share,
    pick: Math.max(at, 0) * found.n_heads + (head >= 0 && head < found.n_heads ? head : 0),
  };
}

/** What a link says of a view: the place, and what is not as at first. @param {EfficiencyState} state */
export function linkOfView(state) {
  const { found, view } = state;
  const at = placeOf(found, view.pick);
  /** @type {Record<string, string>} */
  const params = { ...found.place, layer: String(at.layer), heads: String(at.head) };
  const isFirst = view.way === found.ways[0].kind && view.budget === firstBudget(wayOf(state));
  if (!isFirst) Object.assign(params, { way: view.way, budget: String(budgetOf(state)) });
  if (view.share !== 1) params.share = String(Math.round(100 * found.shares[view.share]));
  return params;
}

/**
 * The state after something has come: another text opens as the link says; more of the same leaves
 * the view as it is.
 * @param {EfficiencyState | null} before @param {Efficiency} found @param {URLSearchParams} params
 * @returns {EfficiencyState}
 */
export function withFound(before, found, params) {
  const asked = found.whole ? null : params;
  if (before?.found.id !== found.id)
    return { found, view: viewOfLink(found, params), hovered: null, asked };
  if (before.asked)
    return {
      ...before,
      found,
      view: viewOfLink(found, before.asked),
      asked: asked && before.asked,
    };
  return withView({ ...before, found }, {});
}

/** @param {EfficiencyState} state @param {Partial<EfficiencyView>} part @returns {EfficiencyState} */
export function withView(state, part) {
  const view = { ...state.view, ...part };
  const next = { ...state, view };
  const way = wayOf(next);
  const isOther = part.way !== undefined && part.way !== state.view.way;
  const budget = isOther ? firstBudget(way) : bound(view.budget, 0, way.budgets.length - 1);
  return { ...next, view: { ...view, way: way.kind, budget }, asked: null };
}

/** What is asked of the server of a view. @param {EfficiencyState} state @param {"" | "head" | "all"} [put] */
export const wishOf = (state, put = "") => ({
  ...placeOf(state.found, state.view.pick),
  ...{ way: state.view.way, budget: budgetOf(state), put },
});

/** Whether the maps that came are those of the view. @param {EfficiencyState} state */
export function hasMaps({ found, view }) {
  const of = found.of_map;
  if (!of || !found.before) return false;
  const state = { found, view, hovered: null };
  return of.head === view.pick && of.kind === view.way && of.budget === budgetOf(state);
}

// — in words —

/** A share as people say it: of the whole, rounded down, so that 100 % is all of it. @param {number} share */
export const percent = (share) =>
  share < 0.001 && share > 0
    ? t("less than 0.1 %")
    : `${share >= 0.995 && share < 1 - 5e-7 ? (Math.floor(1000 * share) / 10).toFixed(1) : Math.round(100 * share)} %`;

/** A head that is made cheaper, with its budget. @param {Way} way @param {number} budget */
export const givenIn = (way, budget) => filledWith(way.given, budget.toLocaleString("en"));

/** What survives of a head, and what it would need. @param {EfficiencyState} state @param {typeof headName} [name] */
export function efficiencySentence(state, name = headName) {
  const { found } = state;
  const way = wayOf(state);
  const head = headOf(state);
  const kept = survivesOf(state);
  const who = nameOf(found, head, name).replace(/^l/, "L");
  const share = found.shares[state.view.share];
  const need = way.needs[state.view.share][head];
  const values = { share: percent(share), given: givenIn(way, need) };
  const needs =
    need < 0
      ? t("No budget here keeps {share}.", values)
      : t("For {share} it needs {given}.", values);
  const survives = t("{head} with {given}: {share} {kept} survives (mean of all heads {mean}).", {
    ...{ head: who, given: givenIn(way, budgetOf(state)), share: percent(kept[head]) },
    ...{ kept: way.kept, mean: percent(meanOf(kept)) },
  });
  return way.budget ? sentences(survives, needs) : survives;
}

/** What a head could do without. @param {EfficiencyState} state @param {number} head */
export function withoutSentence({ found, view }, head) {
  const [at, budget, cost] = found.without[view.share][head];
  const share = percent(found.shares[view.share]);
  const who = nameOf(found, head);
  if (at < 0)
    return t("For {head} none of these keeps {share} at a quarter of the cost.", {
      head: who,
      share,
    });
  const way = /** @type {Way} */ (found.ways.find(({ kind }) => kind === found.order[at]));
  return t("{head} could do with {given}: {share} {kept} survives, at {cost} of the numbers.", {
    ...{ head: who, given: givenIn(way, budget), share },
    ...{ kept: way.kept, cost: percent(cost) },
  });
}

/** How many heads could do with each way; the last number is of those that none is enough for. @param {EfficiencyState} state */
export function countsOf({ found, view }) {
  const counts = Array(found.order.length + 1).fill(0);
  for (const [at] of found.without[view.share]) counts[at < 0 ? found.order.length : at] += 1;
  return counts;
}

/** @param {EfficiencyState} state */
export function efficiencyTitle(state) {
  const { title, passport } = state.found.about;
  const given = givenIn(wayOf(state), budgetOf(state));
  return [t("{title}: what survives with {given}", { title, given }), passport]
    .filter(Boolean)
    .join(" · ");
}

/** What is on screen, for whoever waits for it. @param {EfficiencyState} state */
export const efficiencyPainted = (state) =>
  `${state.found.id} ${state.view.way} ${budgetOf(state)} ${nameOf(state.found, state.view.pick)}${hasMaps(state) ? " maps" : ""}${state.found.whole ? " whole" : ""}`;

/** @param {number} cosine */
const cosineIn = (cosine) => cosine.toFixed(4).replace("-", "−");

/** @param {Tried} tried */
export const triedWords = (tried) => [
  tried.heads,
  tried.way,
  cosineIn(tried.pooled),
  `${cosineIn(tried.least)} (${tried.least_at})`,
  tried.divergence === null ? "—" : t("{n} bits", { n: tried.divergence.toFixed(4) }),
  tried.agrees === null ? "—" : percent(tried.agrees),
];

/** Every head, way and budget as CSV. @param {Efficiency} found */
export function efficiencyCsv(found) {
  const count = found.numbers.length * found.n_heads;
  const lines = [["head", "way", "budget", "survives", "cost"].join(",")];
  for (const { name, budgets, costs, survives } of found.ways)
    for (let head = 0; head < count; head++)
      budgets.forEach((budget, at) => {
        const numbers = [budget, exactly(survives[at * count + head]), costs[at]];
        lines.push([csvCell(nameOf(found, head)), csvCell(name), ...numbers].join(","));
      });
  return `\ufeff${lines.join("\r\n")}\r\n`;
}
