// How a head is written on every page and in every sentence, and how it is spoken.

import { t } from "./language.js";

/** @param {number | string} layer the model’s own number @param {number | string} head */
export const headName = (layer, head) => `L${layer}·H${head}`;

/** Several heads of a layer: `L3·H1, H4`. @param {number} layer @param {number[]} heads */
export const headsName = (layer, heads) =>
  `L${layer}·${heads.map((head) => `H${head}`).join(", ")}`;

/** For who listens. @param {number | string} layer @param {number | string} head */
export const spokenHead = (layer, head) => t("layer {layer}, head {head}", { layer, head });

/** A sentence for who listens: its heads as they are spoken. @param {string} text */
export const inSpeech = (text) =>
  text.replace(/L(\d+)·H(\d+)/g, (_, layer, head) => spokenHead(layer, head));

/**
 * Whether a text speaks of a head that is looked at, or of none at all.
 * @param {string} text @param {number} layer @param {number[]} heads
 */
export function isOfHeads(text, layer, heads) {
  const named = text.match(/L\d+·H\d+/g);
  return !named || heads.some((head) => named.includes(headName(layer, head)));
}
