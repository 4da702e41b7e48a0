// The bar above an explanation: what shall be explained, and how words go. What the model has not is
// grey, with the reason; a word is chosen by a click on it.

import {
  asksWord,
  classChoices,
  clicked,
  greyedSentence,
  isChosen,
  KINDS,
  kindName,
  tokenText,
  unusual,
  whichWord,
} from "../numbers/explainask.js";
import { sentences, t } from "../numbers/language.js";
import { helpMark } from "../parts/bubble.js";
import { byHand, choice, h, pushButton, setText } from "../parts/dom.js";
import { createMenu } from "../parts/menu.js";

/**
 * @typedef {import("../numbers/explainask.js").Bar} Bar
 * @typedef {import("../numbers/explainask.js").Wish} Wish
 * @typedef {(part: Partial<Wish>) => void} Ask
 */

const REPLACED = t(
  "[MASK] stands in its place where a model has one; else the token that its tokenizer has for unknown words, or for the end of a text.",
);

/** @param {Ask} ask */
export function createAskBar(ask) {
  const kinds = choice(t("Explain"), KINDS, (kind) => ask({ kind }));
  const details = createDetails(ask);
  const how = createHow(ask);
  const words = createWords(ask);
  const grey = h("p", { class: "ax-help ax-grey", id: "ax-grey" });
  kinds.element.setAttribute("aria-describedby", grey.id);
  const chips = h("div", { class: "ax-chips" });
  return {
    elements: [kinds.element, details.element, how.element, chips],
    below: [grey, words.element],
    /** @param {Bar} bar @param {number | null} at the word that the explanation is about */
    show: (bar, at) => {
      const { wish, reasons } = bar;
      kinds.show(wish.kind);
      markGrey(kinds.element, reasons, bar.answers);
      setText(grey, greyedSentence(bar));
      grey.hidden = !grey.textContent;
      details.show(bar);
      how.show(wish);
      chips.replaceChildren(...unusual(wish).map((one) => chipOf(one, ask)));
      words.show(bar, at);
    },
  };
}

/** @param {HTMLElement} kinds @param {Bar["reasons"]} reasons @param {boolean} answers */
function markGrey(kinds, reasons, answers) {
  for (const [kind, , title] of KINDS) {
    const input = /** @type {HTMLInputElement} */ (kinds.querySelector(`[value=${kind}]`));
    const why = reasons?.[kind] ?? "";
    input.disabled = why !== "";
    const label = /** @type {HTMLElement} */ (input.closest("label"));
    label.title = why || title;
    setText(/** @type {HTMLElement} */ (label.lastElementChild), kindName(kind, answers));
  }
}

/** @param {ReturnType<typeof unusual>[number]} one @param {Ask} ask */
const chipOf = ({ name, without }, ask) =>
  pushButton(`${name} ×`, t("Take back: {name}", { name }), () => ask(without), "ax-chip");

/** A box for a line of text. @param {string} label @param {string} hint @param {(text: string) => void} typed */
function createBox(label, hint, typed) {
  const input = /** @type {HTMLInputElement} */ (
    h("input", { type: "text", "aria-label": label, placeholder: hint, dir: "auto" })
  );
  input.addEventListener("change", () => typed(input.value));
  const element = h(
    "fieldset",
    { class: "ax-choice ax-box" },
    h("legend", {}, label),
    h("div", {}, input),
  );
  return {
    element,
    /** @param {string} text @param {string} [otherwise] what stands for an empty line */
    show: (text, otherwise = hint) => {
      input.placeholder = otherwise;
      if (!input.matches(":focus")) input.value = text;
    },
  };
}

/** What else a kind of target needs. @param {Ask} ask */
function createDetails(ask) {
  const other = createBox(t("The other text"), "", (text) => ask({ other: text }));
  const guess = createBox(t("Probability of"), t("what stood there"), (text) =>
    ask({ guess: text }),
  );
  const select = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": t("Class") }));
  select.addEventListener("change", () =>
    ask({ label: select.value === "" ? null : Number(select.value) }),
  );
  const classes = h(
    "fieldset",
    { class: "ax-choice" },
    h("legend", {}, t("Class")),
    h("div", {}, select),
  );
  const next = createNextBox(ask);
  const parts = {
    ...{ like: other.element, word: guess.element, class: classes, vector: null },
    ...{ next: next.element, span: null },
  };
  const all = [other.element, guess.element, classes, next.element];
  const element = h("div", { class: "ax-details" }, ...all);
  let named = "";
  return {
    element,
    /** @param {Bar} bar */
    show: ({ wish, classes: names, answers }) => {
      for (const part of all) part.hidden = part !== parts[wish.kind];
      next.show(wish, answers);
      element.hidden = parts[wish.kind] === null;
      other.show(wish.other);
      guess.show(wish.guess);
      if (named !== names.join("\n") || !select.options.length) {
        named = names.join("\n");
        const options = classChoices(names).map(([value, text]) => h("option", { value }, text));
        select.replaceChildren(...options);
      }
      select.value = wish.label === null ? "" : String(wish.label);
    },
  };
}

