// The reading view: the pasted text as running text, or the picture, shaded by the attention of what
// is chosen. In cross-attention the first text is what is looked at, the second what looks.

import { bound, range } from "../numbers/basics.js";
import { digits } from "../numbers/model.js";
import { focusOn, named } from "../numbers/words.js";
import { h, keys, picking } from "../parts/dom.js";
import { createPhoto } from "../parts/photo.js";
import { createTable } from "../parts/table.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../pages/explore.js").Actions} Actions
 * @typedef {{tone: number, marks: string}} Dress
 * @typedef {{token: import("../numbers/data.js").Token, query: number, key: number}} Spot
 *   a token as it stands in the view; query, key: its place among those, or -1
 */

const SLACK = 40; // pixels above and below what is in sight
const TONES = 24; // shades that are told apart: a change that nobody sees costs nothing
const SLIGHT = 2; // a change by so many shades
const AT_ONCE = 80; // slight changes that a frame bears
const FAINT = 1; // the first shade that is not the page itself
const THICKEST = 85; // per cent of a patch that the full colour covers
const CUT_SHOWN = 600; // characters of the part that the model did not read
const LONG = 200; // tokens from which the text gets more room

/** Where a text was cut. @param {number} cut tokens that did not fit */
const scissors = (cut) =>
  h("span", { class: "ax-scissors" }, `✂ ${cut.toLocaleString("en")} tokens did not fit`);

