// What a stage says in words: numbers as text, the sentence of a stage, and that of a change.

import { inQuotes, range } from "./basics.js";
import { headName } from "./headname.js";
import {
  added,
  bits,
  farthest,
  isCross,
  largestAt,
  lengthOf,
  lineOf,
  maySee,
  mixed,
  pairOf,
  rowFrom,
  spreadOf,
  turnAt,
} from "./layertrace.js";

/**
 * @typedef {import("./layertrace.js").LayerTrace} LayerTrace
 * @typedef {import("./layertrace.js").Row} Row
 * @typedef {import("./stages.js").StageId} StageId
 * @typedef {{of: "h" | "x" | "q" | "k" | "v" | "z" | "joined" | "output" | "after",
 *            c: number}} NumberPlace one number, whose sum is shown; h: of what comes before a norm
 * @typedef {{stage: StageId, query: number, key: number | null, cell: NumberPlace | null,
 *            pinned: boolean, scale: boolean, temperature: number, causal: boolean}} StepState
 * @typedef {{trace: LayerTrace, own: Row, rows: () => Row[]}} Side
 * @typedef {{trace: LayerTrace, own: Row, rows: () => Row[], key: number, state: StepState, note: string,
 *            rules: import("./layertrace.js").Rules,
 *            turned: (Side & {places: number[], keyPlaces: number[]}) | null}} Shot
 *   pinned: whether the query was chosen by the reader;
 *   own: the chosen query's row by the model's own rules; rules: those of the switches;
 *   turned: the same with the change, and where each token, and each key, stands in it
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

/** Two products, added up and written out. @param {ArrayLike<number>} one @param {ArrayLike<number>} other */
export function writtenOut(one, other) {
  const said = (/** @type {number} */ x) => (x < 0 ? `(${exact(x)})` : exact(x));
  return `${exact(one[0])} × ${said(other[0])} + ${said(one[1])} × ${said(other[1])}`;
}

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
export const quoted = (trace, i) => inQuotes(trace.tokens[i].text);

/** The key of the other text, or of this one. @param {LayerTrace} trace @param {number} j */
export const quotedKey = (trace, j) => inQuotes(trace.keys[j].text);

/**
 * Which tokens the chosen query may look at, by the switches, in the order in which they are read.
 * @param {Shot} shot
 */
const allowedOf = ({ trace, rules, state, turned }) =>
  (turned?.own ?? rowFrom(trace, state.query, rules)).allowed;

/** What there is to say of the stage, for the chosen query. @param {Shot} shot */
export function stageSentence(shot) {
  const { trace, state } = shot;
  const said = { ...FIRST, ...SCORES, ...LAST }[state.stage];
  return said(shot, quoted(trace, state.query));
}

/** @typedef {Partial<Record<StageId, (shot: Shot, q: string) => string>>} Sayings q: the query, quoted */

/** @satisfies {Sayings} */
const FIRST = {
  /** @param {Shot} shot @param {string} q */
  input: ({ trace, state }, q) =>
    `${q} stands at position ${state.query}; its vector has the length ${plain(lengthOf(lineOf(trace.norm ? trace.of.norm_read : trace.of.x, state.query, trace.d_model)))}.`,
  /** @param {Shot} shot @param {string} q */
  norm: ({ trace: { of }, state: { query: i } }, q) =>
    `${of.norm_mean ? `The mean of the numbers of ${q} is ${plain(of.norm_mean[i])}: it is taken off, and` : `The numbers of ${q}`} ${of.norm_mean ? "what is left is" : "are"} divided by ${plain(of.norm_scale[i])}.`,
  /** @param {Shot} shot @param {string} q */
  qkv: ({ trace }, q) =>
    isCross(trace)
      ? `In ${headName(trace.layer, trace.head)}, ${q} asks with its query; the words of the text that was read answer with their keys and pass on their values.`
      : `In ${headName(trace.layer, trace.head)}, ${q} asks with its query, answers with its key and passes on its value: ${trace.d_k} numbers each.`,
  /** @param {Shot} shot @param {string} q */
  headnorm: ({ trace: { of }, state: { query: i }, key }, q) =>
    `The query of ${q} is divided by ${plain(of.q_norm_scale[i])}, the chosen key by ${plain(of.k_norm_scale[key])}; then each place has its gain.`,
  /** @param {Shot} shot @param {string} q */
  turn: (shot, q) => turnWords(shot, q),
};

