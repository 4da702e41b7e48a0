// All heads over a corpus in words.

import { countOf, measureOf, numberOf, placeOf } from "./corpus.js";
import { headName, inSpeech } from "./headname.js";
import { sentences, t, tn } from "./language.js";

/**
 * @typedef {import("./corpus.js").Corpus} Corpus
 * @typedef {import("./corpus.js").CorpusState} CorpusState
 * @typedef {import("./corpus.js").Measure} Measure
 * @typedef {import("./corpus.js").Beside} Beside
 */

/** @param {import("./corpus.js").Header} corpus @param {number} i */
export function nameOf(corpus, i) {
  const { layer, head } = placeOf(corpus, i);
  return headName(layer, head);
}

/** A number as it is read. @param {number} value @param {boolean} share */
export function inDigits(value, share) {
  if (Number.isNaN(value)) return "—";
  const size = Math.abs(value);
  const text =
    share || size < 10 ? value.toFixed(share ? 3 : 2) : value.toFixed(size < 1e4 ? 1 : 0);
  return text.replace("-", "−");
}

/** A head’s number in a measure, with its spread. @param {Corpus} corpus @param {string} key @param {number} i */
export function withSpread(corpus, key, i) {
  const { share, unit } = measureOf(corpus, key);
  const [mean, spread] = [corpus.mean, corpus.spread].map((of) => numberOf(corpus, of, key, i));
  const said = inDigits(mean, share);
  if (Number.isNaN(mean)) return said;
  const number = Number.isNaN(spread) ? said : `${said} ± ${inDigits(spread, share)}`;
  return unit ? `${number} ${unit}` : number;
}

/** What the picture says: of the head under the pointer, else of the chosen, else of all. @param {CorpusState} state */
export function corpusSentence(state) {
  const { corpus, view, hovered } = state;
  const i = hovered ?? view.pick;
  const { key, name } = measureOf(corpus, view.measure);
  if (i < 0) return allSentence(state);
  const head = nameOf(corpus, i);
  const value = withSpread(corpus, key, i);
  const { n, share } = measureOf(corpus, key);
  const [low, high] = [corpus.low, corpus.high].map((of) => numberOf(corpus, of, key, i));
  const first = t("{head}: {measure} {value}.", { head, measure: name, value });
  if (!n || Number.isNaN(low)) return first;
  const [least, most] = [low, high].map((x) => inDigits(x, share));
  return sentences(
    first,
    tn(
      "One text could show it.",
      "In eight of ten texts it is from {least} to {most}; {n} texts could show it.",
      n,
      { least, most, n: n.toLocaleString("en") },
    ),
  );
}

/** @param {CorpusState} state */
function allSentence({ corpus }) {
  const n = countOf(corpus);
  return tn(
    "One head. Choose it to see what it does.",
    "{n} heads. Choose one to see what it does, and in which texts.",
    n,
    { n: n.toLocaleString("en") },
  );
}

/** The same for who listens. @param {CorpusState} state */
export const spokenSentence = (state) => inSpeech(corpusSentence(state));

/** A measure with its unit. @param {Measure} measure */
export const titled = ({ name, unit }) =>
  unit ? t("{measure} ({unit})", { measure: name, unit }) : name;

/** What stands above it on paper, and in files. @param {CorpusState} state */
export const corpusTitle = ({ corpus, view }) =>
  [corpus.model, corpus.corpus, measureOf(corpus, view.measure).name].filter(Boolean).join(" · ");

/** What full colour is. @param {Measure} measure @param {number} top */
export const scaleWords = ({ share, unit }, top) =>
  t("Full colour: {number}", { number: `${inDigits(top, share)}${unit ? ` ${unit}` : ""}` });

/** What was found when two folders were compared. @param {Beside} beside */
export function besideSentence({ n_differs, n_tested, same_texts, title, why }) {
  if (why) return why;
  const [differs, of] = [n_differs, n_tested].map((n) => n.toLocaleString("en"));
  const how = same_texts
    ? t("Both read the same texts, which are compared one by one.")
    : t("They read different texts, so their means are compared.");
  const found = tn(
    "Of {of} measures of heads one differs from “{title}”.",
    "Of {of} measures of heads {differs} differ from “{title}”.",
    n_differs,
    { of, differs, title },
  );
  return sentences(found, how, CORRECTED());
}

const CORRECTED = () =>
  t(
    "Intervals are of 95 %. Chances are corrected for looking at all of them (Holm): with none that differs, the chance to name even one is 5 %.",
  );

/** A chance as it is read. @param {number} p */
export const chance = (p) => (p < 0.0001 ? "< 0.0001" : p.toFixed(4));

/** A mark of what is painted, which tests wait for. @param {CorpusState} state */
export const corpusPainted = ({ corpus, view }) =>
  [corpus.id, view.measure, view.x, view.y, view.pick, corpus.head?.measure ?? ""].join(" ");
