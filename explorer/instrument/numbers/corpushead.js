// One head over a corpus: what its page says of it, and how its texts are shaded.

import { csvCell } from "./csv.js";
import { headName, spokenHead } from "./headname.js";
import { sentences, t, tn } from "./language.js";
import { digits } from "./model.js";

/**
 * @typedef {[number, number, number]} Pair query, key, weight
 * @typedef {{n: number, places: number[], tokens: string[], pairs: Pair[], text: number,
 *            value: number}} Text
 *   n: how many tokens it has; places: the positions of those that are here; text: its number
 * @typedef {Text & {decile: number, top: boolean}} Example
 * @typedef {Text & {query_like: number, key_like: number}} Hit
 * @typedef {{below: number, edges: number[], counts: number[]}} Bars
 * @typedef {{key: string, name: string, unit: string, share: boolean, n: number | null,
 *            mean: number | null, spread: number | null, deciles: (number | null)[],
 *            bars: Bars | null}} HeadMeasure
 * @typedef {{kind: string, asks: string, held: number, of: number, holds: boolean}} Rule
 * @typedef {[string, number | null, number, number | null]} LookedAt
 *   its text, how often it was there, what all together got, what one did
 * @typedef {[number, number, number]} Like layer, head, how far apart
 * @typedef {{name: string, title: string, like: Like[], why: string}} Beside
 * @typedef {{pair: [string, string], state: "offered" | "busy" | "told" | "failed", trouble: string,
 *            n_texts: number, of: number, hits: Hit[]}} Search
 * @typedef {{layer: number, head: number, measure: string, ordered: string, says: string, rules: Rule[],
 *            measures: HeadMeasure[], distances: [number, number, number][],
 *            tokens: Record<"key" | "query", {total: LookedAt[], mean?: LookedAt[]}>,
 *            examples: Example[], like: Like[], opens: boolean, others: [string, string][],
 *            beside: Beside | null, search: Search | null}} CorpusHead
 *   measure: what was asked for; ordered: the measure that the examples are of; opens: whether an example can be seen in Explore
 */

export const SHOWN_PAIRS = 3; // of a text
const [SMALL, TENS, WHOLE] = [0.01, 10, 100]; // where numbers have other decimals

/** @param {CorpusHead} head */
export const nameOfHead = ({ layer, head }) => headName(layer, head);

/** @param {CorpusHead} head */
export const titleOfHead = (head) => t("{head} over the corpus", { head: nameOfHead(head) });

/** For who listens. @param {number} layer @param {number} head */
export const spokenLike = (layer, head) => spokenHead(layer, head);

/** A number as its measure is written. @param {number | null} value @param {HeadMeasure} [measure] */
export function inDigits(value, measure) {
  if (value === null) return "—";
  if (measure?.share || (!measure?.unit && value <= 1)) return digits(value);
  if (value >= WHOLE) return grouped(Math.round(value));
  return value && value < SMALL ? value.toPrecision(2) : value.toFixed(value < TENS ? 2 : 1);
}

/** A whole number, its thousands apart. @param {number} n */
export const grouped = (n) => n.toLocaleString("en");

/** @param {HeadMeasure} measure */
export function withSpread(measure) {
  const { mean, spread, unit } = measure;
  if (mean === null) return "—";
  const number = inDigits(mean, measure);
  const both = spread === null ? number : `${number} ± ${inDigits(spread, measure)}`;
  return unit ? `${both} ${unit}` : both;
}

/** A measure for who listens. @param {HeadMeasure} measure */
export const measureWords = (measure) =>
  measure.n === null
    ? t("{name}: {value}.", { name: measure.name, value: withSpread(measure) })
    : tn("{name}: {value}, in one text.", "{name}: {value}, over {n} texts.", measure.n, {
        name: measure.name,
        value: withSpread(measure),
        n: grouped(measure.n),
      });

/** In how many texts a rule holds. @param {Rule} rule */
export const heldWords = ({ held, of }) =>
  t("{held} of {of} ({share} %)", {
    held: grouped(held),
    of: grouped(of),
    share: ((100 * held) / of).toFixed(1),
  });

// --- texts ---------------------------------------------------------------------------------------

/**
 * How strongly each token is looked at by one of them, of the strongest weights that are known.
 * @param {Text} text @param {number} query its position
 * @returns {Map<number, number>} by position, 1 for the key that it looks at most
 */
export function shadesOf(text, query) {
  const own = text.pairs.filter(([from]) => from === query);
  const most = Math.max(...own.map(([, , weight]) => weight), 0);
  return new Map(most ? own.map(([, key, weight]) => [key, weight / most]) : []);
}

/**
 * The pairs that are named under a text: the strongest, those of its first token only where there
 * are no others, as it is looked at for want of anything else.
 * @param {Text} text
 */
export function namedPairs({ pairs }) {
  const inner = pairs.filter(([query, key]) => query > 0 && key > 0);
  return (inner.length ? inner : pairs).slice(0, SHOWN_PAIRS);
}

/** The word at a position; of a token that was left out its position. @param {Text} text @param {number} place */
export const wordAt = (text, place) => text.tokens[text.places.indexOf(place)] ?? `${place}`;

/** @param {Text} text @param {Pair} pair */
export const pairWords = (text, [query, key, weight]) =>
  t("{query} → {key} {weight}", {
    query: wordAt(text, query),
    key: wordAt(text, key),
    weight: digits(weight),
  });

/** Before which of the tokens that are here some were left out. @param {Text} text */
export const gapsOf = ({ places, n }) => ({
  before: new Set(places.filter((place, i) => place !== (i ? places[i - 1] + 1 : 0))),
  after: places.length > 0 && places[places.length - 1] < n - 1,
});

