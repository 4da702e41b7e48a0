// How the prediction comes about: each layer read as the last, and who wrote the word.

import { t } from "../numbers/language.js";
import {
  columnsWords,
  edgeOf,
  isAbout,
  isOf,
  lensRows,
  settledSince,
  sideOf,
  signed,
  strongest,
  sumWords,
  whyWords,
} from "../numbers/lens.js";
import { percent, positionOf } from "../numbers/next.js";
import { helpMark } from "../parts/bubble.js";
import { chooser } from "../parts/chooser.js";
import { h, setText, woven } from "../parts/dom.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/lens.js").Asked} Asked
 * @typedef {import("../numbers/lens.js").Lens} Lens
 * @typedef {import("../numbers/lens.js").Wrote} Wrote
 * @typedef {import("../numbers/lens.js").Given} Given
 * @typedef {import("../pages/exploresupply.js").Apart} Apart
 * @typedef {{chooseHead: (layer: number, head: number, add: boolean) => void,
 *            chooseLayer: (layer: number) => void,
 *            pick: (side: "row" | "column", units: number[], add: boolean) => void}} Actions
 * @typedef {ReturnType<typeof elementsOf>} Elements
 */

const SHOWN = 10; // parts
const LENS = t(
  "The logit lens (nostalgebraist 2020): the vector behind each layer is read as if that layer were the last, with the model’s own last norm and table of words. Layers were not trained for it, so early ones are often far off. Point at a cell for its probability; a click goes to that layer.",
);
const WROTE = t(
  "Direct logit attribution (Elhage et al. 2021): the vector behind the last layer is a sum of what the embedding, every head and every MLP have added; with what the last norm divides by kept as it is, so is the logit. What a part says to later parts stands with those. Click a head for its map.",
);

const SIDE = 6; // parts of each side of an edge
const WHY = t(
  "A score is scale · q·k, and both q and k are linear in what their positions hold: the token, the position, what each head and MLP of the layers below has written there, with the norms on the way kept as they are. Each bar is what the score would lose without that part on that side.",
);

/** @param {Actions} actions @param {(asked: Apart) => void} ask told what is wanted */
export function createLens(actions, ask) {
  let [token, other] = /** @type {[number | null, number | null]} */ ([null, null]);
  let about = ""; // the text and place that these are of
  let shown = /** @type {unknown[]} */ ([]);
  /** @type {Scene | null} */
  let scene = null;
  const again = () => scene && show(scene);
  const parts = elementsOf(
    (id) => {
      token = id < 0 ? null : id;
      again();
    },
    (id) => {
      other = id < 0 ? null : id;
      again();
    },
  );
  parts.element.addEventListener("toggle", () =>
    parts.element.open ? again() : ask({ lens: null, why: null }),
  );

  /** @param {Scene} now */
  function show(now) {
    scene = now;
    const { trace, view } = now;
    parts.element.hidden = !trace.head.predicts || Boolean(trace.next?.reason);
    if (parts.element.hidden || !parts.element.open || !trace.next) return;
    const at = positionOf(trace, [], view.queries);
    const place = `${trace.head.id} ${at}`;
    if (place !== about) [about, token, other] = [place, null, null];
    const asked = { at, token, other };
    const edge = edgeOf(view);
    ask({ lens: asked, why: edge });
    const { lens, wrote } = trace;
    fillWhy(parts, now, edge, actions);
    const here = isAbout(lens, asked);
    if (shown[0] === lens && shown[1] === place && shown[2] === here)
      return intoSight(parts, now, edge, here);
    shown = [lens, place, here];
    if (!here || !lens) return setText(parts.waits, t("Reading each layer as the last …"));
    setText(parts.waits, lens.reason ?? "");
    parts.body.hidden = Boolean(lens.reason);
    if (lens.reason) return;
    fillLens(parts, lens, now, actions);
    fillChoices(parts, now, at, asked);
    fillWrote(parts, lens, /** @type {Wrote} */ (wrote), actions);
    intoSight(parts, now, edge, here);
  }
  return {
    element: parts.element,
    draw: show,
    focus: show, // an answer comes without a new picture
    /** Opened by a way that leads here, at what an edge is made of. */
    unfold: () => {
      parts.element.open = true;
      parts.why.isWanted = true;
    },
  };
}

