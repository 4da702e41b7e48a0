// What each way gives up, with who described it; and the way that gives up nothing: tile by tile.

import { t, tc } from "../numbers/language.js";
import { h } from "../parts/dom.js";
import { paintOn } from "../parts/paint.js";

/**
 * @typedef {import("../numbers/efficiency.js").Efficiency} Efficiency
 * @typedef {import("../parts/paint.js").Pen} Pen
 * @typedef {import("../parts/theme.js").Theme} Theme
 */

const [SIDE, TILES, LEFT, TOP] = [26, 6, 20, 20]; // pixels of a tile; tiles; room for names
const AT = { row: 2, column: 3 }; // the tile that is being made
const SAYS = t(
  "FlashAttention (Dao et al. 2022) gives up nothing: its numbers are those of full attention. It makes the scores tile by tile (the dark one now, the pale ones are done) in fast memory, and keeps of each row only its largest score, its sum and its output so far, which are rescaled when a larger score comes. No weight is written to slow memory. Time still grows with the square of the length; memory grows with the length.",
);

export function createGivesUp() {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute(
    "aria-label",
    t("A map of scores in six by six tiles, made one after the other."),
  );
  const rows = h("tbody");
  const reasons = h("ul", { class: "ax-help" });
  const headings = [
    tc("of making attention cheaper", "Way"),
    t("What it gives up"),
    t("Described by"),
  ];
  const table = h(
    "table",
    {},
    h("thead", {}, h("tr", {}, ...headings.map((name) => h("th", { scope: "col" }, name)))),
    rows,
  );
  const element = h(
    "details",
    { class: "ax-table ax-eff-gives", open: "" },
    h("summary", {}, t("What each way gives up")),
    h(
      "div",
      { class: "ax-eff-rows", tabindex: "0", role: "group", "aria-label": t("Ways") },
      table,
    ),
    reasons,
    h("div", { class: "ax-eff-tiles" }, canvas, h("p", { class: "ax-help" }, SAYS)),
  );
  let made = "";

  /** @param {Efficiency} found @param {Theme} theme */
  function show(found, theme) {
    paintOn(canvas, LEFT + TILES * SIDE + 2, TOP + TILES * SIDE + 2, (pen) => paint(pen, theme));
    const now = JSON.stringify([found.ways.map(({ kind }) => kind), found.reasons]);
    if (now === made) return;
    made = now;
    rows.replaceChildren(
      ...found.ways.map(({ name, gives_up, source }) =>
        h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, gives_up), h("td", {}, source)),
      ),
    );
    reasons.replaceChildren(
      ...found.reasons.map(({ name, why }) => h("li", {}, t("Not {name}: {why}", { name, why }))),
    );
  }

  return { element, show };
}

/** @param {Pen} pen @param {Theme} theme */
function paint(pen, theme) {
  pen.font = `11px ${theme.font}`;
  pen.fillStyle = theme.muted;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(t("keys, in blocks"), LEFT + (TILES * SIDE) / 2, TOP / 2);
  pen.save();
  pen.translate(LEFT / 2, TOP + (TILES * SIDE) / 2);
  pen.rotate(-Math.PI / 2);
  pen.fillText(t("queries, in blocks"), 0, 0);
  pen.restore();
  for (let row = 0; row < TILES; row++)
    for (let column = 0; column < TILES; column++) {
      const [x, y] = [LEFT + column * SIDE, TOP + row * SIDE];
      const isDone = row < AT.row || (row === AT.row && column < AT.column);
      const isNow = row === AT.row && column === AT.column;
      if (isDone || isNow) {
        pen.fillStyle = theme.accentCss(isNow ? 0.9 : 0.2);
        pen.fillRect(x + 1, y + 1, SIDE - 2, SIDE - 2);
      }
      pen.strokeStyle = theme.border;
      pen.lineWidth = 1;
      pen.strokeRect(x + 0.5, y + 0.5, SIDE - 1, SIDE - 1);
    }
}
