// A map of all heads, one cell each: layers down, heads across. Pointing, clicking and arrow keys.

import { bound } from "../numbers/basics.js";
import { keys } from "./dom.js";
import { paintOn } from "./paint.js";

/** @typedef {import("./paint.js").Box} Box */

const LEFT = 24; // pixels for the layers' numbers
const TOP = 18; // and for the heads'

/**
 * @param {{hover: (head: number | null) => void, pick: (head: number) => void,
 *          from: () => number, go: (head: number) => void, enter: () => void, leave: () => void}} act
 *   heads are counted through all layers; from: where an arrow key starts; go: where it leads
 */
export function createHeadMap(act) {
  const element = document.createElement("canvas");
  let [layers, width] = [1, 1];
  let cell = { width: 1, height: 1 };
  element.tabIndex = 0;
  element.setAttribute("role", "img");

  /** @param {MouseEvent} event */
  function headAt(event) {
    const column = Math.floor((event.offsetX - LEFT) / cell.width);
    const row = Math.floor((event.offsetY - TOP) / cell.height);
    return column >= 0 && column < width && row >= 0 && row < layers ? row * width + column : null;
  }
  element.addEventListener("pointermove", (event) => act.hover(headAt(event)));
  element.addEventListener("pointerleave", () => act.hover(null));
  element.addEventListener("click", (event) => {
    const head = headAt(event);
    if (head !== null) act.pick(head);
  });
  keys(
    element,
    (dx, dy) => {
      const layer = bound(Math.floor(act.from() / width) + dy, 0, layers - 1);
      act.go(layer * width + bound((act.from() % width) + dx, 0, width - 1));
    },
    act.enter,
    act.leave,
  );

  /**
   * @param {[number, number]} shape layers and heads @param {import("./theme.js").Theme} theme
   * @param {string} label @param {(pen: import("./paint.js").Pen, head: number, box: Box) => void} paintHead
   * @param {number[]} [numbers] the model's own numbers of the layers; from 0 if left out
   */
  function show(shape, theme, label, paintHead, numbers) {
    [layers, width] = shape;
    const room = Math.max(260, element.parentElement?.clientWidth ?? 500);
    const side = Math.floor(Math.min(54, (room - LEFT - 2) / width));
    cell = { width: side, height: Math.min(34, Math.max(18, side)) };
    paintOn(element, LEFT + width * side + 2, height(), (pen) => {
      pen.font = `11px ${theme.font}`;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.fillStyle = theme.muted;
      for (let head = 0; head < width; head++)
        pen.fillText(String(head), LEFT + (head + 0.5) * side, TOP / 2);
      for (let layer = 0; layer < layers; layer++)
        pen.fillText(
          String(numbers?.[layer] ?? layer),
          LEFT / 2 - 1,
          TOP + (layer + 0.5) * cell.height,
        );
      for (let head = 0; head < layers * width; head++) {
        const x = LEFT + (head % width) * side + 1;
        const y = TOP + Math.floor(head / width) * cell.height + 1;
        paintHead(pen, head, { x, y, width: side - 2, height: cell.height - 2 });
      }
    });
    element.setAttribute("aria-label", label);
  }

  const height = () => TOP + layers * cell.height + 2;
  return { element, show, height };
}
