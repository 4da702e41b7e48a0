// An explanation in words and as a table: what the page says, and what it hands out.

import { inQuotes } from "./basics.js";
import { csvCell } from "./csv.js";
import { answerTo, inPlain, inSigned, NOT_HERE, unitText, valuesOf } from "./explained.js";
import { sentences, t } from "./language.js";

/**
 * @typedef {import("./explained.js").Explained} Explained
 * @typedef {import("./explained.js").MethodOf} MethodOf
 * @typedef {import("./explainview.js").ExplainState} ExplainState
 */

/** What a word's own numbers are. @param {Explained} found @param {number} unit */
function pointedText(found, unit) {
  const word = inQuotes(unitText(found, unit));
  if (!found.removal) return t("{word}: each method’s score of it stands on the right.", { word });
  const change = inSigned(-(found.removal[unit] ?? 0));
  const right = t("Each method’s score of it stands on the right.");
  if (found.instead !== null) {
    const says = t("{word}: put {instead} in its place, and the target changes by {change}.", {
      word,
      change,
      instead: found.instead,
    });
    return sentences(says, right);
  }
  const away =
    found.how === "cut"
      ? t("{word}: let no later word look at it, and the target changes by {change}.", {
          word,
          change,
        })
      : t("{word}: drop it, and the target changes by {change}.", { word, change });
  return sentences(away, right);
}

/** How to read the lines of scores. */
export const READING = t(
  "Each line’s colours go from its own least to its most. Where a method knows a sign, blue words (+) support the target and orange ones (−) work against it. Point at a word, or tap it, for its numbers. Words of the first line go away with a click or a tap, also several together.",
);

/** Of the word under the pointer, or what a hand can do. @param {ExplainState} state */
export const pointedSentence = ({ found, pointed }) =>
  pointed === null
    ? t(
        "Point at a word, or tap it, for its numbers; in the first line a click or a tap takes it away.",
      )
    : pointedText(found, pointed);

/** What the words that are gone do to the target. @param {ExplainState} state */
export function goneSentence({ found, off, gone }) {
  if (!gone.length) return t("No word is taken away.");
  const words = gone.map((unit) => inQuotes(unitText(found, unit))).join(" ");
  const now = answerTo(found, off, gone);
  if (!now) return found.opening ? NOT_HERE : t("Without {words}…", { words });
  const values = {
    ...{ words, n: off.length, now: inPlain(now.value), was: inPlain(found.value) },
    change: inSigned(now.value - found.value, 4),
  };
  return off.length
    ? t(
        "Without {words}, and with {n} of the heads off below, the target is {now} instead of {was}: {change}.",
        values,
      )
    : t("Without {words}, the target is {now} instead of {was}: {change}.", values);
}

/** A method's score of a unit. @param {MethodOf | null} of null: removal @param {number | null} value */
export const scoreText = (of, value) => (of && !of.signed ? inPlain(value) : inSigned(value));

/**
 * Where the words that are known to decide stand by a score, in short and in full.
 * @param {import("./explained.js").Pointing} pointing
 * @returns {[string, string]}
 */
export const placeWords = ({ rank, area, n }) => [
  t("truth: place {rank} of {n}", { rank: rank % 1 ? rank.toFixed(1) : rank, n }),
  sentences(
    t("The best of the words that decide stands at place {rank} of {n}.", { rank, n }),
    area !== null
      ? t("Area under the ROC curve: {area}; 0.5 by chance, 1 if all stand first.", {
          area: area.toFixed(2),
        })
      : "",
  ),
];

/**
 * Against what a method's agreement is held, in short and in full: there are two measures, and
 * numbers of one cannot be compared with those of the other.
 * @param {import("./explained.js").Agreed} agreement @param {boolean} signed
 * @returns {[string, string]}
 */
export function agreedWords({ rho, low, high, n }, signed) {
  const values = { rho: inPlain(rho), low: inPlain(low), high: inPlain(high), n };
  return signed
    ? [
        t("sign"),
        t(
          "Held against the effect with its sign: Spearman {rho}, 95 % interval {low} to {high}, {n} words",
          values,
        ),
      ]
    : [
        t("size"),
        t(
          "Held against the size of the effect, up or down: Spearman {rho}, 95 % interval {low} to {high}, {n} words",
          values,
        ),
      ];
}

/** The scores that are there, measured removal (null) first. @param {Explained} found */
export const scoresOf = (found) => [null, ...found.methods.filter((m) => m.values)];

/** @param {MethodOf | null} of */
export const scoreName = (of) => of?.name ?? t("measured removal");

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
