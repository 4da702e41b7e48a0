// Bytes -> numbers. The format is written by pack.py, which says what it is and how exact.

/**
 * @typedef {{text: string, span: [number, number] | null, word: number | null,
 *            segment: number, special: boolean}} Token
 * @typedef {{kind: "layer", layer: number, shape: number[], large: number}
 *         | {kind: "means", shape: number[], large: number}
 *         | {kind: "group", name: string, shape: number[], large: number}
 *         | {kind: "film" | "ideals", shape: number[], large: number}
 *         | {kind: "picture", bytes: number}
 *         | {kind: "page", ticket: number, bytes: number}} Block
 * @typedef {{steps: number[], loss: number[], accuracy: number[], chance: number,
 *            near: {name: string, heads: number[][]}[], ideals: string[], answers: string[][],
 *            right: (string | null)[]}} About a training; heads: by frame, then layer and head
 * @typedef {About & {codes: Uint16Array, wanted: Uint16Array}} Film
 *   codes: `[frame, layer, head, query, key]`; wanted: `[pattern, query, key]`
 * @typedef {{id: string, title: string, n_layers: number, n_heads: number,
 *            query_tokens: Token[], key_tokens: Token[], texts: string[],
 *            marks: Record<string, string>[], patches: [number, number] | null, n_cut: number[],
 *            truncation_side: "left" | "right", thumb: [number, number], blocks: Block[],
 *            opening: Record<string, unknown> | null, link: Record<string, string> | null,
 *            film: About | null}} Header
 *   marks: for each text what is shown in place of characters that nobody sees, by their place;
 *   patches: rows and columns of a picture whose pieces are the tokens that are not special
 * @typedef {{name: string, shape: number[], codes: Uint16Array}} GroupBlock
 * @typedef {{ticket: number, bytes: Uint8Array}} PageBlock
 * @typedef {{head: Header, thumbs: Uint8Array, ordinaryThumbs: Uint8Array,
 *            layers: Map<number, Uint16Array>, means: Uint16Array | null,
 *            group: GroupBlock | null, page: PageBlock | null, picture: Uint8Array | null, film: Film | null}} Trace
 */

export const LEVELS = 60000;

/** The weight of every 16-bit code: 0 is exactly zero, others stand for the middle of a step. */
const WEIGHTS = (() => {
  const table = new Float32Array(65536).fill(1);
  for (let code = 0; code <= LEVELS; code++) table[code] = code && (code - 0.5) / LEVELS;
  return table;
})();

/** @param {number} code */
export const weightOf = (code) => WEIGHTS[code];

/** The weight that each thumbnail byte stands for: square-root tones, finer among small weights. */
const TONE_WEIGHT = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255) ** 2);

/**
 * Read a payload.
 * @param {Uint8Array} bytes
 * @returns {Trace}
 */
export function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 4 + view.getUint32(0, true);
  /** @type {Header} */
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, at)));
  head.key_tokens ??= head.query_tokens;
  const take = (/** @type {number} */ length) => {
    at += length;
    return bytes.slice(at - length, at); // a copy: the message goes
  };
  const thumbLength = head.n_layers * head.n_heads * head.thumb[0] * head.thumb[1];
  const [thumbs, ordinaryThumbs] = [take(thumbLength), take(thumbLength)];
  /** @type {Trace} */
  const trace = {
    head,
    thumbs,
    ordinaryThumbs,
    layers: new Map(),
    means: null,
    group: null,
    page: null,
    picture: null,
    film: head.film && { ...head.film, codes: new Uint16Array(), wanted: new Uint16Array() },
  };
  for (const block of head.blocks) {
    if (block.kind === "picture") {
      trace.picture = take(block.bytes);
      continue;
    }
    if (block.kind === "page") {
      trace.page = { ticket: block.ticket, bytes: take(block.bytes) };
      continue;
    }
    const size = block.shape.reduce((product, n) => product * n, 1);
    const codes = spread(bytes, at, size, block.large);
    at += size + 2 * block.large;
    if (block.kind === "layer") trace.layers.set(block.layer, codes);
    else if (block.kind === "means") trace.means = codes;
    else if (block.kind === "film" && trace.film) trace.film.codes = codes;
    else if (block.kind === "ideals" && trace.film) trace.film.wanted = codes;
    else if (block.kind === "group") trace.group = { name: block.name, shape: block.shape, codes };
  }
  return trace;
}

