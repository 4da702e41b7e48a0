// A text as it is read: its tokens in order, what was cut, and how each token is shaded. No page.

import { bound, range } from "./basics.js";
import { placed, t } from "./language.js";
import { fullOf } from "./model.js";
import { named } from "./words.js";

/**
 * @typedef {import("./scene.js").Scene} Scene
 * @typedef {import("./data.js").Token} Token
 * @typedef {import("./words.js").Part} Part
 * @typedef {"row" | "column"} Side
 * @typedef {{token: Token, query: number, key: number}} Spot
 *   a token as it stands in the view; query, key: its place among those, or -1
 * @typedef {{tone: number, marks: string}} Dress
 * @typedef {{unitOf: (spot: Spot) => number, values: Float32Array, full: number | Float32Array,
 *            units: import("./model.js").Unit[], words: Part[]}} Shading
 *   values: a number for each of the units, none while they are made; the number of the full colour, and what
 *   the shades mean
 * @typedef {{kind: "plain" | "gone", text: string} | {kind: "scissors", cut: number}
 *         | {kind: "token", text: string, i: number}} Piece
 *   gone: what the model did not read; i: of a spot
 */

export const TONES = 24; // shades that are told apart: a change that nobody sees costs nothing
const SLIGHT = 2; // a change by so many shades
const CUT_SHOWN = 600; // characters of the part that the model did not read

/**
 * The tokens in the order of reading: what is both query and key once, else keys and then queries.
 * @param {Pick<import("./data.js").Header, "query_tokens" | "key_tokens">} head
 * @returns {Spot[]}
 */
export function spotsOf({ query_tokens: queries, key_tokens: keys }) {
  if (queries === keys) return queries.map((token, i) => ({ token, query: i, key: i }));
  return [
    ...keys.map((token, key) => ({ token, query: -1, key })),
    ...queries.map((token, query) => ({ token, query, key: -1 })),
  ];
}

/**
 * Whether a token stands for a piece of text that the model's vocabulary does not have.
 * @param {Pick<import("./data.js").Header, "unknown">} head @param {Token} token
 */
export const isUnknown = ({ unknown }, token) =>
  !token.special && token.span !== null && token.text === unknown;

/**
 * Whether what stands at a spot was not given by the reader but written behind his text.
 * @param {Pick<import("./data.js").Header, "n_written" | "query_tokens">} head @param {Spot} spot
 */
export const isWritten = ({ n_written: n, query_tokens: queries }, { query }) =>
  n > 0 && query >= queries.length - n;

/**
 * One text in pieces: its tokens, what stands between them, and what was cut away.
 * @param {string[]} letters as they are shown: spans count code points, JavaScript strings do not
 * @param {{token: Token, i: number}[]} own the text's tokens, and their spots
 * @param {number} cut tokens that did not fit @param {"left" | "right"} gone where
 * @returns {Piece[]}
 */
export function piecesOf(letters, own, cut, gone) {
  /** @type {Piece[]} */
  const pieces = [];
  const text = (/** @type {number} */ from, /** @type {number} */ to) =>
    letters.slice(from, to).join("");
  let done = 0;
  if (cut && gone === "left") {
    done = own.find(({ token }) => token.span)?.token.span?.[0] ?? letters.length;
    const lost = text(Math.max(done - CUT_SHOWN, 0), done);
    const more = done > CUT_SHOWN ? "…" : "";
    pieces.push({ kind: "gone", text: more + lost }, { kind: "scissors", cut });
  }
  for (const { token, i } of own) {
    const [start, end] = token.span ?? [done, done];
    if (start > done) pieces.push({ kind: "plain", text: text(done, start) });
    // A piece that starts inside the one before (a split character) shows only what is new.
    const shown = token.span ? text(Math.max(start, done), end) : token.text;
    done = Math.max(done, end);
    pieces.push({ kind: "token", text: shown, i });
  }
  if (cut && gone !== "left") {
    const more = letters.length - done > CUT_SHOWN ? "…" : "";
    const lost = text(done, done + CUT_SHOWN) + more;
    pieces.push({ kind: "scissors", cut }, { kind: "gone", text: lost });
  } else pieces.push({ kind: "plain", text: text(done, letters.length) });
  return pieces;
}

/**
 * Where a token stands in the view: the other way round.
 * @param {Pick<import("./data.js").Header, "query_tokens" | "key_tokens">} head
 * @param {Side} side @param {number} token
 */
export const spotOf = ({ query_tokens: queries, key_tokens: keys }, side, token) =>
  side === "row" && queries !== keys ? keys.length + token : token;

/** @param {Pick<Scene["model"], "layout">} model @param {Spot} spot */
export const rowOf = ({ layout }, { query }) => layout.rowOfToken[query] ?? -1;

/** @param {Pick<Scene["model"], "layout">} model @param {Spot} spot */
export const columnOf = ({ layout }, { key }) => layout.columnOfToken[key] ?? -1;

/**
 * The side that a hand in the text picks: the one that is asked about, or with Ctrl the other.
 * @param {"from" | "to" | undefined} look
 * @param {{ctrlKey?: boolean, metaKey?: boolean}} [event]
 * @returns {Side}
 */
export function sideOf(look, event) {
  const asked = look === "to" ? "column" : "row";
  const other = asked === "row" ? "column" : "row";
  return event?.ctrlKey || event?.metaKey ? other : asked;
}

/**
 * The side that a hand picks in one token: its only one, or the one that is asked for.
 * @param {Spot} spot @param {Side} own
 * @returns {Side}
 */
export const sideIn = ({ query, key }, own) => (query < 0 ? "column" : key < 0 ? "row" : own);

/**
 * The units that hold some tokens, on the sides that a hand would pick them.
 * @param {Pick<Scene["model"], "layout">} model @param {Spot[]} spots @param {Side} own
 */
