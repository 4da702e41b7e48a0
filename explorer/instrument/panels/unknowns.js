// The words that a model does not know: what their hatching means, and the way to a model that knows
// them.

import { t, tn } from "../numbers/language.js";
import { isUnknown } from "../numbers/readingtext.js";
import { h, pushButton } from "../parts/dom.js";

/** @typedef {import("../numbers/data.js").Header} Header */

/** @param {(() => void) | null} readOther shows the text in the other model; null where none can be asked */
export function createUnknowns(readOther) {
  const element = h("p", { class: "ax-help ax-unknowns", hidden: "" });
  return {
    element,
    /** @param {Header} head */
    show: (head) => {
      const says = saysOf(head);
      const { other } = head.about;
      element.hidden = !says;
      if (!says) return element.replaceChildren();
      const way = other && readOther && wayTo(other, readOther);
      element.replaceChildren(h("span", { class: "ax-hatched" }), says, way ?? "");
    },
  };
}

/** @param {{name: string, size: string}} other @param {() => void} readOther */
function wayTo({ name, size }, readOther) {
  const short = name.split("/").at(-1) ?? name;
  const bring = size
    ? t("Shows its exact size before {size} are downloaded", { size })
    : t("It is on this machine");
  const read = size
    ? t("Read it with {model} ({size})", { model: short, size })
    : t("Read it with {model}", { model: short });
  return pushButton(read, bring, readOther, "ax-copy");
}

/** What the hatching means; nothing where all is known. @param {Header} head */
export function saysOf(head) {
  const { query_tokens: queries, key_tokens: keys } = head;
  const all = queries === keys ? keys : [...keys, ...queries];
  const n = all.filter((token) => isUnknown(head, token)).length;
  if (!n) return "";
  const says = tn(
    "{n} token is hatched: {mark}, as this model’s vocabulary lacks what stands there.",
    "{n} tokens are hatched: {mark}, as this model’s vocabulary lacks what stands there.",
    n,
    { n: n.toLocaleString("en"), mark: head.unknown ?? "" },
  );
  return `${says} `;
}
