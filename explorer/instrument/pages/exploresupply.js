// What is fetched from the server, and what is forgotten again.

import { isAnswered, wishOf } from "../numbers/answers.js";
import { looksOf } from "../numbers/cards.js";
import { placeOf } from "../numbers/data.js";
import { mapsAt } from "../numbers/groupmaps.js";
import { headName } from "../numbers/headname.js";
import { t } from "../numbers/language.js";
import { mapLevelOf } from "../numbers/layout.js";
import { isAbout, isOf } from "../numbers/lens.js";
import { isNextHere, positionOf } from "../numbers/next.js";
import { nextOff } from "../numbers/striking.js";
import { toParams } from "../numbers/view.js";

/**
 * @typedef {import("../numbers/data.js").Trace} Trace
 * @typedef {import("../numbers/view.js").View} View
 * @typedef {import("./explore.js").Request} Request
 * @typedef {import("./explore.js").Place} Place
 * @typedef {import("./explore.js").PageOf} PageOf
 * @typedef {{layer: number, heads: number[]}} Look heads that are looked at
 * @typedef {{name: string, bytes: number, of: PageOf}} PageChoice
 */

/**
 * @typedef {{lens: import("../numbers/lens.js").Asked | null, why: number[] | null}} Apart
 *   the prediction that is read layer by layer; the edge whose score is taken apart: layer, head,
 *   query and key
 */

/** @type {Apart} */
export const NOT_APART = { lens: null, why: null };
const MEMORY = 96 * 2 ** 20; // bytes of layers, or of heads of a long text, kept in the browser
const MAPS = 24 * 2 ** 20; // bytes of maps between groups kept in the browser
const PAGE_WITHOUT_WEIGHTS = 490_000; // bytes, about
const WRITTEN = 1.12; // letters for a byte: base64 takes a third more, gzip gives back a sixth
const TICKETS = 100_000;
const AT_ONCE = 1.5e8; // weights that a server goes through for small pictures in half a second
const MOST_SMALL = 12; // small pictures that are asked for at once

/**
 * What asks for nothing yet. A short text's layer comes with all that is said of it; else the answer
 * alone is sent, as the header is here.
 * @param {Trace} trace @param {number} layer
 * @returns {Request}
 */
const asking = ({ head, layers }, layer) => ({
  ...{ trace: head.id, layer, group: null, means: false, page: null },
  ...{ heads: [], summaries: [], map: null, thumbs: [] },
  known: head.long || layers.has(layer),
});

/**
 * What is needed and not here.
 * @param {Trace} trace @param {View} view @param {Look} look
 * @param {boolean} path whether the path through the layers is shown, for which all means are needed
 * @param {boolean} [seen] whether anybody sees the page: small pictures wait until then
 * @returns {Request | null} null if nothing is
 */
export function missingOf(trace, view, look, path, seen = true) {
  if (trace.head.long) return missingOfLong(trace, view, look, seen);
  const all = trace.layers.size === trace.head.numbers.length;
  const group = all ? null : wishOf(trace, view);
  const means = !all && path;
  const isMissing =
    !trace.layers.has(look.layer) ||
    (group !== null && !isAnswered(trace, group)) ||
    (means && !trace.means);
  return isMissing ? { ...asking(trace, look.layer), group, means } : null;
}

/**
 * What is needed last: what is worth a look, and what each head does to the model's answer.
 * @param {Trace} trace @param {View} view @param {boolean} effects whether that was asked for
 * @param {Apart} [apart] what is taken apart
 * @returns {Request | null} null if nothing is
 */
export function toldLater(trace, view, effects, { lens = null, why = null } = NOT_APART) {
  const { head, striking } = trace;
  const asked = { ...asking(trace, view.layer), known: true }; // nothing else was missing
  if (head.striking === "ask" && !striking) return { ...asked, striking: true };
  const at = positionOf(trace, [], view.queries);
  if (head.predicts && !isNextHere(trace.next, view, at)) {
    return { ...asked, next: { temperature: view.temperature, top: view.top, at } };
  }
  // Both together, where both are missing: they are sums over one reading of the text.
  const isRead = !lens || isAbout(trace.lens, lens);
  const isMade = !why || isOf(trace.why, why);
  if (!isRead || !isMade) {
    return { ...asked, ...(isRead ? {} : { lens }), ...(isMade ? {} : { why }) };
  }
  const off = effects ? nextOff(trace) : null;
  return off === null ? null : { ...asked, effects: off };
}

