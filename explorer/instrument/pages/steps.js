// Step by step: one query's way from vectors to output, stage by stage, with every number of it.
// One state, one render from it. It knows nothing of its host.

import { csvCell } from "../numbers/csv.js";
import { headName } from "../numbers/headname.js";
import { t } from "../numbers/language.js";
import { ownRules, rowFrom, unpackLayerTraces } from "../numbers/layertrace.js";
import { stagesOf } from "../numbers/stages.js";
import {
  asked,
  atStage,
  BEGIN,
  createPlay,
  linkOf,
  onLayerTrace,
  placed,
  placeOfStage,
  remembering,
  shotOf,
  wordsOf,
} from "../numbers/stepstate.js";
import { madeOf } from "../numbers/stepsums.js";
import { rowLines } from "../numbers/stepwords.js";
import { createApart, createDetails, createKeys, createProducts } from "../panels/stepnumbers.js";
import { slideRows } from "../panels/stepslide.js";
import {
  createPictures,
  createPositions,
  createSayings,
  createStageAbout,
  createStages,
} from "../panels/stepstage.js";
import { createStepTools, createStrip } from "../panels/steptools.js";
import { createTurn } from "../panels/stepturn.js";
import { createAbout, fileWords } from "../parts/about.js";
import { helpMark, term } from "../parts/bubble.js";
import { byHand, h, pushButton, setText } from "../parts/dom.js";
import { readTheme } from "../parts/theme.js";
import { createCopy } from "../parts/tools.js";
import { createSaveMenu } from "../save/files.js";
import { followSizes } from "./sizes.js";

/**
 * @typedef {import("../numbers/layertrace.js").LayerTrace} LayerTrace
 * @typedef {import("../numbers/layertrace.js").LayerTraces} LayerTraces
 * @typedef {import("../numbers/stepwords.js").StepState} StepState
 * @typedef {{layer: number, head: number, change: string, other_d_model: number,
 *            other_n_heads: number, page?: Record<string, string>}} StepsRequest
 *   change: what the server changes, by the names that a link uses; page: the view of a page that is
 *   wanted as a file
 * @typedef {{
 *   params: (id?: string) => URLSearchParams,
 *   onView: (params: Record<string, string>, link: Record<string, string> | null,
 *            words: [string, string]) => void,
 *   need: ((request: StepsRequest) => void) | null,
 *   npz: (() => void) | null, copyLink: (() => Promise<boolean>) | null,
 *   experiment?: (name: "cost" | "scale") => void,
 *   asking?: import("../parts/about.js").Asking,
 *   go?: (page: string, open?: Record<string, string>) => void,
 *   onShown?: (id: string, params: Record<string, string>, words: [string, string],
 *              link?: Record<string, string> | null) => void,
 *   onTravel?: (act: (params: URLSearchParams) => void) => void, leave?: () => void,
 * }} StepsHost experiment: leads to one that stands beside the instrument; what follows is of a host
 *   with pages and a history
 * @typedef {{payload: LayerTraces | null, state: StepState, theme: import("../parts/theme.js").Theme,
 *            rowsOf: import("../numbers/stepstate.js").RowsOf}} Here
 * @typedef {{set: (part: Partial<StepState>) => void,
 *            go: (by: (stage: number) => number) => void,
 *            request: ((other: Partial<StepsRequest>) => void) | null}} Acts
 *   request: another layer or head, or a page, comes from the server
 * @typedef {ReturnType<typeof createParts>} Parts
 */

/** The names that a link uses. */
export const STEPS_PARAMS = [
  ...["layer", "heads", "query", "key", "stage", "scale", "temperature", "mask"],
  ...["change", "other_d_model", "other_n_heads"],
];

/** @param {HTMLElement} root @param {StepsHost} host */
export function mountStepper(root, host) {
  /** @type {Here} */
  const here = {
    ...{ payload: null, state: BEGIN, theme: readTheme(root), rowsOf: remembering() },
  };
  const acts = actsOn(here, host, show);
  const parts = createParts(here, host, acts);
  root.replaceChildren(...layOut(parts));
  const draw = () => render(root, here, parts);
  const stopFollowing = followSizes(root, {
    boxes: [[parts.body, draw]], // its columns are drawn together
    all: repaint,
    title: () => titleOf(here),
  });

  /** In the colours of now. */
  function repaint() {
    here.theme = readTheme(root);
    draw();
  }

  function show() {
    draw();
    if (here.payload) host.onView(...toldOf(here, here.payload));
  }

  host.onTravel?.((params) => travel(here, acts, params, draw));
  return {
    /** @param {Uint8Array} bytes */
    update: (bytes) => {
      const fresh = unpackLayerTraces(bytes);
      if (fresh.page.length) parts.save.arrived(fresh.page);
      const [first, again] = [!here.payload, here.payload?.id === fresh.id];
      take(here, fresh, host);
      if (!again) {
        const [view, link, words] = toldOf(here, fresh);
        host.onShown?.(fresh.id, view, words, link);
      }
      first ? draw() : show();
    },
    retheme: repaint,
    destroy: () => {
      parts.play.stop();
      parts.whose.stop();
      stopFollowing();
      host.leave?.();
      root.replaceChildren();
    },
  };
}

