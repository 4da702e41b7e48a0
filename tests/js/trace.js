// A payload made here, byte by byte, as pack.py's text says.

import { LEVELS } from "../../explorer/instrument/data.js";

/** @param {number} weight */
export const encode = (weight) =>
  weight > 0 ? 1 + Math.min(Math.floor(weight * LEVELS), LEVELS) : 0;

/**
 * @param {object} head @param {number[]} thumbs @param {number[]} ordinary @param {number[][]} layers
 */
export function payload(head, thumbs, ordinary, layers) {
  let text = new TextEncoder().encode(JSON.stringify(head));
  const padding = (8 - ((4 + text.length) % 8)) % 8;
  text = new Uint8Array([...text, ...new Array(padding).fill(32)]);
  const codes = new Uint16Array(layers.flat().map(encode));
  const length = new Uint8Array(new Uint32Array([text.length]).buffer);
  const parts = [...length, ...text, ...thumbs, ...ordinary, ...new Uint8Array(codes.buffer)];
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