export function unitsIn(model, spots, own) {
  const [rows, columns] = [new Set(), new Set()];
  for (const spot of spots) {
    if (sideIn(spot, own) === "row") rows.add(rowOf(model, spot));
    else columns.add(columnOf(model, spot));
  }
  const seen = (/** @type {Set<number>} */ units) => [...units].filter((unit) => unit >= 0);
  return { rows: seen(rows), columns: seen(columns) };
}

/**
 * One step of the arrow keys through the units; with Shift all from the anchor are chosen.
 * @param {number[]} now what is in focus @param {number} anchor where walking with Shift began
 * @param {number} by units @param {number} count of all units @param {boolean} shift
 * @returns {{i: number, anchor: number, units: number[]}} i: where the step leads
 */
export function stepThrough(now, anchor, by, count, shift) {
  const last = anchor === now[0] ? now[now.length - 1] : now[0];
  const i = now.length ? bound((last ?? 0) + by, 0, count - 1) : 0;
  return shift ? { i, anchor, units: range(anchor, i) } : { i, anchor: i, units: [i] };
}

/**
 * What the shades mean now. Where more is in focus than a frame can make rows of, the text is shaded
 * by whole groups, as the map has them.
 * @param {Pick<Scene, "model" | "focus" | "view" | "given" | "got">
 *         & Partial<Pick<Scene, "coarse" | "map">>} scene
 * @returns {Shading}
 */
export function shadingOf({ model, focus: point, view, given, got, coarse, map }) {
  if (coarse && map?.focus && (map.given || map.got)) {
    const shading = shadingOf({ ...map, coarse: false });
    const noun = map.model.noun ?? t("groups");
    const words = placed(t("{shading}; {noun} as a whole"), { shading: shading.words, noun });
    return { ...shading, words };
  }
  const { picture } = model;
  const byRow = (/** @type {Spot} */ spot) => rowOf(model, spot);
  const byColumn = (/** @type {Spot} */ spot) => columnOf(model, spot);
  if (given && (!got || view.look === "from")) {
    const says =
      point.rows.length > 1
        ? t("Shaded by where {who} look, on average")
        : t("Shaded by where {who} looks");
    const words = placed(says, { who: named(point.rows, picture.rows) });
    // A long text has no picture whose rows were measured, one by one.
    const full = !model.tops.length
      ? fullOf(given, picture.columns, view.scale)
      : model.tops[point.rows[0]];
    return { unitOf: byColumn, values: given, full, units: picture.columns, words };
  }
  if (got) {
    const says =
      point.columns.length > 1
        ? t("Shaded by how much each token looks at {what}, taken together")
        : t("Shaded by how much each token looks at {what}");
    const words = placed(says, { what: named(point.columns, picture.columns) });
    const full = !model.tops.length ? fullOf(got, picture.rows, view.scale) : model.tops;
    return { unitOf: byRow, values: got, full, units: picture.rows, words };
  }
  const shares = model.shares();
  if (!shares) {
    const words = [t("What each token gets of {base} is being added up", { base: model.base })];
    return { unitOf: byColumn, values: new Float32Array(), full: 1, units: [], words };
  }
  let full = 1e-9; // what special tokens get does not count
  picture.columns.forEach((unit, c) => {
    if (!unit.special && shares[c] > full) full = shares[c];
  });
  const words = [t("Shaded by what each token gets of {base}", { base: model.base })];
  return { unitOf: byColumn, values: shares, full, units: picture.columns, words };
}

/**
 * What is shaded as lines of a table, in the order of reading: a word once, whatever its pieces are.
 * @param {Pick<Shading, "unitOf" | "values" | "units">} shading @param {Spot[]} spots
 * @returns {[number, string, number][]} the position of the first token, the text, the number
 */
export function unitsRead({ unitOf, values, units }, spots) {
  const told = new Set([-1]);
  return spots.flatMap((spot) => {
    const unit = unitOf(spot);
    if (told.has(unit) || !values.length) return [];
    told.add(unit);
    const { tokens, text } = units[unit];
    return [/** @type {[number, string, number]} */ ([tokens[0], text, values[unit]])];
  });
}

/**
 * How far a token's shade goes towards the full colour, 0 to 1.
 * @param {Shading} shading @param {Spot} spot
 */
export function shadeOf({ unitOf, values, full }, spot) {
  const unit = unitOf(spot);
  if (unit < 0) return 0;
  return bound(values[unit] / (typeof full === "number" ? full : full[unit]), 0, 1) || 0;
}

/**
 * What a token is to be dressed in.
 * @param {Shading} shading @param {Pick<Scene["model"], "layout">} model @param {Spot} spot
 * @param {Set<number>} rows in focus @param {Set<number>} columns in focus
 * @returns {Dress}
 */
export function dressOf(shading, model, spot, rows, columns) {
  const [row, column] = [rowOf(model, spot), columnOf(model, spot)];
  const tone = Math.round(TONES * shadeOf(shading, spot));
  const looks = rows.has(row) ? " ax-here" : "";
  const seen = columns.has(column) ? " ax-seen" : "";
  const gone = row < 0 && column < 0 ? " ax-gone" : "";
  return { tone, marks: `${looks}${seen}${gone}` };
}

/**
 * Whether a change of dress is seen at once, hardly, or is none.
 * @param {Dress | undefined} before @param {Dress} next
 * @returns {"plain" | "slight" | "none"}
 */
export function changeOf(before, next) {
  const { tone, marks } = before ?? { tone: -9, marks: "" };
  if (marks !== next.marks || Math.abs(tone - next.tone) > SLIGHT) return "plain";
  return tone === next.tone ? "none" : "slight";
}
