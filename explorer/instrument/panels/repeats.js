// Induction and its kin: every head on random tokens that are repeated, beside the reader’s text.

import { bound } from "../numbers/basics.js";
import { isMarked, SCORES } from "../numbers/headsview.js";
import { nameOf, scaleWords, spokenOf } from "../numbers/headwords.js";
import { sentences, t } from "../numbers/language.js";
import {
  evenWords,
  fullIn,
  headInScores,
  ownNumber,
  rankedBy,
  repeatsNote,
  repeatsSentence,
  scoreNumber,
  scoreOf,
  standsOut,
} from "../numbers/repeats.js";
import { helpMark, term } from "../parts/bubble.js";
import { choice, h, pushButton, setText, woven } from "../parts/dom.js";
import { createHeadMap } from "../parts/headmap.js";
import { paintCell } from "./headpictures.js";

/**
 * @typedef {import("../numbers/headsview.js").HeadsState} HeadsState
 * @typedef {import("../numbers/repeats.js").Score} Score
 * @typedef {import("../parts/theme.js").Theme} Theme
 * @typedef {import("./headpictures.js").PictureActs & {
 *            explore: ((head: number) => void) | null, repeats: (key: string) => void,
 *            measureRepeats: (() => void) | null, sequence: ((head: number) => void) | null}} RepeatActs
 *   repeats: shows a score, or none; measureRepeats: asks for all of them; what is null nobody can do
 * @typedef {ReturnType<typeof partsOf>} Parts
 */

const FEW = 8; // heads in the list at first
const NO_HEAD = t("No head stands out: what is seen here is little more than chance would give.");

/** @param {RepeatActs} act */
export function createRepeats(act) {
  /** @type {number | null} */
  let clicked = null; // in this panel: what another one has picked is marked, and no more
  const spoken = () => {
    const score = shown && scoreOf(shown.state);
    return shown && score ? headInScores({ ...shown.state, hovered: null }, score, clicked) : 0;
  };
  const pick = (/** @type {number} */ head) => {
    clicked = head < 0 ? null : head;
    act.pick(head);
  };
  const explorePicked = () => act.explore?.(spoken());
  const mine = { ...act, pick, picked: spoken, explorePicked };
  const parts = partsOf(mine);
  const { element } = parts;
  /** @type {{state: HeadsState, theme: Theme} | null} */
  let shown = null;
  let all = false; // whether all heads are listed

  element.addEventListener("toggle", () => {
    if (!shown || element.open === (shown.state.view.repeats !== "")) return;
    act.repeats(element.open ? SCORES[0] : "");
  });
  parts.more.addEventListener("click", () => {
    all = true;
    if (shown) show(shown.state, shown.theme);
  });

  /** @param {HeadsState} state @param {Theme} theme */
  function show(state, theme) {
    if (shown?.state.heads.id !== state.heads.id) [all, clicked] = [false, null];
    if (shown?.state.view.repeats !== state.view.repeats) clicked = null;
    shown = { state, theme };
    const { repeats } = state.heads;
    element.hidden = !repeats || (repeats.state !== "told" && !act.measureRepeats);
    element.open = state.view.repeats !== "";
    const score = scoreOf(state);
    parts.body.hidden = !score;
    setText(parts.waits, waitWords(repeats));
    parts.again.hidden = repeats?.state !== "failed";
    if (!score || !repeats || !element.open) return;
    showChoices(parts, repeats.measures, score, act);
    setText(parts.note, repeatsNote(repeats));
    setText(parts.none, standsOut(score) ? "" : NO_HEAD);
    const ranked = rankedBy(state.heads, score);
    const few = all ? ranked : ranked.slice(0, FEW);
    parts.rows.replaceChildren(...few.map((i) => rowOf(state, score, i, mine)));
    parts.more.hidden = few.length === ranked.length;
    drawHovered(state);
  }

  /** What follows the pointer. @param {HeadsState} state */
  function drawHovered(state) {
    const score = scoreOf(state);
    if (!shown || !score || !element.open) return;
    shown = { ...shown, state };
    const head = headInScores(state, score, clicked);
    setText(parts.says, repeatsSentence(state, head));
    showMap(parts, state, score, shown.theme, head);
  }

  /** What of it is in a saved picture. */
  const saved = () => (element.open && !parts.body.hidden ? [parts.says, parts.mapBox] : []);

  return { element, show, drawHovered, saved, box: parts.mapBox };
}

/** @param {import("../numbers/repeats.js").Repeats | null} repeats */
function waitWords(repeats) {
  if (repeats?.state === "failed") return repeats.reason;
  return repeats?.state === "told" ? "" : t("Reading random tokens that are repeated …");
}

