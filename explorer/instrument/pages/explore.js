// The instrument: one state, one render from it. It knows nothing of its host: a host mounts it on
// an element, feeds it payloads, and is told what the reader chose. A host that gives everything at
// once has no need, one that has no address to share no copyLink, one without other pages no
// go.

import { areHere, frameAt, headsIn, merge, showFrame, unpack } from "../numbers/data.js";
import { noPictures, picturesAfter, sceneOf } from "../numbers/explorepictures.js";
import {
  arrived,
  changed,
  editing,
  editsBehind,
  haveOtherThumbs,
  NOTHING_AT_HAND,
  NOTHING_TOLD,
  peekAt,
  picked,
  pickedPair,
  pointAt,
  soughtHead,
  stay,
  travelled,
  withWholeLayer,
} from "../numbers/explorestore.js";
import { levelsIn, mapLevelOf, unitsHolding } from "../numbers/layout.js";
import { nextHead } from "../numbers/nexthead.js";
import { pinnedWords } from "../numbers/pinnedwords.js";
import { areThumbsExact } from "../numbers/thumbs.js";
import {
  chooseHead,
  clamp,
  fromParams,
  isPinned,
  NO_HISTORY,
  START,
  switchesOf,
  toParams,
} from "../numbers/view.js";
import { standAnew } from "../parts/room.js";
import { fixedTheme, readTheme } from "../parts/theme.js";
import { cardsIn, cardsToPaper, keepCards, sayLeft, toldNow, withCardsOf } from "./explorecards.js";
import { createParts, layOut, panelsOf } from "./exploreparts.js";
import { CLOCK, createSchedule } from "./exploreschedule.js";
import { createSupply } from "./exploresupply.js";
import { createLesson } from "./lesson.js";
import { boxesOf, followSizes } from "./sizes.js";

/**
 * @typedef {import("../numbers/data.js").Trace} Trace
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/view.js").View} View
 * @typedef {import("../numbers/words.js").Focus} Focus
 * @typedef {import("./exploreschedule.js").Change} Change
 * @typedef {import("./exploreschedule.js").Panel} Panel
 * @typedef {{
 *   hover: (focus: Focus | null, from: Panel) => void,
 *   walk: (focus: Focus) => void,
 *   pick: (side: "row" | "column", units: number[], add: boolean) => void,
 *   pickPair: (rows: number[], columns: number[], add: boolean) => void,
 *   clear: () => void,
 *   peek: (layer: number | null, head?: number) => void,
 *   chooseHead: (layer: number, head: number, add: boolean) => void,
 *   chooseLayer: (layer: number) => void,
 *   nextHead: () => void,
 *   pointAtText: () => void,
 * }} Actions
 * @typedef {{trace: string, layer: number, group: import("../numbers/scene.js").Wish | null, means: boolean,
 *            heads: Place[], summaries: Place[], map: string | null, thumbs: Place[], known: boolean,
 *            page: ({ticket: number, view: Record<string, string>} & PageOf) | null,
 *            striking?: true, effects?: number,
 *            next?: {temperature: number, top: number, at: number},
 *            lens?: import("../numbers/lens.js").Asked, why?: number[]}} Request
 *   everything that is wanted of the server; request.py checks it; of a long text: heads in full,
 *   what is said of heads as a whole, with maps at a level, and small pictures; known: whether the
 *   header is here; striking: what is worth a look; effects: the layer whose heads are switched off;
 *   next: what comes next, drawn in this way
 * @typedef {[number, number]} Place a layer and a head
 * @typedef {{layers: number[] | null, heads: Place[] | null}} PageOf null: all of them
 * @typedef {{
 *   params: (id?: string) => URLSearchParams,
 *   onView: (params: Record<string, string>, link: Record<string, string> | null,
 *            words: [string, string]) => void,
 *   need: ((request: Request) => void) | null,
 *   copyLink: (() => Promise<boolean>) | null,
 *   onFocus: ((tokens: Places | null) => void) | null,
 *   asking?: import("../parts/about.js").Asking, npz?: (() => void) | null,
 *   readOther?: () => void, write?: (wish: Record<string, string | number>) => void,
 *   go?: (page: string, open?: Record<string, string>) => void,
 *   onShown?: (id: string, params: Record<string, string>, words: [string, string],
 *              link?: Record<string, string> | null, grows?: boolean) => void,
 *   onTravel?: (act: (params: URLSearchParams) => void) => void, leave?: () => void,
 *   linkTo?: (params: Record<string, string>, link: Record<string, string> | null) => string,
 * }} Host what follows onFocus is of a host with pages and a history
 * @typedef {{queries: number[], keys: number[]}} Places tokens that look, tokens that are looked at
 * @typedef {{update: (bytes: Uint8Array) => void, retheme: () => void, destroy: () => void,
 *            point: (tokens: Places | null) => void, look: (next: (now: View) => View) => void,
 *            now: () => {trace: Trace, view: View} | null}} Instrument
 *   point, look: as if the reader had pointed or chosen
 * @typedef {{
 *   root: HTMLElement, host: Host, trace: Trace | null, told: import("../numbers/explorestore.js").Told,
 *   pictures: import("../numbers/explorepictures.js").Pictures, theme: Scene["theme"],
 *   scene: Scene | null, shown: View | null, fresh: boolean, parts: import("./exploreparts.js").Parts,
 *   supply: ReturnType<typeof createSupply>, schedule: ReturnType<typeof createSchedule>,
 *   seen: () => void, lesson: import("./lesson.js").Lesson | null,
 *   plain: {of: View | null, view: View},
 * }} Here
 *   scene: what was painted last; shown: the view that the switches show; fresh: the
 *   trace is not painted yet; seen: called when the page is
 *   seen again; lesson: null in a part of a page; plain: a view as a lesson shows it
 */

