// What is worth a look, in words, and the place of each. wire/striking.py says what it is.

import { headName } from "./headname.js";
import { filledWith, placed, sentences, t } from "./language.js";
import { digits, percent } from "./model.js";
import { pinnedWords } from "./pinnedwords.js";
import { counted } from "./words.js";

/**
 * @typedef {import("./data.js").Trace} Trace
 * @typedef {import("./view.js").View} View
 * @typedef {import("./words.js").Part} Part
 * @typedef {"pair" | "words again" | "goes on" | "previous" | "next" | "self" | "sink" | "own text"
 *           | "other text" | "off"} Kind
 * @typedef {{kind: Kind, layer: number, head: number, queries: number[], keys: number[],
 *            number: number, baselines: Record<string, number>, n_heads: number}} Finding
 * @typedef {"noise" | "nothing" | "short" | "few words" | "long" | "two texts"} Silence
 * @typedef {{findings: Finding[], silence: Silence | null}} Striking
 * @typedef {{done: number[], measure: "text" | "token", finding: Finding | null,
 *            reason: string}} Effects of switching heads off; done: the layers whose heads were off
 */

const MOST_TIMES = 100; // more times as much are no longer counted

/** @type {Record<Silence, string>} */
const SILENCES = {
  noise: t(
    "Nothing stands out by these rules: no head looks at a neighbour, at the same word or at one token strongly and more often than heads of random weights can. Single strong links are not told then: random heads have them too.",
  ),
  nothing: t("Nothing stands out in this text."),
  short: t("This text is too short to tell a habit from chance. A longer one shows more."),
  "few words": t(
    "This text says the same few words again and again: too few to tell a habit from chance. One of more different words shows more.",
  ),
  long: t("This text is too long to be looked through in all heads. Run a part of it."),
  "two texts": t(
    "Here one text looks at another. The rules for what is worth a look know one alone.",
  ),
};

/**
 * Why nothing is told. @param {Silence} silence @param {boolean} random whether the weights are
 */
export const silenceWords = (silence, random) =>
  random && silence !== "long"
    ? t("Random weights: nothing but noise. Train it.")
    : SILENCES[silence];

/** How often a baseline goes into a number. @param {number} number @param {number} base */
function times(number, base) {
  const ratio = Math.abs(number) / base;
  return ratio < MOST_TIMES
    ? t("{n} times", { n: ratio.toFixed(1) })
    : t("over {n} times", { n: MOST_TIMES });
}

/** @type {Record<"previous" | "next" | "self", string>} */
const NEIGHBOURS = {
  previous: t("the token before"),
  next: t("the token after"),
  self: t("itself"),
};

/**
 * A finding in one sentence, without its head, which stands first in it, on its own.
 * @param {Finding} finding @param {Trace} trace
 * @returns {Part[]}
 */
export function findingWords(finding, trace) {
  const { number, baselines } = finding;
  const [query, key] = wordsOf(finding, trace);
  return placed(findingSays(finding, trace), {
    ...{ head: [], query: [[query]], key: [[key]] },
    ...{ share: percent(number), even: percent(baselines.even ?? 0) },
  });
}

/** The same, with places for its words and numbers. @param {Finding} finding @param {Trace} trace */
function findingSays(finding, trace) {
  const { kind, number, baselines } = finding;
  switch (kind) {
    case "pair":
      return t("{head} links {query} → {key} {times} as much as other words do", {
        times: times(number, baselines.others),
      });
    case "words again":
      return t("{head} finds words again, such as {query}: {share} (evenly: {even})");
    case "goes on":
      return t(
        "{head} looks at what came after the same word before, such as {key} after {query}: {share} (evenly: {even})",
      );
    case "sink":
      return t(
        "{head} gives {key} {share} (evenly: {even}); most tokens look most at it in {n} of {all} heads",
        sinkHeads(finding, trace),
      );
    case "own text":
      return t("{head} keeps each word to its own text: {share} (evenly: {even})");
    case "other text":
      return t("{head} looks from each text into the other: {share} (evenly: {even})");
    case "off":
      return offSays(finding, trace);
    default:
      return neighbourSays(kind, trace);
  }
}

/** @param {"previous" | "next" | "self"} kind @param {Trace} trace */
function neighbourSays(kind, trace) {
  const most = possible(kind, trace);
  const values = { neighbour: NEIGHBOURS[kind], most: percent(most) };
  return most < 1
    ? t("{head} looks at {neighbour}: {share} of at most {most} (evenly: {even})", values)
    : t("{head} looks at {neighbour}: {share} (evenly: {even})", values);
}

/** The share that all rows could give: one token has no neighbour. @param {Kind} kind @param {Trace} trace */
const possible = (
  kind,
  {
    head: {
      query_tokens: { length },
    },
  },
) => (kind === "previous" || kind === "next" ? (length - 1) / length : 1);

/** @param {Finding} finding @param {Trace} trace */
const sinkHeads = ({ n_heads: nHeads }, { head }) => ({
  n: counted(nHeads),
  all: counted(head.numbers.length * head.n_heads),
});

