// The matrices that a stage shows. Together they are as tall at every stage, so that nothing below
// them moves when the next one comes.

import { remember } from "./basics.js";
import { headName } from "./headname.js";
import { added, cosines, lineOf, mixed } from "./layertrace.js";
import { fullAt } from "./palette.js";
import { numberOf } from "./stepstate.js";
import { inCell, plain, quoted, stageOf, weightInCell } from "./stepwords.js";

/**
 * @typedef {import("./stepwords.js").Shot} Shot
 * @typedef {import("./stepwords.js").NumberPlace} NumberPlace
 * @typedef {import("../parts/matrix.js").Matrix & {side?: "query" | "key" | "pair" | "position",
 *           cellOf?: NumberPlace["of"], id?: string, last: number, aside?: boolean}} Picture
 *   side: what a click on a row chooses; cellOf: the number whose sum it shows; id: by which a sum
 *   finds its rows; last: the last token; aside: whether it stands beside the first, with others
 * @typedef {{shot: Shot, room: number, picked: NumberPlace | null}} Frame
 *   room: pixels across; picked: the number whose sum is shown
 */

export const TALL = 372; // pixels of all pictures of a stage, one above the other
const TITLE = 22; // pixels of the line above a picture
const GAP = 14; // pixels between two pictures
const FRAME = 2; // pixels of a picture's frame
const STRIP = 20; // pixels of a single row
const ROW = STRIP + FRAME + TITLE + GAP; // pixels of one with all that is around it
const NAMED = 26; // tokens up to which rows and columns are named
const CELL = 44; // pixels of a cell across, at most
const BESIDE = 128; // pixels that the cells of a picture need beside another
const BETWEEN = 20; // pixels between two
const NAMES = 62; // pixels for names, as the matrix has them
const [LEAST_LINE, MOST_LINE] = [8, 21]; // pixels of a named row

/**
 * @param {Shot} shot @param {number} room pixels across
 * @returns {Picture[]}
 */
export const picturesOf = (shot, room) =>
  STAGE_PICTURES[stageOf(shot)]({ shot, room, picked: numberOf(shot) });

/** @type {Record<import("./stages.js").StageId, (frame: Frame) => Picture[]>} */
const STAGE_PICTURES = {
  input: inputPictures,
  qkv: vectorPictures,
  products: productPictures,
  scale: scorePictures,
  mask: maskPictures,
  softmax: weightPictures,
  mix: mixPictures,
  join: joinPictures,
  output: outputPictures,
};

/** @param {Frame} frame */
const lastOf = ({ shot }) => shot.trace.tokens.length - 1;

/** @param {Frame} frame @returns {string[] | null} */
const namesOf = ({ shot: { trace } }) =>
  trace.tokens.length <= NAMED ? trace.tokens.map((token) => token.text) : null;

/**
 * Pixels across for several pictures, side by side if they have room: only the first names its rows,
 * and all have cells of one size.
 * @param {number} room @param {number} count @param {boolean} named
 */
function share(room, count, named) {
  const names = named ? NAMES : 1;
  const each = Math.floor((room - names - 2 * count - (count - 1) * BETWEEN) / count);
  const beside = each >= BESIDE;
  return Array.from({ length: count }, (_, i) => (beside ? each + 2 + (i ? 0 : names - 1) : room));
}

/** The cell to mark, if the number whose sum is shown is one of these. @param {Frame} frame @param {NumberPlace["of"] | undefined} of @param {number} row @returns {[number, number] | null} */
const markOf = ({ picked }, of, row) => (picked && picked.of === of ? [row, picked.c] : null);

/**
 * The chosen query's vector.
 * @param {Frame} frame @param {string} name @param {ArrayLike<number>} values @param {number} top
 * @param {Partial<Picture>} [more]
 * @returns {Picture}
 */
