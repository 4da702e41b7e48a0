// Histograms of one head over a corpus: of each measure over its texts, and of how far it looks.

import {
  endOf,
  farWords,
  heightsOf,
  inDigits,
  measureWords,
  percent,
  placeIn,
  withSpread,
} from "../numbers/corpushead.js";
import { t } from "../numbers/language.js";
import { h } from "../parts/dom.js";
import { paintOn } from "../parts/paint.js";

/**
 * @typedef {import("../numbers/corpushead.js").CorpusHead} CorpusHead
 * @typedef {import("../numbers/corpushead.js").HeadMeasure} HeadMeasure
 * @typedef {import("../parts/theme.js").Theme} Theme
 */

const [WIDE, TALL] = [150, 46]; // pixels
const MARK = 2; // of the mean

/**
 * A button for each measure, with its histogram; the chosen one orders the examples.
 * @param {CorpusHead} head @param {Theme} theme @param {(key: string) => void} choose
 */
export const histogramsOf = (head, theme, choose) =>
  head.measures
    .filter((measure) => measure.bars)
    .map((measure) => {
      const canvas = document.createElement("canvas");
      canvas.setAttribute("aria-hidden", "true");
      paintOn(canvas, WIDE, TALL, (pen) => paintBars(pen, measure, theme));
      const button = h(
        "button",
        {
          ...{ type: "button", class: "ax-corpus-bars", "aria-description": measureWords(measure) },
          "aria-pressed": String(measure.key === head.ordered),
          title: t("Order the examples by this"),
        },
        h("span", { class: "ax-cut" }, measure.name),
        canvas,
        h("span", { class: "ax-number" }, withSpread(measure)),
      );
      button.addEventListener("click", () => choose(measure.key));
      return button;
    });

/** @param {import("../parts/paint.js").Pen} pen @param {HeadMeasure} measure @param {Theme} theme */
function paintBars(pen, measure, theme) {
  const { bars, mean } = measure;
  if (!bars) return;
  const heights = heightsOf(bars);
  const room = TALL - 13; // above the ends of the axis
  const width = WIDE / Math.max(heights.length, 8);
  pen.fillStyle = theme.accentCss(0.55);
  heights.forEach((height, i) => {
    const tall = height * (room - 1);
    if (height) pen.fillRect(i * width, room - tall, Math.max(width - 1, 1), tall);
  });
  const whole = (heights.length * width) / WIDE; // of the room, where bars are few
  const place = placeIn(bars, mean);
  pen.fillStyle = theme.text;
  if (place !== null) pen.fillRect(place * whole * WIDE - MARK / 2, 0, MARK, room);
  pen.fillStyle = theme.border;
  pen.fillRect(0, room, WIDE, 1);
  pen.fillStyle = theme.muted;
  pen.font = `10px ${theme.font}`;
  pen.textBaseline = "alphabetic";
  pen.textAlign = "left";
  const { edges, below } = bars;
  pen.fillText(below ? "0" : inDigits(edges[0], measure), 0, TALL - 1);
  pen.textAlign = "right";
  pen.fillText(inDigits(endOf(edges[edges.length - 1], measure.share), measure), WIDE, TALL - 1);
}

/** How far a head looks, as a table whose numbers are drawn as bars. @param {CorpusHead} head */
export function distancesOf({ distances }) {
  const most = Math.max(...distances.map(([, , share]) => share), 1e-9);
  const rows = distances.map(([low, high, share]) => {
    const bar = h("span", { class: "ax-corpus-bar" });
    bar.style.setProperty("--share", `${(100 * share) / most}%`);
    const number = h("td", { class: "ax-number" }, percent(share));
    const drawn = h("td", { "aria-hidden": "true" }, bar);
    return h("tr", {}, h("th", { scope: "row" }, farWords(low, high)), number, drawn);
  });
  const titles = [t("Tokens away"), t("Attention")];
  const heads = titles.map((title) => h("th", { scope: "col" }, title));
  return h(
    "table",
    { class: "ax-corpus-table ax-corpus-far" },
    h("thead", {}, h("tr", {}, ...heads, h("td", {}))),
    h("tbody", {}, ...rows),
  );
}
