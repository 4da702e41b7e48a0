// What can be taken away: pictures of what is on screen, its weights, the instrument itself.

import { toCsv } from "../numbers/csv.js";
import { t } from "../numbers/language.js";
import { edgeOf } from "../numbers/lens.js";
import { lensCsv, nextCsv } from "../numbers/nextcsv.js";
import { pythonOf, switchesOf } from "../numbers/view.js";
import { fileWords, quoted } from "../parts/about.js";
import { choice, h, pushButton, setText } from "../parts/dom.js";
import { createMenu } from "../parts/menu.js";
import { fileName, megabytes, offer } from "./handing.js";
import { toPdf } from "./pdf.js";
import { Recorder } from "./record.js";
import { shoot, sizeOf } from "./shoot.js";
import { toSvg } from "./svg.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {"svg" | "pdf" | "png"} Kind
 * @typedef {"everything" | "reading" | "grid" | "flow" | "heatmap" | "layers" | "next"
 *         | "lens"} What
 * @typedef {import("../pages/explore.js").PageOf} PageOf
 * @typedef {{choices: () => {name: string, bytes: number, of: PageOf}[],
 *            fetch: ((which: PageOf) => void) | null}} Pages
 *   choices: what can be taken as a page, the smaller first, each with its bytes, about; fetch: null
 *   where there is no server
 */

const KINDS = /** @type {const} */ (["svg", "pdf", "png"]);
const MOST_LETTERS = 200; // of a text in a table
const SCALE = 2; // dots of a PNG for a pixel
const MOST_PAGE = 160 * 2 ** 20; // wire/trace.py's MAX_PAGE
const ALL_NUMBERS = t("All numbers of this page as arrays, for numpy");
const PYTHON = t("The lines that give these numbers");
const NO_PYTHON = t("This file was saved without what would be asked for in Python");
const NOT_YET = t("These weights are still being added up: try again in a moment.");
const NOT_OPEN = t("There is nothing to see of this yet: open it first.");

/** @type {[What, string, string][]} */
const WHATS = [
  ["everything", t("everything"), t("All that is on screen, under a title")],
  ["reading", t("reading view"), t("The shaded text")],
  ["grid", t("heads"), t("The small pictures")],
  ["flow", t("flow"), t("The lines")],
  ["heatmap", t("heatmap"), t("The map of the chosen heads")],
  ["layers", t("layers"), t("The path through the layers, if it is open")],
  ["next", t("what comes next"), t("Of a model that predicts it")],
  ["lens", t("how it comes about"), t("Layer by layer, and who wrote it, if that is open")],
];
/** What a table holds. @type {(what: What) => string} */
const tableName = (what) =>
  what === "next"
    ? t("Probabilities of what comes next")
    : what === "lens"
      ? t("Layer by layer, and what each part gave")
      : t("Weights of the heatmap");

/**
 * @param {Record<What, () => HTMLElement[]>} parts what each picture is made of
 * @param {() => Scene | null} sceneNow @param {Pages} pages
 * @param {() => import("../numbers/heatground.js").Saved | null} numbersNow those of the heatmap
 * @param {(() => void) | null} npz asks for all weights; null where there is no server
 */
export function createFiles(parts, sceneNow, pages, numbersNow, npz) {
  /** @type {What} */
  let what = "everything";
  const told = h("p", { class: "ax-help", role: "status" });
  const table = h("legend", {}, tableName(what));
  const which = choice(t("Picture of"), WHATS, (value) => {
    what = value;
    setText(table, tableName(what));
  });
  which.show(what);
  const kinds = KINDS.map((kind) =>
    pushButton(kind.toUpperCase(), titleOfKind(kind), () =>
      save(kind).catch((error) => {
        setText(told, t("This picture could not be made. Try another kind of file."));
        throw error; // for the console
      }),
    ),
  );
  const csv = pushButton("CSV", t("These numbers, for a spreadsheet"), () => {
    const scene = sceneNow();
    setText(told, scene ? saveTable(what, scene, numbersNow) : NOT_OPEN);
  });
  const python = pythonButton(told, () => {
    const scene = sceneNow();
    return scene ? pythonOf(scene.trace.head.about.code, scene.view, scene.trace.head.long) : "";
  });
  const programs = forPrograms(npz, python.element);
  const page = createPageChoice(told, sceneNow, pages);
  const element = createMenu(t("Save"), [
    ...[which.element, ...groupsOf(kinds, table, csv), programs, page.element, told],
  ]);
  element.addEventListener("toggle", () => {
    if (!element.open) return;
    offerWhats(which.element, sceneNow()?.trace.head.predicts ?? false);
    page.tellSizes();
    python.tell();
  });

  /** @param {Kind} kind */
  async function save(kind) {
    const scene = sceneNow();
    const elements = parts[what]().filter((element) => element.getClientRects().length);
    if (!scene || !elements.length) {
      told.textContent = NOT_OPEN;
      return;
    }
    told.textContent = "";
    const name = nameOfFile(scene, what === "everything" ? "" : what);
    const blob = await pictureFile(kind, elements, titleOf(scene), scene.theme, scene.says);
    if (blob) offer(blob, fileName(name, kind));
  }

  /** A page that the server has made. @param {Uint8Array} bytes */
  function arrived(bytes) {
    const large = t("This is too large for a browser; take single layers.");
    told.textContent = pageTrouble(bytes, large);
    if (told.textContent) return;
    const html = new Blob([/** @type {BlobPart} */ (bytes)], { type: "text/html" });
    const scene = sceneNow();
    offer(html, scene ? fileName(nameOfFile(scene, page.asked()), "html") : "attention.html");
  }

  return { element, arrived };
}

