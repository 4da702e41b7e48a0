// The host of the “Article” in a file of its own.

import { mountArticle } from "../pages/article.js";
import { createAlone, startAlone } from "./alone.js";

const place = /** @type {HTMLElement} */ (document.querySelector(".ax"));
startAlone(mountArticle(place, createAlone()));
