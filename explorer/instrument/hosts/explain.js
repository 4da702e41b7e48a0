// The host of “Explain” in Streamlit.

import { EXPLAIN_PARAMS, mountExplain } from "../pages/explain.js";
import { createAddress, createComponent } from "./address.js";
import { createAsking } from "./asking.js";
import { press } from "./press.js";

export default createComponent((root, send) => {
  const [address, asking] = [createAddress(EXPLAIN_PARAMS, "explain"), createAsking()];
  return mountExplain(root, {
    ...address,
    asking,
    change: (off, gone) => send("request", { off, gone: gone.map((position) => [position]) }),
    ask: (wish) => send("wish", wish),
    edit: (edits) => send("written", { act: "edit", edits }),
    page: (view) => send("page", view),
    npz: press("npz"),
    leave: () => {
      address.leave();
      asking.leave();
    },
  });
});
