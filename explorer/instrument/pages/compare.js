// Two instruments side by side with one cursor, and their difference. It knows nothing of its host.

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
  SECOND,
  SIDES,
  shownHead,
  unpackPair,
  usual,
} from "../numbers/comparison.js";
import { PARAMS } from "../numbers/view.js";
import { createLargest, createMaps, createRanks } from "../panels/difference.js";
import { choice, h, setText } from "../parts/dom.js";
import { readTheme } from "../parts/theme.js";
import { createCopy } from "../parts/tools.js";
import { createSaveMenu } from "../save/files.js";
import { mount } from "./explore.js";
import { followSizes } from "./sizes.js";

/**
 * @typedef {import("../numbers/comparison.js").Pairing} Pairing
 * @typedef {import("../numbers/comparison.js").Which} Which
 * @typedef {import("../numbers/comparison.js").Follow} Follow
 * @typedef {import("./explore.js").Instrument} Instrument
 * @typedef {{
 *   params: () => URLSearchParams,
 *   onView: (params: Record<string, string>, link: Record<string, string> | null) => void,
 *   need: ((request: {side: Which, request: import("./explore.js").Request}
 *                 | {page: Record<string, string>}) => void) | null,
 *   copyLink: (() => Promise<boolean>) | null,
 * }} CompareHost
 * @typedef {{root: HTMLElement, host: CompareHost, pairing: Pairing | null,
 *            theme: import("../parts/theme.js").Theme, follow: Follow, linking: boolean,
 *            views: Record<Which, Record<string, string>>,
 *            difference: import("../numbers/comparison.js").Difference,
 *            parts: ReturnType<typeof createParts>, sides: Record<Which, Instrument>}} Here
 *   linking: while one side is made to follow the other
 */

/** The names that a link uses. */
export const COMPARE_PARAMS = [...PARAMS, ...PARAMS.map((name) => SECOND + name), "follow"];

/** @param {HTMLElement} root @param {CompareHost} host */
export function mountCompare(root, host) {
  const here = /** @type {Here} */ ({
    ...{ root, host, pairing: null, theme: readTheme(root), difference: NO_DIFFERENCE },
    ...{ follow: "same", linking: false, views: { a: {}, b: {} } },
  });
  const parts = createParts(here);
  here.parts = parts;
  root.replaceChildren(...layOut(parts));
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
  return {
    /** @param {Uint8Array} bytes */
    update: (bytes) => update(here, bytes),
    retheme: () => {
      for (const side of SIDES) here.sides[side].retheme();
      repaint();
    },
    destroy: () => {
      stopFollowing();
      for (const side of SIDES) here.sides[side].destroy();
      root.replaceChildren();
    },
  };
}

