// A training: curves over its steps, a slider and a play button. What is chosen here is
// what all other panels show.

import { bound } from "../numbers/basics.js";
import { frameAt } from "../numbers/data.js";
import {
  chosenName,
  createPlayer,
  frameUnder,
  nearest,
  nearnessOf,
  percentOf,
  sentenceOfFrame,
  stepOf,
} from "../numbers/trainingplay.js";
import { h, pushButton, setText } from "../parts/dom.js";
import { createMatrix } from "../parts/matrix.js";
import { paintOn } from "../parts/paint.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/view.js").View} View
 * @typedef {import("../numbers/data.js").Training} Training
 * @typedef {ReturnType<typeof elementsOf>} Elements
 * @typedef {{element: HTMLElement, pictures: ReturnType<typeof createMatrix>[], of: unknown}} Ideals
 *   of: what the pictures show
 */

const HEIGHT = 190; // pixels of the curves
const [LEFT, RIGHT, TOP, BOTTOM] = [40, 12, 10, 26];
const PLAY = 110; // ms a frame
const LOSS = ["#b3541e", "#e39a5b"]; // on light, on dark
const NEAR = ["#1f7a4d", "#63c793"];

/** @param {(next: (now: View) => View) => void} change */
export function createTraining(change) {
  /** @type {Scene | null} */
  let scene = null;
  const clock = {
    every: (/** @type {() => void} */ act) => window.setInterval(act, PLAY),
    stop: (/** @type {number} */ id) => clearInterval(id),
  };
  const steps = () => scene?.trace.training?.steps ?? [];
  const turn = (/** @type {number} */ frame) => {
    const step = stepOf(steps(), frame);
    change((now) => ({ ...now, step }));
  };
  const standing = () => {
    const training = scene?.trace.training;
    if (!training) return null;
    return { now: frameAt(training, scene?.view.step ?? null), last: training.steps.length - 1 };
  };
  const player = createPlayer(clock, standing, turn, (playing) =>
    setText(play, playing ? "❚❚ Pause" : "▶ Play"),
  );
  const play = pushButton("▶ Play", "From noise to pattern", player.toggle);
  const parts = elementsOf(play);
  /** @type {Ideals} */
  const ideals = { element: parts.ideals, pictures: [], of: null };
  parts.slider.addEventListener("input", () => {
    player.pause();
    turn(Number(parts.slider.value));
  });
  parts.canvas.addEventListener("click", (event) => {
    if (!scene?.trace.training) return;
    player.pause();
    const share = (event.offsetX - LEFT) / (parts.canvas.clientWidth - LEFT - RIGHT);
    turn(frameUnder(share, steps().length));
  });

  /** @param {Scene} next */
  function draw(next) {
    scene = next;
    const { training } = next.trace;
    parts.element.hidden = !training;
    if (training) show(parts, ideals, training, next);
  }

  return { element: parts.element, draw, pause: player.pause };
}

/** @param {HTMLElement} play the button */
function elementsOf(play) {
  const canvas = document.createElement("canvas");
  const stage = h("div", { class: "ax-training-stage" }, canvas);
  const slider = /** @type {HTMLInputElement} */ (
    h("input", { type: "range", min: "0", step: "1", "aria-label": "Step of the training" })
  );
  const legend = h("p", { class: "ax-help ax-training-legend" });
  const says = h("p", { class: "ax-training-says" });
  const answers = h("div", { class: "ax-rows ax-answers", tabindex: "0", role: "group" });
  const ideals = h("div", { class: "ax-pictures" });
  const near = h("div", { class: "ax-rows ax-near", tabindex: "0", role: "group" });
  const element = h(
    "section",
    { class: "ax-panel ax-panel-training", "aria-label": "Training" },
    h("div", { class: "ax-title" }, h("h3", {}, "Training"), play),
    h(
      "div",
      { class: "ax-training" },
      h("div", {}, legend, stage, slider, says),
      h("div", {}, ideals, near),
    ),
    answers,
  );
  return { element, canvas, stage, slider, legend, says, answers, ideals, near };
}

/** @param {Elements} parts @param {Ideals} ideals @param {Training} training @param {Scene} now */
function show(parts, ideals, training, now) {
  const { slider, stage, canvas } = parts;
  const frame = frameAt(training, now.view.step);
  slider.max = String(training.steps.length - 1);
  slider.value = String(frame);
  slider.setAttribute("aria-valuetext", `step ${training.steps[frame]}`);
  showIdeals(ideals, training, now); // first: they leave the curves their width
  const wide = stage.clientWidth;
  if (!wide) return;
  paintOn(canvas, wide, HEIGHT, (pen) => curves(pen, training, frame, wide, now));
  showLegend(parts.legend, training, now);
  setText(parts.says, sentenceOfFrame(training, frame, now.trace, now.view));
  showAnswers(parts.answers, training, frame, now);
  showNear(parts.near, training, frame, now);
}

/** @param {HTMLElement} legend @param {Training} training @param {Scene} now */
function showLegend(legend, training, now) {
  const { theme } = now;
  const key = (/** @type {string} */ colour, /** @type {string} */ word) => {
    const swatch = h("i", { class: "ax-swatch" });
    swatch.style.background = colour;
    return h("span", {}, swatch, word);
  };
  legend.replaceChildren(
    key(theme.accent, "accuracy on held-out sequences"),
    key(LOSS[Number(theme.dark)], `loss (largest ${Math.max(...training.loss).toFixed(2)})`),
    key(NEAR[Number(theme.dark)], `how near ${chosenName(now.view)} is to the ideal`),
    key(theme.muted, `chance ${training.chance.toFixed(2)}`),
  );
}

