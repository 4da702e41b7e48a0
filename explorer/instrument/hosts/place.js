// What carries the place (layer, heads, pinned words) to the server, for all pages. It shows nothing:
// a picture that told the server itself would be sent anew with every look.

import { TOLD } from "./address.js";

const WAIT = 250; // ms in which looks are gathered

/**
 * What Streamlit calls with this part and its element, at first and again.
 * @param {{parentElement: object, setTriggerValue: (name: string, value: unknown) => void}} component
 */
export default function keep({ setTriggerValue }) {
  /** @type {import("./address.js").ToldPlace | null} */
  let waiting = null;
  let timer = 0;
  const send = () => {
    clearTimeout(timer);
    timer = 0;
    if (waiting) setTriggerValue("place", waiting);
    waiting = null;
  };
  const ends = new AbortController();
  const { signal } = ends;
  const hear = (/** @type {Event} */ event) => {
    const from = window.location.pathname.split("/").pop(); // the page whose picture tells
    waiting = { .../** @type {CustomEvent} */ (event).detail, from };
    if (waiting?.page) send();
    else if (!timer) timer = window.setTimeout(send, WAIT);
  };
  document.addEventListener(TOLD, hear, { signal });
  // Before another page's name is clicked. With a button's click it would be sent as one, and then
  // Streamlit draws this part alone: what the button asks for would not be seen.
  const leave = (/** @type {Event} */ event) =>
    event.target instanceof Element && event.target.closest("a") && send();
  document.addEventListener("pointerdown", leave, { capture: true, signal });
  return () => {
    ends.abort();
    clearTimeout(timer);
  };
}
