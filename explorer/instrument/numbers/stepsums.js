// How one number of a stage was made: the rows that go into its sum, the sum line by line, and the
// products.

import { headName } from "./headname.js";
import { divisor, lineOf, mixed, ownRules, sumOf } from "./layertrace.js";
import { fullAt } from "./palette.js";
import { maskOf } from "./steppictures.js";
import { numberOf } from "./stepstate.js";
import { exact, quoted, stageOf, weightText } from "./stepwords.js";

/**
 * @typedef {import("./stepwords.js").Shot} Shot
 * @typedef {import("./stepwords.js").NumberPlace} NumberPlace
 * @typedef {{name: string, values: ArrayLike<number>, from: [string, number] | null,
 *            weights?: boolean, products?: boolean, top?: number, mark?: number,
 *            masked?: number[]}} Row
 *   from: the picture and the row of it that this is; products: whether these are added up; mark:
 *   the number that is meant; masked: where not 0, there is none
 * @typedef {[string, string]} Line what, and its number
 * @typedef {{sum: import("./layertrace.js").Sum, names: [string, string, string],
 *            places: string[] | null}} Products places: what the terms are called, if not by number
 * @typedef {{title: string, rows: Row[], lines: Line[], products: Products | null}} Made
 */

/** @param {Shot} shot @returns {Made} */
export function madeOf(shot) {
  const place = numberOf(shot);
  if (!place) return pairMade(shot);
  if (place.of === "x") return inputMade(shot, place.c);
  if (place.of === "z") return mixMade(shot, place.c);
  if (place.of === "joined") return joinMade(shot, place.c);
  if (place.of === "output") return outputMade(shot, place.c);
  return mapMade(shot, place.of, place.c);
}

const PAIR_STAGES = ["products", "scale", "mask", "softmax"];

/** From q and k to a weight, as far as the stage has come. @param {Shot} shot @returns {Made} */
function pairMade(shot) {
  const { trace, own, key: j, state } = shot;
  const i = state.query;
  const stage = PAIR_STAGES.indexOf(stageOf(shot));
  const [q, k] = [lineOf(trace.of.q, i, trace.d_k), lineOf(trace.of.k, j, trace.d_k)];
  const sum = sumOf(q, k);
  const theirs = trace.of.weights[i * trace.tokens.length + j];
  const below = own.allowed[j] ? exact(own.scores[j] - own.top) : "−∞";
  /** @type {Line[][]} what each stage adds */
  const lines = [
    [[`sum of ${trace.d_k} products: q · k`, exact(sum.sum)]],
    [
      [
        `÷ √d_k, which is ${exact(divisor(trace, ownRules(trace)))}: the score`,
        exact(own.scores[j]),
      ],
    ],
    mayLook(shot)[j] ? [] : [["masked", "−∞"]],
    [
      [`− the row’s largest, ${exact(own.top)}`, below],
      ["e to that power", exact(own.exps[j])],
      [`÷ the sum of the row’s powers, ${exact(own.total)}: the weight`, exact(own.weights[j])],
      ["the model’s own weight", exact(theirs)],
      ["difference", Math.abs(theirs - own.weights[j]).toExponential(1)],
    ],
  ];
  const pair = `${quoted(trace, i)} with ${quoted(trace, j)}`;
  const titles = [
    `The product q · k of ${pair}`,
    `The score of ${pair}`,
    `Whether ${quoted(trace, i)} may look at ${quoted(trace, j)}`,
    `How ${quoted(trace, i)} comes to look at ${quoted(trace, j)} with ${weightText(own.weights[j])}`,
  ];
  return {
    title: titles[stage],
    rows: pairRows(shot, stage, sum),
    lines: lines.slice(0, stage + 1).flat(),
    products: { sum, names: ["q", "k", "q × k"], places: null },
  };
}

/** Where the query may look, at the stage of the mask with the change. @param {Shot} shot */
function mayLook(shot) {
  const [i, n] = [shot.state.query, shot.trace.tokens.length];
  if (stageOf(shot) !== "mask") return shot.own.allowed.map(Number);
  return Array.from(maskOf(shot).may.subarray(i * n, (i + 1) * n));
}

/** @param {Shot} shot @param {number} stage @param {import("./layertrace.js").Sum} sum @returns {Row[]} */
function pairRows(shot, stage, sum) {
  const { trace, own, key: mark } = shot;
  const i = shot.state.query;
  const q = quoted(trace, i);
  const top = fullAt(own.products);
  const may = mayLook(shot);
  const n = trace.tokens.length;
  const remain = stage === 2 ? maskOf(shot).left.subarray(i * n, (i + 1) * n) : own.scores;
  const left = remain.map((s, j) => (may[j] ? s : 0));
  /** @type {Row[][]} */
  const rows = [
    factors(
      sum,
      [`q of ${q}`, `k of ${quoted(trace, mark)}`, "q × k"],
      [
        ["q", i],
        ["k", mark],
      ],
    ),
    [
      { name: `q · k of ${q}`, values: own.products, from: ["products", i], top, mark },
      { name: "÷ √dₖ: the scores", values: own.scores, from: ["scores", i], top, mark },
    ],
    [
      {
        name: `May ${q} look?`,
        values: may,
        masked: may.map((one) => 1 - one),
        from: ["may", i],
        weights: true,
        mark,
      },
      {
        ...{ name: "Scores that remain", values: left, from: ["left", i], mark },
        masked: may.map((one) => 1 - one),
      },
    ],
    [
      { name: `Scores of ${q}`, values: left, from: null, mark },
      { name: "e to (score − largest)", values: own.exps, from: null, weights: true, mark },
      { name: "÷ their sum: A", values: own.weights, from: ["a", i], weights: true, mark },
    ],
  ];
  return rows[stage];
}

