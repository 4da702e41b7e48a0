// All heads of a model: a map, a plane, a ranking, a search by pointing. It knows nothing of its host.

import {
  linkOfView,
  measureOf,
  withLink,
  withPairs,
  withSurvey,
  withView,
  wordsOfView,
} from "../numbers/headsview.js";
import {
  headsCsv,
  headsPainted,
  headsSentence,
  headsTitle,
  kindOf,
  measureGroups,
  ranked,
  SPECIALS_HELP,
} from "../numbers/headwords.js";
import { t } from "../numbers/language.js";
import { measuresOf, placeOf, unpackHeads, waitsIn } from "../numbers/survey.js";
import { createFinder } from "../panels/finder.js";
import { createHeadCard } from "../panels/headcard.js";
import { createHeadPictures } from "../panels/headpictures.js";
import { createHeadRanks, kindChips } from "../panels/headranks.js";
import { createRepeats } from "../panels/repeats.js";
import { createAbout, fileWords } from "../parts/about.js";
import { helpMark, term } from "../parts/bubble.js";
import { choice, h, woven } from "../parts/dom.js";
import { createHalves } from "../parts/halves.js";
import { readTheme } from "../parts/theme.js";
import { createCopy } from "../parts/tools.js";
import { createSaveMenu } from "../save/files.js";
import { followSizes } from "./sizes.js";

/**
 * @typedef {import("../numbers/survey.js").Heads} Heads
 * @typedef {import("../numbers/survey.js").Pair} Pair
 * @typedef {import("../numbers/headsview.js").HeadsState} HeadsState
 * @typedef {import("../numbers/headsview.js").HeadsView} HeadsView
 * @typedef {{
 *   params: (id?: string) => URLSearchParams,
 *   onView: (params: Record<string, string>, link: Record<string, string> | null,
 *            words: [string, string]) => void,
 *   npz: (() => void) | null, copyLink: (() => Promise<boolean>) | null,
 *   onShown?: (id: string, params: Record<string, string>, words: [string, string],
 *              link?: Record<string, string> | null) => void,
 *   onTravel?: (act: (params: URLSearchParams) => void) => void,
 *   go?: (page: string, open?: Record<string, string>) => void,
 *   asking?: import("../parts/about.js").Asking,
 *   find?: (pairs: Pair[]) => void,
 *   explore?: (head: {layer: number, head: number, text: number, query?: number, key?: number}) => void,
 *   lines?: () => void,
 *   repeats?: () => void,
 *   sequence?: (head: {layer: number, head: number}) => void,
 *   page?: (view: Record<string, string>) => void,
 *   leave?: () => void,
 * }} HeadsHost what follows copyLink is of a host with a server
 * @typedef {{state: HeadsState | null, thumbs: Uint8Array, theme: import("../parts/theme.js").Theme}} Here
 *   state: null before the first survey has come
 * @typedef {ReturnType<typeof actsOf>} Acts
 */

const PLACE = ["layer", "heads", "query", "key"]; // the same on all pages
const SHIPPED = "sentences"; // the corpus that comes with the app

/** The names that a link uses. */
// `corpus` is the other half's: here it is let go of.
export const HEADS_PARAMS = [
  ...["measure", "kinds", "lowest", "special", "pairs", "repeats", "corpus"],
  ...PLACE,
];

