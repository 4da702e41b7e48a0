// All heads of a model over a corpus: a map, a scatter, one head's own page, all numbers, and what
// differs from another folder. It knows nothing of its host.

import {
  corpusCsv,
  indexOf,
  isAnswered,
  linkOfView,
  measureOf,
  placeOf,
  rankedOf,
  unpackCorpus,
  viewOfLink,
  waitsIn,
  wishOf,
  withCorpus,
} from "../numbers/corpus.js";
import { corpusPainted, corpusSentence, corpusTitle, nameOf } from "../numbers/corpuswords.js";
import { t } from "../numbers/language.js";
import { createCorpusHead } from "../panels/corpushead.js";
import { axisSelect, createCorpusMap, createCorpusScatter } from "../panels/corpusmaps.js";
import { createCorpusBeside, createCorpusTable } from "../panels/corpustable.js";
import { createAbout, fileWords } from "../parts/about.js";
import { helpMark } from "../parts/bubble.js";
import { choice, h, pushButton, setText } from "../parts/dom.js";
import { createHalves } from "../parts/halves.js";
import { readTheme } from "../parts/theme.js";
import { createCopy } from "../parts/tools.js";
import { createSaveMenu } from "../save/files.js";
import { followSizes } from "./sizes.js";

/**
 * @typedef {import("../numbers/corpus.js").CorpusState} CorpusState
 * @typedef {import("../numbers/corpus.js").CorpusView} CorpusView
 * @typedef {{
 *   params: (id?: string) => URLSearchParams,
 *   onView: (params: Record<string, string>, link: Record<string, string> | null) => void,
 *   copyLink: (() => Promise<boolean>) | null, npz: (() => void) | null,
 *   onShown?: (id: string, params: Record<string, string>, words: [string, string],
 *              link?: Record<string, string> | null) => void,
 *   onTravel?: (act: (params: URLSearchParams) => void) => void,
 *   go?: (page: string, open?: Record<string, string>) => void,
 *   asking?: import("../parts/about.js").Asking,
 *   ask?: (wish: Record<string, unknown>) => void,
 *   askHead?: (wish: Record<string, unknown>) => void,
 *   explore?: (wish: Record<string, unknown>) => void,
 *   page?: (view: Record<string, string>) => void,
 *   leave?: () => void,
 * }} CorpusHost what follows npz is of a host with a server
 * @typedef {{state: CorpusState | null, theme: import("../parts/theme.js").Theme, asked: string}} Here
 *   asked: what the server was asked for last
 * @typedef {ReturnType<typeof actsOf>} Acts
 */

const PLACE = ["layer", "heads", "query", "key"]; // the same on all pages
const NOWHERE = /** @type {[string, string]} */ (["", ""]);

/** The names that a link uses. */
export const CORPUS_PARAMS = ["measure", "x", "y", "bars", "lowest", "beside", "search", ...PLACE];

/** @param {HTMLElement} root @param {CorpusHost} host */
export function mountCorpus(root, host) {
  /** @type {Here} */
  const here = { state: null, theme: readTheme(root), asked: "" };
  const act = actsOf(here, host, { draw, drawHovered });
  const parts = createParts(here, host, act);
  root.replaceChildren(...layOut(parts));

  function draw() {
    if (!here.state) return;
    drawParts(parts, here.state, here.theme);
    root.dataset.painted = corpusPainted(here.state);
  }

  function drawHovered() {
    if (!here.state) return;
    setText(parts.says, corpusSentence(here.state));
    parts.map.show(here.state, here.theme);
    parts.scatter.show(here.state, here.theme);
  }

  /** @param {Uint8Array} bytes */
  function update(bytes) {
    here.theme = readTheme(root);
    const waits = waitsIn(bytes);
    root.classList.toggle("ax-waits-for-corpus", waits !== null);
    if (waits) {
      parts.about.show(waits);
      host.asking?.seen(waits.asked);
      return;
    }
    const { corpus, page } = unpackCorpus(bytes);
    arrive(here, host, corpus);
    draw();
    act.askIfNeeded();
    if (page.length) parts.save.arrived(page);
  }

  function repaint() {
    here.theme = readTheme(root);
    draw();
  }

  host.onTravel?.((params) => {
    if (!here.state) return;
    here.state = { ...here.state, view: viewOfLink(here.state.corpus, params), hovered: null };
    host.onShown?.(here.state.corpus.id, linkOfView(here.state), NOWHERE);
    draw();
    act.askIfNeeded();
  });
  const stopFollowing = followSizes(root, {
    boxes: [
      [parts.map.element, drawHovered],
      [parts.scatter.element, drawHovered],
      [parts.head.element, draw],
    ],
    all: repaint,
    title: () => (here.state ? corpusTitle(here.state) : ""),
  });
  return {
    update,
    retheme: repaint,
    destroy: () => {
      stopFollowing();
      parts.about.stop();
      host.leave?.();
      root.replaceChildren();
    },
  };
}

