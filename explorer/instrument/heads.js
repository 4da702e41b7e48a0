// All heads of a model: a map, a plane, a ranking, a search by pointing. It knows nothing of its host.

import { bound, choice, h, keys, pushButton, setText } from "./dom.js";
import { createSaveMenu } from "./files.js";
import { drawCells, paintOn } from "./paint.js";
import { csvCell } from "./save.js";
import { readTheme } from "./theme.js";
import { createCopy } from "./tools.js";

/**
 * @typedef {(number | null)[]} Numbers one for each head, layer by layer
 * @typedef {{key: string, name: string, unit: "share" | "bits" | "tokens", words: string,
 *            mean: Numbers, spread: Numbers, n_texts: number}} Measure
 * @typedef {{text: string, special: boolean, word: number | null}} Pointable
 * @typedef {[number, number, number]} Pair a text, and the positions of two of its tokens
 * @typedef {{weight: Numbers, spread: Numbers, baseline: Numbers, others: Numbers}} Found
 *   baseline: of other tokens at the same distance; others: of other tokens to the same word
 * @typedef {{id: string, link: Record<string, string> | null, title: string, n_layers: number,
 *            n_heads: number, n_texts: number, n_placed: number, measures: Measure[],
 *            kinds: string[], heads: {kind: number, evidence: string, sink: string}[],
 *            places: [number, number][], stress: number, texts: Pointable[][], pairs: Pair[],
 *            found: Found | null,
 *            thumb: [number, number]}} Heads
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
const POINTED = "pointed";
const BEYOND = "beyond";
const THUMB = 64; // pixels of a small picture
const MOST_PAIRS = 40;

/** @param {Uint8Array} bytes */
export function unpackHeads(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  /** @type {Heads} */
  const heads = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  return { heads, thumbs: bytes.slice(4 + length) };
}

/**
 * All measures: the survey's own, and those of the words that were pointed at.
 * @param {Heads} heads @returns {Measure[]}
 */
export function measuresOf({ measures, found, pairs }) {
  if (!found) return measures;
  const { weight, spread, baseline, others } = found;
  const beyond = weight.map((w, i) => {
    const [base, other] = [baseline[i], others[i]];
    return w === null || (base === null && other === null)
      ? null
      : w - Math.max(base ?? 0, other ?? 0);
  });
  const many = pairs.length;
  /** @type {Measure[]} */
  const pointed = [
    {
      ...{ key: POINTED, name: "attention from the pointed words to the others", unit: "share" },
      ...{ words: "gives {} from the pointed words to the others", mean: weight, spread },
      n_texts: many,
    },
    {
      ...{ key: BEYOND, name: "the same, beyond what others give", unit: "share" },
      words: "gives {} more than others give to the same word, or at the same distance",
      ...{ mean: beyond, spread: spread.map(() => 0), n_texts: many },
    },
  ];
  return [...pointed, ...measures];
}

/**
 * The heads of some kinds by a measure; those without a number last.
 * @param {Heads} heads @param {Measure} measure @param {number[]} kinds none means all
 * @param {boolean} lowest
 */
export function rankHeads(heads, measure, kinds, lowest) {
  const sign = lowest ? 1 : -1;
  return heads.heads
    .map((_, i) => i)
    .filter((i) => !kinds.length || kinds.includes(heads.heads[i].kind))
    .sort((i, j) => {
      const [one, other] = [measure.mean[i], measure.mean[j]];
      if (one === null || other === null) return Number(one === null) - Number(other === null);
      return sign * (one - other) || i - j;
    });
}

/** @param {string} text @returns {Pair[]} */
export function readPairs(text) {
  return text
    .split("_")
    .map((pair) => pair.split("-").map(Number))
    .filter((pair) => pair.length === 3 && pair.every((x) => Number.isInteger(x) && x >= 0))
    .slice(0, MOST_PAIRS)
    .map(([one, two, three]) => [one, two, three]);
}

