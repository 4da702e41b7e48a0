// One output explained: every method's scores on the text, how far they agree with removal, and
// heads to switch off. It knows nothing of its host.

import { bound, h, keys, pushButton, setText } from "./dom.js";
import { createSaveMenu } from "./files.js";
import { paintOn } from "./paint.js";
import { css, inkOn } from "./palette.js";
import { csvCell } from "./save.js";
import { readTheme } from "./theme.js";
import { createCopy } from "./tools.js";

/**
 * @typedef {{rho: number | null, low: number, high: number, n: number}} Agreed
 * @typedef {{shares: number[], deletion: number[], insertion: number[], areas: [number, number]}} CurvesOf
 * @typedef {{key: string, name: string, paper: string, caveat: string, signed: boolean,
 *            values: (number | null)[] | null, reason: string, agreement: Agreed | null,
 *            curves: CurvesOf | null}} MethodOf
 * @typedef {[string, number][]} Guesses
 * @typedef {{heads: [number, number][], gone: number[], value: number, predictions: Guesses}} Changed
 * @typedef {{id: string, link: Record<string, string> | null, title: string, name: string,
 *            value: number, empty: number, how: "mask" | "drop", asks_at: boolean,
 *            tokens: {text: string, special: boolean}[], units: number[][],
 *            removal: (number | null)[], lines: string[], methods: MethodOf[],
 *            shape: [number, number] | null, effects: number[] | null, importance: number[] | null,
 *            heads_reason: string, heads_agree: number | null, predictions: Guesses,
 *            agreements: (number | null)[][], changed: Changed | null}} Explained
 *   agreements: of any two scores, removal first, then the methods that have values
 * @typedef {{
 *   params: () => URLSearchParams,
 *   onView: (params: Record<string, string>, link: Record<string, string> | null) => void,
 *   change: (heads: [number, number][], gone: number[]) => void,
 *   askAt: (position: number) => void,
 *   copyLink: () => Promise<boolean>,
 * }} ExplainHost
 */

/** The names that a link uses. */
export const EXPLAIN_PARAMS = ["method", "off", "gone"];
const RANKS = 12;

/** @param {Uint8Array} bytes @returns {Explained} */
export const unpackExplained = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

/**
 * The text in the order of reading: units, and between them what is never taken away.
 * @param {Explained} found @returns {{unit: number | null, tokens: number[], text: string}[]}
 */
