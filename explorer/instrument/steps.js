// The host of “Step by step” in Streamlit.

import { createAddress, sameBytes } from "./address.js";
import { mountStepper, WALK_PARAMS } from "./stepper.js";

/** @type {WeakMap<object, ReturnType<typeof mountStepper> & {last: Uint8Array | null}>} */
const live = new WeakMap();

/**
 * @param {{data: Uint8Array, parentElement: ParentNode,
 *          setTriggerValue: (name: string, value: unknown) => void}} component
 */
export default function steps({ data, parentElement, setTriggerValue }) {
  let mounted = live.get(parentElement);
  if (!mounted) {
    const root = /** @type {HTMLElement} */ (parentElement.querySelector(".ax"));
    const address = createAddress(WALK_PARAMS);
    const host = {
      ...address,
      need: (/** @type {unknown} */ want) => setTriggerValue("want", want),
    };
    mounted = { ...mountStepper(root, host), last: null };
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
