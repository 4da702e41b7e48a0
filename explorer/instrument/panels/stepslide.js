// The rows of a clicked cell go from where they stand to where they are summed: so the eye can
// follow what is multiplied with what.

import { h, zoomOf } from "../parts/dom.js";

/**
 * @typedef {{canvas: HTMLCanvasElement, rowAt: (row: number) => DOMRect | null}} Source
 * @typedef {{from: [string, number] | null, target: Source}} Sliding from: a picture and its row
 */

const WAY = { duration: 450, easing: "cubic-bezier(0.3, 0, 0.2, 1)" }; // ms

/**
 * @param {HTMLElement} stage in which all of them stand
 * @param {(id: string) => Source | null} pictureOf @param {Sliding[]} rows
 */
export function slideRows(stage, pictureOf, rows) {
  if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const { from, target } of rows) {
    if (!from) continue;
    const source = pictureOf(from[0]);
    const [start, end] = [source?.rowAt(from[1]), target.rowAt(0)];
    if (source && start && end) slide(stage, source.canvas, start, end);
  }
}

/**
 * A copy of what a canvas shows in a box, on its way to another box.
 * @param {HTMLElement} stage @param {HTMLCanvasElement} canvas @param {DOMRect} start
 * @param {DOMRect} end
 */
function slide(stage, canvas, start, end) {
  const [whole, around] = [canvas.getBoundingClientRect(), stage.getBoundingClientRect()];
  const ratio = canvas.width / whole.width;
  const copy = /** @type {HTMLCanvasElement} */ (
    h("canvas", { class: "ax-slide", "aria-hidden": "true" })
  );
  copy.width = Math.ceil(start.width * ratio);
  copy.height = Math.ceil(start.height * ratio);
  const zoom = zoomOf(stage);
  const own = (/** @type {number} */ pixels) => pixels / zoom;
  copy.style.width = `${own(start.width)}px`;
  copy.style.height = `${own(start.height)}px`;
  copy.style.left = `${own(start.left - around.left)}px`;
  copy.style.top = `${own(start.top - around.top)}px`;
  const [left, top] = [(start.left - whole.left) * ratio, (start.top - whole.top) * ratio];
  copy.getContext("2d")?.drawImage(canvas, -left, -top);
  stage.append(copy);
  const [right, down] = [own(end.left - start.left), own(end.top - start.top)];
  const size = `scale(${end.width / start.width}, ${end.height / start.height})`;
  const moving = copy.animate(
    [{ transform: "none" }, { transform: `translate(${right}px, ${down}px) ${size}` }],
    WAY,
  );
  moving.onfinish = () => copy.remove();
  moving.oncancel = () => copy.remove();
}
