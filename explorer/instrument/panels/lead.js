// What a newcomer is told: what this is, and four steps to take with the hand. It steps aside for good.

import { inQuotes } from "../numbers/basics.js";
import { term } from "../parts/bubble.js";
import { byHand, h, pushButton, setText } from "../parts/dom.js";

const POINTING = "Move over the words of the text: where each looks is shaded. A click pins it.";
const TAPPING = "Tap the words of the text: where each looks is shaded.";
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
    ...["Every ", term("head"), " shows how much each ", term("token")],
    ...[" looks at every other. "],
  );
  const point = byHand("Point at", "Tap");
  const word = step(`${point} a word`, "Where it looks is shaded in the text", () => {
    setText(first, byHand(POINTING, TAPPING));
    ways.word();
  });
  const steps = [
    word,
    step("try another head", "The next one to the right", ways.head),
    ...(ways.why ? [step("why this weight?", "How it is computed", ways.why)] : []),
    ...(ways.train
      ? [step("watch it learn", "A layer is trained before your eyes", ways.train)]
      : []),
  ];
  const element = h(
    "div",
    { class: "ax-lead", role: "note" },
    first,
    h("ol", {}, ...steps.map((button) => h("li", {}, button))),
    pushButton("×", "Close this for good", close, "ax-small"),
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
      setText(word, `${point} ${looks ? "a patch" : pinned ? inQuotes(pinned) : "a word"}`);
    },
  };
}

/** @param {string} words @param {string} title @param {() => void} go */
const step = (words, title, go) => pushButton(words, title, go, "ax-link");
