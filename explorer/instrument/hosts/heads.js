// The host of “Heads” in Streamlit.

import { HEADS_PARAMS, mountHeads } from "../pages/heads.js";
import { createAddress, createComponent } from "./address.js";
import { createAsking } from "./asking.js";
import { press } from "./press.js";

export default createComponent((root, send) => {
  const [address, asking] = [createAddress(HEADS_PARAMS, "heads"), createAsking()];
  return mountHeads(root, {
    ...address,
    asking,
    find: (pairs) => send("request", { pairs }),
    page: (view) => send("page", view),
    npz: press("npz"),
    explore: (head) => send("explore", head),
    lines: () => {
      asking.edit();
      send("lines", true);
    },
    repeats: () => send("repeats", true),
    sequence: (head) => send("sequence", head),
    leave: () => {
      address.leave();
      asking.leave();
    },
  });
});
