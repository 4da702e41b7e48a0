// Layers as a path: tokens × layers, and the way of attention from an output down to the input.

import { bound, remember } from "../numbers/basics.js";
import { meanWeights } from "../numbers/data.js";
import { edgesOf, indexAt, touching } from "../numbers/edges.js";
import { percent } from "../numbers/model.js";
import { follow, shownOf } from "../numbers/path.js";
import { layoutOf, pictureOf, unitsHolding } from "../numbers/scene.js";
import { named, pathNote, pathSentence } from "../numbers/words.js";
import { choice, h, keys, slider } from "../parts/dom.js";
import { paintOn, plate, shorten } from "../parts/paint.js";
import { createTable } from "../parts/table.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../parts/paint.js").Pen} Pen
 * @typedef {ReturnType<typeof shownOf>} Path
 */

const MAX_HEIGHT = 560;
const ROW = [18, 26]; // pixels, least and most
const HEAD = 22; // of the line with the names of the levels
const LABEL = 0.16; // of the width, on each side
const LABEL_LEAST = 92; // pixels
const TONES = 8;
const SURE = 0.005; // a share from which it is written

/**
 * @param {import("../pages/explore.js").Actions} actions @param {import("../parts/tools.js").Change} change
 * @param {(open: boolean) => void} opened
 */