function strip(frame, name, values, top, more = {}) {
  const { trace, state } = frame.shot;
  const label = `${name} of ${quoted(trace, state.query)}: ${values.length} numbers`;
  return {
    ...{ values, rows: 1, columns: values.length, top, name, tall: STRIP },
    ...{ shape: `[${values.length}]`, label, wide: frame.room, last: lastOf(frame) },
    ...{ cell: markOf(frame, more.cellOf, 0), ...more },
  };
}

/**
 * All tokens' vectors.
 * @param {Frame} frame @param {string} name @param {ArrayLike<number>} values
 * @param {number} columns @param {number} room pixels down @param {Partial<Picture>} [more]
 * @returns {Picture}
 */
function tall(frame, name, values, columns, room, more = {}) {
  const { trace, state } = frame.shot;
  const rows = trace.tokens.length;
  const line = Math.min((room - TITLE - FRAME) / rows, MOST_LINE);
  return {
    ...{ values, rows, columns, name, shape: `[${rows} × ${columns}]`, last: lastOf(frame) },
    ...{ row: state.query, side: "query", line, widest: CELL },
    ...{ label: `${name}: one row for each token, ${columns} numbers each` },
    ...{ wide: frame.room, cell: markOf(frame, more.cellOf, state.query) },
    ...{ rowNames: line >= LEAST_LINE ? namesOf(frame) : null, ...more },
  };
}

/**
 * All queries and keys.
 * @param {Frame} frame @param {string} name @param {ArrayLike<number>} values
 * @param {Partial<Picture>} more
 * @returns {Picture}
 */
function square(frame, name, values, more) {
  const { tokens } = frame.shot.trace;
  const n = tokens.length;
  const names = namesOf(frame);
  const room = TALL - TITLE - (names ? NAMES + 1 : FRAME);
  const wide = more.wide ?? frame.room;
  return {
    ...{ values, rows: n, columns: n, name, shape: `[${n} × ${n}]`, last: n - 1 },
    ...{ row: frame.shot.state.query, cell: [frame.shot.state.query, frame.shot.key] },
    ...{ side: "pair", label: `${name}: rows are queries, columns are keys` },
    ...{ line: Math.min(room / n, names ? MOST_LINE : room / n), widest: CELL, names },
    ...{ print: inCell, ...more, wide: names ? wide : Math.min(wide, room) },
  };
}

/** Squares side by side. @param {Frame} frame @param {(Partial<Picture> & {name: string, values: ArrayLike<number>})[]} all */
function squares(frame, all) {
  const names = namesOf(frame);
  const wides = share(frame.room, all.length, names !== null);
  return all.map(({ name, values, ...more }, i) => {
    const made = square(frame, name, values, { ...more, wide: wides[i] });
    const beside = i > 0 && wides[i] < frame.room;
    return beside ? { ...made, names: null, columnNames: names } : made;
  });
}

/** @param {Frame} frame */
function inputPictures(frame) {
  const { trace, state } = frame.shot;
  const { of, d_model: d } = trace;
  const parts = trace.parts.map((name, p) =>
    strip(frame, name, lineOf(of[`part${p}`], state.query, d), fullAt(of.part0), { cellOf: "x" }),
  );
  if (parts.length)
    parts.push(strip(frame, "X", lineOf(of.x, state.query, d), fullAt(of.x), { cellOf: "x" }));
  const left = TALL - parts.length * ROW;
  return [...parts, tall(frame, "X of all tokens", of.x, d, left, { cellOf: "x" })];
}

/** Matrices of all tokens side by side. @param {Frame} frame @param {((wide: number, more: Partial<Picture>) => Picture)[]} all */
function besides(frame, all) {
  const wides = share(frame.room, all.length, namesOf(frame) !== null);
  return all.map((make, i) =>
    make(wides[i], i > 0 && wides[i] < frame.room ? { rowNames: null } : {}),
  );
}

