// Two instruments side by side with one cursor, one bar of switches, and their difference. It knows
// nothing of its host.

import {
  across,
  bothParams,
  differenceCsv,
  differenceOf,
  differenceSentence,
  followOf,
  led,
  NO_DIFFERENCE,
  noteOf,
  otherSide,
  ownParams,
  pairSentence,
  pinnedSentence,
  pythonOfPair,
  READING,
  SECOND,
  SIDES,
  shownHead,
  switchesOf,
  unpackPair,
  usual,
} from "../numbers/comparison.js";
import { t } from "../numbers/language.js";
import { NO_STEPS, noted, stepped } from "../numbers/pairhistory.js";
import { fromParams, PARAMS, START } from "../numbers/view.js";
import { createLargest, createMaps, createRanks } from "../panels/difference.js";
import { createPairBar } from "../panels/pairbar.js";
import { createAbout, fileWords, quoted } from "../parts/about.js";
import { helpMark } from "../parts/bubble.js";
import { h, setText } from "../parts/dom.js";
import { readTheme } from "../parts/theme.js";
import { createCopy } from "../parts/tools.js";
import { createSaveMenu } from "../save/files.js";
import { mount } from "./explore.js";
import { followSizes } from "./sizes.js";

/**
 * @typedef {import("../numbers/comparison.js").Pairing} Pairing
 * @typedef {import("../numbers/comparison.js").Which} Which
 * @typedef {import("../numbers/comparison.js").Follow} Follow
 * @typedef {import("../numbers/pairhistory.js").Both} Both
 * @typedef {import("../numbers/view.js").View} View
 * @typedef {import("./explore.js").Instrument} Instrument
 * @typedef {[string, string]} Words the words that are pinned
 * @typedef {{
 *   params: (id?: string) => URLSearchParams,
 *   onView: (params: Record<string, string>, link: Record<string, string> | null,
 *            words: Words) => void,
 *   need: ((request: {side: Which, request: import("./explore.js").Request}
 *                 | {page: Record<string, string>}) => void) | null,
 *   npz: (() => void) | null, copyLink: (() => Promise<boolean>) | null,
 *   asking?: import("../parts/about.js").Asking,
 *   onShown?: (id: string, params: Record<string, string>, words: Words) => void,
 *   onTravel?: (act: (params: URLSearchParams) => void) => void, leave?: () => void,
 * }} CompareHost what follows copyLink is of a host with pages and a history
 * @typedef {{root: HTMLElement, host: CompareHost, pairing: Pairing | null,
 *            theme: import("../parts/theme.js").Theme, follow: Follow, linking: boolean,
 *            views: Record<Which, Record<string, string>>, words: Words,
 *            both: Both | null, steps: import("../numbers/pairhistory.js").Steps,
 *            difference: import("../numbers/comparison.js").Difference,
 *            parts: ReturnType<typeof createParts>, sides: Record<Which, Instrument>}} Here
 *   linking: while one side is made to follow the other; words: those that are pinned in A; both:
 *   what both sides showed when nothing moved; steps: what can be taken back
 */

/** The names that a link uses. */
export const COMPARE_PARAMS = [...PARAMS, ...PARAMS.map((name) => SECOND + name), "follow"];

/** @param {HTMLElement} root @param {CompareHost} host */
export function mountCompare(root, host) {
  const here = /** @type {Here} */ ({
    ...{ root, host, pairing: null, theme: readTheme(root), difference: NO_DIFFERENCE },
    ...{ follow: "same", linking: false, views: { a: {}, b: {} }, words: ["", ""] },
    ...{ both: null, steps: NO_STEPS },
  });
  const parts = createParts(here);
  here.parts = parts;
  root.replaceChildren(...layOut(parts));
  root.addEventListener("keydown", (event) => undoByKey(here, event), { capture: true });
  const draw = () => showDifference(here);
  const repaint = () => {
    here.theme = readTheme(root);
    draw();
  };
  const boxes = /** @type {[HTMLElement, () => void][]} */ ([[parts.maps.element, draw]]);
  // Before the two sides, which have their width from it.
  const stopFollowing = followSizes(root, { boxes, all: repaint, title: () => bothTitles(here) });
  const { a, b } = parts.places;
  here.sides = { a: mount(a, hostOf(here, "a")), b: mount(b, hostOf(here, "b")) };
  for (const side of SIDES) putInRows(parts.places[side]);
  host.onTravel?.((params) => goTo(here, params));
  return {
    /** @param {Uint8Array} bytes */
    update: (bytes) => update(here, bytes),
    retheme: () => {
      for (const side of SIDES) here.sides[side].retheme();
      repaint();
    },
    destroy: () => {
      stopFollowing();
      for (const side of SIDES) {
        here.sides[side].destroy();
        parts.abouts[side].stop();
      }
      host.leave?.();
      root.replaceChildren();
    },
  };
}

