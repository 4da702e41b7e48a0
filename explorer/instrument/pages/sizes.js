// A page draws anew although nobody touched it: when a panel has got another width, when the letters
// have come that it writes with, when the screen has other dots, and for paper and back.

import { t } from "../numbers/language.js";
import { h } from "../parts/dom.js";

/**
 * @typedef {() => void} Draw
 * @typedef {(act: () => void) => unknown} Frame calls back in the next frame
 * @typedef {{boxes: [HTMLElement, Draw][], all: Draw, title: () => string,
 *            paper?: (paper: boolean) => void}} Drawing
 *   boxes: what is drawn for the width of which element; all: draws everything at once, in the
 *   colours of now; title: what stands above it on paper; paper: what else is done for it and after
 * @typedef {Drawing & {root: HTMLElement, headline: HTMLElement}} Page
 */

/**
 * Draws once in a frame what has got another width. Heights are left alone: they follow from what is
 * drawn. A scroll bar that comes with a tall picture makes it narrow, and so low that the bar goes
 * again: of two such widths the smaller one stays drawn, which fits into both.
 * @template Box
 * @param {Frame} frame
 */
export function createRedraw(frame) {
  /** @type {Map<Box, {draw: Draw, width: number, before: number | null}>} */
  const known = new Map();
  /** @type {Set<Draw>} */
  const waiting = new Set();
  let drawings = 0;

  function drawAll() {
    const now = ++drawings;
    const draws = [...waiting];
    waiting.clear();
    for (const draw of draws) draw();
    // What this drawing brings about is there one frame later.
    frame(() => frame(() => now === drawings && forget()));
  }

  function forget() {
    for (const box of known.values()) box.before = null;
  }

  return {
    /** @param {Box} box @param {Draw} draw @param {number} width that it has now */
    watch: (box, draw, width) => known.set(box, { draw, width, before: null }),
    /** @param {Box} box */
    leave: (box) => {
      const of = known.get(box);
      if (of) waiting.delete(of.draw);
      known.delete(box);
    },
    /** @param {Box} box @param {number} width */
    changed: (box, width) => {
      const of = known.get(box);
      if (!of || of.width === width) return;
      const swings = of.before === width && width > of.width;
      of.before = of.width;
      of.width = width;
      if (swings) return;
      if (!waiting.size) frame(drawAll);
      waiting.add(of.draw);
    },
  };
}

/** What the sheet says of what is cut on paper, by its names for that. */
const ON_PAPER = {
  "--says-in-part": t("What is in sight is printed; the whole is longer."),
  "--says-largest": t("The 16 largest are printed."),
  "--says-first": t("The first 100 are printed."),
};

const BAR = 90; // pixels by which a phone's bars come and go: nothing is drawn anew for them

/** @type {Set<Page>} those that are mounted; one inside another comes after it */
const pages = new Set();
const redraw = /** @type {ReturnType<typeof createRedraw<Element>>} */ (
  createRedraw((act) => requestAnimationFrame(act))
);
/** @type {ReturnType<typeof listen> | null} */
let ears = null; // nothing listens while there is no page

/**
 * Keep a page drawn for the sizes that it has.
 * @param {HTMLElement} root @param {Drawing} drawing
 * @returns {() => void} ends it
 */
export function followSizes(root, drawing) {
  ears ??= listen();
  const { observer } = ears;
  const page = { root, ...drawing, headline: h("p", { class: "ax-headline" }) };
  pages.add(page);
  for (const [name, says] of Object.entries(ON_PAPER))
    root.style.setProperty(name, JSON.stringify(says));
  for (const [box, draw] of page.boxes) {
    redraw.watch(box, draw, box.clientWidth);
    observer.observe(box);
  }
  return () => {
    pages.delete(page);
    for (const [box] of page.boxes) {
      redraw.leave(box);
      observer.unobserve(box);
    }
    if (pages.size) return;
    ears?.stop();
    ears = null;
  };
}

/**
 * Panels that draw a scene, each for its own width.
 * @template Scene
 * @param {{element: HTMLElement, draw: (scene: Scene) => void}[]} panels
 * @param {() => Scene | null} sceneNow
 * @returns {[HTMLElement, Draw][]}
 */
export const boxesOf = (panels, sceneNow) =>
  panels.map(({ element, draw }) => [
    element,
    () => {
      const scene = sceneNow();
      if (scene) draw(scene);
    },
  ]);

/** One observer, and one ear for each of the rest. */
function listen() {
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) redraw.changed(target, target.clientWidth);
  });
  const ends = new AbortController();
  const { signal } = ends;
  let ratio = window.devicePixelRatio;
  let tall = window.innerHeight;
  const resized = () => {
    const isSameHeight = Math.abs(window.innerHeight - tall) < BAR;
    if (isSameHeight && ratio === window.devicePixelRatio) return; // a width is seen by itself
    [tall, ratio] = [window.innerHeight, window.devicePixelRatio];
    drawPages();
  };
  const print = window.matchMedia("print");
  // First the page knows that it will be printed, then how wide the paper is; not every browser
  // tells both.
  window.addEventListener("beforeprint", () => toPaper(true), { signal });
  window.addEventListener("afterprint", () => toPaper(print.matches), { signal });
  print.addEventListener("change", () => toPaper(print.matches), { signal });
  window.addEventListener("resize", resized, { signal });
  document.fonts.addEventListener("loadingdone", lettersCame, { signal });
  return {
    observer,
    stop: () => {
      observer.disconnect();
      ends.abort();
    },
  };
}

function drawPages() {
  for (const { all } of pages) all();
}

/** @param {Event} event */
function lettersCame(event) {
  const came = /** @type {FontFaceSetLoadEvent} */ (event).fontfaces.map((face) => face.family);
  for (const { root, all } of pages) {
    const { fontFamily } = getComputedStyle(root);
    if (came.some((family) => fontFamily.includes(family.replace(/["']/g, "")))) all();
  }
}

/** @type {[Element, number][] | null} on paper: how far everything was scrolled before */
let scrolled = null;

/**
 * All pages are laid out before any is drawn: one inside another has its width from it.
 * @param {boolean} paper
 */
function toPaper(paper) {
  if (!paper && !scrolled) return; // it is back already
  scrolled ??= [...pages].flatMap(({ root }) => scrolledIn(root));
  for (const { root, headline, title } of pages) {
    root.classList.toggle("ax-paper", paper);
    headline.textContent = title();
    if (paper) root.prepend(headline);
    else headline.remove();
  }
  for (const page of pages) page.paper?.(paper);
  drawPages();
  for (const { root } of pages) markCut(root);
  if (paper) return;
  for (const [element, top] of scrolled) element.scrollTop = top;
  scrolled = null;
}

/** @param {HTMLElement} root @returns {[Element, number][]} */
const scrolledIn = (root) =>
  [...root.querySelectorAll("*")].flatMap((element) =>
    element.scrollTop ? [[element, element.scrollTop]] : [],
  );

/** Of what scrolls on the screen, only what is in sight can be printed: that is said. @param {HTMLElement} root */
function markCut(root) {
  for (const window of root.querySelectorAll(".ax-scroll")) {
    const { scrollHeight, clientHeight, scrollWidth, clientWidth } = window;
    const cut = scrollHeight > clientHeight + 1 || scrollWidth > clientWidth + 1;
    window.closest(".ax-panel")?.classList.toggle("ax-in-part", cut);
  }
}
