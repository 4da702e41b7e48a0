// What a newcomer is told: what this is, and four steps to take with the hand. It steps aside for good.

import { inQuotes } from "../numbers/basics.js";
import { t } from "../numbers/language.js";
import { term } from "../parts/bubble.js";
import { byHand, h, pushButton, setText, woven } from "../parts/dom.js";

const POINTING = t("Move over the words of the text: where each looks is shaded. A click pins it.");
const TAPPING = t("Tap the words of the text: where each looks is shaded.");
const CLOSED = "attention-explorer-led"; // in the browser's memory of this site

/** @typedef {{word: () => void, head: () => void, why: (() => void) | null, train: (() => void) | null}} Ways */

/** Whether the reader has closed it before; where nothing may be kept, no. */
function wasClosed() {
  try {
    return localStorage.getItem(CLOSED) !== null;
  } catch {
    return false;
  }
}

/** @param {Ways} ways */
export function createLead(ways) {
  const first = h(
    "span",
    { role: "status" },
    ...woven(t("Every {head} shows how much each {token} looks at every other."), {
      head: term("head", t("head")),
      token: term("token", t("token")),
    }),
    " ",
  );
  const word = step(pointAt("", false), t("Where it looks is shaded in the text"), () => {
    setText(first, byHand(POINTING, TAPPING));
    ways.word();
  });
  const steps = [
    word,
    step(t("try another head"), t("The next one to the right"), ways.head),
    ...(ways.why ? [step(t("why this weight?"), t("How it is computed"), ways.why)] : []),
    ...(ways.train
      ? [step(t("watch it learn"), t("A layer is trained before your eyes"), ways.train)]
      : []),
  ];
  const element = h(
    "div",
    { class: "ax-lead", role: "note" },
    first,
    h("ol", {}, ...steps.map((button) => h("li", {}, button))),
    pushButton("×", t("Close this for good"), close, "ax-small"),
  );
  element.hidden = wasClosed();
  function close() {
    element.hidden = true;
    try {
      localStorage.setItem(CLOSED, "1");
    } catch {
      // It comes again with the next visit.
    }
  }
  return {
    element,
    /**
     * @param {string} pinned the word that is pinned, to be pointed at @param {boolean} away
     * @param {boolean} looks at a picture, which has no words
     */
    show: (pinned, away, looks) => {
      element.hidden = away || wasClosed();
      setText(word, pointAt(pinned, looks));
    },
  };
}

/** The first step. @param {string} pinned the word that is pinned @param {boolean} looks at a picture */
function pointAt(pinned, looks) {
  if (looks) return byHand(t("Point at a patch"), t("Tap a patch"));
  if (!pinned) return byHand(t("Point at a word"), t("Tap a word"));
  const word = inQuotes(pinned);
  return byHand(t("Point at {word}", { word }), t("Tap {word}", { word }));
}

/** @param {string} words @param {string} title @param {() => void} go */
const step = (words, title, go) => pushButton(words, title, go, "ax-link");