/** @param {Here} here */
function createParts(here) {
  const { host } = here;
  const bar = createPairBar({
    change: (next) => changeBoth(here, next),
    follow: (follow) => {
      here.follow = follow;
      lead(here, "a");
      settle(here);
    },
    travel: (where) => travel(here, where),
  });
  const maps = createMaps(
    (row, column) => pinBoth(here, row, column),
    (row, column) => point(here, row, column),
  );
  const table = createLargest(
    () => here.pairing && { units: here.pairing.units, difference: here.difference },
  );
  const ranks = createRanks(
    (rank) => chooseRank(here, rank),
    () => here.sides.a.now()?.view,
  );
  const says = h("p", { class: "ax-says", "aria-live": "polite" });
  const note = h("p", { class: "ax-help" });
  const others = h("ul", { class: "ax-help ax-others" });
  const section = sectionOf([maps.element, note, others, table.element], ranks.elements);
  return {
    ...{ bar, maps, table, ranks, says, note, others, section },
    save: createSave(here, [says, section]),
    abouts: { a: createAbout(host.asking ?? null), b: createAbout(null) },
    found: h("ul", { class: "ax-findings" }),
    copy: host.copyLink && createCopy(host.copyLink),
    titles: { a: h("h3"), b: h("h3") },
    places: { a: h("div", { class: "ax" }), b: h("div", { class: "ax" }) },
  };
}

/** @param {Here} here @param {HTMLElement[]} elements what is seen */
function createSave(here, elements) {
  const { host } = here;
  return createSaveMenu(
    () => {
      const text = sentence(here);
      const { a, b } = here.sides;
      const [one, other] = [a, b].map((side) => fileWords(side.now()?.trace.head.about));
      return {
        elements,
        title: text,
        name: `${one} and ${other}`,
        says: text,
        theme: here.theme,
      };
    },
    {
      csv: () => differenceCsv(unitsOf(here), here.difference),
      python: () => {
        const [a, b] = SIDES.map((side) => here.sides[side].now()?.trace.head.about.code ?? "");
        return pythonOfPair(a, b);
      },
      npz: host.npz,
      fetch: host.need && (() => host.need?.({ page: bothParams(here.views) })),
    },
  );
}

/** @param {HTMLElement[]} maps @param {HTMLElement[]} ranks */
const sectionOf = (maps, ranks) =>
  h(
    "section",
    { class: "ax-difference", "aria-label": t("Difference") },
    h(
      "div",
      {},
      h("div", { class: "ax-title" }, h("h3", {}, t("On the common words")), helpMark(READING)),
      ...maps,
    ),
    h("div", {}, ...ranks),
  );

/** @param {Here["parts"]} parts */
function layOut({ abouts, found, says, bar, copy, save, section, titles, places }) {
  const named = SIDES.map((side) =>
    h("div", { class: "ax-named" }, h("strong", {}, side.toUpperCase()), abouts[side].element),
  );
  const away = h("div", { class: "ax-away" }, ...(copy ? [copy.element] : []), save.element);
  return [
    h("div", { class: "ax-top" }, h("div", { class: "ax-both" }, ...named), away),
    h("div", { class: "ax-words" }, says),
    h("div", { class: "ax-bar" }, ...bar.elements),
    found,
    section,
    h(
      "div",
      { class: "ax-sides" },
      ...SIDES.map((side) =>
        h("section", { "aria-label": side.toUpperCase() }, titles[side], places[side]),
      ),
    ),
  ];
}

/** What stands below one another in a half: as many rows for both. @param {Element} half */
function putInRows(half) {
  [...half.children].forEach((part, i) => {
    const isPanels = part.classList.contains("ax-panels");
    /** @type {HTMLElement} */ (part).style.gridRow = isPanels ? `${i + 1} / -1` : String(i + 1);
    if (isPanels) putInRows(part);
  });
}

