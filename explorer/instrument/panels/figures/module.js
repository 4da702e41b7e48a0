// The module line by line: the article's code, ours, and what each step makes of the reader's text;
// or of the article's own example, run.

import { keptSums, ofHead, ofLayer } from "../../numbers/articlesums.js";
import { indexOf } from "../../numbers/data.js";
import { t } from "../../numbers/language.js";
import { choice, h, setText } from "../../parts/dom.js";
import { createMatrix } from "../../parts/matrix.js";
import { createHeadChoice } from "./headchoice.js";
import { createSame } from "./same.js";
import { notYet } from "./waiting.js";

/**
 * @typedef {import("../../pages/articlefigures.js").Acts} Acts
 * @typedef {import("../../pages/articlefigures.js").Shown} Shown
 * @typedef {{values: ArrayLike<number>, rows: number, columns: number, weights?: boolean,
 *            shape: number[]}} Made what a step makes: one head of it is drawn; shape: of all of it
 * @typedef {{step: string, says: HTMLElement, shape: HTMLElement,
 *            map: ReturnType<typeof createMatrix>, row: HTMLElement}} Row
 * @typedef {{arrays: any, layer: number, head: number, heads: number, n: number, width: number,
 *            d: number}} Text what is read; layer: a place in the arrays
 */

const WIDEST = 220; // pixels of a picture
const TALLEST = 150;

/** @param {Acts} acts @returns {import("../../pages/articlefigures.js").Figure} */
export function createModule(acts) {
  let isExample = false;
  /** @type {Shown | null} */
  let last = null;
  /** @type {Row[]} */
  let rows = [];
  const head = createHeadChoice(acts.look);
  const which = choice(
    t("What it reads"),
    [
      ["text", t("your text"), t("What a layer of the model reads of your text")],
      ["example", t("the article’s example"), t("512 numbers a token, 8 heads, 10 random tokens")],
    ],
    (value) => {
      isExample = value === "example";
      if (last) show(last);
    },
  );
  which.show("text");
  const isSame = createSame();
  const waiting = notYet();
  const list = h("ol", { class: "ax-module" });
  const element = h(
    "div",
    {},
    h("div", { class: "ax-tools" }, which.element, head.element),
    waiting,
    list,
  );

  /** @param {Shown} shown */
  function show(shown) {
    last = shown;
    const { state, theme } = shown;
    const { facts } = state.article;
    if (!rows.length && facts.lines) rows = facts.lines.steps.map(rowOf);
    if (!list.children.length) list.append(...rows.map(({ row }) => row));
    head.show(state);
    head.element.hidden = isExample;
    const text = isExample ? exampleOf(facts) : textOf(state);
    waiting.hidden = text !== null;
    if (isSame(text?.arrays, text?.layer, text?.head, theme, list.clientWidth)) return;
    for (const one of rows) drawRow(one, text, theme);
  }
  return {
    element,
    show,
    where: () => ({ page: "step", open: { stage: "2" }, label: t("This layer, step by step") }),
  };
}

/** @param {Record<string, import("../../numbers/article.js").Fact>} facts @returns {Text | null} */
function exampleOf({ example }) {
  if (!example) return null;
  const [d, heads, n] = example.sizes;
  return { arrays: example.arrays, layer: 0, head: 0, heads, n, width: d / heads, d };
}

/** @param {import("../../numbers/article.js").ArticleState} state @returns {Text | null} */
function textOf({ article, view }) {
  const arrays = article.facts.layers?.arrays;
  if (!arrays) return null;
  const [, heads, n, width] = arrays.q.shape;
  const layer = indexOf(article.trace.head, view.layer);
  return { arrays, layer, head: view.head, heads, n, width, d: heads * width };
}

