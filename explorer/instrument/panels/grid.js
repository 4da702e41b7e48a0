// The head grid: every layer and head as a small picture. Hover previews, click locks. What is
// chosen has a frame. With something pinned, each picture shows that alone.

import { bound, remember } from "../numbers/basics.js";
import { headWeights, indexOf, placeOf } from "../numbers/data.js";
import { isSwitchedOff, OFF } from "../numbers/edits.js";
import { headName } from "../numbers/headname.js";
import { t } from "../numbers/language.js";
import { digits, profileOf } from "../numbers/model.js";
import { enlarge, levelOf, maskedBoxes, shortOf, smallOf } from "../numbers/smallpictures.js";
import { helpMark } from "../parts/bubble.js";
import { ARROWS, h } from "../parts/dom.js";
import { dotsFor, drawCells, hatch, paintOn } from "../parts/paint.js";
import { createTable } from "../parts/table.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../pages/explore.js").Actions} Actions
 * @typedef {{canvas: HTMLCanvasElement, body: HTMLElement, cells: HTMLButtonElement[][],
 *            pictures: import("../numbers/smallpictures.js").Small[][],
 *            boxes: import("../parts/paint.js").Box[][], image: ImageData | null, ratio: number,
 *            shape: string, layers: number[], marked: string,
 *            table: ReturnType<typeof createTable>}} Grid
 *   boxes: where the cells lie on the canvas; image: what it holds; ratio: its dots for a pixel;
 *   layers: the numbers of the rows; marked: what was painted last
 */

const HELP = t(
  "Each small picture is the map of one head: rows are layers, columns are heads. Point to preview, click or tap to choose. Shift and a click add a head; a layer’s number chooses all of it. Hatched: may not be looked at. Struck: switched off.",
);

/**
 * @param {Actions} actions
 * @param {HTMLElement} chosen what is chosen, shown under the pictures
 */
export function createGrid(actions, chosen) {
  // One canvas for all: every canvas costs the browser a layer of its own in every frame.
  const canvas = document.createElement("canvas");
  const body = h("div", { class: "ax-grid" }, canvas);
  const table = createTable(t("heads"), contentOf);
  const element = h(
    "section",
    { class: "ax-panel ax-panel-grid", "aria-label": t("Heads") },
    h("div", { class: "ax-title" }, h("h3", {}, t("Heads")), helpMark(HELP)),
    body,
    chosen,
    table.element,
  );
  /** @type {Grid} */
  const grid = {
    ...{ canvas, body, table, cells: [], pictures: [], boxes: [], image: null, ratio: 1 },
    ...{ shape: "", layers: [], marked: "" },
  };
  return {
    element,
    /** @param {Scene} scene */
    draw: (scene) => draw(grid, scene, actions),
    /** @param {Scene} scene */
    mark: (scene) => mark(grid, scene),
  };
}

/**
 * @param {Grid} grid @param {number[]} own the numbers of the layers @param {number} nHeads
 * @param {Actions} actions
 */
function build(grid, own, nHeads, actions) {
  grid.shape = `${own} ${nHeads}`;
  grid.layers = own;
  grid.body.style.setProperty("--heads", String(nHeads));
  const corner = h(
    "span",
    {
      class: "ax-grid-label",
      "aria-hidden": "true",
      title: t("Rows are layers, columns are heads; both count from 0."),
    },
    t("layer"),
  );
  const heads = Array.from({ length: nHeads }, (_, head) => head);
  const columns = heads.map((head) =>
    h("span", { class: "ax-grid-label", "aria-hidden": "true" }, String(head)),
  );
  grid.cells = own.map((layer) => heads.map((head) => cellOf(grid, layer, head, actions)));
  const rows = grid.cells.flatMap((row, i) => [layerButton(own[i], actions), ...row]);
  grid.body.replaceChildren(grid.canvas, corner, ...columns, ...rows);
  grid.pictures = grid.cells.map(() => []);
}