export function stretches({ tokens, units }) {
  const unitOf = new Map(units.flatMap((unit, u) => unit.map((i) => [i, u])));
  /** @type {{unit: number | null, tokens: number[], text: string}[]} */
  const found = [];
  tokens.forEach(({ text }, i) => {
    const unit = unitOf.get(i) ?? null;
    const last = found.at(-1);
    if (last && unit !== null && last.unit === unit) {
      last.tokens.push(i);
      last.text += text.replace(/^##/, "");
    } else found.push({ unit, tokens: [i], text });
  });
  return found;
}

/** @param {number | null | undefined} x @param {number} [places] */
const signed = (x, places = 3) =>
  x === null || x === undefined ? "—" : `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(places)}`;

/** Small numbers with three digits that say something. @param {number | null | undefined} x */
const plain = (x) => {
  if (x === null || x === undefined) return "—";
  const text = x !== 0 && Math.abs(x) < 0.1 ? x.toPrecision(3) : x.toFixed(3);
  return text.replace("-", "−");
};

/** @param {string} text @returns {[number, number][]} heads as a link names them: 3-1.0-2 */
export const readHeads = (text) =>
  text
    .split(".")
    .map((name) => /^(\d{1,3})-(\d{1,3})$/.exec(name))
    .flatMap((m) => (m ? [/** @type {[number, number]} */ ([Number(m[1]), Number(m[2])])] : []));

/** @param {HTMLElement} root @param {ExplainHost} host */
export function mountExplain(root, host) {
  /** @type {Explained | null} */
  let found = null;
  let theme = readTheme(root);
  let method = ""; // the chosen method's key
  /** @type {[number, number][]} */
  let off = [];
  /** @type {number[]} */
  let gone = []; // units taken away together
  /** @type {number | null} */
  let pointed = null; // a unit
  /** @type {number | null} */
  let hoveredHead = null;

  const target = h("p", { class: "ax-target" });
  const lines = h("ul", { class: "ax-findings" });
  const copy = createCopy(host.copyLink);
  const rows = h("div", { class: "ax-methods", role: "table", "aria-label": "Scores by method" });
  const pointedSays = h("p", { class: "ax-help ax-still", "aria-live": "polite" });
  const caveat = h("p", { class: "ax-caveat" });
  const goneSays = h("p", { class: "ax-help ax-taken", "aria-live": "polite" });
  const goneBack = pushButton("Put them back", "Put all words back", () => setGone([]), "ax-copy");
  const matrix = h("div", { class: "ax-rows", tabindex: "0", role: "group" });
  const deletion = document.createElement("canvas");
  const insertion = document.createElement("canvas");
  const curvesSay = h("p", { class: "ax-help" });
  const charts = h(
    "div",
    { class: "ax-curves" },
    h("figure", {}, h("figcaption", {}, "Deletion: the highest scored go first"), deletion),
    h("figure", {}, h("figcaption", {}, "Insertion: the highest scored come first"), insertion),
  );
  const table = h("div", { class: "ax-rows", tabindex: "0", role: "group" });
  const grid = document.createElement("canvas");
  const headSays = h("p", { class: "ax-says", "aria-live": "polite" });
  const headNote = h("p", { class: "ax-help" });
  const headRanks = h("ol", { class: "ax-ranks" });
  const allOn = pushButton("All heads on", "Switch every head on again", () => setOff([]));
  const guesses = h("div", { class: "ax-rows ax-guesses" });
  const scoring = h(
    "section",
    { "aria-label": "Scores" },
    h("h3", {}, "Which words matter? Every method on the same text"),
    pointedSays,
    rows,
    h("div", { class: "ax-chosen" }, goneSays, goneBack),
    caveat,
  );
  const heads = h(
    "section",
    { "aria-label": "Heads" },
    h("h3", {}, "Which heads matter? Switch them off and see"),
    headSays,
    h(
      "div",
      { class: "ax-switching" },
      h("div", {}, headNote, grid, h("div", { class: "ax-chosen" }, allOn), guesses),
      h("div", {}, h("h4", {}, "Heads that move the target most"), headRanks),
    ),
  );
  const curves = h(
    "section",
    { "aria-label": "Curves" },
    h("h3", {}, "Is it true? Words really taken away, in each method’s order"),
    curvesSay,
    charts,
  );
  const save = createSaveMenu(
    () => ({
      elements: [target, scoring, curves, heads],
      ...{ title: found?.title ?? "", name: "explain", says: found?.lines.join(" ") ?? "", theme },
    }),
    csv,
    null,
  );
  root.replaceChildren(
    h(
      "div",
      { class: "ax-tools" },
      target,
      h("div", { class: "ax-away" }, copy.element, save.element),
    ),
    lines,
    scoring,
    curves,
    h("details", { class: "ax-table" }, h("summary", {}, "All numbers as a table"), table),
    h(
      "details",
      { class: "ax-table" },
      h("summary", {}, "How far any two methods agree (Spearman)"),
      matrix,
    ),
    heads,
  );

  grid.tabIndex = 0;
  grid.setAttribute("role", "img");
  grid.addEventListener("pointermove", (event) => hoverHead(headAt(event)));
  grid.addEventListener("pointerleave", () => hoverHead(null));
  grid.addEventListener("click", (event) => {
    const head = headAt(event);
    if (head !== null) toggle(head);
  });
  keys(
    grid,
    (dx, dy) => {
      if (!found?.shape) return;
      const [layers, width] = found.shape;
      const from = hoveredHead ?? 0;
      const layer = bound(Math.floor(from / width) + dy, 0, layers - 1);
      hoverHead(layer * width + bound((from % width) + dx, 0, width - 1));
    },
    () => hoveredHead !== null && toggle(hoveredHead),
    () => setOff([]),
  );

  function report() {
    if (!found) return;
    /** @type {Record<string, string>} */
    const params = {};
    if (method !== found.methods[0].key) params.method = method;
    if (off.length) params.off = off.map((head) => head.join("-")).join(".");
    if (gone.length) params.gone = gone.join(".");
    host.onView(params, found.link);
  }

  // — scores on the text —

  /** @param {MethodOf | null} of null for removal itself @returns {(number | null)[]} */
  const valuesOf = (of) => (of ? of.values : found?.removal) ?? [];

  /** The colours of a unit. @param {MethodOf | null} of @param {number} unit */
  function colours(of, unit) {
    const values = valuesOf(of);
    if (of && !of.signed) {
      // From the least to the most: rollout and relevance give every word nearly the same.
      const known = values.map((x) => x ?? 0);
      const [low, high] = [Math.min(...known), Math.max(...known)];
      const level = Math.round((255 * (known[unit] - low)) / (high - low || 1));
      return [theme.fills[level], theme.inks[level]];
    }
    const most = Math.max(1e-12, ...values.map((x) => Math.abs(x ?? 0)));
    const share = (values[unit] ?? 0) / most;
    const back = theme.diverging[bound(Math.round(127.5 + 127.5 * share), 0, 255)];
    return [css(back), css(inkOn(back))];
  }

  /** @param {MethodOf | null} of */
  function textOf(of) {
    if (!found) return h("span");
    const asks = found.asks_at && !of;
    const words = stretches(found).map(({ unit, tokens, text }) => {
      const special = found?.tokens[tokens[0]].special;
      const act = (/** @type {MouseEvent} */ event) => {
        if (asks && !event.shiftKey) host.askAt(tokens[0]);
        else if (unit !== null) takeAway(unit);
      };
      const active = !of && !special && (unit !== null || asks);
      const word = active
        ? pushButton(text, text, act, "ax-word")
        : h("span", { class: "ax-word" }, text);
      if (unit === null) {
        word.classList.add("ax-chip-special");
        return word;
      }
      const [back, ink] = colours(of, unit);
      word.style.background = back;
      word.style.color = ink;
      word.dataset.unit = String(unit);
      word.addEventListener("pointerenter", () => point(unit));
      word.addEventListener("pointerleave", () => point(null));
      return word;
    });
    return h("div", { class: "ax-running", dir: "auto", role: "cell" }, ...words);
  }

  /** @param {number | null} unit */
  function point(unit) {
    pointed = unit;
    for (const word of rows.querySelectorAll("[data-unit]"))
      word.classList.toggle(
        "ax-pointed",
        unit !== null && /** @type {HTMLElement} */ (word).dataset.unit === String(unit),
      );
    showNumbers();
  }

  /** Take a unit away with the others, or put it back. @param {number} unit */
  function takeAway(unit) {
    setGone(
      gone.includes(unit) ? gone.filter((u) => u !== unit) : [...gone, unit].sort((a, b) => a - b),
    );
  }

  /** @param {number[]} units */
  function setGone(units) {
    gone = units;
    markGone();
    askForChange();
    showHeads();
    report();
  }

  function markGone() {
    for (const word of rows.querySelectorAll(".ax-truth [data-unit]"))
      word.classList.toggle(
        "ax-away-word",
        gone.includes(Number(/** @type {HTMLElement} */ (word).dataset.unit)),
      );
  }

  function askForChange() {
    const places = gone.flatMap((unit) => found?.units[unit] ?? []);
    if (off.length || gone.length) host.change(off, places);
  }

  function showGone() {
    goneBack.disabled = !gone.length;
    if (!found || !gone.length) {
      setText(goneSays, "No word is taken away.");
      return;
    }
    const names = gone.map((unit) => `“${unitText(unit)}”`).join(" ");
    const now = answer();
    const also = off.length ? `, and with ${off.length} of the heads off below` : "";
    setText(
      goneSays,
      now
        ? `Without ${names}${also}, the target is ${plain(now.value)} instead of ${plain(found.value)}: ${signed(now.value - found.value, 4)}.`
        : `Without ${names}…`,
    );
  }

  const unitText = (/** @type {number} */ unit) =>
    found ? (stretches(found).find((s) => s.unit === unit)?.text ?? "") : "";

  function showNumbers() {
    if (!found) return;
    const away = found.how === "mask" ? "put [MASK] in its place" : "drop it";
    setText(
      pointedSays,
      pointed === null
        ? `Each line’s colours run from its own least to its most. Where a method knows a sign, blue words support the target and orange ones work against it. Point at a word for its numbers. In the first line, ${found.asks_at ? "click a word to ask about it, Shift-click words" : "click words"} to take them away together.`
        : `“${unitText(pointed)}”: ${away}, and the target changes by ${signed(-(found.removal[pointed] ?? 0))}. Each method’s score of it stands on the right.`,
    );
    for (const cell of rows.querySelectorAll("[data-score]")) {
      const key = /** @type {HTMLElement} */ (cell).dataset.score;
      const of = found.methods.find((m) => m.key === key) ?? null;
      const value = pointed === null ? null : valuesOf(of)[pointed];
      setText(
        /** @type {HTMLElement} */ (cell),
        pointed === null ? "" : of && !of.signed ? plain(value) : signed(value),
      );
    }
  }

  function showRows() {
    if (!found) return;
    const away = found.how === "mask" ? "[MASK] in its place" : "dropped";
    const truth = h(
      "div",
      { class: "ax-method ax-truth", role: "row" },
      h(
        "div",
        { class: "ax-method-name", role: "rowheader" },
        h("strong", {}, "measured removal"),
        h("span", { class: "ax-help" }, ` each word ${away}`),
      ),
      textOf(null),
      h("div", { class: "ax-score-now", "data-score": "", role: "cell" }),
      h("div", { class: "ax-agree ax-help", role: "cell" }, "agreement with it, −1 to 1"),
    );
    rows.replaceChildren(truth, ...found.methods.map(rowOf));
    showNumbers();
  }

  /** @param {MethodOf} of */
  function rowOf(of) {
    const name = pushButton(
      of.name,
      `${of.name}: what it assumes, and its curves`,
      () => choose(of.key),
      "ax-link",
    );
    const row = h(
      "div",
      { class: "ax-method", role: "row" },
      h("div", { class: "ax-method-name", role: "rowheader" }, name),
      of.values
        ? textOf(of)
        : h("div", { class: "ax-help", role: "cell" }, `Not available: ${of.reason}`),
      h("div", { class: "ax-score-now", "data-score": of.key, role: "cell" }),
      agreeOf(of),
    );
    row.classList.toggle("ax-picked", of.key === method);
    return row;
  }

  /** The agreement as a dot with its interval between −1 and 1. @param {MethodOf} of */
  function agreeOf({ agreement, values }) {
    if (!values || !agreement) return h("div", { class: "ax-agree", role: "cell" }, "");
    const { rho, low, high, n } = agreement;
    if (rho === null)
      return h("div", { class: "ax-agree ax-help", role: "cell" }, "not defined here");
    const scale = h("span", { class: "ax-scale", "aria-hidden": "true" }, h("i"), h("b"));
    scale.style.setProperty("--low", `${50 + 50 * low}%`);
    scale.style.setProperty("--width", `${50 * (high - low)}%`);
    scale.style.setProperty("--rho", `${50 + 50 * rho}%`);
    const title = `Spearman ${plain(rho)}, 95 % interval ${plain(low)} to ${plain(high)}, ${n} words`;
    return h(
      "div",
      { class: "ax-agree", title, role: "cell" },
      scale,
      h("strong", {}, rho.toFixed(2).replace("-", "−")),
    );
  }

  /** @param {string} key */
  function choose(key) {
    method = key;
    for (const [i, row] of [...rows.querySelectorAll(".ax-method:not(.ax-truth)")].entries())
      row.classList.toggle("ax-picked", found?.methods[i].key === key);
    showChosen();
    report();
  }

  const chosen = () => found?.methods.find((m) => m.key === method) ?? found?.methods[0];

  function showChosen() {
    const of = chosen();
    if (!found || !of) return;
    const note = of.values && of.reason ? ` ${of.reason}` : "";
    caveat.replaceChildren(h("strong", {}, of.name), ` (${of.paper}). ${of.caveat}${note}`);
    const { curves: own } = of;
    setText(
      curvesSay,
      own
        ? `${of.name}: area ${plain(own.areas[0])} under deletion (lower is better), ${plain(own.areas[1])} under insertion (higher is better). The other methods are grey. Nothing removed: ${plain(found.value)}; all words removed: ${plain(found.empty)}.`
        : `${of.name} has no curves here.`,
    );
    paintCurves(deletion, "deletion");
    paintCurves(insertion, "insertion");
    root.dataset.painted = `${found.id} ${of.key} ${off.map((head) => head.join("-")).join(".")}`;
  }

  /** @param {HTMLCanvasElement} canvas @param {"deletion" | "insertion"} which */
  function paintCurves(canvas, which) {
    if (!found) return;
    const all = found.methods.filter((m) => m.curves);
    const room = canvas.parentElement?.clientWidth ?? 400;
    const [width, height] = [Math.max(240, Math.min(room, 560)), 210];
    const plot = { left: 46, right: width - 10, top: 10, bottom: height - 34 };
    const heights = all.flatMap((m) => [
      ...(m.curves?.deletion ?? []),
      ...(m.curves?.insertion ?? []),
    ]);
    const [low, high] = [Math.min(...heights, found.value), Math.max(...heights, found.value)];
    const x = (/** @type {number} */ share) => plot.left + share * (plot.right - plot.left);
    const y = (/** @type {number} */ value) =>
      plot.bottom - ((value - low) / (high - low || 1)) * (plot.bottom - plot.top);
    paintOn(canvas, width, height, (pen) => {
      pen.font = `11px ${theme.font}`;
      pen.fillStyle = theme.muted;
      pen.strokeStyle = theme.border;
      pen.lineWidth = 1;
      pen.strokeRect(plot.left, plot.top, plot.right - plot.left, plot.bottom - plot.top);
      pen.textAlign = "right";
      pen.textBaseline = "middle";
      for (const value of [low, high])
        pen.fillText(value.toFixed(2).replace("-", "−"), plot.left - 6, y(value));
      pen.textAlign = "center";
      for (const share of [0, 0.5, 1])
        pen.fillText(
          `${100 * share} %`,
          bound(x(share), plot.left + 8, plot.right - 12),
          plot.bottom + 11,
        );
      pen.fillText(
        which === "deletion" ? "of the words gone" : "of the words there",
        (plot.left + plot.right) / 2,
        height - 7,
      );
      const of = chosen();
      for (const one of [...all.filter((m) => m !== of), ...(of?.curves ? [of] : [])]) {
        const own = /** @type {CurvesOf} */ (one.curves);
        pen.beginPath();
        own[which].forEach((value, i) => {
          if (i) pen.lineTo(x(own.shares[i]), y(value));
          else pen.moveTo(x(own.shares[i]), y(value));
        });
        pen.strokeStyle = one === of ? theme.accent : theme.border;
        pen.lineWidth = one === of ? 2.5 : 1.2;
        pen.stroke();
      }
    });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", curvesSay.textContent ?? "");
  }

  function showTable() {
    if (!found) return;
    const all = [null, ...found.methods.filter((m) => m.values)];
    const head = ["word", ...all.map((m) => m?.name ?? "measured removal")];
    const lineOf = (/** @type {number} */ unit) =>
      h(
        "tr",
        {},
        h("td", { dir: "auto" }, unitText(unit)),
        ...all.map((m) => {
          const value = valuesOf(m)[unit];
          return h("td", {}, m && !m.signed ? plain(value) : signed(value));
        }),
      );
    table.replaceChildren(
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...head.map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, ...found.units.map((_, unit) => lineOf(unit))),
      ),
    );
  }

  function showMatrix() {
    if (!found) return;
    const { agreements, units } = found;
    const names = ["measured removal", ...found.methods.filter((m) => m.values).map((m) => m.name)];
    const line = (/** @type {string} */ name, /** @type {number} */ i) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, name),
        ...agreements[i].map((rho, j) => {
          const cell = h(
            "td",
            {},
            i === j ? "" : rho === null ? "—" : rho.toFixed(2).replace("-", "−"),
          );
          cell.title = `${names[i]} and ${names[j]}, ${units.length} words`;
          return cell;
        }),
      );
    matrix.replaceChildren(
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h("tr", {}, ...["", ...names].map((name) => h("th", { scope: "col" }, name))),
        ),
        h("tbody", {}, ...names.map(line)),
      ),
    );
  }

  // — heads —

  let cell = { width: 1, height: 1, left: 24, top: 18 };

  /** @param {MouseEvent} event */
  function headAt(event) {
    if (!found?.shape) return null;
    const [layers, width] = found.shape;
    const column = Math.floor((event.offsetX - cell.left) / cell.width);
    const row = Math.floor((event.offsetY - cell.top) / cell.height);
    return column >= 0 && column < width && row >= 0 && row < layers ? row * width + column : null;
  }

  /** @param {number} i @returns {[number, number]} */
  const headOf = (i) => {
    const width = found?.shape?.[1] ?? 1;
    return [Math.floor(i / width), i % width];
  };

  const isOff = (/** @type {number} */ i) => off.some((o) => o.join() === headOf(i).join());

  /** @param {number} i */
  function toggle(i) {
    if (!found?.effects) return;
    const [layer, head] = headOf(i);
    setOff(
      isOff(i)
        ? off.filter(([a, b]) => a !== layer || b !== head)
        : [...off, /** @type {[number, number]} */ ([layer, head])],
    );
  }

  /** @param {[number, number][]} heads */
  function setOff(heads) {
    off = heads;
    askForChange();
    showHeads();
    report();
  }

  /** @param {number | null} i */
  function hoverHead(i) {
    if (i === hoveredHead) return;
    hoveredHead = i;
    paintHeads();
    setText(headSays, headSentence());
  }

  /** The answer for what is off now, if it is here. */
  function answer() {
    if (!found || !(off.length || gone.length)) return null;
    const { changed } = found;
    const places = gone.flatMap((unit) => found?.units[unit] ?? []);
    const alsoGone =
      changed &&
      same(
        changed.gone.map((i) => [i]),
        places.map((i) => [i]),
      );
    if (changed && alsoGone && same(changed.heads, off)) return changed;
    if (off.length !== 1 || gone.length || !found.effects || !found.shape) return null;
    const [[layer, head]] = off; // one head: measured already
    const effect = found.effects[layer * found.shape[1] + head];
    return { value: found.value + effect, predictions: null };
  }

  function headSentence() {
    if (!found) return "";
    if (found.heads_reason) return `Not available: ${found.heads_reason}`;
    const { effects, importance } = found;
    if (!effects || !importance) return "";
    if (hoveredHead !== null) {
      const [layer, head] = headOf(hoveredHead);
      return `Layer ${layer}, head ${head}${isOff(hoveredHead) ? " (off)" : ""}: switched off alone it moves the target by ${signed(effects[hoveredHead], 4)}; its gradient importance is ${importance[hoveredHead].toFixed(5)}.`;
    }
    if (!off.length) {
      const top = order()[0];
      return `All heads are on: the target is ${plain(found.value)}. The head that moves it most when it goes is ${headOf(top).join("-")} (${signed(effects[top], 4)}).`;
    }
    const names = off.map((head) => head.join("-")).join(", ");
    const now = answer();
    return now
      ? `Off: ${names}${gone.length ? ", and the words above gone" : ""}. The target is ${plain(now.value)} instead of ${plain(found.value)}: ${signed(now.value - found.value, 4)}.`
      : `Off: ${names}. Running the model without them…`;
  }

  const order = () => {
    const effects = found?.effects ?? [];
    return [...effects.keys()].sort((i, j) => Math.abs(effects[j]) - Math.abs(effects[i]));
  };

  function paintHeads() {
    if (!found?.shape || !found.effects) return;
    const [layers, width] = found.shape;
    const { effects } = found;
    const room = Math.max(260, grid.parentElement?.clientWidth ?? 500);
    const side = Math.floor(Math.min(54, (room - 26) / width));
    cell = { ...cell, width: side, height: Math.min(34, Math.max(18, side)) };
    const most = Math.max(1e-12, ...effects.map(Math.abs));
    paintOn(grid, cell.left + width * side + 2, cell.top + layers * cell.height + 2, (pen) => {
      pen.font = `11px ${theme.font}`;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.fillStyle = theme.muted;
      for (let head = 0; head < width; head++)
        pen.fillText(String(head), cell.left + (head + 0.5) * side, 9);
      for (let layer = 0; layer < layers; layer++)
        pen.fillText(String(layer), 11, cell.top + (layer + 0.5) * cell.height);
      effects.forEach((effect, i) => {
        const [layer, head] = headOf(i);
        const [x, y] = [cell.left + head * side, cell.top + layer * cell.height];
        const back = theme.diverging[bound(Math.round(127.5 - (127.5 * effect) / most), 0, 255)];
        pen.fillStyle = css(back);
        pen.fillRect(x + 1, y + 1, side - 2, cell.height - 2);
        if (isOff(i)) {
          pen.strokeStyle = css(inkOn(back));
          pen.lineWidth = 2;
          pen.beginPath();
          pen.moveTo(x + 5, y + 5);
          pen.lineTo(x + side - 5, y + cell.height - 5);
          pen.moveTo(x + side - 5, y + 5);
          pen.lineTo(x + 5, y + cell.height - 5);
          pen.stroke();
        }
        if (i === hoveredHead || isOff(i)) {
          pen.strokeStyle = theme.accent;
          pen.lineWidth = 2;
          pen.strokeRect(x + 1, y + 1, side - 2, cell.height - 2);
        }
      });
    });
    setText(
      headNote,
      `Blue heads support the target: without them it falls; orange ones work against it. Full colour at ±${most.toPrecision(2)}. Click to switch off. A head that is off is zero, which the model has never seen, and others take its place (Michel et al. 2019)${found.heads_agree === null ? "" : `; gradient importance ranks the heads as this does at ${plain(found.heads_agree)}`}.`,
    );
    grid.setAttribute("aria-label", `Effect of switching each head off. ${headSentence()}`);
  }

  function showHeads() {
    if (!found) return;
    const { effects, importance } = found;
    setText(headSays, headSentence());
    showGone();
    paintHeads();
    allOn.disabled = !off.length;
    const possible = effects !== null && importance !== null;
    for (const part of [grid, headNote, allOn, headRanks.parentElement])
      if (part) part.hidden = !possible;
    if (!possible) return;
    const most = Math.max(1e-12, ...effects.map(Math.abs));
    headRanks.replaceChildren(
      ...order()
        .slice(0, RANKS)
        .map((i) => {
          const button = pushButton(
            `${headOf(i).join("-")}  ${signed(effects[i], 4)}`,
            `Layer ${headOf(i)[0]}, head ${headOf(i)[1]}: switch it off or on`,
            () => toggle(i),
            "ax-rank",
          );
          button.style.setProperty("--share", `${(100 * Math.abs(effects[i])) / most}%`);
          button.setAttribute("aria-pressed", String(isOff(i)));
          return h("li", {}, button);
        }),
    );
    showGuesses();
    const of = chosen();
    if (of)
      root.dataset.painted = `${found.id} ${of.key} ${off.map((head) => head.join("-")).join(".")}${(off.length || gone.length) && !answer() ? " …" : ""}`;
  }

  function showGuesses() {
    if (!found?.predictions.length) {
      guesses.replaceChildren();
      return;
    }
    const altered = off.length > 0 || gone.length > 0;
    const after = altered ? answer()?.predictions : null;
    const before = new Map(found.predictions);
    const head = [
      "now predicted",
      "probability",
      ...(altered ? ["after the change", "probability"] : []),
    ];
    const body = found.predictions.map(([text, p], i) => {
      const cells = [text, p.toFixed(4)];
      if (altered) {
        const [other, q] = after?.[i] ?? ["…", 0];
        const was = before.get(other);
        cells.push(
          other,
          after
            ? `${q.toFixed(4)}${was === undefined ? " (new)" : ` (${signed(q - was, 4)})`}`
            : "",
        );
      }
      return h("tr", {}, ...cells.map((text) => h("td", { dir: "auto" }, text)));
    });
    guesses.replaceChildren(
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...head.map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, ...body),
      ),
    );
  }

  function csv() {
    if (!found) return "";
    const all = [null, ...found.methods.filter((m) => m.values)];
    const titles = ["word", "tokens", ...all.map((m) => m?.name ?? "measured removal")];
    const body = found.units.map((unit, u) => [
      csvCell(unitText(u)),
      unit.join(" "),
      ...all.map((m) => String(valuesOf(m)[u] ?? "")),
    ]);
    return `\ufeff${[titles.map(csvCell), ...body].map((row) => row.join(",")).join("\r\n")}\r\n`;
  }

  function draw() {
    if (!found) return;
    target.replaceChildren("Explained: ", h("strong", {}, found.name), ` = ${plain(found.value)}`);
    lines.replaceChildren(...found.lines.map((line) => h("li", {}, line)));
    showRows();
    showChosen();
    showTable();
    showMatrix();
    showHeads();
  }

  /** @param {Uint8Array} bytes */
  function update(bytes) {
    const fresh = unpackExplained(bytes);
    const first = found?.id !== fresh.id;
    found = fresh;
    theme = readTheme(root);
    copy.show(found.link !== null);
    if (!first) {
      showHeads(); // only the answer about heads can be new
      return;
    }
    const params = host.params();
    const known = fresh.methods.some((m) => m.key === params.get("method"));
    method = known ? (params.get("method") ?? "") : method || fresh.methods[0].key;
    const [layers, width] = fresh.shape ?? [0, 0];
    off = readHeads(params.get("off") ?? "").filter(([a, b]) => a < layers && b < width);
    pointed = null;
    draw();
    gone = (params.get("gone") ?? "")
      .split(".")
      .filter(Boolean)
      .map(Number)
      .filter((unit) => Number.isInteger(unit) && unit >= 0 && unit < fresh.units.length);
    showHeads();
    markGone();
    if (!answer()) askForChange();
  }

  const watcher = new ResizeObserver(() => {
    showChosen();
    paintHeads();
  });
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

/** @param {number[][]} one @param {number[][]} other */
const same = (one, other) =>
  one
    .map((x) => x.join())
    .sort()
    .join(";") ===
  other
    .map((x) => x.join())
    .sort()
    .join(";");
