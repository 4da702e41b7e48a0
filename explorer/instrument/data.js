// Bytes -> numbers. The format is written by pack.py, which says what it is and how exact.

/**
 * @typedef {{text: string, span: [number, number] | null, word: number | null,
 *            segment: number, special: boolean}} Token
 * @typedef {{id: string, title: string, n_layers: number, n_heads: number,
 *            query_tokens: Token[], key_tokens: Token[], texts: string[],
 *            n_cut: number[], thumb: [number, number], layers: number[],
 *            opening: Record<string, unknown> | null, link: Record<string, string> | null}} Header
 * @typedef {{head: Header, thumbs: Uint8Array, ordinaryThumbs: Uint8Array,
 *            layers: Map<number, Uint16Array>}} Trace
 */

export const LEVELS = 60000;

/** The weight that each 16-bit code stands for: 0 is exactly zero, others the middle of a step. */
const WEIGHT_OF = (() => {
  const table = new Float32Array(65536);
  for (let code = 1; code < table.length; code++) table[code] = Math.min((code - 0.5) / LEVELS, 1);
  return table;
})();

/** The weight that each thumbnail byte stands for: square-root tones, finer among small weights. */
const TONE_WEIGHT = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255) ** 2);

/**
 * Read a payload.
 * @param {Uint8Array} bytes
 * @returns {Trace}
 */
export function unpack(bytes) {
  const buffer = bytes.slice().buffer; // a copy starts at 0, so that 16-bit views are aligned
  const headerLength = new DataView(buffer).getUint32(0, true);
  /** @type {Header} */
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headerLength)));
  let at = 4 + headerLength;
  const thumbLength = head.n_layers * head.n_heads * head.thumb[0] * head.thumb[1];
  const thumbs = new Uint8Array(buffer, at, thumbLength);
  const ordinaryThumbs = new Uint8Array(buffer, at + thumbLength, thumbLength);
  at += 2 * thumbLength;
  const layerLength = head.n_heads * head.query_tokens.length * head.key_tokens.length;
  const layers = new Map();
  for (const layer of head.layers) {
    layers.set(layer, new Uint16Array(buffer, at, layerLength));
    at += 2 * layerLength;
  }
  return { head, thumbs, ordinaryThumbs, layers };
}

/**
 * The weights of one head, `[query, key]`.
 * @param {Trace} trace @param {number} layer @param {number} head
 * @returns {Float32Array | null} null while the layer is not here
 */
export function headWeights(trace, layer, head) {
  const codes = trace.layers.get(layer);
  if (!codes) return null;
  const size = trace.head.query_tokens.length * trace.head.key_tokens.length;
  const weights = new Float32Array(size);
  for (let i = 0, at = head * size; i < size; i++, at++) weights[i] = WEIGHT_OF[codes[at]];
  return weights;
}

/**
 * The thumbnail of one head as weights, `thumb[0] x thumb[1]`, each the maximum of its block.
 * @param {Trace} trace @param {number} layer @param {number} head @param {boolean} ordinary
 */
export function thumbWeights(trace, layer, head, ordinary) {
  const size = trace.head.thumb[0] * trace.head.thumb[1];
  const start = (layer * trace.head.n_heads + head) * size;
  const tones = (ordinary ? trace.ordinaryThumbs : trace.thumbs).subarray(start, start + size);
  return Float32Array.from(tones, (tone) => TONE_WEIGHT[tone]);
}
