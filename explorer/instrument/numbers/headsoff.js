// Heads switched off: which, in what order they matter, and what is said of them.

import { answerTo, inPlain, inSigned, NOT_HERE } from "./explained.js";
import { headName } from "./headname.js";
import { sentences, t } from "./language.js";

/**
 * @typedef {import("./explained.js").Explained} Explained
 * @typedef {[number, number]} Head a layer, as the model numbers it, and a head in it
 * @typedef {{found: Explained, off: Head[], gone: number[]}} Switched
 */

/**
 * A head that is counted through all layers.
 * @param {Pick<Explained, "shape" | "numbers">} found @param {number} i @returns {Head}
 */
export function headOf({ shape, numbers }, i) {
  const width = shape?.[1] ?? 1;
  return [numbers[Math.floor(i / width)] ?? 0, i % width];
}

/**
 * All heads that may be switched off; none where that cannot be.
 * @param {Pick<Explained, "shape" | "numbers">} found @returns {Head[]}
 */
export function headsIn({ shape, numbers }) {
  const count = shape ? shape[0] * shape[1] : 0;
  return Array.from({ length: count }, (_, i) => headOf({ shape, numbers }, i));
}

/** @param {Switched} switched @param {number} i */
export const isOff = ({ found, off }, i) => off.some((o) => o.join() === headOf(found, i).join());

/** The heads that are off once one more is, or is on again. @param {Switched} switched @param {number} i */
export function withHead(switched, i) {
  const { found, off } = switched;
  const [layer, head] = headOf(found, i);
  return isOff(switched, i)
    ? off.filter(([a, b]) => a !== layer || b !== head)
    : [...off, /** @type {Head} */ ([layer, head])];
}

/** Heads, those that move the target most first. @param {number[]} effects */
export const byEffect = (effects) =>
  [...effects.keys()].sort((i, j) => Math.abs(effects[j]) - Math.abs(effects[i]));

/** The largest effect, for full colour. @param {number[]} effects */
export const largest = (effects) => Math.max(1e-12, ...effects.map(Math.abs));

/**
 * Of the head that is pointed at, or of those that are off, or of the one that matters most.
 * @param {Switched} switched @param {number | null} hovered
 */
export function headSentence(switched, hovered) {
  const { found, off, gone } = switched;
  if (found.heads_reason) return t("Not available: {reason}", { reason: found.heads_reason });
  const { effects, importance } = found;
  if (!effects || !importance) return "";
  if (hovered !== null) {
    const name = headName(...headOf(found, hovered));
    const values = {
      head: isOff(switched, hovered) ? t("{head} (off)", { head: name }) : name,
      ...{ change: inSigned(effects[hovered], 4), importance: importance[hovered].toFixed(5) },
    };
    return t(
      "{head}: switched off alone it moves the target by {change}; its gradient importance is {importance}.",
      values,
    );
  }
  return off.length ? offSentence(found, off, gone) : onSentence(found, effects);
}

/** While no head is off. @param {Explained} found @param {number[]} effects */
function onSentence(found, effects) {
  const [top] = byEffect(effects);
  const value = inPlain(found.value);
  return sentences(
    found.plain === null
      ? t("All heads are on: the target is {value}.", { value })
      : t("No further head is off: the target is {value}.", { value }),
    t("The head that moves it most when it goes is {head} ({change}).", {
      head: headName(...headOf(found, top)),
      change: inSigned(effects[top], 4),
    }),
  );
}

/** What heads that are off do together. @param {Explained} found @param {Head[]} off @param {number[]} gone */
function offSentence(found, off, gone) {
  const heads = off.map((head) => headName(...head)).join(", ");
  const now = answerTo(found, off, gone);
  if (!now)
    return found.opening ? NOT_HERE : t("Off: {heads}. Running the model without them…", { heads });
  return sentences(
    gone.length
      ? t("Off: {heads}, and the words above gone.", { heads })
      : t("Off: {heads}.", { heads }),
    t("The target is {now} instead of {was}: {change}.", {
      ...{ now: inPlain(now.value), was: inPlain(found.value) },
      change: inSigned(now.value - found.value, 4),
    }),
  );
}

/** How the map of heads is read. */
export const READING = t(
  "Blue heads support the target: without them it falls (−); orange ones work against it (+). A click switches a head off. A head that is off is zero, which the model has never seen, and others take its place (Michel et al. 2019).",
);

/** @param {Explained} found */
export const effectWords = ({ effects, heads_agree }) =>
  sentences(
    t("Blue heads support the target, orange ones work against it; full colour at ±{top}.", {
      top: largest(effects ?? []).toPrecision(2),
    }),
    heads_agree !== null
      ? t("Gradient importance ranks the heads as this does at {rho}.", {
          rho: inPlain(heads_agree),
        })
      : "",
  );

/** A probability, and where something is changed by how much it differs. @param {number} p @param {number | undefined} was @param {boolean} told */
function inChange(p, was, told) {
  const share = p.toFixed(4);
  if (!told) return share;
  if (was === undefined) return t("{share} (new)", { share });
  return t("{share} ({change})", { share, change: inSigned(p - was, 4) });
}

/**
 * What is predicted, and beside it what is predicted after the change: a table as texts.
 * @param {Switched} switched
 */
export function guessTable({ found, off, gone }) {
  const altered = off.length > 0 || gone.length > 0;
  const asItIs = new Map(found.before);
  const after = altered ? answerTo(found, off, gone)?.predictions : null;
  const before = new Map(found.predictions);
  const head = [t("now predicted"), t("probability")];
  if (found.before.length) head.push(t("the model as it is"), t("probability"));
  if (altered) head.push(t("after the change"), t("probability"));
  const body = found.predictions.map(([text, p], i) => {
    const cells = [text, inChange(p, asItIs.get(text), found.before.length > 0)];
    const [word, share] = found.before[i] ?? [];
    if (word !== undefined) cells.push(word, (share ?? 0).toFixed(4));
    if (altered) {
      const [other, q] = after?.[i] ?? ["…", 0];
      cells.push(other, after ? inChange(q, before.get(other), true) : "");
    }
    return cells;
  });
  return { head, body };
}
