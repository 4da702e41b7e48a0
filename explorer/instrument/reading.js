// The reading view: the pasted text as running text, shaded by the attention of what is chosen.

import { bound, h, keys } from "./dom.js";
import { columnOf, digits, rowOf } from "./model.js";

/**
 * @typedef {import("./scene.js").Scene} Scene
 * @typedef {import("./instrument.js").Actions} Actions
 */

const SLACK = 40; // pixels above and below what is in sight
const FAINT = 3; // levels up to here are the page itself
const CUT_SHOWN = 600; // characters of the part that the model did not read

/** @param {Actions} actions */
export function createReading(actions) {
  const body = h("div", {
    class: "ax-text",
    tabindex: "0",
    role: "application",
    "aria-roledescription": "text",
    dir: "auto",
  });
  const note = h("p", { class: "ax-help" });
  const element = h(
    "section",
    { class: "ax-panel ax-panel-reading", "aria-label": "Reading view" },
    h("div", { class: "ax-title" }, h("h3", {}, "Reading view"), note),
    body,
  );
  /** @type {Scene | null} */
  let scene = null;
  let built = "";
  /** @type {unknown} */
  let painted = null; // the theme of what is painted
  /** @type {(HTMLElement | null)[]} */
  let spans = []; // by token
  /** @type {string[]} */
  let worn = []; // by token, what it was dressed in last
  /** @type {number[]} */
  let lines = []; // by token, where its line begins

  const at = (/** @type {Event} */ event) => {
    const token = /** @type {HTMLElement} */ (event.target).closest?.("[data-token]");
    return token ? Number(token.getAttribute("data-token")) : null;
  };
  body.addEventListener("pointerover", (event) => {
    if (event.pointerType === "mouse") actions.hover(unitAt(at(event)));
  });
  body.addEventListener("scroll", () => scene && focus(scene));
  body.addEventListener("pointerleave", () => actions.hover(null));
  body.addEventListener("click", (event) => {
    const unit = unitAt(at(event));
    if (unit) actions.pin(unit.row, unit.column);
  });
  keys(
    body,
    (dx, dy) => {
      if (!scene) return;
      const units =
        scene.view.look === "from" ? scene.model.picture.rows : scene.model.picture.columns;
      const now = scene.view.look === "from" ? scene.focus.row : scene.focus.column;
      const i = now === null ? 0 : bound(now + dx + dy, 0, units.length - 1);
      spans[units[i].tokens[0]]?.scrollIntoView({ block: "nearest" });
      actions.walk(side(i));
    },
    () => scene && actions.pin(scene.focus.row, scene.focus.column),
    actions.clear,
  );

  /** @param {number} i */
  const side = (i) =>
    scene?.view.look === "to" ? { row: null, column: i } : { row: i, column: null };

  /** @param {number | null} token */
  function unitAt(token) {
    if (token === null || !scene) return null;
    const i = (scene.view.look === "from" ? scene.model.rowOfToken : scene.model.columnOfToken)[
      token
    ];
    return i < 0 ? null : side(i);
  }

  /** @param {Scene} next */
  function draw(next) {
    scene = next;
    if (built !== scene.trace.head.id) build();
    if (painted !== scene.theme) worn = [];
    painted = scene.theme;
    lines = spans.map((span) => span?.offsetTop ?? 0);
    focus(scene);
  }

  function build() {
    if (!scene) return;
    const { head } = scene.trace;
    built = head.id;
    spans = head.query_tokens.map(() => null);
    worn = [];
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
  function shading({ model, focus: point, view }) {
    const { picture, tops, shares, rowOfToken, columnOfToken } = model;
    const { row, column } = point;
    if (row !== null && (column === null || view.look === "from")) {
      const words = ["Shaded by where ", strong(picture.rows[row].text), " looks"];
      return { units: columnOfToken, values: rowOf(picture, row), full: tops[row], words };
    }
    if (column !== null) {
      const name = strong(picture.columns[column].text);
      const words = ["Shaded by how much each token looks at ", name];
      return { units: rowOfToken, values: columnOf(picture, column), full: tops, words };
    }
    const usual = picture.columns.flatMap((unit, c) => (unit.special ? [] : [shares[c]]));
    const words = ["Shaded by how much each token is looked at, on average over all the others"];
    return { units: columnOfToken, values: shares, full: Math.max(...usual, 1e-9), words };
  }

  /** @param {Scene} next */
  function focus(next) {
    scene = next;
    const { model, focus: point } = scene;
    const { units, values, full, words } = shading(scene);
    const [first, last] = [body.scrollTop - SLACK, body.scrollTop + body.clientHeight + SLACK];
    spans.forEach((span, token) => {
      if (!span || lines[token] < first || lines[token] > last) return; // out of sight
      const unit = units[token];
      const top = typeof full === "number" ? full : full[Math.max(unit, 0)];
      const level = unit < 0 ? 0 : bound(Math.round((255 * values[unit]) / top), 0, 255);
      const row = model.rowOfToken[token];
      const here = row >= 0 && (row === point.row || model.columnOfToken[token] === point.column);
      dress(span, token, level, `${here ? " ax-here" : ""}${unit < 0 ? " ax-gone" : ""}`);
    });
    note.replaceChildren(...words, ` (most: ${digits(Math.max(...values))}).`);
    body.setAttribute("aria-label", `Text. ${scene.says}`);
  }

  /**
   * Styles are set only where something changed.
   * @param {HTMLElement} span @param {number} token @param {number} level @param {string} marks
   */
  function dress(span, token, level, marks) {
    if (!scene || worn[token] === `${level}${marks}`) return;
    worn[token] = `${level}${marks}`;
    span.style.backgroundColor = level > FAINT ? scene.theme.fills[level] : "";
    span.style.color = level > FAINT ? scene.theme.inks[level] : "";
    const special = scene.trace.head.query_tokens[token].special;
    span.className = `ax-token${special ? " ax-special" : ""}${marks}`;
  }

  /** @param {string} text */
  const strong = (text) => h("strong", {}, text);

  return { element, draw, focus };
}
