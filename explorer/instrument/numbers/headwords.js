// A survey of all heads in words and as a table: what the page says, and what it hands out.

import { csvCell } from "./csv.js";
import { headName, spokenHead } from "./headname.js";
import { measureOf } from "./headsview.js";
import { filledWith, sentences, t, tc, tn } from "./language.js";
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

/** @type {Record<string, string>} */
const UNITS = { bits: t("bits"), tokens: t("tokens"), sd: tc("unit", "sd") };

/** The unit behind a number; a share has none. @param {Measure} measure */
export const unitOf = ({ unit }) => (unit === "share" ? "" : ` ${UNITS[unit] ?? unit}`);

/** What a head does. @param {HeadsState} state @param {number} i @param {typeof nameOf} name */
function headInWords(state, i, name) {
  const { heads } = state;
  const measure = measureOf(state);
  const { kind, evidence, sink } = heads.heads[i];
  const does =
    measure.mean[i] === null
      ? t("has no number for this measure on these texts")
      : filledWith(measure.words, withSpread(measure, i));
  const says =
    measure.mean[i] === null || measure.key !== "column"
      ? does
      : heads.n_texts > 1
        ? t("{does} (most often “{token}”)", { does, token: sink })
        : t("{does} (to “{token}”)", { does, token: sink });
  return t("{head} {does}. Kind: {kind} ({evidence}).", {
    ...{ head: name(heads, i), does: says, kind: heads.kinds[kind], evidence },
  });
}

/**
 * Of the head that is pointed at, or picked, or else the first in the list.
 * @param {HeadsState} state @param {typeof nameOf} [name] how a head is called
 */
export function headsSentence(state, name = nameOf) {
  const shown = state.hovered ?? chosenOf(state);
  return shown === null ? t("No head is of these kinds.") : headInWords(state, shown, name);
}

/** The kind of the head that the sentence is about, and why it is that; empty for none. @param {HeadsState} state */
export function kindOf(state) {
  const shown = state.hovered ?? chosenOf(state);
  if (shown === null) return { kind: "", evidence: "" };
  const { kind, evidence } = state.heads.heads[shown];
  return { kind: state.heads.kinds[kind] ?? "", evidence };
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
    t("{title}: heads by {measure}", {
      title: state.heads.about.title,
      measure: measureOf(state).name,
    }),
    state.view.specials === "left_out" ? t("special tokens left out") : "",
    textsInWords(state.heads),
    state.heads.about.passport,
  ]
    .filter(Boolean)
    .join(" · ");

/** How many texts there are, where every line is one. @param {Heads} heads */
export const textsInWords = ({ n_texts }) =>
  n_texts > 1 ? tn("{n} text", "{n} texts", n_texts) : "";

/**
 * What the list is of; of pointed words, over how many pairs.
 * @param {HeadsState} state @param {number} count of heads
 */
export function ranksTitle(state, count) {
  const { heads } = state;
  const measure = measureOf(state);
  const isPointed = measure.key === POINTED || measure.key === BEYOND;
  const n = heads.pairs.length;
  const over = isPointed ? tn("one pair", "{n} pairs", n) : textsInWords(heads);
  const values = { n: count, measure: measure.name, over };
  return over
    ? t("{n} heads, by {measure}, over {over}", values)
    : t("{n} heads, by {measure}", values);
}

/** What is on screen, for whoever waits for it. @param {HeadsState} state */
export const headsPainted = (state) =>
  `${state.heads.id} ${measureOf(state).key} ${nameOf(state.heads, firstOf(state) ?? 0)}`;

export const MAP_HELP = t(
  "Rows are layers, columns are heads, both from 0. The edge of a cell has the colour of its kind. Means over all queries (Clark et al. 2019); kinds by stated rules (after Kovaleva et al. 2019), of several texts where the rule holds in at least three quarters of them. Neither says what a head contributes: see Explain.",
);

export const SPECIALS_HELP = t(
  "Special tokens, such as [CLS] and [SEP], stand in no text and take much of the attention. Left out: their rows do not count, and every other row is divided by what it gives to the other tokens. Measures, kinds and ranks change; the picture of which heads are alike, and a pair that is pointed at, count them always.",
);

/** @param {Measure} measure @param {number} top the number at full colour */
export const scaleWords = (measure, top) =>
  t("Full colour: {number}", { number: `${inDigits(top, measure)}${unitOf(measure)}` });

/** @param {Heads} heads */
export function planeWords({ n_placed, n_texts, rows_placed, stress }) {
  const parts = [
    ...(n_placed < n_texts
      ? [t("the first {n} of {all} texts", { n: n_placed, all: n_texts })]
      : []),
    ...(rows_placed ? [t("{n} rows of the first, evenly spread", { n: rows_placed })] : []),
  ];
  const missed = (100 * stress).toFixed(0);
  if (!parts.length)
    return t(
      "Distances are Jensen–Shannon divergences of their rows, placed by multidimensional scaling (as Clark et al. 2019); the plane misses {missed} % of them (stress). Colours are kinds.",
      { missed },
    );
  const over = parts.reduce((start, next) => t("{start}, {next}", { start, next }));
  return t(
    "Distances are Jensen–Shannon divergences of their rows (over {over}), placed by multidimensional scaling (as Clark et al. 2019); the plane misses {missed} % of them (stress). Colours are kinds.",
    { over, missed },
  );
}

/**
 * What the finder asks for next.
 * @param {Heads} heads @param {import("./survey.js").Pair[]} pairs
 * @param {import("./headsview.js").Begun} begun
 */
export function finderSentence(heads, pairs, begun) {
  if (begun) {
    const from = wordAt(heads.texts[begun.text], begun.at);
    return t("From “{word}” to …? Choose the word that it should look at.", { word: from });
  }
  if (pairs.length && !heads.found) return t("Looking through all heads…");
  return sentences(
    t("Choose the word that looks, then the word that it should look at."),
    heads.n_texts > 1
      ? t("Choose a pair in several lines: what they have in common is what the head does.")
      : t("One sentence can fool: give several, one a line, and choose a pair in each."),
  );
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
  if (key === "next" && mean.every((x) => !x)) return t("– (they look only backwards)");
  const place = standing(measure, i);
  return place === null ? "—" : t("{at} of {n}", { at: place, n: mean.length });
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