/**
 * Why what came for a page is none; empty if it is one.
 * @param {Uint8Array} bytes nothing if it would be too large, a single one if it could not be made
 * @param {string} [large] what is said where it is too large
 */
export function pageTrouble({ length }, large = t("This is too large for a browser.")) {
  if (!length) return large;
  return length === 1 ? t("The page could not be made; above the picture it is said why.") : "";
}

/** Pictures of what there is: not every model predicts. @param {HTMLElement} choices @param {boolean} predicts */
function offerWhats(choices, predicts) {
  for (const input of choices.querySelectorAll("[value=next], [value=lens]")) {
    const label = /** @type {HTMLElement} */ (input.closest("label"));
    label.hidden = !predicts;
  }
}

/** What a file is called after: the model, the heads, the text. @param {Scene} scene @param {string} [what] */
const nameOfFile = ({ trace: { head }, model, view }, what = "") =>
  `${fileWords(head.about)} ${[model.name, ...switchesOf(view)].join(" ")} ${what}`;

/** @param {HTMLElement[]} kinds @param {HTMLElement} table its name @param {HTMLElement} csv */
const groupsOf = (kinds, table, csv) => [
  h("fieldset", { class: "ax-choice" }, h("legend", {}, t("as a file")), h("div", {}, ...kinds)),
  h("fieldset", { class: "ax-choice" }, table, h("div", {}, csv)),
];

/**
 * The instrument as one file: with what is shown, or with more.
 * @param {HTMLElement} told where it is said that a page is being made
 * @param {() => Scene | null} sceneNow @param {Pages} pages
 */
function createPageChoice(told, sceneNow, pages) {
  const buttons = [0, 1, 2].map((i) => pushButton("", "", () => fetchPage(i)));
  const element = h(
    "fieldset",
    { class: "ax-choice" },
    h("legend", {}, t("This instrument as a web page that opens offline")),
    h("div", {}, ...buttons),
  );
  element.hidden = pages.fetch === null;
  let asked = ""; // what the page holds that was asked for last

  function tellSizes() {
    told.textContent = "";
    const choices = pages.choices();
    buttons.forEach((button, i) => {
      button.hidden = !choices[i];
    });
    choices.forEach(({ name, bytes }, i) => {
      const button = buttons[i];
      button.textContent = t("{name} (about {size})", { name, size: megabytes(bytes) });
      button.disabled = bytes > MOST_PAGE;
      button.title = button.disabled
        ? t("Too large for a browser; take less")
        : t("One file with this picture in it, as it is now");
    });
  }

  /** @param {number} i */
  function fetchPage(i) {
    const choice = pages.choices()[i];
    if (!sceneNow() || !choice) return;
    told.textContent = t("The page is being made…");
    asked = choice.name;
    pages.fetch?.(choice.of);
  }

  return { element, tellSizes, asked: () => asked };
}

/** @param {Scene} scene */
const titleOf = ({ trace: { head }, model, view }) =>
  [
    ...[head.title, head.passport, [model.name, ...switchesOf(view)].join(", ")],
    head.texts.join(" / ").replace(/\s+/g, " "),
  ]
    .filter(Boolean)
    .join(" · ");

/**
 * The numbers of a picture as a file; its first cell says whose they are.
 * @param {What} what @param {Scene} scene
 * @param {() => import("../numbers/heatground.js").Saved | null} heatmap its numbers, once known
 * @returns {string} why there is none; empty if it was handed out
 */
function saveTable(what, { trace, view }, heatmap) {
  const { about, query_tokens } = trace.head;
  const words = query_tokens.map(({ text }) => text);
  const whose = (/** @type {string} */ name) =>
    [name, about.title, about.passport, quoted(about.text, MOST_LETTERS)]
      .filter(Boolean)
      .join(" · ");
  const hand = (/** @type {string} */ text, /** @type {string} */ name) => {
    offer(new Blob([text], { type: "text/csv" }), fileName(`${fileWords(about)} ${name}`, "csv"));
    return "";
  };
  const { next, lens, wrote, why } = trace;
  if (what === "next") {
    if (!next || next.reason) return next?.reason ?? NOT_OPEN;
    return hand(nextCsv(next, words, whose(t("what comes next"))), what);
  }
  if (what === "lens") {
    if (!lens || lens.reason) return lens?.reason ?? NOT_OPEN;
    const found = { lens, wrote, why };
    return hand(lensCsv(found, edgeOf(view), words, whose(t("layer by layer"))), what);
  }
  const saved = heatmap();
  if (!saved) return NOT_YET;
  const { picture, name, nowhere, most } = saved;
  return hand(toCsv(picture, whose(name), nowhere, most), name);
}

