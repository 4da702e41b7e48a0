// The reading view: the pasted text as running text, or the picture, shaded by the attention of what
// is chosen. In cross-attention the first text is what is looked at, the second what looks.

import { range } from "../numbers/basics.js";
import { digits } from "../numbers/model.js";
import {
  changeOf,
  columnOf,
  dressOf,
  piecesOf,
  rowOf,
  shadingOf,
  sideOf,
  spotsOf,
  stepThrough,
  TONES,
} from "../numbers/readingtext.js";
import { focusOn } from "../numbers/words.js";
import { h, keys, picking } from "../parts/dom.js";
import { createPhoto } from "../parts/photo.js";
import { createTable } from "../parts/table.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../pages/explore.js").Actions} Actions
 * @typedef {import("../numbers/readingtext.js").Dress} Dress
 * @typedef {import("../numbers/readingtext.js").Spot} Spot
 * @typedef {{scene: Scene | null, built: string, painted: unknown, spots: Spot[],
 *            spans: (HTMLElement | null)[], worn: Dress[], finishing: number, lines: number[],
 *            wide: number, sight: [number, number], anchor: number}} Here
 *   built: the trace that stands there; painted: the theme of what is painted; by spot: spans, what
 *   is worn, and the lines, where they begin; finishing: the frame that brings the slight changes;
 *   wide: when the lines were measured; sight: what is scrolled into sight, as asking the element
 *   would cost a layout; anchor: where walking with Shift began
 * @typedef {ReturnType<typeof elementsOf>} Elements
 * @typedef {{here: Here, parts: Elements, table: ReturnType<typeof createTable>}} Reading
 */

const SLACK = 40; // pixels above and below what is in sight
const AT_ONCE = 80; // slight changes that a frame bears
const FAINT = 1; // the first shade that is not the page itself
const THICKEST = 85; // per cent of a patch that the full colour covers
const LONG = 200; // tokens from which the text gets more room

