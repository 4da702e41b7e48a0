// Two runs side by side: which words they share, what one side shows when the other moves, and how
// far they are apart, in numbers and in words.

import { read } from "../wire/container.js";
import { toCsv } from "./csv.js";
import { indexOf, meanWeights } from "./data.js";
import { headName } from "./headname.js";
import { listed, sentences, t } from "./language.js";
import { levelsIn, mapLevelOf } from "./layout.js";
import { arrange } from "./model.js";
import { PARAMS } from "./view.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {{text: string, other: string, a: number[], b: number[], special: boolean}} CommonUnit
 * @typedef {[number, number, number, number, number | null]} Rank layer and head of A, of B, bits
 * @typedef {{id: string, link: Record<string, string> | null,
 *            opening: Record<string, string> | null, units: CommonUnit[],
 *            left_out: [string[], string[]], kept: [number, number], findings: string[],
 *            ranking: Rank[], matches: [number, number][], same_shape: boolean}} Pairing
 *   ranking, matches: layers by the models’ own numbers
 * @typedef {"a" | "b"} Which
 * @typedef {"same" | "match" | "free"} Follow which head of B is shown when one of A is chosen: its
 *   namesake, its best match, or what the reader chooses
 * @typedef {{trace: import("./data.js").Trace, view: View}} Side what a side shows
 * @typedef {{a: Float32Array, b: Float32Array, less: Float32Array}} Difference
 *   between the common words: A, B, and A − B
 */

export const SECOND = "b_"; // before the names of the second's parameters in a link
export const SIDES = /** @type {const} */ (["a", "b"]);
/** @type {Difference} */
export const NO_DIFFERENCE = {
  ...{ a: new Float32Array(), b: new Float32Array(), less: new Float32Array() },
};

/** @param {Uint8Array} bytes @returns {{pairing: Pairing, payloads: Uint8Array[]}} the two and a page */
export function unpackPair(bytes) {
  const { head, blocks } = read(bytes);
  return { pairing: head, payloads: blocks.map(({ data }) => /** @type {Uint8Array} */ (data)) };
}

/** @param {Which} side @returns {Which} */
export const otherSide = (side) => (side === "a" ? "b" : "a");

/**
 * The other side's tokens for the same words.
 * @param {CommonUnit[]} units @param {Which} from @param {number[]} tokens
 */
export function across(units, from, tokens) {
  const [to, wanted] = [otherSide(from), new Set(tokens)];
  return units.filter((unit) => unit[from].some((i) => wanted.has(i))).flatMap((unit) => unit[to]);
}

/** A common word as the units of one side's picture are. @param {CommonUnit} unit @param {Which} side */
const asUnit = ({ text, special, ...tokens }, side) => ({
  ...{ text, special, segment: 0 },
  tokens: tokens[side],
});

/**
 * A head's weights between the common words.
 * @param {Float32Array} weights `[query, key]` @param {number} nKeys
 * @param {CommonUnit[]} units @param {Which} side
 */
export function onUnits(weights, nKeys, units, side) {
  const own = units.map((unit) => asUnit(unit, side));
  return arrange(weights, nKeys, own, own, false).weights;
}

/** One side's parameters of a link. @param {URLSearchParams} params @param {Which} side */
export function ownParams(params, side) {
  const mine = new URLSearchParams();
  for (const name of PARAMS) {
    const value = params.get(side === "a" ? name : SECOND + name);
    if (value !== null) mine.set(name, value);
  }
  return mine;
}

/** Both sides' parameters in one link. @param {Record<Which, Record<string, string>>} views */
export function bothParams({ a, b }) {
  const second = Object.entries(b).map(([name, value]) => [SECOND + name, value]);
  return /** @type {Record<string, string>} */ ({ ...a, ...Object.fromEntries(second) });
}

/** Which head follows where nothing else is asked for. @param {Pairing} pairing @returns {Follow} */
export const usual = (pairing) => (pairing.same_shape ? "same" : "match");

/** Which head follows, as a link asks if it can be. @param {string | null} wish @param {Pairing} pairing @returns {Follow} */
export function followOf(wish, pairing) {
  const can = wish === "match" || wish === "free" || (wish === "same" && pairing.same_shape);
  return can ? wish : usual(pairing);
}

/**
 * What the other side shows when one leads: its switches, its pins on the same words, and a head
 * that follows if that is wanted.
 * @param {{pairing: Pairing, follow: Follow}} how @param {Which} side the one that leads
 * @param {Side} from what it shows @param {Side | null} to what the other shows
 * @param {View} now the other's view
 * @returns {View}
 */
export function led({ pairing, follow }, side, from, to, now) {
  return {
    ...from.view,
    ...headsFor({ pairing, follow }, side, from, to, now),
    queries: across(pairing.units, side, from.view.queries),
    keys: across(pairing.units, side, from.view.keys),
    step: now.step,
  };
}

/**
 * @param {{pairing: Pairing, follow: Follow}} how @param {Which} side the one that leads
 * @param {Side} from @param {Side | null} to @param {View} now the other's
 * @returns {{layer: number, heads: number[]}}
 */
