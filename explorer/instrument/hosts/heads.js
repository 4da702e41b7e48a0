// The host of “Heads” in Streamlit.

import { HEADS_PARAMS, mountHeads } from "../pages/heads.js";
import { createLesson } from "../pages/lesson.js";
import { createAddress, createComponent } from "./address.js";

export default createComponent((root, send) => {
  const [address, lesson] = [createAddress(HEADS_PARAMS), createLesson(root)];
  const page = mountHeads(root, {
    ...address,
    find: (pairs) => send("request", { pairs }),
    explore: (head) => send("explore", head),
  });
  return {
    ...page,
    destroy: () => {
      lesson.leave();
      address.leave();
      page.destroy();
    },
  };
});
