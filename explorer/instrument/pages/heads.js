// All heads of a model: a map, a plane, a ranking, a search by pointing. It knows nothing of its host.

import { bound } from "../numbers/basics.js";
import { csvCell } from "../numbers/csv.js";
import {
  BEYOND,
  inDigits,
  measuresOf,
  POINTED,
  rankHeads,
  readPairs,
  unpackHeads,
  verdict,
} from "../numbers/survey.js";
import { createFinder } from "../panels/finder.js";
import { choice, h, pushButton, setText } from "../parts/dom.js";
import { createHeadMap } from "../parts/headmap.js";
import { drawCells, paintOn } from "../parts/paint.js";
import { readTheme } from "../parts/theme.js";
import { createCopy } from "../parts/tools.js";
import { createSaveMenu } from "../save/files.js";

/**
 * @typedef {import("../numbers/survey.js").Heads} Heads
 * @typedef {import("../numbers/survey.js").Measure} Measure
 * @typedef {import("../numbers/survey.js").Pair} Pair
 * @typedef {{measure: string, kinds: number[], lowest: boolean, pick: number, pairs: Pair[]}} HeadsView
 * @typedef {{
 *   params: () => URLSearchParams,
 *   onView: (params: Record<string, string>, link: Record<string, string> | null) => void,
 *   find: (pairs: Pair[]) => void,
 *   explore: (head: {layer: number, head: number}) => void,
 *   copyLink: () => Promise<boolean>,
 * }} HeadsHost
 */

/** The names that a link uses. */
export const HEADS_PARAMS = ["measure", "kinds", "lowest", "pick", "pairs"];
const RANKS = 12; // heads in the list at first
const THUMB = 64; // pixels of a small picture

