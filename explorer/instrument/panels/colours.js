// The bar beside the map that says what its colours stand for, where they are the same for all heads.

import { t } from "../numbers/language.js";
import { h } from "../parts/dom.js";
import { paintOn } from "../parts/paint.js";

/** @typedef {import("../numbers/scene.js").Scene} Scene */

const [WIDE, BAR] = [52, 16]; // pixels, of all and of the bar
const EDGE = 8; // above and below it: half a letter
const STEPS = 128;
const TICKS = ["0", ".25", ".5", ".75", "1"];

/** @param {() => import("./heatmap.js").Place} placeNow where the cells are that it stands beside */
export function createColours(placeNow) {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", t("Colours: from weight 0, the palest, to weight 1"));
  const element = h("div", { class: "ax-colours" }, canvas);
  return {
    element,
    /** @param {Scene} scene */
    draw: ({ theme }) => {
      if (!element.getClientRects().length) return; // it is out of sight
      const { top, height, beside } = placeNow();
      element.style.translate = `${-beside}px`;
      element.style.paddingTop = `${Math.max(0, top - EDGE)}px`;
      paintOn(canvas, WIDE, height + 2 * EDGE, (pen) => paint(pen, theme, height));
    },
  };
}

/**
 * @param {import("../parts/paint.js").Pen} pen @param {Scene["theme"]} theme
 * @param {number} tall of the bar
 */
function paint(pen, theme, tall) {
  for (let i = 0; i < STEPS; i++) {
    pen.fillStyle = theme.fills[Math.round(((i + 0.5) / STEPS) * 255)];
    const top = EDGE + tall * (1 - (i + 1) / STEPS);
    pen.fillRect(0, top, BAR, tall / STEPS + 0.5);
  }
  pen.strokeStyle = theme.border;
  pen.lineWidth = 1;
  pen.strokeRect(0.5, EDGE - 0.5, BAR - 1, tall + 1);
  pen.font = `12px ${theme.font}`;
  pen.fillStyle = theme.text;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  TICKS.forEach((tick, i) => {
    pen.fillText(tick, BAR + 6, EDGE + tall * (1 - i / (TICKS.length - 1)));
  });
}