const ALL = { thumbs: true, model: true };

/**
 * @param {HTMLElement} root @param {Host} host
 * @returns {Instrument}
 */
export function mount(root, host) {
  const here = /** @type {Here} */ ({
    ...{ root, host, trace: null, told: NOTHING_TOLD, pictures: noPictures() },
    ...{ theme: readTheme(root), scene: null, shown: null, fresh: false },
    ...{ lesson: null, plain: { of: null, view: START } },
    supply: createSupply(host.need, Date.now() % 90_000, () => !document.hidden),
  });
  here.seen = () => fetchMissing(here);
  const cards = cardsIn(here, (next, what) => change(here, next, what));
  if (!root.parentElement?.closest(".ax")) {
    const turned = () => here.schedule.ask({ ...ALL, moved: true });
    here.lesson = createLesson(root, { turned, keep: cards.keep, show: cards.showAt });
  }
  here.parts = createParts(doingOf(here, cards));
  const { heatmap, flow, reading, next, lens, changes, layers, says, picked, training } =
    here.parts;
  here.schedule = createSchedule(CLOCK, {
    panels: [heatmap, flow, reading, next, layers, lens],
    slow: [says.describe, picked.show, changes.show],
    render: () => render(here),
    rest: () => rest(here),
    sceneNow: () => here.scene,
  });
  layOut(root, here.parts);
  root.style.visibility = "hidden"; // until there is something in it
  document.addEventListener("visibilitychange", here.seen);
  root.onkeydown = (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    travel(here, event.shiftKey ? "future" : "past");
  };
  const stopFollowing = followSizes(root, drawingOf(here));
  host.onTravel?.((params) => goTo(here, params));
  return {
    update: (bytes) => update(here, bytes),
    retheme: () => retheme(here),
    point: (tokens) => point(here, tokens),
    look: (next) => change(here, next, { ...ALL, moved: true }),
    now: () => here.trace && { trace: here.trace, view: here.told.view },
    destroy: () => {
      here.lesson?.leave();
      here.schedule.stop();
      training.pause();
      here.parts.about.stop();
      stopFollowing();
      host.leave?.();
      document.removeEventListener("visibilitychange", here.seen);
      root.replaceChildren();
    },
  };
}

