// A training: its curves, and beside them a head as it comes to look like the ideal; a slider and a
// play button. The step that is chosen here is what all other panels show.

import { frameAt } from "../numbers/data.js";
import { t } from "../numbers/language.js";
import {
  createPlayer,
  frameUnder,
  sentenceOfFrame,
  stepOf,
  taskWords,
} from "../numbers/trainingplay.js";
import { h, pointIn, pushButton, setText } from "../parts/dom.js";
import { formula } from "../parts/formula.js";
import { createAnswers } from "./traininganswers.js";
import { createTrainingCurves, LEFT, RIGHT } from "./trainingcurves.js";
import { createTrainingHeads } from "./trainingheads.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/view.js").View} View
 * @typedef {import("../numbers/data.js").Training} Training
 * @typedef {ReturnType<typeof elementsOf>} Elements
 */

const PLAY = 110; // ms a frame

/** @param {(next: (now: View) => View) => void} change */
export function createTraining(change) {
  /** @type {Scene | null} */
  let scene = null;
  let asked = 0; // the last Start or Continue of which something was shown
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
  const player = createPlayer(clock, standing, turn, (playing) => {
    setText(play, playing ? "❚❚" : "▶");
    play.setAttribute("aria-label", playing ? t("Pause") : t("Play"));
  });
  const play = pushButton("▶", t("From noise to pattern"), player.toggle, "ax-play");
  play.setAttribute("aria-label", t("Play"));
  const parts = elementsOf(play, change);
  const { slider, curves } = parts;
  slider.addEventListener("input", () => {
    player.pause();
    turn(Number(slider.value));
  });
  curves.canvas.addEventListener("click", (event) => {
    if (!scene?.trace.training) return;
    player.pause();
    const [x] = pointIn(curves.canvas, event);
    const share = (x - LEFT) / (curves.canvas.clientWidth - LEFT - RIGHT);
    turn(frameUnder(share, steps().length));
  });

  /** @param {Scene} next */
  function draw(next) {
    scene = next;
    const { training } = next.trace;
    parts.element.hidden = !training;
    if (!training) return;
    show(parts, training, next);
    const begins = asked > 0 && asked !== next.trace.head.about.asked;
    asked = next.trace.head.about.asked;
    if (begins && next.view.step !== null) turn(steps().length - 1); // the picture follows
  }

  return { element: parts.element, draw, pause: player.pause };
}

/** @param {HTMLElement} play the button @param {(next: (now: View) => View) => void} change */
function elementsOf(play, change) {
  const curves = createTrainingCurves();
  const heads = createTrainingHeads(change);
  const answers = createAnswers();
  const slider = /** @type {HTMLInputElement} */ (
    h("input", { type: "range", min: "0", step: "1", "aria-label": t("Step of the training") })
  );
  const task = h("p", { class: "ax-help ax-training-task" });
  const stale = h("p", { class: "ax-training-stale", role: "status" });
  const says = h("p", { class: "ax-training-says" });
  const writes = h("p", { class: "ax-training-writes", dir: "auto" });
  const hand = h("div", { class: "ax-training-hand" }, play, slider);
  const left = h("div", {}, curves.legend, curves.stage, hand, says, writes);
  const element = h(
    "section",
    { class: "ax-panel ax-panel-training", "aria-label": t("Training") },
    task,
    h("div", { class: "ax-training" }, left, heads.element, answers.element),
    stale,
  );
  element.hidden = true; // until there is a training
  return { element, curves, heads, answers, slider, says, writes, stale, task };
}

/** @param {Elements} parts @param {Training} training @param {Scene} now */
function show(parts, training, now) {
  const { curves, heads, answers, slider, says, writes, stale, task } = parts;
  const frame = frameAt(training, now.view.step);
  slider.max = String(training.steps.length - 1);
  slider.value = String(frame);
  slider.setAttribute("aria-valuetext", t("step {step}", { step: training.steps[frame] }));
  const asks = taskWords(training);
  if (task.dataset.of !== asks) task.replaceChildren(formula(asks));
  task.dataset.of = asks;
  setText(stale, training.stale ?? "");
  parts.element.classList.toggle("ax-stale", Boolean(training.stale));
  setText(says, sentenceOfFrame(training, frame, now.trace, now.view));
  const { begun, written } = training;
  writes.hidden = !begun;
  const goes = h("ins", { class: "ax-written" }, written[frame] ?? "");
  writes.replaceChildren(t("It goes on:"), " ", begun, goes);
  curves.show(training, frame, now);
  heads.show(training, frame, now);
  answers.show(training, frame, now.trace.head.query_tokens);
}
