// Colours, made in OKLCH (Ottosson 2020), where equal steps look equal.

/** @typedef {[number, number, number]} Rgb */

/**
 * @param {number} lightness 0 to 1 @param {number} chroma @param {number} hue in degrees
 * @returns {Rgb} 0 to 255, clipped to what a screen can show
 */
export function oklch(lightness, chroma, hue) {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  const [r, g, bl] = linear.map((x) => {
    const clipped = Math.min(Math.max(x, 0), 1);
    const gamma = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055;
    return Math.round(255 * gamma);
  });
  return [r, g, bl];
}

/** @param {Rgb} rgb @param {number} [alpha] */
export const css = ([r, g, b], alpha = 1) => `rgb(${r} ${g} ${b} / ${alpha})`;

/**
 * WCAG 2 relative luminance.
 * @param {Rgb} rgb
 */
export function luminance(rgb) {
  const [r, g, b] = rgb.map((v) =>
    v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** @param {Rgb} one @param {Rgb} other WCAG 2 contrast, 1 to 21 */
export function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

/**
 * The scale for weights: one hue, lightness in even steps away from the page. Lightness alone
 * carries the value, so it reads the same for colour-blind readers and in print.
 * @param {boolean} dark
 * @returns {Rgb[]} 256 colours, zero first
 */
export function weightRamp(dark) {
  return Array.from({ length: 256 }, (_, i) => {
    const t = i / 255;
    const lightness = dark ? 0.22 + 0.7 * t : 0.985 - 0.645 * t;
    // Chroma is widest where this hue has most of it to give, and fades towards both ends.
    const bulge = Math.sin(Math.PI * t ** 0.8);
    const chroma = dark ? 0.02 + 0.13 * bulge : 0.005 + 0.16 * bulge + 0.1 * t * t;
    return oklch(lightness, chroma, dark ? 265 - 30 * t : 262);
  });
}

/**
 * The scale for numbers with a sign and for differences: blue above, orange below, the page's own
 * colour for nothing. The two hues differ for red-blind and green-blind eyes too.
 * @param {boolean} dark
 * @returns {Rgb[]} 256 colours, the most negative first
 */
export function divergingRamp(dark) {
  return Array.from({ length: 256 }, (_, i) => {
    const t = (i - 127.5) / 127.5;
    const far = Math.abs(t);
    const lightness = dark ? 0.22 + 0.56 * far : 0.985 - 0.5 * far;
    return oklch(lightness, 0.006 + 0.15 * far ** 0.8, t > 0 ? 262 : 50);
  });
}

/**
 * A scale whose tones rise with the square root: where the full colour is weight 1 for every head and
 * text, most weights of a long text are small.
 * @param {Rgb[]} ramp
 */
export const rootRamp = (ramp) => ramp.map((_, i) => ramp[Math.round(Math.sqrt(255 * i))]);

/**
 * Head colours as [lightness, chroma, hue], chosen farthest-first for ordinary, red-blind and
 * green-blind eyes, each with a contrast of at least 3 to the page.
 * @type {[number, number, number][]}
 */
const ON_LIGHT = [
  [0.52, 0.2, 290],
  [0.6, 0.17, 140],
  [0.36, 0.1, 50],
  [0.66, 0.13, 230],
  [0.52, 0.2, 350],
  [0.36, 0.17, 330],
  [0.66, 0.13, 0],
  [0.36, 0.2, 270],
  [0.44, 0.1, 160],
  [0.52, 0.1, 250],
  [0.6, 0.2, 260],
  [0.52, 0.1, 110],
  [0.6, 0.13, 290],
  [0.44, 0.17, 260],
  [0.66, 0.2, 20],
  [0.44, 0.13, 40],
];
/** @type {[number, number, number][]} */
const ON_DARK = [
  [0.55, 0.17, 350],
  [0.86, 0.2, 150],
  [0.78, 0.1, 280],
  [0.55, 0.2, 260],
  [0.62, 0.13, 100],
  [0.7, 0.1, 180],
  [0.78, 0.17, 70],
  [0.86, 0.1, 200],
  [0.62, 0.1, 290],
  [0.7, 0.2, 310],
  [0.55, 0.1, 40],
  [0.7, 0.13, 30],
  [0.86, 0.17, 100],
  [0.78, 0.1, 120],
  [0.55, 0.17, 310],
  [0.62, 0.1, 350],
];

/**
 * One colour for each head, the same head in the same colour everywhere.
 * @param {number} head @param {boolean} dark
 */
export function headColour(head, dark) {
  const colours = dark ? ON_DARK : ON_LIGHT;
  return oklch(...colours[head % colours.length]);
}

/** @param {Rgb} background @returns {Rgb} black or white: one always has a contrast of 4.5 */
export function inkOn(background) {
  /** @type {Rgb[]} */
  const inks = [
    [0, 0, 0],
    [255, 255, 255],
  ];
  return contrast(inks[0], background) > contrast(inks[1], background) ? inks[0] : inks[1];
}

const FULL = 0.98; // share of the numbers below the full colour

/** The number that has the full colour: a few larger ones must not bleach all others. @param {ArrayLike<number>} values */
export function fullAt(values) {
  const sizes = Float64Array.from(values, Math.abs).sort();
  return sizes[Math.floor(FULL * (sizes.length - 1))] || sizes[sizes.length - 1] || 1;
}
