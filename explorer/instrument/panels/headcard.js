// All measures of one head, in groups; of several texts with the one that is farthest from the mean.

import { measureOf } from "../numbers/headsview.js";
import {
  chosenOf,
  measureGroups,
  nameOf,
  spokenOf,
  standingWords,
  unitOf,
  withSpread,
} from "../numbers/headwords.js";
import { t, tc } from "../numbers/language.js";
import { inDigits } from "../numbers/survey.js";
import { helpMark } from "../parts/bubble.js";
import { h, pushButton } from "../parts/dom.js";

/**
 * @typedef {import("../numbers/headsview.js").HeadsState} HeadsState
 * @typedef {import("../numbers/survey.js").Measure} Measure
 * @typedef {{measure: (key: string) => void, explore: ((head: number, text?: number) => void) | null}} CardActs
 *   explore: null where there is no such page
 */

const FARTHEST_HELP = t(
  "The text in which this head is farthest from its mean over all texts, with its number there. A click opens that text in Explore, with this head.",
);

/** @param {CardActs} act */
export function createHeadCard(act) {
  const element = h("section", { class: "ax-head-card" });
  /** @type {unknown[]} */
  let made = []; // what it shows was made of: a hover changes none of it

  /** @param {HeadsState} state */
  function show(state) {
    const head = chosenOf(state);
    const now = [head, state.heads, state.view];
    if (now.every((part, i) => part === made[i])) return;
    made = now;
    element.replaceChildren(...(head === null ? [] : cardOf(state, head, act)));
  }

  return { element, show };
}

/** @param {HeadsState} state @param {number} head @param {CardActs} act */
function cardOf(state, head, act) {
  const { heads } = state;
  const name = nameOf(heads, head);
  const { explore } = act;
  const go = explore
    ? [
        pushButton(
          t("Explore"),
          t("See {name} in Explore", { name }),
          () => explore(head),
          "ax-small",
        ),
      ]
    : [];
  const groups = measureGroups(heads).map(([group, measures]) =>
    h(
      "tbody",
      {},
      h("tr", {}, h("th", { scope: "rowgroup", colspan: "4" }, group)),
      ...measures.map((measure) => rowOf(state, head, measure, act)),
    ),
  );
  return [
    h("div", { class: "ax-title" }, h("h3", {}, t("{name} in all measures", { name })), ...go),
    h(
      "div",
      { class: "ax-card-rows", tabindex: "0", role: "group", "aria-label": spokenOf(heads, head) },
      h("table", {}, headingsOf(heads.n_texts > 1), ...groups),
    ),
  ];
}

/** @param {boolean} several texts */
function headingsOf(several) {
  const columns = [t("Measure"), several ? t("Mean ± spread") : t("Number"), tc("rank", "Place")];
  const titles = columns.map((column) => h("th", { scope: "col" }, column));
  const farthest = h("th", { scope: "col" }, t("Farthest text"), " ", helpMark(FARTHEST_HELP));
  return h("thead", {}, h("tr", {}, ...titles, ...(several ? [farthest] : [])));
}

/** @param {HeadsState} state @param {number} head @param {Measure} measure @param {CardActs} act */
function rowOf(state, head, measure, act) {
  const { heads } = state;
  const { short, key, exactly, name } = measure;
  const choose = pushButton(short, t("Colour and rank heads by {name}", { name }), () =>
    act.measure(key),
  );
  choose.className = "ax-link";
  choose.setAttribute("aria-pressed", String(measureOf(state).key === key));
  const several = heads.n_texts > 1;
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, choose, " ", helpMark(exactly)),
    h("td", { class: "ax-number" }, `${withSpread(measure, head)}${unitOf(measure)}`),
    h("td", { class: "ax-number" }, standingWords(measure, head)),
    ...(several ? [farthestOf(state, head, measure, act)] : []),
  );
}

/** @param {HeadsState} state @param {number} head @param {Measure} measure @param {CardActs} act */
function farthestOf({ heads }, head, measure, act) {
  const value = measure.extreme[head] ?? null;
  if (value === null || measure.n_texts < 2) return h("td", {}, "—");
  const text = measure.farthest[head];
  const name = nameOf(heads, head);
  const begins = heads.begins[text] ?? "";
  const title = t("See {name} in text {n} in Explore", { name, n: text + 1 });
  const { explore } = act;
  const go = explore
    ? pushButton(`${text + 1}. ${begins}`, title, () => explore(head, text), "ax-link ax-cut")
    : h("span", { class: "ax-cut" }, `${text + 1}. ${begins}`);
  go.dir = "auto";
  return h("td", {}, h("span", { class: "ax-number" }, `${inDigits(value, measure)}  `), go);
}
