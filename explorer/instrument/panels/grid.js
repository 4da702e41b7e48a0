// The head grid: every layer and head as a small picture. Hover previews, click locks. What is not
// chosen is grey, and still scored. With something pinned, each picture shows that alone.

import { bound, remember } from "../numbers/basics.js";
import { headWeights, indexOf } from "../numbers/data.js";
import { digits, profileOf, raster } from "../numbers/model.js";
import { ARROWS, h } from "../parts/dom.js";
import { drawCells, paintOn } from "../parts/paint.js";
import { createTable } from "../parts/table.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../pages/explore.js").Actions} Actions
 */

const DOTS = 32; // on a small picture's side, at most

/**
 * @typedef {{levels: Uint8ClampedArray, height: number, width: number, colours: Uint32Array}} Small
 *   a small picture: colour numbers of so many dots, and their colours
 */

/**
 * @param {Actions} actions
 * @param {HTMLElement} chosen what is chosen, shown under the pictures
 */
export function createGrid(actions, chosen) {
  // One canvas for all: every canvas costs the browser a layer of its own in every frame.
  const canvas = document.createElement("canvas");
  const body = h("div", { class: "ax-grid" }, canvas);
  const table = createTable("heads", contentOf);
  const element = h(
    "section",
    { class: "ax-panel ax-panel-grid", "aria-label": "Heads" },
    h("div", { class: "ax-title" }, h("h3", {}, "Heads")),
    h(
      "p",
      { class: "ax-help ax-tip" },
      "Point to preview, click to choose. Shift-click adds a head; a layer’s number chooses all of it.",
    ),
    body,
    chosen,
    table.element,
  );
  /** @type {HTMLButtonElement[][]} */
  let cells = [];
  /** @type {Small[][]} */
  let pictures = [];
  /** @type {import("../parts/paint.js").Box[][]} */
  let boxes = []; // where the cells lie on the canvas
  /** @type {ImageData | null} */
  let image = null; // what the canvas holds
  let ratio = 1; // its dots for a pixel
  let shape = "";
  /** @type {number[]} */
  let layers = []; // the numbers of the rows
  let marked = "";

  /** @param {number[]} own the numbers of the layers @param {number} nHeads */
  function build(own, nHeads) {
    shape = `${own} ${nHeads}`;
    layers = own;
    body.style.setProperty("--heads", String(nHeads));
    const corner = h(
      "span",
      {
        class: "ax-grid-label",
        "aria-hidden": "true",
        title: "Rows are layers, columns are heads; both count from 0.",
      },
      "layer",
    );
    const columns = Array.from({ length: nHeads }, (_, head) =>
      h("span", { class: "ax-grid-label", "aria-hidden": "true" }, String(head)),
    );
    cells = own.map((layer) => Array.from({ length: nHeads }, (_, head) => cell(layer, head)));
    const rows = cells.flatMap((row, i) => [layerButton(own[i]), ...row]);
    body.replaceChildren(canvas, corner, ...columns, ...rows);
    pictures = cells.map(() => []);
  }

  /** @param {number} layer @param {number} head */
  function cell(layer, head) {
    const name = `Layer ${layer}, head ${head}`;
    const button = /** @type {HTMLButtonElement} */ (
      h(
        "button",
        { type: "button", class: "ax-cell", title: name, "aria-label": name },
        h("span", { class: "ax-score", "aria-hidden": "true" }),
      )
    );
    button.addEventListener("pointerenter", (event) => {
      if (event.pointerType === "mouse") actions.peek(layer, head);
    });
    button.addEventListener("pointerleave", () => actions.peek(null));
    button.addEventListener("focus", () => {
      if (button.matches(":focus-visible")) actions.peek(layer, head);
    });
    button.addEventListener("blur", () => actions.peek(null));
    button.addEventListener("click", (event) => actions.chooseHead(layer, head, event.shiftKey));
    button.addEventListener("dblclick", () => actions.chooseHead(layer, head, false));
    button.addEventListener("keydown", (event) => walk(event, layer, head));
    return button;
  }

  /** @param {number} layer */
  function layerButton(layer) {
    const name = `All heads of layer ${layer}`;
    const words = { type: "button", class: "ax-grid-label ax-layer", title: name };
    const button = h("button", { ...words, "aria-label": name }, String(layer));
    button.addEventListener("click", () => actions.chooseLayer(layer));
    return button;
  }

  /** @param {KeyboardEvent} event @param {number} layer @param {number} head */
  function walk(event, layer, head) {
    const step = ARROWS[event.key];
    if (!step) return;
    const [dx, dy] = step;
    event.preventDefault();
    const row = bound(layers.indexOf(layer) + dy, 0, cells.length - 1);
    cells[row][bound(head + dx, 0, cells[0].length - 1)].focus();
  }

  /** @param {Scene} scene */
  function draw(scene) {
    const { numbers: own, n_heads } = scene.trace.head;
    if (shape !== `${own} ${n_heads}`) build(own, n_heads);
    marked = "";
    boxes = cells.map((row) =>
      row.map(({ offsetLeft: x, offsetTop: y, offsetWidth: width, offsetHeight: height }) => ({
        ...{ x, y, width, height },
      })),
    );
    const numbers = new Map(
      scene.pinnedNumbers.map(({ layer, head, weight }) => [`${layer}.${head}`, weight]),
    );
    const strongest = scene.pinnedNumbers[0]?.weight || 1;
    cells.forEach((row, i) =>
      row.forEach((button, head) => {
        const layer = layers[i];
        const number = scene.view.grid === "pinned" ? numbers.get(`${layer}.${head}`) : undefined;
        score(button, layer, head, number, strongest);
      }),
    );
    mark(scene);
  }

  /**
   * The pinned pair's number on a head's picture.
   * @param {HTMLElement} button @param {number} layer @param {number} head
   * @param {number | undefined} number @param {number} strongest
   */
  function score(button, layer, head, number, strongest) {
    const name = `Layer ${layer}, head ${head}`;
    const label = /** @type {HTMLElement} */ (button.lastElementChild);
    button.title = number === undefined ? name : `${name}: ${digits(number)}`;
    const short = number === undefined ? "" : number >= 0.995 ? "1.0" : number.toFixed(2).slice(1);
    if (label.textContent !== short) label.textContent = short;
    label.dataset.level = String(bound(Math.round((255 * (number ?? 0)) / strongest), 0, 255));
  }

  /** Paint what changed: the chosen in colour, the others in grey. @param {Scene} scene */
  function mark(scene) {
    const { view, theme, loading } = scene;
    const now = `${shape} ${view.layer}.${view.heads.join(".")} ${theme.dark} ${loading}`;
    if (marked === now) return; // a hover changes nothing here
    const fresh = marked === "";
    marked = now;
    cells.forEach((row, i) =>
      row.forEach((button, head) => {
        const layer = layers[i];
        const chosen = layer === view.layer && view.heads.includes(head);
        const changed = button.getAttribute("aria-pressed") !== String(chosen);
        button.classList.toggle("ax-waiting", chosen && loading);
        if (!fresh && !changed && !chosen) return;
        button.tabIndex = layer === view.layer && head === view.heads[0] ? 0 : -1;
        button.setAttribute("aria-pressed", String(chosen));
        button.style.setProperty("--head", theme.headCss(head));
        const label = /** @type {HTMLElement} */ (button.lastElementChild);
        const inks = chosen ? theme.inks : theme.greyInks;
        label.style.color = inks[Number(label.dataset.level)];
        pictures[i][head] = smallOf(scene, layer, head, chosen ? theme.packed : theme.greys);
        if (!fresh) paintOne(i, head);
      }),
    );
    if (fresh) paint();
    table.fill(scene, [scene.trace, scene.model, scene.pinnedNumbers]);
  }

  /**
   * @param {Scene} scene @param {number} layer @param {number} head @param {Uint32Array} colours
   * @returns {Small}
   */
  function smallOf(scene, layer, head, colours) {
    const { weights, nRows, nColumns, tops } = scene.thumb(layer, head);
    const [height, width] = [Math.min(nRows, DOTS), Math.min(nColumns, DOTS)];
    const levels = raster(weights, nRows, nColumns, height, width, tops);
    return { levels, height, width, colours };
  }

  /** All small pictures, dot by dot. */
  function paint() {
    const last = boxes.at(-1)?.at(-1);
    if (!last?.width) return;
    ratio = Math.min(window.devicePixelRatio || 1, 2);
    paintOn(canvas, last.x + last.width, last.y + last.height, (pen) => {
      pictures.forEach((row, i) =>
        row.forEach(({ levels, height, width, colours }, head) => {
          if (pen === canvas.getContext("2d")) return; // on screen dot by dot, below
          const all = { top: 0, bottom: height, left: 0, right: width };
          drawCells(pen, levels, height, width, colours, boxes[i][head], all);
        }),
      );
    });
    image = new ImageData(canvas.width, canvas.height);
    const pixels = new Uint32Array(image.data.buffer);
    pictures.forEach((row, i) =>
      row.forEach((small, head) => {
        enlarge(pixels, canvas.width, small, boxes[i][head], ratio);
      }),
    );
    canvas.getContext("2d")?.putImageData(image, 0, 0);
  }

  /** @param {number} i the row @param {number} head */
  function paintOne(i, head) {
    if (!image) return;
    const box = boxes[i][head];
    const pixels = new Uint32Array(image.data.buffer);
    enlarge(pixels, image.width, pictures[i][head], box, ratio);
    const [x, y, width, height] = [box.x, box.y, box.width, box.height].map((at) =>
      Math.round(at * ratio),
    );
    canvas.getContext("2d")?.putImageData(image, 0, 0, x, y, width, height);
  }

  return { element, draw, mark };
}