/** What is drawn for whose width. @param {Here} here @returns {import("./sizes.js").Drawing} */
const drawingOf = (here) => ({
  boxes: [
    ...boxesOf(panelsOf(here.parts), () => here.scene),
    [here.root, () => here.schedule.ask({})], // it may have been in a hidden tab
  ],
  all: () => {
    here.theme = readTheme(here.root);
    here.schedule.ask(ALL);
    render(here);
  },
  paper: (paper) => cardsToPaper(here, paper, () => render(here)),
  title: () => {
    const { title, passport } = here.trace?.head ?? {};
    const seen = here.scene && [here.scene.model.name, ...switchesOf(here.scene.view)].join(", ");
    return [title, passport, seen].filter(Boolean).join(" · ");
  },
});

/**
 * @param {Here} here @param {ReturnType<typeof cardsIn>} cards
 * @returns {import("./exploreparts.js").Doing}
 */
function doingOf(here, cards) {
  const { host, supply } = here;
  return {
    actions: { ...pointingIn(here), ...choosingIn(here) },
    change: (next, what) => change(here, next, what),
    travel: (where) => travel(here, where),
    several: (several) => {
      here.told = { ...here.told, several };
    },
    openLayers: (open) => {
      if (open) fetchMissing(here);
      here.schedule.ask({ model: true });
    },
    sceneNow: () => here.scene,
    pages: {
      choices: () => (here.trace ? supply.pageChoices(here.trace, here.told.view) : []),
      fetch:
        host.need && ((which) => here.trace && supply.fetchPage(here.trace, here.told.view, which)),
    },
    copyLink: host.copyLink,
    ...{ asking: host.asking ?? null, npz: host.npz ?? null, go: host.go ?? null },
    edit: host.write ? (edits) => edit(here, edits, null) : null,
    takeApart: (asked) => {
      supply.takeApart(asked);
      fetchMissing(here);
    },
    ...{ readOther: host.readOther ?? null, writing: writingIn(here) },
    effects:
      host.need &&
      (() => {
        supply.askEffects();
        fetchMissing(here);
      }),
    ...{ cards, lesson: here.lesson && (() => here.lesson?.turn(true)) },
    askOther: (asks) => {
      here.told = { ...here.told, other: asks };
      here.schedule.ask({ model: true });
    },
  };
}

/** What is written behind the text. @param {Here} here @returns {import("../panels/next.js").Writing | null} */
function writingIn(here) {
  const { write } = here.host;
  if (!write) return null;
  return {
    append: (at, token) => write({ act: "append", at, token }),
    write: () => {
      const { temperature, top } = here.told.view;
      write({ act: "write", temperature, top, at: 0 });
    },
    stop: () => write({ act: "stop" }),
  };
}

/** What only passes. @param {Here} here @returns {Pick<Actions, "hover" | "walk" | "peek">} */
const pointingIn = (here) => ({
  hover: (focus, from) => {
    const told = pointAt(here.told, focus);
    if (told === here.told) return;
    here.told = told;
    here.schedule.hand(from);
    tell(here);
    here.schedule.ask({});
  },
  walk: (focus) => {
    here.told = { ...here.told, hovered: focus };
    here.schedule.hand(null);
    tell(here);
    here.schedule.askWhole();
    render(here); // the next key may come before the next frame
  },
  peek: (layer, head) => {
    here.told = peekAt(here.told, layer, head);
    here.schedule.ask({ model: true, peek: true });
  },
});

