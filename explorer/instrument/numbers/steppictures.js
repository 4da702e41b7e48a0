// The matrices that a stage shows. Together they are as tall at every stage, so that nothing below
// them moves when the next one comes.

import { remember } from "./basics.js";
import { headName } from "./headname.js";
import { t } from "./language.js";
import { added, around, cosines, isByRoot, isCross, lineOf, maySee, mixed } from "./layertrace.js";
import { fullAt } from "./palette.js";
import { partName } from "./stages.js";
import { numberOf } from "./stepstate.js";
import { exact, inCell, plain, quoted, weightInCell } from "./stepwords.js";

/**
 * @typedef {import("./stepwords.js").Shot} Shot
 * @typedef {import("./stepwords.js").NumberPlace} NumberPlace
 * @typedef {import("../parts/matrix.js").Matrix & {side?: "query" | "key" | "pair" | "position",
 *           cellOf?: NumberPlace["of"], id?: string, last: number, aside?: boolean,
 *           ofKeys?: boolean}} Picture
 *   side: what a click on a row chooses; cellOf: the number whose sum it shows; id: by which a sum
 *   finds its rows; last: the last token; aside: whether it stands beside the first, with others;
 *   ofKeys: whether its rows are keys of another text
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
const SIDES = /** @type {const} */ (["q", "k"]);
const MAPS = /** @type {const} */ (["q", "k", "v"]);
const [LEAST_LINE, MOST_LINE] = [8, 21]; // pixels of a named row

/**
 * @param {Shot} shot @param {number} room pixels across
 * @returns {Picture[]}
 */
export const picturesOf = (shot, room) =>
  STAGE_PICTURES[shot.state.stage]({ shot, room, picked: numberOf(shot) });

/** @type {Record<import("./stages.js").StageId, (frame: Frame) => Picture[]>} */
const STAGE_PICTURES = {
  input: inputPictures,
  norm: (frame) => normPictures(frame, "norm", ["H", "X"], "x"),
  qkv: vectorPictures,
  headnorm: (frame) => stepPictures(frame, "norm"),
  turn: (frame) => stepPictures(frame, "turn"),
  products: productPictures,
  scale: scorePictures,
  cap: capPictures,
  bias: biasPictures,
  mask: maskPictures,
  softmax: weightPictures,
  mix: mixPictures,
  join: joinPictures,
  output: outputPictures,
  after: (frame) =>
    normPictures(frame, "after", [t("Output"), t("Output behind its norm")], "after"),
};

/** @param {Frame} frame */
const lastOf = ({ shot }) => shot.trace.tokens.length - 1;

/** @param {Frame} frame @returns {string[] | null} */
const namesOf = ({ shot: { trace } }) => named(trace.tokens);

/** @param {Frame} frame @returns {string[] | null} */
const keyNamesOf = ({ shot: { trace } }) => named(trace.keys);

/** @param {import("./data.js").Token[]} tokens */
const named = (tokens) => (tokens.length <= NAMED ? tokens.map((token) => token.text) : null);

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
  const label = t("{name} of {token}: {n} numbers", {
    ...{ name, token: quoted(trace, state.query), n: values.length },
  });
  return {
    ...{ values, rows: 1, columns: values.length, top, name, tall: STRIP },
    ...{ shape: `[${values.length}]`, label, wide: frame.room, last: lastOf(frame) },
    ...{ cell: markOf(frame, more.cellOf, 0), ...more },
  };
}

/**
 * All tokens' vectors: those of the keys, where they are chosen by their rows.
 * @param {Frame} frame @param {string} name @param {ArrayLike<number>} values
 * @param {number} columns @param {number} room pixels down @param {Partial<Picture>} [more]
 * @returns {Picture}
 */
function tall(frame, name, values, columns, room, more = {}) {
  const { trace, state, key } = frame.shot;
  const ofKeys = more.side === "key";
  const rows = ofKeys ? trace.keys.length : trace.tokens.length;
  const line = Math.min((room - TITLE - FRAME) / rows, MOST_LINE);
  const row = ofKeys ? key : state.query;
  const names = ofKeys ? keyNamesOf(frame) : namesOf(frame);
  return {
    ...{ values, rows, columns, name, shape: `[${rows} × ${columns}]`, last: lastOf(frame) },
    ...{ row, side: "query", line, widest: CELL, ofKeys: ofKeys && isCross(trace) },
    ...{ label: t("{name}: one row for each token, {n} numbers each", { name, n: columns }) },
    ...{ wide: frame.room, cell: markOf(frame, more.cellOf, row) },
    ...{ rowNames: line >= LEAST_LINE ? names : null, ...more },
  };
}

