// The instrument's host in Streamlit: a component that keeps the reader's view in the page's URL.

import { PARAMS } from "../numbers/view.js";
import { mount } from "../pages/explore.js";
import { createAddress, createComponent } from "./address.js";
import { createAsking } from "./asking.js";
import { press } from "./press.js";

export default createComponent((root, send) => {
  const [address, asking] = [createAddress(PARAMS, "explore"), createAsking()];
  return mount(root, {
    ...address,
    asking,
    need: (request) => send("request", request),
    npz: press("npz"),
    readOther: press("read_other"),
    write: (wish) => send("write", wish),
    onFocus: null,
    leave: () => {
      address.leave();
      asking.leave();
    },
  });
});
