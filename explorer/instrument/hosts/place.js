// What carries the place (layer, heads, pinned words) to the server, for all pages. It shows nothing:
// a picture that told the server itself would be sent anew with every look.
//
// Streamlit may hear of a look only after the page that was asked for next, and then takes the
// reader back to half of the page before. So another page is asked for with the look, in one message.

import { TOLD } from "./told.js";

/**
 * @typedef {import("./address.js").ToldPlace} ToldPlace
 * @typedef {(name: string, value: unknown) => void} Send
 * @typedef {{page: string, query: Record<string, string>, way: string}} Way
 *   where the server leads: it has heard all that goes before; way: names it, so that it is gone once
 */

const WAIT = 250; // ms in which looks are gathered
const PATIENCE = 3000; // ms after which a page is asked for in Streamlit's own way
const PAGES = ["step", "train", "compare", "heads", "explain", "efficiency", "article", "guide"];
const LINKS = '[data-testid="stTopNavLink"], [data-testid="stSidebarNavLink"]';

/** What has been told so far, in whatever page: the part may be made anew with one. */
const state = {
  /** @type {ToldPlace | null} */
  waiting: null,
  /** @type {string | null} a page that was clicked while the server had not heard yet */
  page: null,
  isSent: false, // and not heard yet
  timer: 0,
  sentAt: 0,
  way: "", // the last one that was gone
  ends: new AbortController(),
};

/** Whether what was sent must be lost: the line may have been cut. */
const isLate = () => Date.now() - state.sentAt > PATIENCE;

/** @param {Send} send */
function flush(send) {
  clearTimeout(state.timer);
  state.timer = 0;
  const { waiting, page } = state;
  if (!waiting) return;
  if (state.isSent && !isLate()) {
    state.timer = window.setTimeout(() => flush(send), WAIT); // once the last was heard, or got lost
    return;
  }
  Object.assign(state, { waiting: null, page: null, isSent: true, sentAt: Date.now() });
  send("place", page ? { ...waiting, page, named: true } : waiting);
}

/** The page that a link leads to; the first one has no name of its own. @param {HTMLAnchorElement} link */
const pageOf = ({ pathname }) => PAGES.find((page) => pathname.endsWith(`/${page}`)) ?? "explore";

/** A click on a page's name while a look is on its way. @param {MouseEvent} event @param {Send} send */
function hold(event, send) {
  const link = event.target instanceof Element ? event.target.closest(LINKS) : null;
  if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey)
    return;
  if (state.isSent ? isLate() : !state.waiting) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  state.page = pageOf(link);
  state.waiting ??= { view: {}, words: ["", ""] };
  flush(send);
}

/**
 * Another page, as one step of the browser's history; Streamlit follows it as it follows Forward.
 * @param {Way} way
 */
function travel({ page, query, way }) {
  if (way === state.way) return; // the same again
  clearTimeout(state.timer);
  Object.assign(state, { way, timer: 0, waiting: null }); // a look from here would lead back
  const url = new URL(window.location.href);
  url.pathname = url.pathname.replace(/[^/]*$/u, page === "explore" ? "" : page);
  const isKept = (/** @type {string} */ name) => name.startsWith("embed") || name === "lang";
  const kept = [...url.searchParams].filter(([name]) => isKept(name));
  url.search = String(new URLSearchParams([...kept, ...Object.entries(query)]));
  window.history.pushState({}, "", url);
  window.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
}

/**
 * The page says which language it speaks; its address does where that was chosen.
 * @param {string} speaks @param {boolean} chosen
 */
function name(speaks, chosen) {
  document.documentElement.lang = speaks;
  for (const word of document.querySelectorAll('[class*="st-key-language_"]'))
    word.setAttribute("lang", /st-key-language_(\w+)/u.exec(word.className)?.[1] ?? "");
  const url = new URL(window.location.href);
  if (!chosen || url.searchParams.get("lang") === speaks) return;
  url.searchParams.set("lang", speaks);
  window.history.replaceState(window.history.state, "", url);
}

/**
 * What Streamlit calls with this part, at first and whenever the server has heard something.
 * @param {{data: Uint8Array, setTriggerValue: Send}} component
 */
export default function keep({ data, setTriggerValue: send }) {
  state.isSent = false;
  const { go, speaks, chosen } = /** @type {{go: Way | null, speaks: string, chosen: boolean}} */ (
    JSON.parse(new TextDecoder().decode(data))
  );
  name(speaks, chosen);
  if (go) travel(go);
  if (state.waiting) flush(send);
  state.ends.abort(); // Streamlit calls again without cleaning up
  const ends = new AbortController();
  state.ends = ends;
  const { signal } = ends;
  const hear = (/** @type {Event} */ event) => {
    const from = window.location.pathname.split("/").pop(); // the page whose picture tells
    state.waiting = { .../** @type {CustomEvent} */ (event).detail, from };
    if (state.waiting?.page) flush(send);
    else if (!state.timer) state.timer = window.setTimeout(() => flush(send), WAIT);
  };
  document.addEventListener(TOLD, hear, { signal });
  document.addEventListener("click", (event) => hold(event, send), { capture: true, signal });
  return () => ends.abort();
}
