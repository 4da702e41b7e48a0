// A picture under its patches: what a vision model saw, and a grid of tokens over it.

import { h } from "./dom.js";
import { paintOn } from "./paint.js";

const MOST = 336; // pixels of the longer side

/** A place for a picture, which is unpacked in the background. */
export function createPhoto() {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { "aria-hidden": "true" }));
  const grid = h("div", { class: "ax-patches" });
  const element = h("div", { class: "ax-photo" }, canvas, grid);
  let last = 0; // a picture that comes late must not cover the next one

  /**
   * @param {Uint8Array | null} png @param {[number, number]} size rows and columns
   * @param {HTMLElement[]} patches row by row
   */
  function show(png, [rows, columns], patches) {
    const dot = MOST / Math.max(rows, columns);
    const [width, height] = [columns * dot, rows * dot];
    element.style.width = `${width}px`;
    element.style.aspectRatio = `${columns} / ${rows}`;
    grid.style.gridTemplateColumns = `repeat(${columns}, 1fr)`;
    grid.style.gridTemplateRows = `repeat(${rows}, 1fr)`;
    grid.replaceChildren(...patches);
    const mine = ++last;
    if (png) paint(png, width, height, () => mine === last);
    return element;
  }

  /** @param {Uint8Array} png @param {number} width @param {number} height @param {() => boolean} wanted */
  async function paint(png, width, height, wanted) {
    const blob = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (png)], { type: "image/png" });
    const image = await createImageBitmap(blob).catch(() => null); // a file may hold anything
    if (!image || !wanted()) return;
    const pixels = pixelsOf(image);
    const own = canvas.getContext("2d");
    paintOn(canvas, width, height, (pen) => {
      // Drawn again elsewhere, it has the size that it has on the screen.
      const [wide, tall] =
        pen === own ? [width, height] : [canvas.clientWidth, canvas.clientHeight];
      const box = { x: 0, y: 0, width: wide, height: tall };
      if (pen.photo) return pen.photo(pixels, image.width, image.height, box);
      const context = /** @type {CanvasRenderingContext2D} */ (pen);
      context.imageSmoothingEnabled = true;
      context.drawImage(image, 0, 0, wide, tall);
    });
    canvas.style.width = canvas.style.height = "100%";
    element.dataset.painted = "1";
  }

  return { show };
}

/** @param {ImageBitmap} image */
function pixelsOf(image) {
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(image, 0, 0);
  return new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
}
