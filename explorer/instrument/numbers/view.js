// What the reader has chosen: one plain object, its changes, and its place in a link.

import { cardParams, cardText, joinCards, MOST_LETTERS, splitCards } from "./cardtext.js";
import { t } from "./language.js";

/**
 * @typedef {import("./model.js").Specials} Specials
 * @typedef {import("./model.js").Scale} Scale
 * @typedef {"auto" | "same" | "sentence" | "paragraph" | "turn" | "stretch"} Level
 * @typedef {{layer: number, heads: number[], combine: "mean" | "max",
 *            queries: number[], keys: number[], look: "from" | "to",
 *            grid: "pinned" | "whole", words: boolean, map: Level, pool: "sum" | "max", specials: Specials, scale: Scale, mass: number,
 *            temperature: number, top: number,
 *            flow: "auto" | "down" | "across", path: "all" | "chosen", residual: number,
 *            step: number | null, cards: string[]}} View
 *   layer is the model’s own number of it; queries and keys are the pinned tokens, in order; residual is per cent; step is of a training,
 *   null for its last; map: what stands on maps; pool: how weights between groups become one;
 *   temperature, top: how a next token is drawn: per cent, 0 for always the likeliest; from how many
 *   of the likeliest, 0 for all;
 *   cards: views that were kept, each as a link has it
 */

/** @type {View} */
export const START = {
  layer: 0,
  heads: [0],
  combine: "mean",
  queries: [],
  keys: [],
  look: "from",
  grid: "pinned",
  words: false,
  map: "auto",
  pool: "sum",
  specials: "shown",
  scale: "percentile",
  mass: 90,
  temperature: 100,
  top: 0,
  flow: "auto",
  path: "all",
  residual: 50,
  step: null,
  cards: [],
};

const CHOICES = {
  combine: ["mean", "max"],
  look: ["from", "to"],
  grid: ["pinned", "whole"],
  map: ["auto", "same", "sentence", "paragraph", "turn", "stretch"],
  pool: ["sum", "max"],
  specials: ["shown", "hidden", "renormalised"],
  scale: ["percentile", "row", "absolute"],
  flow: ["auto", "down", "across"],
  path: ["all", "chosen"],
};
const DRAWS = /** @type {["temperature", "top"]} */ (["temperature", "top"]);
const NAMES = /** @type {(keyof typeof CHOICES)[]} */ (Object.keys(CHOICES));
const PIN_NAMES = /** @type {["query" | "key", "queries" | "keys"][]} */ ([
  ["query", "queries"],
  ["key", "keys"],
]);
const MOST_PINNED = 4096;

/**
 * Token numbers as a link writes them: `3.7-9`.
 * @param {number[]} tokens in order
 */
