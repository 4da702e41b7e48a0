// What is pinned, in sight: the words on both sides, each to be taken out, and the number between.

import { t, tc } from "../numbers/language.js";
import { unitsHolding } from "../numbers/layout.js";
import { digits } from "../numbers/model.js";
import { isPair, isPinned, runsOf } from "../numbers/view.js";
import { byHand, choice, h, pushButton, setText } from "../parts/dom.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/view.js").View} View
 * @typedef {"0-0" | "0-1" | "1-0" | "1-1"} Way from one text to one text
 */

/** @type {[Way, string, string][]} */
const WAYS = [
  ["0-0", "A → A", t("From the words of the first text to its own")],
  ["0-1", "A → B", t("From the words of the first text to those of the second")],
  ["1-0", "B → A", t("From the words of the second text to those of the first")],
  ["1-1", "B → B", t("From the words of the second text to its own")],
];

/**
 * The ordinary tokens of one text.
 * @param {{segment: number, special: boolean}[]} tokens @param {number} segment
 */
const wordsOf = (tokens, segment) =>
  tokens.flatMap((token, i) => (token.segment === segment && !token.special ? [i] : []));

const HINT = t(
  "Nothing is pinned. Click a word, or drag over a phrase; Shift adds. In the text, Ctrl picks the other side.",
);
const HINT_FINGER = t(
  "Nothing is pinned. Tap a word to pin it; with “Pick several” every tap adds one.",
);

/**
 * @param {import("../parts/tools.js").Change} change
 * @param {Pick<import("../pages/exploreparts.js").Doing, "actions" | "several" | "askOther" | "go">} doing
 */
export function createPinned(change, { actions, several, askOther, go }) {
  /** @type {Scene | null} */
  let scene = null;
  let key = ""; // of what is shown
  const hint = h("span", { class: "ax-help ax-tip" }, byHand(HINT, HINT_FINGER));
  const which = createWhich(askOther, go);
  const chips = h("span", { class: "ax-chips" });
  const number = h("span", {
    class: "ax-between",
    title: t("Mean over the words that look of the sum over the words looked at"),
  });
  const ways = choice("", WAYS, (way) => {
    const tokens = scene?.trace.head;
    if (!tokens) return;
    const [from, to] = way.split("-").map(Number);
    const [queries, keys] = [wordsOf(tokens.query_tokens, from), wordsOf(tokens.key_tokens, to)];
    change((view) => ({ ...view, queries, keys, grid: "pinned" }), {});
  });
  const add = createSeveral(several);
  const letGo = pushButton(t("Clear"), t("Let go of everything pinned (Escape)"), actions.clear);
  const element = h(
    "div",
    { class: "ax-picked", role: "group", "aria-label": t("What is pinned") },
    hint,
    chips,
    number,
    which.element,
    h("span", { class: "ax-away" }, ways.element, add, letGo),
  );

  /** @param {Scene} next */
  function show(next) {
    scene = next;
    const { view, trace, model } = scene;
    const { query_tokens: queries, key_tokens: keys } = trace.head;
    const pinned = isPinned(view);
    number.textContent = numberOf(scene);
    which.show(scene);
    const now = `${trace.head.id} ${view.queries} ${view.keys} ${view.words} ${model.name}`;
    if (key === now) return;
    key = now;
    hint.hidden = pinned;
    letGo.disabled = !pinned;
    ways.element.hidden = queries !== keys || !queries.some((token) => token.segment === 1);
    ways.show(wayOf(view, queries, keys));
    chips.replaceChildren(
      ...side(t("Looks:"), view.queries, queries, "queries", change),
      ...side(t("Looked at:"), view.keys, keys, "keys", change),
    );
  }

  return { element, show };
}

/**
 * Which head links the pinned word with another one: it asks for that word, and every head then
 * shows its number; several sentences are asked on the page of the heads.
 * @param {(asks: boolean) => void} askOther
 * @param {import("../pages/exploreparts.js").Doing["go"]} go
 */
