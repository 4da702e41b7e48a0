// The host of “Compare” in a file of its own.

import { createAlone, startAlone } from "./alone.js";
import { mountCompare } from "./compare.js";

const place = /** @type {HTMLElement} */ (document.querySelector(".ax"));
startAlone(mountCompare(place, createAlone()));
