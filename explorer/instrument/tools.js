// The switches above the panels. They only turn a view into the next one.

import { choice, h } from "./dom.js";
import { turn } from "./view.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {(next: (view: View) => View, what: {thumbs?: boolean, model?: boolean}) => void} Change
 */

const COPIED_SHOWN = 2500; // ms
const ALL = { thumbs: true, model: true };

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
  const specials = choice(
    "Special tokens",
    [
      ["shown", "shown", "[CLS], [SEP] and their like stand in the picture"],
      ["hidden", "hidden", "Left out; rows stay as they are"],
      ["renormalised", "hidden, rescaled", "Left out; each row is divided by what is left"],
    ],
    (/** @type {View["specials"]} */ value) =>
      change((view) => ({ ...view, specials: value }), ALL),
  );
  const scale = choice(
    "Colour scale",
    [
      ["percentile", "percentile", "Full colour at the 98th percentile over ordinary keys"],
      ["row", "per row", "Full colour at each row’s largest weight on an ordinary key"],
      ["absolute", "absolute", "Full colour at weight 1"],
    ],
    (/** @type {View["scale"]} */ value) => change((view) => ({ ...view, scale: value }), ALL),
  );
  const mass = massSlider(change);
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

/** @param {Change} change */
function massSlider(change) {
  const input = /** @type {HTMLInputElement} */ (
    h("input", {
      type: "range",
      min: "10",
      max: "100",
      step: "5",
      "aria-label": "Share of each row’s attention that the lines hold, in per cent",
    })
  );
  const value = h("output", {});
  input.addEventListener("input", () =>
    change((view) => ({ ...view, mass: Number(input.value) }), { model: true }),
  );
  const title = "The flow keeps the fewest lines of each row that hold this share of its attention";
  const element = h(
    "fieldset",
    { class: "ax-choice ax-mass", title },
    h("legend", {}, "Lines hold"),
    h("div", {}, input, value),
  );
  return {
    element,
    /** @param {number} mass */
    show: (mass) => {
      input.value = String(mass);
      value.textContent = `${mass} %`;
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

/**
 * What the grid shows once something is pinned.
 * @param {Change} change
 */
export function createGridShows(change) {
  const shows = choice(
    "",
    [
      ["whole", "whole heads", "Each small picture is a head’s whole map"],
      ["pinned", "pinned only", "Where the pinned token looks in each head; for a pair its weight"],
    ],
    (/** @type {View["grid"]} */ value) => change((view) => ({ ...view, grid: value }), {}),
  );
  return {
    element: shows.element,
    /** @param {View} view */
    show: (view) => {
      shows.show(view.grid);
      shows.element.hidden = view.query === null && view.key === null;
    },
  };
}

/**
 * Undo and redo.
 * @param {(where: "past" | "future") => void} travel
 */
export function createSteps(travel) {
  const make = (
    /** @type {string} */ sign,
    /** @type {string} */ name,
    /** @type {"past" | "future"} */ where,
  ) => {
    const words = { type: "button", class: "ax-copy", title: name, "aria-label": name };
    const button = /** @type {HTMLButtonElement} */ (h("button", words, sign));
    button.addEventListener("click", () => travel(where));
    return button;
  };
  const undo = make("↶", "Undo (Ctrl+Z)", "past");
  const redo = make("↷", "Redo (Ctrl+Shift+Z)", "future");
  return {
    elements: [undo, redo],
    /** @param {import("./view.js").History} history */
    show: ({ past, future }) => {
      undo.disabled = !past.length;
      redo.disabled = !future.length;
    },
  };
}

/**
 * Buttons that save what is on screen.
 * @param {() => void} png @param {() => void} csv
 */
export function createSave(png, csv) {
  /** @type {[string, string, () => void][]} */
  const kinds = [
    ["Save picture", "Heatmap and flow as a PNG file", png],
    ["Save CSV", "The weights of the heatmap, for a spreadsheet", csv],
  ];
  return kinds.map(([word, title, save]) => {
    const button = h("button", { type: "button", class: "ax-copy", title }, word);
    button.addEventListener("click", save);
    return button;
  });
}

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
  const buttons = steps.map(([sign, title, factor]) => {
    const words = { type: "button", class: "ax-small", title, "aria-label": title };
    const button = /** @type {HTMLButtonElement} */ (h("button", words, sign));
    button.addEventListener("click", () => zoom(factor));
    return button;
  });
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
