// Step by step: one query's way from vectors to output, stage by stage, with every number of it.
// One state, one render from it. It knows nothing of its host.

import { csvCell } from "../numbers/csv.js";
import { STAGES } from "../numbers/stages.js";
import {
  asked,
  atStage,
  BEGIN,
  createPlay,
  linkOf,
  onWalk,
  remembering,
  shotOf,
} from "../numbers/stepstate.js";
import { rowLines } from "../numbers/stepwords.js";
import { ownRules, rowFrom, unpackWalks } from "../numbers/walk.js";
import { createDetails, createKeys } from "../panels/stepnumbers.js";
import { createAbout, createPictures, createSayings, createStages } from "../panels/stepstage.js";
import { createStepTools, createStrip } from "../panels/steptools.js";
import { h, pushButton, setText } from "../parts/dom.js";
import { readTheme } from "../parts/theme.js";
import { createCopy } from "../parts/tools.js";
import { createSaveMenu } from "../save/files.js";

/**
 * @typedef {import("../numbers/walk.js").Walk} Walk
 * @typedef {import("../numbers/walk.js").Walks} Walks
 * @typedef {import("../numbers/stepwords.js").StepState} StepState
 * @typedef {{layer: number, head: number, page?: Record<string, string>}} WalkRequest
 *   page: the view of a page that is wanted as a file
 * @typedef {{
 *   params: () => URLSearchParams,
 *   onView: (params: Record<string, string>, link: Record<string, string> | null) => void,
 *   need: ((request: WalkRequest) => void) | null,
 *   copyLink: (() => Promise<boolean>) | null,
 * }} WalkHost
 * @typedef {{walks: Walks | null, state: StepState, theme: import("../parts/theme.js").Theme,
 *            wide: number, rowsOf: import("../numbers/stepstate.js").RowsOf}} Here
 *   wide: the width that was painted for
 * @typedef {{set: (part: Partial<StepState>) => void,
 *            go: (by: (stage: number) => number) => void,
 *            request: ((other: Partial<WalkRequest>) => void) | null}} Acts
 *   request: another layer or head, or a page, comes from the server
 * @typedef {ReturnType<typeof createParts>} Parts
 */

/** The names that a link uses. */
export const WALK_PARAMS = [
  ...["layer", "heads", "query", "key", "stage", "scale", "temperature", "mask"],
];

/** @param {HTMLElement} root @param {WalkHost} host */
export function mountStepper(root, host) {
  /** @type {Here} */
  const here = {
    ...{ walks: null, state: BEGIN, theme: readTheme(root) },
    ...{ wide: 0, rowsOf: remembering() },
  };
  const acts = actsOn(here, host, show);
  const parts = createParts(here, host, acts);
  root.replaceChildren(...layOut(parts));
  const observer = new ResizeObserver(() => {
    if (root.clientWidth !== here.wide) render(root, here, parts);
  });
  observer.observe(root);

  function show() {
    render(root, here, parts);
    if (here.walks) host.onView(linkOf(here.state, here.walks.walks[0]), here.walks.link);
  }

  return {
    /** @param {Uint8Array} bytes */
    update: (bytes) => {
      const fresh = unpackWalks(bytes);
      if (fresh.page.length) parts.save.arrived(fresh.page);
      take(here, fresh, host);
      show();
    },
    retheme: () => {
      here.theme = readTheme(root);
      render(root, here, parts);
    },
    destroy: () => {
      parts.play.stop();
      observer.disconnect();
      root.replaceChildren();
    },
  };
}

/**
 * What the reader can do.
 * @param {Here} here @param {WalkHost} host @param {() => void} show
 * @returns {Acts}
 */
function actsOn(here, host, show) {
  /** @param {Partial<StepState>} part */
  const set = (part) => {
    here.state = { ...here.state, ...part };
    show();
  };
  const { need } = host;
  return {
    set,
    go: (by) => set(atStage(by(here.state.stage))),
    request:
      need &&
      ((other) => {
        if (!here.walks) return;
        const { layer, head } = here.walks.walks[0];
        need({ layer, head, ...other });
      }),
  };
}

