// What is worth a look, in words, and the place of each. wire/striking.py says what it is.

import { headName } from "./headname.js";
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
  noise:
    "Nothing stands out by these rules: no head looks at a neighbour, at the same word or at one token strongly and more often than heads of random weights can. Single strong links are not told then: random heads have them too.",
  nothing: "Nothing stands out in this text.",
  short: "This text is too short to tell a habit from chance. A longer one shows more.",
  "few words":
    "This text says the same few words again and again: too few to tell a habit from chance. One of more different words shows more.",
  long: "This text is too long to be looked through in all heads. Run a part of it.",
  "two texts": "Here one text looks at another. The rules for what is worth a look know one alone.",
};

/**
 * Why nothing is told. @param {Silence} silence @param {boolean} random whether the weights are
 */
export const silenceWords = (silence, random) =>
  random && silence !== "long" ? "Random weights: nothing but noise. Train it." : SILENCES[silence];

/** How often a baseline goes into a number. @param {number} number @param {number} base */
function times(number, base) {
  const ratio = Math.abs(number) / base;
  return ratio < MOST_TIMES ? `${ratio.toFixed(1)} times` : `over ${MOST_TIMES} times`;
}

/** @type {Record<"previous" | "next" | "self", string>} */
const NEIGHBOURS = { previous: "the token before", next: "the token after", self: "itself" };

/**
 * A finding in one sentence; the head stands first in it, on its own.
 * @param {Finding} finding @param {Trace} trace
 * @returns {Part[]}
 */
export function findingWords(finding, trace) {
  const { kind, number, baselines } = finding;
  const share = percent(number);
  const evenly = ` (evenly: ${percent(baselines.even ?? 0)})`;
  const [query, key] = wordsOf(finding, trace);
  switch (kind) {
    case "pair": {
      const more = times(number, baselines.others);
      return [" links ", [query], " → ", [key], ` ${more} as much as other words do`];
    }
    case "words again":
      return [" finds words again, such as ", [query], `: ${share}${evenly}`];
    case "goes on": {
      const what = " looks at what came after the same word before, such as ";
      return [what, [key], " after ", [query], `: ${share}${evenly}`];
    }
    case "sink":
      return [
        " gives ",
        [key],
        ` ${share}${evenly}; most tokens look most at it in ${sinkHeads(finding, trace)}`,
      ];
    case "own text":
      return [` keeps each word to its own text: ${share}${evenly}`];
    case "other text":
      return [` looks from each text into the other: ${share}${evenly}`];
    case "off":
      return offWords(finding, trace);
    default:
      return [` looks at ${NEIGHBOURS[kind]}: ${share}${atMost(finding, trace)}${evenly}`];
  }
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
function atMost({ kind }, trace) {
  const most = possible(kind, trace);
  return most < 1 ? ` of at most ${percent(most)}` : "";
}

/** @param {Finding} finding @param {Trace} trace */
const sinkHeads = ({ n_heads: nHeads }, { head }) =>
  `${counted(nHeads)} of ${counted(head.numbers.length * head.n_heads)} heads`;

/** @param {Finding} finding @param {Trace} trace @returns {Part[]} */
function offWords({ number, baselines }, { effects }) {
  const moves =
    effects?.measure === "token"
      ? `the first token’s vector is, along its direction, ${percent(Math.abs(number))} ${number < 0 ? "shorter" : "longer"}`
      : `the text’s vector keeps a likeness of ${(1 + number).toFixed(3)} to itself`;
  const than = `${times(number, baselines.heads)} as far as without another head`;
  return [` matters most: without it ${moves}, ${than}`];
}

/** The words that look and are looked at; of what is no word, the token. @param {Finding} finding @param {Trace} trace */
function wordsOf({ queries, keys }, trace) {
  const [query, key] = pinnedWords(trace, { queries, keys });
  const { query_tokens: rows, key_tokens: columns } = trace.head;
  return [query || (rows[queries[0]]?.text ?? ""), key || (columns[keys[0]]?.text ?? "")];
}

/** @type {Record<string, string>} */
const BASELINES = {
  even: "even attention would give",
  others: "other words give this one",
  distance: "by distance alone it would be",
  heads: "other heads give, on average,",
};

/** @type {Partial<Record<Kind, string>>} */
const OF_WHAT = {
  pair: "of the first word’s attention",
  "words again": "of the attention of words that come again",
  "goes on": "of the attention of words that come again",
  "own text": "of what goes to words",
  "other text": "of what goes to words",
};

/** What a finding is held against, in words. @param {Finding} finding @param {Trace} trace */
export function baselineWords({ kind, number, baselines }, trace) {
  if (kind === "off") {
    return `Moved by ${digits(Math.abs(number))}; without another head by ${digits(baselines.heads)} on average.`;
  }
  const held = Object.entries(baselines).map(
    ([name, base]) => `${BASELINES[name]} ${digits(base)}`,
  );
  const most = possible(kind, trace);
  const none = kind === "previous" ? "first token has none before" : "last token has none after";
  const why = most < 1 ? ` The ${none} it, so ${digits(most)} is all that can be.` : "";
  return `${digits(number)} ${OF_WHAT[kind] ?? "of all attention"}; ${held.join(", ")}.${why}`;
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
  if (layer === null) return effects?.finding ? "" : "No head moves it.";
  return asked || effects
    ? `Switching off each head of layer ${layer} (of ${head.numbers.length} layers) …`
    : "";
}
