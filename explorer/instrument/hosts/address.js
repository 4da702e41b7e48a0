// The page's address as the place where a view is kept, for hosts in Streamlit. Every place that was
// looked at, and every stage, is a step of the browser's history; switches are not.

import { brokenWords } from "../numbers/broken.js";
import { t } from "../numbers/language.js";
import { h } from "../parts/dom.js";
import { Broken } from "../wire/container.js";
import { TOLD } from "./told.js";

/**
 * @typedef {Record<string, string>} Params
 * @typedef {[string, string]} Words the words that the first pinned query and key are pieces of
 * @typedef {{view: Params, words: Words, page?: string, open?: Params, from?: string,
 *            written?: string}} ToldPlace
 *   page: another page that is wanted at this place; open: what else it shall open with; written:
 *   what stood behind the text that was looked at: while a model writes, a look is soon one of before
 */

const WRITE_AFTER = 150; // ms; browsers limit how often a page may rewrite its address
const PLACE = ["layer", "heads", "query", "key", "stage"]; // the rest of a view are switches

/** Where one looks, of a view. @param {Params} params */
const placeIn = (params) => PLACE.map((name) => params[name]).join(" ");

const now = () => new URLSearchParams(window.location.search);

/**
 * The address of a view; of a run without a link the rest of the address stays as it is.
 * @param {string[]} names the view’s own parameters @param {Params} params @param {Params | null} link the run's part
 */
function urlOf(names, params, link) {
  const url = new URL(window.location.href);
  const isKept = (/** @type {string} */ name) =>
    link ? name.startsWith("embed") || name === "lang" : !names.includes(name);
  const kept = [...url.searchParams].filter(([name]) => isKept(name));
  const told = { ...Object.fromEntries(kept), ...link, ...params };
  url.search = String(new URLSearchParams(told));
  return url;
}

/** What an address asks for, apart from views and the language. @param {string[]} names @param {URLSearchParams} params */
const runIn = (names, params) =>
  [...params]
    .filter(([name]) => !names.includes(name) && !PLACE.includes(name) && name !== "lang")
    .map(String)
    .sort()
    .join("&");

/**
 * Writes a view into the address, a moment after it was chosen; of another picture at once.
 * @param {string[]} names the view’s own parameters @param {string} page
 */
function createWriter(names, page) {
  /** @type {URL | null} */
  let next = null;
  let timer = 0;
  let begun = ""; // the rest of the address when the view changed
  let id = ""; // of what is shown; a step of the history that bears it is of the same picture
  let grows = false; // the next picture is more of the same
  /** @type {Params} */
  let shown = {}; // the view that the history stands at
  /** @type {Params} */
  let chosen = {}; // the view that waits to be written
  const home = window.location.pathname; // of another page nothing is written
  /**
   * The address, without the view of another picture; where it names none, with the one that this step of the history bears.
   * @param {string} [of] the id of what is shown
   */
  const asked = (of) => {
    const [params, { state }] = [now(), window.history];
    const isOf = state?.ax === `${page} ${of}`;
    if (id && state?.ax && !isOf) for (const name of names) params.delete(name); // of another picture
    if (!state?.view || !isOf) return params;
    if (names.some((name) => params.has(name))) return params;
    return new URLSearchParams([...params, ...Object.entries(state.view)]);
  };
  const rest = () => {
    const params = now();
    for (const name of names) params.delete(name);
    return window.location.pathname + params;
  };
  const marked = () => ({ ...window.history.state, ax: id, view: shown, grows });
  const write = () => {
    clearTimeout(timer);
    timer = 0;
    // Where the page has gone on to another run meanwhile, this view is no longer what it shows.
    if (next && rest() === begun && window.location.pathname === home) {
      const isStep = placeIn(chosen) !== placeIn(shown);
      shown = chosen;
      window.history[isStep ? "pushState" : "replaceState"](marked(), "", next);
    }
    next = null;
  };
  return {
    asked,
    write,
    /** @param {Params} params @param {Params | null} link the run's part */
    later: (params, link) => {
      [next, chosen, begun] = [urlOf(names, params, link), params, rest()];
      if (!timer) timer = window.setTimeout(write, WRITE_AFTER);
    },
    /** The history stands at a view now, and what waits to be written is of another. @param {Params} view */
    standAt: (view) => {
      [next, shown] = [null, view];
    },
    /** What is shown is written by somebody else. @param {string} newId @param {Params} params */
    mark: (newId, params) => {
      [id, shown, grows] = [`${page} ${newId}`, params, false];
      window.history.replaceState(marked(), "");
    },
    /**
     * Another picture is shown. The step of the history that led here gets its address; what a
     * reader asked for where he stood is a step of its own.
     * @param {string} newId @param {Params} params @param {Params | null} link @param {boolean} isGrowing
     */
    show: (newId, params, link, isGrowing) => {
      const { state } = window.history;
      const before = id;
      [id, shown, grows, next] = [`${page} ${newId}`, params, isGrowing, null];
      const url = urlOf(names, params, link);
      const how = wayOf(state, { id, before, names, link, url });
      if (how === "mark") window.history.replaceState(marked(), "");
      else if (how) window.history[how](marked(), "", url);
    },
    /** @param {PopStateEvent} event */
    isOwn: (event) => event.state?.ax === id,
  };
}