/** All that is chosen, by the names that a link uses. @param {Here} here @param {LayerTraces} payload */
const viewOf = ({ state }, { traces, what_if }) => linkOf(state, traces[0], what_if);

/** What a file opens with: the query too, whoever has chosen it. @param {Here} here @param {LayerTraces} payload */
const fileOf = (here, payload) => ({ ...viewOf(here, payload), query: `${here.state.query}` });

/**
 * What a host is told of it.
 * @param {Here} here @param {LayerTraces} payload
 * @returns {Parameters<StepsHost["onView"]>}
 */
const toldOf = (here, payload) => [
  viewOf(here, payload),
  payload.link,
  wordsOf(payload, here.state),
];

/**
 * The browser went back or forward to another place in what is shown.
 * @param {Here} here @param {Acts} acts @param {URLSearchParams} params @param {() => void} draw
 */
function travel(here, acts, params, draw) {
  const { payload } = here;
  if (!payload) return;
  const [trace] = payload.traces;
  here.state = onLayerTrace(asked({ ...BEGIN, query: payload.usual }, params), trace);
  draw();
  const number = (/** @type {string} */ name) => Number.parseInt(params.get(name) ?? "", 10) || 0;
  const [layer, head] = [number("layer"), number("heads")];
  if (layer !== trace.layer || head !== trace.head) acts.request?.({ layer, head });
}

/**
 * What the reader can do.
 * @param {Here} here @param {StepsHost} host @param {() => void} show
 * @returns {Acts}
 */
function actsOn(here, host, show) {
  /** @param {Partial<StepState>} part */
  const set = (part) => {
    const pinned = here.state.pinned || "query" in part;
    here.state = { ...here.state, ...part, pinned };
    show();
  };
  const { need } = host;
  return {
    set,
    go: (by) => {
      const trace = here.payload?.traces[0];
      if (trace) set(atStage(trace, by(placeOfStage(trace, here.state))));
    },
    request:
      need &&
      ((other) => {
        if (!here.payload) return;
        const { layer, head } = here.payload.traces[0];
        const { changes, other: size } = here.payload.what_if;
        const change = changes.join(".");
        need({
          ...{ layer, head, change, other_d_model: size[0], other_n_heads: size[1] },
          ...other,
        });
      }),
  };
}

/**
 * What has come: the first as the link asks, of another text at the place that goes with it.
 * @param {Here} here @param {LayerTraces} fresh @param {StepsHost} host
 */
function take(here, fresh, host) {
  const opening = Object.entries(fresh.opening ?? {}).map(([name, value]) => [name, `${value}`]);
  const params = new URLSearchParams([...host.params(fresh.id), ...opening]); // what is first counts
  const usual = { ...here.state, query: fresh.usual };
  if (!here.payload) here.state = asked(usual, params);
  else if (here.payload.id !== fresh.id) here.state = placed(usual, params);
  here.state = onLayerTrace(here.state, fresh.traces[0]);
  here.payload = fresh;
  here.rowsOf = remembering();
}

/** @param {Here} here @param {StepsHost} host @param {Acts} acts */
function createParts(here, host, { set, go, request }) {
  const { asking, go: goTo } = host;
  const whose = createAbout(asking ?? null, goTo ? () => goTo("train") : null);
  const about = createStageAbout(host.experiment ?? null);
  const sayings = createSayings();
  const details = createDetails();
  const pictures = createPictures((part) => {
    set(part);
    slideRows(body, pictures.pictureOf, details.sliding());
  });
  const positions = createPositions(set);
  const keys = createKeys((key) => set({ key, cell: null }));
  const products = createProducts();
  const [turn, apart] = [createTurn(), createApart(goTo ?? null)];
  const numbers = { positions, keys, products };
  const body = bodyOf({ about, sayings, pictures, turn, details, apart, ...numbers });
  const strip = createStrip(set, () => ({
    query: here.state.query,
    last: (here.payload?.traces[0].tokens.length ?? 1) - 1,
  }));
  const playing = createPlaying(here, go);
  const label = h(
    "span",
    { class: "ax-whose" },
    term("query", t("Query")),
    helpMark(byHand(WHOSE, WHOSE_TAPPED)),
  );
  const query = h("div", { class: "ax-steps-query" }, label, strip.element);
  const save = createSaveMenu(
    () => nowShown(here, [strip.element, body], sayings.says.textContent ?? ""),
    {
      csv: () => numbersCsv(here),
      python: () => pythonOf(here),
      npz: host.npz,
      fetch: request && (() => here.payload && request({ page: fileOf(here, here.payload) })),
    },
  );
  return {
    ...{
      tools: createStepTools(request, set),
      stages: createStages(go),
      strip,
      query,
      about,
      whose,
    },
    ...{
      sayings,
      pictures,
      positions,
      keys,
      turn,
      apart,
      details,
      products,
      body,
      ...playing,
      save,
    },
    copy: host.copyLink && createCopy(host.copyLink),
  };
}