/** @param {number | null} value @param {Measure} measure */
const inDigits = (value, { unit }) =>
  value === null ? "—" : value.toFixed(unit === "share" ? 3 : 2).replace("-", "−");

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
  /** @type {{text: number, at: number} | null} */
  let begun = null; // the word that looks, while the other is awaited
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
  const map = document.createElement("canvas");
  const plane = document.createElement("canvas");
  const mapNote = h("p", { class: "ax-help" });
  const planeNote = h("p", { class: "ax-help" });
  const legend = h("div", { class: "ax-legend" });
  const pictures = h(
    "div",
    { class: "ax-heads-pictures" },
    h("section", {}, h("h3", {}, "Every head, by layer"), mapNote, map),
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
  const finderSays = h("p", { class: "ax-help", role: "status" });
  const lines = h("div", { class: "ax-lines" });
  const pairList = h("div", { class: "ax-legend" });
  const finder = /** @type {HTMLDetailsElement} */ (
    h(
      "details",
      { class: "ax-finder" },
      h("summary", {}, "Find a head by pointing: which one looks from this word to that one?"),
      finderSays,
      lines,
      pairList,
    )
  );
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
    finder,
    h("section", {}, ranksTitle, ranks),
  );

  for (const [canvas, at] of /** @type {const} */ ([
    [map, headOnMap],
    [plane, headOnPlane],
  ])) {
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    canvas.addEventListener("pointermove", (event) => hover(at(event)));
    canvas.addEventListener("pointerleave", () => hover(null));
    canvas.addEventListener("click", (event) => {
      const head = at(event);
      if (head !== null) change({ pick: head });
    });
    keys(
      canvas,
      (dx, dy) => {
        if (!heads) return;
        const { n_heads, n_layers } = heads;
        const from = Math.max(view.pick, 0);
        const layer = bound(Math.floor(from / n_heads) + dy, 0, n_layers - 1);
        change({ pick: layer * n_heads + bound((from % n_heads) + dx, 0, n_heads - 1) });
      },
      () => explore(view.pick),
      () => change({ pick: -1 }),
    );
  }

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

  /** @param {number} i */
  const nameOf = (i) => `${Math.floor(i / (heads?.n_heads ?? 1))}-${i % (heads?.n_heads ?? 1)}`;

  /** @param {number} i */
  function describe(i) {
    if (!heads) return "";
    const measure = measureNow();
    const [layer, head] = [Math.floor(i / heads.n_heads), i % heads.n_heads];
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

  const titleNow = () => `${heads?.title ?? ""}: heads by ${measureNow()?.name ?? ""}`;

  // — the map —

  let cell = { width: 1, height: 1, left: 0, top: 0 };

  /** @param {MouseEvent} event */
  function headOnMap(event) {
    if (!heads) return null;
    const column = Math.floor((event.offsetX - cell.left) / cell.width);
    const row = Math.floor((event.offsetY - cell.top) / cell.height);
    const inside = column >= 0 && column < heads.n_heads && row >= 0 && row < heads.n_layers;
    return inside ? row * heads.n_heads + column : null;
  }

  /** @param {number} i */
  const isShown = (i) => !view.kinds.length || view.kinds.includes(heads?.heads[i].kind ?? -1);

  function paintMap() {
    if (!heads) return;
    const { n_heads, n_layers } = heads;
    const measure = measureNow();
    const room = Math.max(280, map.parentElement?.clientWidth ?? 500);
    const width = Math.floor(Math.min(54, (room - 26) / n_heads));
    cell = { width, height: Math.min(34, Math.max(18, width)), left: 24, top: 18 };
    const top = Math.max(1e-9, ...measure.mean.map((x) => Math.abs(x ?? 0)));
    paintOn(map, cell.left + n_heads * width + 2, cell.top + n_layers * cell.height + 2, (pen) => {
      pen.font = `11px ${theme.font}`;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.fillStyle = theme.muted;
      for (let head = 0; head < n_heads; head++)
        pen.fillText(String(head), cell.left + (head + 0.5) * width, 9);
      for (let layer = 0; layer < n_layers; layer++)
        pen.fillText(String(layer), 11, cell.top + (layer + 0.5) * cell.height);
      measure.mean.forEach((value, i) => paintHead(pen, i, value, top));
    });
    const { unit } = measure;
    const full = `${inDigits(top, measure)}${unit === "share" ? "" : ` ${unit}`}`;
    setText(
      mapNote,
      `Rows are layers, columns are heads, both from 0; full colour at ${full}. The edge of a cell has the colour of its kind.`,
    );
    map.setAttribute("aria-label", `Heads by ${measure.name}. ${sentence()}`);
  }

  /** @param {import("./paint.js").Pen} pen @param {number} i @param {number | null} value @param {number} top */
  function paintHead(pen, i, value, top) {
    if (!heads) return;
    const x = cell.left + (i % heads.n_heads) * cell.width;
    const y = cell.top + Math.floor(i / heads.n_heads) * cell.height;
    const level = bound(Math.round((255 * Math.max(0, value ?? 0)) / top), 0, 255);
    if (isShown(i)) {
      pen.fillStyle = theme.fills[level];
      pen.fillRect(x + 1, y + 1, cell.width - 2, cell.height - 2);
      pen.fillStyle = kindCss(heads.heads[i].kind);
      pen.fillRect(x + 1, y + 1, 3, cell.height - 2);
      if (cell.width >= 30 && value !== null) {
        pen.fillStyle = theme.inks[level];
        pen.font = `11px ${theme.font}`;
        pen.fillText(short(value), x + cell.width / 2 + 2, y + cell.height / 2);
      }
    } else {
      pen.strokeStyle = theme.border;
      pen.lineWidth = 1;
      pen.strokeRect(x + 1.5, y + 1.5, cell.width - 3, cell.height - 3);
    }
    if (i === view.pick || i === hovered) {
      pen.strokeStyle = theme.accent;
      pen.lineWidth = 2;
      pen.strokeRect(x + 1, y + 1, cell.width - 2, cell.height - 2);
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
    const { places, n_placed, n_texts, stress } = heads;
    const width = Math.max(280, Math.min(plane.parentElement?.clientWidth ?? 500, 720));
    const height = Math.max(cell.top + heads.n_layers * cell.height + 2, 260);
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
    const over = n_placed < n_texts ? ` (over the first ${n_placed} of ${n_texts} texts)` : "";
    setText(
      planeNote,
      `Distances are Jensen–Shannon divergences of their rows${over}, placed by multidimensional scaling; the plane misses ${(100 * stress).toFixed(0)} % of them (stress). Colours are kinds.`,
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

  // — the finder —

  function showFinder() {
    if (!heads) return;
    setText(finderSays, finderSentence());
    const rows = heads.texts.map((tokens, text) => {
      const words = tokens.map((token, at) => {
        const from = view.pairs.some((p) => p[0] === text && sameWord(tokens, p[1], at));
        const to = view.pairs.some((p) => p[0] === text && sameWord(tokens, p[2], at));
        const waiting = begun?.text === text && sameWord(tokens, begun.at, at);
        const classes = ["ax-point"];
        if (from || waiting) classes.push("ax-from");
        if (to) classes.push("ax-to");
        if (token.special) classes.push("ax-chip-special");
        return pushButton(token.text, token.text, () => pointAt(text, at), classes.join(" "));
      });
      return h("p", { class: "ax-line", dir: "auto" }, ...words);
    });
    lines.replaceChildren(...rows);
    const chips = view.pairs.map((pair, i) => {
      const tokens = heads?.texts[pair[0]] ?? [];
      const [from, to] = [wordAt(tokens, pair[1]), wordAt(tokens, pair[2])];
      return pushButton(
        `${from} → ${to}  ✕`,
        `Leave out ${from} → ${to}`,
        () => setPairs(view.pairs.filter((_, j) => j !== i)),
        "ax-chip",
      );
    });
    pairList.replaceChildren(...chips);
  }

  function finderSentence() {
    if (!heads) return "";
    if (begun) {
      const from = wordAt(heads.texts[begun.text], begun.at);
      return `From “${from}” to …? Click the word that it should look at.`;
    }
    if (view.pairs.length && !heads.found) return "Looking through all heads…";
    const more =
      heads.n_texts > 1
        ? "Point at a pair in several lines: what they have in common is what the head does."
        : "One sentence can fool: give several, one a line, and point at a pair in each.";
    return `Click the word that looks, then the word that it should look at. ${more}`;
  }

  /** @param {number} text @param {number} at */
  function pointAt(text, at) {
    if (!begun || begun.text !== text) {
      begun = { text, at };
      showFinder();
      return;
    }
    /** @type {Pair} */
    const pair = [text, begun.at, at];
    begun = null;
    setPairs([...view.pairs.filter((p) => p.join() !== pair.join()), pair].slice(-MOST_PAIRS));
  }

  /** @param {Pair[]} pairs */
  function setPairs(pairs) {
    begun = null;
    if (heads) heads.found = null;
    const measure = pairs.length ? POINTED : (heads?.measures[0].key ?? "");
    view = { ...view, pairs, measure, lowest: false };
    showFinder();
    host.find(pairs);
    if (!pairs.length) change({});
    else report();
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
    const [layer, head] = nameOf(i).split("-");
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
    if (heads && i >= 0)
      host.explore({ layer: Math.floor(i / heads.n_heads), head: i % heads.n_heads });
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
    showFinder();
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
    begun = null;
    finder.open = view.pairs.length > 0 || finder.open;
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

/** Whether a head follows the words, or only their distance, or one of them. @param {Found} found @param {number} i */
export function verdict({ weight, baseline, others }, i) {
  const [w, base, other] = [weight[i] ?? 0, baseline[i], others[i]];
  const parts = [
    other === null ? "" : `Other words give that word ${other.toFixed(3)}`,
    base === null ? "" : `at the same distance others give ${base.toFixed(3)}`,
  ].filter(Boolean);
  if (!parts.length) return "No other word to compare with.";
  const above = (/** @type {number | null} */ x) => x === null || (w > 2 * x && w > x + 0.05);
  const judged = !above(other)
    ? "it may look there whoever asks."
    : !above(base)
      ? "it may be no more than their distance."
      : "it is this pair that it finds.";
  return `${parts.join("; ")}: ${judged}`;
}

/** The positions of a whole word. @param {Pointable[]} tokens @param {number} one @param {number} other */
const sameWord = (tokens, one, other) =>
  one === other || (tokens[one]?.word !== null && tokens[one]?.word === tokens[other]?.word);

/** @param {Pointable[]} tokens @param {number} at */
const wordAt = (tokens, at) =>
  tokens
    .filter((_, i) => sameWord(tokens, at, i))
    .map((token) => token.text.replace(/^##/, ""))
    .join("");

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