/** @param {Here} here */
function createParts(here) {
  const { host } = here;
  const follows = createFollows((follow) => {
    here.follow = follow;
    follows.show(follow);
    lead(here, "a");
    report(here);
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
  const section = sectionOf([says, note, maps.element, table.element], ranks.elements);
  const save = createSaveMenu(
    () => {
      const text = sentence(here);
      return {
        elements: [section],
        title: text,
        name: "difference",
        says: text,
        theme: here.theme,
      };
    },
    () => differenceCsv(unitsOf(here), here.difference),
    host.need && (() => host.need?.({ page: bothParams(here.views) })),
  );
  return {
    ...{ follows, maps, table, ranks, says, note, section, save },
    found: h("ul", { class: "ax-findings" }),
    copy: host.copyLink && createCopy(host.copyLink),
    titles: { a: h("h3"), b: h("h3") },
    places: { a: h("div", { class: "ax" }), b: h("div", { class: "ax" }) },
  };
}

/** @param {(follow: Follow) => void} choose */
const createFollows = (choose) =>
  choice(
    "When a head of A is chosen, B shows",
    [
      ["same", "its namesake", "The head of the same layer and number, where both have the same"],
      ["match", "its best match", "The head of B whose rows are nearest to it"],
      ["free", "what you choose", "Each side has its own head"],
    ],
    choose,
  );

/** @param {HTMLElement[]} maps @param {HTMLElement[]} ranks */
const sectionOf = (maps, ranks) =>
  h(
    "section",
    { class: "ax-difference", "aria-label": "Difference" },
    h(
      "div",
      {},
      h(
        "h3",
        {},
        "On the common words: A, B, and A − B (blue where A gives more, orange where B does)",
      ),
      ...maps,
    ),
    h("div", {}, ...ranks),
  );

/** @param {Here["parts"]} parts */
const layOut = ({ found, follows, copy, save, section, titles, places }) => [
  found,
  h(
    "div",
    { class: "ax-tools" },
    follows.element,
    h("div", { class: "ax-away" }, ...(copy ? [copy.element] : []), save.element),
  ),
  section,
  h(
    "div",
    { class: "ax-sides" },
    ...SIDES.map((side) =>
      h("section", { "aria-label": side.toUpperCase() }, titles[side], places[side]),
    ),
  ),
];

/** The host of one side. @param {Here} here @param {Which} side @returns {import("./explore.js").Host} */
function hostOf(here, side) {
  const { need } = here.host;
  return {
    params: () => ownParams(asked(here), side),
    onView: (params) => {
      here.views[side] = params;
      if (!here.linking) lead(here, side);
      report(here);
      showDifference(here);
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

/** What the link asks for, or else what the file opens with. @param {Here} here */
function asked({ host, pairing }) {
  const params = host.params();
  return params.has("layer") ? params : new URLSearchParams(pairing?.opening ?? "");
}

/** @param {Here} here */
function report({ host, pairing, views, follow }) {
  if (!pairing) return;
  const params = bothParams(views);
  if (follow !== usual(pairing)) params.follow = follow;
  host.onView(params, pairing.link);
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
  lead(here, "a");
}

/** @param {Here} here @param {import("../numbers/comparison.js").Rank} rank */
function chooseRank(here, [layer, head, layerB, headB]) {
  const { a, b } = here.sides;
  unled(here, () => {
    a.look((now) => ({ ...now, layer, heads: [head] }));
    b.look((now) => ({ ...now, layer: layerB, heads: [headB] }));
  });
  report(here);
  showDifference(here);
}

/** Whose difference it is. @param {Here} here */
const bothTitles = ({ sides }) =>
  SIDES.map((side) => sides[side].now()?.trace.head.title).join(" and ");

/** What both sides show, by name. @param {Here} here */
const headNames = ({ sides: { a, b } }) => ({ a: shownHead(a.now()), b: shownHead(b.now()) });

/** Where the two differ most. @param {Here} here */
const sentence = (here) => differenceSentence(unitsOf(here), here.difference, headNames(here));

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
function showPairing({ parts, sides, follow }, pairing) {
  const { follows, titles, found, note, ranks } = parts;
  follows.show(follow);
  const namesake = follows.element.querySelector("[value=same]");
  if (namesake instanceof HTMLInputElement) namesake.disabled = !pairing.same_shape;
  for (const side of SIDES) {
    const head = sides[side].now()?.trace.head;
    const name = [head?.title, head?.passport].filter(Boolean).join(" · ");
    setText(titles[side], `${side.toUpperCase()}: ${name}`);
  }
  found.replaceChildren(...pairing.findings.map((text) => h("li", {}, text)));
  setText(note, noteOf(pairing));
  ranks.show(pairing);
}

/** What to begin with: the link's heads, else those that differ most; weights in one scale on both sides. @param {Here} here @param {Pairing} pairing */
function open(here, pairing) {
  const params = asked(here);
  unled(here, () => {
    if (params.has("scale")) return;
    for (const side of SIDES) here.sides[side].look((now) => ({ ...now, scale: "absolute" }));
  });
  const [top] = pairing.ranking;
  if (!params.has("layer") && top) chooseRank(here, top);
  else if (!params.has("b_layer")) lead(here, "a");
  report(here);
}