/**
 * How another picture comes into the history. One that comes late, when the reader is at another
 * step again, leaves that as it is.
 * @param {any} state that the step bears
 * @param {{id: string, before: string, names: string[], link: Params | null, url: URL}} of
 * @returns {"mark" | "pushState" | "replaceState" | null}
 */
function wayOf(state, { id, before, names, link, url }) {
  const params = now();
  const isPlain = link !== null && !runIn(names, params);
  if (isPlain && (state === null || state.ax === id)) return "mark"; // a first visit stays plain
  if (!state?.ax || state.ax === id || state.grows) return "replaceState";
  if (link === null || runIn(names, params) === runIn(names, url.searchParams))
    return "replaceState"; // the server has made a step of it, or it is the same anew
  return state.ax === before ? "pushState" : null;
}

/** @param {string[]} names the view’s own parameters @param {string} page whose pictures these are */
export function createAddress(names, page) {
  const writer = createWriter(names, page);
  /** @type {ToldPlace | null} */
  let last = null;
  /** @type {((params: URLSearchParams) => void) | null} */
  let follow = null;
  const ends = new AbortController();
  const back = (/** @type {PopStateEvent} */ event) => {
    if (!follow || !writer.isOwn(event)) return; // another page's, or another run's
    event.stopImmediatePropagation(); // Streamlit would run the page anew
    writer.standAt(event.state.view);
    follow(new URLSearchParams(event.state.view));
  };
  const always = { capture: true, signal: ends.signal };
  window.addEventListener("popstate", back, always);
  window.addEventListener("click", writer.write, always); // it may lead to another page
  /** @param {ToldPlace} told */
  const tell = (told) => document.dispatchEvent(new CustomEvent(TOLD, { detail: told }));
  return {
    params: writer.asked,
    /** @param {Params} params @param {Params | null} link the run's part @param {Words} [words] */
    onView: (params, link, words = ["", ""]) => {
      writer.later(params, link);
      if (!("layer" in params)) return; // this page has a view of another kind
      last = { view: params, words, ...(link ? { written: link.written ?? "" } : {}) };
      tell(last);
    },
    /**
     * Something else is shown, at a place that is the address's or the server's own.
     * @param {string} id @param {Params} params @param {Words} words
     * @param {Params | null} [link] the run's part; none where the address is written already
     * @param {boolean} [grows] whether there will be more of it
     */
    onShown: (id, params, words, link, grows = false) => {
      if (link === undefined) writer.mark(id, params);
      else writer.show(id, params, link, grows);
      if (!("layer" in params)) return;
      last = { view: params, words, ...(link ? { written: link.written ?? "" } : {}) };
      tell(last);
    },
    /** @param {(params: URLSearchParams) => void} act what is done on the way back or forward */
    onTravel: (act) => {
      follow = act;
    },
    /** To another page, at this place. @param {string} page @param {Params} [open] */
    go: (page, open = {}) => {
      writer.write();
      tell({ view: {}, words: ["", ""], ...last, page, open });
    },
    leave: () => ends.abort(),
    /** The address of another view of the same. @param {Params} params @param {Params | null} link */
    linkTo: (params, link) => urlOf(names, params, link).href,
    copyLink: async () => {
      writer.write();
      try {
        await navigator.clipboard.writeText(window.location.href);
        return true;
      } catch {
        return false;
      }
    },
  };
}

/** Whether two views show the same stretch of the same memory. @param {Uint8Array} one @param {Uint8Array | null} other */
const sameBytes = (one, other) =>
  one.buffer === other?.buffer &&
  one.byteOffset === other.byteOffset &&
  one.length === other.length;

/**
 * @typedef {(name: string, value: unknown) => void} Send
 * @typedef {{update: (bytes: Uint8Array) => void, retheme: () => void, destroy: () => void}} Mounted
 */

/**
 * Show a payload; one that cannot be read leaves the last picture, and that is said.
 * @param {Mounted} mounted @param {Uint8Array} data @param {ParentNode} parent
 */
function updateOrTell(mounted, data, parent) {
  parent.querySelector(".ax-broken")?.remove();
  try {
    mounted.update(data);
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    const why = brokenWords(error);
    const says = t(
      "What the server sent cannot be read: {why}. What you see is the last that could. Reload the page.",
      { why },
    );
    parent.prepend(h("p", { class: "ax-broken", role: "alert" }, says));
  }
}

/**
 * What Streamlit calls with an element and its data, at first and again; one picture for one element.
 * @param {(root: HTMLElement, send: Send) => Mounted} mountOn
 */
export function createComponent(mountOn) {
  /** @type {WeakMap<object, Mounted & {last: Uint8Array | null}>} */
  const live = new WeakMap();
  /** @param {{data: Uint8Array, parentElement: ParentNode, setTriggerValue: Send}} component */
  return ({ data, parentElement, setTriggerValue }) => {
    let mounted = live.get(parentElement);
    if (!mounted) {
      const root = /** @type {HTMLElement} */ (parentElement.querySelector(".ax"));
      mounted = { ...mountOn(root, setTriggerValue), last: null };
      live.set(parentElement, mounted);
    }
    // Streamlit calls again with what is here already: when the theme or any state has changed.
    if (sameBytes(data, mounted.last)) mounted.retheme();
    else updateOrTell(mounted, data, parentElement);
    mounted.last = data;
    return () => {
      live.get(parentElement)?.destroy();
      live.delete(parentElement);
    };
  };
}