/** Which next word, and against which other. @param {Ask} ask */
function createNextBox(ask) {
  const guess = createBox(t("The word"), t("the likeliest"), (text) => ask({ guess: text }));
  const versus = createBox(t("and not"), t("any other"), (text) => ask({ versus: text }));
  const number = choice(
    t("As"),
    [
      ["p", t("probability"), t("Its share of all next words")],
      [
        "logit",
        t("logit"),
        t("The model’s own number, before the softmax; of two their difference"),
      ],
    ],
    (value) => ask({ logit: value === "logit" }),
  );
  const parts = [guess.element, versus.element, number.element];
  return {
    element: h("div", { class: "ax-details" }, ...parts),
    /** @param {Wish} wish @param {boolean} answers */
    show: (wish, answers) => {
      guess.show(wish.guess, answers ? t("the right answer") : t("the likeliest"));
      versus.show(wish.versus);
      number.show(wish.logit || wish.versus ? "logit" : "p");
      number.element.hidden = wish.versus !== "";
    },
  };
}

/** How words are taken away. @param {Ask} ask */
function createHow(ask) {
  const way = choice(
    t("A word that is taken away is"),
    [
      ["replace", t("replaced by another token"), REPLACED],
      ["drop", t("dropped"), t("The gap is closed")],
      [
        "cut",
        t("cut out of attention"),
        t("It stays, and no later word may look at it (Geva et al. 2023)"),
      ],
    ],
    (how) => ask({ how }),
  );
  const pieces = choice(
    t("The pieces of a word"),
    [
      ["word", t("count as one"), t("They go together, and their scores add up")],
      ["piece", t("each alone"), t("Every token is scored and taken away by itself")],
    ],
    (value) => ask({ by_word: value === "word" }),
  );
  const flow = choice(
    t("Attention flow"),
    [
      ["short", t("where it is quick"), t("Left out for a mean over many positions")],
      ["whole", t("also where it takes minutes"), t("A maximum flow for every two tokens")],
    ],
    (value) => ask({ whole_flow: value === "whole" }),
  );
  way.element.firstElementChild?.append(" ", helpMark(REPLACED));
  const by = createBox(t("Replaced by"), t("the model’s own"), (text) =>
    ask({ neutral: text.trim() }),
  );
  const inside = [way.element, by.element, pieces.element, flow.element];
  const element = createMenu(t("How words go"), inside, "ax-how");
  return {
    element,
    /** @param {Wish} wish */
    show: (wish) => {
      way.show(wish.how);
      by.show(wish.neutral);
      by.element.hidden = wish.how !== "replace";
      pieces.show(wish.by_word ? "word" : "piece");
      flow.show(wish.whole_flow ? "whole" : "short");
    },
  };
}

/** The text, of which a click chooses the word that is asked about. @param {Ask} ask */
function createWords(ask) {
  /** @type {Wish | null} */
  let wished = null;
  const choose = (/** @type {number} */ at) => wished && ask(clicked(wished, at));
  const question = h("p", { class: "ax-help" });
  const line = h("div", {
    class: "ax-asked",
    role: "group",
    "aria-label": t("Which word?"),
    dir: "auto",
  });
  const element = h("div", {}, question, line);
  let built = "";
  return {
    element,
    /** @param {Bar} bar @param {number | null} found */
    show: ({ wish, tokens, answers, stale }, found) => {
      element.hidden = !asksWord(wish.kind) || !tokens.length;
      if (element.hidden) return;
      wished = wish;
      const which = t("{question}?", { question: whichWord(wish.kind, answers) });
      setText(question, sentences(which, byHand(t("Click it."), t("Tap it."))));
      const key = JSON.stringify(tokens);
      if (key !== built)
        line.replaceChildren(...tokens.map((token, i) => wordOf(token, i, choose)));
      built = key;
      for (const word of line.querySelectorAll("button")) {
        const isIt = isChosen(wish, Number(word.dataset.at), stale ? null : found);
        word.setAttribute("aria-pressed", String(isIt));
      }
    },
  };
}

/** @param {{text: string, special: boolean}} token @param {number} i @param {(at: number) => void} choose */
function wordOf({ text, special }, i, choose) {
  if (special) return h("span", { class: "ax-word ax-chip-special" }, text);
  const word = h("button", { type: "button", class: "ax-word" }, tokenText(text));
  word.dataset.at = String(i);
  if (text.startsWith("##")) word.classList.add("ax-goes-on");
  word.addEventListener("click", () => choose(i));
  return word;
}
