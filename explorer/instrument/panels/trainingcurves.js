// The curves of a training: answers, loss, and how near the chosen heads are to the ideal.

import { bound } from "../numbers/basics.js";
import { t } from "../numbers/language.js";
import { chosenName, nearest, nearnessOf, percentOf } from "../numbers/trainingplay.js";
import { h } from "../parts/dom.js";
import { paintOn } from "../parts/paint.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/data.js").Training} Training
 * @typedef {import("../parts/paint.js").Pen} Pen
 * @typedef {{left: number, right: number, top: number, bottom: number}} Plot
 * @typedef {{colour: string, thick: number, of: (i: number) => number, word: string,
 *            dashed?: boolean}} Line
 *   of: a share of the height, by frame; word: for the legend
 */

const [TALL, LOW] = [210, 150]; // pixels, and where there is little room
const NARROW = 440; // pixels across
export const LEFT = 40; // pixels beside the plot
export const RIGHT = 40;
const BELOW = 38; // for the steps, and what they are
const STEPS = t("steps; the first, in which most is learned, have more room");
const LOSS = ["#b3541e", "#e39a5b"]; // on light, on dark
const NEAR = ["#1f7a4d", "#63c793"];

export function createTrainingCurves() {
  const canvas = document.createElement("canvas");
  const stage = h("div", { class: "ax-training-stage" }, canvas);
  const legend = h("p", { class: "ax-help ax-training-legend" });

  /** @param {Training} training @param {number} frame @param {Scene} now */
  function show(training, frame, now) {
    const wide = stage.clientWidth;
    const high = wide < NARROW ? LOW : TALL;
    const lines = linesOf(training, now);
    legend.replaceChildren(...lines.map(keyOf));
    if (!wide) return;
    const plot = { left: LEFT, right: wide - RIGHT, top: 10, bottom: high - BELOW };
    paintOn(canvas, wide, high, (pen) => {
      frameOf(pen, plot, training.steps, now.theme);
      lossScale(pen, plot, Math.max(...training.loss), LOSS[Number(now.theme.dark)]);
      for (const line of [...lines].reverse()) draw(pen, plot, line, training.steps.length);
      stand(pen, plot, frame, training.steps.length, now.theme);
    });
    canvas.setAttribute("role", "img");
    canvas.setAttribute(
      "aria-label",
      t("Over the steps: {lines}", { lines: lines.map((l) => l.word).join(", ") }),
    );
  }
  return { canvas, stage, legend, show };
}

/**
 * The curves, the first on top.
 * @param {Training} training @param {Scene} now @returns {Line[]}
 */
function linesOf(training, { theme, trace, view }) {
  const last = training.steps.length - 1;
  const { heads } = training.near[nearest(training, last, trace, view).index];
  const most = Math.max(...training.loss);
  const { best } = training;
  const dark = Number(theme.dark);
  return [
    {
      ...{ colour: theme.accent, thick: 2.5, word: t("right answers") },
      of: (i) => training.accuracy[i],
    },
    {
      ...{
        colour: NEAR[dark],
        thick: 2,
        word: t("{heads} on the ideal", { heads: chosenName(view) }),
      },
      of: (i) => nearnessOf(heads[i], trace, view) || 0,
    },
    {
      ...{ colour: LOSS[dark], thick: 2, word: t("loss (numbers on the right)") },
      of: (i) => training.loss[i] / most,
    },
    {
      ...{
        colour: theme.muted,
        thick: 1,
        word: t("chance {share}", { share: percentOf(training.chance) }),
      },
      of: () => training.chance,
    },
    ...(best ? bestOf(best, most, theme.accent, LOSS[dark]) : []),
  ];
}

/**
 * The best that anybody could do, who knows how the sequences are made: a roof and a floor.
 * @param {NonNullable<Training["best"]>} best @param {number} most the largest loss
 * @param {string} accent @param {string} loss the colours
 * @returns {Line[]}
 */