/** What stays. @param {Here} here @returns {Omit<Actions, "hover" | "walk" | "peek">} */
const choosingIn = (here) => ({
  pick: (side, units, add) => {
    const tokens = tokensOf(here, side, units);
    const name = side === "row" ? "queries" : "keys";
    change(here, () => picked(here.told, name, tokens, add), {});
  },
  pickPair: (rows, columns, add) => {
    const [queries, keys] = [tokensOf(here, "row", rows), tokensOf(here, "column", columns)];
    change(here, () => pickedPair(here.told, queries, keys, add), {});
  },
  clear: () => {
    here.told = { ...here.told, hovered: null };
    change(here, (now) => ({ ...now, queries: [], keys: [] }), {});
  },
  chooseHead: (layer, head, add) => {
    here.told = peekAt(here.told, null);
    change(here, (now) => chooseHead(now, layer, head, add), { model: true, moved: true });
  },
  nextHead: () => {
    const { trace, told, pictures } = here;
    if (!trace) return;
    const { layer, head } = nextHead(trace, told.view, pictures.numbers);
    change(here, (now) => chooseHead(now, layer, head, false), { model: true, moved: true });
  },
  pointAtText: () => here.parts.reading.toHand(),
  chooseLayer: (layer) => {
    here.told = peekAt(here.told, null);
    const nHeads = here.trace?.head.n_heads ?? 1;
    change(here, (now) => withWholeLayer(now, layer, nHeads), { model: true });
  },
});

/** @param {Here} here @param {"row" | "column"} side @param {number[]} units */
function tokensOf({ pictures: { model } }, side, units) {
  const all = side === "row" ? model?.picture.rows : model?.picture.columns;
  return units.flatMap((unit) => all?.[unit]?.tokens ?? []);
}

/** Tell the host what is pointed at. @param {Here} here */
function tell(here) {
  const { hovered } = here.told;
  const [rows, columns] = [hovered?.rows ?? [], hovered?.columns ?? []];
  const tokens = {
    queries: tokensOf(here, "row", rows),
    keys: tokensOf(here, "column", columns),
  };
  here.host.onFocus?.(hovered && tokens);
}

/** As if the reader had pointed. @param {Here} here @param {Places | null} tokens */
function point(here, tokens) {
  const { model } = here.pictures;
  if (!model) return;
  const { rowOfToken, columnOfToken } = model.layout;
  const hovered = tokens && {
    rows: unitsHolding(tokens.queries, rowOfToken),
    columns: unitsHolding(tokens.keys, columnOfToken),
  };
  here.told = { ...here.told, hovered };
  here.schedule.ask({});
}

/** @param {Here} here @param {(now: View) => View} next @param {Change} what */
function change(here, next, what) {
  if (here.trace) turnTo(here, changed(here.told, next, here.trace.head), what);
}

/**
 * The browser went back or forward to another place in what is shown.
 * @param {Here} here @param {URLSearchParams} params
 */
function goTo(here, params) {
  const { trace, told } = here;
  if (!trace) return;
  const { cards } = told.view; // those of now: a place is none of theirs
  const there = clamp(fromParams(START, params), trace.head);
  const view = { ...there, cards };
  here.told = { ...told, view, history: NO_HISTORY, ...NOTHING_AT_HAND };
  fetchMissing(here);
  const words = pinnedWords(trace, view);
  here.host.onShown?.(trace.head.id, toParams(view), words);
  if (String(there.cards) !== String(cards)) {
    here.host.onView(toParams(view), trace.head.link, words);
  }
  here.schedule.ask({ ...ALL, moved: true });
}

/** Undo or redo. @param {Here} here @param {"past" | "future"} where */
function travel(here, where) {
  const edits = editsBehind(here.told, where);
  if (edits !== null) return edit(here, edits, where);
  const told = travelled(here.told, where);
  if (told) turnTo(here, told, { ...ALL, moved: true });
}

/**
 * The model's attention shall be changed.
 * @param {Here} here @param {string} edits @param {"past" | "future" | null} where undo or redo asks
 */
function edit(here, edits, where) {
  if (!here.trace) return;
  here.told = editing(here.told, edits, here.trace.head, where);
  here.host.write?.({ act: "edit", edits });
}

