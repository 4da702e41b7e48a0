// A training, played: which frame is shown next, and what a frame says. The clock is handed in.

import { bound } from "./basics.js";
import { indexOf } from "./data.js";

/**
 * @typedef {Pick<import("./data.js").Trace, "head">} Trained
 * @typedef {Pick<import("./view.js").View, "layer" | "heads">} Chosen
 * @typedef {import("./data.js").About} About
 * @typedef {{every: (act: () => void) => number, stop: (id: number) => void}} Clock
 */

/**
 * The step that a frame stands for. The last frame is the last, also when the training goes on.
 * @param {number[]} steps @param {number} frame
 */
export const stepOf = (steps, frame) => (frame >= steps.length - 1 ? null : steps[frame]);

/**
 * The frame that lies at a share of the width.
 * @param {number} share @param {number} count
 */
export const frameUnder = (share, count) => bound(Math.round(share * (count - 1)), 0, count - 1);

/**
 * Plays the frames one after the other, from where the training stands, or from the first at its end.
 * @param {Clock} clock
 * @param {() => {now: number, last: number} | null} standing the frame that is shown and the last;
 *   null where there is no training
 * @param {(frame: number) => void} turn @param {(playing: boolean) => void} told
 */
export function createPlayer(clock, standing, turn, told) {
  let playing = 0;
  let framed = 0;

  function pause() {
    clock.stop(playing);
    playing = 0;
    told(false);
  }

  function next() {
    const last = standing()?.last ?? 0;
    framed = Math.min(framed + 1, last);
    turn(framed);
    if (framed === last) pause();
  }

  function toggle() {
    const training = standing();
    if (playing || !training) return pause();
    framed = training.now === training.last ? 0 : training.now;
    turn(framed);
    playing = clock.every(next);
    told(true);
  }

  return { toggle, pause };
}

/** @param {number} share */
export const percentOf = (share) =>
  `${(100 * share).toFixed(share > 0.995 && share < 1 ? 1 : 0)} %`;

/** The chosen heads in words. @param {Chosen} view */
export const chosenName = (view) =>
  view.heads.length === 1
    ? `layer ${view.layer}, head ${view.heads[0]}`
    : `layer ${view.layer}’s chosen heads`;

/**
 * How near the chosen heads are to a pattern, on average.
 * @param {number[]} heads of one frame: of every head of every layer, how near it is
 * @param {Trained} trace @param {Chosen} view
 */
export function nearnessOf(heads, { head }, view) {
  const first = indexOf(head, view.layer) * head.n_heads;
  const own = view.heads.map((one) => heads[first + one]);
  return own.reduce((sum, share) => sum + share, 0) / own.length;
}

/**
 * How near the chosen heads are to the pattern that they are nearest to.
 * @param {About} training @param {number} frame @param {Trained} trace @param {Chosen} view
 * @returns {{near: number | null, index: number}}
 */
export function nearest(training, frame, trace, view) {
  const shares = training.near.map(({ heads }) => nearnessOf(heads[frame], trace, view));
  const best = shares.reduce((at, share, i) => (share > shares[at] ? i : at), 0);
  return { near: Number.isFinite(shares[best]) ? shares[best] : null, index: best };
}

/**
 * What was learned after a frame's steps.
 * @param {About} training @param {number} frame @param {Trained} trace @param {Chosen} view
 */
export function sentenceOfFrame(training, frame, trace, view) {
  const { near, index } = nearest(training, frame, trace, view);
  return [
    `After ${training.steps[frame].toLocaleString("en")} steps: ${percentOf(training.accuracy[frame])} of the answers on held-out sequences are right (chance ${percentOf(training.chance)}), loss ${training.loss[frame].toPrecision(3)}.`,
    near === null
      ? ""
      : `Of what ${chosenName(view)} ${view.heads.length === 1 ? "looks" : "look"} at, ${percentOf(near)} is ${training.near[index].name}.`,
  ].join(" ");
}
