// The reading view: the pasted text as running text, shaded by the attention of what is chosen.

import { bound, h, keys } from "./dom.js";
import { columnOf, digits, rowOf } from "./model.js";

/**
 * @typedef {import("./scene.js").Scene} Scene
 * @typedef {import("./instrument.js").Actions} Actions
 */

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
  /** @type {number[]} */
  let levels = []; // by token, as painted

  const at = (/** @type {Event} */ event) => {
    const token = /** @type {HTMLElement} */ (event.target).closest?.("[data-token]");
    return token ? Number(token.getAttribute("data-token")) : null;
  };
  body.addEventListener("pointerover", (event) => {
    if (event.pointerType === "mouse") actions.hover(unitAt(at(event)));
  });
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
    if (painted !== scene.theme) levels = [];
    painted = scene.theme;
    focus(scene);
  }

  function build() {
    if (!scene) return;
    const { head } = scene.trace;
    built = head.id;
    spans = head.query_tokens.map(() => null);
    levels = [];
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

  /** @param {Scene} next */
  function focus(next) {
    scene = next;
    const { model, focus: point, theme, view } = scene;
    const { picture, tops } = model;
    const byRow = point.row !== null && (point.column === null || view.look === "from");
    const byColumn = !byRow && point.column !== null;
    const units =
      byRow || (!byColumn && view.look === "from")
        ? model.columnOfToken
        : byColumn
          ? model.rowOfToken
          : model.columnOfToken;
    const shares = byRow
      ? rowOf(picture, point.row ?? 0)
      : byColumn
        ? columnOf(picture, point.column ?? 0)
        : model.shares;
    const ordinary = picture.columns.map((unit, c) => (unit.special ? 0 : c)).filter((c) => c > 0);
    const usual = byRow || byColumn ? 0 : Math.max(...ordinary.map((c) => shares[c]), 1e-9);
    spans.forEach((span, token) => {
      if (!span) return;
      const unit = units[token];
      const top = usual || tops[byRow ? (point.row ?? 0) : Math.max(unit, 0)];
      const level = unit < 0 ? 0 : bound(Math.round((255 * shares[unit]) / top), 0, 255);
      if (levels[token] !== level) {
        levels[token] = level; // styles are set only where something changed
        span.style.backgroundColor = level > FAINT ? theme.fills[level] : "";
        span.style.color = level > FAINT ? theme.inks[level] : "";
      }
      const pointed =
        model.rowOfToken[token] >= 0 &&
        (model.rowOfToken[token] === point.row || model.columnOfToken[token] === point.column);
      span.classList.toggle("ax-here", pointed);
      span.classList.toggle("ax-gone", unit < 0);
    });
    note.replaceChildren(
      ...(byRow
        ? [
            "Shaded by where ",
            strong(picture.rows[point.row ?? 0].text),
            ` looks (most: ${digits(Math.max(...shares))}).`,
          ]
        : byColumn
          ? [
              "Shaded by how much each token looks at ",
              strong(picture.columns[point.column ?? 0].text),
              ` (most: ${digits(Math.max(...shares))}).`,
            ]
          : ["Shaded by how much each token is looked at by all the others, on average."]),
    );
    body.setAttribute("aria-label", `Text. ${scene.says}`);
  }

  /** @param {string} text */
  const strong = (text) => h("strong", {}, text);

  return { element, draw, focus };
}
