// The strongest pairs of the picture as a table: for readers who cannot see a canvas, or want to
// copy numbers.

import { h } from "./dom.js";
import { digits, topPairs } from "./model.js";

const ROWS = 20;

/** @param {() => void} onOpen */
export function createTable(onOpen) {
  const body = h("div");
  const element = /** @type {HTMLDetailsElement} */ (
    h(
      "details",
      { class: "ax-panel ax-panel-table" },
      h("summary", {}, "The strongest pairs as a table"),
      body,
    )
  );
  element.addEventListener("toggle", onOpen);
  /** @type {unknown} */
  let filled = null;

  /** @param {import("./scene.js").Scene} scene */
  function fill({ model }) {
    if (!element.open || filled === model) return;
    filled = model;
    const { rows, columns } = model.picture;
    const lines = topPairs(model.picture, ROWS).map(({ row, column, weight }) =>
      h(
        "tr",
        {},
        ...[rows[row].text, columns[column].text, digits(weight)].map((t) => h("td", {}, t)),
      ),
    );
    const titles = ["looks from (query)", "looks at (key)", "weight"];
    const heading = titles.map((title) => h("th", { scope: "col" }, title));
    const caption = h("caption", {}, model.name);
    const head = h("thead", {}, h("tr", {}, ...heading));
    body.replaceChildren(h("table", {}, caption, head, h("tbody", {}, ...lines)));
  }

  return { element, fill };
}
