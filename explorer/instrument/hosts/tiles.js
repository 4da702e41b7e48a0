// The worker that makes tiles of long texts, beside the page, so that the page never waits.

import { createMaker } from "../numbers/tile.js";

const make = createMaker();
const port = /** @type {Worker} */ (/** @type {unknown} */ (globalThis));

port.onmessage = ({ data }) => {
  const made = make(data);
  port.postMessage(made, [made.tile.buffer]);
};
