// What a stage says in words: numbers as text, the sentence of a stage, and that of a change.

import { inQuotes, range } from "./basics.js";
import { headName } from "./headname.js";
import { listed, sentences, t, tn } from "./language.js";
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
    t("{q} stands at position {at}; its vector has the length {length}.", {
      ...{ q, at: state.query },
      length: plain(
        lengthOf(lineOf(trace.norm ? trace.of.norm_read : trace.of.x, state.query, trace.d_model)),
      ),
    }),
  /** @param {Shot} shot @param {string} q */
  norm: ({ trace: { of }, state: { query: i } }, q) => {
    const scale = plain(of.norm_scale[i]);
    if (!of.norm_mean) return t("The numbers of {q} are divided by {scale}.", { q, scale });
    return t(
      "The mean of the numbers of {q} is {mean}: it is taken off, and what is left is divided by {scale}.",
      { q, mean: plain(of.norm_mean[i]), scale },
    );
  },
  /** @param {Shot} shot @param {string} q */
  qkv: ({ trace }, q) => {
    const values = { q, head: headName(trace.layer, trace.head), n: trace.d_k };
    return isCross(trace)
      ? t(
          "In {head}, {q} asks with its query; the words of the text that was read answer with their keys and pass on their values.",
          values,
        )
      : t(
          "In {head}, {q} asks with its query, answers with its key and passes on its value: {n} numbers each.",
          values,
        );
  },
  /** @param {Shot} shot @param {string} q */
  headnorm: ({ trace: { of }, state: { query: i }, key }, q) =>
    t(
      "The query of {q} is divided by {own}, the chosen key by {other}; then each place has its gain.",
      { q, own: plain(of.q_norm_scale[i]), other: plain(of.k_norm_scale[key]) },
    ),
  /** @param {Shot} shot @param {string} q */
  turn: (shot, q) => turnWords(shot, q),
};

/** @satisfies {Sayings} */
const SCORES = {
  /** @param {Shot} shot @param {string} q */
  products: ({ trace, own, key }, q) =>
    t("The product q · k of {q} with {key} is {number}.", {
      ...{ q, key: quotedKey(trace, key), number: plain(own.products[key]) },
    }),
  /** @param {Shot} shot @param {string} q */
  scale: ({ trace, own }, q) => {
    const values = {
      ...{ q, products: plain(spreadOf(own.products)), scaled: plain(spreadOf(own.scaled)) },
    };
    return trace.cap || trace.bias
      ? t(
          "The products of {q} spread by {products}, scaled by {scaled} (standard deviation).",
          values,
        )
      : t(
          "The products of {q} spread by {products}, its scores by {scaled} (standard deviation).",
          values,
        );
  },
  /** @param {Shot} shot @param {string} q */
  cap: ({ trace, own, key }, q) =>
    t(
      "The score of {q} with {key} is {now} behind the cap, before {was}; the cap moves no score of this row by more than {most}.",
      {
        ...{ q, key: quotedKey(trace, key), now: plain(own.capped[key]) },
        ...{ was: plain(own.scaled[key]), most: plain(farthest(own.capped, own.scaled)) },
      },
    ),
  /** @param {Shot} shot @param {string} q */
  bias: (shot, q) => biasWords(shot, q),
  /** @param {Shot} shot @param {string} q */
  mask: (shot, q) => {
    const allowed = allowedOf(shot);
    const seen = allowed.filter(Boolean).length;
    return sentences(
      t("{q} may look at {n} of {all} tokens.", { q, n: seen, all: allowed.length }),
      windowWords(shot.trace, shot.state.query),
    );
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
        : t("The sink takes {sink}: all weights of this row add up to {sum}.", {
            sink: weightText(rest),
            sum: weightText(1 - rest),
          });
    const entropy = t("Its row has an entropy of {bits} of at most {most} bits.", {
      bits: bits(own.weights).toFixed(2),
      most: Math.log2(most).toFixed(2),
    });
    return sentences(pairWords(shot, best), sink, entropy);
  },
};

/** @satisfies {Sayings} */
const LAST = {
  /** @param {Shot} shot @param {string} q */
  mix: ({ trace, own, key }, q) =>
    t("{q} gets {weight} of the value of {key}; all values together make z, of length {length}.", {
      ...{ q, weight: weightText(own.weights[key]), key: quotedKey(trace, key) },
      length: plain(lengthOf(mixed(trace, own.weights))),
    }),
  /** @param {Shot} shot */
  join: ({ trace: { layer, head, d_v: width, n_heads: heads } }) =>
    t("{head} keeps the places {first} to {last} of {all}.", {
      ...{ head: headName(layer, head), first: head * width, last: (head + 1) * width - 1 },
      all: heads * width,
    }),
  /** @param {Shot} shot @param {string} q */
  output: ({ trace, own, state }, q) => {
    const whole = lengthOf(lineOf(trace.of.output, state.query, trace.d_out));
    const part = lengthOf(added(trace, mixed(trace, own.weights)));
    return t(
      "{head} adds a vector of length {part} to the output of {q}, which has the length {whole}.",
      { head: headName(trace.layer, trace.head), part: plain(part), q, whole: plain(whole) },
    );
  },
  /** @param {Shot} shot @param {string} q */
  after: ({ trace: { of, d_out: width }, state: { query: i } }, q) =>
    t(
      "The output of {q} is divided by {scale}; with the gain of each place its length becomes {length}.",
      {
        ...{ q, scale: plain(of.after_scale[i]) },
        length: plain(lengthOf(lineOf(of.after_gave, i, width))),
      },
    ),
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
  return tn(
    "{q} and {key}, {n} position apart: places {a} and {b} are turned by {one} and {other}; only the difference, {less}, is in their product.",
    "{q} and {key}, {n} positions apart: places {a} and {b} are turned by {one} and {other}; only the difference, {less}, is in their product.",
    apart,
    {
      ...{ q, key: quotedKey(trace, key), a, b, one: degrees(one.angle) },
      ...{ other: degrees(other.angle), less: degrees(one.angle - other.angle) },
    },
  );
}

