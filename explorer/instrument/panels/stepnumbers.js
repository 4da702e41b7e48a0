// The table of one query's keys, and how one number was made.

import { t, tc } from "../numbers/language.js";
import { lengthOf, lineOf } from "../numbers/layertrace.js";
import { orderOf } from "../numbers/stages.js";
import {
  exact,
  inCell,
  plain,
  productInCell,
  quoted,
  weightInCell,
  weightText,
} from "../numbers/stepwords.js";
import { h, pushButton, setText } from "../parts/dom.js";
import { formula } from "../parts/formula.js";
import { createMatrix } from "../parts/matrix.js";

/**
 * @typedef {import("../numbers/stepwords.js").Shot} Shot
 * @typedef {import("../numbers/stepsums.js").Made} Made
 * @typedef {import("../numbers/stepsums.js").Row} Row
 * @typedef {{name: string, text: (key: number) => string, bar?: (key: number) => number}} Column
 */

const FEW = 64; // numbers
const WITH_KEYS = ["products", "scale", "cap", "bias", "mask", "softmax", "mix"];

/** @param {Shot} shot @returns {Column[]} */
function columnsOf(shot) {
  const { trace, own, state, turned } = shot;
  const i = state.query;
  const come = (/** @type {import("../numbers/stages.js").StageId} */ id) =>
    orderOf(state.stage) >= orderOf(id);
  /** @type {Column} */
  const weight = {
    name: t("weight"),
    text: (j) => weightText(own.weights[j]),
    bar: (j) => own.weights[j],
  };
  if (state.stage === "mix") {
    const long = trace.keys.map((_, j) => lengthOf(lineOf(trace.of.v, j, trace.d_v)));
    const share = (/** @type {number} */ j) => own.weights[j] * long[j];
    return [
      weight,
      { name: t("length of v"), text: (j) => plain(long[j]) },
      { name: t("weight × length"), text: (j) => plain(share(j)), bar: share },
    ];
  }
  const isLast = !trace.cap && !trace.bias;
  /** @type {Column[]} */
  const columns = [{ name: "q · k", text: (j) => plain(own.products[j]) }];
  if (come("scale") && !isLast)
    columns.push({ name: t("scaled"), text: (j) => plain(own.scaled[j]) });
  if (come("cap") && trace.cap)
    columns.push({ name: t("capped"), text: (j) => plain(own.capped[j]) });
  if (come("bias") && trace.bias) {
    const bias = lineOf(trace.of.bias, i, trace.keys.length);
    columns.push({ name: t("added"), text: (j) => (own.allowed[j] ? plain(bias[j]) : "—") });
  }
  if (come(isLast ? "scale" : "bias"))
    columns.push({ name: t("score"), text: (j) => plain(own.scores[j]) });
  if (come("mask"))
    columns.push({ name: t("mask"), text: (j) => (own.allowed[j] ? t("may") : "−∞") });
  if (come("softmax")) columns.push({ name: "exp", text: (j) => short(own.exps[j]) }, weight);
  if (turned && come("scale")) columns.push(changedColumn(turned, state.stage));
  return columns;
}

/** @param {NonNullable<Shot["turned"]>} turned @param {import("../numbers/stages.js").StageId} stage @returns {Column} */
function changedColumn({ own, keyPlaces: places }, stage) {
  const there = (/** @type {number} */ j, /** @type {(at: number) => string} */ text) =>
    places[j] < 0 ? "—" : text(places[j]);
  const name = t("with the change");
  if (stage === "mask")
    return { name, text: (j) => there(j, (at) => (own.allowed[at] ? t("may") : "−∞")) };
  if (stage !== "softmax") return { name, text: (j) => there(j, (at) => plain(own.scores[at])) };
  return {
    name,
    text: (j) => there(j, (at) => weightText(own.weights[at])),
    bar: (j) => own.weights[places[j]] ?? 0,
  };
}

/** @param {number} x */
const short = (x) => exact(Number(x.toPrecision(4)));

/** @param {(key: number) => void} pick */
export function createKeys(pick) {
  const element = h("div", { class: "ax-rows ax-keys", tabindex: "0", role: "group" });
  /** @param {Shot} shot */
  function show(shot) {
    const { trace, state, key } = shot;
    element.hidden = !WITH_KEYS.includes(shot.state.stage);
    if (element.hidden) return;
    const columns = columnsOf(shot);
    const tops = columns.map(({ bar }) =>
      bar ? Math.max(...trace.keys.map((_, j) => bar(j)), 1e-12) : 0,
    );
    const lines = trace.keys.map((token, j) => {
      const cells = columns.map(({ text, bar }, c) => {
        const cell = h("td", { class: bar ? "ax-number ax-bar" : "ax-number" }, text(j));
        if (bar) cell.style.setProperty("--share", `${(100 * bar(j)) / tops[c]}%`);
        return cell;
      });
      const title = t("Show every number of this pair");
      const open = h("button", { type: "button", class: "ax-key", title }, token.text);
      const line = h("tr", { "data-key": String(j) }, h("th", { scope: "row" }, open), ...cells);
      if (j === key) line.classList.add("ax-on");
      line.addEventListener("click", () => pick(j));
      return line;
    });
    element.setAttribute(
      "aria-label",
      t("The keys for {token}", { token: quoted(trace, state.query) }),
    );
    const scrolled = element.scrollTop;
    element.replaceChildren(
      tableOf([tc("of attention", "key"), ...columns.map(({ name }) => name)], lines),
    );
    element.scrollTop = scrolled;
  }
  return { element, show };
}