/** @param {RepeatActs} act */
function partsOf(act) {
  const map = createHeadMap({
    ...{ hover: act.hover, pick: act.pick, go: act.pick, enter: act.explorePicked },
    from: act.picked,
    leave: () => act.pick(-1),
  });
  const scale = h("span", { class: "ax-help" });
  const mapBox = h("div", { class: "ax-repeats-map" }, h("div", {}, scale), map.element);
  const rows = h("tbody");
  const more = pushButton(t("All heads"), t("List every head"), () => {});
  const table = h("table", {}, h("thead", {}, h("tr", {}, ...titles())), rows);
  const label = { tabindex: "0", role: "group", "aria-label": t("Heads, the highest first") };
  const ranks = h("div", {}, h("div", { class: "ax-card-rows", ...label }, table), more);
  const scores = h("div", { class: "ax-title" });
  const says = h("p", { class: "ax-repeats-says", "aria-live": "polite" });
  const none = h("p", { class: "ax-help" });
  const both = h("div", { class: "ax-repeats-both" }, mapBox, ranks);
  const note = h("p", { class: "ax-help" });
  const body = h(
    "div",
    { class: "ax-repeats-body" },
    scores,
    says,
    none,
    both,
    note,
    ...seeing(act),
  );
  const waits = h("p", { class: "ax-help", role: "status" });
  const again = pushButton(t("Try again"), t("Measure it again"), () => act.measureRepeats?.());
  const within = {
    induction: term("induction", t("Induction")),
    tokens: term("repeated random tokens", t("random tokens that come again")),
  };
  const summary = h("summary", {}, ...woven(t("{induction} and its kin, on {tokens}"), within));
  const inside = [summary, waits, again, body];
  const element = /** @type {HTMLDetailsElement} */ (
    h("details", { class: "ax-fold ax-repeats" }, ...inside)
  );
  return {
    ...{ element, body, waits, again, scores, says, map, mapBox, scale, rows, more, none, note },
  };
}

const titles = () =>
  [t("Head"), t("On random tokens"), t("In the text"), ""].map((word) =>
    word ? h("th", { scope: "col" }, word) : h("td"),
  );

/** The way to the tokens themselves. @param {RepeatActs} act */
function seeing({ sequence, picked }) {
  if (!sequence) return [];
  const title = t("The first of the sequences, with this head");
  return [pushButton(t("See the random tokens in Explore"), title, () => sequence(picked()))];
}

/** @param {Parts} parts @param {Score[]} measures @param {Score} score @param {RepeatActs} act */
function showChoices({ scores }, measures, score, act) {
  const keys = `${measures.map(({ key }) => key)} ${score.key}`;
  if (scores.dataset.of === keys) return;
  scores.dataset.of = keys;
  const hadFocus = scores.contains(/** @type {Document} */ (scores.getRootNode()).activeElement);
  const choices = measures.map(
    ({ key, short, name }) => /** @type {[string, string, string]} */ ([key, short, name]),
  );
  const { element, show } = choice(t("Score"), choices, act.repeats);
  show(score.key);
  scores.replaceChildren(element, helpMark(score.exactly));
  if (hadFocus) /** @type {HTMLElement | null} */ (element.querySelector(":checked"))?.focus();
}

/** @param {HeadsState} state @param {Score} score @param {number} i @param {RepeatActs} act */
function rowOf(state, score, i, act) {
  const { heads } = state;
  const name = nameOf(heads, i);
  const mark = t("{head}: mark it in all pictures", { head: spokenOf(heads, i) });
  const { explore } = act;
  const go = explore
    ? [pushButton(t("Explore"), t("See {name} in Explore", { name }), () => explore(i), "ax-small")]
    : [];
  const row = h(
    "tr",
    {},
    h(
      "th",
      { scope: "row" },
      pushButton(name, mark, () => act.pick(i), "ax-link"),
    ),
    h("td", { class: "ax-number" }, h("strong", {}, scoreNumber(score, i))),
    h("td", { class: "ax-number" }, ownNumber(score, i)),
    h("td", {}, ...go),
  );
  row.classList.toggle("ax-marked", isMarked({ ...state, hovered: null }, i));
  row.addEventListener("pointerenter", () => act.hover(i));
  row.addEventListener("pointerleave", () => act.hover(null));
  return row;
}

/** @param {Parts} parts @param {HeadsState} state @param {Score} score @param {Theme} theme @param {number} head that is spoken of */
function showMap({ map, scale }, state, score, theme, head) {
  const { numbers, n_heads: width } = state.heads;
  const top = fullIn(score);
  const label = sentences(
    t("Heads by {measure}.", { measure: score.name }),
    repeatsSentence(state, head, spokenOf),
  );
  map.show(
    [numbers.length, width],
    theme,
    label,
    (pen, i, box) => {
      const value = score.mean[i];
      const level = bound(Math.round((255 * Math.max(0, value ?? 0)) / top), 0, 255);
      paintCell(pen, box, theme, { value, level, marked: isMarked(state, i) });
    },
    numbers,
  );
  setText(
    scale,
    t("{first}; {second}", { first: scaleWords(score, top), second: evenWords(score) }),
  );
}
