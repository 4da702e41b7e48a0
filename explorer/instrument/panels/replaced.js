// Heads that are really replaced in the model, and what its output then does.

import { budgetOf, givenIn, nameOf, triedWords, wayOf } from "../numbers/efficiency.js";
import { t } from "../numbers/language.js";
import { helpMark } from "../parts/bubble.js";
import { h, pushButton, setText } from "../parts/dom.js";

/** @typedef {import("../numbers/efficiency.js").EfficiencyState} EfficiencyState */

const HELP = t(
  "The model is run anew with the cheaper attention in the place of the head’s own, layer after layer. The cosine is that of the output vectors with and without: 1 is the same direction. The divergence is Kullback–Leibler, of the predictions as they were from those now, the mean over all tokens; where the model predicts none there is a dash.",
);
const COLUMNS = [
  t("Heads"),
  t("Made cheaper by"),
  t("Cosine of the text’s mean vector"),
  t("Least cosine of a token"),
  t("Predictions apart"),
  t("Same likeliest token"),
];

/** @param {((put: "head" | "all") => void) | null} put null where there is no server */
export function createReplaced(put) {
  const buttons = put && {
    head: pushButton(t("Replace this head"), t("Run the model with this head made cheaper"), () =>
      put("head"),
    ),
    all: pushButton(t("Replace all heads"), t("Run the model with every head made cheaper"), () =>
      put("all"),
    ),
  };
  const says = h("p", { class: "ax-help" });
  const table = h("div", {
    class: "ax-eff-rows",
    tabindex: "0",
    role: "group",
    "aria-label": t("What was replaced"),
  });
  const element = h(
    "section",
    { class: "ax-eff-put" },
    h("div", { class: "ax-title" }, h("h3", {}, t("Really put in place")), helpMark(HELP)),
    h("div", { class: "ax-tools" }, ...(buttons ? [buttons.head, buttons.all] : [])),
    says,
    table,
  );
  let made = "";

  /** @param {EfficiencyState} state */
  function show(state) {
    const { found, view } = state;
    const given = givenIn(wayOf(state), budgetOf(state));
    const against = found.can_try || wayOf(state).not_placed;
    if (buttons) {
      setText(buttons.head, t("Replace {head}", { head: nameOf(found, view.pick) }));
      buttons.head.disabled = buttons.all.disabled = Boolean(against);
    }
    const asks = buttons
      ? t("What does the model’s output do with {given}? Press one.", { given })
      : t("Nothing was replaced.");
    setText(says, against || (found.tried.length ? "" : asks));
    const now = JSON.stringify(found.tried);
    if (now === made) return;
    made = now;
    table.replaceChildren(...(found.tried.length ? [tableOf(found.tried)] : []));
  }

  return { element, show };
}

/** @param {import("../numbers/efficiency.js").Tried[]} tried */
const tableOf = (tried) =>
  h(
    "table",
    {},
    h("thead", {}, h("tr", {}, ...COLUMNS.map((column) => h("th", { scope: "col" }, column)))),
    h(
      "tbody",
      {},
      ...tried.map((one) => {
        const [first, ...cells] = triedWords(one);
        return h(
          "tr",
          {},
          h("th", { scope: "row" }, first),
          ...cells.map((cell) => h("td", { class: "ax-number" }, cell)),
        );
      }),
    ),
  );