/** The host of one side. @param {Here} here @param {Which} side @returns {import("./explore.js").Host} */
function hostOf(here, side) {
  const { need } = here.host;
  return {
    params: () => ownParams(asked(here), side),
    onView: (params, _link, words) => {
      here.views[side] = params;
      if (side === "a") here.words = words;
      if (here.linking) return;
      lead(here, side);
      settle(here);
    },
    need: need && ((request) => need({ side, request })),
    copyLink: null,
    onFocus: (places) => {
      const units = unitsOf(here);
      const there = places && {
        queries: across(units, side, places.queries),
        keys: across(units, side, places.keys),
      };
      here.sides[otherSide(side)].point(there);
    },
  };
}

/** @param {Here} here */
const unitsOf = ({ pairing }) => pairing?.units ?? [];

/** What the link asks for, or else what the page opens with. @param {Here} here */
function asked({ host, pairing }) {
  const params = host.params(pairing?.id);
  return params.has("layer") ? params : new URLSearchParams(pairing?.opening ?? "");
}

/** What both sides show; null before they do. @param {Here} here @returns {Both | null} */
function bothNow({ sides, follow }) {
  const [a, b] = [sides.a.now(), sides.b.now()];
  return a && b && { a: a.view, b: b.view, follow };
}

/** Something was chosen, and both sides have followed. @param {Here} here */
function settle(here) {
  const now = bothNow(here);
  if (here.both && now) here.steps = noted(here.steps, here.both, now);
  here.both = now;
  report(here);
  showBar(here);
  showDifference(here);
}

/** @param {Here} here */
function paramsOf({ pairing, views, follow }) {
  const params = bothParams(views);
  if (pairing && follow !== usual(pairing)) params.follow = follow;
  return params;
}

/** @param {Here} here */
function report(here) {
  const { host, pairing, words } = here;
  if (pairing) host.onView(paramsOf(here), pairing.link, words);
}

/** @param {Here} here */
function showBar({ pairing, sides, follow, steps, parts }) {
  const now = sides.a.now();
  if (pairing && now) parts.bar.show({ ...switchesOf(now), follow, pairing, steps });
}

/** Do something to the sides of which none is to lead the other. @param {Here} here @param {() => void} act */
function unled(here, act) {
  here.linking = true;
  act();
  here.linking = false;
}

/** Let the other side follow: its switches, its pins, and its head if that is wanted. @param {Here} here @param {Which} side */
function lead(here, side) {
  const { pairing, follow, sides } = here;
  const [from, other] = [sides[side].now(), sides[otherSide(side)]];
  if (!pairing || !from || here.linking) return;
  const to = other.now();
  unled(here, () => other.look((now) => led({ pairing, follow }, side, from, to, now)));
}

/** A switch, which holds for both. @param {Here} here @param {(now: View) => View} next */
function changeBoth(here, next) {
  unled(here, () => {
    for (const side of SIDES) here.sides[side].look(next);
  });
  settle(here);
}

/** @param {Here} here @param {Both} both */
function showBoth(here, both) {
  here.follow = both.follow;
  unled(here, () => {
    for (const side of SIDES) here.sides[side].look(() => both[side]);
  });
  here.both = bothNow(here);
}

/** Undo or redo, in both. @param {Here} here @param {"past" | "future"} where */
function travel(here, where) {
  const found = here.both && stepped(here.steps, here.both, where);
  if (!found) return;
  here.steps = found[0];
  showBoth(here, found[1]);
  settle(here);
}

/** Before a side takes it for its own. @param {Here} here @param {KeyboardEvent} event */
function undoByKey(here, event) {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
  event.preventDefault();
  event.stopPropagation();
  travel(here, event.shiftKey ? "future" : "past");
}

/** The browser went back or forward to another place. @param {Here} here @param {URLSearchParams} params */
function goTo(here, params) {
  const { pairing, host } = here;
  if (!pairing) return;
  const [a, b] = SIDES.map((side) => fromParams(START, ownParams(params, side)));
  here.steps = NO_STEPS;
  showBoth(here, { a, b, follow: followOf(params.get("follow"), pairing) });
  host.onShown?.(pairing.id, paramsOf(here), here.words);
  showBar(here);
  showDifference(here);
}

/** Point at a pair of common words in both; what is there. @param {Here} here @param {number | null} row @param {number | null} column */
function point(here, row, column) {
  const units = unitsOf(here);
  const none = row === null || column === null;
  for (const side of SIDES) {
    const places = none ? null : { queries: units[row][side], keys: units[column][side] };
    here.sides[side].point(places);
  }
  const words = none ? "" : pairSentence(units, here.difference, row, column);
  setText(here.parts.says, none ? sentence(here) : words);
  return words;
}