function headsFor({ pairing, follow }, side, { trace, view }, to, now) {
  const kept = { layer: now.layer, heads: now.heads };
  if (!to) return kept;
  const place = indexOf(trace.head, view.layer);
  if (follow === "same") {
    const layer = to.trace.head.numbers[place];
    return pairing.same_shape ? { layer, heads: view.heads } : kept;
  }
  if (follow === "free" || side === "b") return kept;
  const match = pairing.matches[place * trace.head.n_heads + view.heads[0]];
  return match ? { layer: match[0], heads: [match[1]] } : kept;
}

/**
 * How the chosen heads of both differ on the common words.
 * @param {CommonUnit[]} units @param {Record<Which, Side | null>} sides
 * @returns {Difference | null} null while a layer is on its way
 */
export function differenceOf(units, sides) {
  const [a, b] = SIDES.map((side) => {
    const now = sides[side];
    const weights = now && meanWeights(now.trace, now.view.layer, now.view.heads);
    return weights && onUnits(weights, now.trace.head.key_tokens.length, units, side);
  });
  return a && b && { a, b, less: a.map((w, i) => w - b[i]) };
}

const LEAST_NAME = 9; // pixels that a name needs
const ALONE = 530; // pixels that two maps need beside each other

/**
 * A, B and A − B as matrices: A and B in one scale.
 * @param {CommonUnit[]} units @param {Difference} difference @param {Record<Which, string>} heads
 * @param {number} room pixels across for all three
 * @returns {import("../parts/matrix.js").Matrix[]}
 */
export function mapsOf(units, { a, b, less }, heads, room) {
  const n = units.length;
  // Where they stand one below the other, as on a phone, each has the whole width.
  const alone = room < ALONE;
  const side = alone ? room : Math.max(250, Math.min((room - 60) / 3, 460));
  const names = n * LEAST_NAME <= side - 62 ? units.map(nameOfUnit) : null;
  const square = {
    rows: n,
    columns: n,
    wide: side,
    tall: side / n,
    names,
    ...(alone && { widest: side }),
  };
  const top = Math.max(most(a), most(b));
  /** @param {string} name @param {Float32Array} values @param {string} shape */
  const own = (name, values, shape) => ({
    ...{ ...square, values, weights: true, top, name, shape },
    label: t("{name}: rows are queries, columns are keys", { name }),
  });
  return [
    own("A", a, heads.a),
    own("B", b, heads.b),
    {
      ...{ ...square, values: less, top: most(less), name: "A − B" },
      shape: t("blue: A, orange: B"),
      label: t("{name}: rows are queries, columns are keys", { name: t("Difference") }),
    },
  ];
}

/** The number that has the full colour. @param {Float32Array} map */
const most = (map) => map.reduce((top, x) => Math.max(top, Math.abs(x)), 0.05);

/** @param {CommonUnit} unit */
const nameOfUnit = (unit) =>
  unit.text.toLowerCase() === unit.other.toLowerCase() ? unit.text : `${unit.text}/${unit.other}`;

/** @param {number} x */
const withSign = (x) => `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(3)}`;

/** @param {CommonUnit[]} units @param {Difference} difference @param {number} row @param {number} column */
export function pairSentence(units, { a, b, less }, row, column) {
  const at = row * units.length + column;
  return t("“{query}” → “{key}”: A {a}, B {b}, difference {less}.", {
    query: nameOfUnit(units[row]),
    key: nameOfUnit(units[column]),
    ...{ a: a[at].toFixed(3), b: b[at].toFixed(3), less: withSign(less[at]) },
  });
}

/**
 * Where the two differ most.
 * @param {CommonUnit[]} units @param {Difference} difference @param {Record<Which, string>} heads
 */
export function differenceSentence(units, difference, heads) {
  const { less } = difference;
  let most = 0;
  for (let i = 0; i < less.length; i++) {
    if (Math.abs(less[i]) > Math.abs(less[most])) most = i;
  }
  if (!less.length) return "";
  if (Math.abs(less[most]) < 5e-5)
    return t("A’s {a} and B’s {b} are the same on these words.", heads);
  const [row, column] = [Math.floor(most / units.length), most % units.length];
  const pair = pairSentence(units, difference, row, column);
  return t("A’s {a} and B’s {b} differ most at {pair}", { ...heads, pair });
}

/**
 * The pair that is pinned, in both; empty where none is, or it is not common to both.
 * @param {CommonUnit[]} units @param {Difference} difference @param {Record<Which, string>} heads
 * @param {Pick<View, "queries" | "keys"> | undefined} view of A
 */
export function pinnedSentence(units, difference, heads, view) {
  const only = (/** @type {number[]} */ tokens) => {
    const [first, ...more] = units.filter(({ a }) => a.some((token) => tokens.includes(token)));
    return first && !more.length ? units.indexOf(first) : -1;
  };
  const [row, column] = view ? [only(view.queries), only(view.keys)] : [-1, -1];
  if (row < 0 || column < 0 || !difference.less.length) return "";
  const pair = pairSentence(units, difference, row, column);
  return t("A’s {a} and B’s {b} at {pair}", { ...heads, pair });
}

