// The host of “Step by step” in Streamlit.

import { mountStepper, STEPS_PARAMS } from "../pages/steps.js";
import { createAddress, createComponent } from "./address.js";

export default createComponent((root, send) =>
  mountStepper(root, {
    ...createAddress(STEPS_PARAMS),
    need: (request) => send("request", request),
  }),
);
