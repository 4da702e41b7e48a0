// Small parts for elements. Text is only ever set as text, never as markup.

import { range } from "../numbers/basics.js";

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
 * A sentence with elements in it: each stands where the sentence has its place, as {name}.
 * @param {string} sentence @param {Record<string, Node | string>} within
 * @returns {(Node | string)[]}
 */
export const woven = (sentence, within) =>
  sentence.split(/\{(\w+)\}/u).map((part, i) => (i % 2 ? (within[part] ?? `{${part}}`) : part));

/**
 * @param {string} word @param {string} title said in place of a word that has no letters
 * @param {(event: MouseEvent) => void} act @param {string} [style]
 */
export function pushButton(word, title, act, style = "ax-copy") {
  const name = /\p{Letter}/u.test(word) ? null : title;
  const element = /** @type {HTMLButtonElement} */ (
    h("button", { type: "button", class: style, title, "aria-label": name }, word)
  );
  element.addEventListener("click", act);
  return element;
}

/**
 * Set a text only if it is another one: even the same costs a layout.
 * @param {HTMLElement} element @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * How much larger an element stands than its own sheet says. Rectangles and pointers are told as
 * they stand, widths and styles are not.
 * @param {Element} element
 */
export const zoomOf = (element) => element.currentCSSZoom ?? 1;

/**
 * Where a pointer is in an element, in the element's own pixels.
 * @param {Element} element @param {{clientX: number, clientY: number}} event
 * @returns {[number, number]}
 */
export function pointIn(element, { clientX, clientY }) {
  const { left, top } = element.getBoundingClientRect();
  const zoom = zoomOf(element);
  return [(clientX - left) / zoom, (clientY - top) / zoom];
}

const BOXES = "input:not([type=radio], [type=checkbox], [type=range]), textarea, select";

/** Whether a key goes into a box. @param {Event} event */
export const isTyped = (event) => {
  const [target] = event.composedPath();
  return target instanceof Element && target.matches(`${BOXES}, [contenteditable]`);
};

/**
 * What is for who has a mouse, or for who has fingers.
 * @template T @param {T} mouse @param {T} finger
 */
export const byHand = (mouse, finger) =>
  window.matchMedia("(pointer: coarse)").matches ? finger : mouse;

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
    /** @param {T | null} value */
    show: (value) =>
      inputs.forEach((input) => {
        input.checked = input.value === value;
      }),
  };
}

/**
 * A slider in per cent.
 * @param {string} label @param {string} title @param {[number, number, number]} range least, most, step
 * @param {(value: number) => void} slide
 */
export function slider(label, title, [min, max, step], slide) {
  const input = /** @type {HTMLInputElement} */ (
    h("input", {
      type: "range",
      min: String(min),
      max: String(max),
      step: String(step),
      "aria-label": title,
    })
  );
  const output = h("output", {});
  input.addEventListener("input", () => slide(Number(input.value)));
  return {
    element: h(
      "fieldset",
      { class: "ax-choice ax-slider", title },
      h("legend", {}, label),
      h("div", {}, input, output),
    ),
    /** @param {number} value */
    show: (value) => {
      input.value = String(value);
      output.textContent = `${value} %`;
    },
  };
}

/**
 * A picture that is longer than its window: the canvases stay in sight while a spacer as long as the
 * whole picture is scrolled.
 * @param {string} what it is, for who listens @param {...HTMLCanvasElement} canvases
 */
export function windowOn(what, ...canvases) {
  const stage = h("div", { class: "ax-stage" }, ...canvases);
  const spacer = h("div", { class: "ax-spacer" }, stage);
  const scroller = h(
    "div",
    { class: "ax-scroll", tabindex: "0", role: "application", "aria-roledescription": what },
    spacer,
  );
  return { stage, spacer, scroller };
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
 * @param {HTMLElement} element
 * @param {(dx: number, dy: number, shift: boolean) => void} walk
 * @param {(shift: boolean) => void} enter @param {() => void} leave
 */
export function keys(element, walk, enter, leave) {
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (ARROWS[event.key]) walk(...ARROWS[event.key], event.shiftKey);
    else if (event.key === "Enter" || event.key === " ") enter(event.shiftKey);
    else if (event.key === "Escape") leave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

/**
 * Pointing at things in a row and picking them: a click picks one, a drag all between.
 * @template {{side: "row" | "column", i: number}} Place
 * @param {HTMLElement} element @param {(event: MouseEvent) => Place | null} at
 * @param {(side: "row" | "column", units: number[] | null) => void} point null when nothing is
 * @param {(side: "row" | "column", units: number[], event: MouseEvent) => void} pick
 */
export function picking(element, at, point, pick) {
  /** @type {Place | null} */
  let from = null;
  /** @type {number[] | null} */
  let dragged = null;
  element.addEventListener("pointerdown", (event) => {
    dragged = null;
    from = event.pointerType === "mouse" && event.button === 0 ? at(event) : null;
  });
  element.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse") return;
    const here = at(event);
    if (from && event.buttons & 1 && here?.side === from.side && (dragged || here.i !== from.i)) {
      if (!dragged) element.setPointerCapture(event.pointerId);
      dragged = range(from.i, here.i);
    }
    if (dragged && from) point(from.side, dragged);
    else if (here) point(here.side, [here.i]);
    else point("row", null);
  });
  element.addEventListener("pointerleave", () => dragged ?? point("row", null));
  element.addEventListener("click", (event) => {
    const here = at(event);
    if (dragged && from) pick(from.side, dragged, event);
    else if (here) pick(here.side, [here.i], event);
    from = dragged = null;
  });
}
