// What a layer answers to a sequence at a step of its training, beside what is right.

import { t, tc } from "../numbers/language.js";
import { h, setText } from "../parts/dom.js";

/**
 * @typedef {import("../numbers/data.js").Training} Training
 * @typedef {import("../numbers/data.js").Token} Token
 */

const MANY = 16; // tokens, which stand closer

export function createAnswers() {
  const element = h("div", { class: "ax-rows ax-answers", tabindex: "0", role: "group" });
  /** @type {Token[]} */
  let tokens = []; // that the table was made for
  /** @type {HTMLElement[]} */
  let cells = []; // with the answers

  /** @param {Training} training @param {number} frame @param {Token[]} now */
  function show(training, frame, now) {
    if (tokens !== now) {
      tokens = now;
      cells = now.map(() => h("td"));
      element.replaceChildren(tableOf(training, now, cells));
    }
    const said = training.answers[frame];
    training.right.forEach((right, i) => {
      setText(cells[i], right === null ? "·" : said[i]);
      cells[i].className = right === null ? "" : said[i] === right ? "ax-right" : "ax-wrong";
    });
    const wrong = cells.filter((cell) => cell.className === "ax-wrong").length;
    element.setAttribute("aria-label", t("Answers: {n} wrong", { n: wrong }));
  }
  return { element, show };
}

/** @param {Training} training @param {Token[]} tokens @param {HTMLElement[]} cells */
function tableOf(training, tokens, cells) {
  const line = (/** @type {string} */ name, /** @type {HTMLElement[]} */ own) =>
    h("tr", {}, h("th", { scope: "row" }, name), ...own);
  const given = tokens.map(({ text }) => h("td", {}, text));
  const right = training.right.map((word) => h("td", { class: "ax-faint" }, word ?? "·"));
  const lines = [
    line(t("sequence"), given),
    line(tc("row of a table", "answer"), cells),
    line(tc("row of a table", "right"), right),
  ];
  return h("table", tokens.length > MANY ? { class: "ax-many" } : {}, h("tbody", {}, ...lines));
}
