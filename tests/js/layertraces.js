// A layer of plain attention for tests, and what may be laid over it.

/** @typedef {import("../../explorer/instrument/numbers/layertrace.js").LayerTrace} LayerTrace */

/**
 * A layer with one head, as wide as its vectors; what it has not is null.
 * @param {import("../../explorer/instrument/numbers/data.js").Token[]} tokens @param {number} width
 * @param {Record<string, Float32Array>} of @param {Partial<LayerTrace>} [more]
 * @returns {LayerTrace}
 */
export const layerOf = (tokens, width, of, more = {}) => ({
  ...{ title: "", passport: "", layer: 0, numbers: [0], head: 0, n_heads: 1, beside: [0] },
  ...{ d_model: width, d_k: width, d_v: width, d_out: width, scale: width ** -0.5 },
  ...{ causal: false, window: null, follows: true, normed: false, norm: null, head_norm: null },
  ...{
    after: null,
    steps: [],
    pairs: null,
    cap: null,
    bias: null,
    slope: null,
    sink: null,
    parts: [],
  },
  ...{ tokens, keys: tokens, of },
  ...more,
});
