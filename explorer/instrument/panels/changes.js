// Change it and see: what may be changed in the model's attention, and what is.

import { changedIn, offersOf, readEdits, writeEdits } from "../numbers/edits.js";
import { h, pushButton } from "../parts/dom.js";
import { createMenu } from "../parts/menu.js";

/**
 * @typedef {{trace: {head: {id: string, edits: string | null, query_tokens: {text: string}[]}},
 *            view: Pick<import("../numbers/view.js").View, "layer" | "heads" | "queries" | "keys">}}
 *   Changeable what is looked at: a scene, or as much of one
 */

const HELP = "The model runs anew with its attention changed; everything else follows from that.";

/** @param {((edits: string) => void) | null} edit told all that shall be changed; null where nothing can be */
export function createChanges(edit) {
  const list = h("div", { class: "ax-changes" });
  const help = h("p", { class: "ax-help" }, HELP);
  const element = createMenu("Change", [help, list], "ax-view ax-change");
  const chips = h("span", { class: "ax-inforce" });
  let shown = "";

  /** @param {Changeable} scene */
  function show({ trace: { head }, view }) {
    element.hidden = edit === null || head.edits === null;
    if (edit === null || head.edits === null) return chips.replaceChildren();
    const { layer, heads, queries, keys } = view;
    const key = [head.id, head.edits, layer, heads, queries, keys].join(" ");
    if (key === shown) return;
    shown = key;
    const edits = readEdits(head.edits);
    const tokens = head.query_tokens.map(({ text }) => text);
    const offers = offersOf(edits, view, tokens).map(({ says, title, edits: next }) => {
      const act = () => {
        /** @type {HTMLDetailsElement} */ (element).open = false;
        edit(writeEdits(next));
      };
      return pushButton(says, title, act, "ax-link");
    });
    list.replaceChildren(...offers);
    chips.replaceChildren(
      ...changedIn(edits, tokens).map(({ says, without }) => {
        const back = () => edit(writeEdits(without));
        const chip = pushButton(says, "As the model is again", back, "ax-chip ax-switched");
        chip.append(h("span", { "aria-hidden": "true" }, "×"));
        return chip;
      }),
    );
  }
  return { element, chips, show };
}