/** @param {HTMLElement} root @param {HeadsHost} host */
export function mountHeads(root, host) {
  /** @type {Heads | null} */
  let heads = null;
  let thumbs = new Uint8Array();
  let theme = readTheme(root);
  /** @type {HeadsView} */
  let view = { measure: "", kinds: [], lowest: false, pick: -1, pairs: [] };
  /** @type {number | null} */
  let hovered = null;
  let shownRanks = RANKS;

  const select = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": "Measure" }));
  select.addEventListener("change", () => change({ measure: select.value }));
  const order = choice(
    "Ranked from",
    [
      ["highest", "the highest", "Most of it first"],
      ["lowest", "the lowest", "Least of it first"],
    ],
    (value) => change({ lowest: value === "lowest" }),
  );
  const copy = createCopy(host.copyLink);
  const says = h("p", { class: "ax-says", "aria-live": "polite" });
  const map = createHeadMap({
    hover,
    pick: (head) => change({ pick: head }),
    from: () => Math.max(view.pick, 0),
    go: (head) => change({ pick: head }),
    enter: () => explore(view.pick),
    leave: () => change({ pick: -1 }),
  });
  const plane = document.createElement("canvas");
  const mapNote = h("p", { class: "ax-help" });
  const planeNote = h("p", { class: "ax-help" });
  const legend = h("div", { class: "ax-legend" });
  const pictures = h(
    "div",
    { class: "ax-heads-pictures" },
    h("section", {}, h("h3", {}, "Every head, by layer"), mapNote, map.element),
    h("section", {}, h("h3", {}, "Every head, near what it resembles"), planeNote, plane),
  );
  const save = createSaveMenu(
    () => ({
      elements: [pictures, says],
      title: titleNow(),
      name: "heads",
      says: sentence(),
      theme,
    }),
    csv,
    null,
  );
  const finder = createFinder((pairs) => {
    const measure = pairs.length ? POINTED : (heads?.measures[0].key ?? "");
    host.find(pairs);
    change({ pairs, measure, lowest: false });
  });
  const ranksTitle = h("h3");
  const ranks = h("ol", { class: "ax-head-ranks" });
  root.replaceChildren(
    h(
      "div",
      { class: "ax-tools" },
      h(
        "fieldset",
        { class: "ax-choice" },
        h("legend", {}, "Colour and rank heads by"),
        h("div", {}, select),
      ),
      order.element,
      h("div", { class: "ax-away" }, copy.element, save.element),
    ),
    h("div", { class: "ax-kinds" }, h("span", { class: "ax-help" }, "Kinds: "), legend),
    says,
    pictures,
    finder.element,
    h("section", {}, ranksTitle, ranks),
  );

  plane.setAttribute("role", "img");
  plane.addEventListener("pointermove", (event) => hover(headOnPlane(event)));
  plane.addEventListener("pointerleave", () => hover(null));
  plane.addEventListener("click", (event) => {
    const head = headOnPlane(event);
    if (head !== null) change({ pick: head });
  });

  /** @param {Partial<HeadsView>} part */
  function change(part) {
    view = { ...view, ...part };
    draw();
    report();
  }

  function report() {
    if (!heads) return;
    const usual = measuresOf(heads)[0].key;
    /** @type {Record<string, string>} */
    const params = {};
    if (view.measure !== usual) params.measure = view.measure;
    if (view.kinds.length) params.kinds = view.kinds.join(".");
    if (view.lowest) params.lowest = "1";
    if (view.pick >= 0) params.pick = String(view.pick);
    if (view.pairs.length) params.pairs = view.pairs.map((pair) => pair.join("-")).join("_");
    host.onView(params, heads.link);
  }

  /** @param {number | null} head */
  function hover(head) {
    if (head === hovered) return;
    hovered = head;
    setText(says, sentence());
    paintMap();
    paintPlane();
  }

  const measureNow = () => {
    const all = heads ? measuresOf(heads) : [];
    return all.find((m) => m.key === view.measure) ?? all[0];
  };

  /** The last kind, of what follows no rule, is grey. @param {number} kind @param {number} [alpha] */
  const kindCss = (kind, alpha = 1) =>
    kind === (heads?.kinds.length ?? 0) - 1 ? theme.greyCss(alpha) : theme.headCss(kind, alpha);

  /** The model’s own number of a head’s layer, and the head’s in it. @param {number} i */
  function placeOf(i) {
    const width = heads?.n_heads ?? 1;
    return { layer: heads?.numbers[Math.floor(i / width)] ?? 0, head: i % width };
  }

  /** @param {number} i */
  const nameOf = (i) => `${placeOf(i).layer}-${placeOf(i).head}`;

  /** @param {number} i */
  function describe(i) {
    if (!heads) return "";
    const measure = measureNow();
    const { layer, head } = placeOf(i);
    const value = measure.mean[i];
    const spread =
      measure.n_texts > 1 && value !== null ? ` ± ${inDigits(measure.spread[i], measure)}` : "";
    const does =
      value === null
        ? "has no number for this measure on these texts"
        : measure.words.replace("{}", `${inDigits(value, measure)}${spread}`);
    const { kind, evidence } = heads.heads[i];
    return `Layer ${layer}, head ${head} ${does}. Kind: ${heads.kinds[kind]} (${evidence}).`;
  }

  function sentence() {
    if (!heads) return "";
    const measure = measureNow();
    const shown = hovered ?? (view.pick >= 0 ? view.pick : null);
    if (shown !== null) return describe(shown);
    const [best] = rankHeads(heads, measure, view.kinds, view.lowest);
    return best === undefined ? "No head is of these kinds." : describe(best);
  }

  const titleNow = () =>
    [`${heads?.title ?? ""}: heads by ${measureNow()?.name ?? ""}`, heads?.passport]
      .filter(Boolean)
      .join(" · ");

  // — the map —

  /** @param {number} i */
  const isShown = (i) => !view.kinds.length || view.kinds.includes(heads?.heads[i].kind ?? -1);

  function paintMap() {
    if (!heads) return;
    const measure = measureNow();
    const top = Math.max(1e-9, ...measure.mean.map((x) => Math.abs(x ?? 0)));
    const label = `Heads by ${measure.name}. ${sentence()}`;
    const { numbers, n_heads: width } = heads;
    const paint = (
      /** @type {import("../parts/paint.js").Pen} */ pen,
      /** @type {number} */ i,
      /** @type {import("../parts/paint.js").Box} */ box,
    ) => paintHead(pen, i, box, measure.mean[i], top);
    map.show([numbers.length, width], theme, label, paint, numbers);
    const { unit } = measure;
    const full = `${inDigits(top, measure)}${unit === "share" ? "" : ` ${unit}`}`;
    setText(
      mapNote,
      `Rows are layers, columns are heads, both from 0; full colour at ${full}. The edge of a cell has the colour of its kind. Means over all queries (Clark et al. 2019); kinds by stated rules (after Kovaleva et al. 2019). Neither says what a head contributes: see Explain.`,
    );
  }

  /** @param {import("../parts/paint.js").Pen} pen @param {number} i @param {import("../parts/paint.js").Box} box @param {number | null} value @param {number} top */
  function paintHead(pen, i, { x, y, width, height }, value, top) {
    if (!heads) return;
    const level = bound(Math.round((255 * Math.max(0, value ?? 0)) / top), 0, 255);
    if (isShown(i)) {
      pen.fillStyle = theme.fills[level];
      pen.fillRect(x, y, width, height);
      pen.fillStyle = kindCss(heads.heads[i].kind);
      pen.fillRect(x, y, 3, height);
      if (width >= 28 && value !== null) {
        pen.fillStyle = theme.inks[level];
        pen.fillText(short(value), x + width / 2 + 2, y + height / 2);
      }
    } else {
      pen.strokeStyle = theme.border;
      pen.lineWidth = 1;
      pen.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
    }
    if (i === view.pick || i === hovered) {
      pen.strokeStyle = theme.accent;
      pen.lineWidth = 2;
      pen.strokeRect(x, y, width, height);
    }
  }

  // — the plane —

  /** @type {{x: number, y: number}[]} */
  let dotsAt = [];

  /** @param {MouseEvent} event */
  function headOnPlane(event) {
    let nearest = null;
    let least = 14 ** 2;
    dotsAt.forEach(({ x, y }, i) => {
      const apart = (x - event.offsetX) ** 2 + (y - event.offsetY) ** 2;
      if (apart < least && isShown(i)) [nearest, least] = [i, apart];
    });
    return nearest;
  }

  function paintPlane() {
    if (!heads) return;
    const { places, n_placed, n_texts, rows_placed, stress } = heads;
    const width = Math.max(280, Math.min(plane.parentElement?.clientWidth ?? 500, 720));
    const height = Math.max(map.height(), 260);
    const [xs, ys] = [places.map(([x]) => x), places.map(([, y]) => y)];
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    const [low, high] = [Math.min(...ys), Math.max(...ys)];
    // One scale for both directions: distances are what the plane is about.
    const scale = Math.min((width - 50) / (right - left || 1), (height - 30) / (high - low || 1));
    dotsAt = places.map(([x, y]) => ({
      x: width / 2 + (x - (left + right) / 2) * scale,
      y: height / 2 + (y - (low + high) / 2) * scale,
    }));
    const marked = [view.pick, hovered];
    paintOn(plane, width, height, (pen) => {
      pen.strokeStyle = theme.border;
      pen.lineWidth = 1;
      pen.strokeRect(0.5, 0.5, width - 1, height - 1);
      pen.textBaseline = "middle";
      dotsAt.forEach(({ x, y }, i) => {
        if (!heads) return;
        const on = marked.includes(i);
        pen.beginPath();
        pen.arc(x, y, on ? 8 : 5, 0, 2 * Math.PI);
        pen.fillStyle = kindCss(heads.heads[i].kind, isShown(i) ? 1 : 0.15);
        pen.fill();
        if (on) {
          pen.strokeStyle = theme.accent;
          pen.lineWidth = 2;
          pen.stroke();
        }
      });
      // Names last, so that no dot covers them.
      for (const i of nameable(dotsAt, marked, isShown)) {
        const { x, y } = dotsAt[i];
        const end = x > width - 46;
        pen.textAlign = end ? "right" : "left";
        pen.font = `${marked.includes(i) ? "600 13" : "11"}px ${theme.font}`;
        pen.fillStyle = marked.includes(i) ? theme.text : theme.muted;
        pen.fillText(nameOf(i), x + (end ? -9 : 9), y);
      }
    });
    const parts = [
      ...(n_placed < n_texts ? [`the first ${n_placed} of ${n_texts} texts`] : []),
      ...(rows_placed ? [`${rows_placed} rows of the first, evenly spread`] : []),
    ];
    const over = parts.length ? ` (over ${parts.join(", ")})` : "";
    setText(
      planeNote,
      `Distances are Jensen–Shannon divergences of their rows${over}, placed by multidimensional scaling (as Clark et al. 2019); the plane misses ${(100 * stress).toFixed(0)} % of them (stress). Colours are kinds.`,
    );
    plane.setAttribute("aria-label", `Heads placed by how alike their attention is. ${sentence()}`);
  }

  // — kinds —

  function showLegend() {
    if (!heads) return;
    const { kinds } = heads;
    const counts = kinds.map((_, k) => heads?.heads.filter((head) => head.kind === k).length ?? 0);
    const chips = kinds.flatMap((name, k) => {
      if (!counts[k]) return [];
      const button = pushButton(
        `${name} ${counts[k]}`,
        `Show only heads of the kind “${name}”, or no longer`,
        () => {
          const on = view.kinds.includes(k);
          change({ kinds: on ? view.kinds.filter((x) => x !== k) : [...view.kinds, k].sort() });
        },
        "ax-chip",
      );
      const dot = h("span", { class: "ax-dot" });
      dot.style.setProperty("--head", kindCss(k));
      button.prepend(dot);
      button.setAttribute("aria-pressed", String(view.kinds.includes(k)));
      return [button];
    });
    legend.replaceChildren(...chips);
  }

  // — the ranking —

  function showRanks() {
    if (!heads) return;
    const measure = measureNow();
    const all = rankHeads(heads, measure, view.kinds, view.lowest);
    setText(ranksTitle, `${all.length} heads, by ${measure.name}`);
    const items = all.slice(0, shownRanks).map((i, place) => rankItem(i, place, measure));
    const more = pushButton(
      `All ${all.length}`,
      "Show all",
      () => {
        shownRanks = all.length;
        showRanks();
      },
      "ax-copy",
    );
    ranks.replaceChildren(...items, ...(all.length > shownRanks ? [h("li", {}, more)] : []));
  }

  /** @param {number} i @param {number} place @param {Measure} measure */
  function rankItem(i, place, measure) {
    const { layer, head } = placeOf(i);
    const canvas = document.createElement("canvas");
    canvas.setAttribute("aria-hidden", "true");
    paintThumb(canvas, i);
    const spread =
      measure.n_texts > 1 && measure.mean[i] !== null
        ? ` ± ${inDigits(measure.spread[i], measure)}`
        : "";
    const number = h(
      "strong",
      { class: "ax-number" },
      `${inDigits(measure.mean[i], measure)}${spread}${measure.unit === "share" ? "" : ` ${measure.unit}`}`,
    );
    const about = heads?.heads[i];
    const dot = h("span", { class: "ax-dot" });
    dot.style.setProperty("--head", kindCss(about?.kind ?? 0));
    const pick = pushButton(
      `Layer ${layer}, head ${head}`,
      `Layer ${layer}, head ${head}: mark it in both pictures`,
      () => change({ pick: i }),
      "ax-link",
    );
    const words = h(
      "div",
      {},
      h("div", {}, h("span", { class: "ax-help" }, `${place + 1}. `), pick, " ", number),
      h("div", { class: "ax-help" }, dot, ` ${heads?.kinds[about?.kind ?? 0]}: ${about?.evidence}`),
      ...(measure.key === POINTED && heads?.found
        ? [h("div", { class: "ax-help" }, verdict(heads.found, i))]
        : []),
    );
    const go = pushButton(
      "Explore",
      `See layer ${layer}, head ${head} in Explore`,
      () => explore(i),
      "ax-copy",
    );
    const item = h("li", {}, canvas, words, go);
    item.classList.toggle("ax-picked", i === view.pick);
    item.addEventListener("pointerenter", () => hover(i));
    item.addEventListener("pointerleave", () => hover(null));
    return item;
  }

  /** @param {HTMLCanvasElement} canvas @param {number} i */
  function paintThumb(canvas, i) {
    if (!heads) return;
    const [tall, wide] = heads.thumb;
    const levels = new Uint8ClampedArray(thumbs.subarray(i * tall * wide, (i + 1) * tall * wide));
    paintOn(canvas, THUMB, THUMB, (pen) => {
      const all = { top: 0, bottom: tall, left: 0, right: wide };
      const box = { x: 0, y: 0, width: THUMB, height: THUMB };
      drawCells(pen, levels, tall, wide, theme.packed, box, all);
      pen.strokeStyle = theme.border;
      pen.strokeRect(0.5, 0.5, THUMB - 1, THUMB - 1);
    });
  }

  /** @param {number} i */
  function explore(i) {
    if (heads && i >= 0) host.explore(placeOf(i));
  }

  function csv() {
    if (!heads) return "";
    const all = measuresOf(heads);
    const titles = ["layer", "head", "kind", "evidence"];
    for (const { name, n_texts } of all) titles.push(name, ...(n_texts > 1 ? [`± ${name}`] : []));
    const rows = heads.heads.map(({ kind, evidence }, i) => [
      ...nameOf(i).split("-"),
      csvCell(heads?.kinds[kind] ?? ""),
      csvCell(evidence),
      ...all.flatMap((m) => [
        String(m.mean[i] ?? ""),
        ...(m.n_texts > 1 ? [String(m.spread[i] ?? "")] : []),
      ]),
    ]);
    return `\ufeff${[titles.map(csvCell), ...rows].map((row) => row.join(",")).join("\r\n")}\r\n`;
  }

  function draw() {
    if (!heads) return;
    select.value = measureNow().key;
    order.show(view.lowest ? "lowest" : "highest");
    showLegend();
    setText(says, sentence());
    paintMap();
    paintPlane();
    finder.show(heads, view.pairs);
    showRanks();
    root.dataset.painted = `${heads.id} ${measureNow().key} ${nameOf(rankHeads(heads, measureNow(), view.kinds, view.lowest)[0] ?? 0)}`;
  }

  function fillSelect() {
    if (!heads) return;
    const option = (/** @type {Measure} */ m) => h("option", { value: m.key }, m.name);
    const all = measuresOf(heads);
    const groups = /** @type {const} */ ([
      ["Pointed words", all.filter((m) => m.key === POINTED || m.key === BEYOND)],
      [
        "Share of the attention",
        all.filter((m) => m.unit === "share" && m.words.startsWith("puts")),
      ],
      [
        "More",
        all.filter((m) => !m.words.startsWith("puts") && m.key !== POINTED && m.key !== BEYOND),
      ],
    ]);
    select.replaceChildren(
      ...groups.flatMap(([label, some]) =>
        some.length ? [h("optgroup", { label }, ...some.map(option))] : [],
      ),
    );
  }

  /** @param {Heads} fresh */
  function open(fresh) {
    const params = host.params();
    const kinds = (params.get("kinds") ?? "").split(".").filter(Boolean).map(Number);
    const pick = Number(params.get("pick") ?? -1);
    const known = (/** @type {Pair} */ [text, from, to]) =>
      Math.max(from, to) < (fresh.texts[text]?.length ?? 0);
    view = {
      measure: params.get("measure") ?? "",
      kinds: kinds.filter((k) => k < fresh.kinds.length),
      lowest: params.get("lowest") === "1",
      pick: Number.isInteger(pick) && pick < fresh.heads.length ? pick : -1,
      pairs: readPairs(params.get("pairs") ?? "").filter(known),
    };
    shownRanks = RANKS;
    if (view.pairs.length && !fresh.found) host.find(view.pairs);
  }

  /** @param {Uint8Array} bytes */
  function update(bytes) {
    const fresh = unpackHeads(bytes);
    const first = heads?.id !== fresh.heads.id;
    theme = readTheme(root);
    ({ heads, thumbs } = fresh);
    // An answer to a question that has changed meanwhile is none.
    const current =
      heads.pairs.map((p) => p.join()).join() === view.pairs.map((p) => p.join()).join();
    if (first) open(heads);
    else if (!current) heads.found = null;
    copy.show(heads.link !== null);
    fillSelect();
    if (!measuresOf(heads).some((m) => m.key === view.measure) && !view.pairs.length)
      view.measure = measuresOf(heads)[0].key;
    draw();
  }

  const watcher = new ResizeObserver(() => draw());
  watcher.observe(root);
  return {
    update,
    retheme: () => {
      theme = readTheme(root);
      draw();
    },
    destroy: () => {
      watcher.disconnect();
      root.replaceChildren();
    },
  };
}

/** @param {number} value */
const short = (value) =>
  Math.abs(value) >= 10 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 1 ? 1 : 2);

/**
 * Dots whose names have room, the marked ones first.
 * @param {{x: number, y: number}[]} dots @param {(number | null)[]} marked
 * @param {(i: number) => boolean} isShown
 */
function nameable(dots, marked, isShown) {
  const order = [...dots.keys()].filter(isShown);
  order.sort((i, j) => Number(marked.includes(j)) - Number(marked.includes(i)));
  /** @type {number[]} */
  const named = [];
  for (const i of order) {
    const { x, y } = dots[i];
    const covers = dots.some(
      (dot, j) => j !== i && dot.x > x - 4 && dot.x < x + 40 && Math.abs(dot.y - y) < 11,
    );
    const crosses = named.some((j) => Math.abs(x - dots[j].x) < 38 && Math.abs(y - dots[j].y) < 13);
    if (marked.includes(i) || !(covers || crosses)) named.push(i);
  }
  return named;
}
