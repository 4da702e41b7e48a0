// What a stage says in words: numbers as text, the sentence of a stage, and that of a change.

import { added, bits, farthest, lengthOf, lineOf, mixed, rowFrom, spreadOf } from "./layertrace.js";
import { STAGES } from "./stages.js";

/**
 * @typedef {import("./layertrace.js").LayerTrace} LayerTrace
 * @typedef {import("./layertrace.js").Row} Row
 * @typedef {import("./stages.js").StageId} StageId
 * @typedef {{of: "q" | "k" | "v" | "output", c: number}} NumberPlace one number, whose sum is shown
 * @typedef {{stage: number, query: number, key: number | null, cell: NumberPlace | null,
 *            scale: boolean, temperature: number, causal: boolean}} StepState
 * @typedef {{trace: LayerTrace, own: Row, rows: () => Row[]}} Side
 * @typedef {{trace: LayerTrace, own: Row, rows: () => Row[], key: number, state: StepState, note: string,
 *            rules: import("./layertrace.js").Rules,
 *            turned: (Side & {places: number[]}) | null}} Shot
 *   own: the chosen query's row by the model's own rules; rules: those of the switches;
 *   turned: the same with the change, and where each token stands in it
 */

/** A number to be read beside others. @param {number} x */
export function plain(x) {
  if (!Number.isFinite(x)) return x < 0 ? "−∞" : "∞";
  const size = Math.abs(x);
  const text = size >= 100 ? x.toFixed(1) : size >= 10 ? x.toFixed(2) : x.toFixed(3);
  return text.replace("-", "−").replace(/^−(0\.?0*)$/, "$1");
}

/** A number to be checked. @param {number} x */
export const exact = (x) =>
  Number.isFinite(x) ? String(Number(x.toPrecision(6))).replace("-", "−") : plain(x);

/** A weight. @param {number} w */
export const weightText = (w) => (w > 0 && w < 0.00005 ? "<0.0001" : w.toFixed(4));

/** @param {LayerTrace} trace @param {number} i */
export const quoted = (trace, i) => `“${trace.tokens[i].text}”`;

/** @param {Shot} shot @returns {StageId} */
export const stageOf = (shot) => STAGES[shot.state.stage].id;

/**
 * Which tokens the chosen query may look at, by the switches, in the order in which they are read.
 * @param {Shot} shot
 */
const allowedOf = ({ trace, rules, state, turned }) =>
  (turned?.own ?? rowFrom(trace, state.query, rules)).allowed;

/** What there is to say of the stage, for the chosen query. @param {Shot} shot */
export function stageSentence(shot) {
  const { trace, own, key, state } = shot;
  const q = quoted(trace, state.query);
  const best = own.weights.indexOf(Math.max(...own.weights));
  const z = () => mixed(trace, own.weights);
  switch (stageOf(shot)) {
    case "input":
      return `${q} stands at position ${state.query}; its vector has the length ${plain(lengthOf(lineOf(trace.of.x, state.query, trace.d_model)))}.`;
    case "qkv":
      return `In layer ${trace.layer}, head ${trace.head}, ${q} asks with its query, answers with its key and passes on its value: ${trace.d_k} numbers each.`;
    case "scores":
      return `The score of ${q} with ${quoted(trace, key)} is ${plain(own.scores[key])}.`;
    case "scale":
      return `The scores of ${q} spread by ${plain(spreadOf(own.scores))} before and ${plain(spreadOf(own.scaled))} after the division (standard deviation).`;
    case "mask": {
      const allowed = allowedOf(shot);
      return `${q} may look at ${allowed.filter(Boolean).length} of ${allowed.length} tokens.`;
    }
    case "softmax":
      return `${q} looks most at ${quoted(trace, best)}: ${weightText(own.weights[best])}. Its row has an entropy of ${bits(own.weights).toFixed(2)} of at most ${Math.log2(own.allowed.filter(Boolean).length).toFixed(2)} bits.`;
    case "mix":
      return `${q} gets ${weightText(own.weights[key])} of the value of ${quoted(trace, key)}; all values together make z, of length ${plain(lengthOf(z()))}.`;
    case "join":
      return `Head ${trace.head} keeps the places ${trace.head * trace.d_k} to ${(trace.head + 1) * trace.d_k - 1} of ${trace.d_model}.`;
    default: {
      const whole = lengthOf(lineOf(trace.of.output, state.query, trace.d_model));
      return `Head ${trace.head} adds a vector of length ${plain(lengthOf(added(trace, z())))} to the output of ${q}, which has the length ${plain(whole)}.`;
    }
  }
}

/** What the change did, in the whole head. @param {Shot} shot @returns {string} "" without a change */
export function changeSentence({ trace, own, rows, state, note, turned }) {
  if (!turned) return "";
  const [before, after] = [rows(), turned.rows()];
  let most = 0;
  turned.places.forEach((i, q) => {
    turned.places.forEach((j, k) => {
      if (i < 0 || j < 0) return;
      most = Math.max(most, Math.abs(before[q].weights[k] - after[i].weights[j]));
    });
  });
  const words = [note];
  if (!state.scale) words.push("not divided by √dₖ");
  if (state.temperature !== 1) words.push(`temperature ${state.temperature}`);
  if (state.causal && !trace.causal) words.push("causal mask");
  const still = most < 5e-5 ? " Nothing moved: the words took their attention with them." : "";
  return [
    `With the change (${words.filter(Boolean).join(", ")}): the weight between two words that changed most in this head changed by ${most.toFixed(4)}.${still}`,
    `The largest weight of a row is ${sharpness(after).toFixed(2)} on average, before ${sharpness(before).toFixed(2)};`,
    `the entropy of this row ${bits(turned.own.weights).toFixed(2)} bits, before ${bits(own.weights).toFixed(2)}.`,
  ].join(" ");
}

/** The mean over the queries of the row's largest weight. @param {Row[]} rows */
const sharpness = (rows) =>
  rows.reduce((sum, row) => sum + Math.max(...row.weights), 0) / rows.length;

/**
 * How far the sums made here are from the model's own weights, in the whole head.
 * @param {LayerTrace} trace @param {Row[]} rows by the model's own rules
 */
export function checkSentence(trace, rows) {
  const n = trace.tokens.length;
  const off = Math.max(
    ...rows.map((row, i) => farthest(row.weights, lineOf(trace.of.weights, i, n))),
  );
  return `Checked: repeated here from q and k, all ${(n * n).toLocaleString("en")} weights of this head are the model’s own to within ${off.toExponential(1)}.`;
}

/** The numbers of a query as lines of a table, titles first. @param {LayerTrace} trace @param {Row} row @param {number} i */
export function rowLines(trace, row, i) {
  const n = trace.tokens.length;
  const titles = [
    "query",
    "key",
    "score",
    "scaled",
    "allowed",
    "exp",
    "weight",
    "model's own weight",
  ];
  const lines = trace.tokens.map((token, j) => [
    ...[trace.tokens[i].text, token.text, row.scores[j], row.scaled[j], Number(row.allowed[j])],
    ...[row.exps[j], row.weights[j], trace.of.weights[i * n + j]],
  ]);
  return [titles, ...lines];
}
