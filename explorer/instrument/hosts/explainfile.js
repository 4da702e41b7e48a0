// The host of “Explain” in a file of its own.

import { mountExplain } from "../pages/explain.js";
import { createAlone, startAlone } from "./alone.js";

const place = /** @type {HTMLElement} */ (document.querySelector(".ax"));
startAlone(mountExplain(place, createAlone()));
