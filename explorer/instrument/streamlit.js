// The instrument's host in Streamlit: a component that keeps the reader's view in the page's URL.

import { createAddress, createComponent } from "./address.js";
import { mount } from "./instrument.js";
import { PARAMS } from "./view.js";

export default createComponent((root, send) =>
  mount(root, {
    ...createAddress(PARAMS),
    need: (want) => send("want", want),
    walk: (view) => send("walk", view),
    onFocus: null,
  }),
);
