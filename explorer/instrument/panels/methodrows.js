// Every method's scores on the text, a line each, under what removal measured.

import { bound } from "../numbers/basics.js";
import { stretches, valuesOf } from "../numbers/explained.js";
import { agreedWords, placeWords, scoreText } from "../numbers/explainwords.js";
import { t } from "../numbers/language.js";
import { css, inkOn } from "../numbers/palette.js";
import { term } from "../parts/bubble.js";
import { h, pushButton, setText, woven } from "../parts/dom.js";

/**
 * @typedef {import("../numbers/explained.js").Explained} Explained
 * @typedef {import("../numbers/explained.js").MethodOf} MethodOf
 * @typedef {import("../numbers/explainview.js").ExplainState} ExplainState
 * @typedef {import("../parts/theme.js").Theme} Theme
 * @typedef {{point: (unit: number | null) => void, takeAway: (unit: number) => void,
 *            choose: (method: string) => void}} RowActs
 */

/** @param {RowActs} act */
export function createMethodRows(act) {
  const element = h("div", {
    ...{ class: "ax-methods", role: "table", "aria-label": t("Scores by method") },
  });
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

  /** @param {ExplainState} state @param {Theme} theme */
  function show(state, theme) {
    const { id, methods, removal, stopped } = state.found;
    const wanted = [
      row("", `${id} ${removal !== null} ${stopped}`, () => truthRow(state.found, theme, act)),
      ...methods.map((of) => {
        const { key, values, reason, agreement } = of;
        const shows = `${id} ${values !== null} ${reason} ${agreement?.rho}`;
        return row(key, shows, () => rowOf(state, of, theme, act));
      }),
    ];
    putInOrder(element, wanted);
    markGone(element, state.gone);
    showScores(element, state);
  }

  return {
    ...{ element, show },
    /** Draw every row anew next time: the colours have changed. */
    forget: () => drawn.clear(),
    showPointed: (/** @type {ExplainState} */ state) => showPointed(element, state),
    showGone: (/** @type {ExplainState} */ state) => markGone(element, state.gone),
    showChosen: (/** @type {ExplainState} */ state) => markChosen(element, state),
  };
}

/** @param {HTMLElement} rows @param {HTMLElement[]} wanted */
function putInOrder(rows, wanted) {
  wanted.forEach((element, i) => {
    if (rows.children[i] !== element) rows.insertBefore(element, rows.children[i] ?? null);
  });
  while (rows.children.length > wanted.length) rows.lastElementChild?.remove();
}

/** @param {HTMLElement} rows @param {number[]} gone */
function markGone(rows, gone) {
  for (const word of rows.querySelectorAll(".ax-truth [data-unit]"))
    word.classList.toggle(
      "ax-away-word",
      gone.includes(Number(/** @type {HTMLElement} */ (word).dataset.unit)),
    );
}

/** @param {HTMLElement} rows @param {ExplainState} state */
function markChosen(rows, { found, method }) {
  for (const [i, row] of [...rows.querySelectorAll(".ax-method:not(.ax-truth)")].entries())
    row.classList.toggle("ax-method-on", found.methods[i].key === method);
}

/** Mark the word in every row, and give its numbers. @param {HTMLElement} rows @param {ExplainState} state */
function showPointed(rows, state) {
  const { pointed } = state;
  for (const word of rows.querySelectorAll("[data-unit]"))
    word.classList.toggle(
      "ax-pointed",
      pointed !== null && /** @type {HTMLElement} */ (word).dataset.unit === String(pointed),
    );
  showScores(rows, state);
}

/** @param {HTMLElement} rows @param {ExplainState} state */
function showScores(rows, { found, pointed }) {
  for (const cell of rows.querySelectorAll("[data-score]")) {
    const key = /** @type {HTMLElement} */ (cell).dataset.score;
    const of = found.methods.find((m) => m.key === key) ?? null;
    const text = pointed === null ? "" : scoreText(of, valuesOf(found, of)[pointed]);
    setText(/** @type {HTMLElement} */ (cell), text);
  }
}

/** How each word was taken away. @param {Explained} found */
function removedWords({ instead, how }) {
  if (instead) return t("each word {token} in its place", { token: instead });
  return how === "cut" ? t("each word cut out of attention") : t("each word dropped");
}

