// What people type must reach the server, and survive it. Half of a character (a lone surrogate) and
// a text of many megabytes would end the connection without a word, so they are mended before they
// are sent: of a text that is far too long only its beginning goes, and the server refuses it. And a server that was started again knows nothing of an open page, which Streamlit leaves
// as it was, deaf: so after every lost connection the page is asked for once more, by a button that
// nobody sees, and what was typed is put back.
// No "less than" sign may stand in this file: the page's sanitiser would drop all of it.

(() => {
  // UTF-16 units; run.py knows the number (FIRST_SENT) and then does not claim to know the length.
  const MOST = 1_000_001;

  /** @typedef {HTMLTextAreaElement | HTMLInputElement} Box */

  /** @param {Box} box @param {string} text */
  function type(box, text) {
    // The element's own setter is the page's: through the class it still sees that this is new.
    const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value") ?? {};
    set?.call(box, text);
  }

  /** @param {Event} event */
  function mend({ target: box }) {
    if (!(box instanceof HTMLTextAreaElement || box instanceof HTMLInputElement)) return;
    const mended = box.value.slice(0, MOST).toWellFormed();
    if (mended !== box.value) type(box, mended);
  }

  /** @returns {[string, Box][]} every box for words, by its name */
  const boxes = () =>
    [...document.querySelectorAll("textarea, input[type=text]")].flatMap((box) => {
      const name = box.getAttribute("aria-label");
      return name ? [[name, /** @type {Box} */ (box)]] : [];
    });

  /** @type {{[name: string]: string} | null} */
  let typed = null; // while there is no connection, and until the page is back
  let asked = false; // for the page

  /** @param {HTMLElement} app */
  function follow(app) {
    const { testConnectionState: line, testScriptState: script } = app.dataset;
    if (line !== "CONNECTED") {
      typed ??= Object.fromEntries(boxes().map(([name, box]) => [name, box.value]));
      asked = false;
    } else if (typed && !asked) {
      asked = true;
      /** @type {HTMLElement | null} */ (document.querySelector(".st-key-wake button"))?.click();
    } else if (typed && script === "notRunning") {
      for (const [name, box] of boxes()) {
        const text = typed[name] ?? box.value;
        if (text === box.value) continue;
        type(box, text);
        box.dispatchEvent(new Event("input", { bubbles: true }));
      }
      typed = null;
    }
  }

  const root = document.documentElement;
  if (root.dataset.guarded) return; // this runs again with the page
  root.dataset.guarded = "1";
  document.addEventListener("input", mend, true);
  const app = /** @type {HTMLElement | null} */ (document.querySelector("[data-testid=stApp]"));
  if (app) new MutationObserver(() => follow(app)).observe(app, { attributes: true });
})();

// What Streamlit leaves out on the way to a page, and to a place in it.
(() => {
  // An address may name a heading, which Streamlit meets before the pictures above it have their
  // height: it is met again while the page grows, until a hand does something.
  function meet() {
    const named = location.hash.slice(1);
    const body = document.querySelector("[data-testid=stMainBlockContainer]");
    if (!named || !body) return;
    const growth = new ResizeObserver(() => document.getElementById(named)?.scrollIntoView());
    growth.observe(body);
    for (const hand of ["wheel", "pointerdown", "keydown"])
      addEventListener(hand, () => growth.disconnect(), { once: true, passive: true });
  }

  // On a phone the menu lies over the page: it closes once a page was chosen in it.
  /** @param {Event} event */
  function leaveMenu({ target }) {
    const link = "[data-testid=stSidebarNavLink]";
    if (!(target instanceof Element && target.closest(link))) return;
    const close = "[data-testid=stSidebarCollapseButton] button";
    /** @type {HTMLElement | null} */ (document.querySelector(close))?.click();
  }

  // Streamlit would open it again with the next page that is loaded, as it was left.
  function forgetMenu() {
    try {
      for (const name of Object.keys(localStorage))
        if (name.startsWith("stSidebarCollapsed")) localStorage.removeItem(name);
    } catch {
      // Where nothing may be kept, nothing is.
    }
  }

  const root = document.documentElement;
  if (root.dataset.led) return; // this runs again with the page
  root.dataset.led = "1";
  meet();
  addEventListener("pagehide", forgetMenu);
  document.addEventListener("click", leaveMenu, true); // a look on its way may hold the click
})();
