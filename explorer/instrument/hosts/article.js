// The host of the “Article” in Streamlit.

import { ARTICLE_PARAMS } from "../numbers/article.js";
import { mountArticle } from "../pages/article.js";
import { createAddress, createComponent } from "./address.js";
import { createAsking } from "./asking.js";

export default createComponent((root, send) => {
  const [address, asking] = [createAddress(ARTICLE_PARAMS, "article"), createAsking()];
  return mountArticle(root, {
    ...address,
    // While another page comes, this one may still be scrolled: its chapter is nothing to that.
    onView: (...told) => {
      if (window.location.pathname.endsWith("/article")) address.onView(...told);
    },
    asking,
    page: (view) => send("page", view),
    leave: () => {
      address.leave();
      asking.leave();
    },
  });
});