/** A folder is here, or an answer about it. @param {Here} here @param {CorpusHost} host @param {import("../numbers/corpus.js").Corpus} corpus */
function arrive(here, host, corpus) {
  const before = here.state;
  const opening = Object.entries(corpus.opening ?? {});
  const params = new URLSearchParams([...host.params(corpus.id), ...opening]); // what is first counts
  here.state = withCorpus(before, corpus, params);
  if (before?.corpus.id === corpus.id) return;
  here.asked = "";
  host.onShown?.(corpus.id, linkOfView(here.state), NOWHERE, corpus.link);
}

/**
 * What a reader can do. Each act makes the next state, and draws what shows it.
 * @param {Here} here @param {CorpusHost} host @param {{draw: () => void, drawHovered: () => void}} draws
 */
function actsOf(here, host, { draw, drawHovered }) {
  /** @param {Partial<CorpusView>} part */
  function change(part) {
    const { state } = here;
    if (!state) return;
    here.state = { ...state, view: { ...state.view, ...part } };
    draw();
    host.onView(linkOfView(here.state), state.corpus.link);
    askIfNeeded();
  }
  /** What the server has not sent of this view yet. */
  function askIfNeeded() {
    const { state } = here;
    if (!state || !host.ask || isAnswered(state)) return;
    const wish = wishOf(state);
    const now = `${state.corpus.id} ${JSON.stringify(wish)}`;
    if (now === here.asked) return; // it is on its way, or cannot be
    here.asked = now;
    host.ask(wish);
  }
  const chosen = () => here.state?.view.pick ?? -1;
  return {
    ...{ change, askIfNeeded },
    pick: (/** @type {number} */ pick) => change({ pick }),
    picked: chosen,
    open: () => {}, // its page stands below already
    x: (/** @type {string} */ x) => change({ x }),
    y: (/** @type {string} */ y) => change({ y }),
    bars: (/** @type {boolean} */ bars) => change({ bars }),
    beside: (/** @type {string} */ beside) => change({ beside }),
    measure: (/** @type {string} */ measure) => change({ measure }),
    /** @param {string} measure */
    sort: (measure) => {
      const view = here.state?.view;
      change({ measure, lowest: view?.measure === measure ? !view.lowest : false });
    },
    /** @param {number} layer @param {number} head @param {string} [measure] */
    head: (layer, head, measure) => {
      if (!here.state) return;
      const pick = indexOf(here.state.corpus, layer, head);
      change({ pick, ...(measure ? { measure } : {}) });
    },
    all: () => {
      if (!here.state) return;
      here.state = { ...here.state, rows: rankedOf(here.state).length };
      draw();
    },
    /** @param {number | null} head */
    hover: (head) => {
      if (!here.state || head === here.state.hovered) return;
      here.state = { ...here.state, hovered: head };
      drawHovered();
    },
  };
}

