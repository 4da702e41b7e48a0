// A head as it is at a step of its training, beside the ideal, in one size and the same colours;
// and how near every head has come.

import { spokenHead } from "../numbers/headname.js";
import { t } from "../numbers/language.js";
import {
  chosenName,
  nearest,
  percentOf,
  shareOnIdeal,
  stepsOf,
  weightsAt,
} from "../numbers/trainingplay.js";
import { pin } from "../numbers/view.js";
import { h, pointIn, setText } from "../parts/dom.js";
import { drawCells, paintOn, shorten } from "../parts/paint.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/view.js").View} View
 * @typedef {import("../numbers/data.js").Training} Training
 * @typedef {import("../parts/paint.js").Pen} Pen
 * @typedef {(next: (now: View) => View) => void} Change
 * @typedef {[number, number]} Cell row and column
 * @typedef {{training: Training, frame: number, scene: Scene}} Shown
 * @typedef {{weights: Float32Array, name: string, note: string, label: string}} Picture
 * @typedef {ReturnType<typeof createFigure>} Figure
 */

const [MOST, GAP] = [300, 16]; // pixels of a picture, and between two
const EDGE = 18; // pixels for the letters beside it

/** @param {Change} change */
export function createTrainingHeads(change) {
  const pictures = h("div", { class: "ax-training-pictures" });
  const says = h("p", { class: "ax-help ax-training-cell" });
  const near = createNear((layer, head) => change((now) => ({ ...now, layer, heads: [head] })));
  /** @type {Figure[]} */
  const figures = [];
  /** @type {Shown | null} */
  let shown = null;
  /** @type {Cell | null} */
  let pointed = null;
  const point = (/** @type {Cell | null} */ cell) => {
    pointed = cell;
    if (shown) paint(shown, figures, pointed, pictures.clientWidth, says);
  };
  const pick = (/** @type {Cell} */ [row]) => change((now) => pin(now, "queries", [row], false));

  /** @param {Training} training @param {number} frame @param {Scene} scene */
  function show(training, frame, scene) {
    const n = scene.trace.head.query_tokens.length;
    if (pointed && Math.max(...pointed) >= n) pointed = null;
    shown = { training, frame, scene };
    const count = picturesOf(shown).length;
    while (figures.length < count) figures.push(createFigure(point, pick));
    if (pictures.childElementCount !== count)
      pictures.replaceChildren(...figures.slice(0, count).map(({ element }) => element));
    paint(shown, figures, pointed, pictures.clientWidth, says);
    near.show(shown);
  }
  const element = h("div", { class: "ax-training-heads" }, pictures, says, near.element);
  return { element, show };
}

/** @param {(cell: Cell | null) => void} point @param {(cell: Cell) => void} pick */
function createFigure(point, pick) {
  const canvas = document.createElement("canvas");
  const [name, note] = [h("strong"), h("span", { class: "ax-help" })];
  const caption = h("figcaption", {}, name, " ", note);
  const element = h("figure", { class: "ax-head-picture" }, caption, canvas);
  const figure = { element, canvas, name, note, n: 1, side: 0 };
  const cellAt = (/** @type {MouseEvent} */ event) => {
    const of = (/** @type {number} */ at) =>
      Math.floor(((at - EDGE) / (figure.side - EDGE)) * figure.n);
    const [x, y] = pointIn(canvas, event);
    const cell = /** @type {Cell} */ ([of(y), of(x)]);
    return cell.every((i) => i >= 0 && i < figure.n) ? cell : null;
  };
  canvas.setAttribute("role", "img");
  canvas.addEventListener("pointermove", (event) => point(cellAt(event)));
  canvas.addEventListener("pointerleave", () => point(null));
  canvas.addEventListener("click", (event) => {
    const cell = cellAt(event);
    if (cell) pick(cell);
  });
  return figure;
}

/**
 * The chosen heads, and each ideal; of more than two ideals the one that the heads are nearest to.
 * @param {Shown} shown @returns {Picture[]}
 */
