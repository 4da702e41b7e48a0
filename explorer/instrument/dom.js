// Small parts for elements and canvases. Text is only ever set as text, never as markup.

/**
 * @param {string} tag @param {Record<string, string | null>} [attributes] null leaves one out
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/**
 * Give a canvas the screen's own dots and draw in CSS pixels from here on.
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height
 * @returns {CanvasRenderingContext2D}
 */
export function fit(canvas, width, height) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const [w, hgt] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== hgt) {
    canvas.width = w;
    canvas.height = hgt;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/**
 * Colours as the 32-bit words that a picture's memory holds.
 * @param {import("./palette.js").Rgb[]} ramp
 */
export const packColours = (ramp) =>
  new Uint32Array(new Uint8ClampedArray(ramp.flatMap(([r, g, b]) => [r, g, b, 255])).buffer);

/**
 * Colour numbers as a small canvas, one dot each.
 * @param {Uint8ClampedArray} levels @param {number} width @param {number} height
 * @param {Uint32Array} colours from `packColours` @param {HTMLCanvasElement} [canvas]
 */
export function dots(levels, width, height, colours, canvas = document.createElement("canvas")) {
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colours[levels[i]];
  context.putImageData(image, 0, 0);
  return canvas;
}

/**
 * A text shortened until it fits.
 * @param {CanvasRenderingContext2D} context @param {string} text @param {number} width
 */
export function shorten(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  const letters = [...text];
  while (letters.length > 1 && context.measureText(`${letters.join("")}…`).width > width)
    letters.pop();
  return `${letters.join("")}…`;
}

/**
 * A row of choices of which one holds.
 * @template {string} T
 * @param {string} label @param {[T, string, string][]} choices value, word, longer explanation
 * @param {(value: T) => void} choose
 */
export function choice(label, choices, choose) {
  const group = `ax-${Math.random().toString(36).slice(2)}`;
  const inputs = choices.map(
    ([value]) =>
      /** @type {HTMLInputElement} */ (h("input", { type: "radio", name: group, value })),
  );
  const options = choices.map(([value, word, title], i) => {
    inputs[i].addEventListener("change", () => choose(value));
    return h("label", { title }, inputs[i], h("span", {}, word));
  });
  const element = h(
    "fieldset",
    { class: "ax-choice" },
    ...(label ? [h("legend", {}, label)] : []),
    h("div", {}, ...options),
  );
  return {
    element,
    /** @param {T} value */
    show: (value) =>
      inputs.forEach((input) => {
        input.checked = input.value === value;
      }),
  };
}

/**
 * The arrow keys as steps: right, down.
 * @type {Record<string, [number, number]>}
 */
export const ARROWS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/**
 * Walk with the arrow keys, choose with Enter or Space, leave with Escape.
 * @param {HTMLElement} element @param {(dx: number, dy: number) => void} walk
 * @param {() => void} enter @param {() => void} leave
 */
export function keys(element, walk, enter, leave) {
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (ARROWS[event.key]) walk(...ARROWS[event.key]);
    else if (event.key === "Enter" || event.key === " ") enter();
    else if (event.key === "Escape") leave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

/**
 * What a map holds for a key, made the first time.
 * @template K, V
 * @param {Map<K, V>} map @param {K} key @param {() => V} make
 * @returns {V}
 */
export function remember(map, key, make) {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

/** @param {number} x @param {number} low @param {number} high */
export const bound = (x, low, high) => Math.min(Math.max(x, low), high);
