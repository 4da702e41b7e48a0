// What each head could do without: maps, a curve, one head before and after, and what the model does.

import {
  budgetOf,
  efficiencyCsv,
  efficiencyPainted,
  efficiencySentence,
  efficiencyTitle,
  givenIn,
  hasMaps,
  linkOfView,
  unpackEfficiency,
  viewOfLink,
  wayOf,
  wishOf,
  withFound,
  withView,
} from "../numbers/efficiency.js";
import { t, tc } from "../numbers/language.js";
import { createBeforeAfter } from "../panels/beforeafter.js";
import { createGivesUp } from "../panels/givesup.js";
import { createReplaced } from "../panels/replaced.js";
import { createSurvivalCurve } from "../panels/survivalcurve.js";
import { createSurvivalMaps } from "../panels/survivalmaps.js";
import { createAbout, fileWords } from "../parts/about.js";
import { choice, h, setText } from "../parts/dom.js";
import { readTheme } from "../parts/theme.js";
import { createCopy } from "../parts/tools.js";
import { createSaveMenu } from "../save/files.js";
import { followSizes } from "./sizes.js";

/**
 * @typedef {import("../numbers/efficiency.js").EfficiencyState} EfficiencyState
 * @typedef {import("../numbers/efficiency.js").EfficiencyView} EfficiencyView
 * @typedef {{
 *   params: (id?: string) => URLSearchParams,
 *   onView: (params: Record<string, string>, link: Record<string, string> | null) => void,
 *   npz: (() => void) | null, copyLink: (() => Promise<boolean>) | null,
 *   onShown?: (id: string, params: Record<string, string>, words: [string, string],
 *              link?: Record<string, string> | null) => void,
 *   onTravel?: (act: (params: URLSearchParams) => void) => void,
 *   go?: (page: string) => void,
 *   asking?: import("../parts/about.js").Asking,
 *   ask?: (wish: Record<string, string | number>) => void,
 *   page?: (view: Record<string, string>) => void,
 *   leave?: () => void,
 * }} EfficiencyHost what follows copyLink is of a host with a server
 * @typedef {{state: EfficiencyState | null, theme: import("../parts/theme.js").Theme,
 *            waiting: number}} Here
 *   state: null before anything has come; waiting: a timer
 * @typedef {ReturnType<typeof actsOf>} Acts
 */

const PLACE = ["layer", "heads", "query", "key"]; // the same on all pages
const ASK_AFTER = 250; // ms: while a slider moves nothing is asked
const NOWHERE = /** @type {[string, string]} */ (["", ""]);

/** The names that a link uses. */
export const EFFICIENCY_PARAMS = ["way", "budget", "share", ...PLACE];

/** @param {HTMLElement} root @param {EfficiencyHost} host */
export function mountEfficiency(root, host) {
  /** @type {Here} */
  const here = { state: null, theme: readTheme(root), waiting: 0 };
  const act = actsOf(here, host, { draw, drawHovered });
  const parts = createParts(here, host, act);
  root.replaceChildren(...layOut(parts));

  function draw() {
    if (!here.state) return;
    drawParts(parts, here.state, here.theme);
    root.dataset.painted = efficiencyPainted(here.state);
  }

  function drawHovered() {
    if (!here.state) return;
    setText(parts.says, efficiencySentence(here.state));
    parts.maps.show(here.state, here.theme);
    parts.curve.show(here.state, here.theme);
  }

  function repaint() {
    here.theme = readTheme(root);
    draw();
  }

  /** @param {Uint8Array} bytes */
  function update(bytes) {
    here.theme = readTheme(root);
    const { found, page } = unpackEfficiency(bytes);
    arrive(here, host, found);
    parts.copy?.show(found.link !== null);
    draw();
    act.askMaps();
    if (page.length) parts.save.arrived(page);
  }

  host.onTravel?.((params) => {
    if (!here.state) return;
    here.state = withView(here.state, viewOfLink(here.state.found, params));
    host.onShown?.(here.state.found.id, linkOfView(here.state), NOWHERE);
    draw();
    act.askMaps();
  });
  const stopFollowing = followSizes(root, {
    boxes: [
      [parts.maps.survives, drawHovered],
      [parts.curve.element, drawHovered],
      [parts.both.element, draw],
    ],
    all: repaint,
    title: () => (here.state ? efficiencyTitle(here.state) : ""),
  });
  return {
    update,
    retheme: repaint,
    destroy: () => {
      stopFollowing();
      clearTimeout(here.waiting);
      parts.about.stop();
      host.leave?.();
      root.replaceChildren();
    },
  };
}

/** @param {Here} here @param {EfficiencyHost} host @param {import("../numbers/efficiency.js").Efficiency} found */
function arrive(here, host, found) {
  const before = here.state;
  const opening = Object.entries(found.opening ?? {});
  const params = new URLSearchParams([...host.params(found.id), ...opening]); // what is first counts
  here.state = withFound(before, found, params);
  if (before?.found.id !== found.id)
    host.onShown?.(found.id, linkOfView(here.state), NOWHERE, found.link);
  else if (String(Object.entries(before.view)) !== String(Object.entries(here.state.view)))
    host.onView(linkOfView(here.state), found.link); // a way has come that a link asked for
}

/**
 * What a reader can do. Each act makes the next state, and draws what shows it.
 * @param {Here} here @param {EfficiencyHost} host @param {{draw: () => void, drawHovered: () => void}} draws
 */