/**
 * What a stage is, its pictures, and every number of it, as they stand on the page.
 * @param {{about: ReturnType<typeof createStageAbout>, sayings: ReturnType<typeof createSayings>}
 *         & Record<"pictures" | "turn" | "details" | "apart" | "positions" | "keys" | "products",
 *                  {element: HTMLElement}>} parts
 */
function bodyOf({ about, sayings, pictures, turn, details, apart, positions, keys, products }) {
  const { says, changed, head, check } = sayings;
  const side = h("div", { class: "ax-steps-side" }, turn.element, details.element, apart.element);
  return h(
    "div",
    { class: "ax-steps-body" },
    ...[about.line, says, changed],
    h("div", { class: "ax-steps-stage" }, pictures.element, side),
    h("div", { class: "ax-steps-notes" }, about.claim, head, check),
    h("div", { class: "ax-steps-numbers" }, positions.element, keys.element, products.element),
  );
}

const WHOSE_TAPPED = t("Whose way do we follow? Tap a token: it is the query.");
const WHOSE = t(
  "Whose way do we follow? Click a token, or go with the arrow keys: it is the query.",
);

/** @param {Here} here @param {Acts["go"]} go */
function createPlaying(here, go) {
  const trace = () => here.payload?.traces[0];
  const playButton = pushButton(t("▶ Play"), t("Show all stages, one after the other"), () =>
    play.toggle(),
  );
  const play = createPlay(window, {
    now: () => placeOfStage(/** @type {LayerTrace} */ (trace()), here.state),
    last: () => stagesOf(/** @type {LayerTrace} */ (trace())).length - 1,
    go: (stage) => go(() => stage),
    tell: (on) => setText(playButton, on ? t("❚❚ Pause") : t("▶ Play")),
  });
  return { play, playButton };
}

/** @param {Parts} parts */
function layOut({ whose, tools, query, stages, playButton, copy, save, body }) {
  const away = h("div", { class: "ax-away" }, ...(copy ? [copy.element] : []), save.element);
  const through = h("div", { class: "ax-away ax-through" }, ...stages.buttons, playButton);
  const top = h("div", { class: "ax-top" }, whose.element, away);
  const line = h("div", { class: "ax-steps-line" }, stages.nav, through);
  return [top, tools.element, line, query, body];
}

/** @param {HTMLElement} root @param {Here} here @param {Parts} parts */
function render(root, here, parts) {
  const { payload, state } = here;
  if (!payload || !root.clientWidth) return;
  const shot = shotOf(payload, state, here.rowsOf);
  const made = madeOf(shot);
  const { trace } = shot;
  if (payload.about) parts.whose.show(payload.about);
  parts.tools.show(trace, state, payload.what_if);
  parts.copy?.show(payload.link !== null);
  parts.strip.show(trace, payload.id, state.query);
  parts.stages.show(shot);
  parts.about.show(shot);
  parts.sayings.show(shot, payload.what_if.trouble);
  parts.keys.show(shot);
  parts.products.show(made);
  parts.turn.show(shot, here.theme);
  parts.apart.show(shot, payload.apart);
  parts.pictures.show(shot, here.theme);
  parts.positions.show(shot, here.theme);
  parts.details.show(made, here.theme);
  root.dataset.painted = `${payload.id} ${trace.layer}.${trace.head} ${state.stage} ${state.query}`;
}

/** Whose way it is. @param {Here} here */
function titleOf({ payload }) {
  const trace = payload?.traces[0];
  if (!trace) return "";
  const place = headName(trace.layer, trace.head);
  return [trace.title, trace.passport, place].filter(Boolean).join(" · ");
}

/** What a saved picture holds. @param {Here} here @param {HTMLElement[]} elements @param {string} says */
function nowShown({ payload, state, theme }, elements, says) {
  const { traces, about } = payload ?? {};
  const trace = traces?.[0];
  if (!trace) return null;
  const place = headName(trace.layer, trace.head);
  const text = trace.tokens.map((token) => token.text).join(" ");
  const title = [trace.title, trace.passport, place, text].filter(Boolean).join(" · ");
  const name = `${fileWords(about ?? undefined)} steps ${place} query ${state.query}`;
  return { elements, title, name, says, theme };
}

/** The lines that give what is shown, to the weights of the query. @param {Here} here */
function pythonOf({ payload, state: { query } }) {
  const code = payload?.about?.code;
  if (!code) return "";
  const head = payload.traces[0].head;
  return `${code}print(layer.weights[${head}, ${query}])  # head, query: what each key gets\n`;
}

/** The chosen query's numbers. @param {Here} here */
function numbersCsv({ payload, state: { query } }) {
  const trace = payload?.traces[0];
  if (!trace) return "";
  const lines = rowLines(trace, rowFrom(trace, query, ownRules(trace)), query).map((line) =>
    line.map((cell) => (typeof cell === "string" ? csvCell(cell) : cell)).join(","),
  );
  return `\ufeff${lines.join("\r\n")}\r\n`;
}
