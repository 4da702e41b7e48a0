// The reading view: the pasted text as running text, or the picture, shaded by the attention of what
// is chosen. In cross-attention the first text is what is looked at, the second what looks.

import { sentences, t } from "../numbers/language.js";
import { digits } from "../numbers/model.js";
import { chunksOf, LONG_TEXT } from "../numbers/readingpages.js";
import {
  columnOf,
  isUnknown,
  isWritten,
  piecesOf,
  rowOf,
  shadeOf,
  shadingOf,
  sideIn,
  sideOf,
  spotOf,
  spotsOf,
  stepThrough,
  unitsRead,
} from "../numbers/readingtext.js";
import { focusOn } from "../numbers/words.js";
import { h, keys, picking, pushButton } from "../parts/dom.js";
import { createPhoto } from "../parts/photo.js";
import { createTable } from "../parts/table.js";
import {
  createChunks,
  firstInSight,
  goTo,
  heightOf,
  lay,
  lineOfToken,
  remeasure,
  settle,
} from "./chunks.js";
import { createFind } from "./find.js";
import { findingIn, NOTHING_FOUND } from "./finding.js";
import { dressAll, rulesOf } from "./readingdress.js";
import { createStrip, stripFor } from "./strip.js";
import { createUnknowns } from "./unknowns.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../pages/explore.js").Actions} Actions
 * @typedef {import("../numbers/readingtext.js").Dress} Dress
 * @typedef {import("../numbers/readingtext.js").Spot} Spot
 * @typedef {{scene: Scene | null, shading: import("../numbers/readingtext.js").Shading | null,
 *            built: string, painted: unknown, spots: Spot[],
 *            texts: import("../numbers/readingtext.js").Piece[][],
 *            spans: (HTMLElement | null)[], worn: (Dress | undefined)[], finishing: number,
 *            anchor: number, found: import("./finding.js").Found,
 *            runs: import("../numbers/find.js").Run[] | null,
 *            strip: import("./strip.js").Kept | null, back: number | null}} Here
 *   built: the trace that stands there; painted: the theme of what is painted; texts: in pieces; by
 *   spot: spans, of those that are in the page, and what is worn; finishing: the frame that brings
 *   the slight changes; anchor: where walking with Shift began; runs: what is searched, once
 *   something is; strip: what was painted there; back: the token that the sight began
 *   with before all went to paper
 * @typedef {ReturnType<typeof elementsOf>} Elements
 * @typedef {{here: Here, parts: Elements, table: ReturnType<typeof createTable>,
 *            chunks: import("./chunks.js").Chunks, find: ReturnType<typeof createFind>,
 *            strip: ReturnType<typeof createStrip>}} Reading
 */

const LONG = 200; // tokens from which the text gets more room

/** @param {Actions} actions @param {(() => void) | null} [readOther] as `createUnknowns` has it */
export function createReading(actions, readOther = null) {
  /** @type {Here} */
  const here = {
    ...{ scene: null, shading: null, built: "", painted: null, spots: [], texts: [], spans: [] },
    ...{ worn: [], finishing: 0, anchor: 0, found: NOTHING_FOUND, runs: null },
    ...{ strip: null, back: null },
  };
  const table = createTable(t("reading view"), (now) => {
    const rows = unitsRead(shadingOf(now), here.spots);
    const position = t("position");
    const titles = [position, now.view.words ? t("word") : t("token"), t("weight")];
    return { titles, counts: [position], rows, caption: parts.note.textContent ?? "" };
  });
  const parts = elementsOf(table.element, readOther);
  const chunks = createChunks(parts.body, makingOf(here));
  const strip = createStrip({
    scroll: (by) => parts.body.scrollBy({ top: by * parts.body.clientHeight }),
    travel: (to) => {
      parts.body.scrollTop = to * heightOf(chunks) - chunks.tall / 2;
    },
  });
  const find = createFind(findingIn(() => reading, actions, { repaint, bring: bringIntoSight }));
  /** @type {Reading} */
  const reading = { here, parts, table, chunks, find, strip };
  parts.title.after(
    pushButton("", t("Find in the text (Ctrl+F)"), find.open, "ax-small ax-magnifier"),
  );
  parts.texts.before(find.element);
  parts.texts.append(strip.element);
  strip.element.hidden = true;
  const panel = {
    element: parts.element,
    /** @param {Scene} next */
    draw: (next) => draw(reading, next),
    /** @param {Scene} next */
    focus: (next) => focus(reading, next),
    /** The arrow keys walk through the text now; what is pinned shows itself. */
    toHand: () => {
      parts.body.focus();
      pulse(here);
    },
  };
  picking(
    parts.body,
    (event) => unitAt(reading, event),
    (where, units) => actions.hover(units && focusOn(where, units), panel),
    (where, units, event) => actions.pick(where, units, event.shiftKey),
  );
  listen(reading, actions);
  return panel;
}

