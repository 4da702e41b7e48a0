// The host of “Compare” in Streamlit.

import { createAddress, sameBytes } from "./address.js";
import { COMPARE_PARAMS, mountCompare } from "./compare.js";

/** @type {WeakMap<object, ReturnType<typeof mountCompare> & {last: Uint8Array | null}>} */
const live = new WeakMap();

/**
 * @param {{data: Uint8Array, parentElement: ParentNode,
 *          setTriggerValue: (name: string, value: unknown) => void}} component
 */
export default function pair({ data, parentElement, setTriggerValue }) {
  let mounted = live.get(parentElement);
  if (!mounted) {
    const root = /** @type {HTMLElement} */ (parentElement.querySelector(".ax"));
    const need = (/** @type {unknown} */ want) => setTriggerValue("want", want);
    mounted = { ...mountCompare(root, { ...createAddress(COMPARE_PARAMS), need }), last: null };
    live.set(parentElement, mounted);
  }
  if (sameBytes(data, mounted.last)) mounted.retheme();
  else mounted.update(data);
  mounted.last = data;
  return () => {
    live.get(parentElement)?.destroy();
    live.delete(parentElement);
  };
}
