// The head grid: every layer and head as a small picture. Hover previews, click locks.

import { ARROWS, bound, dots, h } from "./dom.js";
import { raster } from "./model.js";

/**
 * @typedef {import("./scene.js").Scene} Scene
 * @typedef {import("./instrument.js").Actions} Actions
 */

/**
 * @param {Actions} actions
 * @param {HTMLElement} chosen what is chosen, shown under the pictures
 */
export function createGrid(actions, chosen) {
  const body = h("div", { class: "ax-grid" });
  const element = h(
    "section",
    { class: "ax-panel ax-panel-grid", "aria-label": "Heads" },
    h("h3", {}, "Heads"),
    h(
      "p",
      { class: "ax-help" },
      "Point to preview, click to choose. Shift-click adds a head; a layer’s number chooses all of it.",
    ),
    body,
    chosen,
  );
  /** @type {HTMLButtonElement[][]} */
  let cells = [];
  let shape = "";
  let marked = "";

  /** @param {number} nLayers @param {number} nHeads */
  function build(nLayers, nHeads) {
    shape = `${nLayers}x${nHeads}`;
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
    cells = Array.from({ length: nLayers }, (_, layer) =>
      Array.from({ length: nHeads }, (_, head) => cell(layer, head)),
    );
    const rows = cells.flatMap((row, layer) => [layerButton(layer), ...row]);
    body.replaceChildren(corner, ...columns, ...rows);
  }

  /** @param {number} layer @param {number} head */
  function cell(layer, head) {
    const name = `Layer ${layer}, head ${head}`;
    const button = /** @type {HTMLButtonElement} */ (
      h(
        "button",
        { type: "button", class: "ax-cell", title: name, "aria-label": name },
        document.createElement("canvas"),
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
    const button = h(
      "button",
      {
        type: "button",
        class: "ax-grid-label ax-layer",
        title: `All heads of layer ${layer}`,
        "aria-label": `All heads of layer ${layer}`,
      },
      String(layer),
    );
    button.addEventListener("click", () => actions.chooseLayer(layer));
    return button;
  }

  /** @param {KeyboardEvent} event @param {number} layer @param {number} head */
  function walk(event, layer, head) {
    const step = ARROWS[event.key];
    if (!step) return;
    const [dx, dy] = step;
    event.preventDefault();
    cells[bound(layer + dy, 0, cells.length - 1)][bound(head + dx, 0, cells[0].length - 1)].focus();
  }

  /** @param {Scene} scene */
  function draw(scene) {
    const { n_layers, n_heads } = scene.trace.head;
    if (shape !== `${n_layers}x${n_heads}`) build(n_layers, n_heads);
    cells.forEach((row, layer) =>
      row.forEach((button, head) => {
        const { weights, nRows, nColumns, tops } = scene.thumb(layer, head);
        const [height, width] = [Math.min(nRows, 32), Math.min(nColumns, 32)];
        const canvas = /** @type {HTMLCanvasElement} */ (button.firstElementChild);
        dots(
          raster(weights, nRows, nColumns, height, width, tops),
          width,
          height,
          scene.theme.packed,
          canvas,
        );
      }),
    );
    mark(scene);
  }

  /** Show what is chosen. @param {Scene} scene */
  function mark({ view, theme, loading }) {
    const now = `${shape} ${view.layer}.${view.heads.join(".")} ${theme.dark} ${loading}`;
    if (marked === now) return; // a hover changes nothing here
    marked = now;
    cells.forEach((row, layer) =>
      row.forEach((button, head) => {
        const chosen = layer === view.layer && view.heads.includes(head);
        button.setAttribute("aria-pressed", String(chosen));
        button.tabIndex = layer === view.layer && head === view.heads[0] ? 0 : -1;
        button.style.setProperty("--head", theme.headCss(head));
        button.classList.toggle("ax-waiting", chosen && loading);
      }),
    );
  }

  return { element, draw, mark };
}
