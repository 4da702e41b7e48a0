// Does attention explain? What each method found in 200 little stories of which it is known what decides.

import { t } from "../../numbers/language.js";
import { choice, h, setText } from "../../parts/dom.js";
import { createNumbers } from "./plot.js";

/**
 * @typedef {{name: string, first: number, area: number, off: number, rho: number | null}} Row
 *   as docs/article.py reads it from docs/explained_stories.md; off: half the interval of the area
 * @typedef {"first" | "area" | "rho"} Measure
 */

/** @param {import("../../pages/articlefigures.js").Acts} _acts @returns {import("../../pages/articlefigures.js").Figure} */
export function createAgree(_acts) {
  let of = /** @type {Measure} */ ("first");
  /** @type {import("../../pages/articlefigures.js").Shown | null} */
  let last = null;
  const which = choice(
    t("Shown"),
    [
      ["first", t("how often it is right"), t("The word that it puts first is one that decides")],
      [
        "area",
        t("how well it orders"),
        t("A word that decides comes before another; 0.5 by chance"),
      ],
      ["rho", t("agreement with removal"), t("Rank correlation with what cutting a word out does")],
    ],
    (value) => {
      of = value;
      if (last) show(last);
    },
  );
  which.show("first");
  const bars = h("div", { class: "ax-agree" });
  const says = h("p", { class: "ax-fig-says", "aria-live": "polite" });
  const numbers = createNumbers();
  const tools = h("div", { class: "ax-tools" }, which.element);
  const element = h("div", {}, tools, bars, says, numbers.element);

  /** @param {import("../../pages/articlefigures.js").Shown} shown */
  function show(shown) {
    last = shown;
    const rows = /** @type {Row[] | undefined} */ (shown.state.article.facts?.corrections?.agree);
    if (!rows) return setText(says, t("The numbers are being fetched…"));
    bars.replaceChildren(...rows.flatMap((row) => barOf(row, of)));
    setText(says, saysOf(rows, of));
    numbers.show(
      [t("method"), t("right first"), t("ordering"), t("like removal")],
      rows.map(({ name, first, area, off, rho }) => [
        ...[NAMES[name]?.() ?? name, inHundred(first), `${area.toFixed(3)} ± ${off.toFixed(3)}`],
        rho === null ? "–" : rho.toFixed(2),
      ]),
    );
  }
  return {
    element,
    show,
    where: () => ({
      page: "explain",
      label: t("Hold them against each other on your text, in Explain"),
    }),
  };
}

/** Of 200 stories, so halves of a per cent count. @param {number} share */
const inHundred = (share) => `${(100 * share).toFixed(1)} %`;

/** @param {Row} row @param {Measure} of @returns {HTMLElement[]} */
function barOf(row, of) {
  const value = row[of];
  if (value === null) return [];
  const bar = h("i");
  bar.style.width = `${Math.round(100 * Math.max(value, 0))}%`;
  const said = of === "first" ? inHundred(value) : value.toFixed(2);
  const name = h("span", {}, NAMES[row.name]?.() ?? row.name);
  return [name, h("span", { class: "ax-bar", "aria-hidden": "true" }, bar), h("span", {}, said)];
}

/** What the methods are called here, by their names in docs/explained_stories.md. @type {Record<string, () => string>} */
const NAMES = {
  "measured: the word is cut out of attention": () => t("measured: the word is cut out"),
  "attention, last layer": () => t("attention, last layer"),
  "attention, mean of all layers": () => t("attention, mean of all layers"),
  "attention rollout": () => t("attention rollout"),
  "gradient × attention relevance": () => t("gradient × attention"),
  "gradient norm": () => t("gradient norm"),
  "integrated gradients, baseline [UNK]": () => t("integrated gradients"),
  "by chance": () => t("by chance"),
};

/** @param {Row[]} rows @param {Measure} of */
function saysOf(rows, of) {
  const at = (/** @type {string} */ name) => /** @type {Row} */ (rows.find((r) => r.name === name));
  const [attention, gradient, chance] = [
    ...["attention, last layer", "integrated gradients, baseline [UNK]", "by chance"].map(at),
  ];
  const measured = at("measured: the word is cut out of attention");
  if (of === "first")
    return t(
      "The word that gets the most attention in the last layer decides in {attention} of the stories; by chance it would be {chance}. Integrated gradients reach {gradient}, and measuring {measured}: the model does not always lean on what a person would.",
      {
        ...{ attention: inHundred(attention.first), chance: inHundred(chance.first) },
        ...{ gradient: inHundred(gradient.first), measured: inHundred(measured.first) },
      },
    );
  if (of === "area")
    return t(
      "A word that decides gets more attention in the last layer than another one in {attention} of all comparisons, more of integrated gradients in {gradient}, and by chance in {chance}.",
      {
        ...{ attention: inHundred(attention.area), gradient: inHundred(gradient.area) },
        chance: inHundred(chance.area),
      },
    );
  return t(
    "Attention of the last layer and measured removal agree with a rank correlation of {attention}, the norm of the gradient and removal with {gradient}: attention says where a model looks, and that is only loosely what counts.",
    {
      attention: (attention.rho ?? 0).toFixed(2),
      gradient: (at("gradient norm").rho ?? 0).toFixed(2),
    },
  );
}
