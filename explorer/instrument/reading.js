// The reading view: the pasted text as running text, shaded by the attention of what is chosen.

import { bound, h, keys, picking, range } from "./dom.js";
import { digits } from "./model.js";
import { createTable } from "./table.js";
import { focusOn, named } from "./words.js";

/**
 * @typedef {import("./scene.js").Scene} Scene
 * @typedef {import("./instrument.js").Actions} Actions
 * @typedef {{tone: number, marks: string}} Dress
 */

const SLACK = 40; // pixels above and below what is in sight
const TONES = 24; // shades that are told apart: a change that nobody sees costs nothing
const SLIGHT = 2; // a change by so many shades
const AT_ONCE = 80; // slight changes that a frame bears
const FAINT = 1; // the first shade that is not the page itself
const CUT_SHOWN = 600; // characters of the part that the model did not read
const LONG = 200; // tokens from which the text gets more room

/** @param {Actions} actions */
export function createReading(actions) {
  const body = h("div", {
    class: "ax-text",
    tabindex: "0",
    role: "application",
    "aria-roledescription": "text",
    dir: "auto",
  });
  const note = h("span", {});
  const tones = h("style");
  const table = createTable("reading view", (now) => {
    const { units, values } = shading(now);
    const { query_tokens: tokens } = now.trace.head;
    const rows = tokens.flatMap((token, i) =>
      units[i] < 0 ? [] : [[i, token.text, values[units[i]]]],
    );
    const titles = ["position", "token", "weight"];
    return { titles, counts: ["position"], rows, caption: note.textContent ?? "" };
  });
  const element = h(
    "section",
    { class: "ax-panel ax-panel-reading", "aria-label": "Reading view" },
    h(
      "div",
      { class: "ax-title" },
      h("h3", {}, "Reading view"),
      h("p", { class: "ax-help" }, note),
    ),
    tones,
    body,
    table.element,
  );
  /** @type {Scene | null} */
  let scene = null;
  let built = "";
  /** @type {unknown} */
  let painted = null; // the theme of what is painted
  /** @type {(HTMLElement | null)[]} */
  let spans = []; // by token
  /** @type {Dress[]} */
  let worn = []; // by token, what it is dressed in
  let finishing = 0; // the frame that brings the slight changes
  /** @type {number[]} */
  let lines = []; // by token, where its line begins
  let wide = 0; // when the lines were measured
  let sight = [0, 0]; // what is scrolled into sight; asking the element would cost a layout
  let anchor = 0; // where walking with Shift began

  /** @param {MouseEvent} event */
  function unitAt(event) {
    if (!scene) return null;
    const root = /** @type {Document | ShadowRoot} */ (body.getRootNode());
    const found = root.elementFromPoint(event.clientX, event.clientY)?.closest("[data-token]");
    if (!found || !body.contains(found)) return null;
    const i = unitsOfTokens()[Number(found.getAttribute("data-token"))];
    return i < 0 ? null : { side: side(event), i };
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

  function unitsOfTokens() {
    if (!scene) return new Int32Array(0);
    const { rowOfToken, columnOfToken } = scene.model.layout;
    return scene.view.look === "from" ? rowOfToken : columnOfToken;
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
      const i = now.length ? bound((last ?? 0) + forth + dy, 0, units.length - 1) : 0;
      if (!shift) anchor = i;
      spans[units[i].tokens[0]]?.scrollIntoView({ block: "nearest" });
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
    const { head } = scene.trace;
    built = head.id;
    spans = head.query_tokens.map(() => null);
    worn = [];
    body.classList.toggle("ax-long", head.query_tokens.length > LONG);
    body.replaceChildren(
      ...head.texts.map((text, segment) => {
        const paragraph = h("p", { dir: "auto" });
        const letters = [...text]; // spans count code points, JavaScript strings do not
        let done = 0;
        head.query_tokens.forEach((token, i) => {
          if (token.segment !== segment) return;
          const [start, end] = token.span ?? [done, done];
          if (start > done) paragraph.append(letters.slice(done, start).join(""));
          // A piece that starts inside the one before (a split character) shows only what is new.
          const shown = token.span
            ? letters.slice(Math.max(start, done), end).join("")
            : token.text;
          done = Math.max(done, end);
          const span = h(
            "span",
            {
              class: token.special ? "ax-token ax-special" : "ax-token",
              "data-token": String(i),
              title: token.text,
            },
            shown,
          );
          spans[i] = span;
          paragraph.append(span);
        });
        const rest = letters.slice(done);
        const cut = head.n_cut[segment];
        if (cut) {
          const more = rest.length > CUT_SHOWN ? "…" : "";
          paragraph.append(
            h("span", { class: "ax-scissors" }, `✂ ${cut.toLocaleString("en")} tokens did not fit`),
            h("span", { class: "ax-cut" }, rest.slice(0, CUT_SHOWN).join("") + more),
          );
        } else paragraph.append(rest.join(""));
        return paragraph;
      }),
    );
  }

  /**
   * What the shades mean now: a number for each token's unit, and the number of the full colour.
   * @param {Scene} now
   */
  function shading({ model, focus: point, view, given, got }) {
    const { picture, tops, shares, layout } = model;
    if (given && (!got || view.look === "from")) {
      const looks = point.rows.length > 1 ? " look, on average" : " looks";
      const words = ["Shaded by where ", ...strong(point.rows, picture.rows), looks];
      return { units: layout.columnOfToken, values: given, full: tops[point.rows[0]], words };
    }
    if (got) {
      const name = strong(point.columns, picture.columns);
      const all = point.columns.length > 1 ? ", taken together" : "";
      const words = ["Shaded by how much each token looks at ", ...name, all];
      return { units: layout.rowOfToken, values: got, full: tops, words };
    }
    let full = 1e-9; // what special tokens get does not count
    picture.columns.forEach((unit, c) => {
      if (!unit.special && shares[c] > full) full = shares[c];
    });
    const words = ["Shaded by how much each token is looked at, on average over all the others"];
    return { units: layout.columnOfToken, values: shares, full, words };
  }

  /** @param {Scene} next */
  function focus(next) {
    scene = next;
    const { model, focus: point } = scene;
    const { units, values, full, words } = shading(scene);
    const [first, last] = sight;
    const [rows, columns] = [new Set(point.rows), new Set(point.columns)];
    const { rowOfToken, columnOfToken } = model.layout;
    /** @type {[number, Dress][]} */
    const slight = [];
    spans.forEach((span, token) => {
      if (!span || lines[token] < first || lines[token] > last) return; // out of sight
      const unit = units[token];
      const top = typeof full === "number" ? full : full[Math.max(unit, 0)];
      const tone = unit < 0 ? 0 : bound(Math.round((TONES * values[unit]) / top), 0, TONES);
      const looks = rows.has(rowOfToken[token]) ? " ax-here" : "";
      const seen = columns.has(columnOfToken[token]) ? " ax-seen" : "";
      const next = { tone, marks: `${looks}${seen}${unit < 0 ? " ax-gone" : ""}` };
      const { tone: before, marks } = worn[token] ?? { tone: -9, marks: "" };
      if (marks !== next.marks || Math.abs(before - tone) > SLIGHT) dress(token, next);
      else if (before !== tone) slight.push([token, next]);
    });
    cancelAnimationFrame(finishing);
    // In a long text what changed by a shade or two comes one frame after what anybody would notice.
    const finish = () => slight.forEach(([token, next]) => dress(token, next));
    if (slight.length > AT_ONCE) finishing = requestAnimationFrame(finish);
    else finish();
    const most = values.reduce((a, b) => Math.max(a, b), 0);
    note.replaceChildren(...words, ` (most: ${digits(most)}).`);
    body.setAttribute("aria-label", `Text. ${scene.says}`);
    table.fill(scene, [model, point.rows.join(), point.columns.join()]);
  }

  /** One class for every shade: the browser finds it faster than colours set one by one. */
  function dye() {
    const { fills, inks } = /** @type {Scene} */ (scene).theme;
    const rules = range(FAINT, TONES).map((tone) => {
      const level = Math.round((255 * tone) / TONES);
      return `.ax-token.ax-tone${tone} { background-color: ${fills[level]}; color: ${inks[level]}; }`;
    });
    tones.textContent = rules.join("\n");
  }

  /** @param {number} token @param {Dress} next */
  function dress(token, next) {
    const span = spans[token];
    if (!scene || !span) return;
    worn[token] = next;
    const special = scene.trace.head.query_tokens[token].special ? " ax-special" : "";
    span.className = `ax-token${special} ax-tone${next.tone}${next.marks}`;
  }

  /** @param {number[]} chosen @param {{text: string}[]} units */
  const strong = (chosen, units) =>
    named(chosen, units).map((part) =>
      typeof part === "string" ? part : h("strong", {}, part[0]),
    );

  const panel = { element, draw, focus };
  return panel;
}
