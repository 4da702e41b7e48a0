// The instrument's host in Streamlit: a component that keeps the reader's view in the page's URL.

import { PARAMS } from "../numbers/view.js";
import { mount } from "../pages/explore.js";
import { createAddress, createComponent } from "./address.js";
import { createAsking } from "./asking.js";

export default createComponent((root, send) => {
  const [address, asking] = [createAddress(PARAMS), createAsking()];
  return mount(root, {
    ...address,
    asking,
    need: (request) => send("request", request),
    // Streamlit hands out large files by a button of its own, which the page keeps out of sight.
    npz: () =>
      /** @type {HTMLElement | null} */ (document.querySelector(".st-key-npz button"))?.click(),
    onFocus: null,
    leave: () => {
      address.leave();
      asking.leave();
    },
  });
});
