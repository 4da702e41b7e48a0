// The table of one query's keys, and how one number was made.

import { divisor, lengthOf, lineOf, mixed, ownRules, sumOf } from "../numbers/layertrace.js";
import { exact, plain, quoted, stageOf, weightText } from "../numbers/stepwords.js";
import { h } from "../parts/dom.js";
import { formula } from "../parts/formula.js";

/**
 * @typedef {import("../numbers/stepwords.js").Shot} Shot
 * @typedef {import("../numbers/stepwords.js").NumberPlace} NumberPlace
 * @typedef {{name: string, text: (key: number) => string, bar?: (key: number) => number}} Column
 */

const WITH_KEYS = ["scores", "scale", "mask", "softmax", "mix"];

/** @param {Shot} shot @returns {Column[]} */
function columnsOf(shot) {
  const { trace, own, state, turned } = shot;
  const at = state.stage;
  /** @type {Column} */
  const weight = {
    name: "weight",
    text: (j) => weightText(own.weights[j]),
    bar: (j) => own.weights[j],
  };
  if (stageOf(shot) === "mix") {
    const long = trace.tokens.map((_, j) => lengthOf(lineOf(trace.of.v, j, trace.d_k)));
    const share = (/** @type {number} */ j) => own.weights[j] * long[j];
    return [
      weight,
      { name: "length of v", text: (j) => plain(long[j]) },
      { name: "weight × length", text: (j) => plain(share(j)), bar: share },
    ];
  }
  /** @type {Column[]} */
  const columns = [{ name: "q · k", text: (j) => plain(own.scores[j]) }];
  if (at >= 3) columns.push({ name: "÷ √dₖ", text: (j) => plain(own.scaled[j]) });
  if (at >= 4) columns.push({ name: "mask", text: (j) => (own.allowed[j] ? "may" : "−∞") });
  if (at >= 5) columns.push({ name: "exp", text: (j) => short(own.exps[j]) }, weight);
  if (turned && at >= 3) columns.push(changedColumn(turned, at));
  return columns;
}

