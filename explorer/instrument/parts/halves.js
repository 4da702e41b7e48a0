// Heads has two halves: what heads do in a text, and what they do over a corpus.

import { t } from "../numbers/language.js";
import { choice } from "./dom.js";

/**
 * @param {"text" | "corpus"} shown @param {(half: "text" | "corpus") => void} go
 */
export function createHalves(shown, go) {
  const halves = choice(
    "",
    [
      ["text", t("This text"), t("What heads do in one text, or in some lines")],
      ["corpus", t("Over a corpus"), t("What heads do over thousands of texts, and in which")],
    ],
    (half) => {
      halves.show(shown); // until the other half is there
      go(half);
    },
  );
  halves.element.classList.add("ax-halves");
  halves.element.setAttribute("aria-label", t("Heads"));
  halves.show(shown);
  return halves;
}
