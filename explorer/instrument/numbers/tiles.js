// Which tiles a picture of a long text is made of, those that are kept, and the picture itself.

import { PERCENTILE } from "./model.js";
import { TILE } from "./tile.js";

/**
 * @typedef {import("./model.js").Unit} Unit
 * @typedef {import("./tile.js").Place} Place
 * @typedef {import("./viewport.js").Stretch} Stretch
 * @typedef {{weights: Float32Array, holes: Stretch[]}} Patch
 *   weights: `[row, column]` of what is in sight; holes: where the tiles are not here yet
 */

const MOST = 32 * 2 ** 20; // bytes of tiles that are kept

/**
 * The tiles that hold what is in sight, nearest to its middle first.
 * @param {Stretch} stretch
 * @returns {Place[]}
 */
export function tilesIn({ top, bottom, left, right }) {
  const [row, column] = [(top + bottom) / 2, (left + right) / 2].map((at) => at / TILE - 0.5);
  const far = (/** @type {Place} */ at) => Math.hypot(at.row - row, at.column - column);
  const places = [];
  for (let r = Math.floor(top / TILE); r * TILE < bottom; r++) {
    for (let c = Math.floor(left / TILE); c * TILE < right; c++) places.push({ row: r, column: c });
  }
  return places.sort((one, other) => far(one) - far(other));
}

/**
 * Tiles by name; beyond the most that there is room for, those used longest ago go.
 * @param {number} [most] bytes
 */
export function createShelf(most = MOST) {
  /** @type {Map<string, Float32Array>} */
  const tiles = new Map(); // used longest ago first
  let bytes = 0;
  return {
    /** @param {string} name */
    get: (name) => {
      const tile = tiles.get(name);
      if (tile && tiles.delete(name)) tiles.set(name, tile);
      return tile;
    },
    /** @param {string} name */
    has: (name) => tiles.has(name),
    /** @param {string} name @param {Float32Array} tile */
    put: (name, tile) => {
      bytes += tile.byteLength - (tiles.get(name)?.byteLength ?? 0);
      tiles.delete(name);
      tiles.set(name, tile);
      for (const [oldest, old] of tiles) {
        if (bytes <= most || oldest === name) break;
        tiles.delete(oldest);
        bytes -= old.byteLength;
      }
    },
    bytes: () => bytes,
  };
}

/**
 * What is in sight, put together of its tiles; 0 where they are not here yet.
 * @param {Stretch} at @param {number} nColumns of the whole
 * @param {(place: Place) => Float32Array | undefined} tileAt
 * @param {Float32Array} [room] memory to use again
 * @returns {Patch}
 */
export function assembled(at, nColumns, tileAt, room = new Float32Array()) {
  const wide = at.right - at.left;
  const size = (at.bottom - at.top) * wide;
  const weights = room.length < size ? new Float32Array(size) : room.subarray(0, size);
  const holes = [];
  for (const place of tilesIn(at)) {
    const [row, column] = [place.row * TILE, place.column * TILE];
    const across = Math.min(TILE, nColumns - column);
    const [top, left] = [Math.max(at.top, row), Math.max(at.left, column)];
    const [bottom, right] = [Math.min(at.bottom, row + TILE), Math.min(at.right, column + TILE)];
    const tile = tileAt(place);
    if (!tile) holes.push({ top, bottom, left, right });
    for (let r = top; r < bottom; r++) {
      const to = (r - at.top) * wide + left - at.left;
      const from = (r - row) * across + left - column;
      if (tile) weights.set(tile.subarray(from, from + right - left), to);
      else weights.fill(0, to, to + right - left);
    }
  }
  return { weights, holes };
}

/**
 * The percentile of a picture with empty holes that is the wanted one of the rest: as many weights
 * lie above it.
 * @param {Patch} patch
 */
export function shareOf({ weights, holes }) {
  const empty = holes.reduce(
    (sum, hole) => sum + (hole.bottom - hole.top) * (hole.right - hole.left),
    0,
  );
  return 1 - (1 - PERCENTILE) * (1 - empty / weights.length);
}

/**
 * Let the holes of a picture show the groups that its units are of, in the colours that these have.
 * @param {Patch} patch @param {Stretch} at what is in sight @param {Float32Array} tops of its rows
 * @param {{weights: Float32Array, nColumns: number, tops: Float32Array, groupOfRow: Int32Array,
 *          groupOfColumn: Int32Array}} map
 */
export function fillHoles({ weights, holes }, at, tops, map) {
  const wide = at.right - at.left;
  for (const { top, bottom, left, right } of holes) {
    for (let r = top; r < bottom; r++) {
      const group = map.groupOfRow[r];
      if (group < 0) continue;
      const factor = tops[r - at.top] / map.tops[group];
      for (let c = left; c < right; c++) {
        const other = map.groupOfColumn[c];
        if (other < 0) continue;
        const weight = map.weights[group * map.nColumns + other];
        weights[(r - at.top) * wide + c - at.left] = weight * factor;
      }
    }
  }
}
