// One head over a corpus: what it does, how often that holds, and the texts that show it.

import {
  grouped,
  headRows,
  heldWords,
  inDigits,
  searchWords,
  spokenLike,
  titleOfHead,
  withSpread,
} from "../numbers/corpushead.js";
import { headName } from "../numbers/headname.js";
import { t, tn } from "../numbers/language.js";
import { helpMark } from "../parts/bubble.js";
import { choice, h, pushButton, setText } from "../parts/dom.js";
import { distancesOf, histogramsOf } from "./corpusbars.js";
import { examplesOf, hitsOf } from "./corpustexts.js";

/**
 * @typedef {import("../numbers/corpushead.js").CorpusHead} CorpusHead as wire/corpushead.py has it
 * @typedef {import("../numbers/corpushead.js").LookedAt} LookedAt
 * @typedef {import("../numbers/corpushead.js").Like} Like
 * @typedef {import("../parts/theme.js").Theme} Theme
 * @typedef {{measure: (key: string) => void, head: (layer: number, head: number) => void,
 *            explore: ((wish: Record<string, unknown>) => void) | null,
 *            ask: ((wish: Record<string, unknown>) => void) | null}} CorpusHeadActs
 *   measure: examples by another one; head: to another head; explore: an example in Explore; ask:
 *   anything else of the server (ui/corpushead.py). Null where there is no server
 * @typedef {{acts: CorpusHeadActs, parts: ReturnType<typeof createParts>, by: "total" | "mean",
 *            data: CorpusHead | null, theme: Theme | null}} Here
 *   by: what its tokens are ranked by
 */

const COPY = t("Copy");
const COPIED_SHOWN = 2500; // ms
const FEW = 12; // tokens that are shown before all are
const ONE_HELP = t(
  "What one such token gets, or gives to other ordinary tokens, on average: 1 is what each would get if all got the same. Of tokens that are there five times or more.",
);
const LIKE_HELP = t(
  "How far apart two heads are: the root of the mean squared difference of all measures over the corpus, each in standard deviations over heads.",
);
const TEXT_HELP = t(
  "The marked token looks; shaded is what it looks at, as far as that is among the head’s strongest weights in this text. Full colour is the strongest of them. Point at a pair to see where its token looks; press it to open the text in Explore.",
);

/** @param {CorpusHeadActs} acts */
export function createCorpusHead(acts) {
  const parts = createParts((by) => {
    here.by = by;
    if (here.data && here.theme) drawTokens(here, here.data);
  });
  /** @type {Here} */
  const here = { acts, parts, by: "total", data: null, theme: null };
  const element = h("section", { class: "ax-corpus-head" }, ...layOut(parts));
  parts.other.addEventListener("change", () => acts.ask?.({ like: parts.other.value }));
  return {
    element,
    /**
     * @param {CorpusHead | null} data null while no head is chosen
     * @param {Theme} theme
     */
    show: (data, theme) => {
      element.hidden = data === null;
      const same = here.data === data && here.theme === theme;
      [here.data, here.theme] = [data, theme];
      if (data && !same) draw(here, data, theme);
    },
  };
}

/** @param {(by: "total" | "mean") => void} rank */
function createParts(rank) {
  const ranked = choice(
    t("Ranked by"),
    [
      ["total", t("all together"), t("What all tokens of one text get, or give")],
      ["mean", t("each"), t("What one of them gets, or gives, on average")],
    ],
    rank,
  );
  return {
    title: h("h3"),
    says: h("p", { class: "ax-corpus-says", role: "status", dir: "auto" }),
    rules: h("tbody"),
    ruled: h("details", { class: "ax-fold" }),
    search: h("section", { class: "ax-corpus-search", "aria-label": t("Search") }),
    bars: h("div", { class: "ax-corpus-grid" }),
    numbers: h("div", { class: "ax-rows", tabindex: "0", role: "group" }),
    copy: pushButton(COPY, t("All numbers of this head, for a spreadsheet"), () => {}, "ax-small"),
    far: h("div"),
    examples: h("ol", { class: "ax-corpus-texts" }),
    ordered: h("h3"),
    ranked,
    tokens: h("div", { class: "ax-corpus-sides" }),
    like: h("ol", { class: "ax-corpus-like" }),
    liked: h("section"),
    other: /** @type {HTMLSelectElement} */ (
      h("select", { "aria-label": t("Another corpus or model") })
    ),
    beside: h("ol", { class: "ax-corpus-like" }),
    besideSays: h("p", { class: "ax-help", role: "status" }),
  };
}

