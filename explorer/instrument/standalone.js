// The instrument's host in a file of its own.

import { createAlone, startAlone } from "./alone.js";
import { mount } from "./instrument.js";

const place = /** @type {HTMLElement} */ (document.querySelector(".ax"));
startAlone(mount(place, { ...createAlone(), walk: null, onFocus: null }));
