// The host of “Step by step” in Streamlit.

import { mountStepper, STEPS_PARAMS } from "../pages/steps.js";
import { createAddress, createComponent } from "./address.js";
import { createAsking } from "./asking.js";
import { press } from "./press.js";

export default createComponent((root, send) => {
  const [address, asking] = [createAddress(STEPS_PARAMS, "step"), createAsking()];
  return mountStepper(root, {
    ...address,
    asking,
    need: (request) => send("request", request),
    npz: press("npz"),
    experiment: openExperiment,
    leave: () => {
      address.leave();
      asking.leave();
    },
  });
});

/** An experiment stands below the instrument, in a part of Streamlit's that can be closed. @param {string} name */
function openExperiment(name) {
  const part = document.querySelector(`.st-key-experiment_${name} details`);
  const summary = /** @type {HTMLElement | null | undefined} */ (part?.querySelector("summary"));
  if (!part?.hasAttribute("open")) summary?.click();
  summary?.focus();
  part?.scrollIntoView({ block: "center" });
}
