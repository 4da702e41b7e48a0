// Change it and see: what may be changed in the model's attention, and what is.

import { changedIn, offersOf, readEdits, writeEdits } from "../numbers/edits.js";
import { headName } from "../numbers/headname.js";
import { t } from "../numbers/language.js";
import { chooser } from "../parts/chooser.js";
import { h, pushButton } from "../parts/dom.js";
import { createMenu } from "../parts/menu.js";

/**
 * @typedef {{trace: {head: {id: string, edits: string | null, query_tokens: {text: string}[]}},
 *            view: Pick<import("../numbers/view.js").View, "layer" | "heads" | "queries" | "keys">,
 *            offered?: [number, number][]}}
 *   Changeable what is looked at: a scene, or as much of one; offered: the heads to choose from,
 *   where the page itself has no head that is looked at
 */

const HELP = t(
  "The model runs anew with its attention changed; everything else follows from that. Compare sets it beside the model as it is.",
);

/** @param {((edits: string) => void) | null} edit told all that shall be changed; null where nothing can be */
export function createChanges(edit) {
  const list = h("div", { class: "ax-changes" });
  const help = h("p", { class: "ax-help" }, HELP);
  const heads = chooser(t("The head that is changed"), [], choose);
  const element = createMenu(t("Change"), [help, heads.element, list], "ax-view ax-change");
  const chips = h("span", { class: "ax-inforce" });
  let shown = "";
  /** @type {Changeable | null} */
  let last = null;

  /** One of the heads that are offered, on a page where none is looked at. @param {number} i */
  function choose(i) {
    if (!last) return;
    const [layer, head] = last.offered?.[i] ?? [last.view.layer, last.view.heads[0]];
    last = { ...last, view: { ...last.view, layer, heads: [head] } };
    fill(last);
  }

  /** @param {Changeable} scene */
  function fill({ trace: { head }, view }) {
    const edits = readEdits(head.edits ?? "");
    const tokens = head.query_tokens.map(({ text }) => text);
    const offers = offersOf(edits, view, tokens).map(({ says, title, edits: next }) => {
      const act = () => {
        /** @type {HTMLDetailsElement} */ (element).open = false;
        edit?.(writeEdits(next));
      };
      return pushButton(says, title, act, "ax-link");
    });
    list.replaceChildren(...offers);
    chips.replaceChildren(
      ...changedIn(edits, tokens).map(({ says, without }) => {
        const back = () => edit?.(writeEdits(without));
        const chip = pushButton(says, t("As the model is again"), back, "ax-chip ax-switched");
        chip.append(h("span", { "aria-hidden": "true" }, "×"));
        return chip;
      }),
    );
  }

  /** @param {Changeable} scene */
  function show(scene) {
    const { trace, view, offered = [] } = scene;
    const { head } = trace;
    element.hidden = edit === null || head.edits === null;
    if (edit === null || head.edits === null) return chips.replaceChildren();
    const { layer, heads: looked, queries, keys } = view;
    const key = [head.id, head.edits, layer, looked, queries, keys, offered.length].join(" ");
    if (key === shown) return;
    shown = key;
    last = scene;
    heads.element.hidden = !offered.length;
    heads.offer(offered.map(([of, one], i) => [String(i), headName(of, one)]));
    heads.show(offered.findIndex(([of, one]) => of === layer && one === looked[0]));
    fill(scene);
  }
  return { element, chips, show };
}
