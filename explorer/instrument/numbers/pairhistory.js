// What both halves of a comparison show, as one thing that can be taken back.

/**
 * @typedef {import("./view.js").View} View
 * @typedef {{a: View, b: View, follow: import("./comparison.js").Follow}} Both
 * @typedef {{past: Both[], future: Both[]}} Steps
 */

const REMEMBERED = 100;

/** @type {Steps} */
export const NO_STEPS = { past: [], future: [] };

const text = JSON.stringify;

/** Without what a slider moves: its steps count as one. @param {Both} both */
const still = ({ a, b, follow }) =>
  text([a, b, follow], (name, value) =>
    ["mass", "residual", "step"].includes(name) ? undefined : value,
  );

/**
 * @param {Steps} steps @param {Both} before @param {Both} after
 * @returns {Steps} the same object if nothing has changed
 */
export function noted(steps, before, after) {
  if (text(before) === text(after)) return steps;
  const last = steps.past.at(-1);
  const slid = last && still(last) === still(before) && still(before) === still(after);
  return { past: slid ? steps.past : [...steps.past, before].slice(-REMEMBERED), future: [] };
}

/**
 * One step back or forward.
 * @param {Steps} steps @param {Both} now @param {"past" | "future"} where
 * @returns {[Steps, Both] | null} null where there is no such step
 */
export function stepped({ past, future }, now, where) {
  const found = (where === "past" ? past : future).at(-1);
  if (!found) return null;
  return where === "past"
    ? [{ past: past.slice(0, -1), future: [...future, now] }, found]
    : [{ past: [...past, now], future: future.slice(0, -1) }, found];
}
