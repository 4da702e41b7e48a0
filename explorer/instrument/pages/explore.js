// The instrument: one state, one render from it. It knows nothing of its host: a host mounts it on
// an element, feeds it payloads, and is told what the reader chose. A host that gives everything at
// once has no need, one that has no address to share no copyLink, one without other pages no walk.

import { remember } from "../numbers/basics.js";
import { frameAt, mapSize, merge, turnFilm, unpack } from "../numbers/data.js";
import {
  areThumbsExact,
  isAnswered,
  modelOf,
  pinnedNumbers,
  pooledModel,
  thumbOf,
  unitsHolding,
  wholeThumb,
  wishOf,
} from "../numbers/scene.js";
import {
  chooseHead,
  clamp,
  fromParams,
  hasView,
  isPinned,
  NO_HISTORY,
  note,
  pin,
  pinPair,
  START,
  step,
  toParams,
} from "../numbers/view.js";
import { sentence } from "../numbers/words.js";
import { createCaptions } from "../panels/captions.js";
import { createFilm } from "../panels/film.js";
import { createFlow } from "../panels/flow.js";
import { createGrid } from "../panels/grid.js";
import { createHeatmap } from "../panels/heatmap.js";
import { createLayers } from "../panels/layers.js";
import { createPinned } from "../panels/pinned.js";
import { createReading } from "../panels/reading.js";
import { h } from "../parts/dom.js";
import { readTheme } from "../parts/theme.js";
import {
  createCombine,
  createCopy,
  createGridShows,
  createSteps,
  createSwitches,
  createWalk,
} from "../parts/tools.js";
import { createFiles } from "../save/files.js";

/**
 * @typedef {import("../numbers/data.js").Trace} Trace
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/view.js").View} View
 * @typedef {import("../numbers/words.js").Focus} Focus
 * @typedef {{draw: (scene: Scene) => void, focus: (scene: Scene) => void}} Panel
 * @typedef {{
 *   hover: (focus: Focus | null, from: Panel) => void,
 *   walk: (focus: Focus) => void,
 *   pick: (side: "row" | "column", units: number[], add: boolean) => void,
 *   pickPair: (rows: number[], columns: number[], add: boolean) => void,
 *   clear: () => void,
 *   peek: (layer: number | null, head?: number) => void,
 *   chooseHead: (layer: number, head: number, add: boolean) => void,
 *   chooseLayer: (layer: number) => void,
 * }} Actions
 * @typedef {{trace: string, layer: number, group: import("../numbers/scene.js").Wish | null, means: boolean,
 *            page: {ticket: number, layers: number[] | null, view: Record<string, string>} | null}} Want
 *   everything that is wanted of the server; want.py checks it
 * @typedef {{
 *   params: () => URLSearchParams,
 *   onView: (params: Record<string, string>, link: Record<string, string> | null) => void,
 *   need: ((want: Want) => void) | null,
 *   copyLink: (() => Promise<boolean>) | null,
 *   walk: ((view: Record<string, string>) => void) | null,
 *   onFocus: ((tokens: Places | null) => void) | null,
 * }} Host
 * @typedef {{queries: number[], keys: number[]}} Places tokens that look, tokens that are looked at
 * @typedef {{update: (bytes: Uint8Array) => void, retheme: () => void, destroy: () => void,
 *            point: (tokens: Places | null) => void, look: (next: (now: View) => View) => void,
 *            now: () => {trace: Trace, view: View} | null}} Instrument
 *   point, look: as if the reader had pointed or chosen
 * @typedef {{thumbs?: boolean, model?: boolean, moved?: boolean, peek?: boolean}} Change
 *   what must be painted anew; peek: only for a look, so the panels may follow one frame each
 */

const MEMORY = 96 * 2 ** 20; // bytes of layers kept in the browser
const LONG = 150_000; // weights of a head from which a passing look is a small one
const REST = 60; // ms that a look at a head stays before all panels follow it
const WIDE = 660; // pixels from which the switches are open at first
const PAGE_WITHOUT_WEIGHTS = 220_000; // bytes, about

/** @param {Focus | null} one @param {Focus | null} other */
const same = (one, other) =>
  one === other ||
  (one !== null &&
    String(one.rows) === String(other?.rows) &&
    String(one.columns) === String(other?.columns));

/**
 * @param {HTMLElement} root @param {Host} host
 * @returns {Instrument}
 */
