// The host of “Heads”, over a corpus, in Streamlit.

import { CORPUS_PARAMS, mountCorpus } from "../pages/corpus.js";
import { createAddress, createComponent } from "./address.js";
import { createAsking } from "./asking.js";
import { press } from "./press.js";

export default createComponent((root, send) => {
  const [address, asking] = [createAddress(CORPUS_PARAMS, "corpus"), createAsking()];
  return mountCorpus(root, {
    ...address,
    asking,
    ask: (wish) => send("request", wish),
    askHead: (wish) => send("of_head", wish),
    explore: (wish) => send("explore", wish),
    page: (view) => send("page", view),
    npz: press("npz"),
    leave: () => {
      address.leave();
      asking.leave();
    },
  });
});
