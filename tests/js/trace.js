// A payload made here, byte by byte, as pack.py's text says.

import { LEVELS } from "../../explorer/instrument/data.js";

/** @param {number} weight */
export const encode = (weight) =>
  weight > 0 ? 1 + Math.min(Math.floor(weight * LEVELS), LEVELS) : 0;

/**
 * Weights as a block: small codes as bytes, 255 for a larger one, which stands behind.
 * @param {number[]} weights
 */
export function squeeze(weights) {
  const codes = weights.map(encode);
  const large = codes.filter((code) => code >= 255);
  const bytes = codes.map((code) => Math.min(code, 255));
  return { large: large.length, bytes: [...bytes, ...large.flatMap((c) => [c & 255, c >> 8])] };
}

/**
 * @param {Record<string, unknown>} head @param {number[]} thumbs @param {number[]} ordinary
 * @param {[Record<string, unknown>, number[]][]} blocks what the header says of each, and weights
 */
export function payload(head, thumbs, ordinary, blocks) {
  const squeezed = blocks.map(([, weights]) => squeeze(weights));
  const told = blocks.map(([about, weights], i) => ({
    shape: [weights.length],
    ...about,
    large: squeezed[i].large,
  }));
  const text = new TextEncoder().encode(JSON.stringify({ ...head, blocks: told }));
  const length = new Uint8Array(new Uint32Array([text.length]).buffer);
  const data = squeezed.flatMap(({ bytes }) => bytes);
  const parts = [...length, ...text, ...thumbs, ...ordinary, ...data];
  // An odd offset, as Streamlit's messages have: views on it must not need alignment.
  return new Uint8Array([0, ...parts]).subarray(1);
}

/**
 * @param {string} text @param {Partial<import("../../explorer/instrument/data.js").Token>} [rest]
 * @returns {import("../../explorer/instrument/data.js").Token}
 */
export const token = (text, rest = {}) => ({
  text,
  span: [0, 1],
  word: null,
  segment: 0,
  special: false,
  ...rest,
});
