// What a stage says in words: numbers as text, the sentence of a stage, and that of a change.

import { range } from "./basics.js";
import { headName } from "./headname.js";
import {
  added,
  bits,
  farthest,
  largestAt,
  lengthOf,
  lineOf,
  mixed,
  rowFrom,
  spreadOf,
} from "./layertrace.js";
import { STAGES } from "./stages.js";

/**
 * @typedef {import("./layertrace.js").LayerTrace} LayerTrace
 * @typedef {import("./layertrace.js").Row} Row
 * @typedef {import("./stages.js").StageId} StageId
 * @typedef {{of: "x" | "q" | "k" | "v" | "z" | "joined" | "output", c: number}} NumberPlace one number, whose sum is shown
 * @typedef {{stage: number, query: number, key: number | null, cell: NumberPlace | null,
 *            pinned: boolean, scale: boolean, temperature: number, causal: boolean}} StepState
 * @typedef {{trace: LayerTrace, own: Row, rows: () => Row[]}} Side
 * @typedef {{trace: LayerTrace, own: Row, rows: () => Row[], key: number, state: StepState, note: string,
 *            rules: import("./layertrace.js").Rules,
 *            turned: (Side & {places: number[]}) | null}} Shot
 *   pinned: whether the query was chosen by the reader;
 *   own: the chosen query's row by the model's own rules; rules: those of the switches;
 *   turned: the same with the change, and where each token stands in it
 */

const SAME = 5e-7; // cosines that differ by rounding alone: the vectors are of single precision

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

/** A number in a cell of a picture. @param {number} x */
export const inCell = (x) =>
  x
    .toFixed(Math.abs(x) < 9.95 ? 1 : 0)
    .replace("-", "−")
    .replace("−0.0", "0.0");

/** A product in a cell: its digits are to be added up. @param {number} x */
export const productInCell = (x) => x.toFixed(2).replace("-", "−").replace("−0.00", "0.00");

/** A weight in a cell. @param {number} w */
export const weightInCell = (w) => w.toFixed(2);

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
      return `In ${headName(trace.layer, trace.head)}, ${q} asks with its query, answers with its key and passes on its value: ${trace.d_k} numbers each.`;
    case "products":
      return `The product q · k of ${q} with ${quoted(trace, key)} is ${plain(own.products[key])}.`;
    case "scale":
      return `The products of ${q} spread by ${plain(spreadOf(own.products))}, its scores by ${plain(spreadOf(own.scores))} (standard deviation).`;
    case "mask": {
      const allowed = allowedOf(shot);
      return `${q} may look at ${allowed.filter(Boolean).length} of ${allowed.length} tokens.`;
    }
    case "softmax":
      return `${pairWords(shot, best)} Its row has an entropy of ${bits(own.weights).toFixed(2)} of at most ${Math.log2(own.allowed.filter(Boolean).length).toFixed(2)} bits.`;
    case "mix":
      return `${q} gets ${weightText(own.weights[key])} of the value of ${quoted(trace, key)}; all values together make z, of length ${plain(lengthOf(z()))}.`;
    case "join":
      return `${headName(trace.layer, trace.head)} keeps the places ${trace.head * trace.d_k} to ${(trace.head + 1) * trace.d_k - 1} of ${trace.d_model}.`;
    default: {
      const whole = lengthOf(lineOf(trace.of.output, state.query, trace.d_model));
      return `${headName(trace.layer, trace.head)} adds a vector of length ${plain(lengthOf(added(trace, z())))} to the output of ${q}, which has the length ${plain(whole)}.`;
    }
  }
}

/** How much the query looks at the chosen key, and at which it looks most. @param {Shot} shot @param {number} best */
function pairWords({ trace, own, key, state }, best) {
  const [q, strongest] = [quoted(trace, state.query), quoted(trace, best)];
  const [weight, most] = [weightText(own.weights[key]), weightText(own.weights[best])];
  if (key === best) return `${q} looks most at ${strongest}: ${most}.`;
  return `${q} looks at ${quoted(trace, key)} with ${weight}, most at ${strongest}: ${most}.`;
}

/**
 * What the change did to the numbers in sight.
 * @param {Shot} shot
 * @returns {string} "" without a change
 */
export function changeSentence(shot) {
  const { trace, turned, own, state, key } = shot;
  if (!turned) return "";
  const change = changeWords(shot);
  const q = quoted(trace, state.query);
  const there = turned.places[key];
  switch (there < 0 ? "softmax" : stageOf(shot)) {
    case "input":
      return `${change}, ${vectorChange(shot, "vector", "x", trace.d_model, turned.trace.d_model)}`;
    case "qkv":
      return `${change}, ${vectorChange(shot, "query", "q", trace.d_k, turned.trace.d_k)}`;
    case "products": {
      const [before, after] = [plain(own.products[key]), plain(turned.own.products[there])];
      return `${change}, the product q · k of ${q} with ${quoted(trace, key)} is ${after}, before ${before}.`;
    }
    case "scale":
      return `${change}, the scores of ${q} spread by ${plain(spreadOf(turned.own.scores))} in the end instead of ${plain(spreadOf(own.scores))}.`;
    case "mask": {
      const count = (/** @type {Row} */ row) => row.allowed.filter(Boolean).length;
      return `${change}, ${q} may look at ${count(turned.own)} tokens, before at ${count(own)}.`;
    }
    case "mix":
      return `${change}, ${q} gets ${weightText(turned.own.weights[there])} of the value of ${quoted(trace, key)}, before ${weightText(own.weights[key])}.`;
    default:
      return `${change}, ${q} ${looksNow(shot)}`;
  }
}