/**
 * Write a small picture into a larger one, each dot as a block.
 * @param {Uint32Array} pixels @param {number} line the larger picture's width
 * @param {Small} small @param {import("../parts/paint.js").Box} box @param {number} ratio
 */
function enlarge(pixels, line, { levels, height, width, colours }, box, ratio) {
  const [left, top] = [Math.round(box.x * ratio), Math.round(box.y * ratio)];
  const [wide, tall] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
  for (let y = 0; y < tall; y++) {
    const from = Math.floor((y * height) / tall) * width;
    const to = (top + y) * line + left;
    for (let x = 0; x < wide; x++) {
      pixels[to + x] = colours[levels[from + Math.floor((x * width) / wide)]];
    }
  }
}

/** @type {WeakMap<import("../numbers/data.js").Layer, Map<number, import("../numbers/model.js").Profile>>} */
const profiles = new WeakMap();

/**
 * Every head that is known, with the pinned pair's number or what kind of head it is.
 * @param {Scene} scene
 * @returns {import("../parts/table.js").Content}
 */
function contentOf({ pinnedNumbers, trace }) {
  if (pinnedNumbers.length) {
    const rows = pinnedNumbers.map(({ layer, head, weight }) => [layer, head, weight]);
    const caption = "How much the pinned words look at the pinned words, head by head";
    return { titles: ["layer", "head", "weight"], counts: ["layer", "head"], rows, caption };
  }
  const crosses = trace.head.key_tokens !== trace.head.query_tokens;
  const rows = [...trace.layers.keys()]
    .sort((a, b) => a - b)
    .flatMap((layer) =>
      Array.from({ length: trace.head.n_heads }, (_, head) => {
        const { entropy, possible, ...shares } = profileIn(trace, layer, head);
        const { previous, next, self, repeat, special } = shares;
        const places = crosses ? [] : [previous, next, self, repeat];
        return [layer, head, ...places, special, entropy, possible && entropy / possible];
      }),
    );
  const places = ["token before", "token after", "itself", "same word elsewhere"];
  const titles = ["layer", "head", ...(crosses ? [] : places)];
  titles.push("special tokens", "entropy, bits", "entropy, of the possible");
  const missing = trace.head.numbers.length - trace.layers.size;
  const caption =
    "Shares of all tokens’ attention in each head" +
    (missing
      ? `; of the ${trace.layers.size} layers that are here, out of ${trace.head.numbers.length}`
      : "");
  return { titles, counts: ["layer", "head"], rows, caption };
}

/** @param {import("../numbers/data.js").Trace} trace @param {number} layer @param {number} head */
function profileIn(trace, layer, head) {
  const here = /** @type {import("../numbers/data.js").Layer} */ (trace.layers.get(layer));
  const known = remember(profiles, here, () => new Map());
  return remember(known, head, () => {
    const weights = headWeights(trace, layer, head) ?? new Float32Array(0);
    return profileOf(weights, trace.head, trace.head.possible[indexOf(trace.head, layer)]);
  });
}