/** @param {Grid} grid @param {number} layer @param {number} head @param {Actions} actions */
function cellOf(grid, layer, head, actions) {
  const name = t("Layer {layer}, head {head}", { layer, head });
  const button = /** @type {HTMLButtonElement} */ (
    h(
      "button",
      { type: "button", class: "ax-cell", title: headName(layer, head), "aria-label": name },
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
  button.addEventListener("keydown", (event) => walk(grid, event, layer, head));
  return button;
}

/** @param {number} layer @param {Actions} actions */
function layerButton(layer, actions) {
  const name = t("All heads of layer {layer}", { layer });
  const words = { type: "button", class: "ax-grid-label ax-layer", title: name };
  const button = h("button", { ...words, "aria-label": name }, String(layer));
  button.addEventListener("click", () => actions.chooseLayer(layer));
  return button;
}

/** @param {Grid} grid @param {KeyboardEvent} event @param {number} layer @param {number} head */
function walk(grid, event, layer, head) {
  const step = ARROWS[event.key];
  if (!step) return;
  const [dx, dy] = step;
  event.preventDefault();
  const row = bound(grid.layers.indexOf(layer) + dy, 0, grid.cells.length - 1);
  grid.cells[row][bound(head + dx, 0, grid.cells[0].length - 1)].focus();
}

/** @param {Grid} grid @param {Scene} scene @param {Actions} actions */
function draw(grid, scene, actions) {
  const { numbers: own, n_heads } = scene.trace.head;
  if (grid.shape !== `${own} ${n_heads}`) build(grid, own, n_heads, actions);
  grid.marked = "";
  grid.boxes = grid.cells.map((row) =>
    row.map(({ offsetLeft: x, offsetTop: y, offsetWidth: width, offsetHeight: height }) => ({
      ...{ x, y, width, height },
    })),
  );
  const numbers = new Map(
    scene.pinnedNumbers.map(({ layer, head, weight }) => [`${layer}.${head}`, weight]),
  );
  const strongest = scene.pinnedNumbers[0]?.weight || 1;
  grid.cells.forEach((row, i) =>
    row.forEach((button, head) => {
      const layer = grid.layers[i];
      const number = scene.view.grid === "pinned" ? numbers.get(`${layer}.${head}`) : undefined;
      score(button, layer, head, number, strongest);
      strike(button, isSwitchedOff(scene.trace.head.edits, layer, head));
    }),
  );
  mark(grid, scene);
}

/**
 * The pinned pair's number on a head's picture.
 * @param {HTMLElement} button @param {number} layer @param {number} head
 * @param {number | undefined} number @param {number} strongest
 */
function score(button, layer, head, number, strongest) {
  const name = headName(layer, head);
  const label = /** @type {HTMLElement} */ (button.lastElementChild);
  button.title = number === undefined ? name : `${name}: ${digits(number)}`;
  const short = shortOf(number, strongest);
  if (label.textContent !== short) label.textContent = short;
  label.dataset.level = String(levelOf(number, strongest));
}

/** A head that is switched off looks at nothing: its picture is struck. @param {HTMLElement} button @param {boolean} off */
function strike(button, off) {
  button.classList.toggle("ax-off", off);
  if (!off) return button.removeAttribute("aria-description");
  button.title += `. ${OFF}`;
  button.setAttribute("aria-description", OFF);
}

/**
 * Paint what changed. All have one scale of colours, so that they can be held against each other;
 * what is chosen has a frame.
 * @param {Grid} grid @param {Scene} scene
 */
function mark(grid, scene) {
  const { view, theme, loading } = scene;
  const now = `${grid.shape} ${view.layer}.${view.heads.join(".")} ${theme.dark} ${loading}`;
  if (grid.marked === now) return; // a hover changes nothing here
  const fresh = grid.marked === "";
  grid.marked = now;
  grid.cells.forEach((row, i) =>
    row.forEach((button, head) => {
      const layer = grid.layers[i];
      const chosen = layer === view.layer && view.heads.includes(head);
      const changed = button.getAttribute("aria-pressed") !== String(chosen);
      button.classList.toggle("ax-waiting", chosen && loading);
      if (!fresh && !changed && !chosen) return;
      button.tabIndex = layer === view.layer && head === view.heads[0] ? 0 : -1;
      button.setAttribute("aria-pressed", String(chosen));
      button.style.setProperty("--head", theme.headCss(head));
      const label = /** @type {HTMLElement} */ (button.lastElementChild);
      label.style.color = theme.inks[Number(label.dataset.level)];
      grid.pictures[i][head] = smallOf(scene.thumb(layer, head), theme.packed);
      if (!fresh) paintOne(grid, i, head);
    }),
  );
  if (fresh) paint(grid, theme);
  grid.table.fill(scene, [scene.trace, scene.model, scene.pinnedNumbers]);
}

/** All small pictures, dot by dot. @param {Grid} grid @param {Scene["theme"]} theme */
function paint(grid, theme) {
  const last = grid.boxes.at(-1)?.at(-1);
  if (!last?.width) return;
  grid.ratio = dotsFor(grid.canvas);
  paintOn(grid.canvas, last.x + last.width, last.y + last.height, (pen) => {
    grid.pictures.forEach((row, i) =>
      row.forEach((small, head) => {
        if (pen === grid.canvas.getContext("2d")) return; // on screen dot by dot, below
        const { levels, height, width, colours } = small;
        const all = { top: 0, bottom: height, left: 0, right: width };
        const box = grid.boxes[i][head];
        drawCells(pen, levels, height, width, colours, box, all);
        hatch(pen, maskedBoxes(small, box), theme.border);
      }),
    );
  });
  grid.image = new ImageData(grid.canvas.width, grid.canvas.height);
  const pixels = new Uint32Array(grid.image.data.buffer);
  grid.pictures.forEach((row, i) =>
    row.forEach((small, head) => {
      enlarge(pixels, grid.canvas.width, small, grid.boxes[i][head], grid.ratio);
    }),
  );
  grid.canvas.getContext("2d")?.putImageData(grid.image, 0, 0);
}

/** @param {Grid} grid @param {number} i the row @param {number} head */
function paintOne(grid, i, head) {
  if (!grid.image) return;
  const box = grid.boxes[i][head];
  const pixels = new Uint32Array(grid.image.data.buffer);
  enlarge(pixels, grid.image.width, grid.pictures[i][head], box, grid.ratio);
  const [x, y, width, height] = [box.x, box.y, box.width, box.height].map((at) =>
    Math.round(at * grid.ratio),
  );
  grid.canvas.getContext("2d")?.putImageData(grid.image, 0, 0, x, y, width, height);
}

/** @type {WeakMap<import("../numbers/data.js").Layer, Map<number, import("../numbers/model.js").Profile>>} */
const profiles = new WeakMap();

const PLACE = [t("layer"), t("head")]; // titles

/**
 * Every head that is known, with the pinned pair's number or what kind of head it is.
 * @param {Scene} scene
 * @returns {import("../parts/table.js").Content}
 */
function contentOf({ pinnedNumbers, trace, view }) {
  if (pinnedNumbers.length) {
    const rows = pinnedNumbers.map(({ layer, head, weight }) => [layer, head, weight]);
    const caption = t("How much the pinned words look at the pinned words, head by head");
    return { titles: [...PLACE, t("weight")], counts: PLACE, rows, caption };
  }
  const crosses = trace.head.key_tokens !== trace.head.query_tokens;
  const rows = known(trace).map(({ layer, head, profile }) => {
    const { previous, next, self, repeat, special, entropy, possible } = profile;
    const places = crosses ? [] : [previous, next, self, repeat];
    const bits = entropy ?? 0; // of one head it is always known
    return [layer, head, ...places, special, bits, possible && bits / possible];
  });
  const places = [t("token before"), t("token after"), t("itself"), t("same word elsewhere")];
  const titles = [...PLACE, ...(crosses ? [] : places)];
  titles.push(t("special tokens"), t("entropy, bits"), t("entropy, of the possible"));
  const shares =
    view.specials === "renormalised"
      ? t("Shares of all tokens’ attention before rescaling in each head")
      : t("Shares of all tokens’ attention in each head");
  const missing = missingFrom(trace);
  const caption = missing ? t("{first}; {second}", { first: shares, second: missing }) : shares;
  return { titles, counts: PLACE, rows, caption };
}

/** @typedef {import("../numbers/data.js").Trace} Trace */

/** What is left out, as it is not here. @param {Trace} trace */
function missingFrom({ head, layers, summaries }) {
  const [here, all] = head.long
    ? [summaries.size, head.numbers.length * head.n_heads]
    : [layers.size, head.numbers.length];
  if (here >= all) return "";
  return head.long
    ? t("heads that were looked at: {here} of {all}", { here, all })
    : t("layers that are here: {here} of {all}", { here, all });
}

/** The heads that are known, with what kind of head each is. @param {Trace} trace */
function known(trace) {
  const { numbers, n_heads: nHeads } = trace.head;
  return numbers.flatMap((layer) =>
    Array.from({ length: nHeads }, (_, head) => head).flatMap((head) => {
      const said = trace.summaries.get(placeOf(layer, head))?.profile;
      const profile = trace.layers.has(layer) ? profileIn(trace, layer, head) : said;
      return profile ? [{ layer, head, profile }] : [];
    }),
  );
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
