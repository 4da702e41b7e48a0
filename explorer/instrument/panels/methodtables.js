// All scores as a table, and how far any two methods agree.

import { inPlain, unitText, valuesOf } from "../numbers/explained.js";
import { scoreName, scoresOf, scoreText } from "../numbers/explainwords.js";
import { t } from "../numbers/language.js";
import { h } from "../parts/dom.js";

/** @typedef {import("../numbers/explained.js").Explained} Explained */

/** @param {string[]} head @param {HTMLElement[]} lines */
const tableOf = (head, lines) =>
  h(
    "table",
    {},
    h("thead", {}, h("tr", {}, ...head.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, ...lines),
  );

/** Every word with its scores. @param {Explained} found */
export function scoreTable(found) {
  const all = scoresOf(found);
  const lines = found.units.map((_, unit) =>
    h(
      "tr",
      {},
      h("td", { dir: "auto" }, unitText(found, unit)),
      ...all.map((m) => h("td", {}, scoreText(m, valuesOf(found, m)[unit]))),
    ),
  );
  return tableOf([t("word"), ...all.map(scoreName)], lines);
}

/** Any two methods with their agreement, once all scores are there. @param {Explained} found */
export function agreementTable(found) {
  const { agreements, units } = found;
  if (!agreements.length) return t("It will stand here when all scores are there.");
  const names = scoresOf(found).map(scoreName);
  const lines = names.map((name, i) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, name),
      ...agreements[i].map(([rho, low, high], j) => {
        const text = i === j ? "" : rho === null ? "—" : rho.toFixed(2).replace("-", "−");
        const cell = h("td", {}, text);
        cell.title = t("{one} and {other}: {n} words, 95 % interval {low} to {high}", {
          one: names[i],
          other: names[j],
          n: units.length,
          low: inPlain(low),
          high: inPlain(high),
        });
        return cell;
      }),
    ),
  );
  return tableOf(["", ...names], lines);
}