/**
 * Two rows and their products.
 * @param {import("./layertrace.js").Sum} sum @param {[string, string, string]} names
 * @param {([string, number] | null)[]} from @returns {Row[]}
 */
const factors = ({ terms }, names, from) =>
  names.map((name, at) => ({
    ...{ name, values: terms.map((term) => term[at]), from: from[at] ?? null },
    products: at === 2,
  }));

/** A number of the input: what is added up to it. @param {Shot} shot @param {number} c @returns {Made} */
function inputMade({ trace, state: { query: i } }, c) {
  const at = i * trace.d_model + c;
  const parts = trace.parts.map(
    (name, p) => /** @type {Line} */ ([name, exact(trace.of[`part${p}`][at])]),
  );
  const together = trace.parts.reduce((sum, _, p) => sum + trace.of[`part${p}`][at], 0);
  const own = exact(trace.of.x[at]);
  /** @type {Line[]} */
  const lines = parts.length
    ? [
        ...parts,
        ["together", exact(together)],
        ...(trace.normed ? [/** @type {Line} */ (["after LayerNorm: X", own])] : []),
      ]
    : [[trace.layer ? `what layer ${trace.layer - 1} wrote: X` : "X", own]];
  return {
    title: `Place ${c} of the vector of ${quoted(trace, i)}`,
    rows: [],
    lines,
    products: null,
  };
}

/** A number of a query, key or value: a token's vector times a row of W. @param {Shot} shot @param {"q" | "k" | "v"} which @param {number} c @returns {Made} */
function mapMade({ trace, state: { query: i } }, which, c) {
  const width = trace.d_model;
  const bias = trace.of[`b_${which}`][c];
  const sum = sumOf(lineOf(trace.of.x, i, width), lineOf(trace.of[`w_${which}`], c, width), bias);
  const theirs = trace.of[which][i * trace.d_k + c];
  const q = quoted(trace, i);
  const name = { q: "query", k: "key", v: "value" }[which];
  return {
    title: `Place ${c} of the ${name} of ${q}`,
    rows: factors(
      sum,
      [`x of ${q}`, `row ${c} of W for ${which.toUpperCase()}`, "x × W"],
      [["x", i]],
    ),
    lines: [
      [`sum of ${width} products`, exact(sum.sum - bias)],
      ["+ bias", exact(bias)],
      ["together", exact(sum.sum)],
      ["the model’s own number", exact(theirs)],
      ["difference", Math.abs(theirs - sum.sum).toExponential(1)],
    ],
    products: { sum, names: ["x", "W", "x × W"], places: null },
  };
}

/** A number of what the query gets: the weights times a place of all values. @param {Shot} shot @param {number} c @returns {Made} */
function mixMade({ trace, own, state: { query: i } }, c) {
  const { d_k: dk, tokens } = trace;
  const column = tokens.map((_, j) => trace.of.v[j * dk + c]);
  const sum = sumOf(own.weights, column);
  const theirs = trace.of.joined[i * trace.d_model + trace.head * dk + c];
  const [weights, ...others] = factors(
    sum,
    [`A of ${quoted(trace, i)}`, `place ${c} of all values`, "A × v"],
    [],
  );
  return {
    title: `Place ${c} of what ${quoted(trace, i)} gets`,
    rows: [{ ...weights, weights: true }, ...others],
    lines: [
      [`sum of ${tokens.length} products`, exact(sum.sum)],
      ["the model’s own number", exact(theirs)],
      ["difference", Math.abs(theirs - sum.sum).toExponential(1)],
    ],
    products: { sum, names: ["A", "v", "A × v"], places: tokens.map(({ text }) => text) },
  };
}

/** Whose number stands at a place of all heads. @param {Shot} shot @param {number} c @returns {Made} */
function joinMade({ trace, state: { query: i } }, c) {
  const { d_k: dk, d_model: d, layer } = trace;
  return {
    ...{ title: `Place ${c} of Z of ${quoted(trace, i)}`, rows: [], products: null },
    lines: [
      ["the head that it comes from", headName(layer, Math.floor(c / dk))],
      ["its place in that head’s z", String(c % dk)],
      ["the number, unchanged", exact(trace.of.joined[i * d + c])],
    ],
  };
}

/** A number of the output: this head's sum, the others', the bias. @param {Shot} shot @param {number} c @returns {Made} */
function outputMade({ trace, own, state: { query: i } }, c) {
  const z = mixed(trace, own.weights);
  const sum = sumOf(z, lineOf(trace.of.w_o, c, trace.d_k));
  const whole = trace.of.output[i * trace.d_model + c];
  const q = quoted(trace, i);
  return {
    title: `Place ${c} of the output of ${q}`,
    rows: factors(sum, [`z of ${q}`, `row ${c} of W for the output`, "z × W"], []),
    lines: [
      [`${headName(trace.layer, trace.head)}: sum of ${trace.d_k} products`, exact(sum.sum)],
      ["all other heads", exact(whole - sum.sum - trace.of.b_o[c])],
      ["bias b_O", exact(trace.of.b_o[c])],
      ["the model’s own output", exact(whole)],
    ],
    products: { sum, names: ["z", "W", "z × W"], places: null },
  };
}