/** @param {HTMLElement} table @param {(() => void) | null} readOther */
function elementsOf(table, readOther) {
  const body = h("div", {
    class: "ax-text",
    tabindex: "0",
    role: "application",
    "aria-roledescription": t("text"),
    dir: "auto",
  });
  const title = h("h3", {}, t("Reading view"));
  const note = h("span", {});
  const tones = h("style");
  const texts = h("div", { class: "ax-texts" }, body);
  const unknowns = createUnknowns(readOther);
  const element = h(
    "section",
    { class: "ax-panel ax-panel-reading", "aria-label": t("Reading view") },
    h("div", { class: "ax-title" }, title, h("p", { class: "ax-help" }, note)),
    tones,
    texts,
    unknowns.element,
    table,
  );
  return { element, body, texts, title, note, tones, unknowns, photo: createPhoto() };
}

/** @param {Here} here @returns {import("./chunks.js").Making} */
const makingOf = (here) => ({
  fill: ({ pieces }) => pieces.map((piece) => nodeOf(here, piece)),
  drop: ({ own }) => {
    for (const i of own) here.spans[i] = null;
  },
  lineOf: (i) => here.spans[i]?.offsetTop ?? 0,
});

/** @param {Here} here @param {import("../numbers/readingtext.js").Piece} piece @returns {Node} */
function nodeOf(here, piece) {
  if (piece.kind === "token") return spanAt(here, piece.i, piece.text);
  if (piece.kind === "scissors") return scissors(piece.cut);
  if (piece.kind === "gone") return h("span", { class: "ax-cut" }, piece.text);
  return document.createTextNode(piece.text);
}

/** @param {Reading} reading @param {Actions} actions */
function listen(reading, actions) {
  const { here, parts, chunks } = reading;
  const side = () => sideOf(here.scene?.view.look);
  parts.body.addEventListener("scroll", () => {
    settle(chunks);
    repaint(reading);
  });
  keys(
    parts.body,
    (dx, dy, shift) => {
      if (!here.scene) return;
      const where = side();
      const units = walk(reading, here.scene, where, dx, dy, shift);
      actions.walk(focusOn(where, units));
    },
    (shift) => {
      if (!here.scene) return;
      const units = side() === "row" ? here.scene.focus.rows : here.scene.focus.columns;
      if (units.length) actions.pick(side(), units, shift);
    },
    actions.clear,
  );
}

/** @param {Reading} reading @param {MouseEvent} event */
function unitAt({ here, parts }, event) {
  if (!here.scene) return null;
  const { model, view } = here.scene;
  const root = /** @type {Document | ShadowRoot} */ (parts.body.getRootNode());
  const found = root.elementFromPoint(event.clientX, event.clientY)?.closest("[data-token]");
  if (!found || !parts.body.contains(found)) return null;
  const spot = here.spots[Number(found.getAttribute("data-token"))];
  const where = sideIn(spot, sideOf(view.look, event));
  const i = where === "row" ? rowOf(model, spot) : columnOf(model, spot);
  return i < 0 ? null : { side: where, i };
}

/**
 * One step of the arrow keys; what it leads to comes into sight.
 * @param {Reading} reading @param {Scene} scene @param {"row" | "column"} where
 * @param {number} dx @param {number} dy @param {boolean} shift
 * @returns {number[]} the units that are chosen then
 */
