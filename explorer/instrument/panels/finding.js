// What finding words does to the reading view: where it goes, what is marked, what is pinned.

import { firstFrom, hitsOf, runsOf } from "../numbers/find.js";
import { t } from "../numbers/language.js";
import { sideOf, unitsIn } from "../numbers/readingtext.js";
import { firstInSight } from "./chunks.js";

/**
 * @typedef {import("./reading.js").Reading} Reading
 * @typedef {{hits: number[][], at: number, marks: Map<number, string>}} Found
 *   hits: the spots of each place; at: the one that is looked at; marks: by spot, its classes
 */

/** @type {Found} */
export const NOTHING_FOUND = { hits: [], at: 0, marks: new Map() };

/**
 * @param {() => Reading} reading @param {import("../pages/explore.js").Actions} actions
 * @param {{repaint: (reading: Reading) => void, bring: (reading: Reading, i: number) => void}} doing
 * @returns {import("./find.js").Finding}
 */
export const findingIn = (reading, actions, doing) => ({
  search: (query) => {
    const { here, chunks } = reading();
    here.runs ??= runsOf(here.texts, here.spots);
    const hits = hitsOf(here.runs, query);
    const { hits: before, at } = here.found;
    goTo(reading(), hits, firstFrom(hits, before[at]?.[0] ?? firstInSight(chunks)), doing);
  },
  step: (by) => {
    const { hits, at } = reading().here.found;
    if (hits.length) goTo(reading(), hits, (at + by + hits.length) % hits.length, doing);
  },
  pin: (all) => {
    const { here, find } = reading();
    const { hits, at } = here.found;
    if (!here.scene || !hits.length) return;
    const spots = (all ? hits.flat() : hits[at]).map((i) => here.spots[i]);
    const { rows, columns } = unitsIn(here.scene.model, spots, sideOf(here.scene.view.look));
    if (rows.length && columns.length) actions.pickPair(rows, columns, false);
    else if (rows.length) actions.pick("row", rows, false);
    else if (columns.length) actions.pick("column", columns, false);
    else find.tell(t("These tokens are hidden: show the special tokens to pin them."));
  },
  close: () => {
    reading().here.found = NOTHING_FOUND;
    doing.repaint(reading());
  },
});

/**
 * @param {Reading} reading @param {number[][]} hits @param {number} at
 * @param {Parameters<typeof findingIn>[2]} doing
 */
function goTo(reading, hits, at, doing) {
  /** @type {Map<number, string>} */
  const marks = new Map();
  for (const i of hits.flat()) marks.set(i, " ax-hit");
  for (const i of hits[at] ?? []) marks.set(i, " ax-hit ax-hit-now");
  reading.here.found = { hits, at, marks };
  if (hits.length) doing.bring(reading, hits[at][0]);
  doing.repaint(reading);
  reading.find.show(at, hits.length);
}
