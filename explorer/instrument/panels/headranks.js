// Heads in the order of a measure, each with its picture; and the kinds, of which some can be chosen.

import { measureOf, withOrWithout } from "../numbers/headsview.js";
import { placeOf, ranked, unitOf, withSpread } from "../numbers/headwords.js";
import { POINTED, verdict } from "../numbers/survey.js";
import { h, pushButton, setText } from "../parts/dom.js";
import { drawCells, paintOn } from "../parts/paint.js";
import { kindCss } from "./headpictures.js";

/**
 * @typedef {import("../numbers/headsview.js").HeadsState} HeadsState
 * @typedef {import("../parts/theme.js").Theme} Theme
 * @typedef {{hover: (head: number | null) => void, pick: (head: number) => void,
 *            explore: (head: number) => void, all: () => void}} RankActs
 * @typedef {{state: HeadsState, thumbs: Uint8Array, theme: Theme}} Drawn
 */

const THUMB = 64; // pixels of a small picture

/** @param {RankActs} act */
export function createHeadRanks(act) {
  const title = h("h3");
  const list = h("ol", { class: "ax-head-ranks" });

  /** @param {Drawn} drawn */
  function show(drawn) {
    const { state } = drawn;
    const all = ranked(state);
    setText(title, `${all.length} heads, by ${measureOf(state).name}`);
    const items = all.slice(0, state.ranks).map((i, place) => rankItem(drawn, i, place, act));
    const more = pushButton(`All ${all.length}`, "Show all", act.all, "ax-copy");
    list.replaceChildren(...items, ...(all.length > state.ranks ? [h("li", {}, more)] : []));
  }

  return { element: h("section", {}, title, list), show };
}

/** @param {Drawn} drawn @param {number} i @param {number} place @param {RankActs} act */
function rankItem(drawn, i, place, act) {
  const { layer, head } = placeOf(drawn.state.heads, i);
  const go = pushButton(
    "Explore",
    `See layer ${layer}, head ${head} in Explore`,
    () => act.explore(i),
    "ax-copy",
  );
  const item = h("li", {}, thumbOf(drawn, i), rankWords(drawn, i, place, act), go);
  item.classList.toggle("ax-picked", i === drawn.state.view.pick);
  item.addEventListener("pointerenter", () => act.hover(i));
  item.addEventListener("pointerleave", () => act.hover(null));
  return item;
}

/** @param {Drawn} drawn @param {number} i @param {number} place @param {RankActs} act */
function rankWords({ state, theme }, i, place, act) {
  const { heads } = state;
  const measure = measureOf(state);
  const { layer, head } = placeOf(heads, i);
  const { kind, evidence } = heads.heads[i];
  const number = `${withSpread(measure, i)}${unitOf(measure)}`;
  const pick = pushButton(
    `Layer ${layer}, head ${head}`,
    `Layer ${layer}, head ${head}: mark it in both pictures`,
    () => act.pick(i),
    "ax-link",
  );
  return h(
    "div",
    {},
    h(
      "div",
      {},
      ...[h("span", { class: "ax-help" }, `${place + 1}. `), pick, " "],
      h("strong", { class: "ax-number" }, number),
    ),
    h(
      "div",
      { class: "ax-help" },
      dotOf(kindCss(state, theme, kind)),
      ` ${heads.kinds[kind]}: ${evidence}`,
    ),
    ...(measure.key === POINTED && heads.found
      ? [h("div", { class: "ax-help" }, verdict(heads.found, i))]
      : []),
  );
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
      `Show only heads of the kind “${name}”, or no longer`,
      () => choose(withOrWithout(view.kinds, k)),
      "ax-chip",
    );
    button.prepend(dotOf(kindCss(state, theme, k)));
    button.setAttribute("aria-pressed", String(view.kinds.includes(k)));
    return [button];
  });
}
