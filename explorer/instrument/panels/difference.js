// How two heads differ on the common words: three maps, a sentence, a table of the largest
// differences, and the heads in the order of how far they are apart.

import { isRanked, largest, mapsOf } from "../numbers/comparison.js";
import { headName } from "../numbers/headname.js";
import { t, tc } from "../numbers/language.js";
import { term } from "../parts/bubble.js";
import { h, pushButton, setText, woven } from "../parts/dom.js";
import { createMatrix } from "../parts/matrix.js";

/**
 * @typedef {import("../numbers/comparison.js").CommonUnit} CommonUnit
 * @typedef {import("../numbers/comparison.js").Difference} Difference
 * @typedef {import("../numbers/comparison.js").Pairing} Pairing
 * @typedef {import("../numbers/comparison.js").Rank} Rank
 * @typedef {import("../numbers/comparison.js").Which} Which
 */

const RANKS = 12; // heads named at first

/**
 * A, B and A − B.
 * @param {(row: number, column: number) => void} pin
 * @param {(row: number | null, column: number | null) => string} point null when nothing is; says
 *   what is there
 */
export function createMaps(pin, point) {
  const maps = Array.from({ length: 3 }, () => createMatrix(pin, point));
  const element = h("div", { class: "ax-pictures" }, ...maps.map((map) => map.element));
  element.addEventListener("pointerleave", () => point(null, null));
  /**
   * @param {CommonUnit[]} units @param {Difference} difference @param {Record<Which, string>} heads
   * @param {number} room @param {import("../parts/theme.js").Theme} theme
   */
  function show(units, difference, heads, room, theme) {
    mapsOf(units, difference, heads, room).forEach((map, i) => {
      maps[i].show(map, theme);
    });
  }
  return { element, show };
}

/**
 * The largest differences as a table, made when it is open.
 * @param {() => {units: CommonUnit[], difference: Difference} | null} now
 */
export function createLargest(now) {
  const pairs = h("div", { class: "ax-rows ax-keys", tabindex: "0", role: "group" });
  const summary = h("summary", {}, t("The largest differences as a table"));
  const element = /** @type {HTMLDetailsElement} */ (
    h("details", { class: "ax-table" }, summary, pairs)
  );
  element.addEventListener("toggle", show);
  const titles = [t("query"), tc("of attention", "key"), "A", "B", "A − B"];
  function show() {
    const shown = element.open ? now() : null;
    if (!shown) return;
    const lines = largest(shown.units, shown.difference).map((cells) =>
      h("tr", {}, ...cells.map((cell) => h("td", { dir: "auto" }, cell))),
    );
    const head = h("tr", {}, ...titles.map((name) => h("th", { scope: "col" }, name)));
    pairs.replaceChildren(h("table", {}, h("thead", {}, head), h("tbody", {}, ...lines)));
  }
  return { element, show };
}

/**
 * The heads that differ most.
 * @param {(rank: Rank) => void} choose
 * @param {() => import("../numbers/view.js").View | undefined} now what A shows
 */
export function createRanks(choose, now) {
  const list = h("ol", { class: "ax-ranks" });
  const title = h("h4");
  /** @type {Pairing | null} */
  let shown = null;
  /** @param {number} count */
  function fill(count) {
    if (!shown) return;
    const { ranking, same_shape } = shown;
    const lines = ranking
      .slice(0, count)
      .map((rank) => h("li", {}, rankButton(rank, same_shape, choose)));
    if (ranking.length > count) {
      const all = () => fill(ranking.length);
      lines.push(
        h(
          "li",
          {},
          pushButton(t("All {n}", { n: ranking.length }), t("Show all"), all, "ax-small"),
        ),
      );
    }
    list.replaceChildren(...lines);
    mark();
  }
  function mark() {
    [...list.querySelectorAll(".ax-rank")].forEach((button, i) => {
      const rank = shown?.ranking[i];
      button.setAttribute("aria-pressed", String(rank !== undefined && isRanked(rank, now())));
    });
  }
  /** @param {Pairing} pairing */
  function show(pairing) {
    shown = pairing;
    const farthest = t("Heads of A farthest from any of B");
    setText(
      title,
      pairing.same_shape ? t("Heads that differ most from their namesakes") : farthest,
    );
    fill(RANKS);
  }
  const measure = h(
    "p",
    { class: "ax-help" },
    ...woven(t("by {divergence}"), {
      divergence: term("Jensen–Shannon divergence", t("Jensen–Shannon divergence")),
    }),
  );
  return { elements: [title, measure, list], show, mark };
}

/** @param {Rank} rank @param {boolean} namesakes @param {(rank: Rank) => void} choose */
function rankButton(rank, namesakes, choose) {
  const [layer, head, layerB, headB, bits] = rank;
  const own = headName(layer, head);
  const name = namesakes ? own : `${own} ↔ ${headName(layerB, headB)}`;
  const share = bits === null ? t("no common row") : t("{bits} bit", { bits: bits.toFixed(3) });
  const button = pushButton(
    `${name}  ${share}`,
    t("Layer {layer}, head {head} of A and layer {other_layer}, head {other_head} of B", {
      layer,
      head,
      other_layer: layerB,
      other_head: headB,
    }),
    () => choose(rank),
    "ax-rank",
  );
  button.style.setProperty("--share", `${100 * (bits ?? 0)}%`);
  return button;
}