/** @satisfies {Sayings} */
const SCORES = {
  /** @param {Shot} shot @param {string} q */
  products: ({ trace, own, key }, q) =>
    `The product q · k of ${q} with ${quotedKey(trace, key)} is ${plain(own.products[key])}.`,
  /** @param {Shot} shot @param {string} q */
  scale: ({ trace, own }, q) =>
    `The products of ${q} spread by ${plain(spreadOf(own.products))}, ${trace.cap || trace.bias ? "scaled" : "its scores"} by ${plain(spreadOf(own.scaled))} (standard deviation).`,
  /** @param {Shot} shot @param {string} q */
  cap: ({ trace, own, key }, q) =>
    `The score of ${q} with ${quotedKey(trace, key)} is ${plain(own.capped[key])} behind the cap, before ${plain(own.scaled[key])}; the cap moves no score of this row by more than ${plain(farthest(own.capped, own.scaled))}.`,
  /** @param {Shot} shot @param {string} q */
  bias: (shot, q) => biasWords(shot, q),
  /** @param {Shot} shot @param {string} q */
  mask: (shot, q) => {
    const allowed = allowedOf(shot);
    const seen = allowed.filter(Boolean).length;
    return `${q} may look at ${seen} of ${allowed.length} tokens.${windowWords(shot.trace, shot.state.query)}`;
  },
  /** @param {Shot} shot */
  softmax: (shot) => {
    const { own, trace } = shot;
    const best = own.weights.indexOf(Math.max(...own.weights));
    const most = own.allowed.filter(Boolean).length;
    const rest = own.sunk / own.total;
    const sink =
      trace.sink === null
        ? ""
        : ` The sink takes ${weightText(rest)}: all weights of this row add up to ${weightText(1 - rest)}.`;
    return `${pairWords(shot, best)}${sink} Its row has an entropy of ${bits(own.weights).toFixed(2)} of at most ${Math.log2(most).toFixed(2)} bits.`;
  },
};

/** @satisfies {Sayings} */
const LAST = {
  /** @param {Shot} shot @param {string} q */
  mix: ({ trace, own, key }, q) =>
    `${q} gets ${weightText(own.weights[key])} of the value of ${quotedKey(trace, key)}; all values together make z, of length ${plain(lengthOf(mixed(trace, own.weights)))}.`,
  /** @param {Shot} shot */
  join: ({ trace: { layer, head, d_v: width, n_heads: heads } }) =>
    `${headName(layer, head)} keeps the places ${head * width} to ${(head + 1) * width - 1} of ${heads * width}.`,
  /** @param {Shot} shot @param {string} q */
  output: ({ trace, own, state }, q) => {
    const whole = lengthOf(lineOf(trace.of.output, state.query, trace.d_out));
    const part = lengthOf(added(trace, mixed(trace, own.weights)));
    return `${headName(trace.layer, trace.head)} adds a vector of length ${plain(part)} to the output of ${q}, which has the length ${plain(whole)}.`;
  },
  /** @param {Shot} shot @param {string} q */
  after: ({ trace: { of, d_out: width }, state: { query: i } }, q) =>
    `The output of ${q} is divided by ${plain(of.after_scale[i])}; with the gain of each place its length becomes ${plain(lengthOf(lineOf(of.after_gave, i, width)))}.`,
};

/** The pair of numbers that is looked at: the chosen one, else that whose product counts most. @param {Pick<Shot, "trace" | "state" | "key">} shot */
export function pairInSight({ trace, state, key }) {
  const pairs = trace.pairs ?? [];
  const chosen = state.cell && pairOf(trace, state.cell.c);
  if (chosen) return chosen.at;
  const { of, d_k: width } = trace;
  const given = pairs.map((pair) =>
    pair.reduce((sum, c) => sum + of.q[state.query * width + c] * of.k[key * width + c], 0),
  );
  return largestAt(given);
}

/** How a pair of numbers of query and key is turned. @param {Shot} shot @param {string} q */
function turnWords(shot, q) {
  const { trace, state, key } = shot;
  const pair = pairInSight(shot);
  const [one, other] = [turnAt(trace, state.query, pair), turnAt(trace, key, pair)];
  const apart = Math.abs(state.query - key);
  const [a, b] = /** @type {[number, number][]} */ (trace.pairs)[pair];
  return `${q} and ${quotedKey(trace, key)}, ${apart} position${apart === 1 ? "" : "s"} apart: places ${a} and ${b} are turned by ${degrees(one.angle)} and ${degrees(other.angle)}; only the difference, ${degrees(one.angle - other.angle)}, is in their product.`;
}

/** An angle, from −180° to 180°. @param {number} angle */
export function degrees(angle) {
  const turns = angle / (2 * Math.PI);
  return `${plain(360 * (turns - Math.round(turns)))}°`;
}

/** What is added to a score. @param {Shot} shot @param {string} q */
function biasWords({ trace, own, key, state: { query: i } }, q) {
  const at = i * trace.keys.length + key;
  const pair = `${q} with ${quotedKey(trace, key)}`;
  const added = plain(trace.of.bias[at]);
  const becomes = `the score becomes ${plain(own.scores[key])}`;
  if (!own.allowed[key]) return `${pair}: it may not look there, so nothing is added.`;
  const apart = `${Math.abs(key - i)} position${Math.abs(key - i) === 1 ? "" : "s"} ${key > i ? "later" : "earlier"}`;
  const where = key === i ? "at its own position" : apart;
  if (trace.bias === "buckets")
    return `${pair}: a key ${where} is in bucket ${trace.of.buckets[at]}, which adds ${added}; ${becomes}.`;
  if (trace.slope !== null)
    return `${pair}: ${added} is added, ${plain(trace.slope)} more with each position; ${becomes}.`;
  return `${pair}: ${added} is added; ${becomes}.`;
}