/**
 * All queries and keys.
 * @param {Frame} frame @param {string} name @param {ArrayLike<number>} values
 * @param {Partial<Picture>} more
 * @returns {Picture}
 */
function square(frame, name, values, more) {
  const { tokens, keys } = frame.shot.trace;
  const [n, m] = [tokens.length, keys.length];
  const rowNames = namesOf(frame);
  const columnNames = keyNamesOf(frame);
  const room = TALL - TITLE - (columnNames ? NAMES + 1 : FRAME);
  const wide = more.wide ?? frame.room;
  const own = Math.min(room / n, rowNames ? MOST_LINE : room / n);
  return {
    ...{ values, rows: n, columns: m, name, shape: `[${n} × ${m}]`, last: n - 1 },
    ...{ row: frame.shot.state.query, cell: [frame.shot.state.query, frame.shot.key] },
    ...{ side: "pair", label: t("{name}: rows are queries, columns are keys", { name }) },
    ...{ line: own, widest: CELL, rowNames, columnNames },
    ...{ print: inCell, ...more, wide: rowNames ? wide : Math.min(wide, room) },
  };
}

/** Squares side by side. @param {Frame} frame @param {(Partial<Picture> & {name: string, values: ArrayLike<number>})[]} all */
function squares(frame, all) {
  const wides = share(frame.room, all.length, namesOf(frame) !== null);
  return all.map(({ name, values, ...more }, i) => {
    const made = square(frame, name, values, { ...more, wide: wides[i] });
    const beside = i > 0 && wides[i] < frame.room;
    return beside ? { ...made, rowNames: null } : made;
  });
}

/** @param {Frame} frame */
function inputPictures(frame) {
  const { trace, state } = frame.shot;
  const { of, d_model: d } = trace;
  const [all, name] = trace.norm ? [of.norm_read, "H"] : [of.x, "X"];
  const more = /** @type {const} */ ({ cellOf: trace.norm ? "h" : "x" });
  const parts = trace.parts.map((part, p) =>
    strip(frame, partName(part), lineOf(of[`part${p}`], state.query, d), fullAt(of.part0), more),
  );
  if (parts.length) parts.push(strip(frame, name, lineOf(all, state.query, d), fullAt(all), more));
  const left = TALL - parts.length * ROW;
  return [...parts, tall(frame, t("{name} of all tokens", { name }), all, d, left, more)];
}

/**
 * Vectors before and behind a norm.
 * @param {Frame} frame @param {"norm" | "after"} which @param {[string, string]} names
 * @param {NumberPlace["of"]} cellOf
 */
function normPictures(frame, which, [before, behind], cellOf) {
  const { trace, state } = frame.shot;
  const [read, gave] = [trace.of[`${which}_read`], trace.of[`${which}_gave`]];
  const d = gave.length / trace.tokens.length;
  const own = (/** @type {string} */ name) =>
    t("{name} of {token}", { name, token: quoted(trace, state.query) });
  const all = t("{name} of all tokens", { name: behind });
  const more = { cellOf };
  return [
    strip(frame, own(before), lineOf(read, state.query, d), fullAt(read), more),
    strip(frame, own(behind), lineOf(gave, state.query, d), fullAt(gave), more),
    tall(frame, all, gave, d, TALL - 2 * ROW, more),
  ];
}

/** Queries and keys before and behind a step. @param {Frame} frame @param {"norm" | "turn"} step */
function stepPictures(frame, step) {
  const { trace } = frame.shot;
  const half = (TALL - GAP) / 2;

  return SIDES.flatMap((which) => {
    const [before, behind] = around(trace, which, step);
    /** @type {"query" | "key"} */
    const side = which === "q" ? "query" : "key";
    const top = step === "turn" ? fullAt(before) : undefined;
    const name = which.toUpperCase();
    const after = step === "turn" ? t("{name} turned", { name }) : t("{name} normed", { name });
    const one =
      (/** @type {string} */ title, /** @type {Float32Array} */ values) =>
      (/** @type {number} */ wide, /** @type {Partial<Picture>} */ more) =>
        tall(frame, title, values, trace.d_k, half, {
          ...{ side, cellOf: which, top, wide },
          ...more,
        });
    return besides(frame, [one(t("{name} before", { name }), before), one(after, behind)]);
  });
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
  const { trace } = frame.shot;
  const { of, d_model: d } = trace;
  const half = (TALL - GAP) / 2;
  const other = isCross(trace);
  const cells = MAPS.map(
    (which) => (/** @type {number} */ wide, /** @type {Partial<Picture>} */ more) => {
      const values = of[`${which}_mapped`] ?? of[which];
      /** @type {"query" | "key"} */
      const side = other && which !== "q" ? "key" : "query";
      const width = which === "v" ? trace.d_v : trace.d_k;
      return tall(frame, which.toUpperCase(), values, width, half, {
        ...{ side, cellOf: which, id: which, wide, ...more },
      });
    },
  );
  const x = tall(frame, "X", of.x, d, half, { id: "x" });
  if (!other) return [x, ...besides(frame, cells)];
  const y = (/** @type {number} */ wide, /** @type {Partial<Picture>} */ more) =>
    tall(
      frame,
      t("Y, the text that was read"),
      of.x_keys,
      of.x_keys.length / trace.keys.length,
      half,
      {
        ...{ side: "key", id: "y", wide, ...more },
      },
    );
  const asks = (/** @type {number} */ wide) => ({ ...x, wide });
  return [...besides(frame, [asks, y]), ...besides(frame, cells)];
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
  const { trace } = shot;
  const before = flat(shot.rows(), "products");
  const top = fullAt(before); // one scale for all
  const by = isByRoot(trace) ? "/ √dₖ" : `× ${exact(trace.scale)}`;
  const all = [
    { name: "Q Kᵀ", values: before, top, id: "products" },
    { name: `S = Q Kᵀ ${by}`, values: flat(shot.rows(), "scaled"), top, id: "scores" },
  ];
  if (shot.turned)
    all.push({ name: t("… with the change"), values: moved(shot, "scaled"), top, id: "new" });
  return squares(frame, all);
}