/** @param {HTMLElement} answers @param {Training} training @param {number} frame @param {Scene} now */
function showAnswers(answers, training, frame, now) {
  const tokens = now.trace.head.query_tokens;
  const line = (/** @type {string} */ name, /** @type {(i: number) => HTMLElement} */ cell) =>
    h("tr", {}, h("th", { scope: "row" }, name), ...tokens.map((_, i) => cell(i)));
  const wrong = training.right.filter(
    (r, i) => r !== null && r !== training.answers[frame][i],
  ).length;
  answers.setAttribute("aria-label", `Answers: ${wrong} wrong`);
  answers.replaceChildren(
    h(
      "table",
      {},
      h(
        "tbody",
        {},
        line("sequence", (i) => h("td", {}, tokens[i].text)),
        line("answer", (i) => {
          const asked = training.right[i] !== null;
          const said = training.answers[frame][i];
          const right = said === training.right[i];
          const style = !asked ? "" : right ? "ax-right" : "ax-wrong";
          return h("td", { class: style }, asked ? said : "·");
        }),
        line("right", (i) => h("td", { class: "ax-faint" }, training.right[i] ?? "·")),
      ),
    ),
  );
}

/**
 * How near every head is to every pattern.
 * @param {HTMLElement} near @param {Training} training @param {number} frame @param {Scene} now
 */
function showNear(near, training, frame, { trace, view }) {
  const width = trace.head.n_heads;
  const lines = training.near[0].heads[frame].map((_, i) => {
    const [layer, head] = [trace.head.numbers[Math.floor(i / width)], i % width];
    const cells = training.near.map(({ heads }) => h("td", {}, percentOf(heads[frame][i] ?? 0)));
    const line = h("tr", {}, h("th", { scope: "row" }, `${layer}-${head}`), ...cells);
    if (layer === view.layer && view.heads.includes(head)) line.classList.add("ax-on");
    return line;
  });
  const names = ["head", ...training.near.map(({ name }) => `on ${name}`)];
  near.setAttribute("aria-label", "How near each head is to the ideal");
  near.replaceChildren(
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...names.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...lines),
    ),
  );
}

/**
 * Where it would be best to look: one small map for each pattern.
 * @param {Ideals} ideals @param {Training} training @param {Scene} now
 */
function showIdeals(ideals, training, now) {
  const { head } = now.trace;
  const size = head.query_tokens.length * head.key_tokens.length;
  if (ideals.of !== training.wanted) {
    ideals.of = training.wanted;
    while (ideals.pictures.length < training.ideals.length) {
      ideals.pictures.push(
        createMatrix(
          () => {},
          (row, column) => `${head.query_tokens[row].text} → ${head.key_tokens[column].text}`,
        ),
      );
    }
    ideals.element.replaceChildren(...training.ideals.map((_, i) => ideals.pictures[i].element));
  }
  training.ideals.forEach((name, i) => {
    const values = training.wanted.subarray(i * size, (i + 1) * size);
    const n = head.query_tokens.length;
    ideals.pictures[i].show(
      {
        ...{ values, rows: n, columns: n, weights: true, name: "Ideal:", shape: name },
        ...{ label: `Ideal attention: ${name}`, wide: 130, tall: 128 / n },
      },
      now.theme,
    );
  });
}

/**
 * Accuracy, loss and nearness over the frames, which stand close together at first, when most is
 * learned; the numbers below are the steps.
 * @param {import("../parts/paint.js").Pen} pen @param {Training} training @param {number} frame
 * @param {number} wide @param {Scene} now
 */
function curves(pen, training, frame, wide, now) {
  const { theme } = now;
  const count = training.steps.length;
  const [width, height] = [wide - LEFT - RIGHT, HEIGHT - TOP - BOTTOM];
  const x = (/** @type {number} */ i) => LEFT + (count > 1 ? (i / (count - 1)) * width : 0);
  const y = (/** @type {number} */ share) => TOP + (1 - share) * height;
  pen.font = `11px ${theme.font}`;
  pen.lineWidth = 1;
  for (const share of [0, 0.5, 1]) {
    pen.strokeStyle = theme.border;
    pen.beginPath();
    pen.moveTo(LEFT, y(share));
    pen.lineTo(LEFT + width, y(share));
    pen.stroke();
    pen.fillStyle = theme.muted;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.fillText(`${100 * share} %`, LEFT - 6, y(share));
  }
  pen.textAlign = "center";
  pen.textBaseline = "top";
  const every = Math.max(1, Math.ceil(count / Math.max(2, width / 70)));
  for (let i = 0; i < count; i += every)
    pen.fillText(String(training.steps[i]), x(i), TOP + height + 8);
  const { index } = nearest(training, frame, now.trace, now.view);
  const line = (
    /** @type {string} */ colour,
    /** @type {number} */ thick,
    /** @type {(i: number) => number} */ of,
  ) => {
    pen.strokeStyle = colour;
    pen.lineWidth = thick;
    pen.beginPath();
    for (let i = 0; i < count; i++) {
      const at = y(bound(of(i), 0, 1));
      if (i) pen.lineTo(x(i), at);
      else pen.moveTo(x(i), at);
    }
    pen.stroke();
  };
  const most = Math.max(...training.loss);
  line(theme.muted, 1, () => training.chance);
  line(LOSS[Number(theme.dark)], 2, (i) => training.loss[i] / most);
  const { heads } = training.near[index];
  line(NEAR[Number(theme.dark)], 2, (i) => nearnessOf(heads[i], now.trace, now.view) || 0);
  line(theme.accent, 2.5, (i) => training.accuracy[i]);
  pen.strokeStyle = theme.text;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.moveTo(x(frame), TOP - 4);
  pen.lineTo(x(frame), TOP + height + 4);
  pen.stroke();
}