/** How much lies outside what a query may see of the text before it. @param {LayerTrace} trace @param {number} i */
function windowWords(trace, i) {
  if (!trace.window) return "";
  const before = Math.min(i + 1, trace.keys.length);
  const seen = trace.keys.filter((_, j) => j <= i && maySee(trace, i, j)).length;
  const out = before - seen;
  const held = `outside the window: it holds ${trace.window}.`;
  if (!out) return ` No token before it lies ${held}`;
  return ` ${out} ${out === 1 ? "token before it lies" : "tokens before it lie"} ${held}`;
}

/** How much the query looks at the chosen key, and at which it looks most. @param {Shot} shot @param {number} best */
function pairWords({ trace, own, key, state }, best) {
  const [q, strongest] = [quoted(trace, state.query), quotedKey(trace, best)];
  const [weight, most] = [weightText(own.weights[key]), weightText(own.weights[best])];
  if (key === best) return `${q} looks most at ${strongest}: ${most}.`;
  return `${q} looks at ${quotedKey(trace, key)} with ${weight}, most at ${strongest}: ${most}.`;
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
  const there = turned.keyPlaces[key];
  switch (there < 0 ? "softmax" : state.stage) {
    case "input":
      return `${change}, ${vectorChange(shot, "vector", "x", trace.d_model, turned.trace.d_model)}`;
    case "qkv":
      return `${change}, ${vectorChange(shot, "query", "q", trace.d_k, turned.trace.d_k)}`;
    case "products": {
      const [before, after] = [plain(own.products[key]), plain(turned.own.products[there])];
      return `${change}, the product q · k of ${q} with ${quotedKey(trace, key)} is ${after}, before ${before}.`;
    }
    case "scale":
      return `${change}, the scores of ${q} spread by ${plain(spreadOf(turned.own.scaled))} in the end instead of ${plain(spreadOf(own.scaled))}.`;
    case "mask": {
      const count = (/** @type {Row} */ row) => row.allowed.filter(Boolean).length;
      return `${change}, ${q} may look at ${count(turned.own)} tokens, before at ${count(own)}.`;
    }
    case "mix":
      return `${change}, ${q} gets ${weightText(turned.own.weights[there])} of the value of ${quotedKey(trace, key)}, before ${weightText(own.weights[key])}.`;
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
    return `looks at ${alike} tokens alike (${after} each) instead of most at ${quotedKey(trace, best)} (${before}).`;
  if (turned.keyPlaces[best] === now)
    return `still looks most at ${quotedKey(trace, best)}: ${after}, before ${before}.`;
  return `looks most at ${quotedKey(turned.trace, now)} (${after}) instead of ${quotedKey(trace, best)} (${before}).`;
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
    turned.keyPlaces.forEach((j, k) => {
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
    if (trace.parts.length && !trace.pairs && !trace.bias)
      return "No position is added here: to this layer a text is its words in any order.";
    return trace.pairs
      ? "No vector of a position is added here: this model turns its queries and keys by their places instead, at the stage Rotation."
      : trace.bias
        ? "No vector of a position is added here: this model adds a number for each distance to its scores instead."
        : "There is no map of positions: this model adds none to its tokens, or not as one vector for each position.";
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
  const [n, m] = [trace.tokens.length, trace.keys.length];
  const off = Math.max(
    ...rows.map((row, i) => farthest(row.weights, lineOf(trace.of.weights, i, m))),
  );
  return `Checked: repeated here from q and k, all ${(n * m).toLocaleString("en")} weights of this head are the model’s own to within ${off.toExponential(1)}.`;
}

/** The numbers of a query as lines of a table, titles first. @param {LayerTrace} trace @param {Row} row @param {number} i */
export function rowLines(trace, row, i) {
  const n = trace.keys.length;
  /** @type {[string, ArrayLike<number>][]} those on the way that this layer has */
  const way = [["q·k", row.products]];
  if (trace.cap) way.push(["scaled", row.scaled], ["capped", row.capped]);
  if (trace.bias) way.push(["added", lineOf(trace.of.bias, i, n)]);
  way.push(["score", row.scores]);
  const last = ["allowed", "exp", "weight", "model's own weight"];
  const lines = trace.keys.map((token, j) => [
    ...[trace.tokens[i].text, token.text, ...way.map(([, of]) => of[j]), Number(row.allowed[j])],
    ...[row.exps[j], row.weights[j], trace.of.weights[i * n + j]],
  ]);
  return [["query", "key", ...way.map(([name]) => name), ...last], ...lines];
}
