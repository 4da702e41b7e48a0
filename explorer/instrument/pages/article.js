// The Article: a lesson of nine chapters, whose figures are live and all look at one place.
// One state, one render from it. Figures that are out of sight are drawn when they come into it.

import {
  linkOfView,
  scoreOf,
  unpackArticle,
  viewOfLink,
  withArticle,
  wordsOfView,
} from "../numbers/article.js";
import { t, tn } from "../numbers/language.js";
import { createAbout, fileWords } from "../parts/about.js";
import { h, pushButton, setText } from "../parts/dom.js";
import { createMenu } from "../parts/menu.js";
import { proseOf } from "../parts/prose.js";
import { readTheme } from "../parts/theme.js";
import { createCopy } from "../parts/tools.js";
import { pageTrouble } from "../save/files.js";
import { fileName, offer } from "../save/handing.js";
import { FIGURES } from "./articlefigures.js";
import { followSizes } from "./sizes.js";

/**
 * @typedef {import("../numbers/article.js").ArticleState} ArticleState
 * @typedef {import("../numbers/article.js").Article} Article
 * @typedef {import("./articlefigures.js").Acts} Acts
 * @typedef {import("./articlefigures.js").Figure} Figure
 * @typedef {{
 *   params: (id?: string) => URLSearchParams,
 *   onView: (params: Record<string, string>, link: Record<string, string> | null,
 *            words: [string, string]) => void,
 *   copyLink: (() => Promise<boolean>) | null,
 *   onShown?: (id: string, params: Record<string, string>, words: [string, string],
 *              link?: Record<string, string> | null) => void,
 *   onTravel?: (act: (params: URLSearchParams) => void) => void,
 *   go?: (page: string, open?: Record<string, string>) => void,
 *   asking?: import("../parts/about.js").Asking,
 *   page?: (view: Record<string, string>) => void,
 *   leave?: () => void,
 * }} ArticleHost what follows copyLink is of a host with a server
 * @typedef {{figure: Figure, frame: HTMLElement, way: HTMLButtonElement | null, isInSight: boolean,
 *            isStale: boolean, isDrawn: boolean}} Framed way: leads to the page where the figure lives;
 *   isDrawn: whether it shows what has come last
 * @typedef {{state: ArticleState | null, theme: import("../parts/theme.js").Theme,
 *            framed: Framed[], sections: HTMLElement[], told: string, waiting: number,
 *            goal: string}} Here
 *   told: the prose that stands there; waiting: a timer; goal: the chapter of the link, while
 *   figures above it may still grow
 */

const TOP = 140; // pixels from the top of the window at which a chapter is the current one
const KEPT = "attention-explorer-answers "; // in this tab's memory; the lesson's name follows
const NEAR = "400px 0px"; // figures so near are drawn before they are seen

/** @param {HTMLElement} root @param {ArticleHost} host */
export function mountArticle(root, host) {
  /** @type {Here} */
  const here = {
    state: null,
    theme: readTheme(root),
    framed: [],
    sections: [],
    told: "",
    waiting: 0,
    goal: "",
  };
  const acts = actsOf(here, host, () => pen.draw());
  const parts = createParts(here, host);
  root.replaceChildren(...layOut(parts));
  const eye = new IntersectionObserver((entries) => seen(here, entries, pen.drawStale), {
    rootMargin: NEAR,
  });
  const ends = followScroll(here, host, parts);

  const pen = createPen(root, here, parts);
  host.onTravel?.((params) => {
    if (!here.state) return;
    here.state = { ...here.state, view: viewOfLink(here.state.article, params), hovered: null };
    pen.draw();
  });
  const stopFollowing = followSizes(root, {
    boxes: [[parts.body, pen.drawAll]],
    all: pen.repaint,
    title: () => (here.state ? titleOf(here.state) : ""),
    paper: () => {
      here.theme = readTheme(root);
      pen.draw();
      pen.drawStale(true); // what is out of sight goes to paper, too
    },
  });
  return {
    /** @param {Uint8Array} bytes */
    update: (bytes) => {
      here.theme = readTheme(root);
      const { article, page } = unpackArticle(bytes);
      arrive(here, host, parts, article);
      const { chapter } = /** @type {ArticleState} */ (here.state).view;
      if (lay(here, parts, acts, eye)) here.goal = chapter;
      pen.drawAll();
      if (page.length) parts.save.arrived(page);
    },
    retheme: pen.repaint,
    destroy: () => {
      clearTimeout(here.waiting);
      stopFollowing();
      eye.disconnect();
      ends.abort();
      parts.about.stop();
      host.leave?.();
      root.replaceChildren();
    },
  };
}

