// The page's inputs, which fold away once there is something to see. They are Streamlit's: a mark on
// the page's root says that they are wanted, and the page's own style (ui/frame.css) follows it, so
// that they open at once, without asking the server.

import { isTyped } from "../parts/dom.js";

const RUN = ["run", "compare", "train", "corpus_start", "corpus_open"]
  .map((key) => `.st-key-${key} button`)
  .join(", ");
const GO = `${RUN}, [class*="st-key-example_"] button`;
const BOXES = ".st-key-ask textarea, .st-key-ask input, .st-key-ask button";

/** @typedef {ReturnType<typeof createAsking>} Asking */

export function createAsking() {
  const { dataset } = document.documentElement;
  const ends = new AbortController();
  const { signal } = ends;
  /** @type {number | null} */
  let asked = null; // which of the reader's runs is shown
  const fold = () => {
    delete dataset.ask;
  };
  const edit = () => {
    delete dataset.asked; // what was asked may have failed
    dataset.ask = "open";
    const box = /** @type {HTMLElement | null} */ (document.querySelector(BOXES));
    box?.focus();
    if (box instanceof HTMLTextAreaElement) box.select();
  };
  const go = () => {
    fold();
    dataset.asked = ""; // the picture is of what was asked before, and the style dims it
  };
  document.addEventListener(
    "click",
    (event) => event.target instanceof Element && event.target.closest(GO) && go(),
    { capture: true, signal },
  );
  // They may stand open only for what is wrong: that leaves with its cause, and a hand must not lose them.
  document.addEventListener(
    "focusin",
    ({ target }) => {
      if (!(target instanceof Element) || target.closest(GO)) return;
      if (target.closest(".st-key-ask")) dataset.ask = "open";
    },
    { signal },
  );
  document.addEventListener(
    "keydown",
    (event) => {
      const inside = event.target instanceof Element && event.target.closest(".st-key-ask");
      if (inside && event.key === "Escape") fold();
      if (inside && event.key === "Enter" && event.ctrlKey) go();
      if (event.key !== "e" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isTyped(event) || "lesson" in dataset) return;
      event.preventDefault();
      edit();
    },
    { signal },
  );
  return {
    edit,
    /** A result is here: of a new run the inputs fold. @param {number} now */
    seen: (now) => {
      const isBusy = document.activeElement?.closest(".st-key-ask"); // a hand is in them again
      if (now !== asked) delete dataset.asked;
      if (now !== asked && !isBusy) fold();
      asked = now;
    },
    leave: () => ends.abort(),
  };
}