/**
 * Codes from their bytes: 255 stands for the next of the larger ones, which follow behind.
 * @param {Uint8Array} bytes @param {number} at @param {number} size @param {number} large
 */
function spread(bytes, at, size, large) {
  const codes = new Uint16Array(size);
  const rest = new Uint16Array(bytes.slice(at + size, at + size + 2 * large).buffer);
  let next = 0;
  for (let i = 0; i < size; i++) {
    const byte = bytes[at + i];
    codes[i] = byte === 255 ? rest[next++] : byte;
  }
  return codes;
}

/** @param {Uint16Array} codes */
export function weightsOf(codes) {
  const weights = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) weights[i] = WEIGHTS[codes[i]];
  return weights;
}

/** @param {Header} head */
export const mapSize = (head) => head.query_tokens.length * head.key_tokens.length;

/**
 * The codes of one head, `[query, key]`.
 * @param {Trace} trace @param {number} layer @param {number} head
 * @returns {Uint16Array | null} null while the layer is not here
 */
export function headCodes(trace, layer, head) {
  const size = mapSize(trace.head);
  return trace.layers.get(layer)?.subarray(head * size, (head + 1) * size) ?? null;
}

/**
 * The weights of one head, `[query, key]`.
 * @param {Trace} trace @param {number} layer @param {number} head
 * @returns {Float32Array | null} null while the layer is not here
 */
export function headWeights(trace, layer, head) {
  const codes = headCodes(trace, layer, head);
  return codes && weightsOf(codes);
}

/**
 * The mean over the heads of a layer, `[query, key]`: from the layer itself if it is here.
 * @param {Trace} trace @param {number} layer @param {number[]} [heads] which heads; all if left out
 * @returns {Float32Array | null} null where neither the layer nor the means are here
 */
export function meanWeights(trace, layer, heads) {
  const size = mapSize(trace.head);
  const codes = trace.layers.get(layer);
  const chosen = heads ?? Array.from({ length: trace.head.n_heads }, (_, head) => head);
  if (!codes) {
    const means = trace.means?.subarray(layer * size, (layer + 1) * size);
    return means && !heads ? weightsOf(means) : null;
  }
  const mean = new Float32Array(size);
  for (const head of chosen) {
    for (let i = 0, at = head * size; i < size; i++, at++) mean[i] += WEIGHTS[codes[at]];
  }
  for (let i = 0; i < size; i++) mean[i] /= chosen.length;
  return mean;
}

/**
 * The frame of a film that stands nearest to a step.
 * @param {About} film @param {number | null} step null for the last
 */
export function frameAt({ steps }, step) {
  if (step === null) return steps.length - 1;
  const after = steps.findIndex((s) => s >= step);
  return after < 0 ? steps.length - 1 : after;
}

/**
 * Let a trace show one frame of its film.
 * @param {Trace} trace @param {number} frame
 */
export function turnFilm(trace, frame) {
  if (!trace.film) return;
  const { n_layers: nLayers, n_heads: nHeads } = trace.head;
  const size = nHeads * mapSize(trace.head);
  for (let layer = 0; layer < nLayers; layer++) {
    const at = (frame * nLayers + layer) * size;
    trace.layers.set(layer, trace.film.codes.subarray(at, at + size));
  }
}

/**
 * Take over what an earlier payload of the same trace brought.
 * @param {Trace} next @param {Trace} old
 */
export function merge(next, old) {
  next.layers = new Map([...old.layers, ...next.layers]); // oldest first
  next.means ??= old.means;
  next.group ??= old.group;
  next.film ??= old.film;
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
