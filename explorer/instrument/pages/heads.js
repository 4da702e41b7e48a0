// All heads of a model: a map, a plane, a ranking, a search by pointing. It knows nothing of its host.

import { linkOfView, measureOf, withPairs, withSurvey, withView } from "../numbers/headsview.js";
import {
  headsCsv,
  headsPainted,
  headsSentence,
  headsTitle,
  measureGroups,
  placeOf,
  ranked,
} from "../numbers/headwords.js";
import { unpackHeads } from "../numbers/survey.js";
import { createFinder } from "../panels/finder.js";
import { createHeadPictures } from "../panels/headpictures.js";
import { createHeadRanks, kindChips } from "../panels/headranks.js";
import { choice, h, setText } from "../parts/dom.js";
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
 *   params: () => URLSearchParams,
 *   onView: (params: Record<string, string>, link: Record<string, string> | null) => void,
 *   find: (pairs: Pair[]) => void,
 *   explore: (head: {layer: number, head: number}) => void,
 *   copyLink: () => Promise<boolean>,
 * }} HeadsHost
 * @typedef {{state: HeadsState | null, thumbs: Uint8Array, theme: import("../parts/theme.js").Theme}} Here
 *   state: null before the first survey has come
 * @typedef {ReturnType<typeof actsOf>} Acts
 */

/** The names that a link uses. */
export const HEADS_PARAMS = ["measure", "kinds", "lowest", "pick", "pairs"];

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
    setText(parts.says, headsSentence(here.state));
    parts.pictures.show(here.state, here.theme);
  }

  function drawRanks() {
    if (here.state) parts.ranks.show({ ...here, state: here.state });
  }

  /** @param {Uint8Array} bytes */
  function update(bytes) {
    const { heads, thumbs } = unpackHeads(bytes);
    const first = here.state?.heads.id !== heads.id;
    here.theme = readTheme(root);
    here.thumbs = thumbs;
    here.state = withSurvey(here.state, heads, host.params());
    const { pairs } = here.state.view;
    if (first && pairs.length && !heads.found) host.find(pairs);
    parts.copy.show(heads.link !== null);
    fillSelect(parts.select, here.state.heads);
    draw();
  }

  function repaint() {
    here.theme = readTheme(root);
    draw();
  }

  const stopFollowing = followSizes(root, {
    boxes: [[parts.pictures.element, drawHovered]],
    all: repaint,
    title: () => (here.state ? headsTitle(here.state) : ""),
  });
  return {
    update,
    retheme: repaint,
    destroy: () => {
      stopFollowing();
      root.replaceChildren();
    },
  };
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
    host.onView(linkOfView(state), state.heads.link);
  }
  /** @param {Partial<HeadsView>} part */
  const change = (part) => here.state && go(withView(here.state, part));
  /** @param {number} head */
  const explore = (head) => {
    if (here.state && head >= 0) host.explore(placeOf(here.state.heads, head));
  };
  const picked = () => here.state?.view.pick ?? -1;
  return {
    change,
    explore,
    picked,
    pick: (/** @type {number} */ pick) => change({ pick }),
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
      host.find(pairs);
      go(withPairs(here.state, pairs));
    },
    all: () => {
      if (!here.state) return;
      here.state = { ...here.state, ranks: ranked(here.state).length };
      drawRanks();
    },
  };
}

/** @param {Here} here @param {HeadsHost} host @param {Acts} act */
function createParts(here, host, act) {
  const select = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": "Measure" }));
  select.addEventListener("change", () => act.change({ measure: select.value }));
  const order = choice(
    "Ranked from",
    [
      ["highest", "the highest", "Most of it first"],
      ["lowest", "the lowest", "Least of it first"],
    ],
    (value) => act.change({ lowest: value === "lowest" }),
  );
  const says = h("p", { class: "ax-says", "aria-live": "polite" });
  const pictures = createHeadPictures(act);
  const save = createSaveMenu(
    () => ({
      elements: [pictures.element, says],
      title: here.state ? headsTitle(here.state) : "",
      name: "heads",
      says: here.state ? headsSentence(here.state) : "",
      theme: here.theme,
    }),
    () => (here.state ? headsCsv(here.state.heads) : ""),
    null,
  );
  return {
    ...{ select, order, says, pictures, save },
    copy: createCopy(host.copyLink),
    legend: h("div", { class: "ax-legend" }),
    finder: createFinder(act.find),
    ranks: createHeadRanks(act),
  };
}

/** @param {ReturnType<typeof createParts>} parts */
const layOut = ({ select, order, copy, save, legend, says, pictures, finder, ranks }) => [
  h(
    "div",
    { class: "ax-tools" },
    h(
      "fieldset",
      { class: "ax-choice" },
      h("legend", {}, "Colour and rank heads by"),
      h("div", {}, select),
    ),
    order.element,
    h("div", { class: "ax-away" }, copy.element, save.element),
  ),
  h("div", { class: "ax-kinds" }, h("span", { class: "ax-help" }, "Kinds: "), legend),
  says,
  pictures.element,
  finder.element,
  ranks.element,
];

/**
 * @param {ReturnType<typeof createParts>} parts @param {Here} here @param {HeadsState} state
 * @param {Acts} act
 */
function drawParts({ select, order, legend, says, pictures, finder, ranks }, here, state, act) {
  const { theme, thumbs } = here;
  select.value = measureOf(state).key;
  order.show(state.view.lowest ? "lowest" : "highest");
  legend.replaceChildren(...kindChips(state, theme, (kinds) => act.change({ kinds })));
  setText(says, headsSentence(state));
  pictures.show(state, theme);
  finder.show(state.heads, state.view.pairs);
  ranks.show({ state, thumbs, theme });
}

/** @param {HTMLSelectElement} select @param {Heads} heads */
function fillSelect(select, heads) {
  const groups = measureGroups(heads).flatMap(([label, measures]) => {
    const options = measures.map((m) => h("option", { value: m.key }, m.name));
    return options.length ? [h("optgroup", { label }, ...options)] : [];
  });
  select.replaceChildren(...groups);
}
