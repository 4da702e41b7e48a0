// The host of “Step by step” in a file of its own.

import { createAlone, startAlone } from "./alone.js";
import { mountStepper } from "./stepper.js";

const place = /** @type {HTMLElement} */ (document.querySelector(".ax"));
startAlone(mountStepper(place, createAlone()));