/** All that is changed, as the beginning of a sentence. @param {Shot} shot */
function changeWords({ note, state, trace }) {
  const words = note ? note.split(", ") : [];
  if (!state.scale) words.push("not divided by √dₖ");
  if (state.temperature !== 1) words.push(`at temperature ${state.temperature}`);
  if (state.causal && !trace.causal) words.push("with a causal mask");
  const all = [words.slice(0, -1).join(", "), words[words.length - 1]]
    .filter(Boolean)
    .join(" and ");
  return all.charAt(0).toUpperCase() + all.slice(1);
}

/** Where the query looks most now. @param {Shot} shot */
function looksNow({ own, trace, turned }) {
  if (!turned) return "";
  const [best, now] = [largestAt(own.weights), largestAt(turned.own.weights)];
  const [before, after] = [weightText(own.weights[best]), weightText(turned.own.weights[now])];
  const alike = Array.from(turned.own.weights, weightText).filter((w) => w === after).length;
  if (alike > 1)
    return `looks at ${alike} tokens alike (${after} each) instead of most at ${quoted(trace, best)} (${before}).`;
  if (turned.places[best] === now)
    return `still looks most at ${quoted(trace, best)}: ${after}, before ${before}.`;
  return `looks most at ${quoted(turned.trace, now)} (${after}) instead of ${quoted(trace, best)} (${before}).`;
}

/**
 * How far the change moves a vector of the chosen query.
 * @param {Shot} shot @param {string} name @param {"x" | "q"} of
 * @param {number} width @param {number} other its numbers before and now
 */
function vectorChange({ trace, turned, state }, name, of, width, other) {
  if (!turned) return "";
  const before = lineOf(trace.of[of], state.query, width);
  const after = lineOf(turned.trace.of[of], turned.places[state.query], other);
  const whose = `the ${name} of ${quoted(trace, state.query)}`;
  if (width !== other) return `${whose} has ${other} numbers, before ${width}.`;
  const way = lengthOf(after.map((x, c) => x - before[c]));
  if (way === 0) return `${whose} stays as it is.`;
  return `${whose} moves by ${plain(way)}; it was ${plain(lengthOf(before))} long.`;
}

/** What the change did in the whole head. @param {Shot} shot @returns {string} "" without a change */
export function changeOfHead({ own, rows, turned }) {
  if (!turned) return "";
  const [before, after] = [rows(), turned.rows()];
  let most = 0;
  turned.places.forEach((i, q) => {
    turned.places.forEach((j, k) => {
      if (i < 0 || j < 0) return;
      most = Math.max(most, Math.abs(before[q].weights[k] - after[i].weights[j]));
    });
  });
  const still = most < 5e-5 ? " Nothing moved: the words took their attention with them." : "";
  return [
    `In the whole head, the weight between two words that changed most changed by ${most.toFixed(4)}.${still}`,
    `The largest weight of a row is ${sharpness(after).toFixed(2)} on average, before ${sharpness(before).toFixed(2)}; the entropy of this row ${bits(turned.own.weights).toFixed(2)} bits, before ${bits(own.weights).toFixed(2)}.`,
  ].join(" ");
}

/**
 * What there is to say of positions, at the stage of the input.
 * @param {Pick<Shot, "trace" | "state">} shot @param {ArrayLike<number> | null} likeness of every two
 */
export function positionSentence({ trace, state: { query } }, likeness) {
  if (!likeness) {
    if (trace.parts.length)
      return "No position is added here: to this layer a text is its words in any order.";
    return "There is no map of positions: this model adds none to its tokens, or not as one vector for each position.";
  }
  const n = Math.sqrt(likeness.length);
  const others = range(0, n - 1).filter((j) => j !== query);
  const of = (/** @type {number} */ j) => likeness[query * n + j];
  const most = Math.max(...others.map(of));
  const near = others.filter((j) => most - of(j) < SAME);
  const added = trace.layer > 0 ? "Added once, below layer 0. " : "";
  if (!near.length) return added;
  const which = near.length === 1 ? `position ${near[0]}` : `positions ${near.join(" and ")}`;
  return `${added}Position ${query} is most like ${which}: cosine ${most.toFixed(3)}.`;
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
  const titles = ["query", "key", "q·k", "score", "allowed", "exp", "weight", "model's own weight"];
  const lines = trace.tokens.map((token, j) => [
    ...[trace.tokens[i].text, token.text, row.products[j], row.scores[j], Number(row.allowed[j])],
    ...[row.exps[j], row.weights[j], trace.of.weights[i * n + j]],
  ]);
  return [titles, ...lines];
}
