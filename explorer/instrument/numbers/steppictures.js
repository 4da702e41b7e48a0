// The matrices that a stage shows.

import { added, lineOf, mixed } from "./layertrace.js";
import { fullAt } from "./palette.js";
import { plain, quoted, stageOf } from "./stepwords.js";

/**
 * @typedef {import("./stepwords.js").Shot} Shot
 * @typedef {import("../parts/matrix.js").Matrix & {side?: "query" | "pair" | "vector",
 *           cellOf?: "q" | "k" | "v" | "output"}} Picture
 *   side: what a click chooses; cellOf: the number whose sum it shows
 * @typedef {{shot: Shot, room: number}} Frame what is shown, and the pixels across for it
 */

const SQUARE = [170, 340]; // pixels across, least and most
const LABELS = 26; // tokens up to which a square names its rows and columns
const WEIGHTS = { weights: true, top: undefined };

/**
 * @param {Shot} shot @param {number} room pixels across
 * @returns {Picture[]}
 */
export const picturesOf = (shot, room) => STAGE_PICTURES[stageOf(shot)]({ shot, room });

/** @type {Record<import("./stages.js").StageId, (frame: Frame) => Picture[]>} */
const STAGE_PICTURES = {
  input: inputPictures,
  qkv: vectorPictures,
  scores: scorePictures,
  scale: scaledPictures,
  mask: maskPictures,
  softmax: weightPictures,
  mix: mixPictures,
  join: joinPictures,
  output: outputPictures,
};

/**
 * The chosen query's vector.
 * @param {Frame} frame @param {string} name @param {ArrayLike<number>} values @param {number} top
 * @param {Partial<Picture>} [more]
 * @returns {Picture}
 */
function strip({ shot: { trace, state }, room }, name, values, top, more) {
  const label = `${name} of ${quoted(trace, state.query)}: ${values.length} numbers`;
  return {
    ...{ values, rows: 1, columns: values.length, top, name, tall: 20 },
    ...{ shape: `[${values.length}]`, label, wide: Math.min(560, room) },
    ...more,
  };
}

/**
 * All tokens' vectors.
 * @param {Frame} frame @param {string} name @param {ArrayLike<number>} values
 * @param {number} columns @param {Partial<Picture>} [more]
 * @returns {Picture}
 */
function tall({ shot: { trace, state }, room }, name, values, columns, more) {
  const rows = trace.tokens.length;
  return {
    ...{ values, rows, columns, name, shape: `[${rows} × ${columns}]` },
    ...{ row: state.query, side: "query" },
    label: `${name}: one row for each token, ${columns} numbers each`,
    wide: Math.min(columns > 64 ? 560 : 240, room),
    ...more,
  };
}

/**
 * All queries and keys.
 * @param {Frame} frame @param {string} name @param {ArrayLike<number>} values
 * @param {Partial<Picture>} [more]
 * @returns {Picture}
 */
function square({ shot: { trace, state }, room }, name, values, more) {
  const { tokens } = trace;
  const n = tokens.length;
  const side = Math.min(Math.max(SQUARE[0], Math.min(22 * n, SQUARE[1])), room);
  const names = n <= LABELS ? tokens.map((token) => token.text) : null;
  return {
    ...{ values, rows: n, columns: n, name, shape: `[${n} × ${n}]`, row: state.query },
    ...{ side: "pair", label: `${name}: rows are queries, columns are keys` },
    ...{ wide: side, tall: side / n, names },
    ...more,
  };
}

/** @param {Frame} frame */
function inputPictures(frame) {
  const { trace, state } = frame.shot;
  const { of, d_model: d } = trace;
  const parts = trace.parts.map((name, p) =>
    strip(frame, name, lineOf(of[`part${p}`], state.query, d), fullAt(of.part0)),
  );
  return [
    ...parts,
    strip(frame, "X", lineOf(of.x, state.query, d), fullAt(of.x)),
    tall(frame, "X of all tokens", of.x, d),
  ];
}

/** @param {Frame} frame */
function vectorPictures(frame) {
  const { of, d_model: d, d_k: dk } = frame.shot.trace;
  const cells = /** @type {const} */ (["q", "k", "v"]).map((which) =>
    tall(frame, which.toUpperCase(), of[which], dk, { cellOf: which, side: "vector" }),
  );
  return [tall(frame, "X", of.x, d), ...cells];
}

/** @param {Frame} frame */
function scorePictures(frame) {
  const { trace, rows, key } = frame.shot;
  const { of, d_k: dk } = trace;
  return [
    square(frame, "S = Q Kᵀ", flat(rows(), "scores")),
    tall(frame, "Q", of.q, dk),
    tall(frame, "K", of.k, dk, { row: key }),
  ];
}