/** @param {Here} here @param {number} row @param {number} column */
function pinBoth(here, row, column) {
  const units = unitsOf(here);
  const { a: queries } = units[row] ?? { a: [] };
  const { a: keys } = units[column] ?? { a: [] };
  here.sides.a.look((now) => ({ ...now, queries, keys }));
}

/** @param {Here} here @param {import("../numbers/comparison.js").Rank} rank */
function chooseRank(here, [layer, head, layerB, headB]) {
  const { a, b } = here.sides;
  unled(here, () => {
    a.look((now) => ({ ...now, layer, heads: [head] }));
    b.look((now) => ({ ...now, layer: layerB, heads: [headB] }));
  });
  settle(here);
}

/** Whose difference it is. @param {Here} here */
const bothTitles = ({ sides }) =>
  t("{one} and {other}", {
    one: sides.a.now()?.trace.head.title ?? "",
    other: sides.b.now()?.trace.head.title ?? "",
  });

/** What both sides show, by name. @param {Here} here */
const headNames = ({ sides: { a, b } }) => ({ a: shownHead(a.now()), b: shownHead(b.now()) });

/** What the two give to the pinned pair; where none is, where they differ most. @param {Here} here */
function sentence(here) {
  const found = /** @type {const} */ ([unitsOf(here), here.difference, headNames(here)]);
  return pinnedSentence(...found, here.sides.a.now()?.view) || differenceSentence(...found);
}

/** @param {Here} here */
function showDifference(here) {
  const { pairing, sides, parts, root, theme } = here;
  if (!pairing) return;
  const found = differenceOf(pairing.units, { a: sides.a.now(), b: sides.b.now() });
  if (!found) return; // a layer is on its way
  here.difference = found;
  const heads = headNames(here);
  const room = parts.maps.element.clientWidth || root.clientWidth;
  parts.maps.show(pairing.units, found, heads, room, theme);
  setText(parts.says, sentence(here));
  root.dataset.painted = `${pairing.id} ${heads.a} | ${heads.b}`;
  parts.table.show();
  parts.ranks.mark();
}

/** @param {Here} here @param {Uint8Array} bytes */
function update(here, bytes) {
  const { pairing, payloads } = unpackPair(bytes);
  const { root, sides, parts } = here;
  const first = here.pairing?.id !== pairing.id;
  here.pairing = pairing;
  here.theme = readTheme(root);
  unled(here, () => {
    sides.a.update(payloads[0]);
    sides.b.update(payloads[1]);
  });
  if (payloads[2].length) parts.save.arrived(payloads[2]);
  if (first) {
    here.follow = followOf(asked(here).get("follow"), pairing);
    showPairing(here, pairing);
    open(here, pairing);
  }
  parts.copy?.show(pairing.link !== null);
  showDifference(here);
}

/** What holds for two runs whatever is chosen. @param {Here} here @param {Pairing} pairing */
function showPairing({ parts, sides }, pairing) {
  const { abouts, titles, found, others, note, ranks } = parts;
  for (const side of SIDES) {
    const about = sides[side].now()?.trace.head.about;
    if (!about) continue;
    abouts[side].show(about);
    setText(titles[side], titleOf(side, about));
  }
  const [first, ...rest] = pairing.findings.map((text) => h("li", {}, text));
  found.replaceChildren(first);
  others.replaceChildren(...rest);
  setText(note, noteOf(pairing));
  ranks.show(pairing);
}

/** Whose half it is. @param {Which} side @param {import("../parts/about.js").About} about */
const titleOf = (side, { title, text, n_layers, n_heads, checked }) =>
  [
    t("{side}: {title}", { side: side.toUpperCase(), title }),
    t("{layers} × {heads} heads", { layers: n_layers, heads: n_heads }),
    text && `“${quoted(text)}”`,
    checked && t("checked {checked}", { checked }),
  ]
    .filter(Boolean)
    .join(" · ");

/** What to begin with: the link's heads, else those that differ most; weights in one scale on both sides. @param {Here} here @param {Pairing} pairing */
function open(here, pairing) {
  const params = asked(here);
  here.both = null;
  here.steps = NO_STEPS;
  unled(here, () => {
    if (params.has("scale")) return;
    for (const side of SIDES) here.sides[side].look((now) => ({ ...now, scale: "absolute" }));
  });
  const [top] = pairing.ranking;
  if (!params.has("layer") && top) chooseRank(here, top);
  else if (!params.has("b_layer")) lead(here, "a");
  here.host.onShown?.(pairing.id, paramsOf(here), here.words);
  settle(here);
}