/** @param {Here} here @param {CorpusHost} host @param {Acts} act */
function createParts(here, host, act) {
  const says = h("p", { class: "ax-says ax-tall ax-corpus-says", "aria-live": "polite" });
  const [map, scatter] = [createCorpusMap(act), createCorpusScatter(act)];
  const { go, asking } = host;
  const save = createSaveMenu(
    () => ({
      elements: [says, map.element, ...scatter.saved],
      title: here.state ? corpusTitle(here.state) : "",
      name: `${fileWords(here.state?.corpus.about)} heads ${here.state?.corpus.name ?? ""}`,
      says: here.state ? corpusSentence(here.state) : "",
      theme: here.theme,
    }),
    {
      csv: () => {
        const corpus = here.state?.corpus;
        return corpus ? corpusCsv(corpus, (i) => nameOf(corpus, i)) : "";
      },
      python: () => here.state?.corpus.about.code ?? "",
      npz: host.npz,
      fetch: host.page ? () => here.state && host.page?.(linkOfView(here.state)) : null,
    },
  );
  const another = t("Another corpus");
  const opens = t("Open another one, or start one from a file (key E)");
  return {
    ...{ says, map, scatter, save },
    halves: go ? createHalves("corpus", (half) => half === "text" && go("heads")) : null,
    another: asking ? pushButton(another, opens, asking.edit, "ax-copy") : null,
    about: createAbout(null),
    seen: (/** @type {number} */ asked) => asking?.seen(asked),
    copy: host.copyLink && createCopy(host.copyLink),
    measure: axisSelect(t("Colour and rank heads by"), act.measure),
    exactly: h("span"),
    order: orderChoice(act),
    head: createCorpusHead({
      measure: act.measure,
      head: act.head,
      explore: host.explore ?? null,
      ask: host.askHead ?? null,
    }),
    table: createCorpusTable(act),
    beside: createCorpusBeside(act),
  };
}

/** @param {Acts} act */
const orderChoice = (act) =>
  choice(
    t("Ranked from"),
    [
      ["highest", t("the highest"), t("Most of it first")],
      ["lowest", t("the lowest"), t("Least of it first")],
    ],
    (value) => act.change({ lowest: value === "lowest" }),
  );

/** @param {ReturnType<typeof createParts>} parts */
function layOut(parts) {
  const { halves, about, another, copy, save, measure, exactly, order, says } = parts;
  measure.element.querySelector("legend")?.append(" ", exactly);
  const away = h(
    "div",
    { class: "ax-away" },
    ...(another ? [another] : []),
    ...(copy ? [copy.element] : []),
    save.element,
  );
  return [
    h("div", { class: "ax-top" }, ...(halves ? [halves.element] : []), about.element, away),
    h("div", { class: "ax-tools" }, measure.element, order.element),
    says,
    h(
      "div",
      { class: "ax-corpus" },
      h("div", { class: "ax-corpus-side" }, parts.map.element),
      h("div", { class: "ax-corpus-side" }, parts.scatter.element),
    ),
    parts.head.element,
    parts.table.element,
    parts.beside.element,
  ];
}

/** @param {ReturnType<typeof createParts>} parts @param {CorpusState} state @param {import("../parts/theme.js").Theme} theme */
function drawParts(parts, state, theme) {
  const { corpus, view } = state;
  const { key, exactly } = measureOf(corpus, view.measure);
  parts.about.show(corpus.about);
  parts.seen(corpus.about.asked);
  parts.copy?.show(corpus.link !== null);
  parts.measure.show(state, key);
  if (parts.exactly.dataset.of !== key) parts.exactly.replaceChildren(helpMark(exactly));
  parts.exactly.dataset.of = key;
  parts.order.show(view.lowest ? "lowest" : "highest");
  setText(parts.says, corpusSentence(state));
  parts.map.show(state, theme);
  parts.scatter.show(state, theme);
  parts.head.show(headOf(state), theme);
  parts.table.show(state);
  parts.beside.show(state);
}

/** What is known of the chosen head; null while none is, or while its numbers are on their way. @param {CorpusState} state */
function headOf({ corpus, view }) {
  const { head } = corpus;
  if (!head || view.pick < 0) return null;
  const { layer, head: own } = placeOf(corpus, view.pick);
  return head.layer === layer && head.head === own ? head : null;
}