/** @param {NonNullable<Shot["turned"]>} turned @param {number} stage @returns {Column} */
function changedColumn({ own, places }, stage) {
  const there = (/** @type {number} */ j, /** @type {(at: number) => string} */ text) =>
    places[j] < 0 ? "—" : text(places[j]);
  const name = "with the change";
  if (stage === 3) return { name, text: (j) => there(j, (at) => plain(own.scaled[at])) };
  if (stage === 4) return { name, text: (j) => there(j, (at) => (own.allowed[at] ? "may" : "−∞")) };
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
    element.hidden = !WITH_KEYS.includes(stageOf(shot));
    if (element.hidden) return;
    const columns = columnsOf(shot);
    const tops = columns.map(({ bar }) =>
      bar ? Math.max(...trace.tokens.map((_, j) => bar(j)), 1e-12) : 0,
    );
    const lines = trace.tokens.map((token, j) => {
      const cells = columns.map(({ text, bar }, c) => {
        const cell = h("td", { class: bar ? "ax-number ax-bar" : "ax-number" }, text(j));
        if (bar) cell.style.setProperty("--share", `${(100 * bar(j)) / tops[c]}%`);
        return cell;
      });
      const title = "Show every number of this pair";
      const open = h("button", { type: "button", class: "ax-key", title }, token.text);
      const line = h("tr", { "data-key": String(j) }, h("th", { scope: "row" }, open), ...cells);
      if (j === key) line.classList.add("ax-on");
      line.addEventListener("click", () => pick(j));
      return line;
    });
    element.setAttribute("aria-label", `The keys for ${quoted(trace, state.query)}`);
    const scrolled = element.scrollTop;
    element.replaceChildren(tableOf(["key", ...columns.map(({ name }) => name)], lines));
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

export function createDetails() {
  const element = h("section", { class: "ax-details", "aria-label": "How one number was made" });
  /** @param {Shot} shot */
  function show(shot) {
    const { cell } = shot.state;
    const made = cell
      ? cellDetails(shot, cell)
      : WITH_KEYS.includes(stageOf(shot))
        ? pairDetails(shot)
        : [];
    element.hidden = !made.length;
    element.replaceChildren(...made);
  }
  return { element, show };
}

/** The products, largest first. @param {import("../numbers/layertrace.js").Sum} sum @param {[string, string, string]} names */
function termsTable(sum, names) {
  const size = (/** @type {number} */ c) => Math.abs(sum.terms[c][2]);
  const order = sum.terms.map((_, c) => c).sort((a, b) => size(b) - size(a));
  const lines = order.map((c) =>
    h("tr", {}, ...[String(c), ...sum.terms[c].map(exact)].map((text) => h("td", {}, text))),
  );
  return [
    h("p", { class: "ax-help" }, "The products, largest first:"),
    h(
      "div",
      { class: "ax-rows ax-terms", tabindex: "0", role: "group", "aria-label": "The products" },
      tableOf(["place", ...names], lines),
    ),
  ];
}

/** @param {[string, string][]} lines */
const sumLines = (lines) =>
  h(
    "dl",
    { class: "ax-sums" },
    ...lines.flatMap(([what, number]) => [h("dt", {}, formula(what)), h("dd", {}, number)]),
  );

/** From q and k to a weight. @param {Shot} shot */
function pairDetails({ trace, own, key: j, state }) {
  const i = state.query;
  const sum = sumOf(lineOf(trace.of.q, i, trace.d_k), lineOf(trace.of.k, j, trace.d_k));
  const theirs = trace.of.weights[i * trace.tokens.length + j];
  const below = own.allowed[j] ? exact(own.scaled[j] - own.top) : "−∞";
  /** @type {[string, string][]} */
  const lines = [
    [`sum of ${trace.d_k} products: the score`, exact(sum.sum)],
    [`÷ √d_k, which is ${exact(divisor(trace, ownRules(trace)))}`, exact(own.scaled[j])],
    ...(own.allowed[j] ? [] : [/** @type {[string, string]} */ (["masked", "−∞"])]),
    [`− the row’s largest, ${exact(own.top)}`, below],
    ["e to that power", exact(own.exps[j])],
    [`÷ the sum of the row’s powers, ${exact(own.total)}: the weight`, exact(own.weights[j])],
    ["the model’s own weight", exact(theirs)],
    ["difference", Math.abs(theirs - own.weights[j]).toExponential(1)],
  ];
  const title = `How ${quoted(trace, i)} comes to look at ${quoted(trace, j)} with ${weightText(own.weights[j])}`;
  return [h("h4", {}, title), sumLines(lines), ...termsTable(sum, ["q", "k", "q × k"])];
}

/** From a token's vector to one number of its query, key, value or output. @param {Shot} shot @param {NumberPlace} place */
function cellDetails({ trace, own, state }, { of: which, c }) {
  const i = state.query;
  const q = quoted(trace, i);
  if (which === "output") {
    const sum = sumOf(mixed(trace, own.weights), lineOf(trace.of.w_o, c, trace.d_k));
    const whole = trace.of.output[i * trace.d_model + c];
    return [
      h("h4", {}, `Place ${c} of the output of ${q}`),
      sumLines([
        [`head ${trace.head}: sum of ${trace.d_k} products`, exact(sum.sum)],
        ["all other heads", exact(whole - sum.sum - trace.of.b_o[c])],
        ["bias b_O", exact(trace.of.b_o[c])],
        ["the model’s own output", exact(whole)],
      ]),
      ...termsTable(sum, ["z", "W", "z × W"]),
    ];
  }
  const width = trace.d_model;
  const bias = trace.of[`b_${which}`][c];
  const sum = sumOf(lineOf(trace.of.x, i, width), lineOf(trace.of[`w_${which}`], c, width), bias);
  const theirs = trace.of[which][i * trace.d_k + c];
  return [
    h("h4", {}, `Place ${c} of the ${{ q: "query", k: "key", v: "value" }[which]} of ${q}`),
    sumLines([
      [`sum of ${width} products`, exact(sum.sum - bias)],
      ["+ bias", exact(bias)],
      ["together", exact(sum.sum)],
      ["the model’s own number", exact(theirs)],
      ["difference", Math.abs(theirs - sum.sum).toExponential(1)],
    ]),
    ...termsTable(sum, ["x", "W", "x × W"]),
  ];
}
