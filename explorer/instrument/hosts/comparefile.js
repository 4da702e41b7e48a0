// The host of “Compare” in a file of its own.

import { mountCompare } from "../pages/compare.js";
import { createAlone, startAlone } from "./alone.js";

const place = /** @type {HTMLElement} */ (document.querySelector(".ax"));
startAlone(mountCompare(place, createAlone()));
