// A picture as a table, on request: for readers who cannot see a canvas, or want to copy numbers.
// Columns are sorted by a click on their heading, and the whole is copied with one button.

import { csvCell, exactly } from "../numbers/csv.js";
import { digits, topPairs } from "../numbers/model.js";
import { h, pushButton } from "./dom.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {string | number} Cell numbers are shares and weights, unless their column is a count
 * @typedef {{titles: string[], counts: string[], rows: Cell[][], caption: string}} Content
 *   counts: the columns that hold whole numbers
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
    h("details", { class: "ax-table" }, h("summary", {}, `The ${of} as a table`), body)
  );
  /** @type {Scene | null} */
  let scene = null;
  /** @type {unknown[]} */
  let filled = [];
  /** @type {{by: number, up: boolean} | null} */
  let order = null;
  element.addEventListener("toggle", () => refresh());

  /** @param {Scene} next @param {unknown[]} [made] what the content depends on */
  function fill(next, made = [next.model]) {
    scene = next;
    if (made.every((part, i) => part === filled[i])) return;
    if (element.open) refresh();
    else filled = [];
    if (element.open) filled = made;
  }

  function refresh() {
    if (!element.open || !scene) return;
    const content = contentOf(scene);
    const rows = sorted(content.rows, order);
    const heading = content.titles.map((title, i) => {
      const up = order?.by === i && order.up;
      const button = pushButton(title, `Sort by ${title}`, () => sortBy(i), "ax-sort");
      const state = order?.by !== i ? "none" : up ? "ascending" : "descending";
      return h("th", { scope: "col", "aria-sort": state }, button);
    });
    const lines = rows
      .slice(0, MOST_ROWS)
      .map((row) => h("tr", {}, ...row.map((cell, i) => cellOf(cell, content, i))));
    const copy = pushButton(
      "Copy",
      "Copy the table",
      () => copyAll(content, rows, copy),
      "ax-small",
    );
    body.replaceChildren(
      h("div", { class: "ax-title" }, h("span", { class: "ax-help" }, content.caption), copy),
      h(
        "div",
        { class: "ax-rows", tabindex: "0", role: "group", "aria-label": content.caption },
        h("table", {}, h("thead", {}, h("tr", {}, ...heading)), h("tbody", {}, ...lines)),
      ),
    );
  }

  /** @param {Cell} cell @param {Content} content @param {number} i */
  function cellOf(cell, { titles, counts }, i) {
    if (typeof cell === "string") return h("td", { dir: "auto" }, cell);
    const text = counts.includes(titles[i]) ? String(cell) : digits(cell);
    return h("td", { class: "ax-number" }, text);
  }

  /** @param {number} i */
  function sortBy(i) {
    order = { by: i, up: order?.by === i ? !order.up : typeof firstCell(i) === "string" };
    refresh();
    /** @type {HTMLElement | undefined} */ (body.querySelectorAll("th button")[i])?.focus();
  }

  /** @param {number} i */
  const firstCell = (i) => scene && contentOf(scene).rows[0]?.[i];

  /** @param {Content} content @param {Cell[][]} rows @param {HTMLElement} button */
  async function copyAll({ titles }, rows, button) {
    const lines = [titles, ...rows].map((row) => row.map(textOf).join("\t"));
    try {
      await navigator.clipboard.writeText(lines.join("\n"));
      button.textContent = "Copied";
    } catch {
      button.textContent = "The browser forbids it";
    }
    setTimeout(() => {
      button.textContent = "Copy";
    }, COPIED_SHOWN);
  }

  return { element, fill };
}

/** A cell as text; what a spreadsheet would run is made harmless. @param {Cell} cell */
const textOf = (cell) =>
  typeof cell === "number" ? exactly(cell) : csvCell(cell.replace(/\s+/g, " "));

/**
 * Rows in another order; rows that are equal there keep theirs.
 * @param {Cell[][]} rows @param {{by: number, up: boolean} | null} order
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
 * The strongest pairs of the chosen heads, head by head.
 * @param {string} of
 */
export const pairsTable = (of) =>
  createTable(of, ({ model }) => {
    const { rows, columns } = model.picture;
    const found = model.perHead.flatMap(({ head, picture }) =>
      topPairs(picture, MOST_ROWS).map(({ row, column, weight }) => [
        ...[rows[row].text, columns[column].text, weight, model.layer, head],
      ]),
    );
    return {
      titles: ["looks from (query)", "looks at (key)", "weight", "layer", "head"],
      counts: ["layer", "head"],
      rows: sorted(found, { by: 2, up: false }).slice(0, MOST_ROWS),
      caption: `${model.name}: the ${MOST_ROWS} strongest pairs at most`,
    };
  });
