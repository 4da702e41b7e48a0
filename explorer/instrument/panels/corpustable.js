// All heads over a corpus as a table that is sorted by any measure; and what differs from another.

import { countOf, measureOf, rankedOf } from "../numbers/corpus.js";
import {
  besideSentence,
  chance,
  inDigits,
  nameOf,
  titled,
  withSpread,
} from "../numbers/corpuswords.js";
import { headName } from "../numbers/headname.js";
import { t, tn } from "../numbers/language.js";
import { helpMark } from "../parts/bubble.js";
import { h, pushButton, setText } from "../parts/dom.js";

/**
 * @typedef {import("../numbers/corpus.js").CorpusState} CorpusState
 * @typedef {import("../numbers/corpus.js").Corpus} Corpus
 * @typedef {{pick: (head: number) => void, hover: (head: number | null) => void,
 *            sort: (key: string) => void, all: () => void}} TableActs
 * @typedef {{beside: (name: string) => void, head: (layer: number, head: number, measure: string) => void}} BesideActs
 */

/** @param {TableActs} act */
export function createCorpusTable(act) {
  const title = h("h3");
  const body = h("div", { class: "ax-rows", tabindex: "0", role: "group" });
  const more = h("p");
  const element = h("section", { class: "ax-corpus-all" }, title, body, more);
  /** @type {unknown[]} */
  let filled = [];

  /** @param {CorpusState} state */
  function show(state) {
    const { corpus, view, rows } = state;
    const now = [corpus, view.measure, view.lowest, rows];
    if (now.some((part, i) => part !== filled[i])) fill(state);
    filled = now;
    for (const row of body.querySelectorAll("tbody tr")) {
      const i = Number(/** @type {HTMLElement} */ (row).dataset.head);
      row.classList.toggle("ax-marked", i === view.pick);
    }
  }

  /** @param {CorpusState} state */
  function fill(state) {
    const { corpus, rows } = state;
    const order = rankedOf(state);
    const all = countOf(corpus);
    const alone = corpus.spread.every(Number.isNaN); // a tree made by others says no spread
    setText(
      title,
      alone ? t("All numbers") : t("All numbers: mean ± standard deviation over texts"),
    );
    body.setAttribute("aria-label", title.textContent ?? "");
    const lines = order.slice(0, rows).map((i) => lineOf(corpus, i, act));
    body.replaceChildren(
      h("table", {}, h("thead", {}, headingsOf(state, act)), h("tbody", {}, ...lines)),
    );
    const words = tn("All of {n} head", "All {n} heads", all, { n: all.toLocaleString("en") });
    const button = pushButton(words, words, act.all, "ax-copy");
    more.replaceChildren(...(rows < all ? [button] : []));
  }

  return { element, show };
}

/** @param {CorpusState} state @param {TableActs} act */
function headingsOf({ corpus, view }, act) {
  const headings = corpus.measures.map((measure) => {
    const { key, name, exactly } = measure;
    const title = t("Sort by {measure}. {exactly}", { measure: name, exactly });
    const button = pushButton(titled(measure), title, () => act.sort(key), "ax-sort");
    const order = key !== view.measure ? "none" : view.lowest ? "ascending" : "descending";
    return h("th", { scope: "col", "aria-sort": order }, button);
  });
  return h("tr", {}, h("th", { scope: "col" }, t("Head")), ...headings);
}

/** @param {Corpus} corpus @param {number} i @param {TableActs} act */
function lineOf(corpus, i, act) {
  const name = nameOf(corpus, i);
  const pick = pushButton(
    name,
    t("What {head} does", { head: name }),
    () => act.pick(i),
    "ax-link",
  );
  const cells = corpus.measures.map(({ key }) =>
    h("td", { class: "ax-number" }, bare(corpus, key, i)),
  );
  const row = h("tr", { "data-head": String(i) }, h("th", { scope: "row" }, pick), ...cells);
  row.addEventListener("pointerenter", () => act.hover(i));
  row.addEventListener("pointerleave", () => act.hover(null));
  return row;
}

/** The number without its unit, which stands in the heading. @param {Corpus} corpus @param {string} key @param {number} i */
function bare(corpus, key, i) {
  const { unit } = measureOf(corpus, key);
  const text = withSpread(corpus, key, i);
  return unit ? text.replace(` ${unit}`, "") : text;
}

/** @param {BesideActs} act */
export function createCorpusBeside(act) {
  const select = /** @type {HTMLSelectElement} */ (
    h("select", { "aria-label": t("Compare with") })
  );
  select.addEventListener("change", () => act.beside(select.value));
  const says = h("p", { class: "ax-says", "aria-live": "polite" });
  const body = h("div", { class: "ax-rows", tabindex: "0", role: "group" });
  const title = h(
    "div",
    { class: "ax-title" },
    h("h3", {}, t("Compared with another corpus, or with another model")),
    helpMark(BESIDE_HELP()),
  );
  const choice = h(
    "fieldset",
    { class: "ax-choice" },
    h("legend", {}, t("Compare with")),
    h("div", {}, select),
  );
  const element = h("section", { class: "ax-corpus-beside" }, title, choice, says, body);

  /** @param {CorpusState} state */
  function show({ corpus, view }) {
    element.hidden = !corpus.others.length;
    const named = [["", t("nothing")], ...corpus.others];
    if (
      named.map(([name]) => name).join("\n") !== [...select.options].map((o) => o.value).join("\n")
    )
      select.replaceChildren(...named.map(([value, word]) => h("option", { value }, word)));
    select.value = view.beside;
    const { beside } = corpus;
    const waits = view.beside && beside?.name !== view.beside;
    const found = beside && beside.name === view.beside ? beside : null;
    setText(says, waits ? t("Comparing…") : found ? besideSentence(found) : "");
    body.hidden = !found?.rows.length;
    body.setAttribute("aria-label", says.textContent ?? "");
    if (body.dataset.of !== `${corpus.id} ${found?.name}`)
      body.replaceChildren(...(found?.rows.length ? [differencesOf(corpus, found, act)] : []));
    body.dataset.of = `${corpus.id} ${found?.name}`;
  }

  return { element, show };
}

const BESIDE_HELP = () =>
  t(
    "Of a model of the same shape: one that was trained further, or the same one over other texts. A row is a measure of a head whose mean differs, the surest first; what is told is the other’s mean less this one’s.",
  );

/** @param {Corpus} corpus @param {import("../numbers/corpus.js").Beside} beside @param {BesideActs} act */
function differencesOf(corpus, { rows }, act) {
  const titles = [
    t("Head"),
    t("Measure"),
    t("Differs by"),
    t("95 % interval"),
    t("Chance, corrected"),
  ];
  const lines = rows.map(([key, layer, head, by, low, high, p]) => {
    const { name, share } = measureOf(corpus, key);
    const own = headName(layer, head);
    const open = pushButton(
      own,
      t("What {head} does", { head: own }),
      () => act.head(layer, head, key),
      "ax-link",
    );
    const ends = [low, high].map((x) => inDigits(x, share));
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, open),
      h("td", {}, name),
      h("td", { class: "ax-number" }, `${by > 0 ? "+" : ""}${inDigits(by, share)}`),
      h("td", { class: "ax-number" }, t("{low} to {high}", { low: ends[0], high: ends[1] })),
      h("td", { class: "ax-number" }, chance(p)),
    );
  });
  const headings = titles.map((title) => h("th", { scope: "col" }, title));
  return h("table", {}, h("thead", {}, h("tr", {}, ...headings)), h("tbody", {}, ...lines));
}
