// The host of “Explain” in Streamlit.

import { EXPLAIN_PARAMS, mountExplain } from "../pages/explain.js";
import { createAddress, createComponent } from "./address.js";

export default createComponent((root, send) =>
  mountExplain(root, {
    ...createAddress(EXPLAIN_PARAMS),
    change: (off, gone) => send("request", { off, gone: gone.map((position) => [position]) }),
    ask: (wish) => send("wish", wish),
  }),
);
