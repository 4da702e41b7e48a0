// Heads to switch off: what each one does to the target, what some do together, and what is predicted.

import { bound } from "../numbers/basics.js";
import { inSigned } from "../numbers/explained.js";
import { headName } from "../numbers/headname.js";
import {
  byEffect,
  effectWords,
  guessTable,
  headOf,
  headSentence,
  isOff,
  largest,
  READING,
  withHead,
} from "../numbers/headsoff.js";
import { sentences, t } from "../numbers/language.js";
import { css, inkOn } from "../numbers/palette.js";
import { helpMark } from "../parts/bubble.js";
import { h, pushButton, setText } from "../parts/dom.js";
import { createHeadMap } from "../parts/headmap.js";
import { readTheme } from "../parts/theme.js";

/**
 * @typedef {import("../numbers/explained.js").Explained} Explained
 * @typedef {import("../numbers/headsoff.js").Head} Head
 * @typedef {import("../numbers/headsoff.js").Switched} Switched
 * @typedef {import("../parts/theme.js").Theme} Theme
 * @typedef {import("../parts/headmap.js").PaintHead} PaintHead
 * @typedef {{switched: Switched | null, theme: Theme, hovered: number | null}} Here
 */

const MOVES = t("Heads that move the target most: without them it rises (+) or falls (−)");
const RANKS = 12;
const KEEP = t(
  "The model runs anew without these heads, and every method explains what it says then",
);

/**
 * @param {(off: Head[]) => void} change called with the heads that shall be off
 * @param {(() => void) | null} keep explains all anew without those that are off
 */
export function createSwitchOff(change, keep) {
  /** @type {Here} */
  const here = { switched: null, theme: readTheme(document.body), hovered: null };
  const toggle = (/** @type {number} */ i) => {
    if (here.switched?.found.effects) change(withHead(here.switched, i));
  };
  const grid = createHeadMap({
    hover,
    pick: toggle,
    from: () => here.hovered ?? 0,
    go: hover,
    enter: () => here.hovered !== null && toggle(here.hovered),
    leave: () => change([]),
  });
  const allOn = pushButton(t("All heads on"), t("Switch every head on again"), () => change([]));
  const without = pushButton(t("Explain without them"), KEEP, () => keep?.());
  const parts = createParts(grid, [allOn, without]);

  /** @param {number | null} i */
  function hover(i) {
    if (i === here.hovered) return;
    here.hovered = i;
    repaint();
    if (here.switched) setText(parts.says, headSentence(here.switched, i));
  }

  function repaint() {
    if (here.switched) showMap(grid, parts.note, here.switched, here);
  }

  /**
   * @param {Explained} found @param {Head[]} off @param {number[]} gone @param {Theme} theme
   */
  function show(found, off, gone, theme) {
    const switched = { found, off, gone };
    // What another explanation was pointed at is no head of this one.
    const hovered = here.switched?.found.id === found.id ? here.hovered : null;
    Object.assign(here, { switched, theme, hovered });
    setText(parts.says, headSentence(switched, here.hovered));
    parts.guesses.replaceChildren(...guessRows(switched));
    repaint();
    allOn.disabled = !off.length;
    without.hidden = !off.length || keep === null || found.edits === null;
    const possible = found.effects !== null && found.importance !== null;
    for (const part of [grid.element, parts.note, allOn, parts.ranks.parentElement])
      if (part) part.hidden = !possible;
    if (possible) parts.ranks.replaceChildren(...rankRows(switched, toggle));
  }

  return { element: parts.element, show, repaint };
}

/** @param {ReturnType<typeof createHeadMap>} grid @param {HTMLElement[]} buttons */
function createParts(grid, buttons) {
  const says = h("p", { class: "ax-says", "aria-live": "polite" });
  const note = h("p", { class: "ax-help" });
  const ranks = h("ol", { class: "ax-ranks" });
  const guesses = h("div", { class: "ax-rows ax-guesses" });
  const element = h(
    "section",
    { "aria-label": t("Heads") },
    h(
      "div",
      { class: "ax-title" },
      h("h3", {}, t("Which heads matter? Switch them off and see")),
      helpMark(READING),
    ),
    says,
    h(
      "div",
      { class: "ax-switching" },
      h("div", {}, note, grid.element, h("div", { class: "ax-chosen" }, ...buttons), guesses),
      h("div", {}, h("h4", {}, MOVES), ranks),
    ),
  );
  return { element, says, note, ranks, guesses };
}

/**
 * @param {ReturnType<typeof createHeadMap>} grid @param {HTMLElement} note
 * @param {Switched} switched @param {Here} here
 */
function showMap(grid, note, switched, { theme, hovered }) {
  const { shape, effects, numbers } = switched.found;
  if (!shape || !effects) return;
  const most = largest(effects);
  const label = sentences(t("Effect of switching each head off."), headSentence(switched, hovered));
  /** @type {PaintHead} */
  const paint = (pen, i, box) => {
    const back = theme.diverging[bound(Math.round(127.5 - (127.5 * effects[i]) / most), 0, 255)];
    const off = isOff(switched, i);
    paintHead(pen, box, { back, off, edge: off || i === hovered ? theme.accent : null });
  };
  grid.show(shape, theme, label, paint, numbers);
  setText(note, effectWords(switched.found));
}

/**
 * @param {import("../parts/paint.js").Pen} pen @param {import("../parts/paint.js").Box} box
 * @param {{back: import("../numbers/palette.js").Rgb, off: boolean, edge: string | null}} look
 */
function paintHead(pen, { x, y, width, height }, { back, off, edge }) {
  pen.fillStyle = css(back);
  pen.fillRect(x, y, width, height);
  pen.lineWidth = 2;
  if (off) {
    pen.strokeStyle = css(inkOn(back));
    pen.beginPath();
    pen.moveTo(x + 4, y + 4);
    pen.lineTo(x + width - 4, y + height - 4);
    pen.moveTo(x + width - 4, y + 4);
    pen.lineTo(x + 4, y + height - 4);
    pen.stroke();
  }
  if (edge) {
    pen.strokeStyle = edge;
    pen.strokeRect(x, y, width, height);
  }
}

/** @param {Switched} switched @param {(i: number) => void} toggle */
function rankRows(switched, toggle) {
  const { found } = switched;
  const effects = found.effects ?? [];
  const most = largest(effects);
  return byEffect(effects)
    .slice(0, RANKS)
    .map((i) => {
      const [layer, head] = headOf(found, i);
      const button = pushButton(
        `${headName(layer, head)}  ${inSigned(effects[i], 4)}`,
        t("Layer {layer}, head {head}: switch it off or on", { layer, head }),
        () => toggle(i),
        "ax-rank",
      );
      button.style.setProperty("--share", `${(100 * Math.abs(effects[i])) / most}%`);
      button.setAttribute("aria-pressed", String(isOff(switched, i)));
      return h("li", {}, button);
    });
}

/** @param {Switched} switched */
function guessRows(switched) {
  if (!switched.found.predictions.length) return [];
  const { head, body } = guessTable(switched);
  const rows = body.map((cells) =>
    h("tr", {}, ...cells.map((text) => h("td", { dir: "auto" }, text))),
  );
  return [
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...head.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...rows),
    ),
  ];
}