/** @param {string[]} names @param {HTMLElement[]} lines */
const tableOf = (names, lines) =>
  h(
    "table",
    {},
    h("thead", {}, h("tr", {}, ...names.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, ...lines),
  );

/** How one number was made: its rows, and the sum line by line. */
export function createDetails() {
  const element = h("section", { class: "ax-details", "aria-label": t("How one number was made") });
  const [title, rows] = [h("h4"), h("div", { class: "ax-sum-rows" })];
  const lines = h("dl", { class: "ax-sums" });
  element.append(title, rows, lines);
  /** @type {Made | null} */
  let shown = null;
  /** @type {ReturnType<typeof createMatrix>[]} */
  const frames = [];
  const frameAt = (/** @type {number} */ at) =>
    createMatrix(
      () => {},
      (_, column) => {
        const row = shown?.rows[at];
        return row
          ? t("{row}, place {place}: {number}", {
              row: row.name,
              place: column,
              number: exact(row.values[column]),
            })
          : "";
      },
    );
  /** @param {Made} made @param {import("../parts/theme.js").Theme} theme */
  function show(made, theme) {
    shown = made;
    setText(title, made.title);
    lines.replaceChildren(
      ...made.lines.flatMap(([what, number]) => [h("dt", {}, formula(what)), h("dd", {}, number)]),
    );
    while (frames.length < made.rows.length) frames.push(frameAt(frames.length));
    rows.replaceChildren(...made.rows.map((_, i) => frames[i].element));
    made.rows.forEach((row, i) => {
      frames[i].show(stripOf(row, element.clientWidth), theme);
    });
  }
  return {
    element,
    show,
    /** Where the rows stand, and which they are. */
    sliding: () => (shown?.rows ?? []).map(({ from }, i) => ({ from, target: frames[i] })),
  };
}

/** @param {Row} row @param {number} wide @returns {import("../parts/matrix.js").Matrix} */
function stripOf({ name, values, weights, products, mark, masked, ...row }, wide) {
  const few = values.length <= FEW && !weights; // of few numbers none is to be cut
  const print = weights ? weightInCell : products ? productInCell : inCell;
  const top = row.top ?? (few ? Math.max(...Array.from(values, Math.abs)) || 1 : undefined);
  return {
    ...{ values, rows: 1, columns: values.length, name, shape: `[${values.length}]`, wide },
    ...{
      weights,
      top,
      masked,
      tall: 20,
      widest: 44,
      label: t("{name}: {n} numbers", { name, n: values.length }),
    },
    ...{ cell: mark === undefined ? null : [0, mark], print },
  };
}

/** The products, by size: what counts most stands first, be it for or against. */
export function createProducts() {
  const title = h("p", { class: "ax-help" }, t("The products by size, whatever their sign:"));
  const table = h("div", {
    ...{ class: "ax-rows ax-terms", tabindex: "0", role: "group", "aria-label": t("The products") },
  });
  const element = h("section", {}, title, table);
  /** @param {Made} made */
  function show({ products }) {
    element.hidden = !products;
    if (!products) return;
    const { sum, names, places } = products;
    const size = (/** @type {number} */ c) => Math.abs(sum.terms[c][2]);
    const order = sum.terms.map((_, c) => c).sort((a, b) => size(b) - size(a));
    const lines = order.map((c) => {
      const cells = [places?.[c] ?? String(c), ...sum.terms[c].map(exact)];
      return h("tr", {}, ...cells.map((text) => h("td", {}, text)));
    });
    table.replaceChildren(
      tableOf([places ? tc("of attention", "key") : tc("in a vector", "place"), ...names], lines),
    );
  }
  return { element, show };
}

const APART = t(
  "On Explore: what each earlier head and MLP, the token and the position give to this score",
);

/**
 * The way to what a score is made of, which Explore tells of a decoder.
 * @param {((page: string, open?: Record<string, string>) => void) | null} go null where there is none
 */
export function createApart(go) {
  /** @type {Shot | null} */
  let shown = null;
  const element = pushButton(t("What made this score ›"), APART, () => {
    if (shown && go)
      go("explore", { query: `${shown.state.query}`, key: `${shown.key}`, open: "score" });
  });
  element.classList.add("ax-apart");
  return {
    element,
    /** @param {Shot} shot @param {boolean} isTold whether Explore tells it */
    show: (shot, isTold) => {
      shown = shot;
      const { state, own, key } = shot;
      element.hidden =
        !go ||
        !isTold ||
        !WITH_KEYS.includes(state.stage) ||
        state.stage === "mix" ||
        !own.allowed[key];
    },
  };
}
