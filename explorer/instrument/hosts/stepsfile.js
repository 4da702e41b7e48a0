// The host of “Step by step” in a file of its own.

import { mountStepper } from "../pages/steps.js";
import { createAlone, startAlone } from "./alone.js";

const place = /** @type {HTMLElement} */ (document.querySelector(".ax"));
startAlone(mountStepper(place, createAlone()));