/**
 * What draws the figures: those in sight, all of them, or what nobody has seen yet.
 * @param {HTMLElement} root @param {Here} here @param {ReturnType<typeof createParts>} parts
 */
function createPen(root, here, parts) {
  function drawStale(all = false) {
    if (!here.state) return;
    for (const one of here.framed) if (one.isStale && (one.isInSight || all)) show(here, one);
    drawScore(parts.score, here.state);
    root.dataset.painted = paintedOf(here.state);
  }

  function draw() {
    for (const one of here.framed) one.isStale = true;
    drawStale();
  }

  /** What is out of sight, one figure after the other: it may be searched or listened to. */
  function drawRest() {
    clearTimeout(here.waiting);
    goToChapter(here);
    const next = here.framed.find((one) => !one.isDrawn);
    if (!here.state) return;
    if (!next && here.state.article.whole) here.goal = "";
    if (!next) return;
    if (next.isStale) show(here, next);
    next.isDrawn = true;
    here.waiting = window.setTimeout(drawRest);
  }

  /** What has come, or another width, is to be seen in every figure. */
  function drawAll() {
    for (const one of here.framed) one.isDrawn = false;
    draw();
    drawRest();
  }

  function repaint() {
    here.theme = readTheme(root);
    drawAll();
  }
  return { draw, drawStale, drawAll, repaint };
}

/** @param {ArticleState} state */
const titleOf = ({ article }) => article.about.text;

/** What is painted, for tests and for who waits. @param {ArticleState} state */
const paintedOf = ({ article, view }) =>
  `article ${article.id} L${view.layer}·H${view.head} ${article.whole ? "whole" : "waiting"}`;

/** @param {Here} here @param {ArticleHost} host @param {ReturnType<typeof createParts>} parts @param {Article} article */
function arrive(here, host, parts, article) {
  const before = here.state;
  const opening = Object.entries(article.opening ?? {});
  const params = new URLSearchParams([...host.params(article.id), ...opening]); // what is first counts
  here.state = withArticle(before, article, params, keptAnswers(article.id));
  parts.about.show(article.about);
  parts.copy?.show(article.link !== null);
  setText(
    parts.whose,
    article.whose === "beginning"
      ? t("Of your text the lesson reads the beginning: its figures have room for a sentence.")
      : "",
  );
  if (before?.article.id !== article.id)
    host.onShown?.(article.id, linkOfView(here.state), wordsOfView(here.state), article.link);
}

/** They are there again when a reader comes back, or reads on in another language. @param {ArticleState} state */
function keepAnswers({ article, answers }) {
  try {
    sessionStorage.setItem(KEPT + article.id, JSON.stringify(answers));
  } catch {
    // Nothing may be kept here.
  }
}

/** @param {string} id @returns {ArticleState["answers"]} */
function keptAnswers(id) {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT + id) ?? "{}");
  } catch {
    return {};
  }
}

/** @param {Here} here @param {ArticleHost} host @param {() => void} draw @returns {Acts} */
function actsOf(here, host, draw) {
  const { go } = host;
  return {
    look: (at) => {
      if (!here.state) return;
      here.state = { ...here.state, view: { ...here.state.view, ...at }, hovered: null };
      draw();
      host.onView(linkOfView(here.state), here.state.article.link, wordsOfView(here.state));
    },
    hover: (hovered) => {
      if (!here.state || here.state.hovered === hovered) return;
      here.state = { ...here.state, hovered };
      draw();
    },
    answer: (name, answer) => {
      if (!here.state || name in here.state.answers) return;
      here.state = { ...here.state, answers: { ...here.state.answers, [name]: answer } };
      keepAnswers(here.state);
      draw();
    },
    go: go ? (page, open) => go(page, open) : null,
  };
}

