// A payload made here, byte by byte, as container.py's text says.

/** @param {ArrayLike<number>} weights */
export const floats = (weights) => Float32Array.from(weights);

/**
 * @typedef {import("../../explorer/instrument/wire/container.js").Numbers} Numbers
 * @typedef {[Record<string, unknown>, Numbers]} Given what is said of a block besides its type and
 *   length, and its numbers
 */

/** @param {Record<string, unknown>} head @param {Given[]} blocks */
export function container(head, blocks) {
  const told = blocks.map(([about, data]) => ({
    type: data.constructor.name.replace("Array", "").toLowerCase(),
    shape: [data.length],
    ...about,
  }));
  const text = new TextEncoder().encode(JSON.stringify({ ...head, blocks: told }));
  const length = new Uint8Array(new Uint32Array([text.length]).buffer);
  const data = blocks.map(([, numbers]) => new Uint8Array(numbers.buffer));
  const parts = [new TextEncoder().encode("AXP1"), length, text, ...data];
  // An odd offset, as Streamlit's messages have: views on it must not need alignment.
  const bytes = new Uint8Array(1 + parts.reduce((sum, part) => sum + part.length, 0));
  let at = 1;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes.subarray(1);
}

/**
 * @param {Record<string, any>} head @param {number[]} thumbs @param {number[]} ordinary
 * @param {Given[]} blocks
 */
export function payload(head, thumbs, ordinary, blocks) {
  const { thumb, ...rest } = head;
  const shape = [head.numbers.length, head.n_heads, ...thumb];
  return container(rest, [
    [{ kind: "thumbs", shape }, Uint8Array.from(thumbs)],
    [{ kind: "ordinary_thumbs", shape }, Uint8Array.from(ordinary)],
    ...blocks,
  ]);
}

/**
 * @param {string} text @param {Partial<import("../../explorer/instrument/numbers/data.js").Token>} [rest]
 * @returns {import("../../explorer/instrument/numbers/data.js").Token}
 */
export const token = (text, rest = {}) => ({
  text,
  span: [0, 1],
  word: null,
  segment: 0,
  special: false,
  ...rest,
});
