// A picture as a table, on request: for readers who cannot see a canvas, or want to copy numbers.
// Columns are sorted by a click on their heading, and the whole is copied with one button.

import { csvCell, exactly } from "../numbers/csv.js";
import { t, tc } from "../numbers/language.js";
import { digits, topPairs } from "../numbers/model.js";
import { h, pushButton } from "./dom.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {string | number} Cell numbers are shares and weights, unless their column is a count
 * @typedef {{titles: string[], counts: string[], rows: Cell[][], caption: string}} Content
 *   counts: the columns that hold whole numbers
 * @typedef {{by: number, up: boolean}} Order
 * @typedef {{element: HTMLDetailsElement, body: HTMLElement, contentOf: (scene: Scene) => Content,
 *            scene: Scene | null, filled: unknown[], order: Order | null}} Here
 *   filled: what the content that is shown was made from
 */

const MOST_ROWS = 100;
const COPIED_SHOWN = 2500; // ms

/**
 * @param {string} of what the table is of, in its summary
 * @param {(scene: Scene) => Content} contentOf
 */
export function createTable(of, contentOf) {
  const body = h("div");
  const element = /** @type {HTMLDetailsElement} */ (
    h("details", { class: "ax-table" }, h("summary", {}, t("The {of} as a table", { of })), body)
  );
  /** @type {Here} */
  const here = { element, body, contentOf, scene: null, filled: [], order: null };
  element.addEventListener("toggle", () => refresh(here));
  return {
    element,
    /** @param {Scene} next @param {unknown[]} [made] what the content depends on */
    fill: (next, made = [next.model]) => fill(here, next, made),
  };
}

/** @param {Here} here @param {Scene} next @param {unknown[]} made */
function fill(here, next, made) {
  here.scene = next;
  if (made.every((part, i) => part === here.filled[i])) return;
  if (here.element.open) refresh(here);
  here.filled = here.element.open ? made : [];
}

/** @param {Here} here */
function refresh(here) {
  if (!here.element.open || !here.scene) return;
  const content = here.contentOf(here.scene);
  const rows = sorted(content.rows, here.order);
  const heading = content.titles.map((title, i) => headingOf(here, title, i));
  const lines = rows
    .slice(0, MOST_ROWS)
    .map((row) => h("tr", {}, ...row.map((cell, i) => cellOf(cell, content, i))));
  const copy = pushButton(
    t("Copy"),
    t("Copy the table"),
    () => copyAll(content, rows, copy),
    "ax-small",
  );
  here.body.replaceChildren(
    h("div", { class: "ax-title" }, h("span", { class: "ax-help" }, content.caption), copy),
    h(
      "div",
      { class: "ax-rows", tabindex: "0", role: "group", "aria-label": content.caption },
      h("table", {}, h("thead", {}, h("tr", {}, ...heading)), h("tbody", {}, ...lines)),
    ),
  );
}

/** A heading that sorts by its column. @param {Here} here @param {string} title @param {number} i */
function headingOf(here, title, i) {
  const { order } = here;
  const button = pushButton(
    title,
    t("Sort by {title}", { title }),
    () => sortBy(here, i),
    "ax-sort",
  );
  const state = order?.by !== i ? "none" : order.up ? "ascending" : "descending";
  return h("th", { scope: "col", "aria-sort": state }, button);
}

/** @param {Cell} cell @param {Content} content @param {number} i */
function cellOf(cell, { titles, counts }, i) {
  if (typeof cell === "string") return h("td", { dir: "auto" }, cell);
  const text = counts.includes(titles[i]) ? String(cell) : digits(cell);
  return h("td", { class: "ax-number" }, text);
}

/** @param {Here} here @param {number} i */
function sortBy(here, i) {
  here.order = orderBy(here.order, i, here.scene && here.contentOf(here.scene).rows[0]?.[i]);
  refresh(here);
  /** @type {HTMLElement | undefined} */ (here.body.querySelectorAll("th button")[i])?.focus();
}

/** @param {Content} content @param {Cell[][]} rows @param {HTMLElement} button */
async function copyAll({ titles }, rows, button) {
  const lines = [titles, ...rows].map((row) => row.map(textOf).join("\t"));
  try {
    await navigator.clipboard.writeText(lines.join("\n"));
    button.textContent = t("Copied");
  } catch {
    button.textContent = t("The browser forbids it");
  }
  setTimeout(() => {
    button.textContent = t("Copy");
  }, COPIED_SHOWN);
}

/**
 * The order after a click on a heading: words from A on and numbers from the largest down, and the
 * other way round if the table is sorted by it already.
 * @param {Order | null} order @param {number} by @param {Cell | null | undefined} first
 * @returns {Order}
 */
export const orderBy = (order, by, first) => ({
  by,
  up: order?.by === by ? !order.up : typeof first === "string",
});

/** A cell as text; what a spreadsheet would run is made harmless. @param {Cell} cell */
const textOf = (cell) =>
  typeof cell === "number" ? exactly(cell) : csvCell(cell.replace(/\s+/g, " "));

/**
 * Rows in another order; rows that are equal there keep theirs.
 * @param {Cell[][]} rows @param {Order | null} order
 */
export function sorted(rows, order) {
  if (!order) return rows;
  const { by, up } = order;
  return [...rows].sort((one, other) => {
    const [a, b] = [one[by], other[by]];
    const way = typeof a === "string" ? a.localeCompare(String(b)) : a - Number(b);
    return up ? way : -way;
  });
}

/**
 * The strongest pairs of the chosen heads, head by head. Below the map of a long text they are
 * single weights, which the server has found.
 * @param {string} of
 */
export const pairsTable = (of) =>
  createTable(of, (scene) =>
    scene.deep && scene !== scene.map ? singlePairs(scene) : topsOf(scene),
  );

// Equal words are told apart by where they stand: the position of their first token.
const PAIR_TITLES = [
  t("looks from (query)"),
  tc("column", "at"),
  t("looks at (key)"),
  tc("column", "there"),
  t("weight"),
  t("layer"),
  t("head"),
];
const PAIR_COUNTS = [1, 3, 5, 6].map((i) => PAIR_TITLES[i]);
const WEIGHT = 4; // which of them

/** @param {Scene} scene @returns {Content} */
function topsOf({ model }) {
  const { rows, columns } = model.picture;
  const found = model.perHead.flatMap(({ head, picture }) =>
    topPairs(picture, MOST_ROWS).map(({ row, column, weight }) => [
      ...[rows[row].text, rows[row].tokens[0], columns[column].text, columns[column].tokens[0]],
      ...[weight, model.layer, head],
    ]),
  );
  return {
    titles: PAIR_TITLES,
    counts: PAIR_COUNTS,
    rows: sorted(found, { by: WEIGHT, up: false }).slice(0, MOST_ROWS),
    caption: t("{heads}: the {n} strongest pairs at most", { heads: model.name, n: MOST_ROWS }),
  };
}

/** @param {Scene} scene @returns {Content} */
function singlePairs({ deep, model }) {
  const { rows, columns, pairs } = /** @type {NonNullable<Scene["deep"]>} */ (deep);
  return {
    titles: PAIR_TITLES,
    counts: PAIR_COUNTS,
    rows: pairs.map(({ row, column, weight, head }) => [
      ...[rows[row].text, rows[row].tokens[0], columns[column].text, columns[column].tokens[0]],
      ...[weight, model.layer, head],
    ]),
    caption: t("{heads}: the {n} strongest single weights", { heads: model.name, n: pairs.length }),
  };
}
