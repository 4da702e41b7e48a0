// A survey of all heads in words and as a table: what the page says, and what it hands out.

import { csvCell } from "./csv.js";
import { headName, spokenHead } from "./headname.js";
import { measureOf } from "./headsview.js";
import { BEYOND, inDigits, measuresOf, POINTED, placeOf, rankHeads, wordAt } from "./survey.js";

/**
 * @typedef {import("./survey.js").Heads} Heads
 * @typedef {import("./survey.js").Measure} Measure
 * @typedef {import("./headsview.js").HeadsState} HeadsState
 */

/** @param {Heads} heads @param {number} i */
export function nameOf(heads, i) {
  const { layer, head } = placeOf(heads, i);
  return headName(layer, head);
}

/** For who listens, at the beginning of a sentence. @param {Heads} heads @param {number} i */
export function spokenOf(heads, i) {
  const { layer, head } = placeOf(heads, i);
  return spokenHead(layer, head).replace("l", "L");
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

/** What a head does. @param {HeadsState} state @param {number} i @param {typeof nameOf} name */
function headInWords(state, i, name) {
  const { heads } = state;
  const measure = measureOf(state);
  const { kind, evidence, sink } = heads.heads[i];
  const token = measure.key === "column" ? ` (${commonly(heads)} “${sink}”)` : "";
  const does =
    measure.mean[i] === null
      ? "has no number for this measure on these texts"
      : measure.words.replace("{}", withSpread(measure, i)) + token;
  return `${name(heads, i)} ${does}. Kind: ${heads.kinds[kind]} (${evidence}).`;
}

/** @param {Heads} heads */
const commonly = ({ n_texts }) => (n_texts > 1 ? "most often" : "to");

/**
 * Of the head that is pointed at, or picked, or else the first in the list.
 * @param {HeadsState} state @param {typeof nameOf} [name] how a head is called
 */
export function headsSentence(state, name = nameOf) {
  const shown = state.hovered ?? chosenOf(state);
  return shown === null ? "No head is of these kinds." : headInWords(state, shown, name);
}

/** The kind of the head that the sentence is about; empty for none. @param {HeadsState} state */
export function kindOf(state) {
  const shown = state.hovered ?? chosenOf(state);
  return shown === null ? "" : (state.heads.kinds[state.heads.heads[shown].kind] ?? "");
}

/** The head that is picked, or else the first in the list; null for none. @param {HeadsState} state */
export const chosenOf = (state) =>
  state.view.pick >= 0 ? state.view.pick : (firstOf(state) ?? null);

/** The heads in the order of the list. @param {HeadsState} state */
export const ranked = (state) =>
  rankHeads(state.heads, measureOf(state), state.view.kinds, state.view.lowest);

/** @param {HeadsState} state @returns {number | undefined} */
const firstOf = (state) => ranked(state)[0];

/** @param {HeadsState} state */
export const headsTitle = (state) =>
  [
    `${state.heads.about.title}: heads by ${measureOf(state).name}`,
    state.view.specials === "left_out" ? "special tokens left out" : "",
    textsInWords(state.heads),
    state.heads.about.passport,
  ]
    .filter(Boolean)
    .join(" · ");

/** How many texts there are, where every line is one. @param {Heads} heads */
export const textsInWords = ({ n_texts }) => (n_texts > 1 ? `${n_texts} texts` : "");

/**
 * What the list is of; of pointed words, over how many pairs.
 * @param {HeadsState} state @param {number} count of heads
 */
export function ranksTitle(state, count) {
  const { heads } = state;
  const measure = measureOf(state);
  const isPointed = measure.key === POINTED || measure.key === BEYOND;
  const n = heads.pairs.length;
  const over = isPointed ? (n > 1 ? `${n} pairs` : "one pair") : textsInWords(heads);
  return `${count} heads, by ${measure.name}${over && `, over ${over}`}`;
}

/** What is on screen, for whoever waits for it. @param {HeadsState} state */
export const headsPainted = (state) =>
  `${state.heads.id} ${measureOf(state).key} ${nameOf(state.heads, firstOf(state) ?? 0)}`;

export const MAP_HELP =
  "Rows are layers, columns are heads, both from 0. The edge of a cell has the colour of its kind. Means over all queries (Clark et al. 2019); kinds by stated rules (after Kovaleva et al. 2019), of several texts where the rule holds in at least three quarters of them. Neither says what a head contributes: see Explain.";

export const SPECIALS_HELP =
  "Special tokens, such as [CLS] and [SEP], stand in no text and take much of the attention. Left out: their rows do not count, and every other row is divided by what it gives to the other tokens. Measures, kinds and ranks change; the picture of which heads are alike, and a pair that is pointed at, count them always.";

/** @param {Measure} measure @param {number} top the number at full colour */
export const scaleWords = (measure, top) =>
  `Full colour: ${inDigits(top, measure)}${unitOf(measure)}`;

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
    return `From “${from}” to …? Choose the word that it should look at.`;
  }
  if (pairs.length && !heads.found) return "Looking through all heads…";
  const more =
    heads.n_texts > 1
      ? "Choose a pair in several lines: what they have in common is what the head does."
      : "One sentence can fool: give several, one a line, and choose a pair in each.";
  return `Choose the word that looks, then the word that it should look at. ${more}`;
}