/** @param {Finding} finding @param {Trace} trace */
function offSays({ number, baselines }, { effects }) {
  const far = times(number, baselines.heads);
  if (effects?.measure !== "token")
    return t(
      "{head} matters most: without it the text’s vector keeps a likeness of {likeness} to itself, {times} as far as without another head",
      { likeness: (1 + number).toFixed(3), times: far },
    );
  const values = { length: percent(Math.abs(number)), times: far };
  return number < 0
    ? t(
        "{head} matters most: without it the first token’s vector is, along its direction, {length} shorter, {times} as far as without another head",
        values,
      )
    : t(
        "{head} matters most: without it the first token’s vector is, along its direction, {length} longer, {times} as far as without another head",
        values,
      );
}

/** The words that look and are looked at; of what is no word, the token. @param {Finding} finding @param {Trace} trace */
function wordsOf({ queries, keys }, trace) {
  const [query, key] = pinnedWords(trace, { queries, keys });
  const { query_tokens: rows, key_tokens: columns } = trace.head;
  return [query || (rows[queries[0]]?.text ?? ""), key || (columns[keys[0]]?.text ?? "")];
}

/** @type {Record<string, string>} */
const BASELINES = {
  even: t("even attention would give {number}"),
  others: t("other words give this one {number}"),
  distance: t("by distance alone it would be {number}"),
  heads: t("other heads give, on average, {number}"),
};

/** @type {Partial<Record<Kind, string>>} */
const OF_WHAT = {
  pair: t("{number} of the first word’s attention"),
  "words again": t("{number} of the attention of words that come again"),
  "goes on": t("{number} of the attention of words that come again"),
  "own text": t("{number} of what goes to words"),
  "other text": t("{number} of what goes to words"),
};

/** What a finding is held against, in words. @param {Finding} finding @param {Trace} trace */
export function baselineWords({ kind, number, baselines }, trace) {
  if (kind === "off") {
    return t("Moved by {number}; without another head by {other} on average.", {
      number: digits(Math.abs(number)),
      other: digits(baselines.heads),
    });
  }
  const held = Object.entries(baselines)
    .map(([name, base]) => filledWith(BASELINES[name], digits(base)))
    .reduce((start, next) => t("{start}, {next}", { start, next }));
  const what = filledWith(OF_WHAT[kind] ?? t("{number} of all attention"), digits(number));
  return sentences(t("{what}; {held}.", { what, held }), endWords(kind, trace));
}

/** Why not all can be given. @param {Kind} kind @param {Trace} trace */
function endWords(kind, trace) {
  const most = possible(kind, trace);
  if (most >= 1) return "";
  const number = digits(most);
  return kind === "previous"
    ? t("The first token has none before it, so {number} is all that can be.", { number })
    : t("The last token has none after it, so {number} is all that can be.", { number });
}

/** The name of its head. @param {Finding} finding */
export const findingHead = ({ layer, head }) => headName(layer, head);

/** Whether a finding is of certain words. @param {Finding} finding */
const hasWords = ({ queries, keys }) => queries.length > 0 || keys.length > 0;

/**
 * The place of a finding, in a view; of one that is of no words, what is pinned stays. Its numbers
 * are of rows as the model has them: rescaled ones would show others, and of what is hidden nothing
 * is seen.
 * @param {View} view @param {Finding} finding
 * @returns {View}
 */
export function atFinding(view, finding) {
  const { layer, head, queries, keys } = finding;
  const pinned = hasWords(finding) ? { queries: [...queries], keys: [...keys] } : {};
  const hides = view.specials === "renormalised" || finding.kind === "sink";
  const specials = hides ? "shown" : view.specials;
  return { ...view, specials, layer, heads: [head], ...pinned };
}

/** Whether a view is at the place of a finding. @param {View} view @param {Finding} finding */
export const isAt = (view, finding) =>
  view.layer === finding.layer &&
  String(view.heads) === String([finding.head]) &&
  (!hasWords(finding) ||
    (String(view.queries) === String(finding.queries) &&
      String(view.keys) === String(finding.keys)));

/**
 * The layer whose heads are switched off next; null once all were, or none can be.
 * @param {Trace} trace
 */
export function nextOff({ head, effects }) {
  if (effects?.reason) return null;
  return head.numbers.find((layer) => !effects?.done.includes(layer)) ?? null;
}

/**
 * How far switching off has come, in words; empty before it is begun, and once it is done.
 * @param {Trace} trace @param {boolean} asked
 */
export function offProgress(trace, asked) {
  const { effects, head } = trace;
  if (effects?.reason) return effects.reason;
  const layer = nextOff(trace);
  if (layer === null) return effects?.finding ? "" : t("No head moves it.");
  return asked || effects
    ? t("Switching off each head of layer {layer} (of {n} layers) …", {
        layer,
        n: head.numbers.length,
      })
    : "";
}
