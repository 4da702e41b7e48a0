// One output explained: every method's scores on the text, how far they agree with removal, and
// heads to switch off. It knows nothing of its host.

import { bound } from "../numbers/basics.js";
import { csvCell } from "../numbers/csv.js";
import {
  answerTo,
  inPlain,
  inSigned,
  readHeads,
  stretches,
  unitText,
  unpackExplained,
  valuesOf,
} from "../numbers/explained.js";
import { css, inkOn } from "../numbers/palette.js";
import { createSwitchOff } from "../panels/switchoff.js";
import { createCurves } from "../parts/curves.js";
import { h, pushButton, setText } from "../parts/dom.js";
import { readTheme } from "../parts/theme.js";
import { createCopy } from "../parts/tools.js";
import { createSaveMenu } from "../save/files.js";

/**
 * @typedef {import("../numbers/explained.js").Explained} Explained
 * @typedef {import("../numbers/explained.js").MethodOf} MethodOf
 * @typedef {{
 *   params: () => URLSearchParams,
 *   onView: (params: Record<string, string>, link: Record<string, string> | null) => void,
 *   change: (heads: [number, number][], gone: number[]) => void,
 *   askAt: (position: number) => void,
 *   copyLink: () => Promise<boolean>,
 * }} ExplainHost
 */

/** What a word's own numbers are. @param {Explained} found @param {number} unit @param {string} away */
const pointedText = (found, unit, away) =>
  found.removal
    ? `“${unitText(found, unit)}”: ${away}, and the target changes by ${inSigned(-(found.removal[unit] ?? 0))}. Each method’s score of it stands on the right.`
    : `“${unitText(found, unit)}”: each method’s score of it stands on the right.`;

