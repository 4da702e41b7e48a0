// The formula in four steps on one head and the reader's text: one cell is followed through all.

import { lookingOf } from "../../numbers/article.js";
import { sumsNow } from "../../numbers/articlesums.js";
import { inQuotes } from "../../numbers/basics.js";
import { headName } from "../../numbers/headname.js";
import { t } from "../../numbers/language.js";
import { h } from "../../parts/dom.js";
import { createMatrix } from "../../parts/matrix.js";
import { createHeadChoice } from "./headchoice.js";
import { notYet } from "./waiting.js";

/**
 * @typedef {import("../../pages/articlefigures.js").Acts} Acts
 * @typedef {import("../../pages/articlefigures.js").Shown} Shown
 * @typedef {import("../../numbers/articlesums.js").Sums} Sums
 */

const WIDEST = 350; // pixels of a map
const DIGITS = 3;

/** The steps; each is drawn as a map. */
const STEPS = /** @type {const} */ (["products", "scores", "weights", "out"]);

/** @param {Acts} acts @returns {import("../../pages/articlefigures.js").Figure} */
export function createFormula(acts) {
  /** @type {{sums: Sums, tokens: string[]} | null} */
  let last = null;
  const names = titles();
  const maps = STEPS.map((step, i) =>
    createMatrix(
      (row, column) => acts.look(i < 3 ? { query: row, key: column } : { query: row }),
      (row, column) => cellSays(last, step, row, column),
    ),
  );
  const boxes = maps.map(({ element }, i) =>
    h("li", {}, h("div", { class: "ax-formula-step" }, names[i]), element),
  );
  const steps = h("ol", { class: "ax-formula-maps" }, ...boxes);
  const says = h("ol", { class: "ax-formula-sums", "aria-live": "polite" });
  const waiting = notYet();
  const head = createHeadChoice(acts.look);
  const element = h("div", {}, h("div", { class: "ax-tools" }, head.element), waiting, steps, says);

  /** @param {Shown} shown */
  function show({ state, theme }) {
    const sums = sumsNow(state);
    head.show(state);
    waiting.hidden = sums !== null;
    steps.hidden = says.hidden = sums === null;
    if (!sums) return;
    const tokens = state.article.trace.head.key_tokens.map(({ text }) => text);
    last = { sums, tokens };
    const query = lookingOf(state);
    const key = state.view.key ?? strongest(sums, query);
    const wide = Math.min(WIDEST, Math.max(160, boxes[0].clientWidth));
    STEPS.forEach((step, i) => {
      maps[i].show(matrixOf(step, sums, tokens, { query, key, wide, name: names[i] }), theme);
    });
    says.replaceChildren(...sumsSaid(sums, tokens, query, key).map((text) => h("li", {}, text)));
  }
  return {
    element,
    show,
    where: ({ state }) => ({
      page: "step",
      open: { stage: "4", ...pinnedIn(state) },
      label: t("All numbers of {head}, step by step", {
        head: headName(state.view.layer, state.view.head),
      }),
    }),
  };
}

/** What the steps are called. */
const titles = () => [
  t("1. Products: QKᵀ"),
  t("2. Scores: QKᵀ / √dₖ"),
  t("3. Weights: softmax of each row"),
  t("4. Output: weights · V"),
];

/** @param {import("../../numbers/article.js").ArticleState} state @returns {Record<string, string>} */
const pinnedIn = (state) => ({ query: String(lookingOf(state)) });

/** The key that a query looks at most. @param {Sums} sums @param {number} query */
export function strongest({ weights, n }, query) {
  const row = weights.subarray(query * n, (query + 1) * n);
  return row.indexOf(Math.max(...row));
}

/**
 * @param {typeof STEPS[number]} step @param {Sums} sums @param {string[]} tokens
 * @param {{query: number, key: number, wide: number, name: string}} at
 * @returns {import("../../parts/matrix.js").Matrix}
 */
function matrixOf(step, sums, tokens, { query, key, wide, name }) {
  const { n, width } = sums;
  const isLast = step === "out";
  const columns = isLast ? width : n;
  const shape = `${n} × ${columns}`;
  const label = t("{step}: one row for each token that looks, {shape}.", { step: name, shape });
  return {
    ...{ values: sums[step], rows: n, columns, wide, widest: wide, name: "", shape, label },
    weights: step === "weights",
    row: query,
    cell: isLast ? null : [query, key],
    ...(isLast ? { rowNames: tokens, line: (wide - 62) / n } : { names: tokens }),
  };
}

/** @param {{sums: Sums, tokens: string[]} | null} last @param {typeof STEPS[number]} step @param {number} row @param {number} column */
function cellSays(last, step, row, column) {
  if (!last) return "";
  const { sums, tokens } = last;
  const columns = step === "out" ? sums.width : sums.n;
  const value = signed(sums[step][row * columns + column]);
  const one = inQuotes(tokens[row]);
  return step === "out"
    ? t("{word}, number {n}: {value}", { word: one, n: column, value })
    : t("{word} → {other}: {value}", { word: one, other: inQuotes(tokens[column]), value });
}

/** A number with a sign of its own, not a hyphen. @param {number} x */
const signed = (x) => x.toFixed(DIGITS).replace("-", "−");

/** The cell's way through all four steps. @param {Sums} sums @param {string[]} tokens @param {number} query @param {number} key */
export function sumsSaid({ n, width, products, scores, weights, out }, tokens, query, key) {
  const at = query * n + key;
  const total = scores
    .subarray(query * n, (query + 1) * n)
    .reduce((sum, score) => sum + Math.exp(score), 0);
  const told = {
    ...{ word: inQuotes(tokens[query]), other: inQuotes(tokens[key]), width, n },
    ...{ product: signed(products[at]), score: signed(scores[at]) },
    ...{ root: Math.sqrt(width).toFixed(DIGITS), total: total.toFixed(DIGITS) },
    ...{ power: Math.exp(scores[at]).toFixed(DIGITS), weight: weights[at].toFixed(DIGITS) },
    first: signed(out[query * width]),
  };
  return [
    t("q of {word} times k of {other}, {width} products added up: {product}.", told),
    t("Divided by √{width} = {root}: {score}.", told),
    t("e to that is {power}; over the sum of the row, {total}, it is the weight {weight}.", told),
    t(
      "So {weight} of the value of {other} goes into the output of {word}; with the shares of all {n} tokens its first number becomes {first}.",
      told,
    ),
  ];
}