/** @param {Frame} frame */
function vectorPictures(frame) {
  const { of, d_model: d, d_k: dk } = frame.shot.trace;
  const half = (TALL - GAP) / 2;
  const cells = /** @type {const} */ (["q", "k", "v"]).map(
    (which) => (/** @type {number} */ wide, /** @type {Partial<Picture>} */ more) =>
      tall(frame, which.toUpperCase(), of[which], dk, half, {
        ...{ cellOf: which, id: which, wide, ...more },
      }),
  );
  return [tall(frame, "X", of.x, d, half, { id: "x" }), ...besides(frame, cells)];
}

/** @param {Frame} frame */
function productPictures(frame) {
  const { trace, rows, key } = frame.shot;
  const { of, d_k: dk } = trace;
  const wide = frame.room >= 560 ? Math.round(0.58 * frame.room) : frame.room;
  const aside = wide < frame.room;
  const more = { aside, wide: aside ? frame.room - wide - BETWEEN : wide };
  const half = (TALL - GAP) / 2;
  return [
    square(frame, "Q Kᵀ", flat(rows(), "products"), { wide }),
    tall(frame, "Q", of.q, dk, half, { ...more, id: "q" }),
    tall(frame, "K", of.k, dk, half, { ...more, id: "k", row: key, side: "key" }),
  ];
}

/** @param {Frame} frame */
function scorePictures(frame) {
  const { shot } = frame;
  const before = flat(shot.rows(), "products");
  const top = fullAt(before); // one scale for all
  const all = [
    { name: "Q Kᵀ", values: before, top, id: "products" },
    { name: "S = Q Kᵀ / √dₖ", values: flat(shot.rows(), "scores"), top, id: "scores" },
  ];
  if (shot.turned)
    all.push({ name: "… with the change", values: moved(shot, "scores"), top, id: "new" });
  return squares(frame, all);
}

/** @param {Frame} frame */
function maskPictures(frame) {
  const { may, left } = maskOf(frame.shot);
  const change = frame.shot.turned ? ", with the change" : "";
  const masked = may.map((one) => 1 - one);
  return squares(frame, [
    {
      ...{ name: `May look${change}`, values: may, weights: true, masked, id: "may" },
      print: null,
    },
    { name: `Scores that remain${change}`, values: left, masked, id: "left" },
  ]);
}