/** An angle, from −180° to 180°. @param {number} angle */
export function degrees(angle) {
  const turns = angle / (2 * Math.PI);
  return `${plain(360 * (turns - Math.round(turns)))}°`;
}

/** What is added to a score. @param {Shot} shot @param {string} q */
function biasWords({ trace, own, key, state: { query: i } }, q) {
  const at = i * trace.keys.length + key;
  const values = {
    ...{ q, key: quotedKey(trace, key), where: whereWords(i, key) },
    ...{ added: plain(trace.of.bias[at]), score: plain(own.scores[key]) },
  };
  if (!own.allowed[key])
    return t("{q} with {key}: it may not look there, so nothing is added.", values);
  if (trace.bias === "buckets")
    return t(
      "{q} with {key}: a key {where} is in bucket {bucket}, which adds {added}; the score becomes {score}.",
      { ...values, bucket: trace.of.buckets[at] },
    );
  if (trace.slope !== null)
    return t(
      "{q} with {key}: {added} is added, {slope} more with each position; the score becomes {score}.",
      { ...values, slope: plain(trace.slope) },
    );
  return t("{q} with {key}: {added} is added; the score becomes {score}.", values);
}

/** How far a key stands from a query. @param {number} query @param {number} key */
function whereWords(query, key) {
  if (key === query) return t("at its own position");
  return key > query
    ? tn("{n} position later", "{n} positions later", key - query)
    : tn("{n} position earlier", "{n} positions earlier", query - key);
}

/** How much lies outside what a query may see of the text before it. @param {LayerTrace} trace @param {number} i */
function windowWords(trace, i) {
  if (!trace.window) return "";
  const before = Math.min(i + 1, trace.keys.length);
  const seen = trace.keys.filter((_, j) => j <= i && maySee(trace, i, j)).length;
  const out = before - seen;
  const values = { window: trace.window };
  if (!out) return t("No token before it lies outside the window: it holds {window}.", values);
  return tn(
    "{n} token before it lies outside the window: it holds {window}.",
    "{n} tokens before it lie outside the window: it holds {window}.",
    out,
    values,
  );
}

/** How much the query looks at the chosen key, and at which it looks most. @param {Shot} shot @param {number} best */
function pairWords({ trace, own, key, state }, best) {
  const values = {
    ...{ q: quoted(trace, state.query), strongest: quotedKey(trace, best) },
    ...{ weight: weightText(own.weights[key]), most: weightText(own.weights[best]) },
    key: quotedKey(trace, key),
  };
  if (key === best) return t("{q} looks most at {strongest}: {most}.", values);
  return t("{q} looks at {key} with {weight}, most at {strongest}: {most}.", values);
}

/**
 * What the change did to the numbers in sight.
 * @param {Shot} shot
 * @returns {string} "" without a change
 */
export function changeSentence(shot) {
  const { trace, turned, own, state, key } = shot;
  if (!turned) return "";
  const there = turned.keyPlaces[key];
  const { stage } = state;
  const what = { change: changeWords(shot), q: quoted(trace, state.query) };
  const both = (/** @type {(row: Row, at: number) => string | number} */ of) => ({
    ...{ ...what, key: quotedKey(trace, key) },
    ...{ before: of(own, key), after: of(turned.own, there) },
  });
  switch (there < 0 ? "softmax" : stage) {
    case "input":
      return vectorChange(shot, "x", trace.d_model, turned.trace.d_model);
    case "qkv":
      return vectorChange(shot, "q", trace.d_k, turned.trace.d_k);
    case "products":
      return t(
        "{change}, the product q · k of {q} with {key} is {after}, before {before}.",
        both((row, at) => plain(row.products[at])),
      );
    case "scale":
      return t(
        "{change}, the scores of {q} spread by {after} in the end instead of {before}.",
        both((row) => plain(spreadOf(row.scaled))),
      );
    case "mask":
      return t(
        "{change}, {q} may look at {after} tokens, before at {before}.",
        both((row) => row.allowed.filter(Boolean).length),
      );
    case "mix":
      return t(
        "{change}, {q} gets {after} of the value of {key}, before {before}.",
        both((row, at) => weightText(row.weights[at])),
      );
    default:
      return looksNow(shot, what);
  }
}

