// The host of “Heads” in Streamlit.

import { createAddress, createComponent } from "./address.js";
import { HEADS_PARAMS, mountHeads } from "./heads.js";

export default createComponent((root, send) =>
  mountHeads(root, {
    ...createAddress(HEADS_PARAMS),
    find: (pairs) => send("want", { pairs }),
    explore: (head) => send("walk", head),
  }),
);
