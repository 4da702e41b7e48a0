// A map of all heads, one cell each: layers down, heads across. Pointing, clicking and arrow keys.

import { bound } from "../numbers/basics.js";
import { byHand, keys, pointIn } from "./dom.js";
import { paintOn } from "./paint.js";
import { ENDLESS, heightFor, roomOf } from "./room.js";

/**
 * @typedef {import("./paint.js").Box} Box
 * @typedef {(pen: import("./paint.js").Pen, head: number, box: Box) => void} PaintHead
 * @typedef {{layers: number, width: number, cell: {width: number, height: number}}} Layout
 *   width: heads in a layer; cell: in pixels
 */

const LEFT = 26; // pixels for the layers' numbers
const TOP = 18; // and for the heads'
const ROOMY = 28; // where a head's number has room for its H
const UNDER = 44; // pixels for what explains the colours, under the map
const ROW = 17; // pixels of a row whose numbers can be read
const LINE = 11; // pixels from one layer's number to the next
const [MOST, LEAST, FINGER] = [34, 9, 24]; // pixels of a row; a finger needs more than a mouse

/**
 * @param {{hover: (head: number | null) => void, pick: (head: number) => void,
 *          from: () => number, go: (head: number) => void, enter: () => void, leave: () => void}} act
 *   heads are counted through all layers; from: where an arrow key starts; go: where it leads
 */
export function createHeadMap(act) {
  const element = document.createElement("canvas");
  /** @type {Layout} */
  let layout = { layers: 1, width: 1, cell: { width: 1, height: 1 } };
  const under = (/** @type {MouseEvent} */ event) => {
    const [offsetX, offsetY] = pointIn(element, event);
    return headAt(layout, { offsetX, offsetY });
  };
  element.tabIndex = 0;
  element.setAttribute("role", "img");
  element.addEventListener("pointermove", (event) => act.hover(under(event)));
  element.addEventListener("pointerleave", () => act.hover(null));
  element.addEventListener("click", (event) => {
    const head = under(event);
    if (head !== null) act.pick(head);
  });
  keys(element, (dx, dy) => act.go(headBeside(layout, act.from(), dx, dy)), act.enter, act.leave);

  /**
   * @param {[number, number]} shape layers and heads @param {import("./theme.js").Theme} theme
   * @param {string} label @param {PaintHead} paintHead
   * @param {number[]} [numbers] the model's own numbers of the layers; from 0 if left out
   */
  function show(shape, theme, label, paintHead, numbers) {
    const wide = Math.max(260, element.parentElement?.clientWidth ?? 500);
    const tall = tallFor(roomOf(element), shape[0]);
    layout = layoutOf(shape, wide, tall, byHand(LEAST, FINGER));
    const shown = layout;
    paintOn(element, LEFT + shown.width * shown.cell.width + 2, heightOf(shown), (pen) =>
      paintCells(pen, shown, theme, paintHead, numbers),
    );
    element.setAttribute("aria-label", label);
  }

  return { element, show, height: () => heightOf(layout) };
}

/**
 * How tall a map may be: all layers are in sight at once, where the map begins on the first screen.
 * @param {import("./room.js").Room} room @param {number} layers
 */
const tallFor = (room, layers) =>
  2 * room.first > room.most ? heightFor(room, layers, ROW) : room.most;

/**
 * @param {[number, number]} shape layers and heads @param {number} wide pixels that there are
 * @param {number} [tall] @param {number} [least] pixels of a row @returns {Layout}
 */
export function layoutOf([layers, width], wide, tall = ENDLESS.first, least = LEAST) {
  const side = Math.floor(Math.min(54, (wide - LEFT - 2) / width));
  const row = Math.min(MOST, Math.max(18, side), Math.floor((tall - TOP - 2 - UNDER) / layers));
  return { layers, width, cell: { width: side, height: Math.max(least, row) } };
}

/** @param {Layout} layout */
const heightOf = ({ layers, cell }) => TOP + layers * cell.height + 2;

/** The head under the pointer. @param {Layout} layout @param {{offsetX: number, offsetY: number}} event */
export function headAt({ layers, width, cell }, { offsetX, offsetY }) {
  const column = Math.floor((offsetX - LEFT) / cell.width);
  const row = Math.floor((offsetY - TOP) / cell.height);
  return column >= 0 && column < width && row >= 0 && row < layers ? row * width + column : null;
}

/**
 * The head that an arrow key leads to; at an edge there is no further one.
 * @param {Layout} layout @param {number} from @param {number} dx @param {number} dy
 */
export function headBeside({ layers, width }, from, dx, dy) {
  const layer = bound(Math.floor(from / width) + dy, 0, layers - 1);
  return layer * width + bound((from % width) + dx, 0, width - 1);
}

/**
 * @param {import("./paint.js").Pen} pen @param {Layout} layout
 * @param {import("./theme.js").Theme} theme @param {PaintHead} paintHead @param {number[]} [numbers]
 */
function paintCells(pen, { layers, width, cell }, theme, paintHead, numbers) {
  const side = cell.width;
  pen.font = `11px ${theme.font}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = theme.muted;
  const headMark = side >= ROOMY ? "H" : "";
  for (let head = 0; head < width; head++)
    pen.fillText(`${headMark}${head}`, LEFT + (head + 0.5) * side, TOP / 2);
  const step = Math.ceil(LINE / cell.height);
  for (let layer = 0; layer < layers; layer += step)
    pen.fillText(`L${numbers?.[layer] ?? layer}`, LEFT / 2 - 1, TOP + (layer + 0.5) * cell.height);
  for (let head = 0; head < layers * width; head++) {
    const x = LEFT + (head % width) * side + 1;
    const y = TOP + Math.floor(head / width) * cell.height + 1;
    paintHead(pen, head, { x, y, width: side - 2, height: cell.height - 2 });
  }
}