/** @param {Frame} frame */
function capPictures(frame) {
  const values = flat(frame.shot.rows(), "scaled");
  const top = fullAt(values);
  return squares(frame, [
    { name: t("Before"), values, top, id: "before" },
    { name: t("Behind the cap"), values: flat(frame.shot.rows(), "capped"), top, id: "capped" },
  ]);
}

/** @param {Frame} frame */
function biasPictures(frame) {
  const rows = frame.shot.rows();
  const { bias } = frame.shot.trace.of;
  const masked = notAllowed(rows);
  return squares(frame, [
    { name: t("Before"), values: flat(rows, "capped"), id: "before" },
    { name: t("B, what is added"), values: bias, masked, id: "bias" },
    { name: t("S, together"), values: flat(rows, "scores"), id: "scores" },
  ]);
}

/** @param {Frame} frame */
function maskPictures(frame) {
  const { may, left } = maskOf(frame.shot);
  const { turned } = frame.shot;
  const masked = may.map((one) => 1 - one);
  const name = turned ? t("May look, with the change") : t("May look");
  const remain = turned ? t("Scores that remain, with the change") : t("Scores that remain");
  return squares(frame, [
    {
      ...{ name, values: may, weights: true, masked, id: "may" },
      print: null,
    },
    { name: remain, values: left, masked, id: "left" },
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
    all.push({ name: t("A with the change"), values, masked, ...weights, id: "new" });
  }
  return squares(frame, all);
}

/** @param {Frame} frame */
function mixPictures(frame) {
  const { trace, own, state, key: row } = frame.shot;
  const { of, d_v: width } = trace;
  const shares = Float64Array.from(
    { length: trace.keys.length * width },
    (_, at) => own.weights[Math.floor(at / width)] * of.v[at],
  );
  const top = fullAt(of.v);
  const c = frame.picked?.of === "z" ? frame.picked.c : null;
  /** @type {[number, number] | null} */
  const band = c === null ? null : [c, c + 1];
  const room = TALL - ROW;
  const z = t("{name} of {token}", { name: "z", token: quoted(trace, state.query) });
  const keys = /** @type {const} */ ({ row, band, side: "key", cellOf: "z", cell: null });
  const one =
    (/** @type {string} */ name, /** @type {ArrayLike<number>} */ values) =>
    (/** @type {number} */ wide, /** @type {Partial<Picture>} */ more) =>
      tall(frame, name, values, width, room, { ...keys, wide, top, ...more });
  return [
    strip(frame, z, mixed(trace, own.weights), top, { cellOf: "z" }),
    ...besides(frame, [one("V", of.v), one(t("A · V, a row for each key"), shares)]),
  ];
}

/** @param {Frame} frame */
function joinPictures(frame) {
  const { trace, state } = frame.shot;
  const { of, d_v: width, head, n_heads: heads } = trace;
  /** @type {[number, number]} */
  const band = [head * width, (head + 1) * width];
  const own = lineOf(of.joined, state.query, heads * width);
  const name = t("Z of {token}, all heads", { token: quoted(trace, state.query) });
  const more = /** @type {const} */ ({ band, cellOf: "joined" });
  return [
    strip(frame, name, own, fullAt(of.joined), more),
    tall(
      frame,
      t("{name} of all tokens", { name: "Z" }),
      of.joined,
      heads * width,
      TALL - ROW,
      more,
    ),
  ];
}

/** @param {Frame} frame */
function outputPictures(frame) {
  const { trace, own, state } = frame.shot;
  const { of, d_out: d } = trace;
  const part = added(trace, mixed(trace, own.weights));
  const output = lineOf(of.output, state.query, d);
  const bias = of.b_o ?? new Float32Array(d);
  const rest = Float64Array.from(output, (y, c) => y - part[c] - bias[c]);
  const top = fullAt(output);
  const more = /** @type {const} */ ({ cellOf: "output" });
  const name = t("The part of {head}", { head: headName(trace.layer, trace.head) });
  const strips = [
    strip(frame, name, part, top, more),
    ...(trace.n_heads > 1 ? [strip(frame, t("The other heads’ parts"), rest, top, more)] : []),
    ...(of.b_o ? [strip(frame, t("Bias"), of.b_o, top, more)] : []),
    strip(frame, t("Output"), output, top, more),
  ];
  const left = TALL - strips.length * ROW;
  const all = t("{name} of all tokens", { name: t("Output") });
  return [...strips, tall(frame, all, of.output, d, left, more)];
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
      ...{ name: t("Positions"), id: "positions" },
      ...{ shape: t("[the first {n} positions × {width}]", { n: rows, width: d }) },
      ...{
        label: t("The vectors of the positions: one row each"),
        wide: beside ? room - side - BETWEEN : room,
      },
    },
    {
      ...{ ...of, values: likenessOf(trace), rows, columns: rows, top: 1, line: side / rows },
      ...{ widest: CELL, wide: side, name: t("Their likeness") },
      ...{ shape: t("[{n} × {n}], cosine", { n: rows }) },
      ...{ label: t("How alike every two positions are: the cosine of their vectors") },
    },
  ];
}