/**
 * What a program can read: all weights, and the lines of Python that give the same picture.
 * @param {(() => void) | null} npz @param {HTMLElement} python
 */
function forPrograms(npz, python) {
  const all = npzButton(t("All weights [layer, head, query, key], for numpy"), npz);
  const legend = h("legend", {}, t("All weights, for programs"));
  return h("fieldset", { class: "ax-choice" }, legend, h("div", {}, all, python));
}

/** @param {string} title @param {(() => void) | null} npz */
function npzButton(title, npz) {
  const button = pushButton("NPZ", title, () => npz?.());
  button.hidden = npz === null;
  return button;
}

/**
 * Copies the lines that give what is shown; where that is forbidden they are shown.
 * @param {HTMLElement} told @param {() => string} python
 */
function pythonButton(told, python) {
  const element = pushButton(t("Copy as Python"), PYTHON, async () => {
    const code = python();
    setText(told, (await copied(code)) ? t("Copied.") : code);
  });
  const tell = () => {
    element.disabled = !python();
    element.title = element.disabled ? NO_PYTHON : PYTHON;
  };
  return { element, tell };
}

/** @param {string} text */
const copied = (text) =>
  navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  );

/** @param {"svg" | "pdf" | "png"} kind */
const titleOfKind = (kind) =>
  kind === "png"
    ? t("A picture of dots, twice as fine as the screen")
    : t("A vector picture, for papers and slides ({kind})", { kind: kind.toUpperCase() });

/**
 * What is on screen as a file.
 * @param {Kind} kind @param {HTMLElement[]} elements @param {string} title
 * @param {import("../parts/theme.js").Theme} theme @param {string} says what the picture says, in words
 * @returns {Promise<Blob | null>}
 */
async function pictureFile(kind, elements, title, theme, says) {
  const { width, height } = sizeOf(elements);
  if (kind === "png") return pngOf(elements, title, theme, width, height);
  const pen = new Recorder();
  shoot(pen, elements, title, theme);
  if (kind === "pdf") return toPdf(pen.items, width, height, title);
  const text = toSvg(pen.items, width, height, title, says);
  return new Blob([text], { type: "image/svg+xml" });
}

/**
 * A small Save menu: the picture in three kinds, its numbers, the page as one file, and Python.
 * @param {() => {elements: HTMLElement[], title: string, name: string, says: string,
 *                theme: import("../parts/theme.js").Theme} | null} now
 * @param {{csv: () => string, python: () => string, npz: (() => void) | null,
 *          fetch: (() => void) | null}} made
 *   python: the lines that give the same, empty where there are none; fetch: asks for the page as
 *   one file; npz and fetch are null where there is no server
 */
export function createSaveMenu(now, { csv, python, npz, fetch }) {
  const told = h("p", { class: "ax-help", role: "status" });
  const kinds = KINDS.map((kind) =>
    pushButton(kind.toUpperCase(), titleOfKind(kind), async () => {
      const shown = now();
      if (!shown) return;
      const blob = await pictureFile(kind, shown.elements, shown.title, shown.theme, shown.says);
      if (blob) offer(blob, fileName(shown.name, kind));
    }),
  );
  const numbers = pushButton("CSV", t("The numbers, for a spreadsheet"), () =>
    offer(new Blob([csv()], { type: "text/csv" }), fileName(now()?.name ?? "numbers", "csv")),
  );
  const page = pushButton("HTML", t("All this as one web page that opens offline"), () => {
    setText(told, t("The page is being made…"));
    fetch?.();
  });
  page.hidden = fetch === null;
  const group = h("div", {}, ...kinds, numbers, npzButton(ALL_NUMBERS, npz), page);
  const lines = pythonButton(told, python);
  const legend = h("legend", {}, t("What is on screen, as a file"));
  const files = h("fieldset", { class: "ax-choice" }, legend, group);
  const programs = h(
    "fieldset",
    { class: "ax-choice" },
    h("legend", {}, t("For programs")),
    h("div", {}, lines.element),
  );
  const element = createMenu(t("Save"), [files, programs, told]);
  element.addEventListener("toggle", () => lines.tell());
  /** A page that the server has made. @param {Uint8Array} bytes */
  function arrived(bytes) {
    const trouble = pageTrouble(bytes);
    setText(told, trouble);
    if (trouble) return;
    const page = new Blob([/** @type {BlobPart} */ (bytes)], { type: "text/html" });
    offer(page, fileName(now()?.name ?? "attention", "html"));
  }
  return { element, arrived };
}

/**
 * @param {HTMLElement[]} elements @param {string} title @param {Scene["theme"]} theme
 * @param {number} width @param {number} height
 * @returns {Promise<Blob | null>}
 */
function pngOf(elements, title, theme, width, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width * SCALE, height * SCALE];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.scale(SCALE, SCALE);
  shoot(context, elements, title, theme);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}