function picturesOf({ training, frame, scene: { trace, view } }) {
  const size = trace.head.query_tokens.length ** 2;
  const last = training.steps.length - 1;
  const only = training.ideals.length > 2 ? nearest(training, last, trace, view).index : null;
  const after = t("after {steps}", { steps: stepsOf(training.steps[frame]) });
  const many = view.heads.length > 1;
  const how = view.combine === "max" ? t("the largest of them") : t("their mean");
  const spoken = many ? chosenName(view) : spokenHead(view.layer, view.heads[0]);
  return [
    {
      weights: weightsAt(training, frame, trace, view),
      ...{ name: chosenName(view), note: many ? t("{how}, {after}", { how, after }) : after },
      label: t("Attention of {head} {after}", { head: spoken, after }),
    },
    ...training.ideals.flatMap((name, i) =>
      only === null || only === i
        ? {
            weights: training.wanted.subarray(i * size, (i + 1) * size),
            ...{
              name: t("Ideal:"),
              note: name,
              label: t("Ideal attention: {ideal}", { ideal: name }),
            },
          }
        : [],
    ),
  ];
}

/**
 * @param {Shown} shown @param {Figure[]} figures @param {Cell | null} pointed @param {number} wide
 * @param {HTMLElement} says
 */
function paint(shown, figures, pointed, wide, says) {
  const { training, scene } = shown;
  const { query_tokens: tokens } = scene.trace.head;
  const found = picturesOf(shown);
  setText(says, sentenceOf(shown, found, pointed));
  const across = wide < 2 * 120 + GAP ? 1 : wide < 3 * 150 + 2 * GAP ? 2 : found.length;
  // A width is told in whole pixels: one less, and they stand side by side in any case.
  const side = Math.floor(Math.min(MOST, (wide - 1 - GAP * (across - 1)) / across));
  const row = pointed?.[0] ?? scene.view.queries[0] ?? null;
  const n = tokens.length;
  found.forEach(({ weights, name, note, label }, i) => {
    const figure = figures[i];
    Object.assign(figure, { n, side });
    setText(figure.name, name);
    setText(figure.note, note);
    figure.element.style.width = `${Math.max(side, 0)}px`;
    figure.canvas.setAttribute("aria-label", label);
    if (side <= EDGE) return;
    paintOn(figure.canvas, side, side, (pen) => {
      const box = { x: EDGE, y: EDGE, width: side - EDGE - 1, height: side - EDGE - 1 };
      const levels = Uint8ClampedArray.from(weights, (weight) => 255 * weight);
      const all = { top: 0, bottom: n, left: 0, right: n };
      drawCells(pen, levels, n, n, scene.theme.packed, box, all);
      if (training.causal) hatch(pen, box, n, scene.theme);
      pen.strokeStyle = scene.theme.border;
      pen.lineWidth = 1;
      pen.strokeRect(EDGE - 0.5, EDGE - 0.5, box.width + 1, box.height + 1);
      letters(pen, tokens, box, scene.theme);
      if (row !== null) mark(pen, row, n, box, scene.theme);
    });
  });
}

/**
 * What is pointed at, else how much of the picture lies on the ideal.
 * @param {Shown} shown @param {Picture[]} pictures @param {Cell | null} pointed
 */
function sentenceOf({ training, scene }, [own, ...ideals], pointed) {
  const { query_tokens: tokens } = scene.trace.head;
  if (!pointed) {
    const shares = ideals.map(({ weights, note }) => {
      const share = shareOnIdeal(own.weights, weights, tokens.length);
      return share === null
        ? ""
        : t("{share} lies on {ideal}", { share: percentOf(share), ideal: note });
    });
    const told = shares.filter(Boolean);
    const said = told.reduce(
      (start, next) => (start ? t("{start}, {next}", { start, next }) : next),
      "",
    );
    if (!said) return t("In this picture nothing is asked for.");
    return t("In this picture {shares} (a mean over the rows that have one).", { shares: said });
  }
  const [row, column] = pointed;
  const at = row * tokens.length + column;
  const pair = t("{query} (place {row}) → {key} (place {column})", {
    ...{ query: tokens[row].text, row: row + 1, key: tokens[column].text, column: column + 1 },
  });
  if (training.causal && column > row) return t("{pair}: not yet to be seen.", { pair });
  const wanted = ideals.map(({ weights }) => weights[at]);
  return t("{pair}: {weight}; ideal {ideal}.", {
    pair,
    weight: own.weights[at].toFixed(3),
    ideal: wanted.join(", "),
  });
}

/**
 * What a token may not look at.
 * @param {Pen} pen @param {import("../parts/paint.js").Box} box @param {number} n
 * @param {Scene["theme"]} theme
 */
