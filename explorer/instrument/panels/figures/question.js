// A question that is answered before the answer is seen; it is found in the reader's own text.

import { askedPlace } from "../../numbers/articleasked.js";
import { questionOf } from "../../numbers/articlequestions.js";
import { t } from "../../numbers/language.js";
import { h, setText } from "../../parts/dom.js";

/**
 * @param {string} name as numbers/articlequestions.js has it
 * @returns {(acts: import("../../pages/articlefigures.js").Acts) => import("../../pages/articlefigures.js").Figure}
 */
export const askedAs = (name) => (acts) => {
  const text = h("p", { class: "ax-ask-text" });
  const choices = h("div", { class: "ax-ask-choices", role: "group" });
  const verdict = h("strong");
  const reveal = h("span");
  const told = h("p", { class: "ax-fig-says", role: "status", tabindex: "-1" });
  const label = h("p", { class: "ax-help" }, t("Guess first"));
  const element = h("div", { class: "ax-ask", "data-question": name }, label, text, choices, told);
  let built = "";

  /** @param {import("../../pages/articlefigures.js").Shown} shown */
  function show({ state }) {
    const question = questionOf(name, state);
    element.hidden = !question && !state.article.whole;
    label.hidden = !question;
    if (!question) return showNone();
    const { right } = question;
    const { trace } = state.article;
    const answer = state.answers[name];
    element.classList.toggle("ax-unanswered", !answer);
    setText(text, question.text);
    const made = JSON.stringify(question);
    if (made !== built) {
      built = made;
      choices.replaceChildren(
        ...question.choices.map((choice, i) => {
          const button = h("button", { type: "button", class: "ax-copy" }, choice);
          button.addEventListener("click", () => {
            acts.answer(name, { given: i, right: right.includes(i) });
            if (name === "ask_look") acts.look(askedPlace(trace)); // the figure below shows it
            told.focus({ preventScroll: true }); // the choices can be chosen no more
          });
          return button;
        }),
      );
    }
    [...choices.children].forEach((button, i) => {
      if (!(button instanceof HTMLButtonElement)) return;
      button.disabled = !!answer;
      button.setAttribute("aria-pressed", String(answer?.given === i));
      button.classList.toggle("ax-right", !!answer && right.includes(i));
      button.classList.toggle("ax-wrong", answer?.given === i && !right.includes(i));
    });
    if (!answer) return told.replaceChildren();
    if (told.childElementCount) return; // it is said already
    setText(verdict, answer.right ? t("Right.") : t("Not this one."));
    setText(reveal, question.reveal);
    told.replaceChildren(verdict, " ", reveal);
  }
  function showNone() {
    built = "";
    element.classList.remove("ax-unanswered");
    setText(
      text,
      t("This cannot be asked of your text: it has too few words that the model knows."),
    );
    choices.replaceChildren();
    told.replaceChildren();
  }
  return { element, show };
};
