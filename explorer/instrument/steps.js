// The host of “Step by step” in Streamlit.

import { createAddress, createComponent } from "./address.js";
import { mountStepper, WALK_PARAMS } from "./stepper.js";

export default createComponent((root, send) =>
  mountStepper(root, {
    ...createAddress(WALK_PARAMS),
    need: (want) => send("want", want),
  }),
);
