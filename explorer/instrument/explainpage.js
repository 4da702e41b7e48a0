// The host of “Explain” in Streamlit.

import { createAddress, createComponent } from "./address.js";
import { EXPLAIN_PARAMS, mountExplain } from "./explain.js";

export default createComponent((root, send) =>
  mountExplain(root, {
    ...createAddress(EXPLAIN_PARAMS),
    switchOff: (heads) => send("want", { off: heads }),
    askAt: (position) => send("at", position),
  }),
);