/** @param {Here} here @param {ArticleHost} host */
function createParts(here, host) {
  const body = h("div", { class: "ax-article-body" });
  const chapters = h("ol");
  const score = h("p", { class: "ax-help", "aria-live": "polite" });
  const title = h("h2", { class: "ax-article-contents" }, t("Contents"));
  const nav = h(
    "nav",
    { class: "ax-article-nav", "aria-label": t("Contents") },
    title,
    chapters,
    score,
  );
  return {
    ...{ body, chapters, score, nav },
    whose: h("p", { class: "ax-help", role: "status" }),
    about: createAbout(host.asking ?? null),
    copy: host.copyLink && createCopy(host.copyLink),
    save: createSave(here, host),
  };
}

/** The lesson as a file, and on paper. @param {Here} here @param {ArticleHost} host */
function createSave(here, host) {
  const told = h("p", { class: "ax-help", role: "status" });
  const page = pushButton("HTML", t("The lesson as one web page that opens offline"), () => {
    if (!here.state) return;
    setText(told, t("The page is being made…"));
    host.page?.(linkOfView(here.state));
  });
  page.hidden = !host.page;
  const print = pushButton(t("Print"), t("The lesson on paper, or as a PDF"), () => window.print());
  const files = h(
    "fieldset",
    { class: "ax-choice" },
    h("legend", {}, t("The lesson with its figures")),
    h("div", {}, page, print),
  );
  /** @param {Uint8Array} bytes */
  function arrived(bytes) {
    const trouble = pageTrouble(bytes);
    setText(told, trouble);
    if (trouble) return;
    const html = new Blob([/** @type {BlobPart} */ (bytes)], { type: "text/html" });
    offer(html, fileName(`${fileWords(here.state?.article.about)} article`, "html"));
  }
  return { element: createMenu(t("Save"), [files, told]), arrived };
}

/** @param {ReturnType<typeof createParts>} parts */
function layOut({ about, copy, save, nav, body, whose }) {
  const away = h("div", { class: "ax-away" }, ...(copy ? [copy.element] : []), save.element);
  return [
    h("div", { class: "ax-top" }, about.element, away),
    whose,
    h("div", { class: "ax-article" }, nav, body),
  ];
}

/**
 * The prose as elements, once for all that comes with the same words.
 * @param {Here} here @param {ReturnType<typeof createParts>} parts @param {Acts} acts
 * @param {IntersectionObserver} eye sees which figures are in sight
 * @returns {boolean} whether it was laid anew
 */
function lay(here, parts, acts, eye) {
  const { chapters } = /** @type {ArticleState} */ (here.state).article;
  const told = JSON.stringify(chapters);
  if (told === here.told) return false;
  here.told = told;
  eye.disconnect();
  here.framed = [];
  here.sections = chapters.map((chapter) => sectionOf(here, chapter, acts, eye));
  parts.body.replaceChildren(...here.sections);
  parts.chapters.replaceChildren(
    ...chapters.map(({ title, anchor }, i) => {
      const link = h("a", { href: `#${anchor}`, "data-chapter": anchor }, ...proseOf(title, null));
      link.addEventListener("click", (event) => {
        event.preventDefault();
        here.sections[i].scrollIntoView();
        here.sections[i].querySelector("h2")?.focus({ preventScroll: true });
      });
      return h("li", {}, link);
    }),
  );
  return true;
}

/** @param {Here} here @param {import("../numbers/article.js").Chapter} chapter @param {Acts} acts @param {IntersectionObserver} eye */
function sectionOf(here, { title, anchor, pieces }, acts, eye) {
  const heading = h("h2", { tabindex: "-1" }, ...proseOf(title, null));
  const made = pieces.map((piece) => {
    if (piece.kind !== "figure") return elementOf(piece, acts.go);
    const framed = frameOf(here, piece.texts[0], acts);
    if (!framed) return "";
    here.framed.push(framed);
    eye.observe(framed.frame);
    return framed.frame;
  });
  return h("section", { "data-chapter": anchor }, heading, ...made);
}

/** @param {import("../numbers/article.js").Piece} piece @param {Acts["go"]} go */
function elementOf({ kind, texts }, go) {
  const [first] = texts;
  if (kind === "heading") return h("h3", {}, ...proseOf(first, go));
  if (kind === "quote") return h("blockquote", { lang: "zh" }, ...proseOf(first, null));
  if (kind === "list")
    return h("ul", {}, ...texts.map((text) => h("li", {}, ...proseOf(text, go))));
  const isFormula = /^\$[^$]+\$$/u.test(first);
  return h("p", { class: isFormula ? "ax-article-formula" : null }, ...proseOf(first, go));
}

