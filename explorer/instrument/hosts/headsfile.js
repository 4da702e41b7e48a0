// The host of “Heads” in a file of its own.

import { mountHeads } from "../pages/heads.js";
import { createAlone, startAlone } from "./alone.js";

const place = /** @type {HTMLElement} */ (document.querySelector(".ax"));
startAlone(mountHeads(place, createAlone()));