function createWhich(askOther, go) {
  const ask = pushButton(
    t("Which head does this?"),
    t("Every head’s number for this word and another"),
    () => askOther(ask.getAttribute("aria-pressed") !== "true"),
  );
  const more = pushButton(
    t("In several sentences"),
    t("One sentence can fool: ask all heads in several"),
    () => go?.("heads", { finder: "1" }),
  );
  let head = ""; // the layer and head that are looked at
  const elsewhere = pushButton(
    t("Where else?"),
    t("Search a corpus for texts in which this head links such words most"),
    () => go?.("heads", { corpus: ".model", search: head }),
  );
  elsewhere.setAttribute("aria-label", t("Where else does this head do that?"));
  const told = h("span", { class: "ax-help", role: "status" });
  return {
    element: h("span", { class: "ax-which" }, ask, told, more, elsewhere),
    /** @param {Scene} scene */
    show: ({ view, asksOther, trace }) => {
      head = `${view.layer}.${view.heads[0]}`;
      ask.hidden = !isPinned(view) || isPair(view);
      more.hidden = !isPair(view) || go === null;
      elsewhere.hidden = more.hidden || view.heads.length > 1 || Boolean(trace.head.patches);
      ask.setAttribute("aria-pressed", String(asksOther));
      const asks = view.queries.length
        ? t("Now choose the word that it looks at.")
        : t("Now choose the word that looks at it.");
      setText(told, asksOther ? asks : "");
    },
  };
}

/** @param {(several: boolean) => void} several told whether every click adds */
function createSeveral(several) {
  const add = pushButton(t("Pick several"), t("Every click adds a word, as with Shift"), () => {
    const on = add.getAttribute("aria-pressed") !== "true";
    add.setAttribute("aria-pressed", String(on));
    several(on);
  });
  add.setAttribute("aria-pressed", "false");
  return add;
}

/** The number between the two sides, for the heads that are painted. @param {Scene} now */
function numberOf({ model, view, pinnedNumbers }) {
  const { rowOfToken, columnOfToken } = model.layout;
  const rows = unitsHolding(view.queries, rowOfToken);
  const columns = unitsHolding(view.keys, columnOfToken);
  if (!rows.length || !columns.length || model.pooled) return "";
  const number = model.number(rows, columns) ?? ofAllHeads(pinnedNumbers, model);
  if (number === null) return "…";
  const made = how(rows.length, columns.length, model.most);
  return made ? t("{number} ({how})", { number: digits(number), how: made }) : digits(number);
}

/**
 * The number of the chosen heads among those of all heads; null while these are on their way.
 * @param {Scene["pinnedNumbers"]} numbers @param {Scene["model"]} model
 */
function ofAllHeads(numbers, { layer, chosen, most }) {
  const own = numbers.filter((one) => one.layer === layer && chosen.includes(one.head));
  if (own.length < chosen.length) return null;
  const weights = own.map(({ weight }) => weight);
  return most ? Math.max(...weights) : weights.reduce((sum, w) => sum + w, 0) / weights.length;
}

/** @param {number} nRows @param {number} nColumns @param {boolean} most */
function how(nRows, nColumns, most) {
  const made =
    nRows > 1
      ? nColumns > 1
        ? t("mean of sums")
        : tc("of numbers", "mean")
      : nColumns > 1
        ? tc("of numbers", "sum")
        : "";
  if (!most) return made;
  const heads = t("largest of the heads");
  return made ? t("{made}, {heads}", { made, heads }) : heads;
}

/**
 * What is pinned on one side, run by run, each to be taken out.
 * @param {string} title @param {number[]} pinned @param {{text: string}[]} tokens
 * @param {"queries" | "keys"} name @param {import("../parts/tools.js").Change} change
 */
function side(title, pinned, tokens, name, change) {
  if (!pinned.length) return [];
  const chips = runsOf(pinned).map(([first, last]) => {
    const isLeft = (/** @type {number} */ token) => token < first || token > last;
    const takeOut = () => change((view) => ({ ...view, [name]: view[name].filter(isLeft) }), {});
    const chip = pushButton(textOf(tokens, first, last), t("Take it out"), takeOut, "ax-chip");
    chip.append(h("span", { "aria-hidden": "true" }, "×"));
    return chip;
  });
  return [h("span", { class: "ax-help" }, title), ...chips];
}

/** @param {{text: string}[]} tokens @param {number} first @param {number} last */
function textOf(tokens, first, last) {
  const texts = tokens.slice(first, last + 1).map((token) => token.text);
  return texts.length > 5 ? `${texts.slice(0, 3).join(" ")} … ${texts.at(-1)}` : texts.join(" ");
}

/**
 * Which of the four ways is pinned.
 * @param {View} view @param {{segment: number, special: boolean}[]} queries
 * @param {{segment: number, special: boolean}[]} keys
 * @returns {Way | null}
 */
function wayOf(view, queries, keys) {
  const [found] = WAYS.filter(([way]) => {
    const [from, to] = way.split("-").map(Number);
    return (
      String(wordsOf(queries, from)) === String(view.queries) &&
      String(wordsOf(keys, to)) === String(view.keys)
    );
  });
  return found?.[0] ?? null;
}
