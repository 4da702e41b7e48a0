// The switches of the pictures, behind one button; those that are not as usual stand beside it, each
// to be put back. They only turn a view into the next one.

import { t } from "../numbers/language.js";
import { START, turn } from "../numbers/view.js";
import { choice, h, pushButton, slider } from "./dom.js";
import { createMenu } from "./menu.js";

/**
 * @typedef {import("../numbers/view.js").View} View
 * @typedef {import("./tools.js").Change} Change
 * @typedef {{view: View, levels: string[], level: string, pools: boolean}} Shown
 *   levels: of this text; level: the one on the maps now; pools: whether cells can be sum or maximum
 */

const ALL = { thumbs: true, model: true };

/** @param {Change} change */
const createSpecials = (change) =>
  choice(
    t("Special tokens"),
    [
      ["shown", t("shown"), t("[CLS], [SEP] and their like stand in the picture")],
      ["hidden", t("hidden"), t("Left out; rows stay as they are")],
      ["renormalised", t("hidden, rescaled"), t("Left out; each row is divided by what is left")],
    ],
    (/** @type {View["specials"]} */ value) =>
      change((view) => ({ ...view, specials: value }), ALL),
  );

/** @param {Change} change */
const createScale = (change) =>
  choice(
    t("Colour scale"),
    [
      [
        "percentile",
        t("percentile"),
        t(
          "Full colour at the 98th percentile over ordinary keys, or at 3 even shares if these are more",
        ),
      ],
      ["row", t("per row"), t("Full colour at each row’s largest weight on an ordinary key")],
      ["absolute", t("absolute"), t("Full colour at weight 1; tones rise with the square root")],
    ],
    (/** @type {View["scale"]} */ value) => change((view) => ({ ...view, scale: value }), ALL),
  );

/** @param {Change} change */
const createLook = (change) =>
  choice(
    t("A word"),
    [
      ["from", t("looks at"), t("Show where the chosen word looks")],
      ["to", t("is looked at by"), t("Show who looks at the chosen word")],
    ],
    (/** @type {View["look"]} */ value) => change((view) => turn(view, value), {}),
  );

/** @param {Change} change */
const createWords = (change) =>
  choice(
    t("Text in"),
    [
      ["pieces", t("word pieces"), t("The tokens as the model sees them")],
      ["words", t("words"), t("Pieces of a word merged: keys add, queries average")],
    ],
    (value) => change((view) => ({ ...view, words: value === "words" }), ALL),
  );

/** @param {Change} change */
const createMass = (change) =>
  slider(
    t("Lines hold"),
    t(
      "The flow keeps the fewest lines of each row that hold this share of its attention, in per cent",
    ),
    [10, 100, 5],
    (value) => change((view) => ({ ...view, mass: value }), { model: true }),
  );

/** @type {Record<string, [string, string]>} */
const LEVELS = {
  same: [t("as in the text"), t("Each row and column is what stands in the reading view")],
  sentence: [t("sentences"), t("Each row and column is a sentence")],
  paragraph: [t("paragraphs"), t("Each row and column is a paragraph")],
  turn: [t("turns"), t("Each row and column is what one speaker says in turn")],
  stretch: [t("stretches"), t("Each row and column is so many tokens")],
};

/** @param {Change} change */
const createPool = (change) =>
  choice(
    t("A cell"),
    [
      ["sum", t("sum"), t("Attention summed over keys, averaged over queries")],
      ["max", t("strongest"), t("The largest single weight between the two")],
    ],
    (/** @type {View["pool"]} */ value) =>
      change((view) => ({ ...view, pool: value }), { model: true }),
  );

/**
 * What stands on maps, where a text has sentences or more; and how many weights become one.
 * @param {Change} change
 */
function createLevels(change) {
  const element = h("div", { class: "ax-tools ax-levels" });
  const pool = createPool(change);
  let built = "";
  let level = choice("", [], () => {});
  return {
    element,
    /** @param {Shown} shown */
    show: ({ view, levels, level: now, pools }) => {
      element.hidden = levels.length < 2 && now === "same";
      if (built !== String(levels)) {
        built = String(levels);
        const choices = levels.map(
          (name) => /** @type {[string, string, string]} */ ([name, ...LEVELS[name]]),
        );
        level = choice(t("Maps of"), choices, (value) =>
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

/** @param {Change} change */
export function createViewMenu(change) {
  const [look, words] = [createLook(change), createWords(change)];
  const [specials, scale, mass] = [createSpecials(change), createScale(change), createMass(change)];
  const levels = createLevels(change);
  const parts = [look, words, specials, scale, mass].map((part) => part.element);
  const inside = h("div", { class: "ax-tools" }, ...parts, levels.element);
  const element = createMenu(t("View"), [inside], "ax-view");
  const chips = h("span", { class: "ax-inforce" });
  return {
    element,
    chips,
    /** @param {Shown} shown */
    show: (shown) => {
      const { view } = shown;
      look.show(view.look);
      words.show(view.words ? "words" : "pieces");
      specials.show(view.specials);
      scale.show(view.scale);
      mass.show(view.mass);
      levels.show(shown);
      chips.replaceChildren(...inForce(view).map((one) => chipOf(one, change)));
    },
  };
}

/**
 * What is not as usual: in words, and as it is put back.
 * @param {View} view
 * @returns {[string, (view: View) => View][]}
 */
export function inForce(view) {
  /** @type {[boolean, string, (view: View) => View][]} */
  const all = [
    [view.look !== START.look, t("is looked at by"), (now) => turn(now, START.look)],
    [view.words, t("words"), (now) => ({ ...now, words: false })],
    [
      view.specials !== START.specials,
      view.specials === "hidden"
        ? t("special tokens hidden")
        : t("special tokens hidden, rescaled"),
      (now) => ({ ...now, specials: START.specials }),
    ],
    [
      view.scale !== START.scale,
      view.scale === "row" ? t("colours per row") : t("absolute colours"),
      (now) => ({ ...now, scale: START.scale }),
    ],
    [
      view.mass !== START.mass,
      t("lines hold {share} %", { share: view.mass }),
      (now) => ({ ...now, mass: START.mass }),
    ],
    [
      view.map !== START.map && view.map in LEVELS,
      t("maps of {units}", {
        units: view.map === "same" ? t("tokens") : (LEVELS[view.map]?.[0] ?? ""),
      }),
      (now) => ({ ...now, map: START.map }),
    ],
    [view.pool !== START.pool, t("strongest weights"), (now) => ({ ...now, pool: START.pool })],
  ];
  return all.flatMap(([isOn, name, back]) => (isOn ? [[name, back]] : []));
}

/** @param {[string, (view: View) => View]} one @param {Change} change */
function chipOf([name, back], change) {
  const chip = pushButton(
    name,
    t("As usual again"),
    () => change(back, ALL),
    "ax-chip ax-switched",
  );
  chip.append(h("span", { "aria-hidden": "true" }, "×"));
  return chip;
}
