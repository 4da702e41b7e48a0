// The instrument's host in Streamlit: a component that keeps the reader's view in the page's URL.

import { createAddress, sameBytes } from "./address.js";
import { mount } from "./instrument.js";
import { PARAMS } from "./view.js";

/** @type {WeakMap<object, import("./instrument.js").Instrument & {last: Uint8Array | null}>} */
const live = new WeakMap();

/**
 * @param {{data: Uint8Array, parentElement: ParentNode,
 *          setTriggerValue: (name: string, value: unknown) => void}} component
 */
export default function instrument({ data, parentElement, setTriggerValue }) {
  let mounted = live.get(parentElement);
  if (!mounted) {
    const root = /** @type {HTMLElement} */ (parentElement.querySelector(".ax"));
    const host = {
      ...createAddress(PARAMS),
      need: (/** @type {unknown} */ want) => setTriggerValue("want", want),
      walk: (/** @type {unknown} */ view) => setTriggerValue("walk", view),
      onFocus: null,
    };
    mounted = { ...mount(root, host), last: null };
    live.set(parentElement, mounted);
  }
  // Streamlit calls again with what is here already: when the theme or any state has changed.
  if (sameBytes(data, mounted.last)) mounted.retheme();
  else mounted.update(data);
  mounted.last = data;
  return () => {
    live.get(parentElement)?.destroy();
    live.delete(parentElement);
  };
}