/** @param {Actions} actions */
export function createReading(actions) {
  /** @type {Here} */
  const here = {
    ...{ scene: null, built: "", painted: null, spots: [], spans: [], worn: [] },
    ...{ finishing: 0, lines: [], wide: 0, sight: [0, 0], anchor: 0 },
  };
  const table = createTable("reading view", (now) => {
    const { unitOf, values } = shadingOf(now);
    const rows = here.spots.flatMap((spot, i) => {
      const unit = unitOf(spot);
      return unit < 0 ? [] : [[i, spot.token.text, values[unit]]];
    });
    const titles = ["position", "token", "weight"];
    return { titles, counts: ["position"], rows, caption: parts.note.textContent ?? "" };
  });
  const parts = elementsOf(table.element);
  const reading = { here, parts, table };
  const panel = {
    element: parts.element,
    /** @param {Scene} next */
    draw: (next) => draw(reading, next),
    /** @param {Scene} next */
    focus: (next) => focus(reading, next),
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

/** @param {HTMLElement} table */
function elementsOf(table) {
  const body = h("div", {
    class: "ax-text",
    tabindex: "0",
    role: "application",
    "aria-roledescription": "text",
    dir: "auto",
  });
  const title = h("h3", {}, "Reading view");
  const note = h("span", {});
  const tones = h("style");
  const element = h(
    "section",
    { class: "ax-panel ax-panel-reading", "aria-label": "Reading view" },
    h("div", { class: "ax-title" }, title, h("p", { class: "ax-help" }, note)),
    tones,
    body,
    table,
  );
  return { element, body, title, note, tones, photo: createPhoto() };
}

/** @param {Reading} reading @param {Actions} actions */
function listen(reading, actions) {
  const { here, parts } = reading;
  const side = () => sideOf(here.scene?.view.look);
  parts.body.addEventListener("scroll", () => {
    here.sight = sightOf(parts.body);
    if (here.scene) focus(reading, here.scene);
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

/** @param {HTMLElement} body @returns {[number, number]} */
const sightOf = (body) => [body.scrollTop - SLACK, body.scrollTop + body.clientHeight + SLACK];

/** @param {Reading} reading @param {MouseEvent} event */
function unitAt({ here, parts }, event) {
  if (!here.scene) return null;
  const { model, view } = here.scene;
  const root = /** @type {Document | ShadowRoot} */ (parts.body.getRootNode());
  const found = root.elementFromPoint(event.clientX, event.clientY)?.closest("[data-token]");
  if (!found || !parts.body.contains(found)) return null;
  const spot = here.spots[Number(found.getAttribute("data-token"))];
  const own = sideOf(view.look, event);
  const where = spot.query < 0 ? "column" : spot.key < 0 ? "row" : own;
  const i = where === "row" ? rowOf(model, spot) : columnOf(model, spot);
  return i < 0 ? null : { side: where, i };
}

/**
 * One step of the arrow keys; what it leads to comes into sight.
 * @param {Reading} reading @param {Scene} scene @param {"row" | "column"} where
 * @param {number} dx @param {number} dy @param {boolean} shift
 * @returns {number[]} the units that are chosen then
 */
function walk({ here, parts }, scene, where, dx, dy, shift) {
  const { picture } = scene.model;
  const units = where === "row" ? picture.rows : picture.columns;
  const now = where === "row" ? scene.focus.rows : scene.focus.columns;
  const forth = getComputedStyle(parts.body).direction === "rtl" ? -dx : dx;
  const line = scene.trace.head.patches?.[1] ?? 1; // a picture has rows of patches
  const next = stepThrough(now, here.anchor, forth + line * dy, units.length, shift);
  here.anchor = next.anchor;
  const name = where === "row" ? "query" : "key";
  const [token] = units[next.i].tokens;
  const span = here.spans[here.spots.findIndex((spot) => spot[name] === token)];
  span?.scrollIntoView({ block: "nearest" });
  return next.units;
}

/** @param {Reading} reading @param {Scene} next */
function draw(reading, next) {
  const { here, parts } = reading;
  const { body } = parts;
  here.scene = next;
  const fresh = here.built !== next.trace.head.id;
  if (fresh) build(here, parts, next.trace);
  if (here.painted !== next.theme) parts.tones.textContent = rulesOf(next.theme);
  if (fresh || here.painted !== next.theme || here.wide !== body.clientWidth) {
    here.lines = here.spans.map((span) => span?.offsetTop ?? 0);
    here.wide = body.clientWidth;
    here.sight = sightOf(body);
  }
  here.painted = next.theme;
  focus(reading, next);
}

/** @param {Here} here @param {Elements} parts @param {Scene["trace"]} trace */
function build(here, { body, title, photo }, { head, picture }) {
  here.built = head.id;
  here.spots = spotsOf(head);
  here.spans = here.spots.map(() => null);
  here.worn = [];
  body.classList.toggle("ax-long", here.spots.length > LONG && !head.patches);
  body.classList.toggle("ax-looks", head.patches !== null);
  title.textContent = head.patches ? "Picture" : "Reading view";
  if (head.patches) {
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
  } else body.replaceChildren(...head.texts.map((_, i) => paragraphOf(here, head, i)));
}

/** @param {Here} here @param {import("../numbers/data.js").Header} head @param {number} segment */
function paragraphOf(here, { texts, marks, n_cut: nCut, truncation_side: gone }, segment) {
  const letters = [...texts[segment]].map((letter, i) => marks[segment][i] ?? letter);
  const own = here.spots.flatMap(({ token }, i) =>
    token.segment === segment ? [{ token, i }] : [],
  );
  const paragraph = h("p", { dir: "auto" });
  for (const piece of piecesOf(letters, own, nCut[segment], gone)) {
    if (piece.kind === "token") paragraph.append(spanAt(here, piece.i, piece.text));
    else if (piece.kind === "scissors") paragraph.append(scissors(piece.cut));
    else if (piece.kind === "gone") paragraph.append(h("span", { class: "ax-cut" }, piece.text));
    else paragraph.append(piece.text);
  }
  return paragraph;
}

/** Where a text was cut. @param {number} cut tokens that did not fit */
const scissors = (cut) =>
  h("span", { class: "ax-scissors" }, `✂ ${cut.toLocaleString("en")} tokens did not fit`);

/** @param {Here} here @param {number} i of a spot @param {string} shown */
function spanAt(here, i, shown) {
  const { token } = here.spots[i];
  const name = token.special ? "ax-token ax-special" : "ax-token";
  const span = h("span", { class: name, "data-token": String(i), title: token.text }, shown);
  here.spans[i] = span;
  return span;
}

/** @param {Reading} reading @param {Scene} next */
function focus({ here, parts, table }, next) {
  here.scene = next;
  const { model, focus: point, trace } = next;
  const shading = shadingOf(next);
  dressAll(here, next, shading);
  const most = shading.values.reduce((a, b) => Math.max(a, b), 0);
  const words = shading.words.map((part) =>
    typeof part === "string" ? part : h("strong", {}, part[0]),
  );
  parts.note.replaceChildren(...words, ` (most: ${digits(most)}).`);
  const what = trace.head.patches ? "Picture" : "Text";
  parts.body.setAttribute("aria-label", `${what}. ${next.says}`);
  table.fill(next, [model, point.rows.join(), point.columns.join()]);
}

/**
 * Dress what is in sight.
 * @param {Here} here @param {Scene} scene
 * @param {import("../numbers/readingtext.js").Shading} shading
 */
function dressAll(here, { model, focus: point }, shading) {
  const [first, last] = here.sight;
  const [rows, columns] = [new Set(point.rows), new Set(point.columns)];
  /** @type {[number, Dress][]} */
  const slight = [];
  here.spans.forEach((span, i) => {
    if (!span || here.lines[i] < first || here.lines[i] > last) return; // out of sight
    const next = dressOf(shading, model, here.spots[i], rows, columns);
    const change = changeOf(here.worn[i], next);
    if (change === "plain") dress(here, i, next);
    else if (change === "slight") slight.push([i, next]);
  });
  cancelAnimationFrame(here.finishing);
  // In a long text what changed by a shade or two comes one frame after what anybody would notice.
  const finish = () => slight.forEach(([i, next]) => dress(here, i, next));
  if (slight.length > AT_ONCE) here.finishing = requestAnimationFrame(finish);
  else finish();
}

/** @param {Here} here @param {number} i of a spot @param {Dress} next */
function dress(here, i, next) {
  const span = here.spans[i];
  if (!here.scene || !span) return;
  here.worn[i] = next;
  const patch = here.scene.trace.head.patches ? " ax-patch" : "";
  const kind = here.spots[i].token.special ? " ax-special" : patch;
  span.className = `ax-token${kind} ax-tone${next.tone}${next.marks}`;
}

/**
 * One class for every shade: the browser finds it faster than colours set one by one.
 * @param {Scene["theme"]} theme
 */
function rulesOf({ fills, inks }) {
  const rules = range(FAINT, TONES).map((tone) => {
    const level = Math.round((255 * tone) / TONES);
    // Over a picture one colour, thicker where more attention goes: a pale one would hide as much.
    const thick = Math.round((THICKEST * tone) / TONES);
    return `.ax-token.ax-tone${tone} { background-color: ${fills[level]}; color: ${inks[level]}; }
.ax-patch.ax-tone${tone} { background-color: color-mix(in srgb, ${fills[255]} ${thick}%, transparent); }`;
  });
  return rules.join("\n");
}
