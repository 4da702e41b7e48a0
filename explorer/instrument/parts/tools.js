// The switches above the panels. They only turn a view into the next one.

import { t, tc } from "../numbers/language.js";
import { isPinned } from "../numbers/view.js";
import { choice, h, pushButton } from "./dom.js";

/**
 * @typedef {import("../numbers/view.js").View} View
 * @typedef {(next: (view: View) => View, what: {thumbs?: boolean, model?: boolean}) => void} Change
 */

const COPIED_SHOWN = 2500; // ms

/**
 * How several heads become one picture.
 * @param {Change} change
 */
export function createCombine(change) {
  const combine = choice(
    "",
    [
      ["mean", t("mean"), t("Average of the chosen heads")],
      ["max", t("max"), t("Largest of the chosen heads, cell by cell")],
    ],
    (/** @type {View["combine"]} */ value) =>
      change((view) => ({ ...view, combine: value }), { model: true }),
  );
  return {
    element: combine.element,
    /** @param {View} view */
    show: (view) => {
      combine.show(view.combine);
      combine.element.hidden = view.heads.length === 1;
    },
  };
}

/**
 * What the grid shows once something is pinned.
 * @param {Change} change
 */
export function createGridShows(change) {
  const shows = choice(
    "",
    [
      [
        "pinned",
        t("what is pinned"),
        t("Where the pinned words look in each head; for a pair its weight"),
      ],
      ["whole", t("whole heads"), t("Each small picture is a head’s whole map")],
    ],
    (/** @type {View["grid"]} */ value) => change((view) => ({ ...view, grid: value }), {}),
  );
  return {
    element: shows.element,
    /** @param {View} view */
    show: (view) => {
      shows.show(view.grid);
      shows.element.hidden = !isPinned(view);
    },
  };
}

/**
 * Undo and redo.
 * @param {(where: "past" | "future") => void} travel
 */
export function createSteps(travel) {
  const undo = pushButton("↶", t("Undo (Ctrl+Z)"), () => travel("past"), "ax-copy ax-step");
  const redo = pushButton("↷", t("Redo (Ctrl+Shift+Z)"), () => travel("future"), "ax-copy ax-step");
  return {
    elements: [undo, redo],
    /** @param {import("../numbers/view.js").History} history */
    show: ({ past, future }) => {
      undo.disabled = !past.length;
      redo.disabled = !future.length;
    },
  };
}

/** The way to the page that shows how this head's weights are made. @param {() => void} go */
export const createOpenSteps = (go) =>
  pushButton(t("Why this weight?"), t("How it is computed, step by step, with every number"), go);

/**
 * A button that copies the link to this very picture.
 * @param {() => Promise<boolean>} copyLink resolves to false where the browser forbids it
 */
export function createCopy(copyLink) {
  const element = /** @type {HTMLButtonElement} */ (
    h("button", { type: "button", class: "ax-copy" }, t("Copy link"))
  );
  element.addEventListener("click", async () => {
    element.textContent = (await copyLink()) ? t("Link copied") : t("Copy it from the address bar");
    setTimeout(() => {
      element.textContent = t("Copy link");
    }, COPIED_SHOWN);
  });
  return {
    element,
    /** @param {boolean} linkable */
    show: (linkable) => {
      element.disabled = !linkable;
      element.title = linkable
        ? t("A link that opens this very picture")
        : t("This text is too long for a link");
    },
  };
}

/**
 * The buttons that zoom.
 * @param {(factor: number) => void} zoom above 1 nearer, below 1 back, 0 the whole
 */
export function createLens(zoom) {
  /** @type {[string, string, number][]} */
  const steps = [
    ["−", t("Zoom out (key −)"), 1 / 1.5],
    ["+", t("Zoom in (key +, or Ctrl and the wheel); drag to move"), 1.5],
    [tc("zoom", "whole"), t("See the whole heatmap (key 0)"), 0],
  ];
  const buttons = steps.map(([sign, title, factor]) =>
    pushButton(sign, title, () => zoom(factor), "ax-small"),
  );
  const element = h("span", { class: "ax-lens" }, ...buttons);
  return {
    element,
    /** @param {boolean} useful @param {boolean} zoomed */
    show: (useful, zoomed) => {
      element.hidden = !useful;
      buttons[0].disabled = buttons[2].disabled = !zoomed;
    },
  };
}
