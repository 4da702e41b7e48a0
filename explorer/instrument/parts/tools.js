// The switches above the panels. They only turn a view into the next one.

import { isPinned, turn } from "../numbers/view.js";
import { choice, h, pushButton, slider } from "./dom.js";

/**
 * @typedef {import("../numbers/view.js").View} View
 * @typedef {(next: (view: View) => View, what: {thumbs?: boolean, model?: boolean}) => void} Change
 */

const COPIED_SHOWN = 2500; // ms
const ALL = { thumbs: true, model: true };

/** @param {Change} change */
const createSpecials = (change) =>
  choice(
    "Special tokens",
    [
      ["shown", "shown", "[CLS], [SEP] and their like stand in the picture"],
      ["hidden", "hidden", "Left out; rows stay as they are"],
      ["renormalised", "hidden, rescaled", "Left out; each row is divided by what is left"],
    ],
    (/** @type {View["specials"]} */ value) =>
      change((view) => ({ ...view, specials: value }), ALL),
  );

/** @param {Change} change */
const createScale = (change) =>
  choice(
    "Colour scale",
    [
      ["percentile", "percentile", "Full colour at the 98th percentile over ordinary keys"],
      ["row", "per row", "Full colour at each row’s largest weight on an ordinary key"],
      ["absolute", "absolute", "Full colour at weight 1"],
    ],
    (/** @type {View["scale"]} */ value) => change((view) => ({ ...view, scale: value }), ALL),
  );

/** @param {Change} change */
export function createSwitches(change) {
  const look = choice(
    "A word",
    [
      ["from", "looks at", "Show where the chosen word looks"],
      ["to", "is looked at by", "Show who looks at the chosen word"],
    ],
    (/** @type {View["look"]} */ value) => change((view) => turn(view, value), {}),
  );
  const words = choice(
    "Text in",
    [
      ["pieces", "word pieces", "The tokens as the model sees them"],
      ["words", "words", "Pieces of a word merged: keys add, queries average"],
    ],
    (value) => change((view) => ({ ...view, words: value === "words" }), ALL),
  );
  const specials = createSpecials(change);
  const scale = createScale(change);
  const mass = slider(
    "Lines hold",
    "The flow keeps the fewest lines of each row that hold this share of its attention, in per cent",
    [10, 100, 5],
    (value) => change((view) => ({ ...view, mass: value }), { model: true }),
  );
  const parts = [look, words, specials, scale, mass].map((part) => part.element);
  const element = /** @type {HTMLDetailsElement} */ (
    h(
      "details",
      { class: "ax-settings" },
      h("summary", {}, "Switches"),
      h("div", { class: "ax-tools" }, ...parts),
    )
  );
  return {
    element,
    /** @param {View} view */
    show: (view) => {
      look.show(view.look);
      words.show(view.words ? "words" : "pieces");
      specials.show(view.specials);
      scale.show(view.scale);
      mass.show(view.mass);
    },
  };
}

/**
 * How several heads become one picture.
 * @param {Change} change
 */
export function createCombine(change) {
  const combine = choice(
    "",
    [
      ["mean", "mean", "Average of the chosen heads"],
      ["max", "max", "Largest of the chosen heads, cell by cell"],
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

/** @type {Record<string, [string, string]>} */
const LEVELS = {
  same: ["as in the text", "Each row and column is what stands in the reading view"],
  sentence: ["sentences", "Each row and column is a sentence"],
  paragraph: ["paragraphs", "Each row and column is a paragraph"],
  turn: ["turns", "Each row and column is what one speaker says in turn"],
  stretch: ["stretches", "Each row and column is so many tokens"],
};

/**
 * What stands on maps, where a text has sentences or more; and how many weights become one.
 * @param {Change} change
 */
export function createLevels(change) {
  const element = h("div", { class: "ax-tools ax-levels" });
  const pool = choice(
    "A cell",
    [
      ["sum", "sum", "Attention summed over keys, averaged over queries"],
      ["max", "strongest", "The largest single weight between the two"],
    ],
    (/** @type {View["pool"]} */ value) =>
      change((view) => ({ ...view, pool: value }), { model: true }),
  );
  let built = "";
  let level = choice("", [], () => {});
  return {
    element,
    /** @param {View} view @param {string[]} levels those of this text @param {string} now
     * @param {boolean} pools whether there is a choice between sum and maximum */
    show: (view, levels, now, pools) => {
      element.hidden = levels.length < 2 && now === "same";
      if (built !== String(levels)) {
        built = String(levels);
        const choices = levels.map(
          (name) => /** @type {[string, string, string]} */ ([name, ...LEVELS[name]]),
        );
        level = choice("Maps of", choices, (value) =>
          change((old) => ({ ...old, map: /** @type {View["map"]} */ (value) }), ALL),
        );
        element.replaceChildren(level.element, pool.element);
      }
      level.show(now);
      pool.show(view.pool);
      pool.element.hidden = !pools;
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
        "what is pinned",
        "Where the pinned words look in each head; for a pair its weight",
      ],
      ["whole", "whole heads", "Each small picture is a head’s whole map"],
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
  const undo = pushButton("↶", "Undo (Ctrl+Z)", () => travel("past"));
  const redo = pushButton("↷", "Redo (Ctrl+Shift+Z)", () => travel("future"));
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
  pushButton("How is it computed?", "This head, step by step, with every number", go);

/**
 * A button that copies the link to this very picture.
 * @param {() => Promise<boolean>} copyLink resolves to false where the browser forbids it
 */
export function createCopy(copyLink) {
  const element = /** @type {HTMLButtonElement} */ (
    h("button", { type: "button", class: "ax-copy" }, "Copy link")
  );
  element.addEventListener("click", async () => {
    element.textContent = (await copyLink()) ? "Link copied" : "Copy it from the address bar";
    setTimeout(() => {
      element.textContent = "Copy link";
    }, COPIED_SHOWN);
  });
  return {
    element,
    /** @param {boolean} linkable */
    show: (linkable) => {
      element.disabled = !linkable;
      element.title = linkable
        ? "A link that opens this very picture"
        : "This text is too long for a link";
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
    ["−", "Zoom out (key −)", 1 / 1.5],
    ["+", "Zoom in (key +, or Ctrl and the wheel); drag to move", 1.5],
    ["whole", "See the whole heatmap (key 0)", 0],
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