/** @param {Explained} found @param {Theme} theme @param {RowActs} act */
function truthRow(found, theme, act) {
  const says = ` ${found.removal ? removedWords(found) : found.stopped ? t("was not measured") : t("is measured last…")}`;
  return h(
    "div",
    { class: "ax-method ax-truth", role: "row" },
    h(
      "div",
      { class: "ax-method-name", role: "rowheader" },
      h("strong", {}, term("measured removal", t("measured removal"))),
      h("span", { class: "ax-help" }, says),
    ),
    textOf(found, null, theme, act),
    h("div", { class: "ax-score-now", "data-score": "", role: "cell" }),
    h(
      "div",
      { class: "ax-agreeing ax-help", role: "cell" },
      h(
        "div",
        { class: "ax-agree" },
        h(
          "span",
          {},
          ...woven(t("{agreement}, −1 to 1"), {
            agreement: term("agreement with removal", t("agreement with it")),
          }),
        ),
      ),
      ...placeOf(found.points),
    ),
  );
}

/** @param {ExplainState} state @param {MethodOf} of @param {Theme} theme @param {RowActs} act */
function rowOf({ found, method }, of, theme, act) {
  const name = pushButton(
    of.name,
    t("{method}: what it assumes, and its curves", { method: of.name }),
    () => act.choose(of.key),
    "ax-link",
  );
  const missing = of.reason
    ? t("Not available: {reason}", { reason: of.reason })
    : t("Being computed…");
  const line = h(
    "div",
    { class: "ax-method", role: "row" },
    h("div", { class: "ax-method-name", role: "rowheader" }, name),
    of.values
      ? textOf(found, of, theme, act)
      : h("div", { class: "ax-help", role: "cell" }, missing),
    h("div", { class: "ax-score-now", "data-score": of.key, role: "cell" }),
    h("div", { class: "ax-agreeing", role: "cell" }, agreeOf(of), ...placeOf(of.pointing)),
  );
  line.classList.toggle("ax-method-on", of.key === method);
  return line;
}

/** Where the words that are known to decide stand by a score. @param {import("../numbers/explained.js").Pointing | null} pointing */
function placeOf(pointing) {
  if (!pointing) return [];
  const [says, title] = placeWords(pointing);
  return [h("span", { class: "ax-help ax-points", title }, says)];
}

/** The agreement as a dot with its interval between −1 and 1. @param {MethodOf} of */
function agreeOf({ agreement, values, signed }) {
  if (!values || !agreement) return h("div", { class: "ax-agree" }, "");
  const { rho, low, high } = agreement;
  if (rho === null) return h("div", { class: "ax-agree ax-help" }, t("not defined here"));
  const scale = h("span", { class: "ax-scale", "aria-hidden": "true" }, h("i"), h("b"));
  scale.style.setProperty("--low", `${50 + 50 * low}%`);
  scale.style.setProperty("--width", `${50 * (high - low)}%`);
  scale.style.setProperty("--rho", `${50 + 50 * rho}%`);
  const [kind, title] = agreedWords(agreement, signed);
  return h(
    "div",
    { class: "ax-agree", title },
    scale,
    h("strong", {}, rho.toFixed(2).replace("-", "−")),
    h("span", { class: "ax-help" }, kind),
  );
}

/**
 * The text in a method's colours; without a method in those of measured removal, to be clicked.
 * @param {Explained} found @param {MethodOf | null} of @param {Theme} theme @param {RowActs} act
 */
function textOf(found, of, theme, act) {
  const words = stretches(found).map(({ unit, tokens, text }) => {
    const word =
      of || unit === null
        ? h("span", { class: "ax-word" }, text)
        : pushButton(text, t("Take away “{text}”", { text }), () => act.takeAway(unit), "ax-word");
    if (unit === null) {
      word.classList.add(tokens[0] === found.at ? "ax-kept" : "ax-chip-special");
      return word;
    }
    const [back, ink] = coloursOf(found, of, theme, unit);
    word.classList.toggle("ax-deciding", found.deciding.includes(unit));
    word.style.background = back;
    word.style.color = ink;
    word.dataset.unit = String(unit);
    word.addEventListener("pointerenter", () => act.point(unit));
    word.addEventListener("pointerleave", () => act.point(null));
    return word;
  });
  return h("div", { class: "ax-running", dir: "auto", role: "cell" }, ...words);
}

/**
 * The colours of a unit: of its word's ground and of its letters.
 * @param {Explained} found @param {MethodOf | null} of @param {Theme} theme @param {number} unit
 */
function coloursOf(found, of, theme, unit) {
  const values = valuesOf(found, of);
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