/** @param {Actions} actions */
export function createReading(actions) {
  const body = h("div", {
    class: "ax-text",
    tabindex: "0",
    role: "application",
    "aria-roledescription": "text",
    dir: "auto",
  });
  const title = h("h3", {}, "Reading view");
  const photo = createPhoto();
  const note = h("span", {});
  const tones = h("style");
  const table = createTable("reading view", (now) => {
    const { unitOf, values } = shading(now);
    const rows = spots.flatMap((spot, i) => {
      const unit = unitOf(spot);
      return unit < 0 ? [] : [[i, spot.token.text, values[unit]]];
    });
    const titles = ["position", "token", "weight"];
    return { titles, counts: ["position"], rows, caption: note.textContent ?? "" };
  });
  const element = h(
    "section",
    { class: "ax-panel ax-panel-reading", "aria-label": "Reading view" },
    h("div", { class: "ax-title" }, title, h("p", { class: "ax-help" }, note)),
    tones,
    body,
    table.element,
  );
  /** @type {Scene | null} */
  let scene = null;
  let built = "";
  /** @type {unknown} */
  let painted = null; // the theme of what is painted
  /** @type {Spot[]} */
  let spots = [];
  /** @type {(HTMLElement | null)[]} */
  let spans = []; // by spot
  /** @type {Dress[]} */
  let worn = []; // by spot, what it is dressed in
  let finishing = 0; // the frame that brings the slight changes
  /** @type {number[]} */
  let lines = []; // by spot, where its line begins
  let wide = 0; // when the lines were measured
  let sight = [0, 0]; // what is scrolled into sight; asking the element would cost a layout
  let anchor = 0; // where walking with Shift began

  /** @param {MouseEvent} event */
  function unitAt(event) {
    if (!scene) return null;
    const root = /** @type {Document | ShadowRoot} */ (body.getRootNode());
    const found = root.elementFromPoint(event.clientX, event.clientY)?.closest("[data-token]");
    if (!found || !body.contains(found)) return null;
    const spot = spots[Number(found.getAttribute("data-token"))];
    const where = spot.query < 0 ? "column" : spot.key < 0 ? "row" : side(event);
    const i = where === "row" ? rowOf(spot) : columnOf(spot);
    return i < 0 ? null : { side: where, i };
  }

  /**
   * The side that a hand in the text picks: the one that is asked about, or with Ctrl the other.
   * @param {{ctrlKey?: boolean, metaKey?: boolean}} [event]
   * @returns {"row" | "column"}
   */
  function side(event) {
    const asked = scene?.view.look === "to" ? "column" : "row";
    const other = asked === "row" ? "column" : "row";
    return event?.ctrlKey || event?.metaKey ? other : asked;
  }

  /** @param {Spot} spot */
  const rowOf = ({ query }) => scene?.model.layout.rowOfToken[query] ?? -1;

  /** @param {Spot} spot */
  const columnOf = ({ key }) => scene?.model.layout.columnOfToken[key] ?? -1;

  /** @param {"row" | "column"} where @param {number} token */
  function spanOf(where, token) {
    const name = where === "row" ? "query" : "key";
    return spans[spots.findIndex((spot) => spot[name] === token)];
  }

  picking(
    body,
    unitAt,
    (where, units) => actions.hover(units && focusOn(where, units), panel),
    (where, units, event) => actions.pick(where, units, event.shiftKey),
  );
  body.addEventListener("scroll", () => {
    sight = [body.scrollTop - SLACK, body.scrollTop + body.clientHeight + SLACK];
    if (scene) focus(scene);
  });
  keys(
    body,
    (dx, dy, shift) => {
      if (!scene) return;
      const where = side();
      const units = where === "row" ? scene.model.picture.rows : scene.model.picture.columns;
      const now = where === "row" ? scene.focus.rows : scene.focus.columns;
      const forth = getComputedStyle(body).direction === "rtl" ? -dx : dx;
      const last = anchor === now[0] ? now[now.length - 1] : now[0];
      const line = scene.trace.head.patches?.[1] ?? 1; // a picture has rows of patches
      const i = now.length ? bound((last ?? 0) + forth + line * dy, 0, units.length - 1) : 0;
      if (!shift) anchor = i;
      spanOf(where, units[i].tokens[0])?.scrollIntoView({ block: "nearest" });
      actions.walk(focusOn(where, shift ? range(anchor, i) : [i]));
    },
    (shift) => {
      if (!scene) return;
      const units = side() === "row" ? scene.focus.rows : scene.focus.columns;
      if (units.length) actions.pick(side(), units, shift);
    },
    actions.clear,
  );

  /** @param {Scene} next */
  function draw(next) {
    scene = next;
    const fresh = built !== scene.trace.head.id;
    if (fresh) build();
    if (painted !== scene.theme) dye();
    if (fresh || painted !== scene.theme || wide !== body.clientWidth) {
      lines = spans.map((span) => span?.offsetTop ?? 0);
      wide = body.clientWidth;
      sight = [body.scrollTop - SLACK, body.scrollTop + body.clientHeight + SLACK];
    }
    painted = scene.theme;
    focus(scene);
  }

  function build() {
    if (!scene) return;
    const { head, picture } = scene.trace;
    built = head.id;
    spots = spotsOf(head);
    spans = spots.map(() => null);
    worn = [];
    body.classList.toggle("ax-long", spots.length > LONG && !head.patches);
    body.classList.toggle("ax-looks", head.patches !== null);
    title.textContent = head.patches ? "Picture" : "Reading view";
    if (head.patches) {
      const [marks, patches] = [false, true].map((ordinary) =>
        spots.flatMap((spot, i) => (spot.token.special === ordinary ? [] : [spanAt(i, "")])),
      );
      const special = spots.filter((spot) => spot.token.special); // some stand behind the patches
      marks.forEach((mark, i) => {
        mark.textContent = special[i].token.text;
      });
      body.replaceChildren(h("p", {}, ...marks), photo.show(picture, head.patches, patches));
    } else body.replaceChildren(...head.texts.map(paragraphOf));
  }

  /** @param {string} text @param {number} segment */
  function paragraphOf(text, segment) {
    const { marks, n_cut: nCut, truncation_side: gone } = /** @type {Scene} */ (scene).trace.head;
    const paragraph = h("p", { dir: "auto" });
    // Spans count code points, JavaScript strings do not.
    const letters = [...text].map((letter, i) => marks[segment][i] ?? letter);
    const own = spots.flatMap(({ token }, i) => (token.segment === segment ? [{ token, i }] : []));
    const cut = nCut[segment];
    let done = 0;
    if (cut && gone === "left") {
      done = own.find(({ token }) => token.span)?.token.span?.[0] ?? letters.length;
      const lost = letters.slice(Math.max(done - CUT_SHOWN, 0), done).join("");
      const more = done > CUT_SHOWN ? "…" : "";
      paragraph.append(h("span", { class: "ax-cut" }, more + lost), scissors(cut));
    }
    for (const { token, i } of own) {
      const [start, end] = token.span ?? [done, done];
      if (start > done) paragraph.append(letters.slice(done, start).join(""));
      // A piece that starts inside the one before (a split character) shows only what is new.
      const shown = token.span ? letters.slice(Math.max(start, done), end).join("") : token.text;
      done = Math.max(done, end);
      paragraph.append(spanAt(i, shown));
    }
    const rest = letters.slice(done);
    if (cut && gone !== "left") {
      const more = rest.length > CUT_SHOWN ? "…" : "";
      const lost = rest.slice(0, CUT_SHOWN).join("") + more;
      paragraph.append(scissors(cut), h("span", { class: "ax-cut" }, lost));
    } else paragraph.append(rest.join(""));
    return paragraph;
  }

  /** @param {number} i of a spot @param {string} shown */
  function spanAt(i, shown) {
    const { token } = spots[i];
    const name = token.special ? "ax-token ax-special" : "ax-token";
    const span = h("span", { class: name, "data-token": String(i), title: token.text }, shown);
    spans[i] = span;
    return span;
  }

  /**
   * What the shades mean now: a number for each spot's unit, and the number of the full colour.
   * @param {Scene} now
   */
  function shading({ model, focus: point, view, given, got }) {
    const { picture, tops } = model;
    if (given && (!got || view.look === "from")) {
      const looks = point.rows.length > 1 ? " look, on average" : " looks";
      const words = ["Shaded by where ", ...strong(point.rows, picture.rows), looks];
      return { unitOf: columnOf, values: given, full: tops[point.rows[0]], words };
    }
    if (got) {
      const name = strong(point.columns, picture.columns);
      const all = point.columns.length > 1 ? ", taken together" : "";
      const words = ["Shaded by how much each token looks at ", ...name, all];
      return { unitOf: rowOf, values: got, full: tops, words };
    }
    const shares = model.shares();
    let full = 1e-9; // what special tokens get does not count
    picture.columns.forEach((unit, c) => {
      if (!unit.special && shares[c] > full) full = shares[c];
    });
    const words = [`Shaded by what each token gets of ${model.base}`];
    return { unitOf: columnOf, values: shares, full, words };
  }

  /** @param {Scene} next */
  function focus(next) {
    scene = next;
    const { model, focus: point } = scene;
    const { unitOf, values, full, words } = shading(scene);
    const [first, last] = sight;
    const [rows, columns] = [new Set(point.rows), new Set(point.columns)];
    /** @type {[number, Dress][]} */
    const slight = [];
    spans.forEach((span, i) => {
      if (!span || lines[i] < first || lines[i] > last) return; // out of sight
      const spot = spots[i];
      const [unit, row, column] = [unitOf(spot), rowOf(spot), columnOf(spot)];
      const top = typeof full === "number" ? full : full[Math.max(unit, 0)];
      const tone = unit < 0 ? 0 : bound(Math.round((TONES * values[unit]) / top), 0, TONES);
      const looks = rows.has(row) ? " ax-here" : "";
      const seen = columns.has(column) ? " ax-seen" : "";
      const gone = row < 0 && column < 0 ? " ax-gone" : "";
      const next = { tone, marks: `${looks}${seen}${gone}` };
      const { tone: before, marks } = worn[i] ?? { tone: -9, marks: "" };
      if (marks !== next.marks || Math.abs(before - tone) > SLIGHT) dress(i, next);
      else if (before !== tone) slight.push([i, next]);
    });
    cancelAnimationFrame(finishing);
    // In a long text what changed by a shade or two comes one frame after what anybody would notice.
    const finish = () => slight.forEach(([i, next]) => dress(i, next));
    if (slight.length > AT_ONCE) finishing = requestAnimationFrame(finish);
    else finish();
    const most = values.reduce((a, b) => Math.max(a, b), 0);
    note.replaceChildren(...words, ` (most: ${digits(most)}).`);
    const what = scene.trace.head.patches ? "Picture" : "Text";
    body.setAttribute("aria-label", `${what}. ${scene.says}`);
    table.fill(scene, [model, point.rows.join(), point.columns.join()]);
  }

  /** One class for every shade: the browser finds it faster than colours set one by one. */
  function dye() {
    const { fills, inks } = /** @type {Scene} */ (scene).theme;
    const rules = range(FAINT, TONES).map((tone) => {
      const level = Math.round((255 * tone) / TONES);
      // Over a picture one colour, thicker where more attention goes: a pale one would hide as much.
      const thick = Math.round((THICKEST * tone) / TONES);
      return `.ax-token.ax-tone${tone} { background-color: ${fills[level]}; color: ${inks[level]}; }
.ax-patch.ax-tone${tone} { background-color: color-mix(in srgb, ${fills[255]} ${thick}%, transparent); }`;
    });
    tones.textContent = rules.join("\n");
  }

  /** @param {number} i of a spot @param {Dress} next */
  function dress(i, next) {
    const span = spans[i];
    if (!scene || !span) return;
    worn[i] = next;
    const patch = scene.trace.head.patches ? " ax-patch" : "";
    const kind = spots[i].token.special ? " ax-special" : patch;
    span.className = `ax-token${kind} ax-tone${next.tone}${next.marks}`;
  }

  /** @param {number[]} chosen @param {{text: string}[]} units */
  const strong = (chosen, units) =>
    named(chosen, units).map((part) =>
      typeof part === "string" ? part : h("strong", {}, part[0]),
    );

  const panel = { element, draw, focus };
  return panel;
}

/**
 * The tokens in the order of reading: what is both query and key once, else keys and then queries.
 * @param {import("../numbers/data.js").Header} head
 * @returns {Spot[]}
 */
function spotsOf({ query_tokens: queries, key_tokens: keys }) {
  if (queries === keys) return queries.map((token, i) => ({ token, query: i, key: i }));
  return [
    ...keys.map((token, key) => ({ token, query: -1, key })),
    ...queries.map((token, query) => ({ token, query, key: -1 })),
  ];
}