/**
 * Of a long text: first the heads that are looked at, then what is pinned, then what is said of
 * these heads as a whole, then small pictures, those of the nearest layers first.
 * @param {Trace} trace @param {View} view @param {Look} look @param {boolean} seen
 * @returns {Request | null}
 */
function missingOfLong(trace, view, { layer, heads }, seen) {
  const request = { ...asking(trace, layer), map: mapLevelOf(trace.head, view) };
  const places = heads.map((head) => /** @type {Place} */ ([layer, head]));
  const absent = places.filter(([, head]) => !trace.heads.has(placeOf(layer, head)));
  if (absent.length) return { ...request, heads: absent };
  const group = wishOf(trace, view);
  if (group && !isAnswered(trace, group)) return { ...request, group };
  const unsaid = places.filter(([, head]) => {
    return !mapsAt(trace.head, trace.summaries.get(placeOf(layer, head)), request.map);
  });
  if (unsaid.length) return { ...request, summaries: unsaid };
  const thumbs = seen ? smallsMissing(trace, view.layer) : [];
  return thumbs.length ? { ...request, thumbs } : null;
}

/**
 * What is needed and not here, and what cards show, so that their keys need not wait: as far as it
 * takes no more than half of what is kept.
 * @param {Trace} trace @param {View} view @param {Look} look @param {boolean} path
 * @param {boolean} seen @param {number} each bytes of a layer, or of a head
 */
export function missingNow(trace, view, look, path, seen, each) {
  const cards = looksOf(view, trace.head);
  const own = trace.head.long ? cards.flatMap(({ heads }) => heads).length : cards.length;
  const looks = own * each <= MEMORY / 2 ? [look, ...cards] : [look];
  for (const one of looks) {
    const request = missingOf(trace, view, one, path, false);
    if (request) return request;
  }
  return missingOf(trace, view, look, path, seen);
}