function walk(reading, scene, where, dx, dy, shift) {
  const { here, parts } = reading;
  const { picture } = scene.model;
  const units = where === "row" ? picture.rows : picture.columns;
  const now = where === "row" ? scene.focus.rows : scene.focus.columns;
  const text = parts.body.querySelector("p") ?? parts.body;
  const forth = getComputedStyle(text).direction === "rtl" ? -dx : dx;
  const line = scene.trace.head.patches?.[1] ?? 1; // a picture has rows of patches
  const next = stepThrough(now, here.anchor, forth + line * dy, units.length, shift);
  here.anchor = next.anchor;
  bringIntoSight(reading, spotOf(scene.trace.head, where, units[next.i].tokens[0]));
  return next.units;
}

/** @param {Reading} reading @param {number} i of a spot */
function bringIntoSight({ here, chunks }, i) {
  goTo(chunks, i);
  here.spans[i]?.scrollIntoView({ block: "nearest" }); // in the window too
}

/** @param {Reading} reading @param {Scene} next */
function draw(reading, next) {
  const { here, parts, chunks, find } = reading;
  const { body } = parts;
  here.scene = next;
  const fresh = here.built !== next.trace.head.id;
  if (fresh) build(reading, next.trace);
  if (here.painted !== next.theme) parts.tones.textContent = rulesOf(next.theme);
  const paper = body.closest(".ax-paper") !== null; // there the whole text is in sight
  if (paper && here.back === null) here.back = firstInSight(chunks);
  const anew = fresh || here.painted !== next.theme || chunks.wide !== body.clientWidth;
  if (anew) remeasure(chunks);
  else if (chunks.tall !== body.clientHeight) settle(chunks);
  needStrip(reading, next.trace.head.patches !== null);
  if (!paper && here.back !== null) {
    body.scrollTop = lineOfToken(chunks, here.back);
    settle(chunks);
    here.back = null;
  } else if (!paper && (anew || (next.moved && body.closest(".ax-plain")))) reveal(chunks, next);
  here.painted = next.theme;
  if (fresh) {
    const panel = parts.element;
    find.listen(/** @type {HTMLElement} */ (panel.closest(".ax") ?? panel));
    find.again();
  }
  focus(reading, next);
}

/** What is pinned, or else the first word, draws the eye for a moment. @param {Here} here */
function pulse({ scene, spans, spots }) {
  if (!scene) return;
  const { view, trace } = scene;
  const pinned = [
    ...view.queries.map((token) => spotOf(trace.head, "row", token)),
    ...view.keys.map((token) => spotOf(trace.head, "column", token)),
  ];
  const first = spots.findIndex(({ token }) => !token.special);
  for (const i of pinned.length ? pinned : [first]) {
    const span = spans[i];
    span?.classList.add("ax-pulse");
    span?.addEventListener("animationend", () => span.classList.remove("ax-pulse"), {
      once: true,
    });
  }
}

/** What is pinned comes into sight, in the box alone. @param {Reading["chunks"]} chunks @param {Scene} scene */
function reveal(chunks, { view: { queries, keys }, trace }) {
  if (queries.length) goTo(chunks, spotOf(trace.head, "row", queries[0]));
  else if (keys.length) goTo(chunks, spotOf(trace.head, "column", keys[0]));
}

/**
 * The strip stands there if the text is longer than its box. It narrows the text, which makes that
 * no shorter.
 * @param {Reading} reading @param {boolean} looks a picture has none
 */
function needStrip({ parts, chunks, strip }, looks) {
  const longer = !looks && heightOf(chunks) > chunks.tall;
  if (longer !== strip.element.hidden) return;
  strip.element.hidden = !longer;
  parts.texts.classList.toggle("ax-stripped", longer);
  remeasure(chunks);
}