export function writeTokens(tokens) {
  return runsOf(tokens)
    .map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`))
    .join(".");
}

/**
 * Numbers in order as runs of neighbours: first and last of each.
 * @param {number[]} numbers
 * @returns {[number, number][]}
 */
export function runsOf(numbers) {
  /** @type {[number, number][]} */
  const runs = [];
  for (const i of numbers) {
    const last = runs[runs.length - 1];
    if (last && last[1] === i - 1) last[1] = i;
    else runs.push([i, i]);
  }
  return runs;
}

/**
 * @param {string | null} text
 * @returns {number[] | null} null if it is not what `writeTokens` writes
 */
export function readTokens(text) {
  if (text === null || !/^\d{1,5}(-\d{1,5})?(\.\d{1,5}(-\d{1,5})?)*$/.test(text)) return null;
  const tokens = new Set();
  let left = MOST_PINNED; // counted, not the set's size: a link may name the same ones for ever
  for (const part of text.split(".")) {
    const [first, last = first] = part.split("-").map(Number);
    for (let i = first; i <= last && left > 0; i++, left--) tokens.add(i);
  }
  return [...tokens].sort((a, b) => a - b);
}

/**
 * The view as URL parameters; what is as at the start is left out.
 * @param {View} view
 * @returns {Record<string, string>}
 */
export function toParams(view) {
  /** @type {Record<string, string>} */
  const params = { layer: String(view.layer), heads: view.heads.join(".") };
  for (const [name, side] of PIN_NAMES) {
    if (view[side].length) params[name] = writeTokens(view[side]);
  }
  for (const name of NAMES) {
    if (view[name] !== START[name]) params[name] = view[name];
  }
  if (view.words) params.words = "1";
  if (view.mass !== START.mass) params.mass = String(view.mass);
  for (const name of DRAWS) if (view[name] !== START[name]) params[name] = String(view[name]);
  if (view.residual !== START.residual) params.residual = String(view.residual);
  if (view.step !== null) params.step = String(view.step);
  if (view.cards.length) params.cards = joinCards(view.cards);
  return params;
}

export const PARAMS = [
  ...["layer", "heads", "query", "key", "words", "mass", "residual", "step", "cards"],
  ...DRAWS,
  ...NAMES.map(String),
];

/** Whether a link asks for any view. @param {URLSearchParams} params */
export const hasView = (params) => PARAMS.some((name) => params.has(name));

/**
 * The view that URL parameters ask for. Anything impossible is left as it was: a link is a
 * stranger's text.
 * @param {View} view @param {URLSearchParams} params
 * @returns {View}
 */
export function fromParams(view, params) {
  const next = { ...view };
  const number = (/** @type {string} */ name, /** @type {number} */ most) => {
    const text = params.get(name);
    const value = text !== null && /^\d{1,6}$/.test(text) ? Number(text) : null;
    return value !== null && value <= most ? value : null;
  };
  next.layer = number("layer", 999_999) ?? view.layer;
  const heads = (params.get("heads") ?? "")
    .split(".")
    .filter((part) => /^\d{1,4}$/.test(part))
    .map(Number);
  if (heads.length) next.heads = [...new Set(heads)];
  if (hasView(params)) {
    for (const [name, side] of PIN_NAMES) next[side] = readTokens(params.get(name)) ?? [];
  }
  for (const name of NAMES) {
    const value = params.get(name);
    if (value !== null && CHOICES[name].includes(value)) Object.assign(next, { [name]: value });
  }
  if (params.has("words")) next.words = params.get("words") === "1";
  next.mass = Math.max(number("mass", 100) ?? view.mass, 1);
  for (const name of DRAWS) next[name] = number(name, 1000) ?? view[name];
  next.residual = number("residual", 100) ?? view.residual;
  next.step = number("step", 999_999) ?? view.step;
  if (params.has("cards")) next.cards = readCards(params.get("cards"));
  return next;
}

/** Cards as this page writes them, of a stranger's text. @param {string | null} text */
export function readCards(text) {
  const views = splitCards(text).map((card) => {
    const params = cardParams(card);
    params.delete("cards"); // a card has none
    return fromParams(START, params);
  });
  const cards = views.map((view) => cardText(toParams(view)));
  return [...new Set(cards)].filter((card) => card.length <= MOST_LETTERS);
}

/**
 * The nearest view that a model and its tokens allow.
 * @param {View} view
 * @param {{numbers: number[], n_heads: number, query_tokens: unknown[], key_tokens: unknown[]}} head
 * @returns {View}
 */
export function clamp(view, head) {
  const heads = view.heads.filter((h) => h < head.n_heads);
  return {
    ...view,
    layer: nearest(head.numbers, view.layer),
    heads: heads.length ? heads : [0],
    queries: view.queries.filter((token) => token < head.query_tokens.length),
    keys: view.keys.filter((token) => token < head.key_tokens.length),
  };
}

/** The number that is nearest to another. @param {number[]} numbers @param {number} to */
const nearest = (numbers, to) =>
  numbers.reduce((best, own) => (Math.abs(own - to) < Math.abs(best - to) ? own : best));

/**
 * Choose a head: alone, or added to (or taken from) the others of its layer.
 * @param {View} view @param {number} layer @param {number} head @param {boolean} add
 * @returns {View}
 */
export function chooseHead(view, layer, head, add) {
  if (!add || layer !== view.layer) return { ...view, layer, heads: [head] };
  const rest = view.heads.filter((h) => h !== head);
  const heads = rest.length < view.heads.length ? rest : [...rest, head].sort((a, b) => a - b);
  return heads.length ? { ...view, heads } : view;
}

/** Whether anything is pinned. @param {View} view */
export const isPinned = (view) => view.queries.length > 0 || view.keys.length > 0;

/** Whether both sides are pinned. @param {View} view */
export const isPair = (view) => view.queries.length > 0 && view.keys.length > 0;

/** @param {number[]} one @param {number[]} other */
const same = (one, other) => one.join() === other.join();

/**
 * With one side pinned, the question is asked from that side.
 * @param {View} view
 * @returns {View}
 */
function asked(view) {
  if (isPair(view) || !isPinned(view)) return view;
  return { ...view, look: view.queries.length ? "from" : "to" };
}

/**
 * Pin tokens on one side: alone (the same again lets go), or added to those that are there (or
 * taken out). The other side stays.
 * @param {View} view @param {"queries" | "keys"} side @param {number[]} tokens @param {boolean} add
 * @returns {View}
 */
export function pin(view, side, tokens, add) {
  const before = view[side];
  if (!add) return asked({ ...view, [side]: same(before, tokens) ? [] : tokens });
  const [pinned, given] = [new Set(before), new Set(tokens)];
  const all = tokens.every((token) => pinned.has(token));
  const rest = before.filter((token) => !given.has(token));
  const next = all ? rest : [...rest, ...tokens].sort((a, b) => a - b);
  return asked({ ...view, [side]: next });
}

/**
 * Pin both sides at once; the same pair again lets go.
 * @param {View} view @param {number[]} queries @param {number[]} keys
 * @returns {View}
 */
export function pinPair(view, queries, keys) {
  const again = same(view.queries, queries) && same(view.keys, keys);
  return again ? { ...view, queries: [], keys: [] } : { ...view, queries, keys };
}

/**
 * Views that can be taken back and brought again, and what was changed in the model's attention,
 * as links say it. Steps of a slider count as one.
 * @typedef {View | {edits: string}} Step
 * @typedef {{past: Step[], future: Step[]}} History
 */

/** @type {History} */
export const NO_HISTORY = { past: [], future: [] };
const REMEMBERED = 200;

/**
 * @param {History} history @param {View} before @param {View} after
 * @returns {History}
 */
export function note(history, before, after) {
  const text = JSON.stringify;
  if (text(before) === text(after)) return history;
  const rest = (/** @type {Step} */ view) => text({ ...view, mass: 0, residual: 0, step: 0 });
  const last = history.past[history.past.length - 1];
  const slid = rest(before) === rest(after) && last && rest(last) === rest(before);
  return { past: slid ? history.past : [...history.past, before].slice(-REMEMBERED), future: [] };
}

/**
 * One step back or forward.
 * @param {History} history @param {Step} now @param {"past" | "future"} where
 * @returns {[History, Step] | null} null where there is no such step
 */
export function step(history, now, where) {
  const other = where === "past" ? "future" : "past";
  const found = history[where][history[where].length - 1];
  if (!found) return null;
  const rest = history[where].slice(0, -1);
  return [/** @type {History} */ ({ [where]: rest, [other]: [...history[other], now] }), found];
}

/**
 * Turn round what the pinned tokens are asked: where they look, or who looks at them.
 * @param {View} view @param {"from" | "to"} look
 * @returns {View}
 */
export function turn(view, look) {
  return look === view.look ? view : { ...view, look, queries: view.keys, keys: view.queries };
}

/**
 * The switches that change numbers, as a picture's name says them.
 * @param {Pick<View, "words" | "specials">} view
 */
export const switchesOf = ({ words, specials }) => [
  ...(words ? [t("words")] : []),
  ...(specials === "hidden" ? [t("special tokens hidden")] : []),
  ...(specials === "renormalised" ? [t("special tokens hidden, rescaled")] : []),
];

/**
 * Python that gives what is seen; empty where nothing gives the trace.
 * @param {string} code that gives the trace @param {View} view
 * @param {boolean} [long] whether its heads are put in one by one
 */
export function pythonOf(code, view, long = false) {
  if (!code) return "";
  const { layer, heads, queries } = view;
  const [one, several] = [queries.length === 1, heads.length > 1];
  const params = toParams({ ...view, step: null, cards: [] }); // both are of this page alone
  const said = ["layer", ...(one ? ["query"] : []), ...(several ? [] : ["heads"])];
  const rest = Object.entries(params).filter(([name]) => !said.includes(name));
  const given = [
    ...[`layer=${layer}`, `head=${heads[0]}`],
    ...(one ? [`query=${queries[0]}`] : []),
    ...(long && several
      ? [`heads=[${heads.map((head) => `(${layer}, ${head})`).join(", ")}]`]
      : []),
    ...(rest.length ? [`view={${rest.map((pair) => `"${pair.join('": "')}"`).join(", ")}}`] : []),
  ];
  return `${code}explorer.show(trace, ${given.join(", ")})\n`;
}
