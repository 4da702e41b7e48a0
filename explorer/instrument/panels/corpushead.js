// One head over a corpus: what it does, how often that holds, and the texts that show it.

import { h } from "../parts/dom.js";

/**
 * @typedef {Record<string, any>} CorpusHead as wire/corpushead.py has it
 * @typedef {{measure: (key: string) => void, head: (layer: number, head: number) => void,
 *            explore: ((wish: Record<string, unknown>) => void) | null,
 *            ask: ((wish: Record<string, unknown>) => void) | null}} CorpusHeadActs
 *   measure: examples by another one; head: to another head; explore: an example in Explore; ask:
 *   anything else of the server (ui/corpushead.py). Null where there is no server
 */

/** @param {CorpusHeadActs} acts */
export function createCorpusHead(acts) {
  const element = h("section", { class: "ax-corpus-head" });
  acts.head; // until there is something to choose
  return {
    element,
    /**
     * @param {CorpusHead | null} data null while no head is chosen
     * @param {import("../parts/theme.js").Theme} _theme
     */
    show: (data, _theme) => {
      element.hidden = data === null;
    },
  };
}
