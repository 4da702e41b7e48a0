// How one number of a stage was made: the rows that go into its sum, the sum line by line, and the
// products.

import { headName } from "./headname.js";
import { t, tc } from "./language.js";
import {
  around,
  divisor,
  isByRoot,
  isCross,
  lineOf,
  mixed,
  normAt,
  normSum,
  ownRules,
  pairOf,
  sumOf,
  turnAt,
} from "./layertrace.js";
import { fullAt } from "./palette.js";
import { cameFrom, partName, stagesOf } from "./stages.js";
import { maskOf } from "./steppictures.js";
import { numberOf } from "./stepstate.js";
import { exact, quoted, quotedKey, weightText, writtenOut } from "./stepwords.js";

/**
 * @typedef {import("./stepwords.js").Shot} Shot
 * @typedef {import("./stepwords.js").NumberPlace} NumberPlace
 * @typedef {import("./stages.js").StageId} StageId
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
  const { of, c } = place;
  const { stage } = shot.state;
  if (stage === "norm" && of === "x") return normMade(shot, "norm", shot.state.query, c);
  if (of === "x" || of === "h") return inputMade(shot, of, c);
  if (of === "after") return normMade(shot, "after", shot.state.query, c);
  if (of === "z") return mixMade(shot, c);
  if (of === "joined") return joinMade(shot, c);
  if (of === "output") return outputMade(shot, c);
  if (of !== "v" && stage === "headnorm")
    return normMade(shot, `${of}_norm`, of === "q" ? shot.state.query : shot.key, c);
  if (of !== "v" && stage === "turn") return turnMade(shot, of, c);
  return mapMade(shot, of, c);
}

/** From q and k to a weight, as far as the stage has come. @param {Shot} shot @returns {Made} */
function pairMade(shot) {
  const { trace, key: j, state } = shot;
  const i = state.query;
  const sum = sumOf(lineOf(trace.of.q, i, trace.d_k), lineOf(trace.of.k, j, trace.d_k));
  const stages = stagesOf(trace).map(({ id }) => id);
  const come = stages.slice(stages.indexOf("products"), stages.indexOf(state.stage) + 1);
  return {
    title: pairTitle(shot),
    rows: pairRows(shot, sum),
    lines: come.flatMap((id) => PAIR_LINES[id]?.(shot) ?? []),
    products: { sum, names: ["q", "k", "q × k"], places: null },
  };
}

/** @param {Shot} shot */
function pairTitle({ trace, own, key: j, state: { query: i, stage } }) {
  const pair = { q: quoted(trace, i), key: quotedKey(trace, j) };
  if (stage === "products") return t("The product q · k of {q} with {key}", pair);
  if (stage === "mask") return t("Whether {q} may look at {key}", pair);
  if (stage === "softmax")
    return t("How {q} comes to look at {key} with {weight}", {
      ...{ ...pair, weight: weightText(own.weights[j]) },
    });
  return t("The score of {q} with {key}", pair);
}

/** What each stage adds to the sum of a pair. @type {Partial<Record<StageId, (shot: Shot) => Line[]>>} */
const PAIR_LINES = {
  products: ({ trace, own, key }) => [
    [t("sum of {n} products: q · k", { n: trace.d_k }), exact(own.products[key])],
  ],
  scale: ({ trace, own, key }) => {
    const by = isByRoot(trace)
      ? t("÷ √d_k, which is {number}", { number: exact(divisor(trace, ownRules(trace))) })
      : `× ${exact(trace.scale)}`;
    const name = trace.cap || trace.bias ? by : t("{how}: the score", { how: by });
    return [[name, exact(own.scaled[key])]];
  },
  cap: ({ trace, own, key }) => [
    [t("{cap} · tanh(that ÷ {cap})", { cap: trace.cap ?? 0 }), exact(own.capped[key])],
  ],
  bias: ({ trace, own, state, key }) => [
    [
      biasName(trace, state.query, key),
      exact(trace.of.bias[state.query * trace.keys.length + key]),
    ],
    [t("together: the score"), exact(own.scores[key])],
  ],
  mask: (shot) => (mayLook(shot)[shot.key] ? [] : [[t("masked"), "−∞"]]),
  softmax: ({ trace, own, state, key: j }) => {
    const theirs = trace.of.weights[state.query * trace.keys.length + j];
    const below = own.allowed[j] ? exact(own.scores[j] - own.top) : "−∞";
    /** @type {Line[]} */
    const sink = trace.sink === null ? [] : [[t("of that the sink’s power"), exact(own.sunk)]];
    const total = t("÷ the sum of the row’s powers, {number}: the weight", {
      number: exact(own.total),
    });
    return [
      [t("− the row’s largest, {number}", { number: exact(own.top) }), below],
      [t("e to that power"), exact(own.exps[j])],
      [total, exact(own.weights[j])],
      ...sink,
      [t("the model’s own weight"), exact(theirs)],
      [t("difference"), Math.abs(theirs - own.weights[j]).toExponential(1)],
    ];
  },
};

