// The proof: the layer from scratch with the model's weights gives the model's numbers.

import { weightsOf } from "../../numbers/article.js";
import { mostApart, sumsNow } from "../../numbers/articlesums.js";
import { headName } from "../../numbers/headname.js";
import { t } from "../../numbers/language.js";
import { h, setText } from "../../parts/dom.js";
import { notYet } from "./waiting.js";

/** A difference in two digits. @param {number} off */
const small = (off) => (off === 0 ? "0" : off.toExponential(1));

/** @param {import("../../pages/articlefigures.js").Acts} _acts @returns {import("../../pages/articlefigures.js").Figure} */
export function createAgreement(_acts) {
  const says = h("p", { class: "ax-fig-says" });
  const here = h("p", { class: "ax-fig-says", "aria-live": "polite" });
  const rows = h("tbody");
  const heading = [
    t("layer"),
    t("weights differ by at most"),
    t("outputs differ by at most"),
    t("largest output"),
  ];
  const head = h(
    "thead",
    {},
    h("tr", {}, ...heading.map((word) => h("th", { scope: "col" }, word))),
  );
  const table = h("div", { class: "ax-agreement" }, h("table", {}, head, rows));
  const waiting = notYet();
  const element = h("div", {}, waiting, table, says, here);

  /** @param {import("../../pages/articlefigures.js").Shown} shown */
  function show({ state }) {
    /** @type {[number, number, number, number][] | undefined} */
    const found = state.article.facts.agreement?.layers;
    waiting.hidden = !!found;
    table.hidden = !found;
    if (!found) return;
    rows.replaceChildren(
      ...found.map(([layer, weights, output, size]) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, String(layer)),
          ...[small(weights), small(output), size.toFixed(2)].map((text) => h("td", {}, text)),
        ),
      ),
    );
    const most = Math.max(...found.flatMap(([, weights, output]) => [weights, output]));
    setText(
      says,
      most === 0
        ? t(
            "Our layer, given the weights of each of these layers and what it read of your text, gives the same numbers, to the last bit.",
          )
        : t(
            "Our layer, given the weights of each of these layers and what it read of your text, differs from it by {most} at most.",
            { most: small(most) },
          ),
    );
    const sums = sumsNow(state);
    const off = sums && mostApart(sums.weights, weightsOf(state));
    const values = { head: headName(state.view.layer, state.view.head), off: small(off ?? 0) };
    setText(
      here,
      t(
        "And your browser has just computed {head} anew from its q and k: it differs from the model by {off} at most.",
        values,
      ),
    );
  }
  return {
    element,
    show,
    where: () => ({ page: "step", label: t("Check it again on Step by step") }),
  };
}