/** @param {Frame} frame */
function scaledPictures(frame) {
  const { shot } = frame;
  const before = flat(shot.rows(), "scores");
  const same = { top: fullAt(before) }; // one scale for all
  const pictures = [
    square(frame, "Q Kᵀ", before),
    square(frame, "Q Kᵀ / √dₖ", flat(shot.rows(), "scaled"), same),
  ];
  if (shot.turned) pictures.push(square(frame, "… with the change", moved(shot, "scaled"), same));
  return pictures;
}

/** @param {Frame} frame */
function maskPictures(frame) {
  const { may, left } = maskOf(frame.shot);
  const change = frame.shot.turned ? ", with the change" : "";
  return [
    square(frame, `May look${change}`, may, WEIGHTS),
    square(frame, `Scores that remain${change}`, left),
  ];
}

/** @param {Frame} frame */
function weightPictures(frame) {
  const { shot } = frame;
  const pictures = [square(frame, "A", flat(shot.rows(), "weights"), WEIGHTS)];
  if (shot.turned)
    pictures.push(square(frame, "A with the change", moved(shot, "weights"), WEIGHTS));
  return pictures;
}

/** @param {Frame} frame */
function mixPictures(frame) {
  const { trace, own, state, key: row } = frame.shot;
  const { of, d_k: dk } = trace;
  const shares = Float64Array.from(
    { length: trace.tokens.length * dk },
    (_, at) => own.weights[Math.floor(at / dk)] * of.v[at],
  );
  const top = fullAt(of.v);
  return [
    strip(frame, `z of ${quoted(trace, state.query)}`, mixed(trace, own.weights), top),
    tall(frame, "V", of.v, dk, { row }),
    tall(frame, "A · V, a row for each key", shares, dk, { row, top }),
  ];
}

/** @param {Frame} frame */
function joinPictures(frame) {
  const { trace, state } = frame.shot;
  const { of, d_model: d, d_k: dk, head } = trace;
  /** @type {[number, number]} */
  const band = [head * dk, (head + 1) * dk];
  const own = lineOf(of.joined, state.query, d);
  const name = `Z of ${quoted(trace, state.query)}, all heads`;
  return [
    strip(frame, name, own, fullAt(of.joined), { band }),
    tall(frame, "Z of all tokens", of.joined, d, { band }),
  ];
}

/** @param {Frame} frame */
function outputPictures(frame) {
  const { trace, own, state } = frame.shot;
  const { of, d_model: d } = trace;
  const part = added(trace, mixed(trace, own.weights));
  const output = lineOf(of.output, state.query, d);
  const rest = Float64Array.from(output, (y, c) => y - part[c] - of.b_o[c]);
  const top = fullAt(output);
  return [
    strip(frame, `Head ${trace.head}’s part`, part, top),
    ...(trace.n_heads > 1 ? [strip(frame, "The other heads’ parts", rest, top)] : []),
    strip(frame, "Bias", of.b_o, top),
    strip(frame, "Output", output, top, { cellOf: "output" }),
    tall(frame, "Output of all tokens", of.output, d, { cellOf: "output" }),
  ];
}

/** @param {import("./layertrace.js").Row[]} rows @param {"scores" | "scaled" | "weights"} what */
const flat = (rows, what) => Float64Array.from(rows.flatMap((row) => Array.from(row[what])));

/** The changed numbers, each where its two words stand in the original. @param {Shot} shot @param {"scaled" | "allowed" | "weights"} what */
function moved({ turned, trace }, what) {
  const n = trace.tokens.length;
  const rows = turned?.rows() ?? [];
  const places = turned?.places ?? [];
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [places[Math.floor(at / n)], places[at % n]];
    return i < 0 || j < 0 ? 0 : Number(rows[i][what][j]);
  });
}

/** Who may look at whom, and the scores of these: both with the change, where there is one. @param {Shot} shot */
function maskOf(shot) {
  const n = shot.trace.tokens.length;
  const may = shot.turned
    ? moved(shot, "allowed")
    : Float64Array.from({ length: n * n }, (_, at) =>
        Number(!shot.rules.causal || at % n <= Math.floor(at / n)),
      );
  const scaled = shot.turned ? moved(shot, "scaled") : flat(shot.rows(), "scaled");
  return { may, left: scaled.map((s, at) => (may[at] ? s : 0)) };
}

/**
 * What is said of a cell of a picture that is pointed at.
 * @param {Picture} picture @param {import("./data.js").Token[]} tokens
 * @param {number} query the chosen one @param {number} row @param {number} column
 */
export function cellSentence({ values, rows, columns, side, name }, tokens, query, row, column) {
  const number = plain(values[row * columns + column]);
  if (side === "pair") return `${tokens[row]?.text} → ${tokens[column]?.text}: ${number}`;
  return `${name}, ${tokens[rows > 1 ? row : query]?.text}, place ${column}: ${number}`;
}
