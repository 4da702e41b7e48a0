// The host of “Heads”, over a corpus, in a file of its own.

import { mountCorpus } from "../pages/corpus.js";
import { createAlone, startAlone } from "./alone.js";

const place = /** @type {HTMLElement} */ (document.querySelector(".ax"));
startAlone(mountCorpus(place, createAlone()));