const bestOf = (best, most, accent, loss) => [
  {
    ...{
      colour: accent,
      thick: 1,
      word: t("best possible {share}", { share: percentOf(best.accuracy) }),
      dashed: true,
    },
    of: () => best.accuracy,
  },
  {
    ...{
      colour: loss,
      thick: 1,
      word: t("least loss {loss}", { loss: best.loss.toFixed(2) }),
      dashed: true,
    },
    of: () => best.loss / most,
  },
];

/** @param {Line} line */
function keyOf({ colour, word, dashed }) {
  const swatch = h("i", { class: dashed ? "ax-swatch ax-swatch-dashed" : "ax-swatch" });
  swatch.style.background = colour;
  return h("span", {}, swatch, word);
}

/** @param {Plot} plot @param {number} i @param {number} count */
const across = ({ left, right }, i, count) =>
  left + (count > 1 ? (i / (count - 1)) * (right - left) : 0);

/** @param {Plot} plot @param {number} share */
const up = ({ top, bottom }, share) => bottom - share * (bottom - top);

/**
 * The scales. Frames stand close together at first, when most is learned; the numbers below are
 * the steps.
 * @param {Pen} pen @param {Plot} plot @param {number[]} steps @param {Scene["theme"]} theme
 */
function frameOf(pen, plot, steps, theme) {
  pen.font = `11px ${theme.font}`;
  pen.lineWidth = 1;
  for (const share of [0, 0.5, 1]) {
    const y = up(plot, share);
    pen.strokeStyle = theme.border;
    pen.beginPath();
    pen.moveTo(plot.left, y);
    pen.lineTo(plot.right, y);
    pen.stroke();
    pen.fillStyle = theme.muted;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.fillText(`${100 * share} %`, plot.left - 6, y);
  }
  pen.textAlign = "center";
  pen.textBaseline = "top";
  const every = Math.max(1, Math.ceil(steps.length / Math.max(2, (plot.right - plot.left) / 60)));
  for (let i = 0; i < steps.length; i += every)
    pen.fillText(String(steps[i]), across(plot, i, steps.length), plot.bottom + 8);
  pen.fillText(STEPS, (plot.left + plot.right) / 2, plot.bottom + 23);
}

/** The loss has a scale of its own: it is no share. @param {Pen} pen @param {Plot} plot @param {number} most @param {string} colour */
function lossScale(pen, plot, most, colour) {
  pen.fillStyle = colour;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  for (const share of [0, 0.5, 1])
    pen.fillText((share * most).toFixed(2), plot.right + 6, up(plot, share));
}

/** @param {Pen} pen @param {Plot} plot @param {Line} line @param {number} count */
function draw(pen, plot, { colour, thick, of, dashed }, count) {
  pen.strokeStyle = colour;
  pen.lineWidth = thick;
  pen.beginPath();
  if (dashed) dashes(pen, plot, up(plot, bound(of(0), 0, 1)));
  for (let i = 0; i < count && !dashed; i++) {
    const y = up(plot, bound(of(i), 0, 1));
    if (i) pen.lineTo(across(plot, i, count), y);
    else pen.moveTo(across(plot, i, count), y);
  }
  pen.stroke();
}

/** A line across, in short strokes. @param {Pen} pen @param {Plot} plot @param {number} y */
function dashes(pen, { left, right }, y) {
  for (let x = left; x < right; x += 9) {
    pen.moveTo(x, y);
    pen.lineTo(Math.min(x + 5, right), y);
  }
}

/**
 * Where the training stands.
 * @param {Pen} pen @param {Plot} plot @param {number} frame @param {number} count
 * @param {Scene["theme"]} theme
 */
function stand(pen, plot, frame, count, theme) {
  pen.strokeStyle = theme.text;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.moveTo(across(plot, frame, count), plot.top - 4);
  pen.lineTo(across(plot, frame, count), plot.bottom + 4);
  pen.stroke();
}
