// An explanation in words and as a table: what the page says, and what it hands out.

import { inQuotes } from "./basics.js";
import { csvCell } from "./csv.js";
import { answerTo, inPlain, inSigned, NOT_HERE, unitText, valuesOf } from "./explained.js";

/**
 * @typedef {import("./explained.js").Explained} Explained
 * @typedef {import("./explained.js").MethodOf} MethodOf
 * @typedef {import("./explainview.js").ExplainState} ExplainState
 */

/** What a word's own numbers are. @param {Explained} found @param {number} unit */
function pointedText(found, unit) {
  const gone = found.how === "cut" ? "let no later word look at it" : "drop it";
  const away = found.instead === null ? gone : `put ${found.instead} in its place`;
  return found.removal
    ? `${inQuotes(unitText(found, unit))}: ${away}, and the target changes by ${inSigned(-(found.removal[unit] ?? 0))}. Each method’s score of it stands on the right.`
    : `${inQuotes(unitText(found, unit))}: each method’s score of it stands on the right.`;
}

/** How to read the lines of scores. */
export const READING =
  "Each line’s colours go from its own least to its most. Where a method knows a sign, blue words " +
  "(+) support the target and orange ones (−) work against it. Point at a word, or tap it, for its " +
  "numbers. Words of the first line go away with a click or a tap, also several together.";

/** Of the word under the pointer, or what a hand can do. @param {ExplainState} state */
export const pointedSentence = ({ found, pointed }) =>
  pointed === null
    ? "Point at a word, or tap it, for its numbers; in the first line a click or a tap takes it away."
    : pointedText(found, pointed);

/** What the words that are gone do to the target. @param {ExplainState} state */
export function goneSentence({ found, off, gone }) {
  if (!gone.length) return "No word is taken away.";
  const names = gone.map((unit) => inQuotes(unitText(found, unit))).join(" ");
  const now = answerTo(found, off, gone);
  const also = off.length ? `, and with ${off.length} of the heads off below` : "";
  return now
    ? `Without ${names}${also}, the target is ${inPlain(now.value)} instead of ${inPlain(found.value)}: ${inSigned(now.value - found.value, 4)}.`
    : found.opening
      ? NOT_HERE
      : `Without ${names}…`;
}

/** A method's score of a unit. @param {MethodOf | null} of null: removal @param {number | null} value */
export const scoreText = (of, value) => (of && !of.signed ? inPlain(value) : inSigned(value));

/**
 * Where the words that are known to decide stand by a score, in short and in full.
 * @param {import("./explained.js").Pointing} pointing
 * @returns {[string, string]}
 */
export const placeWords = ({ rank, area, n }) => [
  `truth: place ${rank % 1 ? rank.toFixed(1) : rank} of ${n}`,
  `The best of the words that decide stands at place ${rank} of ${n}.${area === null ? "" : ` Area under the ROC curve: ${area.toFixed(2)}; 0.5 by chance, 1 if all stand first.`}`,
];

/**
 * Against what a method's agreement is held, in short and in full: there are two measures, and
 * numbers of one cannot be compared with those of the other.
 * @param {import("./explained.js").Agreed} agreement @param {boolean} signed
 * @returns {[string, string]}
 */
export const agreedWords = ({ rho, low, high, n }, signed) => [
  signed ? "sign" : "size",
  `Held against ${signed ? "the effect with its sign" : "the size of the effect, up or down"}: Spearman ${inPlain(rho)}, 95 % interval ${inPlain(low)} to ${inPlain(high)}, ${n} words`,
];

/** The scores that are there, measured removal (null) first. @param {Explained} found */
export const scoresOf = (found) => [null, ...found.methods.filter((m) => m.values)];

/** @param {MethodOf | null} of */
export const scoreName = (of) => of?.name ?? "measured removal";

/** All scores of all words. @param {Explained} found */
export function explainedCsv(found) {
  const all = scoresOf(found);
  const titles = ["word", "tokens", ...all.map(scoreName)];
  const body = found.units.map((unit, u) => [
    csvCell(unitText(found, u)),
    unit.join(" "),
    ...all.map((m) => String(valuesOf(found, m)[u] ?? "")),
  ]);
  return `\ufeff${[titles.map(csvCell), ...body].map((row) => row.join(",")).join("\r\n")}\r\n`;
}

/**
 * The lines that give an explanation, and the target without what is off or gone.
 * @param {ExplainState} state
 */
export function explainedPython({ found, off, gone }) {
  const { code } = found.about;
  if (!code || !(off.length || gone.length)) return code;
  const heads = off.map(([layer, head]) => `(${layer}, ${head})`);
  const tokens = gone.flatMap((unit) => found.units[unit]);
  return `${code}print(asked.changed([${heads.join(", ")}], [${tokens.join(", ")}], "${found.how}"))\n`;
}
