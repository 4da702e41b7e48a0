// The instrument: one state, one render from it. It knows nothing of its host: a host mounts it on
// an element, feeds it payloads, and is told what the reader chose. A host that gives all layers at
// once has no needLayer, one that has no address to share no copyLink.

import { unpack } from "./data.js";
import { h, remember } from "./dom.js";
import { createFlow } from "./flow.js";
import { createGrid } from "./grid.js";
import { createHeatmap } from "./heatmap.js";
import { createReading } from "./reading.js";
import { fileName, offer, toCsv, toPng } from "./save.js";
import { createSays } from "./says.js";
import { modelOf, pooledModel, rankedHeads, readTheme, showsPinned, thumbOf } from "./scene.js";
import { createTable } from "./table.js";
import {
  createCombine,
  createCopy,
  createGridShows,
  createSave,
  createSteps,
  createSwitches,
} from "./tools.js";
import {
  chooseHead,
  clamp,
  fromParams,
  NO_HISTORY,
  note,
  pin,
  START,
  step,
  toParams,
} from "./view.js";
import { sentence } from "./words.js";

/**
 * @typedef {import("./data.js").Trace} Trace
 * @typedef {import("./view.js").View} View
 * @typedef {import("./words.js").Focus} Focus
 * @typedef {{
 *   hover: (focus: Focus | null) => void,
 *   walk: (focus: Focus) => void,
 *   pin: (row: number | null, column: number | null) => void,
 *   clear: () => void,
 *   peek: (layer: number | null, head?: number) => void,
 *   chooseHead: (layer: number, head: number, add: boolean) => void,
 *   chooseLayer: (layer: number) => void,
 * }} Actions
 * @typedef {{
 *   params: () => URLSearchParams,
 *   onView: (params: Record<string, string>, link: Record<string, string> | null) => void,
 *   needLayer: ((layer: number) => void) | null,
 *   copyLink: (() => Promise<boolean>) | null,
 * }} Host
 * @typedef {{thumbs?: boolean, model?: boolean, moved?: boolean}} Change what must be painted anew
 */

const MEMORY = 96 * 2 ** 20; // bytes of layers kept in the browser
const WIDE = 660; // pixels from which the switches are open at first

/**
 * @param {HTMLElement} root @param {Host} host
 * @returns {{update: (bytes: Uint8Array) => void, destroy: () => void}}
 */