/** What a side shows, by its name. @param {Side | null} side */
export function shownHead(side) {
  if (!side) return "";
  const { layer, heads } = side.view;
  if (heads.length === 1) return headName(layer, heads[0]);
  return t("L{layer}, mean of {n} heads", { layer, n: heads.length });
}

const PAIRS = 30; // rows of the table of differences

/** The largest differences as lines of a table. @param {CommonUnit[]} units @param {Difference} difference */
export function largest(units, { a, b, less }) {
  const order = [...less.keys()]
    .sort((i, j) => Math.abs(less[j]) - Math.abs(less[i]))
    .slice(0, PAIRS);
  return order.map((i) => {
    const [row, column] = [units[Math.floor(i / units.length)], units[i % units.length]];
    const numbers = [a[i].toFixed(4), b[i].toFixed(4), withSign(less[i])];
    return [nameOfUnit(row), nameOfUnit(column), ...numbers];
  });
}

/** How the maps of the difference are read. */
export const READING = t(
  "On the words that both texts have: what A gives, what B gives, and A − B, which is blue where A gives more and orange where B does. A word in pieces counts as one: its pieces’ attention adds up as a key and is averaged as a query.",
);

/** What the switches show of a side, for both. @param {Side} side */
export function switchesOf({ trace: { head }, view }) {
  const level = mapLevelOf(head, view) ?? "same";
  return { view, level, levels: ["same", ...levelsIn(head)], pools: level !== "same" };
}

/** @type {Record<Follow, string>} */
export const FOLLOWS = {
  same: t("its namesake"),
  match: t("its best match"),
  free: t("what you choose"),
};

const NAMED = 4; // pairs in the same place that are named

/** What is compared and what is left out. @param {Pairing} pairing */
export function noteOf({ units, left_out: leftOut, kept }) {
  const parts = [commonTo(units)];
  leftOut.forEach((texts, i) => {
    if (!texts.length) return;
    const some = texts.slice(0, 8).join(" ") + (texts.length > 8 ? " …" : "");
    const share = (100 * kept[i]).toFixed(0);
    parts.push(
      t(
        "Left out: {n} of {side}’s tokens ({some}), which have no counterpart. In {side} the common tokens give {share} % of their attention to one another, the rest to those left out.",
        { n: texts.length, side: "AB"[i], some, share },
      ),
    );
  });
  return sentences(...parts);
}

/**
 * How many are the same in both, and which only stand in the same place.
 * @param {CommonUnit[]} units
 */
function commonTo(units) {
  const isSame = (/** @type {CommonUnit} */ unit) => nameOfUnit(unit) === unit.text;
  const [same, others] = [units.filter(isSame), units.filter((unit) => !isSame(unit))];
  const marks = [...new Set(same.filter(({ special }) => special).map(({ text }) => text))];
  const n = same.length;
  const both = marks.length
    ? t("{n} tokens are common to both ({marks} among them).", { n, marks: listed(marks) })
    : t("{n} tokens are common to both.", { n });
  const inPieces = same.some(({ a, b }) => a.length > 1 || b.length > 1);
  return sentences(both, inPieces ? t("A word in pieces counts as one.") : "", samePlaces(others));
}

/** The words of each that only stand in the same place. @param {CommonUnit[]} others */
function samePlaces(others) {
  if (!others.length) return "";
  const pairs = others
    .slice(0, NAMED)
    .map(({ text: a, other: b }) => t("“{a}” with “{b}”", { a, b }))
    .reduce((start, next) => t("{start}, {next}", { start, next }));
  const n = others.length - NAMED;
  return n > 0
    ? t("In the same place, compared as one: {pairs} and {n} more.", { pairs, n })
    : t("In the same place, compared as one: {pairs}.", { pairs });
}

/** Whether a view is of a ranked head of A. @param {Rank} rank @param {View | undefined} view */
export const isRanked = ([layer, head], view) =>
  view?.layer === layer && view.heads.length === 1 && view.heads[0] === head;

/**
 * Python that gives the same comparison, of the lines that give either trace; empty without both.
 * @param {string} a @param {string} b
 */
export function pythonOfPair(a, b) {
  const [one, other] = [a, b].map((code) => /trace = (.*)/su.exec(code)?.[1] ?? "");
  if (!one || !other) return "";
  const imports = "import explorer\nfrom explorer.analysis.comparison import compare\n";
  return `${imports}\na = ${one}b = ${other}print("\\n".join(compare(a, b).findings))\n`;
}

/** @param {CommonUnit[]} units @param {Difference} difference */
export function differenceCsv(units, { less }) {
  const names = units.map((unit) => ({ ...asUnit(unit, "a"), text: nameOfUnit(unit) }));
  return toCsv({ weights: less, rows: names, columns: names }, "query \\ key (A − B)");
}