/** Walks that have come; the first ones as the link asks. @param {Here} here @param {Walks} fresh @param {WalkHost} host */
function take(here, fresh, host) {
  const opening = Object.entries(fresh.opening ?? {}).map(([name, value]) => [name, `${value}`]);
  if (!here.walks) {
    here.state = asked(here.state, new URLSearchParams([...opening, ...host.params()]));
  }
  here.state = onWalk(here.state, here.walks?.walks[0] ?? null, fresh.walks[0]);
  here.walks = fresh;
  here.rowsOf = remembering();
}

/** @param {Here} here @param {WalkHost} host @param {Acts} acts */
function createParts(here, host, { set, go, request }) {
  const about = createAbout();
  const sayings = createSayings();
  const pictures = createPictures(set);
  const keys = createKeys((key) => set({ key, cell: null }));
  const details = createDetails();
  const right = h("div", {}, keys.element, details.element);
  const { says, changed, check } = sayings;
  const left = h("div", {}, ...about.elements, says, changed, pictures.element, check);
  const body = h("div", { class: "ax-walk-body" }, left, right);
  const strip = createStrip(set, () => ({
    query: here.state.query,
    last: (here.walks?.walks[0].tokens.length ?? 1) - 1,
  }));
  const playButton = pushButton("▶ Play", "Show all stages, one after the other", () =>
    play.toggle(),
  );
  const play = createPlay(window, {
    now: () => here.state.stage,
    go: (stage) => go(() => stage),
    tell: (on) => setText(playButton, on ? "❚❚ Pause" : "▶ Play"),
  });
  const save = createSaveMenu(
    () => nowShown(here, [strip.element, body], says.textContent ?? ""),
    () => numbersCsv(here),
    request && (() => here.walks && request({ page: linkOf(here.state, here.walks.walks[0]) })),
  );
  return {
    ...{ tools: createStepTools(request, set), stages: createStages(go), strip, about, sayings },
    ...{ pictures, keys, details, right, body, play, playButton, save },
    copy: host.copyLink && createCopy(host.copyLink),
  };
}

/** @param {Parts} parts */
function layOut({ tools, strip, stages, playButton, copy, save, body }) {
  return [
    tools.element,
    h(
      "p",
      { class: "ax-help ax-tip" },
      "Whose way do we follow? Click a token, or go with the arrow keys: it is the query.",
    ),
    strip.element,
    stages.nav,
    h(
      "div",
      { class: "ax-away" },
      ...[...stages.buttons, playButton, ...(copy ? [copy.element] : []), save.element],
    ),
    body,
  ];
}

/** @param {HTMLElement} root @param {Here} here @param {Parts} parts */
function render(root, here, parts) {
  const { walks, state } = here;
  here.wide = root.clientWidth;
  if (!walks || !here.wide) return;
  const shot = shotOf(walks, state, here.rowsOf);
  const { walk } = shot;
  const { keys, details, right, body } = parts;
  parts.tools.show(walk, state);
  parts.copy?.show(walks.link !== null);
  parts.strip.show(walk, walks.id, state.query);
  parts.stages.show(state.stage);
  parts.about.show(shot);
  parts.sayings.show(shot);
  keys.show(shot);
  details.show(shot);
  const alone = Boolean(keys.element.hidden && details.element.hidden);
  right.hidden = alone;
  body.classList.toggle("ax-alone", alone);
  parts.pictures.show(shot, here.theme);
  root.dataset.painted = `${walks.id} ${walk.layer}.${walk.head} ${STAGES[state.stage].id} ${state.query}`;
}

/** What a saved picture holds. @param {Here} here @param {HTMLElement[]} elements @param {string} says */
function nowShown({ walks, state, theme }, elements, says) {
  const walk = walks?.walks[0];
  if (!walk) return null;
  const place = `layer ${walk.layer}, head ${walk.head}`;
  const text = walk.tokens.map((t) => t.text).join(" ");
  const title = [walk.title, walk.passport, place, text].filter(Boolean).join(" · ");
  const name = `steps layer ${walk.layer} head ${walk.head} query ${state.query}`;
  return { elements, title, name, says, theme };
}

/** The chosen query's numbers. @param {Here} here */
function numbersCsv({ walks, state: { query } }) {
  const walk = walks?.walks[0];
  if (!walk) return "";
  const lines = rowLines(walk, rowFrom(walk, query, ownRules(walk)), query).map((line) =>
    line.map((cell) => (typeof cell === "string" ? csvCell(cell) : cell)).join(","),
  );
  return `\ufeff${lines.join("\r\n")}\r\n`;
}