/** The names that a link uses. */
export const EXPLAIN_PARAMS = ["method", "off", "gone"];

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
  const target = h("p", { class: "ax-target" });
  const lines = h("ul", { class: "ax-findings" });
  const copy = createCopy(host.copyLink);
  const rows = h("div", { class: "ax-methods", role: "table", "aria-label": "Scores by method" });
  const pointedSays = h("p", { class: "ax-help ax-still", "aria-live": "polite" });
  const caveat = h("p", { class: "ax-caveat" });
  const goneSays = h("p", { class: "ax-help ax-taken", "aria-live": "polite" });
  const goneBack = pushButton("Put them back", "Put all words back", () => setGone([]), "ax-copy");
  const matrix = h("div", { class: "ax-rows", tabindex: "0", role: "group" });
  const table = h("div", { class: "ax-rows", tabindex: "0", role: "group" });
  const curves = createCurves();
  const heads = createSwitchOff(setOff);
  const scoring = h(
    "section",
    { "aria-label": "Scores" },
    h("h3", {}, "Which words matter? Every method on the same text"),
    pointedSays,
    rows,
    h("div", { class: "ax-chosen" }, goneSays, goneBack),
    caveat,
  );
  const save = createSaveMenu(
    () => ({
      elements: [target, scoring, curves.element, heads.element],
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
    curves.element,
    h("details", { class: "ax-table" }, h("summary", {}, "All numbers as a table"), table),
    h(
      "details",
      { class: "ax-table" },
      h("summary", {}, "How far any two methods agree (Spearman)"),
      matrix,
    ),
    heads.element,
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

  /** The colours of a unit. @param {MethodOf | null} of @param {number} unit */
  function colours(of, unit) {
    const values = found ? valuesOf(found, of) : [];
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
    showChanges();
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
    const shown = found;
    const names = gone.map((unit) => `“${unitText(shown, unit)}”`).join(" ");
    const now = answerTo(found, off, gone);
    const also = off.length ? `, and with ${off.length} of the heads off below` : "";
    setText(
      goneSays,
      now
        ? `Without ${names}${also}, the target is ${inPlain(now.value)} instead of ${inPlain(found.value)}: ${inSigned(now.value - found.value, 4)}.`
        : `Without ${names}…`,
    );
  }

  function showNumbers() {
    if (!found) return;
    const away = found.instead === null ? "drop it" : `put ${found.instead} in its place`;
    setText(
      pointedSays,
      pointed === null
        ? `Each line’s colours run from its own least to its most. Where a method knows a sign, blue words support the target and orange ones work against it. Point at a word for its numbers. In the first line, ${found.asks_at ? "click a word to ask about it, Shift-click words" : "click words"} to take them away together.`
        : pointedText(found, pointed, away),
    );
    for (const cell of rows.querySelectorAll("[data-score]")) {
      const key = /** @type {HTMLElement} */ (cell).dataset.score;
      const of = found.methods.find((m) => m.key === key) ?? null;
      const value = pointed === null ? null : valuesOf(found, of)[pointed];
      setText(
        /** @type {HTMLElement} */ (cell),
        pointed === null ? "" : of && !of.signed ? inPlain(value) : inSigned(value),
      );
    }
  }

  /** @type {Map<string, [string, HTMLElement]>} each row, with what it shows */
  const drawn = new Map();

  /**
   * A row, drawn anew only if it shows something else: results come one after the other, and what
   * the reader has in hand must stay.
   * @param {string} key @param {string} shows @param {() => HTMLElement} make
   */
  function row(key, shows, make) {
    const old = drawn.get(key);
    if (old?.[0] === shows) return old[1];
    const fresh = make();
    drawn.set(key, [shows, fresh]);
    return fresh;
  }

  function showRows() {
    if (!found) return;
    const { id, methods, removal, stopped } = found;
    const wanted = [
      row("", `${id} ${removal !== null} ${stopped}`, truthRow),
      ...methods.map((of) => {
        const { key, values, reason, agreement } = of;
        return row(key, `${id} ${values !== null} ${reason} ${agreement?.rho}`, () => rowOf(of));
      }),
    ];
    wanted.forEach((element, i) => {
      if (rows.children[i] !== element) rows.insertBefore(element, rows.children[i] ?? null);
    });
    while (rows.children.length > wanted.length) rows.lastElementChild?.remove();
    markGone();
    showNumbers();
  }

  function truthRow() {
    const away = found?.instead ? `${found.instead} in its place` : "dropped";
    const awaited = found?.stopped ? " was not measured" : " is measured last…";
    const says = found?.removal ? ` each word ${away}` : awaited;
    return h(
      "div",
      { class: "ax-method ax-truth", role: "row" },
      h(
        "div",
        { class: "ax-method-name", role: "rowheader" },
        h("strong", {}, "measured removal"),
        h("span", { class: "ax-help" }, says),
      ),
      textOf(null),
      h("div", { class: "ax-score-now", "data-score": "", role: "cell" }),
      h("div", { class: "ax-agree ax-help", role: "cell" }, "agreement with it, −1 to 1"),
    );
  }

  /** @param {MethodOf} of */
  function rowOf(of) {
    const name = pushButton(
      of.name,
      `${of.name}: what it assumes, and its curves`,
      () => choose(of.key),
      "ax-link",
    );
    const missing = of.reason ? `Not available: ${of.reason}` : "Being computed…";
    const line = h(
      "div",
      { class: "ax-method", role: "row" },
      h("div", { class: "ax-method-name", role: "rowheader" }, name),
      of.values ? textOf(of) : h("div", { class: "ax-help", role: "cell" }, missing),
      h("div", { class: "ax-score-now", "data-score": of.key, role: "cell" }),
      agreeOf(of),
    );
    line.classList.toggle("ax-picked", of.key === method);
    return line;
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
    const title = `Spearman ${inPlain(rho)}, 95 % interval ${inPlain(low)} to ${inPlain(high)}, ${n} words`;
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
    curves.show(found, of, theme);
    markPainted();
  }

  /** Say what is on screen, and whether an answer is awaited. */
  function markPainted() {
    if (!found) return;
    const waits = (off.length || gone.length) && !answerTo(found, off, gone);
    const names = off.map((head) => head.join("-")).join(".");
    const now = `${found.id} ${chosen()?.key} ${names}${waits ? " …" : ""}`;
    // What is still being computed is on screen, but it is no finished picture.
    if (found.whole) root.dataset.painted = now;
    else delete root.dataset.painted;
    root.dataset.partial = found.whole ? "" : now;
  }

  /** @param {[number, number][]} switched */
  function setOff(switched) {
    off = switched;
    askForChange();
    showChanges();
    report();
  }

  /** What depends on the heads that are off and the words that are gone. */
  function showChanges() {
    if (!found) return;
    showGone();
    heads.show(found, off, gone, theme);
    markPainted();
  }

  function showTable() {
    if (!found) return;
    const shown = found;
    const all = [null, ...found.methods.filter((m) => m.values)];
    const head = ["word", ...all.map((m) => m?.name ?? "measured removal")];
    const lineOf = (/** @type {number} */ unit) =>
      h(
        "tr",
        {},
        h("td", { dir: "auto" }, unitText(shown, unit)),
        ...all.map((m) => {
          const value = valuesOf(shown, m)[unit];
          return h("td", {}, m && !m.signed ? inPlain(value) : inSigned(value));
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
    if (!agreements.length) {
      matrix.replaceChildren("It will stand here when all scores are there.");
      return;
    }
    const names = ["measured removal", ...found.methods.filter((m) => m.values).map((m) => m.name)];
    const line = (/** @type {string} */ name, /** @type {number} */ i) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, name),
        ...agreements[i].map(([rho, low, high], j) => {
          const text = i === j ? "" : rho === null ? "—" : rho.toFixed(2).replace("-", "−");
          const cell = h("td", {}, text);
          cell.title = `${names[i]} and ${names[j]}: ${units.length} words, 95 % interval ${inPlain(low)} to ${inPlain(high)}`;
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

  function csv() {
    if (!found) return "";
    const shown = found;
    const all = [null, ...found.methods.filter((m) => m.values)];
    const titles = ["word", "tokens", ...all.map((m) => m?.name ?? "measured removal")];
    const body = found.units.map((unit, u) => [
      csvCell(unitText(shown, u)),
      unit.join(" "),
      ...all.map((m) => String(valuesOf(shown, m)[u] ?? "")),
    ]);
    return `\ufeff${[titles.map(csvCell), ...body].map((row) => row.join(",")).join("\r\n")}\r\n`;
  }

  function draw() {
    if (!found) return;
    target.replaceChildren(
      "Explained: ",
      h("strong", {}, found.name),
      ` = ${inPlain(found.value)}`,
    );
    lines.replaceChildren(...found.lines.map((line) => h("li", {}, line)));
    showRows();
    showChosen();
    showTable();
    showMatrix();
    showChanges();
  }

  /** @param {Uint8Array} bytes */
  function update(bytes) {
    const fresh = unpackExplained(bytes);
    const before = found;
    const first = found?.id !== fresh.id;
    found = fresh;
    theme = readTheme(root);
    copy.show(found.link !== null);
    if (!first) {
      if (before?.whole)
        showChanges(); // only the answer about heads can be new
      else draw();
      return;
    }
    const params = host.params();
    const named = fresh.methods.some((m) => m.key === params.get("method"));
    method = named ? (params.get("method") ?? "") : method || fresh.methods[0].key;
    const width = fresh.shape?.[1] ?? 0;
    const known = (/** @type {[number, number]} */ [a, b]) =>
      fresh.numbers.includes(a) && b < width;
    off = readHeads(params.get("off") ?? "").filter(known);
    pointed = null;
    draw();
    gone = (params.get("gone") ?? "")
      .split(".")
      .filter(Boolean)
      .map(Number)
      .filter((unit) => Number.isInteger(unit) && unit >= 0 && unit < fresh.units.length);
    showChanges();
    markGone();
    if (!answerTo(fresh, off, gone)) askForChange();
  }

  const watcher = new ResizeObserver(() => {
    showChosen();
    heads.repaint();
  });
  watcher.observe(root);
  return {
    update,
    retheme: () => {
      theme = readTheme(root);
      drawn.clear();
      draw();
    },
    destroy: () => {
      watcher.disconnect();
      root.replaceChildren();
    },
  };
}