/** What is added by the distance. @param {import("./layertrace.js").LayerTrace} trace @param {number} i @param {number} j */
function biasName(trace, i, j) {
  const at = i * trace.keys.length + j;
  if (trace.bias === "buckets")
    return t("+ what bucket {bucket} adds", { bucket: trace.of.buckets[at] });
  return trace.slope === null
    ? t("+ what is added")
    : t("+ what is added, {slope} more with each position", { slope: exact(trace.slope) });
}

/** Where the query may look, at the stage of the mask with the change. @param {Shot} shot */
function mayLook(shot) {
  const [i, n] = [shot.state.query, shot.trace.keys.length];
  if (shot.state.stage !== "mask") return shot.own.allowed.map(Number);
  return Array.from(maskOf(shot).may.subarray(i * n, (i + 1) * n));
}

/** @param {Shot} shot @param {import("./layertrace.js").Sum} sum @returns {Row[]} */
function pairRows(shot, sum) {
  const { trace, own, key: mark } = shot;
  const { query: i, stage } = shot.state;
  const q = quoted(trace, i);
  const top = fullAt(own.products);
  /** @param {string} name @param {ArrayLike<number>} values @param {string | null} from @param {number} [full] @returns {Row} */
  const line = (name, values, from, full) => ({
    ...{ name, values, from: from ? [from, i] : null, mark },
    ...(full ? { top: full } : {}),
  });
  if (stage === "products")
    return factors(
      sum,
      [nameOf("q", q), nameOf("k", quotedKey(trace, mark)), "q × k"],
      [
        ["q", i],
        ["k", mark],
      ],
    );
  if (stage === "scale") {
    const how = isByRoot(trace) ? "÷ √dₖ" : `× ${exact(trace.scale)}`;
    const scaled = trace.cap || trace.bias ? how : t("{how}: the scores", { how });
    return [
      line(nameOf("q · k", q), own.products, "products", top),
      line(scaled, own.scaled, "scores", top),
    ];
  }
  if (stage === "cap")
    return [
      line(t("Before, of {q}", { q }), own.scaled, "before", fullAt(own.scaled)),
      line(t("Behind the cap"), own.capped, "capped", fullAt(own.scaled)),
    ];
  if (stage === "bias") {
    const bias = lineOf(trace.of.bias, i, trace.keys.length);
    return [
      line(t("Before, of {q}", { q }), own.capped, "before"),
      line(t("What is added"), bias, "bias"),
      line(t("The scores"), own.scores, "scores"),
    ];
  }
  return stage === "mask" ? maskRows(shot, line) : softmaxRows(shot);
}

/** @param {Shot} shot @param {(name: string, values: ArrayLike<number>, from: string) => Row} line @returns {Row[]} */
function maskRows(shot, line) {
  const [i, n] = [shot.state.query, shot.trace.keys.length];
  const may = mayLook(shot);
  const masked = may.map((one) => 1 - one);
  const remain = maskOf(shot).left.subarray(i * n, (i + 1) * n);
  const left = remain.map((s, j) => (may[j] ? s : 0));
  return [
    {
      ...line(t("May {q} look?", { q: quoted(shot.trace, i) }), may, "may"),
      masked,
      weights: true,
    },
    { ...line(t("Scores that remain"), left, "left"), masked },
  ];
}

/** What is whose, such as q of a token. @param {string} name @param {string} token quoted */
const nameOf = (name, token) => t("{name} of {token}", { name, token });