/** @param {(id: number) => void} of @param {(id: number) => void} against */
function elementsOf(of, against) {
  const waits = h("p", { class: "ax-help", role: "status" });
  const settled = h("p", { class: "ax-help" });
  const table = h("table", { class: "ax-lens-table" });
  const token = chooser(t("The word"), [], of);
  const other = chooser(t("The word that it is compared with"), [], against);
  const list = h("ol", { class: "ax-wrote" });
  const sum = h("p", { class: "ax-help" });
  const lens = h(
    "div",
    {},
    h("div", { class: "ax-title" }, h("h3", {}, t("Each layer as the last")), helpMark(LENS)),
    settled,
    h(
      "div",
      {
        class: "ax-lens-scroll ax-scroll",
        tabindex: "0",
        role: "group",
        "aria-label": t("Each layer as the last"),
      },
      table,
    ),
  );
  const tools = [
    h("h3", {}, t("Who wrote")),
    token.element,
    h("span", {}, t("and not")),
    other.element,
  ];
  const wrote = h("div", {}, h("div", { class: "ax-title" }, ...tools, helpMark(WROTE)), list, sum);
  const why = whyElements();
  const body = h("div", { class: "ax-lens-body" }, lens, wrote, why.element);
  const element = /** @type {HTMLDetailsElement} */ (
    h(
      "details",
      {
        class: "ax-panel ax-panel-lens",
        "aria-label": t("How the prediction comes about"),
        hidden: "",
      },
      h("summary", {}, t("How the prediction comes about: layer by layer, and who wrote it")),
      ...[waits, body],
    )
  );
  return { element, waits, body, settled, table, token, other, list, sum, why };
}

/** @param {Elements} parts @param {Lens} lens @param {Scene} scene @param {Actions} actions */
function fillLens({ settled, table }, lens, { trace }, actions) {
  const words = trace.head.query_tokens;
  settled.replaceChildren(
    ...woven(
      t("After {word} the word is settled {since}. Rows are layers, the last on top; {columns}"),
      {
        word: h("strong", { dir: "auto" }, words[lens.at].text),
        since: settledSince(lens, lens.at),
        columns: columnsWords(lens),
      },
    ),
  );
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, t("layer")),
    ...lens.positions.map((position) =>
      h("th", { scope: "col", dir: "auto" }, words[position].text),
    ),
  );
  table.replaceChildren(h("thead", {}, head), h("tbody", {}, ...lensRows(lens).map(line)));

  const scroller = /** @type {HTMLElement} */ (table.parentElement);
  scroller.scrollLeft = scroller.scrollWidth; // the position that is asked about is the last

  /** @param {import("../numbers/lens.js").LensRow} row */
  function line({ layer, name, cells }) {
    const all = cells.map(({ position, text, p, followed }) => {
      const title = t("{text}: {p}; the word in the end: {followed}", {
        text,
        p: percent(p),
        followed: percent(followed),
      });
      const button = h("button", { type: "button", title }, text);
      button.style.setProperty("--share", String(Math.round(100 * p)));
      button.addEventListener("click", () => {
        actions.pick("row", [position], false);
        if (layer >= 0) actions.chooseLayer(layer);
      });
      return h("td", position === lens.at ? { "aria-current": "true" } : {}, button);
    });
    return h("tr", {}, h("th", { scope: "row" }, name), ...all);
  }
}

/**
 * What made a score comes into sight once, where a way led to it: when all above it stands.
 * @param {Elements} parts @param {Scene} scene @param {number[] | null} edge @param {boolean} isRead
 */
function intoSight({ why }, { trace }, edge, isRead) {
  if (!why.isWanted || !isRead || !trace.why || !isOf(trace.why, edge)) return;
  why.isWanted = false;
  why.element.scrollIntoView({ block: "center" });
}

