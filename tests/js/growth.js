// The functions of the browser that walk through a reader's text or a link, and texts that are hard
// on them: `growth.test.js` holds their growth, and as a program (with lengths) this prints it.

import { across } from "../../explorer/instrument/numbers/comparison.js";
import { csvCell } from "../../explorer/instrument/numbers/csv.js";
import { unpack } from "../../explorer/instrument/numbers/data.js";
import { settingOf } from "../../explorer/instrument/numbers/edges.js";
import { readHeads, stretches, unitText } from "../../explorer/instrument/numbers/explained.js";
import { placesIn } from "../../explorer/instrument/numbers/layertrace.js";
import { unitsOf } from "../../explorer/instrument/numbers/model.js";
import { pin, readTokens, START, writeTokens } from "../../explorer/instrument/numbers/view.js";
import { named } from "../../explorer/instrument/numbers/words.js";
import { cutTo } from "../../explorer/instrument/parts/paint.js";
import { fileName } from "../../explorer/instrument/save/handing.js";
import { payload, token } from "./trace.js";

/** @param {string} start @param {string} again @returns {(n: number) => string} */
const of = (start, again) => (n) => (start + again.repeat(n / again.length + 1)).slice(0, n);

export const HOSTILE = {
  words: of("", "The cat sat. "),
  "one long word": of("", "a"),
  spaces: of("a", " "),
  "spaces before a sign": of("", " "),
  "line ends": of("", "\n"),
  quotes: of("", '"'),
  "signs of formulas": of("", "=+-@"),
  dashes: of("a", "-"),
  "a flag of many tags": of("🏴", "\u{e0067}"),
  "half characters": of("", "\ud83d"),
  "marks on one letter": of("e", "\u0301"),
  Chinese: of("", "猫"),
  "numbers of a link": of("0-9", ".0-9"),
  "the same numbers for ever": of("0-4094", ".0-4094"),
  "numbers and no end": of("", "1-1."),
};

/** A pen whose letters are all ten pixels wide. */
const pen = { measureText: (/** @type {string} */ text) => ({ width: 10 * text.length }) };

/** What a model reads at most: functions of tokens grow up to here. */
const MOST_TOKENS = 512;

/** @param {string} text */
const tokensOf = (text) =>
  Array.from({ length: Math.min(text.length, MOST_TOKENS) }, (_, i) =>
    token(text[i], { span: [i, i + 1], word: i }),
  );

/** @param {string} text @returns {any} */
const explained = (text) => {
  const tokens = tokensOf(text);
  return { tokens, units: tokens.map((_, i) => [i]) };
};

/** @type {Record<string, (text: string) => unknown>} */
export const FUNCTIONS = {
  "guard.js: slice, toWellFormed": (text) => text.slice(0, 1_000_001).toWellFormed(),
  "save.js: csvCell": csvCell,
  "save.js: fileName": (text) => fileName(text, "csv"),
  "paint.js: cutTo": (text) => cutTo(/** @type {any} */ (pen), text, 100),
  "view.js: readTokens": readTokens,
  "view.js: writeTokens": (text) => writeTokens(Array.from(text, (_, i) => 2 * i)),
  "view.js: pin": (text) => {
    const tokens = tokensOf(text).map((_, i) => i);
    return pin({ ...START, queries: tokens }, "queries", tokens, true);
  },
  "explained.js: readHeads": readHeads,
  "explained.js: stretches, unitText": (text) => {
    const found = explained(text);
    return [
      stretches(found),
      found.units.map((/** @type {any} */ _, /** @type {number} */ u) => unitText(found, u)),
    ];
  },
  "layertrace.js: placesIn": (text) => placesIn(tokensOf(text), tokensOf(text)),
  "comparison.js: across": (text) => {
    const units = tokensOf(text).map((t, i) => ({
      text: t.text,
      other: "",
      a: [i],
      b: [i],
      special: false,
    }));
    return across(
      units,
      "a",
      units.map((_, i) => i),
    );
  },
  "words.js: named": (text) => named(Array.from(tokensOf(text).keys()), tokensOf(text)),
  "model.js: unitsOf": (text) => unitsOf(tokensOf(text), true, "shown"),
  "edges.js: settingOf": (text) => settingOf(tokensOf(text)),
  "data.js: unpack": (text) => {
    const head = {
      numbers: [0],
      n_heads: 1,
      thumb: [1, 1],
      texts: [text],
      query_tokens: [token(text)],
    };
    return unpack(payload(head, [0], [0], []));
  },
};

/** Milliseconds of a call, the least of several. @param {(text: string) => unknown} call @param {string} text @param {number} times */
export function milliseconds(call, text, times) {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const before = process.cpuUsage();
    call(text);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

if (process.argv[1] === import.meta.filename) {
  const lengths = process.argv.slice(2).map(Number);
  for (const [name, call] of Object.entries(FUNCTIONS)) {
    const rows = Object.entries(HOSTILE).map(([kind, textOf]) => ({
      kind,
      row: lengths.map((n) => milliseconds(call, textOf(n), 2)),
    }));
    rows.sort((a, b) => (b.row.at(-1) ?? 0) - (a.row.at(-1) ?? 0));
    console.log(JSON.stringify([name, rows[0].kind, rows[0].row]));
  }
}