export function createLayers(actions, change, opened) {
  const base = document.createElement("canvas");
  const stage = h("div", { class: "ax-stage" }, base);
  const spacer = h("div", { class: "ax-spacer" }, stage);
  const scroller = h(
    "div",
    {
      class: "ax-scroll",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "paths through the layers",
    },
    spacer,
  );
  const says = h("p", { class: "ax-help ax-path-says" });
  const heads = choice(
    "Heads",
    [
      ["all", "mean of all", "The mean over all heads of every layer"],
      [
        "chosen",
        "the chosen ones",
        "In their layer the chosen heads, in the others the mean of all",
      ],
    ],
    (/** @type {"all" | "chosen"} */ value) =>
      change((view) => ({ ...view, path: value }), { model: true }),
  );
  const residual = slider(
    "Residual share",
    "The share of a layer’s output that the residual connection brings, in per cent",
    [0, 100, 5],
    (value) => change((view) => ({ ...view, residual: value }), { model: true }),
  );
  const table = createTable("paths", contentOf);
  const body = h(
    "div",
    {},
    h(
      "p",
      { class: "ax-help ax-tip" },
      "Every column is the text after one more layer; the input is on the left, the output on the right. " +
        "Point at a word in any column to follow its attention down to the input; click pins an output.",
    ),
    h("div", { class: "ax-tools" }, heads.element, residual.element),
    says,
    scroller,
    h(
      "p",
      { class: "ax-help ax-under" },
      "Attention rollout (Abnar and Zuidema 2020): it follows weights alone, not what the values and the " +
        "feed-forward layers do with them. Lines: the fewest that hold the share set above, and at least 1/1500 each.",
    ),
    table.element,
  );
  const element = /** @type {HTMLDetailsElement} */ (
    h(
      "details",
      { class: "ax-panel ax-panel-layers", "aria-label": "Layers as a path" },
      h("summary", {}, "Layers as a path: from an output down to the input"),
      body,
    )
  );
  element.addEventListener("toggle", () => opened(element.open));

  /** @type {Scene | null} */
  let scene = null;
  /** @type {{level: number, unit: number} | null} */
  let at = null; // the node that is pointed at
  const box = { width: 1, height: 1, row: 20, left: 0, step: 1 };
  let edges = edgesOf([]);
  let scrolled = 0; // asking the element would cost a layout
  /** @type {{model: unknown, maps: Map<number, Float32Array>, paths: Map<string, Path>}} */
  let known = { model: null, maps: new Map(), paths: new Map() };

  scroller.addEventListener("scroll", () => {
    scrolled = scroller.scrollTop;
    if (scene) repaint();
  });
  stage.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") point(nodeAt(event));
  });
  stage.addEventListener("pointerleave", () => point(null));
  stage.addEventListener("click", (event) => {
    const node = nodeAt(event);
    if (node) actions.pick("row", [node.unit], event.shiftKey);
  });
  keys(
    scroller,
    (dx, dy) => {
      if (!scene) return;
      const now = at ?? { level: nLevels(), unit: 0 };
      const unit = bound(now.unit + dy, 0, edges.length - 2);
      const y = edges[unit];
      if (y < scrolled || y + box.row > scrolled + box.height - HEAD) {
        scroller.scrollTop = y - box.height / 2;
        scrolled = scroller.scrollTop;
      }
      point(at ? { level: bound(now.level + dx, 1, nLevels()), unit } : now);
    },
    (shift) => at && actions.pick("row", [at.unit], shift),
    () => {
      at = null;
      actions.clear();
    },
  );

  const nLevels = () => scene?.trace.head.numbers.length ?? 1;

  /** The model’s own number of the layer below a level. @param {number} level */
  const numberBelow = (level) => scene?.trace.head.numbers[level - 1] ?? 0;
  const nUnits = () => scene?.model.layout.rows.length ?? 0;

  /** @param {MouseEvent} event */
  function nodeAt(event) {
    const frame = stage.getBoundingClientRect();
    const y = event.clientY - frame.top - HEAD + scrolled;
    const unit = indexAt(edges, y);
    const level = Math.round((event.clientX - frame.left - box.left) / box.step);
    if (unit < 0 || event.clientY - frame.top < HEAD) return null;
    return { level: bound(level, 1, nLevels()), unit };
  }

  /** @param {{level: number, unit: number} | null} node */
  function point(node) {
    if (at?.level === node?.level && at?.unit === node?.unit) return;
    at = node;
    if (scene) repaint();
  }

  /** Whether every layer's attention is here. */
  function isHere() {
    if (!scene) return false;
    const { trace } = scene;
    return trace.means !== null || trace.layers.size === trace.head.numbers.length;
  }

  /** Attention passes hidden tokens too: they are left out of the drawing, not of the sums. */
  function followedView() {
    const { words, specials } = /** @type {Scene} */ (scene).view;
    return { words, specials: specials === "hidden" ? /** @type {const} */ ("shown") : specials };
  }

  /** A layer's attention between the units. @param {number} i the layer's place */
  function mapOf(i) {
    return remember(known.maps, i, () => {
      const { view, trace } = /** @type {Scene} */ (scene);
      const layer = numberBelow(i + 1);
      const chosen = view.path === "chosen" && layer === view.layer && trace.layers.has(layer);
      const weights = meanWeights(trace, layer, chosen ? view.heads : undefined);
      const here = /** @type {Float32Array} */ (weights); // nothing is drawn before all layers are
      return pictureOf(trace, followedView(), here).weights;
    });
  }

  /** @param {number} level @param {number[]} units */
  function pathFrom(level, units) {
    return remember(known.paths, `${level} ${units}`, () => {
      const { view, trace } = /** @type {Scene} */ (scene);
      if (known.paths.size > 64) known.paths.clear();
      const { rows } = layoutOf(trace, followedView());
      const seen = [...rows.keys()].filter((i) => view.specials !== "hidden" || !rows[i].special);
      const start = units.length ? units.map((unit) => seen[unit]) : seen;
      const [kept, share] = [view.residual / 100, view.mass / 100];
      return shownOf(follow(mapOf, rows.length, level, start, kept, share), seen);
    });
  }

  /** What is followed now: what is pointed at, else what is pinned, else everything. */
  function followed() {
    if (at) return { level: at.level, units: [at.unit] };
    const { view, model } = /** @type {Scene} */ (scene);
    return { level: nLevels(), units: unitsHolding(view.queries, model.layout.rowOfToken) };
  }

  /** @param {Scene} next */
  function draw(next) {
    scene = next;
    const { query_tokens: queries, key_tokens: keyTokens } = scene.trace.head;
    element.hidden = queries !== keyTokens; // between two different texts there is no such path
    heads.show(scene.view.path);
    residual.show(scene.view.residual);
    if (!element.open || !scroller.clientWidth || !nUnits()) return;
    if (!isHere()) {
      says.textContent = "Fetching the attention of all layers…";
      return;
    }
    known = { model: scene.model, maps: new Map(), paths: new Map() };
    const n = nUnits();
    box.row = bound((MAX_HEIGHT - HEAD) / n, ROW[0], ROW[1]);
    edges = edgesOf(new Float64Array(n).fill(box.row));
    box.width = scroller.clientWidth;
    box.height = Math.min(n * box.row + HEAD, MAX_HEIGHT);
    box.left = Math.max(Math.round(box.width * LABEL), LABEL_LEAST);
    box.step = (box.width - 2 * box.left) / nLevels();
    scroller.style.height = `${box.height}px`;
    spacer.style.height = `${n * box.row + HEAD}px`;
    Object.assign(stage.style, { width: `${box.width}px`, height: `${box.height}px` });
    repaint();
  }

  /** @param {Scene} next */
  function focus(next) {
    scene = next;
    if (element.open && isHere() && known.model === scene.model) repaint();
  }

  let painted = "";

  function repaint() {
    const { level, units } = followed();
    const now = `${level} ${units} ${scrolled} ${box.width}`;
    if (painted === now && known.paths.size) return;
    painted = now;
    paintOn(base, box.width, box.height, paint);
    const { layout } = /** @type {Scene} */ (scene).model;
    const path = pathFrom(level, units);
    const name = units.length ? named(units, layout.rows) : [];
    const start = level === nLevels() ? "The output of" : `After layer ${numberBelow(level)},`;
    const { trace, view } = /** @type {Scene} */ (scene);
    const { hidden, lost } = path;
    const [rescaled, numbers] = [view.specials === "renormalised", trace.head.numbers];
    const passed = { rescaled, residual: view.residual, numbers: numbers.slice(0, level) };
    const note = pathNote({ hidden, lost, ...passed });
    const parts = units.length
      ? pathSentence(start, name, path.mass[0], layout.rows, note)
      : [`The paths of all outputs together${note} Point at a word to follow it.`];
    const text = parts.map((part) => (typeof part === "string" ? part : h("strong", {}, part[0])));
    says.replaceChildren(...text);
    scroller.setAttribute("aria-label", `Layers as a path. ${parts.flat().join("")}`);
    table.fill(/** @type {Scene} */ (scene), [path]);
  }

  /** @param {number} level @param {number} unit */
  const spot = (level, unit) => [
    box.left + level * box.step,
    HEAD + edges[unit] + box.row / 2 - scrolled,
  ];

  /** @param {Pen} pen */
  function paint(pen) {
    if (!scene) return;
    const { level, units } = followed();
    const path = pathFrom(level, units);
    pen.save();
    pen.beginPath();
    pen.rect(0, HEAD, box.width, box.height - HEAD);
    pen.clip();
    paintLinks(pen, path, units.length > 0);
    paintNodes(pen, path, level, units);
    pen.restore();
    paintLevels(pen);
  }

  /** @param {Pen} pen */
  function paintLevels(pen) {
    if (!scene) return;
    pen.font = `12px ${scene.theme.font}`;
    pen.textBaseline = "middle";
    pen.textAlign = "center";
    pen.fillStyle = scene.theme.muted;
    const every = Math.ceil(24 / box.step);
    for (let level = 0; level <= nLevels(); level++) {
      const word = level === 0 ? "input" : String(numberBelow(level));
      if (level === 0 || level % every === 0) pen.fillText(word, spot(level, 0)[0], HEAD / 2);
    }
  }

  /** @param {Pen} pen @param {Path} path @param {boolean} alone */
  function paintLinks(pen, path, alone) {
    if (!scene) return;
    /** @type {Map<number, import("../numbers/path.js").Link[]>} */
    const byTone = new Map();
    const strongest = path.links.reduce((most, link) => Math.max(most, link.flow), 0) || 1;
    const [low, high] = touching(edges, scrolled, scrolled + box.height);
    for (const link of path.links) {
      const [a, b] = [Math.min(link.from, link.to), Math.max(link.from, link.to)];
      if (b < low || a >= high) continue; // passes out of sight
      const tone = bound(Math.ceil(Math.sqrt(link.flow / strongest) * TONES), 1, TONES);
      remember(byTone, tone, () => []).push(link);
    }
    for (const [tone, links] of [...byTone].sort(([a], [b]) => a - b)) {
      pen.beginPath();
      for (const { layer, from, to } of links) {
        const [[x1, y1], [x2, y2]] = [spot(layer, to), spot(layer + 1, from)];
        const middle = (x1 + x2) / 2;
        pen.moveTo(x1, y1);
        pen.bezierCurveTo(middle, y1, middle, y2, x2, y2);
      }
      const t = tone / TONES;
      pen.strokeStyle = scene.theme.accentCss((alone ? 0.15 : 0.06) + (alone ? 0.75 : 0.5) * t);
      pen.lineWidth = 0.5 + (alone ? 4 : 2) * t * t;
      pen.stroke();
    }
  }

  /** @param {Pen} pen @param {Path} path @param {number} level @param {number[]} units */
  function paintNodes(pen, path, level, units) {
    if (!scene) return;
    const { theme, model } = scene;
    const { rows } = model.layout;
    const [low, high] = touching(edges, scrolled, scrolled + box.height);
    const chosen = new Set(units);
    const top = path.mass[0].reduce((most, held) => Math.max(most, held), 0) || 1;
    pen.textBaseline = "middle";
    for (let unit = low; unit < high; unit++) {
      for (let l = 0; l <= nLevels(); l++) {
        const held = path.mass[l]?.[unit] ?? 0;
        const [x, y] = spot(l, unit);
        pen.beginPath();
        pen.arc(
          x,
          y,
          units.length && held >= SURE ? 1.5 + 4 * Math.sqrt(held) : 1.2,
          0,
          2 * Math.PI,
        );
        const here = l === level && chosen.has(unit);
        pen.fillStyle = here || held >= SURE ? theme.accent : theme.border;
        pen.fill();
      }
      const share = path.mass[0][unit];
      label(pen, unit, rows[unit], units.length ? share / top : 0, units.length ? share : 0, false);
      label(pen, unit, rows[unit], chosen.has(unit) && level === nLevels() ? 1 : 0, 0, true);
    }
  }

  /**
   * @param {Pen} pen @param {number} unit @param {import("../numbers/model.js").Unit} what
   * @param {number} tint @param {number} share @param {boolean} isOutput
   */
  function label(pen, unit, what, tint, share, isOutput) {
    if (!scene) return;
    const { theme } = scene;
    const y = spot(0, unit)[1];
    const right = box.width - box.left;
    if (tint > 0.02) {
      const x = isOutput ? right + 6 : 0;
      const colour = theme.accentCss(0.05 + 0.4 * tint);
      plate(pen, colour, x, y - box.row / 2 + 1, box.left - 8, box.row - 2);
    }
    pen.font = `12px ${theme.font}`;
    pen.fillStyle = what.special ? theme.muted : theme.text;
    pen.textAlign = isOutput ? "left" : "right";
    const written = share >= SURE ? percent(share) : "";
    const room = box.left - (written ? 58 : 20);
    pen.fillText(shorten(pen, what.text, room), isOutput ? right + 10 : box.left - 12, y);
    pen.textAlign = "left";
    if (written) pen.fillText(written, 4, y);
  }

  /** @param {Scene} now */
  function contentOf(now) {
    const { level, units } = followed();
    const path = isHere() ? pathFrom(level, units) : null;
    const { rows } = now.model.layout;
    const found = (path?.links ?? []).map(({ layer, from, to, flow }) => [
      ...[numberBelow(layer + 1), rows[from].text, rows[to].text, flow],
    ]);
    return {
      titles: ["layer", "takes (above)", "from (below)", "share of the whole"],
      counts: ["layer"],
      rows: found,
      caption: "The links that are drawn, from the output down",
    };
  }

  return { element, draw, focus, isOpen: () => element.open };
}
