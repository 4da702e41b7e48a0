// The instrument's host in a file of its own.

import { mount } from "../pages/explore.js";
import { createAlone, startAlone } from "./alone.js";

const place = /** @type {HTMLElement} */ (document.querySelector(".ax"));
startAlone(mount(place, { ...createAlone(), onFocus: null }));
