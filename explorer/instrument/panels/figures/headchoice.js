// Which head the figures of the Article show: layer and head, for all of them at once.

import { t } from "../../numbers/language.js";
import { h } from "../../parts/dom.js";

/** @param {(at: {layer?: number, head?: number}) => void} look */
export function createHeadChoice(look) {
  const layers = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": t("Layer") }));
  const heads = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": t("Head") }));
  layers.addEventListener("change", () => look({ layer: Number(layers.value) }));
  heads.addEventListener("change", () => look({ head: Number(heads.value) }));
  const element = h(
    "div",
    { class: "ax-headchoice" },
    h("label", {}, h("span", {}, t("Layer")), layers),
    h("label", {}, h("span", {}, t("Head")), heads),
  );
  /** @param {HTMLSelectElement} select @param {number[]} numbers @param {number} chosen */
  function fill(select, numbers, chosen) {
    if (select.options.length !== numbers.length)
      select.replaceChildren(...numbers.map((n) => h("option", { value: String(n) }, String(n))));
    select.value = String(chosen);
  }
  return {
    element,
    /** @param {import("../../numbers/article.js").ArticleState} state */
    show: ({ article, view }) => {
      const { numbers, n_heads: nHeads } = article.trace.head;
      fill(layers, numbers, view.layer);
      fill(heads, [...Array(nHeads).keys()], view.head);
    },
  };
}
