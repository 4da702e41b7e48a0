// A training, played: which frame is shown next, and what a frame says. The clock is handed in.

import { bound } from "./basics.js";
import { indexOf, mapSize } from "./data.js";
import { headName, headsName } from "./headname.js";
import { sentences, t, tn } from "./language.js";

/**
 * @typedef {Pick<import("./data.js").Trace, "head">} Trained
 * @typedef {Pick<import("./view.js").View, "layer" | "heads">} Chosen
 * @typedef {import("./data.js").About} About
 * @typedef {import("./data.js").Training} Training
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

/** The chosen heads. @param {Chosen} view */
export const chosenName = ({ layer, heads }) =>
  heads.length === 1 ? headName(layer, heads[0]) : headsName(layer, heads);

/**
 * What the chosen heads look at in a frame, `[query, key]`: of several the mean, or the largest.
 * @param {Training} training @param {number} frame @param {Trained} trace
 * @param {Chosen & Pick<import("./view.js").View, "combine">} view
 */
export function weightsAt({ weights }, frame, { head }, { layer, heads, combine }) {
  const size = mapSize(head);
  const first = (frame * head.numbers.length + indexOf(head, layer)) * head.n_heads;
  const own = heads.map((one) => weights.subarray((first + one) * size, (first + one + 1) * size));
  if (own.length === 1) return own[0];
  return Float32Array.from({ length: size }, (_, i) => {
    const all = own.map((one) => one[i]);
    return combine === "max" ? Math.max(...all) : all.reduce((a, b) => a + b, 0) / all.length;
  });
}

/**
 * The share of a picture that lies where the ideal has it: the mean over the rows that want
 * something, as `nearness` of scratch/tasks.py.
 * @param {Float32Array} weights @param {Float32Array} wanted `[query, key]`
 * @param {number} n tokens
 * @returns {number | null} null where no row wants anything
 */
export function shareOnIdeal(weights, wanted, n) {
  let [sum, rows] = [0, 0];
  for (let row = 0; row < n; row++) {
    let [hit, matters] = [0, false];
    for (let i = row * n; i < (row + 1) * n; i++) {
      hit += weights[i] * wanted[i];
      matters ||= wanted[i] > 0;
    }
    if (!matters) continue;
    sum += hit;
    rows++;
  }
  return rows ? sum / rows : null;
}

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

/** What is asked of the layer, and what of it learns. @param {Pick<About, "says">} training */
export const taskWords = ({ says }) =>
  sentences(
    says,
    t(
      "What is learned: each step changes W_Q, W_K, W_V and all other numbers of the layer a little, so that the loss falls.",
    ),
  );

/** Between what chance reaches and what can be reached at best. @param {About} training */
const boundsOf = ({ chance, best }) =>
  best
    ? t("chance {chance}, best possible {best}", {
        chance: percentOf(chance),
        best: percentOf(best.accuracy),
      })
    : t("chance {chance}", { chance: percentOf(chance) });

/** So many steps, in words. @param {number} step */
export const stepsOf = (step) =>
  tn("{steps} step", "{steps} steps", step, { steps: step.toLocaleString("en") });

/**
 * What was learned after a frame's steps.
 * @param {About} training @param {number} frame @param {Trained} trace @param {Chosen} view
 */
export function sentenceOfFrame(training, frame, trace, view) {
  const { near, index } = nearest(training, frame, trace, view);
  const step = training.steps[frame];
  const known = t(
    "{share} of the answers on held-out sequences of {n} tokens are right ({bounds}), loss {loss}.",
    {
      ...{ share: percentOf(training.accuracy[frame]), n: training.length },
      ...{ bounds: boundsOf(training), loss: training.loss[frame].toPrecision(3) },
    },
  );
  const looks =
    near === null
      ? ""
      : tn(
          "Of what {heads} looks at there, {share} is {pattern} (a mean over the rows that have one).",
          "Of what {heads} look at there, {share} is {pattern} (a mean over the rows that have one).",
          view.heads.length,
          {
            ...{ heads: chosenName(view), share: percentOf(near) },
            pattern: training.near[index].name,
          },
        );
  const noise = t("random weights, nothing but noise. Play shows how they learn.");
  const learned = step ? known : sentences(noise, known);
  return sentences(
    t("After {steps}: {learned}", { steps: stepsOf(step), learned }),
    looks,
    sentenceHere(training, frame, trace),
  );
}

/**
 * How it does on the sequence that is shown, and whether it has seen any so long.
 * @param {About} training @param {number} frame @param {Trained} trace
 */
export function sentenceHere(training, frame, { head }) {
  const asked = training.right.flatMap((right, i) =>
    right === null ? [] : [right === training.answers[frame][i]],
  );
  const right = asked.filter(Boolean).length;
  const own = head.query_tokens.filter((token) => !token.special).length;
  const all = asked.length
    ? t("In this sequence {right} of {n} are right", { right, n: asked.length })
    : t("In this sequence nothing is asked for");
  if (own === training.length) return t("{sentence}.", { sentence: all });
  const values = { sentence: all, n: training.length, own };
  return asked.length && right === asked.length
    ? t(
        "{sentence}, though it has only seen sequences of {n} tokens, and this one has {own}.",
        values,
      )
    : t("{sentence}; it has only seen sequences of {n} tokens, and this one has {own}.", values);
}