/** @param {[string, string[], string[]]} step @returns {Row} */
function rowOf([step, article, ours]) {
  const map = createMatrix(
    () => {},
    () => "",
  );
  const [says, shape] = [h("p", { class: "ax-module-says" }), h("p", { class: "ax-module-shape" })];
  const code = (/** @type {string} */ of, /** @type {string[]} */ lines) =>
    h(
      "div",
      { class: "ax-module-code" },
      h("span", { class: "ax-help" }, of),
      h("pre", { tabindex: "0" }, h("code", {}, lines.join("\n"))),
    );
  const made = h("div", { class: "ax-module-made" }, shape, map.element);
  const both = h(
    "div",
    { class: "ax-module-both" },
    code(t("the article"), article),
    code(t("ours"), ours),
  );
  const row = h("li", {}, says, both, made);
  return { step, says, shape, map, row };
}

/** @param {Row} row @param {Text | null} text @param {import("../../parts/theme.js").Theme} theme */
function drawRow({ step, says, shape, map, row }, text, theme) {
  setText(says, stepSays(step, text));
  const made = text && madeBy(step, text);
  map.element.hidden = shape.hidden = !made;
  if (!made) return;
  const { values, rows, columns, weights } = made;
  const size = `(${made.shape.join(", ")})`;
  setText(shape, size);
  const wide = Math.min(WIDEST, Math.max(120, row.clientWidth - 20));
  const tall = Math.min(TALLEST, columns === rows ? wide : rows * 8);
  const label = t("{rows} rows of {columns} numbers, as colours.", { rows, columns });
  map.show(
    {
      ...{
        values,
        rows,
        columns,
        wide,
        widest: wide,
        line: tall / rows,
        name: "",
        shape: "",
        label,
      },
      weights: weights === true,
    },
    theme,
  );
}

/** What a step makes of a text, one head of it; null where it makes no picture. @param {string} step @param {Text} text @returns {Made | null} */
export function madeBy(step, { arrays, layer, head, heads, n, width, d }) {
  if (step === "sizes" || step === "maps") return null;
  if (step === "join" || step === "output") {
    const all = step === "join" ? arrays.joined : arrays.output;
    return { values: ofLayer(all, layer), rows: n, columns: d, shape: [1, n, d] };
  }
  if (step === "split")
    return {
      ...{ values: ofHead(arrays.q, layer, head), rows: n, columns: width },
      shape: [1, heads, n, width],
    };
  const sums = keptSums(arrays, layer, head);
  if (step === "values")
    return { values: sums.out, rows: n, columns: width, shape: [1, heads, n, width] };
  const isSoft = step === "softmax";
  const values = isSoft ? sums.weights : sums.scores;
  return { values, rows: n, columns: n, weights: isSoft, shape: [1, heads, n, n] };
}

/** What a step does, in a sentence. @param {string} step @param {Text | null} text */
function stepSays(step, text) {
  const told = text ?? { n: "n", d: "d", heads: "h", width: "d/h" };
  const values = { n: told.n, d: told.d, heads: told.heads, width: told.width };
  const counted = text ? (4 * (text.d * text.d + text.d)).toLocaleString("en") : "4d² + 4d";
  /** @type {Record<string, () => string>} */
  const says = {
    sizes: () =>
      t(
        "A token’s {d} numbers are divided among {heads} heads, {width} each. Ours refuses a width that cannot be divided.",
        values,
      ),
    maps: () => t("Four maps are all that is learned here: {count} numbers.", { count: counted }),
    split: () =>
      t(
        "Each token becomes a query, a key and a value, cut into heads. The article gives the keys the length of the queries; ours lets them have their own. Here: the queries of one head.",
      ),
    scores: () =>
      t(
        "Each query meets each key: {n} × {n} products in every head, divided by √{width}.",
        values,
      ),
    softmax: () =>
      t("Each row becomes shares that sum to 1. Ours also leaves out what a mask hides."),
    values: () => t("Each token takes the mean of all values, by its shares."),
    join: () => t("The heads are laid side by side: {d} numbers a token again.", values),
    output: () => t("A last map mixes the heads. This is what the layer gives out."),
  };
  return says[step]?.() ?? "";
}