/** @param {Here} here @param {string} name @param {Acts} acts @returns {Framed | null} */
function frameOf(here, name, acts) {
  const figure = FIGURES[name]?.(acts);
  if (!figure) return null;
  const way = figure.where && acts.go ? pushButton("", "", () => lead(), "ax-link") : null;
  const frame = h(
    "figure",
    { class: "ax-fig", "data-figure": name },
    figure.element,
    ...(way ? [h("div", { class: "ax-fig-way" }, way)] : []),
  );
  /** To the page where the figure lives. */
  function lead() {
    const { state, theme } = here;
    const where = state && figure.where?.({ state, theme });
    if (where) acts.go?.(where.page, where.open);
  }
  return { figure, frame, way, isInSight: false, isStale: true, isDrawn: false };
}

/** @param {Here} here @param {Framed} one */
function show(here, one) {
  const shown = { state: /** @type {ArticleState} */ (here.state), theme: here.theme };
  one.isStale = false;
  one.figure.show(shown);
  if (!one.way) return;
  const where = one.figure.where?.(shown) ?? null;
  one.way.hidden = !where;
  if (where) setText(one.way, where.label);
}

/** @param {Here} here @param {IntersectionObserverEntry[]} entries @param {() => void} drawStale */
function seen(here, entries, drawStale) {
  for (const { target, isIntersecting } of entries) {
    const one = here.framed.find(({ frame }) => frame === target);
    if (one) one.isInSight = isIntersecting;
  }
  drawStale();
}

/** @param {HTMLElement} score @param {ArticleState} state */
function drawScore(score, state) {
  const { n, right } = scoreOf(state);
  setText(
    score,
    n ? tn("{right} of {n} answer right", "{right} of {n} answers right", n, { right }) : "",
  );
}

/** To the chapter that a link names, as long as what stands above it grows. @param {Here} here */
function goToChapter({ goal, sections }) {
  const section = sections.find(({ dataset }) => dataset.chapter === goal);
  if (section && goal) requestAnimationFrame(() => section.scrollIntoView());
}

/** A reader who moves is held no longer. @param {Here} here @param {AbortSignal} signal */
function letGo(here, signal) {
  for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"])
    window.addEventListener(kind, () => (here.goal = ""), { capture: true, passive: true, signal });
}

/**
 * The chapter that is read is marked among the contents, and stands in the link.
 * @param {Here} here @param {ArticleHost} host @param {ReturnType<typeof createParts>} parts
 */
function followScroll(here, host, parts) {
  const ends = new AbortController();
  letGo(here, ends.signal);
  let isWaiting = false;
  const look = () => {
    isWaiting = false;
    if (!here.state || !here.sections[0]?.offsetHeight) return; // another page comes
    const isAtEnd = parts.body.getBoundingClientRect().bottom <= window.innerHeight;
    const above = here.sections.filter((one) => isAtEnd || one.getBoundingClientRect().top <= TOP);
    const chapter = above.at(-1)?.dataset.chapter ?? "";
    for (const link of parts.chapters.querySelectorAll("a")) {
      const isCurrent = link.dataset.chapter === chapter;
      if (isCurrent === (link.getAttribute("aria-current") === "true")) continue;
      if (isCurrent) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
      if (isCurrent) keepInSight(parts.chapters, link);
    }
    if (here.goal || chapter === here.state.view.chapter) return;
    here.state = { ...here.state, view: { ...here.state.view, chapter } };
    host.onView(linkOfView(here.state), here.state.article.link, wordsOfView(here.state));
  };
  const later = () => {
    if (!isWaiting) requestAnimationFrame(look);
    isWaiting = true;
  };
  window.addEventListener("scroll", later, { capture: true, passive: true, signal: ends.signal });
  return ends;
}

/** On a phone the contents are one line that scrolls by itself. @param {HTMLElement} line @param {HTMLElement} link */
function keepInSight(line, link) {
  if (line.scrollWidth > line.clientWidth) line.scrollLeft = link.offsetLeft - line.offsetLeft - 16;
}