/** Where the score of an edge is taken apart. */
function whyElements() {
  const title = h("h3", {}, t("What made this score"));
  const says = h("p", { class: "ax-help" });
  const [query, key] = [h("ol", { class: "ax-wrote" }), h("ol", { class: "ax-wrote" })];
  const sides = h("div", { class: "ax-sides" }, query, key);
  const element = h(
    "div",
    { class: "ax-whole" },
    h("div", { class: "ax-title" }, title, helpMark(WHY)),
    ...[says, sides],
  );
  return { element, says, sides, query, key, isWanted: false };
}

/** @param {Elements} parts @param {Scene} scene @param {number[] | null} edge @param {Actions} actions */
function fillWhy({ why: { says, sides, query, key } }, { trace }, edge, actions) {
  const { why, head } = trace;
  sides.hidden = !why || !isOf(why, edge) || Boolean(why.reason);
  if (!edge) return setText(says, t("Pin a word and one that it looks at: what made their score?"));
  if (!why || !isOf(why, edge)) return setText(says, t("Taking the score apart …"));
  if (why.reason) return setText(says, why.reason);
  const [from, to] = edge.slice(2).map((at) => head.query_tokens[at].text);
  setText(says, whyWords(why, from, to));
  for (const [side, list, word] of /** @type {const} */ ([
    ["query", query, from],
    ["key", key, to],
  ])) {
    const given = sideOf(why, side, SIDE);
    list.replaceChildren(
      h(
        "li",
        { class: "ax-help" },
        side === "query"
          ? t("what stands at “{word}”, as query", { word })
          : t("what stands at “{word}”, as key", { word }),
      ),
      ...barsOf(given, actions),
    );
  }
}

/** The words that may be asked about. @param {Elements} parts @param {Scene} scene @param {number} at @param {Asked} asked */
function fillChoices({ token, other }, { trace }, at, asked) {
  const next = /** @type {import("../numbers/next.js").Next} */ (trace.next);
  const i = at - next.first;
  const ids = [...next.ids.subarray(i * next.k, (i + 1) * next.k)];
  const named = ids.map((id) => /** @type {[string, string]} */ ([`${id}`, next.names[id] ?? ""]));
  token.offer(named);
  other.offer([["-1", t("(any other)")], ...named]);
  token.show(asked.token ?? ids[0]);
  other.show(asked.other ?? -1);
}

/** @param {Elements} parts @param {Lens} lens @param {Wrote} wrote @param {Actions} actions */
function fillWrote({ list, sum }, { names }, wrote, actions) {
  setText(sum, wrote.reason ?? sumWords(wrote));
  if (wrote.reason) return list.replaceChildren();
  const [word, other] = names;
  const who = other
    ? t("Who wrote {word} and not {other}", { word, other })
    : t("Who wrote {word}", { word });
  list.setAttribute("aria-label", who);
  list.replaceChildren(...barsOf(strongest(wrote, SHOWN), actions));
}

/** Each as a bar, the longest the whole width. @param {Given[]} given @param {Actions} actions */
function barsOf(given, actions) {
  const most = Math.max(...given.map(({ value }) => Math.abs(value)), 1e-9);
  return given.map((one) => h("li", {}, bar(one, most, actions)));
}

/** @param {Given} given @param {number} most @param {Actions} actions */
function bar({ part, value }, most, actions) {
  const { layer, head } = part;
  const isHead = layer !== null && head !== null;
  const title = isHead ? t("See where it looks") : part.name;
  const element = h(isHead ? "button" : "span", { class: "ax-given", title }, part.name);
  if (isHead) element.addEventListener("click", () => actions.chooseHead(layer, head, false));
  element.append(h("span", { class: value < 0 ? "ax-against" : "ax-for" }, signed(value)));
  element.style.setProperty("--share", `${(100 * Math.abs(value)) / most}%`);
  return element;
}
