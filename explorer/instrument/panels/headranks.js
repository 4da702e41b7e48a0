// Heads in the order of a measure, a line for each; and the kinds, of which some can be chosen.

import { measureOf, withOrWithout } from "../numbers/headsview.js";
import { nameOf, ranked, ranksTitle, spokenOf, unitOf, withSpread } from "../numbers/headwords.js";
import { t } from "../numbers/language.js";
import { eachOf, POINTED, verdict, wordAt } from "../numbers/survey.js";
import { h, pushButton, setText } from "../parts/dom.js";
import { drawCells, paintOn } from "../parts/paint.js";
import { kindCss } from "./headpictures.js";

/**
 * @typedef {import("../numbers/survey.js").Heads} Heads
 * @typedef {import("../numbers/headsview.js").HeadsState} HeadsState
 * @typedef {import("../parts/theme.js").Theme} Theme
 * @typedef {{hover: (head: number | null) => void, pick: (head: number) => void,
 *            explore: ((head: number) => void) | null, all: () => void}} RankActs
 * @typedef {{state: HeadsState, thumbs: Uint8Array, theme: Theme}} Drawn
 */

const THUMB = 26; // pixels of a small picture

/** @param {RankActs} act */
export function createHeadRanks(act) {
  const title = h("h3");
  const list = h("ol", { class: "ax-head-ranks" });

  /** @param {Drawn} drawn */
  function show(drawn) {
    const { state } = drawn;
    const all = ranked(state);
    setText(title, ranksTitle(state, all.length));
    const items = all.slice(0, state.ranks).map((i, place) => rankItem(drawn, i, place, act));
    const more = pushButton(t("All {n}", { n: all.length }), t("Show all"), act.all, "ax-copy");
    list.replaceChildren(
      ...items,
      ...(all.length > state.ranks ? [h("li", { class: "ax-more" }, more)] : []),
    );
  }

  return { element: h("section", { class: "ax-head-order" }, title, list), show };
}

/** @param {Drawn} drawn @param {number} i @param {number} place @param {RankActs} act */
function rankItem(drawn, i, place, act) {
  const name = nameOf(drawn.state.heads, i);
  const { explore } = act;
  const go = explore
    ? [pushButton(t("Explore"), t("See {name} in Explore", { name }), () => explore(i), "ax-small")]
    : [];
  const item = h("li", {}, thumbOf(drawn, i), ...rankWords(drawn, i, place, act), ...go);
  item.classList.toggle("ax-marked", i === drawn.state.view.pick);
  item.addEventListener("pointerenter", () => act.hover(i));
  item.addEventListener("pointerleave", () => act.hover(null));
  return item;
}

/** @param {Drawn} drawn @param {number} i @param {number} place @param {RankActs} act */
function rankWords({ state, theme }, i, place, act) {
  const { heads } = state;
  const measure = measureOf(state);
  const { kind, evidence } = heads.heads[i];
  const number = `${withSpread(measure, i)}${unitOf(measure)}`;
  const mark = t("{head}: mark it in both pictures", { head: spokenOf(heads, i) });
  const pick = pushButton(nameOf(heads, i), mark, () => act.pick(i), "ax-link");
  const why = t("{kind}: {evidence}", { kind: heads.kinds[kind], evidence });
  const judged = measure.key === POINTED && heads.found ? verdict(heads.found, i) : "";
  return [
    h("span", { class: "ax-help" }, `${place + 1}.`),
    h("span", {}, pick),
    h("strong", { class: "ax-number" }, number),
    h(
      "span",
      { class: judged ? "ax-help" : "ax-help ax-cut", title: why },
      ...(judged
        ? [...pairByPair(heads, i), judged]
        : [dotOf(kindCss(state, theme, kind)), ` ${why}`]),
    ),
  ];
}

/** Of several pairs the number in each, before what they say together. @param {Heads} heads @param {number} i */
function pairByPair({ found, pairs, texts }, i) {
  const each = found ? eachOf(found, i) : [];
  if (!each.length) return [];
  const names = pairs.map(([text, from, to], k) => {
    const [one, other] = [wordAt(texts[text], from), wordAt(texts[text], to)];
    return `${one} → ${other}: ${each[k]}`;
  });
  const title = names.join("\n");
  return [
    h("span", { class: "ax-each", title }, t("each: {numbers}", { numbers: each.join(" · ") })),
    h("br"),
  ];
}

/** @param {string} colour */
function dotOf(colour) {
  const dot = h("span", { class: "ax-dot" });
  dot.style.setProperty("--head", colour);
  return dot;
}

/** A head's own picture, small. @param {Drawn} drawn @param {number} i */
function thumbOf({ state, thumbs, theme }, i) {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  const [tall, wide] = state.heads.thumb;
  const levels = new Uint8ClampedArray(thumbs.subarray(i * tall * wide, (i + 1) * tall * wide));
  paintOn(canvas, THUMB, THUMB, (pen) => {
    const all = { top: 0, bottom: tall, left: 0, right: wide };
    const box = { x: 0, y: 0, width: THUMB, height: THUMB };
    drawCells(pen, levels, tall, wide, theme.packed, box, all);
    pen.strokeStyle = theme.border;
    pen.strokeRect(0.5, 0.5, THUMB - 1, THUMB - 1);
  });
  return canvas;
}

/**
 * A button for each kind that some head is of.
 * @param {HeadsState} state @param {Theme} theme @param {(kinds: number[]) => void} choose
 */
export function kindChips(state, theme, choose) {
  const { heads, view } = state;
  return heads.kinds.flatMap((name, k) => {
    const count = heads.heads.filter((head) => head.kind === k).length;
    if (!count) return [];
    const button = pushButton(
      `${name} ${count}`,
      t("Show only heads of the kind “{name}”, or no longer", { name }),
      () => choose(withOrWithout(view.kinds, k)),
      "ax-chip",
    );
    button.prepend(dotOf(kindCss(state, theme, k)));
    button.setAttribute("aria-pressed", String(view.kinds.includes(k)));
    return [button];
  });
}
