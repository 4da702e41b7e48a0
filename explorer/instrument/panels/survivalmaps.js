// All heads twice: what survives of each with one budget, and the plainest way that is enough for it.

import { bound } from "../numbers/basics.js";
import {
  budgetOf,
  countsOf,
  efficiencySentence,
  givenIn,
  headOf,
  percent,
  survivesOf,
  wayOf,
  withoutSentence,
} from "../numbers/efficiency.js";
import { spokenHead } from "../numbers/headname.js";
import { sentences, t } from "../numbers/language.js";
import { helpMark, term } from "../parts/bubble.js";
import { h, setText, woven } from "../parts/dom.js";
import { createHeadMap } from "../parts/headmap.js";

/**
 * @typedef {import("../numbers/efficiency.js").EfficiencyState} EfficiencyState
 * @typedef {import("../parts/paint.js").Pen} Pen
 * @typedef {import("../parts/paint.js").Box} Box
 * @typedef {import("../parts/theme.js").Theme} Theme
 * @typedef {{hover: (head: number | null) => void, pick: (head: number) => void,
 *            picked: () => number, explore: () => void}} MapActs
 */

const DIGITS = 11; // pixels of a row that has room for numbers
const LETTERS = ["W", "G", "K", "R"]; // of the ways in their order
const SURVIVES_HELP = t(
  "One cell for each head; the full colour is 1, where all survives. Click a head to keep it, Enter shows it in Explore.",
);
const WITHOUT_HELP = t(
  "The first of these that keeps enough of the head and makes at most a quarter of the numbers that full attention makes: a window (W), a window and global tokens (G), few keys in each row (K), a low rank (R; not where a token may not look at all others: it would). A dash: none of them does.",
);

/** @param {MapActs} act */
export function createSurvivalMaps(act) {
  const hands = {
    hover: act.hover,
    pick: act.pick,
    from: act.picked,
    go: act.pick,
    enter: act.explore,
    leave: () => {},
  };
  const maps = [createHeadMap(hands), createHeadMap(hands)];
  const scale = h("span", { class: "ax-help" });
  const given = h("h3");
  const survives = h(
    "section",
    { class: "ax-eff-panel" },
    h("div", { class: "ax-title" }, given, helpMark(SURVIVES_HELP), scale),
    maps[0].element,
  );
  const counts = h("p", { class: "ax-help ax-eff-counts" }); // the legend;
  const own = h("p", { class: "ax-help" });
  const enough = h("h3");
  const without = h(
    "section",
    { class: "ax-eff-panel" },
    h("div", { class: "ax-title" }, enough, helpMark(WITHOUT_HELP)),
    maps[1].element,
    counts,
    own,
  );

  /** @param {EfficiencyState} state @param {Theme} theme */
  function show(state, theme) {
    const { found, view } = state;
    const kept = survivesOf(state);
    nameMap(given, scale, wayOf(state), budgetOf(state));
    const shape = /** @type {[number, number]} */ ([found.numbers.length, found.n_heads]);
    const label = efficiencySentence(state, spokenHead);
    maps[0].show(
      shape,
      theme,
      sentences(t("What survives of every head."), label),
      (pen, i, box) => paintShare(pen, box, kept[i], { state, theme, i }),
      found.numbers,
    );
    setText(
      enough,
      t("What is enough for {share} of each head", { share: percent(found.shares[view.share]) }),
    );
    maps[1].show(
      shape,
      theme,
      sentences(t("What each head could do without."), withoutSentence(state, headOf(state))),
      (pen, i, box) => paintWay(pen, box, found.without[view.share][i][0], { state, theme, i }),
      found.numbers,
    );
    counts.replaceChildren(...legendOf(state, theme));
    setText(own, withoutSentence(state, headOf(state)));
  }

  return { survives, without, show };
}

/**
 * What the first map shows.
 * @param {HTMLElement} title @param {HTMLElement} scale
 * @param {ReturnType<typeof wayOf>} way @param {number} budget
 */
function nameMap(title, scale, way, budget) {
  const head = term("head", t("head"));
  title.replaceChildren(
    ...woven(t("Every {head}, with {given}"), { head, given: givenIn(way, budget) }),
  );
  const { kept } = way;
  if (scale.dataset.of === kept) return; // a hover must not take away what is focused
  scale.dataset.of = kept;
  const survives = term("survives", t("survives"));
  scale.replaceChildren(...woven(t("what {survives} {kept}"), { survives, kept }));
}

/** The colour of a way; below 0 of none. @param {Theme} theme @param {number} way @param {number} alpha */
const wayCss = (theme, way, alpha) => (way < 0 ? theme.greyCss(alpha) : theme.headCss(way, alpha));

/** Each way with its colour, its letter and how many heads could do with it. @param {EfficiencyState} state @param {Theme} theme */
function legendOf(state, theme) {
  const { order, ways } = state.found;
  const counts = countsOf(state);
  const entry = (/** @type {number} */ way, /** @type {string} */ said) => {
    const dot = h("span", { class: "ax-dot" });
    dot.style.setProperty("--head", wayCss(theme, way, 1));
    return h("span", {}, dot, said);
  };
  const named = order.map((kind, at) => {
    const name = ways.find((way) => way.kind === kind)?.name ?? kind;
    return entry(at, t("{letter} {name}: {n}", { letter: LETTERS[at], name, n: counts[at] }));
  });
  return [...named, entry(-1, t("– none of these: {n}", { n: counts[order.length] }))];
}

/**
 * @param {Pen} pen @param {Box} box @param {number} share
 * @param {{state: EfficiencyState, theme: Theme, i: number}} of
 */
function paintShare(pen, box, share, { state, theme, i }) {
  const level = bound(Math.round(255 * share), 0, 255);
  pen.fillStyle = theme.fills[level];
  pen.fillRect(box.x, box.y, box.width, box.height);
  if (box.width >= 28 && box.height >= DIGITS) {
    pen.fillStyle = theme.inks[level];
    pen.fillText(share.toFixed(2), box.x + box.width / 2, box.y + box.height / 2);
  }
  mark(pen, box, state, theme, i);
}

/**
 * @param {Pen} pen @param {Box} box @param {number} way
 * @param {{state: EfficiencyState, theme: Theme, i: number}} of
 */
function paintWay(pen, box, way, { state, theme, i }) {
  pen.fillStyle = wayCss(theme, way, way < 0 ? 0.25 : 0.3);
  pen.fillRect(box.x, box.y, box.width, box.height);
  if (box.width >= 10 && box.height >= DIGITS) {
    pen.fillStyle = theme.text;
    pen.fillText(LETTERS[way] ?? "–", box.x + box.width / 2, box.y + box.height / 2);
  }
  mark(pen, box, state, theme, i);
}

/** @param {Pen} pen @param {Box} box @param {EfficiencyState} state @param {Theme} theme @param {number} i */
function mark(pen, { x, y, width, height }, { view, hovered }, theme, i) {
  if (i !== view.pick && i !== hovered) return;
  pen.strokeStyle = theme.accent;
  pen.lineWidth = 2;
  pen.strokeRect(x, y, width, height);
}
