// The page's colours, and ours for them.

import { remember } from "../numbers/basics.js";
import {
  css,
  divergingRamp,
  headColour,
  inkOn,
  luminance,
  oklch,
  rootRamp,
  weightRamp,
} from "../numbers/palette.js";
import { packColours } from "./paint.js";

/** @typedef {ReturnType<typeof readTheme>} Theme */

/**
 * Read what a page looks like.
 * @param {HTMLElement} root
 */
export function readTheme(root) {
  const style = getComputedStyle(root);
  const canvas = document.createElement("canvas").getContext("2d");
  const rgb = (/** @type {string} */ colour) => {
    if (!canvas) return /** @type {import("../numbers/palette.js").Rgb} */ ([0, 0, 0]);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
    return /** @type {import("../numbers/palette.js").Rgb} */ ([r, g, b]);
  };
  const text = rgb(style.color);
  const dark = luminance(text) > 0.4;
  const accent = dark ? oklch(0.76, 0.13, 262) : oklch(0.5, 0.2, 262);
  const ramp = weightRamp(dark);
  return {
    dark,
    ramp,
    text: css(text),
    page: style.getPropertyValue("--st-background-color").trim() || (dark ? "#12151c" : "#fff"),
    muted: css(text, 0.66),
    border: css(text, 0.22),
    greyCss: (/** @type {number} */ alpha) => css(text, 0.42 * alpha),
    chip: dark ? css(oklch(0.4, 0.1, 262)) : css(oklch(0.9, 0.06, 262)),
    accent: css(accent),
    accentCss: (/** @type {number} */ alpha) => css(accent, alpha),
    font: style.fontFamily,
    ...tonesOf(ramp),
    diverging: divergingRamp(dark),
    headCss: (/** @type {number} */ head, /** @type {number} */ alpha = 1) =>
      css(headColour(head, dark), alpha),
  };
}

/** @typedef {import("../numbers/palette.js").Rgb[]} Ramp 256 colours, zero first */

/** What is painted with the colours of weights. @param {Ramp} ramp */
const tonesOf = (ramp) => ({
  packed: packColours(ramp),
  fills: ramp.map((colour) => css(colour)),
  inks: ramp.map((colour) => css(inkOn(colour))),
});

/** @type {WeakMap<Theme, Theme>} */
const fixed = new WeakMap();

/** A theme where the full colour is weight 1. @param {Theme} theme */
export const fixedTheme = (theme) =>
  remember(fixed, theme, () => ({ ...theme, ...tonesOf(rootRamp(theme.ramp)) }));