/** All that is changed, as the beginning of a sentence. @param {Shot} shot */
function changeWords({ note, state, trace }) {
  const words = note ? note.split(/, |，|、/) : [];
  if (!state.scale) words.push(t("not divided by √dₖ"));
  if (state.temperature !== 1) words.push(t("at temperature {n}", { n: state.temperature }));
  if (state.causal && !trace.causal) words.push(t("with a causal mask"));
  const all = listed(words);
  return all.charAt(0).toUpperCase() + all.slice(1);
}

/** Where the query looks most now. @param {Shot} shot @param {{change: string, q: string}} what */
function looksNow({ own, trace, turned }, what) {
  if (!turned) return "";
  const [best, now] = [largestAt(own.weights), largestAt(turned.own.weights)];
  const [before, after] = [weightText(own.weights[best]), weightText(turned.own.weights[now])];
  const alike = Array.from(turned.own.weights, weightText).filter((w) => w === after).length;
  const values = {
    ...{ ...what, n: alike, after, before },
    ...{ now: quotedKey(turned.trace, now), best: quotedKey(trace, best) },
  };
  if (alike > 1)
    return t(
      "{change}, {q} looks at {n} tokens alike ({after} each) instead of most at {best} ({before}).",
      values,
    );
  if (turned.keyPlaces[best] === now)
    return t("{change}, {q} still looks most at {best}: {after}, before {before}.", values);
  return t("{change}, {q} looks most at {now} ({after}) instead of {best} ({before}).", values);
}

/**
 * How far the change moves a vector of the chosen query.
 * @param {Shot} shot @param {"x" | "q"} of its vector or its query
 * @param {number} width @param {number} other its numbers before and now
 */
function vectorChange(shot, of, width, other) {
  const { trace, turned, state } = shot;
  if (!turned) return "";
  const before = lineOf(trace.of[of], state.query, width);
  const after = lineOf(turned.trace.of[of], turned.places[state.query], other);
  const q = quoted(trace, state.query);
  const whose = of === "x" ? t("the vector of {q}", { q }) : t("the query of {q}", { q });
  const values = { change: changeWords(shot), whose };
  if (width !== other)
    return t("{change}, {whose} has {n} numbers, before {before}.", {
      ...{ ...values, n: other, before: width },
    });
  const way = lengthOf(after.map((x, c) => x - before[c]));
  if (way === 0) return t("{change}, {whose} stays as it is.", values);
  return t("{change}, {whose} moves by {way}; it was {length} long.", {
    ...{ ...values, way: plain(way), length: plain(lengthOf(before)) },
  });
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
  return sentences(
    t("In the whole head, the weight between two words that changed most changed by {most}.", {
      most: most.toFixed(4),
    }),
    most < 5e-5 ? t("Nothing moved: the words took their attention with them.") : "",
    t(
      "The largest weight of a row is {now} on average, before {was}; the entropy of this row {bits} bits, before {before}.",
      {
        ...{ now: sharpness(after).toFixed(2), was: sharpness(before).toFixed(2) },
        ...{ bits: bits(turned.own.weights).toFixed(2), before: bits(own.weights).toFixed(2) },
      },
    ),
  );
}

/**
 * What there is to say of positions, at the stage of the input.
 * @param {Pick<Shot, "trace" | "state">} shot @param {ArrayLike<number> | null} likeness of every two
 */
export function positionSentence({ trace, state: { query } }, likeness) {
  if (!likeness) return noPositions(trace);
  const n = Math.sqrt(likeness.length);
  const others = range(0, n - 1).filter((j) => j !== query);
  const of = (/** @type {number} */ j) => likeness[query * n + j];
  const most = Math.max(...others.map(of));
  const near = others.filter((j) => most - of(j) < SAME);
  const added = trace.layer > 0 ? t("Added once, below layer 0.") : "";
  if (!near.length) return added;
  const like = tn(
    "Position {query} is most like position {near}: cosine {cosine}.",
    "Position {query} is most like positions {near}: cosine {cosine}.",
    near.length,
    { query, near: listed(near), cosine: most.toFixed(3) },
  );
  return sentences(added, like);
}

/** Why there are no vectors of positions. @param {LayerTrace} trace */
function noPositions(trace) {
  if (trace.parts.length && !trace.pairs && !trace.bias)
    return t("No position is added here: to this layer a text is its words in any order.");
  if (trace.pairs)
    return t(
      "No vector of a position is added here: this model turns its queries and keys by their places instead, at the stage Rotation.",
    );
  return trace.bias
    ? t(
        "No vector of a position is added here: this model adds a number for each distance to its scores instead.",
      )
    : t(
        "There is no map of positions: this model adds none to its tokens, or not as one vector for each position.",
      );
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
  return t(
    "Checked: repeated here from q and k, all {n} weights of this head are the model’s own to within {off}.",
    { n: (n * m).toLocaleString("en"), off: off.toExponential(1) },
  );
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
