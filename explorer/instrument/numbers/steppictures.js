// The matrices that a stage shows.

import { fullAt } from "./palette.js";
import { quoted, stageOf } from "./stepwords.js";
import { added, lineOf, mixed } from "./walk.js";

/**
 * @typedef {import("./stepwords.js").Shot} Shot
 * @typedef {import("../parts/matrix.js").Matrix & {side?: "query" | "pair" | "vector",
 *           cellOf?: "q" | "k" | "v" | "output"}} Picture
 *   side: what a click chooses; cellOf: the number whose sum it shows
 */

const SQUARE = [170, 340]; // pixels across, least and most
const LABELS = 26; // tokens up to which a square names its rows and columns

/**
 * @param {Shot} shot @param {number} room pixels across
 * @returns {Picture[]}
 */
export function picturesOf(shot, room) {
  const { walk, own, rows, state, turned } = shot;
  const { of, d_model: d, d_k: dk, tokens } = walk;
  const n = tokens.length;
  const i = state.query;
  const q = quoted(walk, i);

  /** One token's vector. @param {string} name @param {ArrayLike<number>} values @param {number} top @param {Partial<Picture>} [more] @returns {Picture} */
  const strip = (name, values, top, more) => ({
    ...{ values, rows: 1, columns: values.length, top, name, tall: 20 },
    ...{ shape: `[${values.length}]`, label: `${name} of ${q}: ${values.length} numbers` },
    wide: Math.min(560, room),
    ...more,
  });
  /** All tokens' vectors. @param {string} name @param {ArrayLike<number>} values @param {number} columns @param {Partial<Picture>} [more] @returns {Picture} */
  const tall = (name, values, columns, more) => ({
    ...{ values, rows: n, columns, name, shape: `[${n} × ${columns}]`, row: i, side: "query" },
    label: `${name}: one row for each token, ${columns} numbers each`,
    wide: Math.min(columns > 64 ? 560 : 240, room),
    ...more,
  });
  const side = Math.min(Math.max(SQUARE[0], Math.min(22 * n, SQUARE[1])), room);
  const names = n <= LABELS ? tokens.map((token) => token.text) : null;
  /** All queries and keys. @param {string} name @param {ArrayLike<number>} values @param {Partial<Picture>} [more] @returns {Picture} */
  const square = (name, values, more) => ({
    ...{ values, rows: n, columns: n, name, shape: `[${n} × ${n}]`, row: i, side: "pair" },
    label: `${name}: rows are queries, columns are keys`,
    ...{ wide: side, tall: side / n, names },
    ...more,
  });
  const weights = { weights: true, top: undefined };

  switch (stageOf(shot)) {
    case "input":
      return [
        ...walk.parts.map((name, p) => strip(name, lineOf(of[`part${p}`], i, d), fullAt(of.part0))),
        strip("X", lineOf(of.x, i, d), fullAt(of.x)),
        tall("X of all tokens", of.x, d),
      ];
    case "qkv": {
      const cells = /** @type {const} */ (["q", "k", "v"]).map((which) =>
        tall(which.toUpperCase(), of[which], dk, { cellOf: which, side: "vector" }),
      );
      return [tall("X", of.x, d), ...cells];
    }
    case "scores":
      return [
        square("S = Q Kᵀ", flat(rows(), "scores")),
        tall("Q", of.q, dk),
        tall("K", of.k, dk, { row: shot.key }),
      ];
    case "scale": {
      const before = flat(rows(), "scores");
      const pictures = [
        square("Q Kᵀ", before),
        square("Q Kᵀ / √dₖ", flat(rows(), "scaled"), { top: fullAt(before) }),
      ];
      if (turned)
        pictures.push(square("… with the change", moved(shot, "scaled"), { top: fullAt(before) }));
      return pictures;
    }
    case "mask": {
      const { may, left } = maskOf(shot);
      const change = turned ? ", with the change" : "";
      return [
        square(`May look${change}`, may, weights),
        square(`Scores that remain${change}`, left),
      ];
    }
    case "softmax": {
      const pictures = [square("A", flat(rows(), "weights"), weights)];
      if (turned) pictures.push(square("A with the change", moved(shot, "weights"), weights));
      return pictures;
    }
    case "mix": {
      const shares = Float64Array.from(
        { length: n * dk },
        (_, at) => own.weights[Math.floor(at / dk)] * of.v[at],
      );
      const top = fullAt(of.v);
      return [
        strip(`z of ${q}`, mixed(walk, own.weights), top),
        tall("V", of.v, dk, { row: shot.key }),
        tall("A · V, a row for each key", shares, dk, { row: shot.key, top }),
      ];
    }
    case "join": {
      /** @type {[number, number]} */
      const band = [walk.head * dk, (walk.head + 1) * dk];
      return [
        strip(`Z of ${q}, all heads`, lineOf(of.joined, i, d), fullAt(of.joined), { band }),
        tall("Z of all tokens", of.joined, d, { band }),
      ];
    }
    default: {
      const part = added(walk, mixed(walk, own.weights));
      const output = lineOf(of.output, i, d);
      const rest = Float64Array.from(output, (y, c) => y - part[c] - of.b_o[c]);
      const top = fullAt(output);
      return [
        strip(`Head ${walk.head}’s part`, part, top),
        ...(walk.n_heads > 1 ? [strip("The other heads’ parts", rest, top)] : []),
        strip("Bias", of.b_o, top),
        strip("Output", output, top, { cellOf: "output" }),
        tall("Output of all tokens", of.output, d, { cellOf: "output" }),
      ];
    }
  }
}

/** @param {import("./walk.js").Row[]} rows @param {"scores" | "scaled" | "weights"} what */
const flat = (rows, what) => Float64Array.from(rows.flatMap((row) => Array.from(row[what])));

/** The changed numbers, each where its two words stand in the original. @param {Shot} shot @param {"scaled" | "allowed" | "weights"} what */
function moved({ turned, walk }, what) {
  const n = walk.tokens.length;
  const rows = turned?.rows() ?? [];
  const places = turned?.places ?? [];
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [places[Math.floor(at / n)], places[at % n]];
    return i < 0 || j < 0 ? 0 : Number(rows[i][what][j]);
  });
}

/** Who may look at whom, and the scores of these: both with the change, where there is one. @param {Shot} shot */
function maskOf(shot) {
  const n = shot.walk.tokens.length;
  const may = shot.turned
    ? moved(shot, "allowed")
    : Float64Array.from({ length: n * n }, (_, at) =>
        Number(!shot.rules.causal || at % n <= Math.floor(at / n)),
      );
  const scaled = shot.turned ? moved(shot, "scaled") : flat(shot.rows(), "scaled");
  return { may, left: scaled.map((s, at) => (may[at] ? s : 0)) };
}