/** @type {WeakMap<Float32Array, Float64Array>} */
const likeness = new WeakMap();

/** The cosines of the positions of a trace. @param {import("./layertrace.js").LayerTrace} trace */
export const likenessOf = ({ of: { positions }, d_model }) =>
  remember(likeness, positions, () => cosines(positions, d_model));

/** @param {import("./layertrace.js").Row[]} rows @param {"products" | "scaled" | "capped" | "scores" | "weights"} what */
const flat = (rows, what) => Float64Array.from(rows.flatMap((row) => Array.from(row[what])));

/** @param {import("./layertrace.js").Row[]} rows */
const notAllowed = (rows) =>
  Float64Array.from(rows.flatMap(({ allowed }) => allowed.map((may) => Number(!may))));

/** The changed numbers, each where its two words stand in the original. @param {Shot} shot @param {"scaled" | "scores" | "allowed" | "weights"} what */
function moved({ turned, trace }, what) {
  const [n, m] = [trace.tokens.length, trace.keys.length];
  const rows = turned?.rows() ?? [];
  const { places, keyPlaces } = turned ?? { places: [], keyPlaces: [] };
  return Float64Array.from({ length: n * m }, (_, at) => {
    const [i, j] = [places[Math.floor(at / m)], keyPlaces[at % m]];
    return i < 0 || j < 0 ? 0 : Number(rows[i][what][j]);
  });
}

/** Who may look at whom, and the scores of these: both with the change, where there is one. @param {Shot} shot */
export function maskOf(shot) {
  const { trace } = shot;
  const m = trace.keys.length;
  const may = shot.turned
    ? moved(shot, "allowed")
    : Float64Array.from({ length: trace.tokens.length * m }, (_, at) =>
        Number(maySee(trace, Math.floor(at / m), at % m)),
      );
  const scores = shot.turned ? moved(shot, "scores") : flat(shot.rows(), "scores");
  return { may, left: scores.map((s, at) => (may[at] ? s : 0)) };
}

/**
 * What is said of a cell of a picture that is pointed at.
 * @param {Picture} picture @param {Pick<import("./layertrace.js").LayerTrace, "tokens" | "keys">} trace
 * @param {number} query the chosen one @param {number} row @param {number} column
 */
export function cellSentence(picture, { tokens, keys }, query, row, column) {
  const { values, rows, columns, side, name, masked } = picture;
  const at = row * columns + column;
  const number = masked?.[at] ? t("masked") : plain(values[at]);
  if (side === "pair") {
    const pair = { query: tokens[row]?.text ?? "", key: keys[column]?.text ?? "" };
    return t("{query} → {key}: {number}", { ...pair, number });
  }
  if (side === "position")
    return columns === rows
      ? t("positions {row} and {column}: cosine {number}", { row, column, number })
      : t("position {row}, place {column}: {number}", { row, column, number });
  const of = picture.ofKeys ? keys : tokens;
  const token = of[rows > 1 ? row : query]?.text ?? "";
  return t("{name}, {token}, place {column}: {number}", { name, token, column, number });
}
