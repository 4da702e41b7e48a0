// What is fetched from the server, and what is forgotten again.

import { isAnswered, wishOf } from "../numbers/scene.js";
import { toParams } from "../numbers/view.js";

/**
 * @typedef {import("../numbers/data.js").Trace} Trace
 * @typedef {import("../numbers/view.js").View} View
 * @typedef {import("./explore.js").Request} Request
 */

const MEMORY = 96 * 2 ** 20; // bytes of layers kept in the browser
const PAGE_WITHOUT_WEIGHTS = 220_000; // bytes, about
const WRITTEN = 1.12; // letters for a byte: base64 takes a third more, gzip gives back a sixth
const TICKETS = 100_000;

/**
 * What is needed and not here.
 * @param {Trace} trace @param {View} view @param {number} layer
 * @param {boolean} path whether the path through the layers is shown, for which all means are needed
 * @returns {Request | null} null if nothing is
 */
export function missingOf(trace, view, layer, path) {
  const all = trace.layers.size === trace.head.numbers.length;
  const group = all ? null : wishOf(trace, view);
  const means = !all && path;
  const isMissing =
    !trace.layers.has(layer) ||
    (group !== null && !isAnswered(trace, group)) ||
    (means && !trace.means);
  return isMissing ? { trace: trace.head.id, layer, group, means, page: null } : null;
}

/**
 * Let go of the layers loaded longest ago.
 * @param {Trace["layers"]} layers oldest first @param {number} shown the layer that stays
 * @param {number} [most] bytes of layers that may stay
 */
export function forget(layers, shown, most = MEMORY) {
  for (const [layer, { bytes }] of [...layers]) {
    if (layers.size * bytes <= most) return;
    if (layer !== shown) layers.delete(layer);
  }
}

/**
 * About how large a page with so many layers is, in bytes.
 * @param {Trace["head"]} head @param {number} layerBytes @param {number} count
 */
export function pageBytes(
  { n_heads: nHeads, query_tokens: queries, thumb, numbers },
  layerBytes,
  count,
) {
  const small = 2 * numbers.length * nHeads * thumb[0] * thumb[1];
  return PAGE_WITHOUT_WEIGHTS + WRITTEN * (count * layerBytes + small + 100 * queries.length);
}

/**
 * @param {((request: Request) => void) | null} need null where there is no server
 * @param {number} first the number before the first page's
 */
export function createSupply(need, first) {
  let wanted = ""; // of the server, last
  let ticket = first; // of the last page asked for
  let layerBytes = 0; // of a layer on its way
  return {
    /** Ask for what is needed and not here, once. @type {(...now: Parameters<typeof missingOf>) => void} */
    fetchMissing: (trace, view, layer, path) => {
      const request = need && missingOf(trace, view, layer, path);
      const key = request && `${request.trace} ${layer} ${request.group?.name} ${request.means}`;
      if (!request || key === null || key === wanted) return;
      wanted = key;
      need(request);
    },
    /** @param {Trace} trace @param {View} view @param {number[] | null} layers null for all */
    fetchPage: (trace, view, layers) => {
      ticket = (ticket + 1) % TICKETS;
      const page = { ticket, layers, view: toParams(view) };
      need?.({ trace: trace.head.id, layer: view.layer, group: null, means: false, page });
    },
    /** @param {Trace} trace @param {number} count */
    pageBytes: (trace, count) => pageBytes(trace.head, layerBytes, count),
    /** Another trace: what is missing of it is asked for anew. */
    restart: () => {
      wanted = "";
    },
    /**
     * What a payload brought is kept, as far as there is room.
     * @param {Trace} trace @param {number} shown the layer that stays
     */
    keep: (trace, shown) => {
      if (need) forget(trace.layers, shown); // else they could not be had again
      for (const layer of trace.layers.values()) layerBytes = layer.bytes;
    },
    /** The page that was asked for last, once. @param {Trace} trace */
    pageOf: ({ page }) => {
      if (page?.ticket !== ticket) return null;
      ticket++; // the same payload may come again
      return page.bytes;
    },
  };
}
