// What is chosen of an explanation, and how that changes. Plain data and functions of it.

import { answerTo, readHeads } from "./explained.js";

/**
 * @typedef {import("./explained.js").Explained} Explained
 * @typedef {[number, number]} Head a layer, as the model numbers it, and a head in it
 * @typedef {{found: Explained, method: string, off: Head[], gone: number[],
 *            pointed: number | null}} ExplainState
 *   method: the chosen method's key; off: heads that are off; gone: units taken away together;
 *   pointed: the unit under the pointer
 */

/**
 * The state after an explanation has come. A new one opens as the link says; more of the one that
 * is here leaves all that is chosen.
 * @param {ExplainState | null} before @param {Explained} found @param {URLSearchParams} params
 * @returns {ExplainState}
 */
export function withExplained(before, found, params) {
  if (before?.found.id === found.id) return { ...before, found };
  const named = params.get("method") ?? "";
  const isKnown = found.methods.some((m) => m.key === named);
  const width = found.shape?.[1] ?? 0;
  return {
    found,
    method: isKnown ? named : before?.method || found.methods[0].key,
    off: readHeads(params.get("off") ?? "").filter(
      ([layer, head]) => found.numbers.includes(layer) && head < width,
    ),
    gone: (params.get("gone") ?? "")
      .split(".")
      .filter(Boolean)
      .map(Number)
      .filter((unit) => Number.isInteger(unit) && unit >= 0 && unit < found.units.length),
    pointed: null,
  };
}

/** What a link says of what is chosen: only what is not as at first. @param {ExplainState} state */
export function linkOfExplained({ found, method, off, gone }) {
  /** @type {Record<string, string>} */
  const params = {};
  if (method !== found.methods[0].key) params.method = method;
  if (off.length) params.off = namesOf(off);
  if (gone.length) params.gone = gone.join(".");
  return params;
}

/** @param {Head[]} heads */
const namesOf = (heads) => heads.map((head) => head.join("-")).join(".");

/** Units once one more is gone, or back. @param {number[]} gone @param {number} unit */
export const withUnit = (gone, unit) =>
  gone.includes(unit) ? gone.filter((u) => u !== unit) : [...gone, unit].sort((a, b) => a - b);

/** The positions of the tokens that are gone. @param {ExplainState} state */
export const placesGone = ({ found, gone }) => gone.flatMap((unit) => found.units[unit] ?? []);

/** Whether heads are off or words gone. @param {ExplainState} state */
export const isChanged = ({ off, gone }) => off.length > 0 || gone.length > 0;

/** Whether what the change comes to is still to be computed. @param {ExplainState} state */
export const isAwaited = (state) =>
  isChanged(state) && !answerTo(state.found, state.off, state.gone);

/** The chosen method; the first one where it is not there. @param {ExplainState} state */
export const chosenOf = ({ found, method }) =>
  found.methods.find((m) => m.key === method) ?? found.methods[0];

/** What is on screen, and whether an answer is awaited. @param {ExplainState} state */
export const explainPainted = (state) =>
  `${state.found.id} ${chosenOf(state)?.key} ${namesOf(state.off)}${isAwaited(state) ? " …" : ""}`;
