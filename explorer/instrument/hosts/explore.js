// The instrument's host in Streamlit: a component that keeps the reader's view in the page's URL.

import { PARAMS } from "../numbers/view.js";
import { mount } from "../pages/explore.js";
import { createAddress, createComponent } from "./address.js";

export default createComponent((root, send) =>
  mount(root, {
    ...createAddress(PARAMS),
    need: (request) => send("request", request),
    openSteps: (view) => send("steps", view),
    onFocus: null,
  }),
);
