// A survey of all heads in words and as a table: what the page says, and what it hands out.

import { csvCell } from "./csv.js";
import { measureOf } from "./headsview.js";
import { BEYOND, inDigits, measuresOf, POINTED, rankHeads, wordAt } from "./survey.js";

/**
 * @typedef {import("./survey.js").Heads} Heads
 * @typedef {import("./survey.js").Measure} Measure
 * @typedef {import("./headsview.js").HeadsState} HeadsState
 */

/** The model’s own number of a head’s layer, and the head’s in it. @param {Heads} heads @param {number} i */
export const placeOf = ({ n_heads, numbers }, i) => ({
  layer: numbers[Math.floor(i / n_heads)] ?? 0,
  head: i % n_heads,
});

/** @param {Heads} heads @param {number} i */
export function nameOf(heads, i) {
  const { layer, head } = placeOf(heads, i);
  return `${layer}-${head}`;
}

/** A head’s number with its spread over the texts. @param {Measure} measure @param {number} i */
export function withSpread(measure, i) {
  const value = measure.mean[i];
  const spread =
    measure.n_texts > 1 && value !== null ? ` ± ${inDigits(measure.spread[i], measure)}` : "";
  return `${inDigits(value, measure)}${spread}`;
}

/** The unit behind a number; a share has none. @param {Measure} measure */
export const unitOf = ({ unit }) => (unit === "share" ? "" : ` ${unit}`);

/** What a head does. @param {HeadsState} state @param {number} i */
export function headInWords(state, i) {
  const { heads } = state;
  const measure = measureOf(state);
  const { layer, head } = placeOf(heads, i);
  const does =
    measure.mean[i] === null
      ? "has no number for this measure on these texts"
      : measure.words.replace("{}", withSpread(measure, i));
  const { kind, evidence } = heads.heads[i];
  return `Layer ${layer}, head ${head} ${does}. Kind: ${heads.kinds[kind]} (${evidence}).`;
}

/** Of the head that is pointed at, or picked, or else the first in the list. @param {HeadsState} state */
export function headsSentence(state) {
  const { view, hovered } = state;
  const shown = hovered ?? (view.pick >= 0 ? view.pick : null);
  if (shown !== null) return headInWords(state, shown);
  const best = firstOf(state);
  return best === undefined ? "No head is of these kinds." : headInWords(state, best);
}

/** The heads in the order of the list. @param {HeadsState} state */
export const ranked = (state) =>
  rankHeads(state.heads, measureOf(state), state.view.kinds, state.view.lowest);

/** @param {HeadsState} state @returns {number | undefined} */
const firstOf = (state) => ranked(state)[0];

/** @param {HeadsState} state */
export const headsTitle = (state) =>
  [`${state.heads.title}: heads by ${measureOf(state).name}`, state.heads.passport]
    .filter(Boolean)
    .join(" · ");

/** What is on screen, for whoever waits for it. @param {HeadsState} state */
export const headsPainted = (state) =>
  `${state.heads.id} ${measureOf(state).key} ${nameOf(state.heads, firstOf(state) ?? 0)}`;

/** @param {Measure} measure @param {number} top the number at full colour */
export const mapWords = (measure, top) =>
  `Rows are layers, columns are heads, both from 0; full colour at ${inDigits(top, measure)}${unitOf(measure)}. The edge of a cell has the colour of its kind. Means over all queries (Clark et al. 2019); kinds by stated rules (after Kovaleva et al. 2019). Neither says what a head contributes: see Explain.`;

/** @param {Heads} heads */
export function planeWords({ n_placed, n_texts, rows_placed, stress }) {
  const parts = [
    ...(n_placed < n_texts ? [`the first ${n_placed} of ${n_texts} texts`] : []),
    ...(rows_placed ? [`${rows_placed} rows of the first, evenly spread`] : []),
  ];
  const over = parts.length ? ` (over ${parts.join(", ")})` : "";
  return `Distances are Jensen–Shannon divergences of their rows${over}, placed by multidimensional scaling (as Clark et al. 2019); the plane misses ${(100 * stress).toFixed(0)} % of them (stress). Colours are kinds.`;
}

/**
 * What the finder asks for next.
 * @param {Heads} heads @param {import("./survey.js").Pair[]} pairs
 * @param {import("./headsview.js").Begun} begun
 */
export function finderSentence(heads, pairs, begun) {
  if (begun) {
    const from = wordAt(heads.texts[begun.text], begun.at);
    return `From “${from}” to …? Click the word that it should look at.`;
  }
  if (pairs.length && !heads.found) return "Looking through all heads…";
  const more =
    heads.n_texts > 1
      ? "Point at a pair in several lines: what they have in common is what the head does."
      : "One sentence can fool: give several, one a line, and point at a pair in each.";
  return `Click the word that looks, then the word that it should look at. ${more}`;
}

/** The measures under the headings of the menu; a heading may have none. @param {Heads} heads */
export function measureGroups(heads) {
  const all = measuresOf(heads);
  const isPointed = (/** @type {Measure} */ m) => m.key === POINTED || m.key === BEYOND;
  return /** @type {[string, Measure[]][]} */ ([
    ["Pointed words", all.filter(isPointed)],
    ["Share of the attention", all.filter((m) => m.unit === "share" && m.words.startsWith("puts"))],
    ["More", all.filter((m) => !m.words.startsWith("puts") && !isPointed(m))],
  ]);
}

/** All numbers of all heads. @param {Heads} heads */
export function headsCsv(heads) {
  const all = measuresOf(heads);
  const titles = ["layer", "head", "kind", "evidence"];
  for (const { name, n_texts } of all) titles.push(name, ...(n_texts > 1 ? [`± ${name}`] : []));
  const rows = heads.heads.map(({ kind, evidence }, i) => [
    ...nameOf(heads, i).split("-"),
    csvCell(heads.kinds[kind] ?? ""),
    csvCell(evidence),
    ...all.flatMap((m) => [
      String(m.mean[i] ?? ""),
      ...(m.n_texts > 1 ? [String(m.spread[i] ?? "")] : []),
    ]),
  ]);
  return `\ufeff${[titles.map(csvCell), ...rows].map((row) => row.join(",")).join("\r\n")}\r\n`;
}