/** @param {Frame} frame */
function weightPictures(frame) {
  const { shot } = frame;
  const own = shot.rows();
  const weights = { weights: true, print: weightInCell };
  const all = [
    { name: "A", values: flat(own, "weights"), masked: notAllowed(own), ...weights, id: "a" },
  ];
  if (shot.turned) {
    const masked = moved(shot, "allowed").map((one) => 1 - one);
    const values = moved(shot, "weights");
    all.push({ name: "A with the change", values, masked, ...weights, id: "new" });
  }
  return squares(frame, all);
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
  const c = frame.picked?.of === "z" ? frame.picked.c : null;
  /** @type {[number, number] | null} */
  const band = c === null ? null : [c, c + 1];
  const room = TALL - ROW;
  const keys = /** @type {const} */ ({ row, band, side: "key", cellOf: "z", cell: null });
  return [
    strip(frame, `z of ${quoted(trace, state.query)}`, mixed(trace, own.weights), top, {
      cellOf: "z",
    }),
    ...besides(frame, [
      (wide, more) => tall(frame, "V", of.v, dk, room, { ...keys, wide, top, ...more }),
      (wide, more) =>
        tall(frame, "A · V, a row for each key", shares, dk, room, { ...keys, wide, top, ...more }),
    ]),
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
  const more = /** @type {const} */ ({ band, cellOf: "joined" });
  return [
    strip(frame, name, own, fullAt(of.joined), more),
    tall(frame, "Z of all tokens", of.joined, d, TALL - ROW, more),
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
  const more = /** @type {const} */ ({ cellOf: "output" });
  const strips = [
    strip(frame, `The part of ${headName(trace.layer, trace.head)}`, part, top, more),
    ...(trace.n_heads > 1 ? [strip(frame, "The other heads’ parts", rest, top, more)] : []),
    strip(frame, "Bias", of.b_o, top, more),
    strip(frame, "Output", output, top, more),
  ];
  const left = TALL - strips.length * ROW;
  return [...strips, tall(frame, "Output of all tokens", of.output, d, left, more)];
}

/**
 * The vectors of the positions and how alike they are, where the input is a sum that holds them.
 * @param {Shot} shot @param {number} room pixels across for both
 * @returns {Picture[]}
 */
export function positionPictures({ trace, state }, room) {
  const { positions } = trace.of;
  if (!positions) return [];
  const { d_model: d, tokens } = trace;
  const rows = positions.length / d;
  const beside = room >= 660;
  const high = Math.max(TALL - 108, rows);
  const side = Math.min(high, room);
  const last = tokens.length - 1;
  const of = /** @type {const} */ ({ row: state.query, side: "position", last });
  return [
    {
      ...{ ...of, values: positions, rows, columns: d, line: high / rows, widest: CELL },
      ...{ name: "Positions", shape: `[${rows} positions × ${d}]`, id: "positions" },
      ...{
        label: "The vectors of the positions: one row each",
        wide: beside ? room - side - BETWEEN : room,
      },
    },
    {
      ...{ ...of, values: likenessOf(trace), rows, columns: rows, top: 1, line: side / rows },
      ...{ widest: CELL, wide: side, name: "Their likeness", shape: `[${rows} × ${rows}], cosine` },
      ...{ label: "How alike every two positions are: the cosine of their vectors" },
    },
  ];
}

/** @type {WeakMap<Float32Array, Float64Array>} */
const likeness = new WeakMap();

/** The cosines of the positions of a trace. @param {import("./layertrace.js").LayerTrace} trace */
export const likenessOf = ({ of: { positions }, d_model }) =>
  remember(likeness, positions, () => cosines(positions, d_model));

/** @param {import("./layertrace.js").Row[]} rows @param {"products" | "scores" | "weights"} what */
const flat = (rows, what) => Float64Array.from(rows.flatMap((row) => Array.from(row[what])));

/** @param {import("./layertrace.js").Row[]} rows */
const notAllowed = (rows) =>
  Float64Array.from(rows.flatMap(({ allowed }) => allowed.map((may) => Number(!may))));

/** The changed numbers, each where its two words stand in the original. @param {Shot} shot @param {"scores" | "allowed" | "weights"} what */
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
export function maskOf(shot) {
  const n = shot.trace.tokens.length;
  const may = shot.turned
    ? moved(shot, "allowed")
    : Float64Array.from({ length: n * n }, (_, at) =>
        Number(!shot.rules.causal || at % n <= Math.floor(at / n)),
      );
  const scores = shot.turned ? moved(shot, "scores") : flat(shot.rows(), "scores");
  return { may, left: scores.map((s, at) => (may[at] ? s : 0)) };
}

/**
 * What is said of a cell of a picture that is pointed at.
 * @param {Picture} picture @param {import("./data.js").Token[]} tokens
 * @param {number} query the chosen one @param {number} row @param {number} column
 */
export function cellSentence(picture, tokens, query, row, column) {
  const { values, rows, columns, side, name, masked } = picture;
  const at = row * columns + column;
  const number = masked?.[at] ? "masked" : plain(values[at]);
  if (side === "pair") return `${tokens[row]?.text} → ${tokens[column]?.text}: ${number}`;
  if (side === "position")
    return columns === rows
      ? `positions ${row} and ${column}: cosine ${number}`
      : `position ${row}, place ${column}: ${number}`;
  return `${name}, ${tokens[rows > 1 ? row : query]?.text}, place ${column}: ${number}`;
}