/** @param {Here} here @param {Here["told"]} told @param {Change} what */
function turnTo(here, told, what) {
  if (!here.trace) return;
  const before = here.told.view;
  here.told = told;
  if (String(before.cards) !== String(told.view.cards)) keepCards(here, here.trace.head.id);
  fetchMissing(here);
  here.host.onView(toParams(told.view), here.trace.head.link, pinnedWords(here.trace, told.view));
  here.schedule.ask(haveOtherThumbs(before, told.view) ? { ...what, thumbs: true } : what);
}

/**
 * Ask the server for what is needed and not here.
 * @param {Here} here @param {{layer: number, heads: number[]}} [look]
 */
function fetchMissing({ trace, told: { view }, supply, parts }, look = view) {
  if (trace) supply.fetchMissing(trace, view, look, parts.layers.isOpen());
}

/** A look that stays: it is shown in full, and a missing layer is fetched. @param {Here} here */
function rest(here) {
  here.told = stay(here.told);
  const { peeked } = here.told;
  if (!peeked) return;
  const look = { layer: peeked.layer, heads: [peeked.head] };
  fetchMissing(here, look);
  const isHere = here.trace && areHere(here.trace, look.layer, look.heads);
  if (here.pictures.model?.pooled && isHere) here.schedule.ask({ model: true });
}

/** @param {Here} here */
function render(here) {
  const { root, trace, parts, schedule } = here;
  schedule.begin();
  if (!trace || !root.clientWidth) return; // in a hidden tab; once it is seen, it asks again
  const what = schedule.take();
  if (trace.training) showFrame(trace, frameAt(trace.training, here.told.view.step));
  const told = toldNow(here);
  here.pictures = picturesAfter(here.pictures, trace, told, what);
  const { model } = here.pictures;
  if (!model) return;
  const theme = told.view.scale === "absolute" ? fixedTheme(here.theme) : here.theme;
  const how = { theme, moved: what.moved ?? false, asks: here.host.need !== null };
  const scene = sceneOf(trace, told, here.pictures, model, how);
  here.scene = scene;
  const nothing = !model.picture.rows.length;
  parts.blank.hidden = !nothing;
  parts.panels.hidden = nothing;
  const anew = Boolean(what.model || what.thumbs);
  if (here.shown === null) showAbove(here, scene);
  if (!nothing) schedule.paint(scene, anew, Boolean(what.peek && !what.thumbs));
  if (here.shown !== scene.view) showView(here, scene); // after the panels, which ask for sizes
  root.style.visibility = "";
  if (nothing) return parts.says.show(scene, false);
  if (what.thumbs || what.smalls) {
    parts.grid.draw(scene);
    parts.says.rank(scene);
  } else parts.grid.mark(scene);
  const passing = here.told.hovered !== null || here.told.peeked !== null;
  parts.says.show(scene, passing);
  if (anew) parts.training.draw(scene);
  if (here.fresh) standAnew(root);
  here.fresh = false;
  root.dataset.painted = paintedOf(scene);
  seek(here);
}

/** To the head that gives most to the pair that was asked about. @param {Here} here */
function seek(here) {
  const { told, trace, pictures } = here;
  const found = trace && soughtHead(told, pictures.numbers, headsIn(trace.head));
  if (!found) return;
  const { layer, head } = found;
  change(here, (now) => chooseHead(now, layer, head, false), { model: true, moved: true });
}

/** What is painted, for whoever waits for it. @param {Scene} scene */
function paintedOf({ trace: { head, training }, view, loading }) {
  const step = training ? ` step ${training.steps[frameAt(training, view.step)]}` : "";
  return `${head.id} ${view.layer}.${view.heads.join(".")}${step}${loading ? " loading" : ""}`;
}

/**
 * Of a new trace first what stands above the pictures: they are as tall as it leaves room for.
 * @param {Here} here @param {Scene} scene
 */
