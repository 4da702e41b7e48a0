// The one bar of a comparison: switches that hold for both halves, what B shows when a head of A is
// chosen, and what can be taken back.

import { FOLLOWS, usual } from "../numbers/comparison.js";
import { t } from "../numbers/language.js";
import { choice, h, pushButton } from "../parts/dom.js";
import { createSteps } from "../parts/tools.js";
import { createViewMenu } from "../parts/viewmenu.js";

/**
 * @typedef {import("../numbers/comparison.js").Follow} Follow
 * @typedef {import("../numbers/comparison.js").Pairing} Pairing
 * @typedef {import("../numbers/view.js").View} View
 * @typedef {import("../parts/viewmenu.js").Shown & {follow: Follow, pairing: Pairing,
 *            steps: import("../numbers/pairhistory.js").Steps}} Shown
 */

/**
 * @param {{change: (next: (now: View) => View) => void, follow: (follow: Follow) => void,
 *          travel: (where: "past" | "future") => void}} act
 */
export function createPairBar(act) {
  const view = createViewMenu(act.change);
  const follows = createFollows(act.follow);
  const chips = h("span", { class: "ax-chips" });
  const steps = createSteps(act.travel);
  view.element.querySelector(".ax-menu")?.prepend(follows.element);
  return {
    elements: [
      ...[view.element, view.chips, chips],
      h("div", { class: "ax-away" }, ...steps.elements),
    ],
    /** @param {Shown} shown */
    show: (shown) => {
      const { follow, pairing } = shown;
      view.show(shown);
      follows.show(follow);
      const namesake = follows.element.querySelector("[value=same]");
      if (namesake instanceof HTMLInputElement) namesake.disabled = !pairing.same_shape;
      const back = usual(pairing);
      chips.replaceChildren(...(follow === back ? [] : [chipOf(follow, () => act.follow(back))]));
      steps.show(/** @type {any} */ (shown.steps));
    },
  };
}

/** @param {Follow} follow @param {() => void} back */
function chipOf(follow, back) {
  const name = t("B shows {what}", { what: FOLLOWS[follow] });
  const chip = pushButton(name, t("As usual again"), back, "ax-chip ax-switched");
  chip.append(h("span", { "aria-hidden": "true" }, "×"));
  return chip;
}

/** @param {(follow: Follow) => void} choose */
const createFollows = (choose) =>
  choice(
    t("When a head of A is chosen, B shows"),
    [
      ["same", FOLLOWS.same, t("The head of the same layer and number, where both have the same")],
      ["match", FOLLOWS.match, t("The head of B whose rows are nearest to it")],
      ["free", FOLLOWS.free, t("Each side has its own head")],
    ],
    choose,
  );
