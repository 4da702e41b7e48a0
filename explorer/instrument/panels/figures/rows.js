// Rows or columns: the same map of the same vectors, each its own way round, and where they are mixed.

import { t } from "../../numbers/language.js";
import { choice, h, setText } from "../../parts/dom.js";

/**
 * @typedef {{x: number[][], weight: number[][], bias: number[], rows: number[][],
 *            columns: number[][], error: string}} Rows as `rows_facts` of scratch/articlefacts.py
 *   writes it
 * @typedef {"rows" | "columns" | "mixed"} Way
 */

/** @param {import("../../pages/articlefigures.js").Acts} _acts @returns {import("../../pages/articlefigures.js").Figure} */
export function createRows(_acts) {
  let [way, at] = [/** @type {Way} */ ("rows"), /** @type {[number, number]} */ ([0, 0])];
  /** @type {import("../../pages/articlefigures.js").Shown | null} */
  let last = null;
  const again = () => last && show(last);
  const which = choice(
    t("The vectors of tokens are"),
    [
      ["rows", t("rows: X·W_Qᵀ + b"), t("As the code computes it")],
      ["columns", t("columns: W_Q·Xᵀ + b"), t("As the formula is meant")],
      ["mixed", t("rows, in the formula for columns: W_Q·X"), t("As it is printed")],
    ],
    (value) => {
      way = value;
      again();
    },
  );
  which.show("rows");
  const board = h("div", { class: "ax-sums" });
  const says = h("p", { class: "ax-fig-says", "aria-live": "polite" });
  const element = h("div", {}, h("div", { class: "ax-tools" }, which.element), board, says);
  const choose = (/** @type {Event} */ event) => {
    const cell = event.target instanceof Element && event.target.closest("[data-cell]");
    if (!(cell instanceof HTMLElement)) return;
    const [token, part] = String(cell.dataset.cell).split(".").map(Number);
    if (token === at[0] && part === at[1]) return;
    at = [token, part];
    again();
  };
  board.addEventListener("pointerover", choose);
  board.addEventListener("focusin", choose);

  /** @param {import("../../pages/articlefigures.js").Shown} shown */
  function show(shown) {
    last = shown;
    const rows = /** @type {Rows | undefined} */ (shown.state.article.facts?.corrections?.rows);
    if (!rows) return setText(says, t("The numbers are being fetched…"));
    const inside = board.querySelector(":focus") !== null;
    board.replaceChildren(...partsOf(rows, way, at));
    if (inside) {
      const now = board.querySelector(`[data-cell="${at[0]}.${at[1]}"]`);
      if (now instanceof HTMLElement) now.focus();
    }
    setText(says, saysOf(rows, way, at));
  }
  return {
    element,
    show,
    where: () => ({
      ...{ page: "step", open: { stage: "2" } },
      label: t("The queries of your text, in Step by step"),
    }),
  };
}

/** @param {number[][]} rows */
const turned = (rows) => rows[0].map((_, i) => rows.map((row) => row[i]));

/** @param {number} value */
const inMinus = (value) => String(value).replace("-", "−");

/** @param {Rows} rows @param {Way} way @param {[number, number]} at token, and part of its query */
function partsOf({ x, weight, bias, rows, columns }, way, [token, part]) {
  const sign = (/** @type {string} */ text) => h("span", { class: "ax-sign" }, text);
  if (way === "mixed")
    return [
      gridOf("W_Q", weight, () => false),
      sign("·"),
      gridOf("X", x, () => false),
      sign("="),
      sign("✗"),
    ];
  const isRows = way === "rows";
  const answer = isRows ? rows : columns;
  const left = isRows
    ? gridOf("X", x, (r) => r === token)
    : gridOf("W_Q", weight, (r) => r === part);
  const right = isRows
    ? gridOf("W_Qᵀ", turned(weight), (_, c) => c === part)
    : gridOf("Xᵀ", turned(x), (_, c) => c === token);
  const added = isRows
    ? gridOf("b", [bias], (_, c) => c === part)
    : gridOf("b", turned([bias]), (r) => r === part);
  const isHere = (/** @type {number} */ r, /** @type {number} */ c) =>
    isRows ? r === token && c === part : r === part && c === token;
  const cellOf = (/** @type {number} */ r, /** @type {number} */ c) =>
    isRows ? `${r}.${c}` : `${c}.${r}`;
  const name = isRows ? "Q" : "Qᵀ";
  return [
    left,
    sign("·"),
    right,
    sign("+"),
    added,
    sign("="),
    gridOf(name, answer, isHere, cellOf),
  ];
}

/**
 * @param {string} name @param {number[][]} rows @param {(row: number, column: number) => boolean} isLit
 * @param {(row: number, column: number) => string} [cellOf] where cells can be chosen, what each is
 */
function gridOf(name, rows, isLit, cellOf) {
  const lines = rows.map((row, r) =>
    h("tr", {}, ...row.map((value, c) => cellIn(value, isLit(r, c), cellOf?.(r, c) ?? null))),
  );
  return h("table", { class: "ax-sum" }, h("caption", {}, name), h("tbody", {}, ...lines));
}

/** @param {number} value @param {boolean} isLit @param {string | null} cell */
function cellIn(value, isLit, cell) {
  const lit = isLit ? "ax-lit" : null;
  if (cell === null) return h("td", { class: lit }, inMinus(value));
  const button = h("button", { type: "button", "data-cell": cell }, inMinus(value));
  return h("td", { class: lit }, button);
}

/** @param {Rows} rows @param {Way} way @param {[number, number]} at */
function saysOf({ x, weight, bias, rows, error }, way, [token, part]) {
  if (way === "mixed")
    return t(
      "Torch answers: {error}. With as many tokens as numbers in a vector it would not even complain, and mix the tokens with one another.",
      { error },
    );
  const bracket = (/** @type {number} */ value) =>
    value < 0 ? `(${inMinus(value)})` : String(value);
  const sums = x[token].map((value, i) => `${bracket(value)}·${bracket(weight[part][i])}`);
  const sum = [...sums, bracket(bias[part])].join(" + ");
  const values = { token, part, sum, value: inMinus(rows[token][part]) };
  return way === "rows"
    ? t("Number {part} of the query of token {token}: {sum} = {value}.", values)
    : t(
        "Number {part} of the query of token {token}: {sum} = {value}: the same sum, only lying on its side.",
        values,
      );
}
