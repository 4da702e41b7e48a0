// The host of “Heads” in Streamlit.

import { HEADS_PARAMS, mountHeads } from "../pages/heads.js";
import { createAddress, createComponent } from "./address.js";

export default createComponent((root, send) =>
  mountHeads(root, {
    ...createAddress(HEADS_PARAMS),
    find: (pairs) => send("request", { pairs }),
    explore: (head) => send("explore", head),
  }),
);