export function mount(root, host) {
  /** @type {Trace | null} */
  let trace = null;
  /** @type {View} */
  let view = START;
  /** @type {import("./scene.js").Model | null} */
  let model = null; // what is painted: the chosen heads, or the last good ones while a layer loads
  /** @type {Focus | null} */
  let hovered = null;
  /** @type {{layer: number, head: number} | null} */
  let peeked = null;
  /** @type {Map<string, import("./scene.js").Thumb>} */
  let thumbs = new Map();
  /** @type {import("./scene.js").Ranked[]} */
  let ranked = []; // the heads that connect a pinned pair, strongest first
  let theme = readTheme(root);
  /** @type {Change} */
  let dirty = {};
  let frame = 0;
  /** @type {View | null} */
  let shown = null; // by the switches
  let history = NO_HISTORY;

  /** @type {Actions} */
  const actions = {
    hover: (focus) => {
      hovered = focus;
      ask({});
    },
    walk: (focus) => {
      hovered = focus;
      ask({});
      render(); // the next key may come before the next frame
    },
    pin: (row, column) => {
      if (!model) return;
      const query = row === null ? null : model.picture.rows[row].tokens[0];
      const key = column === null ? null : model.picture.columns[column].tokens[0];
      change((now) => pin(now, query, key), {});
    },
    clear: () => {
      hovered = null;
      change((now) => ({ ...now, query: null, key: null }), {});
    },
    peek: (layer, head = 0) => {
      peeked = layer === null ? null : { layer, head };
      ask({ model: true });
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

  const says = createSays(actions);
  const switches = createSwitches(change);
  const combine = createCombine(change);
  const gridShows = createGridShows(change);
  const copy = host.copyLink && createCopy(host.copyLink);
  const grid = createGrid(
    actions,
    h("div", { class: "ax-chosen" }, says.legend, combine.element, gridShows.element, says.ranking),
  );
  const heatmap = createHeatmap(actions);
  const flow = createFlow(actions);
  const reading = createReading(actions);
  const table = createTable(() => ask({}));
  const blank = h(
    "p",
    { class: "ax-empty" },
    "Nothing to show: every token is special, and special tokens are hidden. Choose “shown” above.",
  );
  const panels = h("div", { class: "ax-panels" });
  panels.append(reading.element, grid.element, flow.element, heatmap.element, table.element);
  const files = createSave(savePng, saveCsv);
  const steps = createSteps(travel);
  const away = h(
    "div",
    { class: "ax-away" },
    ...steps.elements,
    ...(copy ? [copy.element] : []),
    ...files,
  );
  const words = h("div", { class: "ax-words" }, h("div", {}, says.sentence, says.notes), away);
  switches.element.open = root.clientWidth >= WIDE; // on a phone the picture comes first
  root.replaceChildren(switches.element, words, blank, panels, says.spoken);
  root.onkeydown = (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    travel(event.shiftKey ? "future" : "past");
  };
  const observer = new ResizeObserver(() => ask({ thumbs: true, model: true }));
  observer.observe(root);

  /** @param {(now: View) => View} next @param {Change} what */
  function change(next, what) {
    if (!trace) return;
    const wanted = clamp(next(view), trace.head);
    history = note(history, view, wanted);
    turnTo(wanted, what);
  }

  /** Undo or redo. @param {"past" | "future"} where */
  function travel(where) {
    const found = step(history, view, where);
    if (!found) return;
    history = found[0];
    turnTo(found[1], { thumbs: true, model: true, moved: true });
  }

  /** @param {View} wanted @param {Change} what */
  function turnTo(wanted, what) {
    if (!trace) return;
    const before = view;
    view = wanted;
    const repinned = before.query !== view.query || before.key !== view.key;
    const regrid = before.grid !== view.grid || (view.grid === "pinned" && repinned);
    if (!trace.layers.has(view.layer)) host.needLayer?.(view.layer);
    host.onView(toParams(view), trace.head.link);
    ask(regrid ? { ...what, thumbs: true } : what);
  }

  /** @param {Change} what */
  function ask(what) {
    dirty = {
      thumbs: dirty.thumbs || what.thumbs,
      model: dirty.model || what.model,
      moved: dirty.moved || what.moved,
    };
    if (!frame) frame = requestAnimationFrame(render);
  }

  function render() {
    cancelAnimationFrame(frame);
    frame = 0;
    if (!trace || !root.clientWidth) return; // in a hidden tab; the observer asks again
    const { thumbs: newThumbs, model: newModel, moved = false } = dirty;
    dirty = {};
    if (newThumbs) {
      thumbs = new Map();
      const pair = showsPinned(view) && view.query !== null && view.key !== null;
      ranked = pair ? rankedHeads(trace, view) : [];
    }
    if (newModel || newThumbs || !model) model = nextModel(trace);
    if (!model) return;
    const scene = sceneOf(trace, model, moved);
    const nothing = !model.picture.rows.length;
    blank.hidden = !nothing;
    panels.hidden = nothing;
    if (shown !== view) {
      shown = view;
      switches.show(view);
      combine.show(view);
      gridShows.show(view);
      copy?.show(trace.head.link !== null);
      steps.show(history);
    }
    says.show(scene, hovered !== null);
    if (nothing) return;
    if (newThumbs) {
      grid.draw(scene);
      says.rank(ranked, scene);
    } else grid.mark(scene);
    for (const panel of [heatmap, flow, reading]) {
      if (newModel || newThumbs) panel.draw(scene);
      else panel.focus(scene);
    }
    table.fill(scene);
    const heads = `${view.layer}.${view.heads.join(".")}`;
    root.dataset.painted = `${trace.head.id} ${heads}${scene.loading ? " loading" : ""}`;
  }

  /** The chosen heads, or what is pointed at in the grid. @param {Trace} now */
  function nextModel(now) {
    const chosen = modelOf(now, view, view.layer, view.heads) ?? model ?? fallback(now);
    if (!peeked || !chosen) return chosen;
    const { layer, head } = peeked;
    const preview = modelOf(now, view, layer, [head]);
    return preview ?? pooledModel(chosen, thumb(now, layer, head), layer, head);
  }

  /** Some layer that is here, while the wanted one is on its way. @param {Trace} now */
  function fallback(now) {
    const [layer] = now.layers.keys();
    return layer === undefined ? null : modelOf(now, view, layer, view.heads);
  }

  /** @param {Trace} now @param {number} layer @param {number} head */
  function thumb(now, layer, head) {
    return remember(thumbs, `${layer}.${head}`, () =>
      thumbOf(now, view, layer, head, ranked[0]?.weight ?? 1),
    );
  }

  /**
   * @param {Trace} now @param {import("./scene.js").Model} painted @param {boolean} moved
   * @returns {import("./scene.js").Scene}
   */
  function sceneOf(now, painted, moved) {
    const point = hovered ?? {
      row: view.query === null ? null : painted.rowOfToken[view.query],
      column: view.key === null ? null : painted.columnOfToken[view.key],
    };
    const inside = (/** @type {number | null} */ i, /** @type {number} */ n) =>
      i !== null && i >= 0 && i < n ? i : null;
    const focus = {
      row: inside(point.row, painted.picture.rows.length),
      column: inside(point.column, painted.picture.columns.length),
    };
    const loading = !now.layers.has(view.layer);
    const parts = sentenceOf(painted, focus, loading);
    const says = parts.flat().join("");
    const small = (/** @type {number} */ layer, /** @type {number} */ head) =>
      thumb(now, layer, head);
    return {
      trace: now,
      view,
      model: painted,
      theme,
      focus,
      loading,
      moved,
      parts,
      says,
      thumb: small,
    };
  }

  /** @param {import("./scene.js").Model} painted @param {Focus} focus @param {boolean} loading */
  function sentenceOf({ name, picture, pooled, shares }, focus, loading) {
    if (pooled) return [`${name}: a small preview; click to see it in full.`];
    return loading ? [`Loading layer ${view.layer}…`] : sentence(name, picture, focus, shares);
  }

  function titleOf() {
    if (!trace || !model) return "";
    const text = trace.head.texts.join(" / ").replace(/\s+/g, " ");
    return `${trace.head.title} · ${model.name} · ${text}`;
  }

  async function savePng() {
    if (!model) return;
    const stacks = [heatmap, flow].map((panel) => [...panel.element.querySelectorAll("canvas")]);
    const blob = await toPng(titleOf(), stacks, theme);
    if (blob) offer(blob, fileName(model.name, "png"));
  }

  function saveCsv() {
    if (!model) return;
    const csv = new Blob([toCsv(model.picture, model.name)], { type: "text/csv" });
    offer(csv, fileName(model.name, "csv"));
  }

  /** @param {Uint8Array} bytes */
  function update(bytes) {
    const next = unpack(bytes);
    theme = readTheme(root);
    if (trace && trace.head.id === next.head.id) {
      next.layers = new Map([...trace.layers, ...next.layers]); // oldest first
    } else {
      arrive(next, trace === null);
    }
    trace = next;
    shown = null;
    forget(trace);
    view = clamp(view, trace.head);
    if (!trace.layers.has(view.layer)) host.needLayer?.(view.layer);
    ask({ thumbs: true, model: true, moved: true });
  }

  /**
   * A new trace: keep the reader's switches, drop pins of another text, take the link's word.
   * @param {Trace} next @param {boolean} first
   */
  function arrive(next, first) {
    const opening = Object.entries(next.head.opening ?? {}).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(".") : String(value),
    ]);
    hovered = peeked = model = null;
    history = NO_HISTORY;
    view = fromParams({ ...view, query: null, key: null }, new URLSearchParams(opening));
    view = clamp(fromParams(view, host.params()), next.head);
    if (!first) host.onView(toParams(view), next.head.link);
  }

  /** Let go of the layers loaded longest ago. @param {Trace} now */
  function forget(now) {
    if (!host.needLayer) return; // they could not be had again
    for (const [layer, codes] of [...now.layers]) {
      if (now.layers.size * codes.byteLength <= MEMORY) return;
      if (layer !== view.layer) now.layers.delete(layer);
    }
  }

  return {
    update,
    destroy: () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      root.replaceChildren();
    },
  };
}