/**
 * Examples by their tenths, those with the largest values of all first.
 * @param {CorpusHead} head
 * @returns {{decile: number, top: boolean, examples: Example[]}[]}
 */
export function byDecile({ examples }) {
  /** @type {Map<string, {decile: number, top: boolean, examples: Example[]}>} */
  const found = new Map();
  for (const example of examples) {
    const { decile, top } = example;
    const key = `${top} ${decile}`;
    if (!found.has(key)) found.set(key, { decile, top, examples: [] });
    found.get(key)?.examples.push(example);
  }
  return [...found.values()].sort((a, b) => Number(b.top) - Number(a.top) || b.decile - a.decile);
}

/**
 * What a tenth of the texts is called, with the numbers between which it lies.
 * @param {{decile: number, top: boolean}} group @param {HeadMeasure | undefined} measure
 */
export function decileWords({ decile, top }, measure) {
  if (top) return t("The largest of all texts");
  const low = measure?.deciles[decile - 2] ?? null;
  const high = measure?.deciles[decile - 1] ?? null;
  const name = t("Tenth {decile} of the texts", { decile });
  if (low !== null && high !== null) {
    const [from, to] = [inDigits(low, measure), inDigits(high, measure)];
    return t("{name}: {from} to {to}", { name, from, to });
  }
  if (low !== null) return t("{name}: {from} or more", { name, from: inDigits(low, measure) });
  return high === null ? name : t("{name}: up to {to}", { name, to: inDigits(high, measure) });
}

// --- pictures ------------------------------------------------------------------------------------

/** The bars of a histogram, 1 for the highest. @param {Bars} bars @returns {number[]} */
export function heightsOf({ below, counts }) {
  const all = below ? [below, ...counts] : counts;
  const most = Math.max(...all, 1);
  return all.map((count) => count / most);
}

/**
 * Where a number stands among the bars, 0 to 1: they grow by one factor; null where it is in none.
 * @param {Bars} bars @param {number | null} value
 */
export function placeIn({ below, edges, counts }, value) {
  const [low, high, n] = [edges[0], edges[edges.length - 1], counts.length];
  const first = below ? 1 / (n + 1) : 0;
  if (value === null) return null;
  if (value < low) return below ? first / 2 : null;
  if (!n || !(low > 0)) return n ? bounded((value - low) / (high - low)) : null;
  return bounded(first + (1 - first) * (Math.log(value / low) / Math.log(high / low)));
}

/** @param {number} x */
const bounded = (x) => Math.min(Math.max(x, 0), 1);

/** Some distances in words. @param {number} low @param {number} high */
export const farWords = (low, high) =>
  low === high ? grouped(low) : t("{low} to {high}", { low: grouped(low), high: grouped(high) });

/**
 * Where a bar ends: of shares none beyond 1, though bins grow by one factor.
 * @param {number} edge @param {boolean} share
 */
export const endOf = (edge, share) => (share ? Math.min(edge, 1) : edge);

/** A share in per cent. @param {number} share */
export const percent = (share) => `${(100 * share).toFixed(1)} %`;

/** What the search is about, and how far it is. @param {CorpusHead} head */
export function searchWords(head) {
  const { search } = head;
  if (!search) return "";
  const [query, key] = search.pair;
  const name = nameOfHead(head);
  const asks = query
    ? t("Where else does {name} do what it does at {query} → {key}?", { name, query, key })
    : t("Where else does {name} do what it does at the pinned pair?", { name });
  if (search.state === "offered") return asks;
  if (search.state === "failed") return sentences(asks, search.trouble);
  if (search.state === "busy" && !search.of) return sentences(asks, t("The pair is being read."));
  const read =
    search.state === "busy"
      ? t("Reading the texts: {n} of {of} so far.", {
          n: grouped(search.n_texts),
          of: grouped(search.of),
        })
      : tn("One text was read.", "{n} texts were read.", search.n_texts, {
          n: grouped(search.n_texts),
        });
  return sentences(asks, read);
}

/** How a hit is like the pair. @param {Hit} hit */
export const hitWords = (hit) =>
  t("{weight} looked there × query alike {query} × key alike {key}", {
    weight: digits(hit.pairs[0][2]),
    query: hit.query_like.toFixed(2),
    key: hit.key_like.toFixed(2),
  });

// --- to take away --------------------------------------------------------------------------------

/** All numbers of a head for a spreadsheet, a row each. @param {CorpusHead} head */
export function headRows(head) {
  const name = nameOfHead(head);
  /** @type {(string | number | null)[][]} */
  const rows = [["head", "what", "name", "n", "mean", "spread", "low", "high"]];
  for (const one of head.measures)
    rows.push([name, "measure", one.key || one.name, one.n, one.mean, one.spread, null, null]);
  for (const one of head.rules)
    rows.push([name, "rule", one.asks, one.of, one.held / one.of, null, null, null]);
  for (const { key, name: called, bars, share } of head.measures)
    bars?.counts.forEach((count, i) => {
      const [low, high] = [bars.edges[i], endOf(bars.edges[i + 1], share)];
      rows.push([name, "texts", key || called, count, null, null, low, high]);
    });
  for (const [low, high, share] of head.distances)
    rows.push([name, "distance", "share of attention", null, share, null, low, high]);
  for (const side of /** @type {const} */ (["query", "key"]))
    for (const [token, n, all, mean] of head.tokens[side].total)
      rows.push([name, side === "key" ? "looked at" : "looks", token, n, mean, null, null, all]);
  return rows.map((row) => row.map(cellOf).join("\t")).join("\n");
}

/** @param {string | number | null} cell */
const cellOf = (cell) =>
  cell === null ? "" : typeof cell === "number" ? String(cell) : csvCell(cell);