/** @param {ReturnType<typeof createParts>} parts */
function layOut(parts) {
  const rules = h("table", { class: "ax-corpus-table" }, headings(RULE_TITLES), parts.rules);
  const held = t("The rules, and in how many texts each holds");
  parts.ruled.append(h("summary", {}, held), rules);
  parts.numbers.setAttribute("aria-label", t("All numbers of this head"));
  const table = h("details", { class: "ax-table" });
  table.append(h("summary", {}, t("The histograms as a table")), parts.copy, parts.numbers);
  const others = h("label", {}, t("and in"), " ", parts.other);
  parts.liked.append(
    h("h3", {}, t("Heads most like it"), " ", helpMark(LIKE_HELP)),
    ...[parts.like, others, parts.besideSays, parts.beside],
  );
  return [
    ...[parts.title, parts.says, parts.ruled, parts.search],
    h("section", {}, h("h3", {}, t("Over the texts")), parts.bars, table),
    h("section", {}, parts.ordered, parts.examples),
    h(
      "div",
      { class: "ax-corpus-columns" },
      h("section", {}, h("h3", {}, t("How far it looks")), parts.far),
      h("section", {}, tokensTitle(), parts.ranked.element, parts.tokens),
      parts.liked,
    ),
  ];
}

const RULE_TITLES = [t("Kind"), t("Rule"), t("Texts in which it holds")];

const tokensTitle = () => h("h3", {}, t("Its tokens"), " ", helpMark(ONE_HELP));

/** @param {string[]} titles */
const headings = (titles) =>
  h("thead", {}, h("tr", {}, ...titles.map((title) => h("th", { scope: "col" }, title))));

/** @param {Here} here @param {CorpusHead} data @param {Theme} theme */
function draw(here, data, theme) {
  const { parts, acts } = here;
  setText(parts.title, titleOfHead(data));
  setText(parts.says, data.says);
  parts.ruled.hidden = !data.rules.length;
  parts.rules.replaceChildren(...data.rules.map(ruleRow));
  parts.bars.replaceChildren(...histogramsOf(data, theme, acts.measure));
  parts.numbers.replaceChildren(numbersTable(data));
  parts.copy.onclick = () => copyRows(data, parts.copy);
  parts.far.replaceChildren(distancesOf(data));
  const { layer, head, opens } = data;
  const explore = acts.explore;
  /** @type {import("./corpustexts.js").Drawing} */
  const drawing = {
    theme,
    explore: opens && explore ? (wish) => explore({ layer, head, ...wish }) : null,
  };
  const by = data.measures.find((one) => one.key === data.ordered);
  const order = by ? t("Texts by tenths of {measure}", { measure: by.name }) : t("Texts");
  parts.ordered.replaceChildren(order, " ", helpMark(TEXT_HELP));
  parts.examples.replaceChildren(...examplesOf(data, drawing));
  drawTokens(here, data);
  drawLike(here, data);
  drawSearch(parts, data, drawing, acts);
}

/** @param {import("../numbers/corpushead.js").Rule} rule */
function ruleRow(rule) {
  const row = h(
    "tr",
    {},
    h("th", { scope: "row" }, rule.kind),
    h("td", {}, rule.asks),
    h("td", { class: "ax-number" }, heldWords(rule)),
  );
  row.classList.toggle("ax-on", rule.holds);
  return row;
}

/** @param {CorpusHead} data @param {HTMLElement} button */
async function copyRows(data, button) {
  const done = await navigator.clipboard.writeText(headRows(data)).then(
    () => true,
    () => false,
  );
  setText(button, done ? t("Copied") : t("The browser forbids it"));
  setTimeout(() => setText(button, COPY), COPIED_SHOWN);
}