/** The next small pictures, as many as are made at once. @param {Trace} trace @param {number} layer */
function smallsMissing({ head, smalls }, layer) {
  const cells = head.query_tokens.length * head.key_tokens.length;
  const count = Math.min(Math.max(Math.floor(AT_ONCE / cells), 1), MOST_SMALL);
  const away = (/** @type {number} */ number) => Math.abs(number - layer);
  return [...head.numbers]
    .sort((a, b) => away(a) - away(b))
    .flatMap((number) =>
      Array.from({ length: head.n_heads }, (_, i) => /** @type {Place} */ ([number, i])),
    )
    .filter(([number, i]) => !smalls.has(placeOf(number, i)))
    .slice(0, count);
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
 * Let go of the heads of a long text that came longest ago, and of maps; what is said of a head in
 * few numbers stays.
 * @param {Pick<Trace, "heads" | "summaries">} trace @param {Look} shown what stays
 * @param {number} [most] bytes of heads that may stay @param {number} [mostMaps] of maps
 */
export function forgetHeads({ heads, summaries }, shown, most = MEMORY, mostMaps = MAPS) {
  const stays = new Set(shown.heads.map((head) => placeOf(shown.layer, head)));
  let [bytes, maps] = [0, 0];
  for (const place of [...heads.keys()].reverse()) {
    bytes += heads.get(place)?.bytes ?? 0;
    if (bytes > most && !stays.has(place)) heads.delete(place);
  }
  for (const [place, summary] of [...summaries].reverse()) {
    maps += summary.maps?.weights.byteLength ?? 0;
    if (maps > mostMaps && !stays.has(place)) summary.maps = null;
  }
}

/**
 * About how large a page with so many layers, or heads of a long text, is, in bytes.
 * @param {Trace["head"]} head @param {number} each bytes of one @param {number} count
 */
export function pageBytes(
  { n_heads: nHeads, query_tokens: queries, thumb, numbers, long },
  each,
  count,
) {
  const small = long ? 0 : 2 * numbers.length * nHeads * thumb[0] * thumb[1];
  return PAGE_WITHOUT_WEIGHTS + WRITTEN * (count * each + small + 100 * queries.length);
}

/**
 * What can be taken away as a page; with cards also what they show, and what is seen now.
 * @param {Trace} trace @param {View} view @param {number} each bytes of a layer, or of a head
 * @returns {PageChoice[]}
 */
function choicesOf(trace, view, each) {
  const { head } = trace;
  const choices = choicesOfView(trace, view, each);
  if (!view.cards.length) return choices;
  const looks = [view, ...looksOf(view, head)];
  const layers = [...new Set(looks.map(({ layer }) => layer))];
  const places = looks.flatMap(({ layer, heads }) =>
    heads.map((i) => /** @type {Place} */ ([layer, i])),
  );
  const own = [...new Map(places.map((place) => [String(place), place])).values()];
  const of = head.long ? { layers: null, heads: own } : { layers, heads: null };
  const bytes = pageBytes(head, each, head.long ? own.length : layers.length);
  return [{ name: t("These cards"), bytes, of }, ...choices];
}

/** @param {Trace} trace @param {View} view @param {number} each @returns {PageChoice[]} */
function choicesOfView({ head }, { layer, heads }, each) {
  const bytes = (/** @type {number} */ count) => pageBytes(head, each, count);
  const all = head.numbers.length;
  if (!head.long) {
    return [
      {
        name: t("Layer {layer}", { layer }),
        bytes: bytes(1),
        of: { layers: [layer], heads: null },
      },
      {
        name: t("All {all} layers", { all }),
        bytes: bytes(all),
        of: { layers: null, heads: null },
      },
    ].slice(0, all); // one layer is all of it
  }
  const own = heads.map((i) => /** @type {Place} */ ([layer, i]));
  const name = own.length > 1 ? t("These {n} heads", { n: own.length }) : headName(layer, heads[0]);
  const whole = t("All {n} heads of layer {layer}", { n: head.n_heads, layer });
  return [
    { name, bytes: bytes(own.length), of: { layers: null, heads: own } },
    { name: whole, bytes: bytes(head.n_heads), of: { layers: [layer], heads: null } },
  ];
}

/** Bytes of one head of a long text on its way, with what is said of it. @param {Trace} trace */
function headBytes({ heads, summaries }) {
  const [head] = heads.values();
  const said = [...summaries.values()].map(({ maps, received }) =>
    maps ? maps.weights.byteLength + 2 * received.byteLength : 0,
  );
  return (head?.bytes ?? 0) + Math.max(0, ...said);
}

/**
 * @param {((request: Request) => void) | null} need null where there is no server
 * @param {number} first the number before the first page's
 * @param {() => boolean} [seen] whether anybody sees the page
 */
export function createSupply(need, first, seen = () => true) {
  let wanted = ""; // of the server, last
  let ticket = first; // of the last page asked for
  let apart = NOT_APART;
  let effects = false; // whether heads shall be switched off, one by one
  let each = 0; // bytes of a layer, or of a head, on its way
  return {
    /**
     * Ask for what is needed and not here, once.
     * @param {Trace} trace @param {View} view @param {Look} look @param {boolean} path
     */
    fetchMissing: (trace, view, look, path) => {
      const isSeen = seen();
      const request =
        need &&
        (missingNow(trace, view, look, path, isSeen, each) ??
          (isSeen ? toldLater(trace, view, effects, apart) : null));
      const key = request && JSON.stringify({ ...request, group: request.group?.name });
      if (!request || key === wanted) return;
      wanted = /** @type {string} */ (key);
      need(request);
    },
    /** All of a trace of which only an answer came, as after a page was left. @param {Trace} trace */
    fetchAll: (trace) => need?.({ ...asking(trace, 0), known: false }),
    /** @param {Trace} trace @param {View} view @param {PageOf} which */
    fetchPage: (trace, view, which) => {
      ticket = (ticket + 1) % TICKETS;
      need?.({ ...asking(trace, view.layer), page: { ticket, ...which, view: toParams(view) } });
    },
    /** @param {Trace} trace @param {View} view */
    pageChoices: (trace, view) => choicesOf(trace, view, each),
    /** Another trace: what is missing of it is asked for anew. */
    restart: () => {
      wanted = "";
      effects = false;
      apart = NOT_APART;
    },
    /** @param {Apart} asked what shall be taken apart */
    takeApart: (asked) => {
      apart = asked;
    },
    /** Heads shall be switched off, until another trace comes. */
    askEffects: () => {
      effects = true;
    },
    /**
     * What a payload brought is kept, as far as there is room.
     * @param {Trace} trace @param {Look} shown what stays
     */
    keep: (trace, shown) => {
      if (need) forget(trace.layers, shown.layer); // else they could not be had again
      if (need) forgetHeads(trace, shown);
      for (const layer of trace.layers.values()) each = layer.bytes;
      if (trace.head.long) each = headBytes(trace);
    },
    /** The page that was asked for last, once. @param {Trace} trace */
    pageOf: ({ page }) => {
      if (page?.ticket !== ticket) return null;
      ticket++; // the same payload may come again
      return page.bytes;
    },
  };
}