export function mount(root, host) {
  /** @type {Trace | null} */
  let trace = null;
  /** @type {View} */
  let view = START;
  /** @type {import("../numbers/scene.js").Model | null} */
  let chosen = null; // of the chosen heads, or the last good one while a layer loads
  /** @type {import("../numbers/scene.js").Model | null} */
  let model = null; // what is painted: the chosen heads, or what is peeked at
  /** @type {Focus | null} */
  let hovered = null;
  /** @type {{layer: number, head: number, stays: boolean} | null} */
  let peeked = null; // the head that is looked at, and whether the look has stayed on it
  /** @type {Map<string, import("../numbers/scene.js").Thumb>} */
  let thumbs = new Map();
  /** @type {import("../numbers/scene.js").Wish | null} */
  let wish = null; // what is pinned, as a question to every head
  /** @type {import("../numbers/scene.js").Ranked[]} */
  let numbers = []; // a pinned pair's number in every head, strongest first
  let theme = readTheme(root);
  /** @type {Change} */
  let dirty = {};
  let frame = 0;
  /** @type {((scene: Scene) => void)[]} */
  let undrawn = []; // what a new picture has not reached yet
  /** @type {Panel[]} */
  let behind = []; // panels that do not show yet what is pointed at
  /** @type {View | null} */
  let shown = null; // by the switches
  /** @type {Scene | null} */
  let scene = null;
  let history = NO_HISTORY;
  let resting = 0; // the clock of a look
  /** @type {Panel | null} */
  let source = null; // the panel in which something was pointed at, since the last frame
  let several = false; // every click adds
  let wanted = ""; // of the server, last
  let ticket = Date.now() % 90_000; // of the last page asked for
  let layerBytes = 0; // of a layer on its way

  /** @type {Actions} */
  const actions = {
    hover: (focus, from) => {
      if (same(focus, hovered)) return;
      hovered = focus;
      source = from;
      tell();
      ask({});
    },
    walk: (focus) => {
      hovered = focus;
      source = null;
      tell();
      ask({ model: dirty.model }); // a look that waits is painted whole
      render(); // the next key may come before the next frame
    },
    pick: (side, units, add) => {
      const tokens = tokensOf(side, units);
      const name = side === "row" ? "queries" : "keys";
      change((now) => pin(now, name, tokens, add || several), {});
    },
    pickPair: (rows, columns, add) => {
      const [queries, keys] = [tokensOf("row", rows), tokensOf("column", columns)];
      const both = (/** @type {View} */ now) =>
        pin(pin(now, "queries", queries, true), "keys", keys, true);
      change((now) => (add || several ? both(now) : pinPair(now, queries, keys)), {});
    },
    clear: () => {
      hovered = null;
      change((now) => ({ ...now, queries: [], keys: [] }), {});
    },
    peek: (layer, head = 0) => {
      peeked = layer === null ? null : { layer, head, stays: false };
      ask({ model: true, peek: true });
    },
    chooseHead: (layer, head, add) => {
      peeked = null;
      change((now) => chooseHead(now, layer, head, add), { model: true, moved: true });
    },
    chooseLayer: (layer) => {
      peeked = null;
      const heads = Array.from({ length: trace?.head.n_heads ?? 1 }, (_, head) => head);
      change((now) => ({ ...now, layer, heads }), { model: true });
    },
  };

  const says = createCaptions(actions);
  const switches = createSwitches(change);
  const combine = createCombine(change);
  const gridShows = createGridShows(change);
  const copy = host.copyLink && createCopy(host.copyLink);
  const picked = createPinned(change, actions.clear, (on) => {
    several = on;
  });
  const grid = createGrid(
    actions,
    h("div", { class: "ax-chosen" }, says.legend, combine.element, gridShows.element, says.ranking),
  );
  const heatmap = createHeatmap(actions);
  const flow = createFlow(actions, change);
  const reading = createReading(actions);
  const film = createFilm((next) => change(next, { thumbs: true, model: true }));
  const layers = createLayers(actions, change, (open) => {
    if (open) fetchMissing();
    ask({ model: true });
  });
  const blank = h(
    "p",
    { class: "ax-empty" },
    "Nothing to show: every token is special, and special tokens are hidden. Choose “shown” above.",
  );
  const panels = h("div", { class: "ax-panels" });
  panels.append(reading.element, grid.element, flow.element, heatmap.element, layers.element);
  const files = createFiles(
    {
      everything: () => [
        film.element,
        says.sentence,
        says.notes,
        picked.element,
        ...panelsInSight(),
      ],
      reading: () => [reading.element],
      grid: () => [grid.element],
      flow: () => [flow.element],
      heatmap: () => [heatmap.element],
      layers: () => (layers.isOpen() ? [layers.element] : []),
    },
    () => scene,
    { bytes: pageBytes, fetch: host.need && fetchPage },
  );
  const steps = createSteps(travel);
  const walk = host.walk && createWalk(() => host.walk?.(toParams(view)));
  const away = h(
    "div",
    { class: "ax-away" },
    ...steps.elements,
    ...(walk ? [walk] : []),
    ...(copy ? [copy.element] : []),
    files.element,
  );
  const words = h("div", { class: "ax-words" }, h("div", {}, says.sentence, says.notes), away);
  switches.element.open = root.clientWidth >= WIDE; // on a phone the picture comes first
  root.replaceChildren(
    ...[film.element, switches.element, words, picked.element, blank, panels, says.spoken],
  );
  root.onkeydown = (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    travel(event.shiftKey ? "future" : "past");
  };
  let wide = 0; // the width that was painted for
  const observer = new ResizeObserver(() => {
    if (root.clientWidth !== wide) ask({ thumbs: true, model: true });
  });
  observer.observe(root);

  const panelsInSight = () => [
    ...[reading.element, grid.element, flow.element, heatmap.element],
    ...(layers.isOpen() ? [layers.element] : []),
  ];

  /** @param {"row" | "column"} side @param {number[]} units */
  function tokensOf(side, units) {
    const all = side === "row" ? model?.picture.rows : model?.picture.columns;
    return units.flatMap((unit) => all?.[unit]?.tokens ?? []);
  }

  /** Tell the host what is pointed at. */
  function tell() {
    const [rows, columns] = [hovered?.rows ?? [], hovered?.columns ?? []];
    const tokens = { queries: tokensOf("row", rows), keys: tokensOf("column", columns) };
    host.onFocus?.(hovered && tokens);
  }

  /** @param {Places | null} tokens */
  function point(tokens) {
    if (!model) return;
    const { rowOfToken, columnOfToken } = model.layout;
    hovered = tokens && {
      rows: unitsHolding(tokens.queries, rowOfToken),
      columns: unitsHolding(tokens.keys, columnOfToken),
    };
    ask({});
  }

  /** @param {(now: View) => View} next @param {Change} what */
  function change(next, what) {
    if (!trace) return;
    const clamped = clamp(next(view), trace.head);
    history = note(history, view, clamped);
    turnTo(clamped, what);
  }

  /** Undo or redo. @param {"past" | "future"} where */
  function travel(where) {
    const found = step(history, view, where);
    if (!found) return;
    history = found[0];
    turnTo(found[1], { thumbs: true, model: true, moved: true });
  }

  /** @param {View} next @param {Change} what */
  function turnTo(next, what) {
    if (!trace) return;
    const before = view;
    view = next;
    const repinned =
      String([before.queries, [], before.keys]) !== String([view.queries, [], view.keys]);
    fetchMissing();
    host.onView(toParams(view), trace.head.link);
    ask(before.grid !== view.grid || repinned ? { ...what, thumbs: true } : what);
  }

  /** Ask the server for what is needed and not here. @param {number} [layer] */
  function fetchMissing(layer = view.layer) {
    if (!trace || !host.need) return;
    const all = trace.layers.size === trace.head.numbers.length;
    const group = all ? null : wishOf(trace, view);
    const means = !all && layers.isOpen();
    const missing =
      !trace.layers.has(layer) ||
      (group !== null && !isAnswered(trace, group)) ||
      (means && !trace.means);
    const key = `${trace.head.id} ${layer} ${group?.name} ${means}`;
    if (!missing || key === wanted) return;
    wanted = key;
    host.need({ trace: trace.head.id, layer, group, means, page: null });
  }

  /** @param {number[] | null} which layers; null for all */
  function fetchPage(which) {
    if (!trace || !host.need) return;
    ticket = (ticket + 1) % 100_000;
    const page = { ticket, layers: which, view: toParams(view) };
    host.need({ trace: trace.head.id, layer: view.layer, group: null, means: false, page });
  }

  /** About how large a page with so many layers is. @param {number} count */
  function pageBytes(count) {
    if (!trace) return 0;
    const { n_heads: nHeads, query_tokens: queries, thumb, numbers } = trace.head;
    const small = 2 * numbers.length * nHeads * thumb[0] * thumb[1];
    return PAGE_WITHOUT_WEIGHTS + (4 / 3) * (count * layerBytes + small + 100 * queries.length);
  }

  /** @param {Change} what */
  function ask(what) {
    const peek = what.model ? what.peek && (!dirty.model || dirty.peek) : dirty.peek;
    dirty = {
      thumbs: dirty.thumbs || what.thumbs,
      model: dirty.model || what.model,
      moved: dirty.moved || what.moved,
      peek,
    };
    if (!frame) frame = requestAnimationFrame(render);
  }

  function render() {
    cancelAnimationFrame(frame);
    frame = 0;
    if (!trace || !root.clientWidth) return; // in a hidden tab; the observer asks again
    wide = root.clientWidth;
    const { thumbs: newThumbs, model: newModel, moved = false, peek } = dirty;
    dirty = {};
    if (trace.film) turnFilm(trace, frameAt(trace.film, view.step));
    if (newThumbs) {
      thumbs = new Map();
      wish = wishOf(trace, view);
      numbers = pinnedNumbers(trace, wish);
    }
    if ((newModel && !peek) || newThumbs || !chosen) {
      chosen = modelOf(trace, view, view.layer, view.heads) ?? chosen ?? fallback(trace);
    }
    if (newModel || newThumbs || !model) model = peekedModel(trace);
    if (!model) return;
    scene = sceneOf(trace, model, moved);
    const nothing = !model.picture.rows.length;
    blank.hidden = !nothing;
    panels.hidden = nothing;
    if (!nothing) paintPanels(scene, Boolean(newModel || newThumbs), Boolean(peek && !newThumbs));
    if (shown !== view) showView(scene); // after the panels, which ask for sizes
    if (nothing) return says.show(scene, false);
    if (newThumbs) {
      grid.draw(scene);
      says.rank(scene);
    } else grid.mark(scene);
    says.show(scene, hovered !== null);
    if (newModel || newThumbs) film.draw(scene);
    const heads = `${view.layer}.${view.heads.join(".")}`;
    const step = trace.film ? ` step ${trace.film.steps[frameAt(trace.film, view.step)]}` : "";
    root.dataset.painted = `${trace.head.id} ${heads}${step}${scene.loading ? " loading" : ""}`;
  }

  /** The switches and what is pinned. @param {Scene} now */
  function showView(now) {
    shown = view;
    switches.show(view);
    combine.show(view);
    gridShows.show(view);
    copy?.show(now.trace.head.link !== null);
    steps.show(history);
  }

  /**
   * The panel that the hand is in is painted at once, and so is the heatmap of a head that is looked
   * at; the others follow in the next frames, or once the look stays, unless the hand has moved on.
   * @param {Scene} now @param {boolean} anew @param {boolean} look
   */
  function paintPanels(now, anew, look) {
    const from = source;
    source = null;
    behind = [];
    clearTimeout(resting);
    if (anew) {
      heatmap.draw(now);
      undrawn = [flow.draw, reading.draw, layers.draw, says.describe, picked.show];
      if (!look) for (const draw of undrawn.splice(0, 3)) draw(now);
    } else if (undrawn.length) {
      for (const draw of undrawn.splice(0)) draw(now);
      behind = [heatmap, flow, reading, layers];
      follow(now);
    } else {
      const panels = [heatmap, flow, reading, layers];
      const first = panels.find((panel) => panel === from);
      first?.focus(now);
      behind = panels.filter((panel) => panel !== first);
      if (!first) follow(now);
    }
    if (look) resting = window.setTimeout(rest, REST);
    else if (undrawn.length || behind.length) requestAnimationFrame(paintNext);
  }

  /** @param {Scene} now */
  function follow(now) {
    for (const panel of behind.splice(0)) panel.focus(now);
  }

  /** A look that stays: it is shown in full, all panels follow, and a missing layer is fetched. */
  function rest() {
    if (!peeked) return paintNext();
    peeked.stays = true;
    fetchMissing(peeked.layer);
    if (model?.pooled && trace?.layers.has(peeked.layer)) ask({ model: true });
    else paintNext();
  }

  function paintNext() {
    if (!scene || frame) return; // a new picture is on its way
    follow(scene);
    undrawn.shift()?.(scene);
    if (undrawn.length) requestAnimationFrame(paintNext);
  }

  /** The chosen heads, or what is pointed at in the grid. @param {Trace} now */
  function peekedModel(now) {
    if (!peeked || !chosen) return chosen;
    const { layer, head, stays } = peeked;
    // Of a long text a passing look shows the small picture, larger: the whole would cost a frame.
    const preview = stays || mapSize(now.head) < LONG ? modelOf(now, view, layer, [head]) : null;
    return preview ?? pooledModel(chosen, wholeThumb(now, view, layer, head), layer, head);
  }

  /** Some layer that is here, while the wanted one is on its way. @param {Trace} now */
  function fallback(now) {
    const [layer] = now.layers.keys();
    return layer === undefined ? null : modelOf(now, view, layer, view.heads);
  }

  /**
   * @param {Trace} now @param {import("../numbers/scene.js").Model} painted @param {boolean} moved
   * @returns {Scene}
   */
  function sceneOf(now, painted, moved) {
    const { rowOfToken, columnOfToken } = painted.layout;
    const point = hovered ?? {
      rows: unitsHolding(view.queries, rowOfToken),
      columns: unitsHolding(view.keys, columnOfToken),
    };
    const { picture } = painted;
    const focus = {
      rows: point.rows.filter((i) => i < picture.rows.length),
      columns: point.columns.filter((i) => i < picture.columns.length),
    };
    const loading = !now.layers.has(view.layer);
    const parts = sentenceOf(painted, focus, loading);
    return {
      trace: now,
      view,
      model: painted,
      theme,
      focus,
      given: focus.rows.length ? painted.given(focus.rows) : null,
      got: focus.columns.length ? painted.got(focus.columns) : null,
      loading,
      moved,
      parts,
      says: parts.flat().join(""),
      thumb: (layer, head) =>
        remember(thumbs, `${layer}.${head}`, () =>
          thumbOf(now, view, wish, layer, head, numbers[0]?.weight ?? 1),
        ),
      pinnedNumbers: numbers,
    };
  }

  /** @param {import("../numbers/scene.js").Model} painted @param {Focus} focus @param {boolean} loading */
  function sentenceOf(painted, focus, loading) {
    const { name, pooled } = painted;
    if (pooled) return [`${name}: a small preview; stay or click to see it in full.`];
    if (!loading) return sentence(painted, focus);
    const how = host.need ? "Loading layer" : "This file does not hold layer";
    return [`${how} ${view.layer}${host.need ? "…" : "."}`];
  }

  /** @param {Uint8Array} bytes */
  function update(bytes) {
    const next = unpack(bytes);
    theme = readTheme(root);
    const more = trace?.head.id === next.head.id; // of the same trace
    if (trace && more) {
      merge(next, trace);
      // The same tokens: what is known of them stays.
      next.head.query_tokens = trace.head.query_tokens;
      next.head.key_tokens = trace.head.key_tokens;
    } else {
      arrive(next, trace === null);
    }
    trace = next;
    if (trace.film) turnFilm(trace, frameAt(trace.film, view.step));
    shown = null;
    forget(trace);
    view = clamp(view, trace.head);
    for (const layer of trace.layers.values()) layerBytes = layer.bytes;
    if (next.page && next.page.ticket === ticket) {
      files.arrived(next.page.bytes);
      ticket++; // the same payload may come again
    }
    fetchMissing();
    // Of a long text the small pictures were all here; an answer about what is pinned changes them.
    const thumbsToo = !more || isPinned(view) || areThumbsExact(trace);
    ask({ thumbs: thumbsToo, model: true, moved: true });
  }

  /** Paint in the page's colours of now. */
  function retheme() {
    const now = readTheme(root);
    if (now.text === theme.text && now.page === theme.page) return;
    theme = now;
    ask({ thumbs: true, model: true });
  }

  /**
   * A new trace: keep the reader's switches, drop pins of another text, take the link's word.
   * @param {Trace} next @param {boolean} first
   */
  function arrive(next, first) {
    hovered = peeked = model = chosen = null;
    wanted = "";
    history = NO_HISTORY;
    const link = host.params();
    const fresh = { ...view, queries: [], keys: [], grid: START.grid };
    view = hasView(link) ? fresh : fromParams(fresh, openingOf(next));
    view = clamp(fromParams(view, link), next.head);
    if (!first) host.onView(toParams(view), next.head.link);
  }

  /** The view that an example opens with. @param {Trace} next */
  function openingOf({ head }) {
    const entries = Object.entries(head.opening ?? {}).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(".") : String(value),
    ]);
    return new URLSearchParams(entries);
  }

  /** Let go of the layers loaded longest ago. @param {Trace} now */
  function forget(now) {
    if (!host.need) return; // they could not be had again
    for (const [layer, { bytes }] of [...now.layers]) {
      if (now.layers.size * bytes <= MEMORY) return;
      if (layer !== view.layer) now.layers.delete(layer);
    }
  }

  return {
    update,
    retheme,
    point,
    look: (next) => change(next, { thumbs: true, model: true, moved: true }),
    now: () => trace && { trace, view },
    destroy: () => {
      cancelAnimationFrame(frame);
      clearTimeout(resting);
      film.pause();
      undrawn = [];
      observer.disconnect();
      root.replaceChildren();
    },
  };
}
