// What each head does in this text: all heads by one share of their attention, and where it goes.

import { bound } from "../../numbers/basics.js";
import { headWeights } from "../../numbers/data.js";
import { headName } from "../../numbers/headname.js";
import { t } from "../../numbers/language.js";
import { percent, profileOf } from "../../numbers/model.js";
import { choice, h, setText } from "../../parts/dom.js";
import { createHeadMap } from "../../parts/headmap.js";
import { createNumbers } from "./plot.js";

/**
 * @typedef {import("../../pages/articlefigures.js").Shown} Shown
 * @typedef {import("../../numbers/model.js").Profile} Profile
 * @typedef {"previous" | "next" | "self" | "repeat" | "special"} Kind
 */

/** @type {WeakMap<import("../../numbers/data.js").Trace, Profile[]>} */
const known = new WeakMap();

/** All heads, layer by layer. @param {import("../../numbers/data.js").Trace} trace */
function profilesOf(trace) {
  const made = known.get(trace) ?? trace.head.numbers.flatMap((layer) => ofLayer(trace, layer));
  known.set(trace, made);
  return made;
}

/** @param {import("../../numbers/data.js").Trace} trace @param {number} layer */
const ofLayer = (trace, layer) =>
  Array.from({ length: trace.head.n_heads }, (_, head) => {
    const weights = headWeights(trace, layer, head) ?? new Float32Array();
    return profileOf(weights, trace.head, 0);
  });

/** @type {() => [Kind, string, string][]} */
const kinds = () => [
  ["previous", t("the token before"), t("What goes one token back")],
  ["next", t("the token after"), t("What goes one token ahead")],
  ["self", t("itself"), t("What a token gives itself")],
  ["repeat", t("the same word"), t("What goes to the same word elsewhere in the text")],
  ["special", t("special tokens"), t("What goes to [CLS] and [SEP]")],
];

/** @param {import("../../pages/articlefigures.js").Acts} acts @returns {import("../../pages/articlefigures.js").Figure} */
export function createKinds(acts) {
  let kind = /** @type {Kind} */ ("previous");
  /** @type {Shown | null} */
  let last = null;
  const which = choice(t("How much of a head’s attention goes to"), kinds(), (value) => {
    kind = value;
    if (last) show(last);
  });
  which.show(kind);
  const look = (/** @type {number} */ at) => {
    const { numbers, n_heads: width } = /** @type {Shown} */ (last).state.article.trace.head;
    acts.look({ layer: numbers[Math.floor(at / width)], head: at % width });
  };
  const map = createHeadMap({
    ...{ hover: () => {}, pick: look, go: look, enter: () => {}, leave: () => {} },
    from: () => (last ? placeOf(last) : 0),
  });
  const says = h("p", { class: "ax-fig-says", "aria-live": "polite" });
  const numbers = createNumbers();
  const tools = h("div", { class: "ax-tools" }, which.element);
  const element = h("div", {}, tools, map.element, says, numbers.element);

  /** @param {Shown} shown */
  function show(shown) {
    last = shown;
    const { trace } = shown.state.article;
    const shares = profilesOf(trace).map((profile) => profile[kind]);
    const said = saysOf(shown, shares, kind);
    showMap(map, shown, shares, said);
    setText(says, said);
    const names = kinds();
    numbers.show(
      [t("head"), ...names.map(([, name]) => name)],
      profilesOf(trace).map((profile, at) => [
        ...[nameAt(shown, at), ...names.map(([name]) => percent(profile[name]))],
      ]),
    );
  }
  return {
    element,
    show,
    where: () => ({ page: "heads", label: t("All measures of every head, in Heads") }),
  };
}

/** @param {Shown} shown */
function placeOf({ state: { article, view } }) {
  const { numbers, n_heads: width } = article.trace.head;
  return numbers.indexOf(view.layer) * width + view.head;
}

/** @param {Shown} shown @param {number} at */
function nameAt({ state }, at) {
  const { numbers, n_heads: width } = state.article.trace.head;
  return headName(numbers[Math.floor(at / width)], at % width);
}

/** @param {ReturnType<typeof createHeadMap>} map @param {Shown} shown @param {number[]} shares @param {string} label */
function showMap(map, shown, shares, label) {
  const { numbers, n_heads: width } = shown.state.article.trace.head;
  const { theme } = shown;
  const here = placeOf(shown);
  map.show(
    [numbers.length, width],
    theme,
    label,
    (pen, at, box) => {
      const level = Math.round(bound(255 * shares[at], 0, 255));
      pen.fillStyle = theme.fills[level];
      pen.fillRect(box.x, box.y, box.width, box.height);
      if (box.width >= 26) {
        pen.fillStyle = theme.inks[level];
        pen.fillText(
          String(Math.round(100 * shares[at])),
          box.x + box.width / 2,
          box.y + box.height / 2,
        );
      }
      if (at !== here) return;
      pen.strokeStyle = theme.accent;
      pen.lineWidth = 2;
      pen.strokeRect(box.x, box.y, box.width, box.height);
    },
    numbers,
  );
}

/** @param {Shown} shown @param {number[]} shares @param {Kind} kind */
function saysOf(shown, shares, kind) {
  const most = shares.indexOf(Math.max(...shares));
  if (shares[most] === 0)
    return t("No word comes twice in your text, so there is nothing to find again.");
  return t(
    "Per cent of all attention, over all tokens of your text. {head} gives most to {where}: {most}; {here} gives {own}, the mean of all heads is {mean}. Choose a head: all figures follow.",
    {
      ...{ head: nameAt(shown, most), most: percent(shares[most]) },
      where: kinds().find(([name]) => name === kind)?.[1] ?? "",
      ...{ here: nameAt(shown, placeOf(shown)), own: percent(shares[placeOf(shown)]) },
      mean: percent(shares.reduce((sum, share) => sum + share, 0) / shares.length),
    },
  );
}