/** @param {HTMLElement} root @param {HeadsHost} host */
export function mountHeads(root, host) {
  /** @type {Here} */
  const here = { state: null, thumbs: new Uint8Array(), theme: readTheme(root) };
  const act = actsOf(here, host, { draw, drawHovered, drawRanks });
  const parts = createParts(here, host, act);
  root.replaceChildren(...layOut(parts));

  function draw() {
    if (!here.state) return;
    drawParts(parts, here, here.state, act);
    root.dataset.painted = headsPainted(here.state);
  }

  function drawHovered() {
    if (!here.state) return;
    sayHead(parts.says, here.state);
    parts.pictures.show(here.state, here.theme);
    parts.repeats.drawHovered(here.state);
  }

  function drawRanks() {
    if (here.state) parts.ranks.show({ ...here, state: here.state });
  }

  /** @param {Uint8Array} bytes */
  function update(bytes) {
    here.theme = readTheme(root);
    const waits = waitsIn(bytes);
    root.classList.toggle("ax-waits-for-heads", waits !== null && !here.state);
    if (waits) {
      if (!here.state) parts.about.show(waits); // else the last picture stays, with its own line
      return;
    }
    arrive(here, host, bytes);
    parts.copy?.show(here.state?.heads.link !== null);
    draw();
    const { page } = unpackHeads(bytes);
    if (page.length) parts.save.arrived(page);
  }

  function repaint() {
    here.theme = readTheme(root);
    draw();
  }

  host.onTravel?.((params) => {
    travel(here, host, params);
    draw();
  });
  const stopFollowing = followSizes(root, {
    boxes: [
      [parts.pictures.map, drawHovered],
      [parts.pictures.plane, drawHovered],
      [parts.repeats.box, drawHovered],
    ],
    all: repaint,
    title: () => (here.state ? headsTitle(here.state) : ""),
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

/** A survey is here, or an answer about it. @param {Here} here @param {HeadsHost} host @param {Uint8Array} bytes */
function arrive(here, host, bytes) {
  const { heads, thumbs } = unpackHeads(bytes);
  const before = here.state;
  const opening = Object.entries(heads.opening ?? {});
  const params = new URLSearchParams([...host.params(heads.id), ...opening]); // what is first counts
  const state = withSurvey(before, heads, params);
  [here.state, here.thumbs] = [state, thumbs];
  if (before?.heads.id === heads.id) return;
  askForRepeats(state, host);
  const { pairs } = state.view;
  if (pairs.length && !heads.found) host.find?.(pairs);
  host.onShown?.(heads.id, linkOfView(state), wordsOfView(state), heads.link);
}

/** What is looked at shall be measured. @param {HeadsState} state @param {HeadsHost} host */
function askForRepeats({ heads, view }, host) {
  if (view.repeats && heads.repeats?.state === "ask") host.repeats?.();
}

/** The browser went back or forward. @param {Here} here @param {HeadsHost} host @param {URLSearchParams} params */
function travel(here, host, params) {
  if (!here.state) return;
  const before = String(here.state.view.pairs);
  const state = withLink(here.state, params);
  here.state = state;
  if (String(state.view.pairs) !== before) host.find?.(state.view.pairs);
  askForRepeats(state, host);
  host.onShown?.(state.heads.id, linkOfView(state), wordsOfView(state));
}

/**
 * What a reader can do. Each act makes the next state, and draws what shows it.
 * @param {Here} here @param {HeadsHost} host
 * @param {{draw: () => void, drawHovered: () => void, drawRanks: () => void}} draws
 */
function actsOf(here, host, { draw, drawHovered, drawRanks }) {
  /** @param {HeadsState} state */
  function go(state) {
    here.state = state;
    draw();
    host.onView(linkOfView(state), state.heads.link, wordsOfView(state));
  }
  /** @param {Partial<HeadsView>} part */
  const change = (part) => here.state && go(withView(here.state, part));
  /**
   * Open a head in Explore: in a text of its own, or with the pair that was pointed at last.
   * @param {number} head @param {number} [text]
   */
  const explore = (head, text) => {
    if (!here.state || !host.explore || head < 0) return;
    const last = here.state.view.pairs.at(-1);
    const place = placeOf(here.state.heads, head);
    if (text !== undefined || !last) host.explore({ ...place, text: text ?? 0 });
    else host.explore({ ...place, text: last[0], query: last[1], key: last[2] });
  };
  const picked = () => here.state?.view.pick ?? -1;
  return {
    ...{ change, picked, explore: host.explore ? explore : null },
    pick: (/** @type {number} */ pick) => change({ pick }),
    measure: (/** @type {string} */ measure) => change({ measure }),
    explorePicked: () => explore(picked()),
    /** @param {number | null} head */
    hover: (head) => {
      if (!here.state || head === here.state.hovered) return;
      here.state = { ...here.state, hovered: head };
      drawHovered();
    },
    /** @param {Pair[]} pairs */
    find: (pairs) => {
      if (!here.state) return;
      host.find?.(pairs);
      go(withPairs(here.state, pairs));
    },
    all: () => {
      if (!here.state) return;
      here.state = { ...here.state, ranks: ranked(here.state).length };
      drawRanks();
    },
    ...repeatActs(here, host, change),
  };
}

/**
 * What can be done about random tokens that are repeated.
 * @param {Here} here @param {HeadsHost} host @param {(part: Partial<HeadsView>) => unknown} change
 */
function repeatActs(here, host, change) {
  const { sequence } = host;
  return {
    repeats: (/** @type {string} */ repeats) => {
      change({ repeats });
      if (here.state) askForRepeats(here.state, host);
    },
    measureRepeats: host.repeats ? () => host.repeats?.() : null,
    sequence: sequence
      ? (/** @type {number} */ head) => here.state && sequence(placeOf(here.state.heads, head))
      : null,
  };
}

/** @param {Here} here @param {HeadsHost} host @param {Acts} act */
function createParts(here, host, act) {
  const select = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": t("Measure") }));
  select.addEventListener("change", () => act.measure(select.value));
  const says = h("p", { class: "ax-says ax-tall ax-heads-says", "aria-live": "polite" });
  const pictures = createHeadPictures(act);
  const repeats = createRepeats(act);
  const save = createSaveMenu(
    () => ({
      elements: [says, pictures.map, pictures.plane, ...repeats.saved()],
      title: here.state ? headsTitle(here.state) : "",
      name: `${fileWords(here.state?.heads.about)} heads`,
      says: here.state ? headsSentence(here.state) : "",
      theme: here.theme,
    }),
    {
      csv: () => (here.state ? headsCsv(here.state.heads) : ""),
      python: () => here.state?.heads.about.code ?? "",
      npz: host.npz,
      fetch: host.page ? () => here.state && host.page?.(linkOfView(here.state)) : null,
    },
  );
  const { go } = host;
  const toCorpus = () => go?.("heads", { corpus: SHIPPED });
  return {
    ...{ select, says, pictures, repeats, save, ...choices(act) },
    halves: go ? createHalves("text", (half) => half === "corpus" && toCorpus()) : null,
    about: createAbout(host.asking ?? null, host.go ? () => host.go?.("train") : null),
    exactly: h("span"),
    copy: host.copyLink && createCopy(host.copyLink),
    finder: host.lines ? createFinder(act.find, host.lines) : null,
    card: createHeadCard(act),
    ranks: createHeadRanks(act),
  };
}

/** The two switches. @param {Acts} act */
function choices(act) {
  const order = choice(
    t("Ranked from"),
    [
      ["highest", t("the highest"), t("Most of it first")],
      ["lowest", t("the lowest"), t("Least of it first")],
    ],
    (value) => act.change({ lowest: value === "lowest" }),
  );
  const specials = choice(
    t("Special tokens"),
    [
      ["counted", t("counted"), t("As the model has them")],
      ["left_out", t("left out"), t("Only ordinary tokens, each row divided by what they get")],
    ],
    (value) => act.change({ specials: value }),
  );
  specials.element.querySelector("legend")?.append(" ", helpMark(SPECIALS_HELP));
  return { order, specials };
}

/** @param {ReturnType<typeof createParts>} parts */
function layOut(parts) {
  const { select, order, specials, exactly, copy, save, says, pictures, finder, ranks } = parts;
  const measure = h(
    "fieldset",
    { class: "ax-choice" },
    h("legend", {}, ...woven(t("Colour and rank heads by {measure}"), { measure: exactly })),
    h("div", {}, select),
  );
  const tools = [measure, order.element, specials.element];
  const away = h("div", { class: "ax-away" }, ...(copy ? [copy.element] : []), save.element);
  return [
    h(
      "div",
      { class: "ax-top" },
      ...(parts.halves ? [parts.halves.element] : []),
      parts.about.element,
      away,
    ),
    h("div", { class: "ax-tools" }, ...tools),
    says,
    parts.repeats.element,
    h(
      "div",
      { class: "ax-heads" },
      ...(finder ? [finder.element] : []), // what is found stands beside it
      h("div", { class: "ax-heads-side" }, pictures.map, pictures.plane),
      h("div", { class: "ax-heads-side" }, ranks.element, parts.card.element),
    ),
  ];
}

/**
 * @param {ReturnType<typeof createParts>} parts @param {Here} here @param {HeadsState} state
 * @param {Acts} act
 */
function drawParts(parts, here, state, act) {
  const { theme, thumbs } = here;
  const { key, exactly } = measureOf(state);
  parts.about.show(state.heads.about);
  fillSelect(parts.select, state.heads);
  if (parts.exactly.dataset.of !== key) parts.exactly.replaceChildren(helpMark(exactly));
  parts.select.value = parts.exactly.dataset.of = key;
  parts.order.show(state.view.lowest ? "lowest" : "highest");
  parts.specials.show(state.view.specials);
  parts.specials.element.hidden = state.heads.left_out === null;
  parts.pictures.kinds.replaceChildren(
    ...kindChips(state, theme, (kinds) => act.change({ kinds })),
  );
  sayHead(parts.says, state);
  parts.pictures.show(state, theme);
  parts.card.show(state);
  parts.finder?.show(state.heads, state.view.pairs);
  parts.ranks.show({ state, thumbs, theme });
  parts.repeats.show(state, theme);
}

/** What the head does; its kind explains itself. @param {HTMLElement} says @param {HeadsState} state */
function sayHead(says, state) {
  const text = headsSentence(state);
  if (says.textContent === text) return;
  const { kind, evidence } = kindOf(state);
  const at = kind ? text.lastIndexOf(kind, text.lastIndexOf(evidence) - 1) : -1; // it stands before
  const parts = [text.slice(0, at), term(kind), text.slice(at + kind.length)];
  says.replaceChildren(...(at < 0 ? [text] : parts));
}

/** The measures that there are now: a switch may take some away. @param {HTMLSelectElement} select @param {Heads} heads */
function fillSelect(select, heads) {
  const keys = measuresOf(heads).map((m) => m.key);
  if (keys.join() === [...select.options].map((option) => option.value).join()) return;
  const groups = measureGroups(heads).map(([label, measures]) => {
    const options = measures.map((m) => h("option", { value: m.key }, m.short));
    return h("optgroup", { label }, ...options);
  });
  select.replaceChildren(...groups);
}