function hatch(pen, { x, y, width, height }, n, theme) {
  pen.strokeStyle = theme.border;
  pen.lineWidth = 1;
  pen.beginPath();
  for (let row = 0; row < n; row++) {
    for (let column = row + 1; column < n; column++) {
      pen.moveTo(x + (column / n) * width, y + ((row + 1) / n) * height);
      pen.lineTo(x + ((column + 1) / n) * width, y + (row / n) * height);
    }
  }
  pen.stroke();
}

/**
 * The tokens beside the rows and above the columns, as far as they have room.
 * @param {Pen} pen @param {import("../numbers/data.js").Token[]} tokens
 * @param {import("../parts/paint.js").Box} box @param {Scene["theme"]} theme
 */
function letters(pen, tokens, { x, y, width, height }, theme) {
  const cell = width / tokens.length;
  const size = Math.max(7, Math.min(12, cell));
  const everyRow = Math.ceil(size / cell);
  pen.fillStyle = theme.muted;
  pen.font = `${size}px ${theme.font}`;
  const fits = tokens.every(({ text }) => pen.measureText(text).width <= cell + 1);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  tokens.forEach(({ text }, i) => {
    const short = shorten(pen, text, EDGE);
    if (i % everyRow === 0)
      pen.fillText(short, x / 2 - 1, y + ((i + 0.5) / tokens.length) * height);
    if (fits) pen.fillText(short, x + (i + 0.5) * cell, y / 2);
  });
}

/**
 * @param {Pen} pen @param {number} row @param {number} n
 * @param {import("../parts/paint.js").Box} box @param {Scene["theme"]} theme
 */
function mark(pen, row, n, { x, y, width, height }, theme) {
  pen.strokeStyle = theme.accent;
  pen.lineWidth = 2;
  pen.strokeRect(x, y + (row / n) * height, width, height / n);
}

/**
 * How near every head is to every ideal, on held-out sequences; a click chooses the head.
 * @param {(layer: number, head: number) => void} choose
 */
function createNear(choose) {
  const label = t("How near each head is to the ideal, on held-out sequences");
  const element = h("div", { class: "ax-near", role: "group", "aria-label": label });
  let made = ""; // what the buttons were made for
  /** @type {HTMLElement[][]} */
  let buttons = []; // by ideal and head

  /** @param {Shown} shown */
  function show({ training, frame, scene: { trace, view } }) {
    const { numbers, n_heads: width } = trace.head;
    const heads = numbers.flatMap((layer) => Array.from({ length: width }, (_, i) => [layer, i]));
    const names = training.near.map(({ name }) => name);
    const now = JSON.stringify([heads, names]);
    if (now !== made) {
      made = now;
      buttons = names.map(() => heads.map(([layer, head]) => nearButton(layer, head, choose)));
      element.replaceChildren(
        ...names.flatMap((name, i) => [
          h("span", {}, t("Every head, on {ideal}", { ideal: name })),
          h("div", {}, ...buttons[i]),
        ]),
      );
    }
    training.near.forEach(({ name, heads: shares }, which) =>
      heads.forEach(([layer, head], i) => {
        const on = layer === view.layer && view.heads.includes(head);
        showNear(buttons[which][i], shares[frame][i] ?? 0, on, name);
      }),
    );
  }
  return { element, show };
}

/** @param {number} layer @param {number} head @param {(layer: number, head: number) => void} choose */
function nearButton(layer, head, choose) {
  const name = chosenName({ layer, heads: [head] });
  const button = h("button", { type: "button", class: "ax-chip" }, `${name} `, h("span"));
  button.dataset.spoken = spokenHead(layer, head);
  button.addEventListener("click", () => choose(layer, head));
  return button;
}

/** @param {HTMLElement} button @param {number} share @param {boolean} on @param {string} name */
function showNear(button, share, on, name) {
  const percent = percentOf(share);
  setText(/** @type {HTMLElement} */ (button.lastElementChild), percent);
  button.style.setProperty("--share", `${100 * share}%`);
  button.setAttribute("aria-pressed", String(on));
  const spoken = t("{head}: {share} on {ideal}", {
    head: button.dataset.spoken ?? "",
    share: percent,
    ideal: name,
  });
  button.setAttribute("aria-description", spoken);
}
