// A payload made here, byte by byte, as pack.py's text says.

/** @param {ArrayLike<number>} weights */
export const bytesOf = (weights) => [...new Uint8Array(Float32Array.from(weights).buffer)];

/**
 * @param {Record<string, unknown>} head @param {number[]} thumbs @param {number[]} ordinary
 * @param {[Record<string, unknown>, number[]][]} blocks what the header says of each, and its bytes
 */
export function payload(head, thumbs, ordinary, blocks) {
  const told = blocks.map(([about, bytes]) => ({ ...about, bytes: bytes.length }));
  const text = new TextEncoder().encode(JSON.stringify({ ...head, blocks: told }));
  const length = new Uint8Array(new Uint32Array([text.length]).buffer);
  const data = blocks.flatMap(([, bytes]) => bytes);
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
