// The host of “Compare” in Streamlit.

import { createAddress, createComponent } from "./address.js";
import { COMPARE_PARAMS, mountCompare } from "./compare.js";

export default createComponent((root, send) =>
  mountCompare(root, {
    ...createAddress(COMPARE_PARAMS),
    need: (want) => send("want", want),
  }),
);
