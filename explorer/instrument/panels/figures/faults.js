// The article's module and ours, asked the same: what either answers was really run.

import { t } from "../../numbers/language.js";
import { choice, h, setText } from "../../parts/dom.js";
import { proseOf } from "../../parts/prose.js";

/**
 * @typedef {{fails: boolean, says: string, wrong?: boolean}} Said
 * @typedef {{name: string, made: string, asked: string, article: Said, ours: Said}} Fault
 *   as `fault_facts` of scratch/articlefacts.py writes it
 */

/** @param {import("../../pages/articlefigures.js").Acts} _acts @returns {import("../../pages/articlefigures.js").Figure} */
export function createFaults(_acts) {
  let name = "lengths";
  /** @type {import("../../pages/articlefigures.js").Shown | null} */
  let last = null;
  const which = choice(
    t("Both are given"),
    [
      ["lengths", t("10 queries, 7 keys"), t("One text looks at another")],
      ["mask", t("a mask"), t("No token may look at a later one")],
      ["batch", t("texts that do not belong together"), t("2 texts of 5 tokens look at 1 of 10")],
      ["width", t("the wrong width"), t("500 numbers in place of 512")],
      ["heads", t("7 heads"), t("512 cannot be divided by 7")],
    ],
    (value) => {
      name = value;
      if (last) show(last);
    },
  );
  which.show("lengths");
  const code = h("pre", { class: "ax-asked", lang: "en" });
  const [theirs, ours] = [createAnswer(), createAnswer()];
  const says = h("p", { class: "ax-fig-says", "aria-live": "polite" });
  const answers = h("div", { class: "ax-answers" }, theirs.element, ours.element);
  const element = h("div", {}, h("div", { class: "ax-tools" }, which.element), code, answers, says);

  /** @param {import("../../pages/articlefigures.js").Shown} shown */
  function show(shown) {
    last = shown;
    const facts = shown.state.article.facts?.corrections;
    const fault = /** @type {Fault[] | undefined} */ (facts?.faults)?.find(
      (one) => one.name === name,
    );
    if (!fault) return setText(says, t("The numbers are being fetched…"));
    setText(code, `${fault.made}\n${fault.asked}`);
    const wrong = fault.name === "batch"; // it answers what has no answer
    theirs.show({ ...fault.article, wrong }, [
      t("**The article’s** answers."),
      wrong ? t("**The article’s** answers, wrongly.") : t("**The article’s** fails."),
    ]);
    ours.show(fault.ours, [t("**Ours** answers."), t("**Ours** refuses.")]);
    setText(says, MEANS[name]?.(facts) ?? "");
  }
  return {
    element,
    show,
    where: () => ({ page: "step", label: t("A layer, number by number, in Step by step") }),
  };
}

function createAnswer() {
  const how = h("span");
  const says = h("code", { lang: "en" });
  const element = h("div", { class: "ax-answer" }, how, says);
  return {
    element,
    /** @param {Said} said @param {[string, string]} does what it does: as it should, and not */
    show: (said, [well, ill]) => {
      const isFine = !said.fails && !said.wrong;
      element.classList.toggle("ax-fails", !isFine);
      how.replaceChildren(...proseOf(isFine ? well : ill, null));
      setText(says, said.says);
    },
  };
}

/** What the answers mean. @type {Record<string, (facts: Record<string, any>) => string>} */
const MEANS = {
  lengths: ({ mended }) =>
    t(
      "The article cuts the keys by the length of the queries: 7 · 512 = 3,584 numbers cannot be 10 tokens. Ours asks each for its own length; its weights have the shape {shape}: batch, head, query, key.",
      { shape: `[${mended.weights.join(", ")}]` },
    ),
  mask: ({ mended }) =>
    t(
      "A decoder needs a mask, and so does a batch of texts of unequal lengths. The article’s has none. With ours the largest weight on a later token is {later}.",
      { later: mended.later },
    ),
  batch: () =>
    t(
      "The worst is an answer where there is none: 1 · 10 and 2 · 5 tokens are as many numbers, so the article’s cuts the one text in two, and each query looks at half of a text that is not its own. Ours says what does not fit.",
    ),
  width: () =>
    t("Both refuse. Torch speaks of the matrices inside; ours says which argument is wrong."),
  heads: () =>
    t(
      "The article’s layer is made without a word and fails when it is used; ours is refused when it is made, with what to do.",
    ),
};
