// The host of “Explain” in Streamlit.

import { createAddress, createComponent } from "./address.js";
import { EXPLAIN_PARAMS, mountExplain } from "./explain.js";

export default createComponent((root, send) =>
  mountExplain(root, {
    ...createAddress(EXPLAIN_PARAMS),
    change: (off, gone) => send("want", { off, gone: gone.map((position) => [position]) }),
    askAt: (position) => send("at", position),
  }),
);