function actsOf(here, host, { draw, drawHovered }) {
  /** @param {Partial<EfficiencyView>} part */
  function change(part) {
    if (!here.state) return;
    here.state = withView(here.state, part);
    draw();
    host.onView(linkOfView(here.state), here.state.found.link);
    askMaps();
  }
  /** The maps of what is looked at, once nothing moves any more. */
  function askMaps() {
    clearTimeout(here.waiting);
    if (!host.ask || !here.state || hasMaps(here.state)) return;
    here.waiting = window.setTimeout(() => {
      if (here.state && !hasMaps(here.state)) host.ask?.(wishOf(here.state));
    }, ASK_AFTER);
  }
  return {
    change,
    askMaps,
    pick: (/** @type {number} */ pick) => change({ pick }),
    picked: () => here.state?.view.pick ?? 0,
    explore: () => host.go?.("explore"),
    /** @param {number | null} head */
    hover: (head) => {
      if (!here.state || head === here.state.hovered) return;
      here.state = { ...here.state, hovered: head };
      drawHovered();
    },
    put: (/** @type {"head" | "all"} */ what) => {
      clearTimeout(here.waiting);
      if (here.state) host.ask?.(wishOf(here.state, what));
    },
  };
}

/** @param {Here} here @param {EfficiencyHost} host @param {Acts} act */
function createParts(here, host, act) {
  const says = h("p", { class: "ax-says ax-tall ax-eff-says", "aria-live": "polite" });
  const select = /** @type {HTMLSelectElement} */ (
    h("select", { "aria-label": tc("of making attention cheaper", "Way") })
  );
  select.addEventListener("change", () => act.change({ way: select.value }));
  const maps = createSurvivalMaps(act);
  const curve = createSurvivalCurve((budget) => act.change({ budget }));
  const both = createBeforeAfter();
  const replaced = createReplaced(host.ask ? act.put : null);
  const save = createSaveMenu(
    () => ({
      elements: [says, maps.survives, maps.without, curve.element, both.element],
      title: here.state ? efficiencyTitle(here.state) : "",
      name: `${fileWords(here.state?.found.about)} efficiency`,
      says: here.state ? efficiencySentence(here.state) : "",
      theme: here.theme,
    }),
    {
      csv: () => (here.state ? efficiencyCsv(here.state.found) : ""),
      python: () => here.state?.found.about.code ?? "",
      npz: host.npz,
      fetch: host.page ? () => here.state && host.page?.(linkOfView(here.state)) : null,
    },
  );
  return {
    ...{ says, select, maps, curve, both, replaced, save },
    budget: createBudget((budget) => act.change({ budget })),
    share: createShare((share) => act.change({ share })),
    gives: createGivesUp(),
    about: createAbout(host.asking ?? null, host.go ? () => host.go?.("train") : null),
    copy: host.copyLink && createCopy(host.copyLink),
    loading: h("p", { class: "ax-help", role: "status" }),
  };
}

/** How much shall survive. @param {(share: number) => void} choose */
function createShare(choose) {
  return choice(
    t("Enough is"),
    ["80 %", "90 %", "95 %", "99 %"].map((word, at) => [
      String(at),
      word,
      t("What keeps {share} of a head is enough for it", { share: word }),
    ]),
    (value) => choose(Number(value)),
  );
}

/** A slider over the budgets of a way. @param {(budget: number) => void} choose the place of one */
function createBudget(choose) {
  const input = /** @type {HTMLInputElement} */ (
    h("input", { type: "range", min: "0", step: "1", "aria-label": t("Budget") })
  );
  const output = h("output");
  const legend = h("legend");
  input.addEventListener("input", () => choose(Number(input.value)));
  const element = h(
    "fieldset",
    { class: "ax-choice ax-slider ax-eff-budget" },
    legend,
    h("div", {}, input, output),
  );
  return {
    element,
    /** @param {EfficiencyState} state */
    show: (state) => {
      const way = wayOf(state);
      element.hidden = !way.budget;
      input.max = String(way.budgets.length - 1);
      input.value = String(state.view.budget);
      input.setAttribute("aria-valuetext", givenIn(way, budgetOf(state)));
      setText(legend, t("Budget: {budget}", { budget: way.budget }));
      setText(output, budgetOf(state).toLocaleString("en"));
    },
  };
}

/** @param {ReturnType<typeof createParts>} parts */
function layOut({ about, copy, save, select, budget, share, says, loading, ...parts }) {
  const way = h(
    "fieldset",
    { class: "ax-choice" },
    h("legend", {}, t("Made cheaper by")),
    h("div", {}, select),
  );
  const away = h("div", { class: "ax-away" }, ...(copy ? [copy.element] : []), save.element);
  return [
    h("div", { class: "ax-top" }, about.element, away),
    h("div", { class: "ax-tools" }, way, budget.element, share.element),
    says,
    loading,
    h(
      "div",
      { class: "ax-eff" },
      h("div", { class: "ax-eff-side" }, parts.maps.survives, parts.maps.without),
      h("div", { class: "ax-eff-side" }, parts.curve.element, parts.both.element),
    ),
    parts.replaced.element,
    parts.gives.element,
  ];
}

/** @param {ReturnType<typeof createParts>} parts @param {EfficiencyState} state @param {import("../parts/theme.js").Theme} theme */
function drawParts(parts, state, theme) {
  const { found, view } = state;
  parts.about.show(found.about);
  const kinds = found.ways.map(({ kind }) => kind).join();
  if (kinds !== [...parts.select.options].map((option) => option.value).join())
    parts.select.replaceChildren(
      ...found.ways.map(({ kind, name }) => h("option", { value: kind }, name)),
    );
  parts.select.value = view.way;
  parts.budget.show(state);
  parts.share.show(String(view.share));
  setText(parts.says, efficiencySentence(state));
  setText(parts.loading, found.whole ? "" : t("The rank of each head is still being found."));
  parts.maps.show(state, theme);
  parts.curve.show(state, theme);
  parts.both.show(state, theme);
  parts.replaced.show(state);
  parts.gives.show(found, theme);
}
