// The host of “Compare” in Streamlit.

import { COMPARE_PARAMS, mountCompare } from "../pages/compare.js";
import { createAddress, createComponent } from "./address.js";
import { createAsking } from "./asking.js";
import { press } from "./press.js";

export default createComponent((root, send) => {
  const [address, asking] = [createAddress(COMPARE_PARAMS, "compare"), createAsking()];
  return mountCompare(root, {
    ...address,
    asking,
    need: (request) => send("request", request),
    npz: press("npz"),
    leave: () => {
      address.leave();
      asking.leave();
    },
  });
});