/** @param {CorpusHead} data */
function numbersTable({ measures }) {
  const titles = [t("Measure"), t("Texts"), t("Mean ± spread"), t("Tenths of the texts begin at")];
  const rows = measures.map((one) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, one.name),
      h("td", { class: "ax-number" }, one.n === null ? "—" : grouped(one.n)),
      h("td", { class: "ax-number" }, withSpread(one)),
      h("td", { class: "ax-number" }, one.deciles.map((value) => inDigits(value, one)).join(" ")),
    ),
  );
  return h("table", {}, headings(titles), h("tbody", {}, ...rows));
}

/** @param {Here} here @param {CorpusHead} data */
function drawTokens({ parts, by }, { tokens }) {
  const ranked = tokens.key.mean !== undefined;
  parts.ranked.element.hidden = !ranked;
  parts.ranked.show(ranked ? by : "total");
  const sides = /** @type {const} */ ([
    ["key", t("are looked at")],
    ["query", t("look at others")],
  ]);
  parts.tokens.replaceChildren(
    ...sides.map(([side, name]) => tokenList(name, tokens[side][by] ?? tokens[side].total)),
  );
}

/** @param {string} name @param {LookedAt[]} found */
function tokenList(name, found) {
  const rows = found.map(([token, n, all, mean]) =>
    h(
      "tr",
      {},
      h("th", { scope: "row", dir: "auto" }, token),
      h("td", { class: "ax-number" }, n === null ? "—" : `${grouped(n)} ×`),
      h("td", { class: "ax-number" }, inDigits(mean ?? all)),
    ),
  );
  const each = found.some(([, , , mean]) => mean !== null) ? t("Each") : t("all together");
  const titles = [t("Those that {name}", { name }), t("There"), each];
  const body = h("tbody", {}, ...rows.slice(0, FEW));
  const table = h("table", { class: "ax-corpus-table" }, headings(titles), body);
  const rest = rows.slice(FEW);
  const more = pushButton(tn("One more", "{n} more", rest.length), t("Show all"), () => {
    body.append(...rest);
    more.remove();
  });
  return h("div", {}, table, ...(rest.length ? [more] : []));
}

/** @param {Here} here @param {CorpusHead} data */
function drawLike({ parts, acts }, data) {
  parts.like.replaceChildren(...data.like.map((like) => likeItem(like, acts.head)));
  const { beside, others } = data;
  const label = /** @type {HTMLElement} */ (parts.other.parentElement);
  label.hidden = !others.length || !acts.ask;
  const none = h("option", { value: "" }, t("another corpus or model"));
  const options = others.map(([value, title]) => h("option", { value }, title));
  parts.other.replaceChildren(none, ...options);
  parts.other.value = beside?.name ?? "";
  setText(parts.besideSays, beside?.why || "");
  parts.beside.replaceChildren(...(beside?.like ?? []).map((like) => likeItem(like, null)));
  parts.liked.hidden = !data.like.length;
}

/** @param {Like} like @param {((layer: number, head: number) => void) | null} go */
function likeItem([layer, head, apart], go) {
  const name = headName(layer, head);
  const title = t("Show {head}", { head: spokenLike(layer, head) });
  const said = go ? pushButton(name, title, () => go(layer, head), "ax-link") : name;
  const far = t("{apart} apart", { apart: apart.toFixed(2) });
  return h("li", {}, said, h("span", { class: "ax-help ax-number" }, ` ${far}`));
}

/**
 * @param {ReturnType<typeof createParts>} parts @param {CorpusHead} data
 * @param {import("./corpustexts.js").Drawing} drawing @param {CorpusHeadActs} acts
 */
function drawSearch(parts, data, drawing, acts) {
  parts.search.hidden = !data.search;
  if (!data.search) return parts.search.replaceChildren();
  const says = h("p", { role: "status", dir: "auto" }, searchWords(data));
  const hits = h("ol", { class: "ax-corpus-texts" }, ...hitsOf(data, drawing));
  const { layer, head } = data;
  const isOffered = data.search.state === "offered";
  const how = t("Read all texts of this corpus and find the places that are most like it");
  const ask = pushButton(t("Search the corpus"), how, () => acts.ask?.({ search: [layer, head] }));
  ask.hidden = !isOffered || !acts.ask;
  parts.search.replaceChildren(says, ask, hits);
}
