// The host of “Efficiency” in a file of its own.

import { mountEfficiency } from "../pages/efficiency.js";
import { createAlone, startAlone } from "./alone.js";

const place = /** @type {HTMLElement} */ (document.querySelector(".ax"));
startAlone(mountEfficiency(place, createAlone()));
