// The host of “Efficiency” in Streamlit.

import { EFFICIENCY_PARAMS, mountEfficiency } from "../pages/efficiency.js";
import { createAddress, createComponent } from "./address.js";
import { createAsking } from "./asking.js";
import { press } from "./press.js";

export default createComponent((root, send) => {
  const [address, asking] = [createAddress(EFFICIENCY_PARAMS, "efficiency"), createAsking()];
  return mountEfficiency(root, {
    ...address,
    asking,
    ask: (wish) => send("request", wish),
    page: (view) => send("page", view),
    npz: press("npz"),
    leave: () => {
      address.leave();
      asking.leave();
    },
  });
});
