// The map of one head as it is, and as it would be.

import { budgetOf, givenIn, hasMaps, nameOf, wayOf } from "../numbers/efficiency.js";
import { t } from "../numbers/language.js";
import { helpMark } from "../parts/bubble.js";
import { h, setText } from "../parts/dom.js";
import { createMatrix } from "../parts/matrix.js";

/**
 * @typedef {import("../numbers/efficiency.js").EfficiencyState} EfficiencyState
 * @typedef {import("../parts/theme.js").Theme} Theme
 */

const HELP = t(
  "Rows look, columns are looked at. Both maps have the same colours. What is made of a head here is put in its place when it is replaced.",
);
const WIDEST = 320; // pixels

export function createBeforeAfter() {
  /** @type {EfficiencyState | null} */
  let shown = null;
  const say =
    (/** @type {"before" | "after"} */ which) =>
    (/** @type {number} */ row, /** @type {number} */ column) => {
      const n = shown?.found.n_tokens ?? 0;
      const weight = shown?.found[which]?.[row * n + column] ?? 0;
      return t("token {row} → {column}: {weight}", { row, column, weight: weight.toFixed(3) });
    };
  const maps = [createMatrix(() => {}, say("before")), createMatrix(() => {}, say("after"))];
  const title = h("h3");
  const waiting = h("p", { class: "ax-help", role: "status" });
  const both = h("div", { class: "ax-eff-maps" }, ...maps.map(({ element }) => element));
  const element = h(
    "section",
    { class: "ax-eff-panel" },
    h("div", { class: "ax-title" }, title, helpMark(HELP)),
    waiting,
    both,
  );

  /** @param {EfficiencyState} state @param {Theme} theme */
  function show(state, theme) {
    shown = state;
    const { found, view } = state;
    const head = nameOf(found, view.pick);
    setText(title, t("{head}, before and after", { head }));
    both.hidden = !hasMaps(state);
    setText(waiting, both.hidden ? t("Its maps are on their way.") : "");
    if (both.hidden || !found.before || !found.after) return;
    const n = found.n_tokens;
    const wide = Math.min(Math.max(Math.floor((element.clientWidth - 16) / 2), 120), WIDEST);
    const signed = found.after.some((weight) => weight < -1e-6);
    const top = found.before.reduce((most, weight) => Math.max(most, weight), 0);
    const says = [
      t("{head} as it is", { head }),
      t("with {given}", { given: givenIn(wayOf(state), budgetOf(state)) }),
    ];
    const parts = {
      rows: n,
      columns: n,
      wide,
      line: (wide - 2) / n,
      widest: wide,
      weights: !signed,
      top,
    };
    [found.before, found.after].forEach((values, i) => {
      const label = t("{what}: {n} queries down, {n} keys across.", { what: says[i], n });
      maps[i].show({ ...parts, values, name: says[i], shape: `${n} × ${n}`, label }, theme);
    });
  }

  return { element, show };
}