/** @param {Reading} reading @param {Scene["trace"]} trace */
function build({ here, parts, chunks }, { head, picture }) {
  const { body, title, photo, unknowns } = parts;
  here.built = head.id;
  here.spots = spotsOf(head);
  here.spans = here.spots.map(() => null);
  here.worn = [];
  here.found = NOTHING_FOUND;
  here.runs = null;
  body.classList.toggle("ax-long", here.spots.length > LONG && !head.patches);
  body.classList.toggle("ax-looks", head.patches !== null);
  title.textContent = head.patches ? t("Picture") : t("Reading view");
  unknowns.show(head);
  here.texts = head.texts.map((_, segment) => piecesIn(here, head, segment));
  if (head.patches) {
    lay(chunks, [], here.spots.length);
    const [marks, patches] = [false, true].map((ordinary) =>
      here.spots.flatMap(({ token }, i) =>
        token.special === ordinary ? [] : [spanAt(here, i, "")],
      ),
    );
    const special = here.spots.filter((spot) => spot.token.special); // some stand behind the patches
    marks.forEach((mark, i) => {
      mark.textContent = special[i].token.text;
    });
    body.replaceChildren(h("p", {}, ...marks), photo.show(picture, head.patches, patches));
  } else {
    const whole = here.spots.length < LONG_TEXT;
    const texts = here.texts.map((pieces) => chunksOf(pieces, whole));
    body.replaceChildren(...lay(chunks, texts, here.spots.length));
  }
  body.scrollTop = 0;
}

/** @param {Here} here @param {import("../numbers/data.js").Header} head @param {number} segment */
function piecesIn(here, { texts, marks, n_cut: nCut, truncation_side: gone }, segment) {
  const letters = [...texts[segment]].map((letter, i) => marks[segment][i] ?? letter);
  const own = here.spots.flatMap(({ token }, i) =>
    token.segment === segment ? [{ token, i }] : [],
  );
  return piecesOf(letters, own, nCut[segment], gone);
}

/** Where a text was cut. @param {number} cut tokens that did not fit */
const scissors = (cut) =>
  h(
    "span",
    { class: "ax-scissors" },
    t("✂ {n} tokens did not fit", { n: cut.toLocaleString("en") }),
  );

/** @param {Here} here @param {number} i of a spot @param {string} shown */
function spanAt(here, i, shown) {
  const { token } = here.spots[i];
  const { head } = /** @type {Scene} */ (here.scene).trace;
  const written = isWritten(head, here.spots[i]);
  let title = token.text;
  if (isUnknown(head, token))
    title = t("{token}: not in this model’s vocabulary", { token: title });
  if (written) title = t("{token}: written, not given", { token: title });
  const span = h("span", { class: "ax-token", "data-token": String(i), title }, shown);
  here.spans[i] = span;
  here.worn[i] = undefined;
  return span;
}

/** @param {Reading} reading @param {Scene} next */
function focus(reading, next) {
  const { here, parts, table } = reading;
  here.scene = next;
  const { model, focus: point, trace } = next;
  const shading = shadingOf(next);
  here.shading = shading;
  repaint(reading);
  const most = shading.values.reduce((a, b) => Math.max(a, b), 0);
  const words = shading.words.map((part) =>
    typeof part === "string" ? part : h("strong", {}, part[0]),
  );
  const end = shading.values.length ? t(" (most: {number}).", { number: digits(most) }) : "…";
  parts.note.replaceChildren(...words, end);
  const what = trace.head.patches ? t("Picture.") : t("Text.");
  parts.body.setAttribute("aria-label", sentences(what, next.says));
  table.fill(next, [model, point.rows.join(), point.columns.join()]);
}

/** What is in sight, as it is to be dressed now; and the strip. @param {Reading} reading */
function repaint(reading) {
  const { scene, shading } = reading.here;
  if (!scene || !shading) return;
  dressAll(reading, scene, shading);
  if (!reading.strip.element.hidden) showStrip(reading, scene, shading);
}

/**
 * @param {Reading} reading @param {Scene} scene
 * @param {import("../numbers/readingtext.js").Shading} shading
 */
function showStrip({ here, chunks, strip }, { trace: { head }, view, theme }, shading) {
  const pinned = [
    ...view.queries.map((token) => spotOf(head, "row", token)),
    ...view.keys.map((token) => spotOf(head, "column", token)),
  ];
  const level = (/** @type {number} */ i) => Math.round(255 * shadeOf(shading, here.spots[i]));
  here.strip = stripFor(here.strip, chunks, shading, level);
  strip.draw(here.strip, chunks, { pinned, found: here.found, theme });
}
