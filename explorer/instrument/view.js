// What the reader has chosen: one plain object, its changes, and its place in a link.

/**
 * @typedef {import("./model.js").Specials} Specials
 * @typedef {import("./model.js").Scale} Scale
 * @typedef {{layer: number, heads: number[], combine: "mean" | "max",
 *            query: number | null, key: number | null, look: "from" | "to",
 *            grid: "whole" | "pinned", words: boolean, specials: Specials, scale: Scale, mass: number}} View
 */

/** @type {View} */
export const START = {
  layer: 0,
  heads: [0],
  combine: "mean",
  query: null,
  key: null,
  look: "from",
  grid: "whole",
  words: false,
  specials: "shown",
  scale: "percentile",
  mass: 90,
};

const CHOICES = {
  combine: ["mean", "max"],
  look: ["from", "to"],
  grid: ["whole", "pinned"],
  specials: ["shown", "hidden", "renormalised"],
  scale: ["percentile", "row", "absolute"],
};

/**
 * The view as URL parameters; what is as at the start is left out.
 * @param {View} view
 * @returns {Record<string, string>}
 */
export function toParams(view) {
  /** @type {Record<string, string>} */
  const params = { layer: String(view.layer), heads: view.heads.join(".") };
  for (const side of /** @type {const} */ (["query", "key"])) {
    if (view[side] !== null) params[side] = String(view[side]);
  }
  for (const name of /** @type {const} */ (["combine", "look", "grid", "specials", "scale"])) {
    if (view[name] !== START[name]) params[name] = view[name];
  }
  if (view.words) params.words = "1";
  if (view.mass !== START.mass) params.mass = String(view.mass);
  return params;
}

export const PARAMS = [
  "layer",
  "heads",
  "query",
  "key",
  "combine",
  "look",
  "grid",
  "specials",
  "scale",
  "words",
  "mass",
];

/**
 * The view that URL parameters ask for. Anything impossible is left as it was: a link is a
 * stranger's text.
 * @param {View} view @param {URLSearchParams} params
 * @returns {View}
 */
export function fromParams(view, params) {
  const next = { ...view };
  const number = (/** @type {string} */ name) => {
    const text = params.get(name);
    return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : null;
  };
  next.layer = number("layer") ?? view.layer;
  const heads = (params.get("heads") ?? "")
    .split(".")
    .filter((part) => /^\d{1,4}$/.test(part))
    .map(Number);
  if (heads.length) next.heads = [...new Set(heads)];
  if (PARAMS.some((name) => params.has(name))) {
    next.query = number("query");
    next.key = number("key");
  }
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value = params.get(name);
    if (value !== null && choices.includes(value)) Object.assign(next, { [name]: value });
  }
  if (params.has("words")) next.words = params.get("words") === "1";
  const mass = number("mass");
  if (mass !== null && mass >= 1 && mass <= 100) next.mass = mass;
  return next;
}

/**
 * The nearest view that a model and its tokens allow.
 * @param {View} view
 * @param {{n_layers: number, n_heads: number, query_tokens: unknown[], key_tokens: unknown[]}} head
 * @returns {View}
 */
export function clamp(view, head) {
  const heads = view.heads.filter((h) => h < head.n_heads);
  return {
    ...view,
    layer: Math.min(view.layer, head.n_layers - 1),
    heads: heads.length ? heads : [0],
    query: view.query !== null && view.query < head.query_tokens.length ? view.query : null,
    key: view.key !== null && view.key < head.key_tokens.length ? view.key : null,
  };
}

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

/**
 * Pin a token on one side, or a pair; the same pin again takes it out.
 * @param {View} view @param {number | null} query @param {number | null} key
 * @returns {View}
 */
export function pin(view, query, key) {
  const same = view.query === query && view.key === key;
  const look = key === null ? "from" : query === null ? "to" : view.look;
  return same ? { ...view, query: null, key: null } : { ...view, query, key, look };
}

/**
 * Views that can be taken back and brought again. Steps of the slider count as one.
 * @typedef {{past: View[], future: View[]}} History
 */

/** @type {History} */
export const NO_HISTORY = { past: [], future: [] };
const REMEMBERED = 200;

/**
 * @param {History} history @param {View} before @param {View} after
 * @returns {History}
 */
export function note(history, before, after) {
  if (JSON.stringify(before) === JSON.stringify(after)) return history;
  const sliding = JSON.stringify({ ...before, mass: 0 }) === JSON.stringify({ ...after, mass: 0 });
  const last = history.past[history.past.length - 1];
  const slid =
    sliding &&
    last &&
    JSON.stringify({ ...last, mass: 0 }) === JSON.stringify({ ...before, mass: 0 });
  return { past: slid ? history.past : [...history.past, before].slice(-REMEMBERED), future: [] };
}

/**
 * One step back or forward.
 * @param {History} history @param {View} now @param {"past" | "future"} where
 * @returns {[History, View] | null} null where there is no such step
 */
export function step(history, now, where) {
  const other = where === "past" ? "future" : "past";
  const found = history[where][history[where].length - 1];
  if (!found) return null;
  const rest = history[where].slice(0, -1);
  return [/** @type {History} */ ({ [where]: rest, [other]: [...history[other], now] }), found];
}

/**
 * Turn round what a pinned token is asked: where it looks, or who looks at it.
 * @param {View} view @param {"from" | "to"} look
 * @returns {View}
 */
export function turn(view, look) {
  const token = view.query ?? view.key;
  const [query, key] = look === "from" ? [token, null] : [null, token];
  return { ...view, look, query, key };
}