/** The measures under the headings of the menu. @param {Heads} heads @returns {[string, Measure[]][]} */
export function measureGroups(heads) {
  const all = measuresOf(heads);
  const groups = [...new Set(all.map((m) => m.group))];
  return groups.map((group) => [group, all.filter((m) => m.group === group)]);
}

/**
 * Where a head stands among all by a measure, the highest first: as many have more, and one.
 * @param {Measure} measure @param {number} i
 */
export function standing({ mean }, i) {
  const own = mean[i];
  if (own === null) return null;
  return 1 + mean.filter((other) => other !== null && other > own).length;
}

/**
 * The same in words: what no head may do has no places. @param {Measure} measure @param {number} i
 */
export function standingWords(measure, i) {
  const { key, mean } = measure;
  if (key === "next" && mean.every((x) => !x)) return "– (they look only backwards)";
  const place = standing(measure, i);
  return place === null ? "—" : `${place} of ${mean.length}`;
}

/** All numbers of all heads. @param {Heads} heads */
export function headsCsv(heads) {
  const all = measuresOf(heads);
  const titles = ["layer", "head", "kind", "evidence"];
  for (const measure of all) titles.push(...titlesOf(measure));
  titles.push(...repeatsTitles(heads));
  const rows = heads.heads.map(({ kind, evidence }, i) => [
    ...Object.values(placeOf(heads, i)).map(String),
    csvCell(heads.kinds[kind] ?? ""),
    csvCell(evidence),
    ...all.flatMap((m) => cellsOf(heads, m, i)),
    ...repeatsCells(heads, i),
  ]);
  return `\ufeff${[titles.map(csvCell), ...rows].map((row) => row.join(",")).join("\r\n")}\r\n`;
}

/** The columns of what heads do on random tokens that are repeated. @param {Heads} heads @returns {string[]} */
const repeatsTitles = ({ repeats }) =>
  (repeats?.measures ?? []).flatMap(({ name, own, short }) => [
    ...[name, `± ${name}`, `${name}, evenly`],
    ...(own ? [`${short}, in the text`, `${short}, in the text, evenly`] : []),
  ]);

/** The numbers of a head in them. @param {Heads} heads @param {number} i @returns {string[]} */
const repeatsCells = ({ repeats }, i) =>
  (repeats?.measures ?? []).flatMap(({ mean, spread, even, own }) =>
    [mean[i], spread[i], even[i], ...(own ? [own.mean[i], own.even[i]] : [])].map(String),
  );

/** The columns of a measure; of several texts with its spread and the text that is farthest from the mean. @param {Measure} measure */
const titlesOf = ({ name, n_texts, farthest }) => [
  name,
  ...(n_texts > 1 ? [`± ${name}`] : []),
  ...(n_texts > 1 && farthest.length ? [`${name}, farthest`, `${name}, farthest text`] : []),
];

/** @param {Heads} heads @param {Measure} measure @param {number} i */
function cellsOf({ begins }, { mean, spread, n_texts, farthest, extreme }, i) {
  const number = (/** @type {number | null} */ x) => String(x ?? "");
  if (n_texts < 2) return [number(mean[i])];
  const [text, there] = [farthest[i], extreme[i] ?? null];
  const own = there === null ? "" : csvCell(`${text + 1}. ${begins[text] ?? ""}`);
  return [number(mean[i]), number(spread[i]), ...(farthest.length ? [number(there), own] : [])];
}