/** @param {Shot} shot @returns {Row[]} */
function softmaxRows({ trace, own, key: mark, state: { query: i } }) {
  const left = own.scores.map((s, j) => (own.allowed[j] ? s : 0));
  return [
    { name: t("Scores of {q}", { q: quoted(trace, i) }), values: left, from: null, mark },
    { name: t("e to (score − largest)"), values: own.exps, from: null, weights: true, mark },
    { name: t("÷ their sum: A"), values: own.weights, from: ["a", i], weights: true, mark },
  ];
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

/** A number of the input: what is added up to it. @param {Shot} shot @param {"x" | "h"} of @param {number} c @returns {Made} */
function inputMade({ trace, state: { query: i } }, of, c) {
  const at = i * trace.d_model + c;
  const name = of === "h" ? "H" : "X";
  const own = exact((of === "h" ? trace.of.norm_read : trace.of.x)[at]);
  const parts = trace.parts.map(
    (part, p) => /** @type {Line} */ ([partName(part), exact(trace.of[`part${p}`][at])]),
  );
  const together = trace.parts.reduce((sum, _, p) => sum + trace.of[`part${p}`][at], 0);
  /** @type {Line[]} */
  const lines = parts.length
    ? [
        ...parts,
        [t("together"), exact(together)],
        ...(trace.normed
          ? [/** @type {Line} */ ([t("after LayerNorm: {x}", { x: name }), own])]
          : []),
      ]
    : [[t("{what}: {x}", { what: cameFrom(trace), x: name }), own]];
  return {
    title: placeTitle(c, t("vector"), quoted(trace, i)),
    rows: [],
    lines,
    products: null,
  };
}

/** Which number it is. @param {number} c @param {string} what @param {string} whose */
const placeTitle = (c, what, whose) => t("Place {c} of the {what} of {whose}", { c, what, whose });

const VECTORS = { q: t("query"), k: tc("attention", "key"), v: t("value") };

/** A number behind a norm. @param {Shot} shot @param {"norm" | "q_norm" | "k_norm" | "after"} name @param {number} i the token @param {number} c @returns {Made} */
function normMade({ trace }, name, i, c) {
  const one = normAt(trace, name, i, c);
  const sum = normSum(one);
  const whose = name === "k_norm" ? quotedKey(trace, i) : quoted(trace, i);
  const vectors = { norm: t("vector"), after: t("output") };
  const what = { ...vectors, q_norm: VECTORS.q, k_norm: VECTORS.k }[name];
  /** @type {Line[]} */
  const lines = [[t("before"), exact(one.read)]];
  if (one.mean !== null)
    lines.push([
      t("− the mean, {number}", { number: exact(one.mean) }),
      exact(one.read - one.mean),
    ]);
  const divided = (one.read - (one.mean ?? 0)) / one.scale;
  lines.push([`÷ ${one.mean === null ? "rms" : "σ"}, ${exact(one.scale)}`, exact(divided)]);
  const gain = t("× the gain of this place, {number}", { number: exact(one.gain) });
  lines.push([gain, exact(divided * one.gain)]);
  if (one.shift !== null)
    lines.push([t("+ its shift, {number}", { number: exact(one.shift) }), exact(sum)]);
  lines.push(...checked(one.gave, one.gave - sum));
  return {
    ...{ title: t("{place}, brought to one size", { place: placeTitle(c, what, whose) }) },
    ...{ rows: [], lines, products: null },
  };
}

/** The model's own number, and how far it is from what was made here. @param {number} theirs @param {number} off @returns {Line[]} */
const checked = (theirs, off) => [
  [t("the model’s own number"), exact(theirs)],
  [t("difference"), Math.abs(off).toExponential(1)],
];

/** A number of a query or key that is turned by its place. @param {Shot} shot @param {"q" | "k"} which @param {number} c @returns {Made} */
function turnMade({ trace, state, key }, which, c) {
  const i = which === "q" ? state.query : key;
  const whose = which === "q" ? quoted(trace, i) : quotedKey(trace, i);
  const [before, behind] = around(trace, which, "turn").map((all) => lineOf(all, i, trace.d_k));
  const title = t("{place}, turned", { place: placeTitle(c, VECTORS[which], whose) });
  const pair = pairOf(trace, c);
  if (!pair) {
    /** @type {Line[]} */
    const lines = [[t("this place is turned with no other: unchanged"), exact(behind[c])]];
    return { title, rows: [], lines, products: null };
  }
  const { cos, sin, angle, longer } = turnAt(trace, i, pair.at);
  const [a, b] = pair.places;
  const factorsOf = pair.second ? [cos, sin] : [cos, -sin];
  const numbers = pair.second ? [before[b], before[a]] : [before[a], before[b]];
  const sum = sumOf(numbers, factorsOf);
  /** @type {Line[]} */
  const longerLine =
    Math.abs(longer - 1) < 1e-6
      ? []
      : [[t("both made longer by (scaled positions)"), exact(longer)]];
  const places = pair.second ? [b, a] : [a, b];
  return {
    title,
    rows: factors(
      sum,
      [
        t("places {a} and {b}", { a: places[0], b: places[1] }),
        pair.second ? "cos φ, sin φ" : "cos φ, −sin φ",
        t("their products"),
      ],
      [],
    ),
    lines: [
      [t("φ at position {at}, in radians", { at: i }), exact(angle)],
      ...longerLine,
      [writtenOut(numbers, factorsOf), exact(sum.sum)],
      ...checked(behind[c], behind[c] - sum.sum),
    ],
    products: {
      sum,
      names: [t("number"), t("factor"), t("product")],
      places: places.map((at) => t("place {at}", { at })),
    },
  };
}

/** A number of a query, key or value: a token's vector times a row of W. @param {Shot} shot @param {"q" | "k" | "v"} which @param {number} c @returns {Made} */
function mapMade({ trace, state, key }, which, c) {
  const other = isCross(trace) && which !== "q";
  const i = other ? key : state.query;
  const x = other ? trace.of.x_keys : trace.of.x;
  const weights = trace.of[`w_${which}`];
  const d = which === "v" ? trace.d_v : trace.d_k;
  const width = weights.length / d;
  const bias = trace.of[`b_${which}`] ? trace.of[`b_${which}`][c] : null;
  const sum = sumOf(lineOf(x, i, width), lineOf(weights, c, width), bias ?? 0);
  const theirs = (trace.of[`${which}_mapped`] ?? trace.of[which])[i * d + c];
  const q = other ? quotedKey(trace, i) : quoted(trace, i);

  /** @type {Line[]} */
  const added =
    bias === null
      ? []
      : [
          [t("+ bias"), exact(bias)],
          [t("together"), exact(sum.sum)],
        ];
  return {
    title: placeTitle(c, VECTORS[which], q),
    rows: factors(
      sum,
      [nameOf("x", q), t("row {c} of W for {what}", { c, what: which.toUpperCase() }), "x × W"],
      [[other ? "y" : "x", i]],
    ),
    lines: [
      [t("sum of {n} products", { n: width }), exact(sum.sum - (bias ?? 0))],
      ...added,
      ...checked(theirs, theirs - sum.sum),
    ],
    products: { sum, names: ["x", "W", "x × W"], places: null },
  };
}

/** A number of what the query gets: the weights times a place of all values. @param {Shot} shot @param {number} c @returns {Made} */
function mixMade({ trace, own, state: { query: i } }, c) {
  const { d_v: width, keys } = trace;
  const column = keys.map((_, j) => trace.of.v[j * width + c]);
  const sum = sumOf(own.weights, column);
  const theirs = trace.of.joined[(i * trace.n_heads + trace.head) * width + c];
  const [weights, ...others] = factors(
    sum,
    [nameOf("A", quoted(trace, i)), t("place {c} of all values", { c }), "A × v"],
    [],
  );
  return {
    title: t("Place {c} of what {q} gets", { c, q: quoted(trace, i) }),
    rows: [{ ...weights, weights: true }, ...others],
    lines: [
      [t("sum of {n} products", { n: keys.length }), exact(sum.sum)],
      ...checked(theirs, theirs - sum.sum),
    ],
    products: { sum, names: ["A", "v", "A × v"], places: keys.map(({ text }) => text) },
  };
}

/** Whose number stands at a place of all heads. @param {Shot} shot @param {number} c @returns {Made} */
function joinMade({ trace, state: { query: i } }, c) {
  const { d_v: dv, layer, n_heads } = trace;
  return {
    title: t("Place {c} of Z of {q}", { c, q: quoted(trace, i) }),
    ...{ rows: [], products: null },
    lines: [
      [t("the head that it comes from"), headName(layer, Math.floor(c / dv))],
      [t("its place in that head’s z"), String(c % dv)],
      [t("the number, unchanged"), exact(trace.of.joined[i * n_heads * dv + c])],
    ],
  };
}

/** A number of the output: this head's sum, the others', the bias. @param {Shot} shot @param {number} c @returns {Made} */
function outputMade({ trace, own, state: { query: i } }, c) {
  const z = mixed(trace, own.weights);
  const sum = sumOf(z, lineOf(trace.of.w_o, c, trace.d_v));
  const whole = trace.of.output[i * trace.d_out + c];
  const bias = trace.of.b_o ? trace.of.b_o[c] : null;
  const q = quoted(trace, i);
  /** @type {Line[]} */
  const added = bias === null ? [] : [[t("bias b_O"), exact(bias)]];
  return {
    title: placeTitle(c, t("output"), q),
    rows: factors(sum, [nameOf("z", q), t("row {c} of W for the output", { c }), "z × W"], []),
    lines: [
      [
        t("{head}: sum of {n} products", {
          head: headName(trace.layer, trace.head),
          n: trace.d_v,
        }),
        exact(sum.sum),
      ],
      [t("all other heads"), exact(whole - sum.sum - (bias ?? 0))],
      ...added,
      [t("the model’s own output"), exact(whole)],
    ],
    products: { sum, names: ["z", "W", "z × W"], places: null },
  };
}