function showAbove(here, scene) {
  const { training, says, picked, reading } = here.parts;
  showView(here, scene);
  training.draw(scene);
  says.show(scene, false);
  picked.show(scene);
  if (!here.parts.panels.hidden) reading.draw(scene);
}

/** The switches and what can be undone. @param {Here} here @param {Scene} scene */
function showView(here, scene) {
  const { view, trace } = scene;
  here.shown = view;
  const { combine, gridShows, copy, steps, about, lead } = here.parts;
  const { head } = trace;
  const own = [...(head.long ? [] : ["same"]), ...levelsIn(head)];
  const level = mapLevelOf(head, view) ?? "same";
  const pools = level !== "same" && !(head.long && view.specials === "renormalised");
  here.parts.view.show({ view, levels: own, level, pools });
  about.show(head.about);
  here.parts.cards.show(here.told.view, trace);
  here.parts.says.notify(scene);
  here.parts.striking.draw(scene);
  lead.show(pinnedWords(trace, view)[0], head.training !== null, head.patches !== null);
  combine.show(view);
  gridShows.show(view);
  copy?.show(trace.head.link !== null);
  steps.show(here.told.history);
}

/** @param {Here} here @param {Uint8Array} bytes */
function update(here, bytes) {
  const [next, before] = [unpack(bytes), here.trace];
  const brought = newsIn(next);
  here.theme = readTheme(here.root);
  const more = before?.head.id === next.head.id; // of the same trace
  if (next.head.more && !more) return here.supply.fetchAll(next);
  if (before && more) merge(next, before);
  else arrive(here, next);
  here.trace = next;
  const { view } = here.told;
  if (next.training) showFrame(next, frameAt(next.training, view.step));
  here.shown = null;
  here.supply.keep(next, view);
  here.told = { ...here.told, view: clamp(view, next.head) };
  const page = here.supply.pageOf(next);
  if (page) here.parts.files.arrived(page);
  fetchMissing(here);
  // Of a long text the small pictures were all here; an answer about what is pinned changes them.
  const thumbs = !more || isPinned(here.told.view) || areThumbsExact(next);
  if (more && brought !== "more") return here.schedule.ask({ smalls: brought === "smalls" });
  here.schedule.ask({ thumbs, model: true, moved: true });
}

/**
 * What an answer brings: nothing, if something else was asked before it was made; small pictures
 * alone; or more.
 * @param {Trace} trace
 */
function newsIn({ head, heads, summaries, smalls, group, means }) {
  if (heads.size || summaries.size || group || means) return "more";
  if (smalls.size) return "smalls";
  return head.more ? "nothing" : "more";
}

/** A new trace takes the place of the one before. @param {Here} here @param {Trace} next */
function arrive(here, next) {
  const left = here.trace ? here.told.view.cards.length : 0;
  here.told = arrived(here.told, next.head, here.host.params(next.head.id));
  here.told = withCardsOf(here, next.head.id);
  if (here.host.params(next.head.id).get("open") === "score") here.parts.lens.unfold();
  sayLeft(here, left, next);
  here.pictures = { ...here.pictures, model: null, chosen: null };
  here.fresh = true;
  here.supply.restart();
  const { host, told } = here;
  const [params, words] = [toParams(told.view), pinnedWords(next, told.view)];
  if (next.training) {
    host.onShown?.(next.head.id, params, words); // the server writes what is learned
    if (here.trace) host.onView(params, next.head.link, words);
  } else if (host.onShown) {
    host.onShown(next.head.id, params, words, next.head.link, next.head.writing === "now");
  } else if (here.trace) host.onView(params, next.head.link, words);
}

/** Paint in the page's colours of now. @param {Here} here */
function retheme(here) {
  const now = readTheme(here.root);
  if (now.text === here.theme.text && now.page === here.theme.page) return;
  here.theme = now;
  here.schedule.ask(ALL);
}
