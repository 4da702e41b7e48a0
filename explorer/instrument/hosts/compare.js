// The host of “Compare” in Streamlit.

import { COMPARE_PARAMS, mountCompare } from "../pages/compare.js";
import { createAddress, createComponent } from "./address.js";

export default createComponent((root, send) =>
  mountCompare(root, {
    ...createAddress(COMPARE_PARAMS),
    need: (request) => send("request", request),
  }),
);
