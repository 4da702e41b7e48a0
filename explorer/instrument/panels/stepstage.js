// The stages in a row, what the chosen one is and does, and its pictures.

import { STAGES } from "../numbers/stages.js";
import { cellSentence, picturesOf } from "../numbers/steppictures.js";
import { chosenBy, LAST_STAGE } from "../numbers/stepstate.js";
import { changeSentence, checkSentence, stageSentence } from "../numbers/stepwords.js";
import { h, pushButton, setText } from "../parts/dom.js";
import { formula } from "../parts/formula.js";
import { createMatrix } from "../parts/matrix.js";

/**
 * @typedef {import("../numbers/stepwords.js").Shot} Shot
 * @typedef {import("../numbers/steppictures.js").Picture} Picture
 */

/** The stages in a row, and the buttons to the one before and after. @param {(by: (stage: number) => number) => void} go */
export function createStages(go) {
  const steps = STAGES.map((stage, i) => {
    const button = pushButton("", `${i + 1}: ${stage.title}`, () => go(() => i), "ax-step");
    button.append(h("b", {}, String(i + 1)), formula(stage.name));
    return button;
  });
  const back = pushButton("‹ Back", "The stage before", () => go((stage) => stage - 1));
  const next = pushButton("Next ›", "The next stage", () => go((stage) => stage + 1));
  const nav = h("nav", { class: "ax-steps", "aria-label": "Stages" }, ...steps);
  /** @param {number} stage */
  function show(stage) {
    steps.forEach((button, i) => {
      button.setAttribute("aria-current", i === stage ? "step" : "false");
    });
    const { offsetLeft, offsetWidth } = steps[stage];
    nav.scrollLeft = offsetLeft - nav.offsetLeft - (nav.clientWidth - offsetWidth) / 2; // on a phone
    back.disabled = stage === 0;
    next.disabled = stage === LAST_STAGE;
  }
  return { nav, buttons: [back, next], show };
}

/** What the chosen stage is, in general. */
export function createAbout() {
  const title = h("h3");
  const formulaLine = h("p", { class: "ax-formula-line" });
  const shapes = h("p", { class: "ax-help" });
  const text = h("p", { class: "ax-stage-text" });
  const claim = h("p", { class: "ax-claim" });
  /** @param {Shot} shot */
  function show({ trace, rules, state }) {
    const stage = STAGES[state.stage];
    setText(title, `${state.stage + 1}. ${stage.title}`);
    const line = typeof stage.formula === "string" ? stage.formula : stage.formula(trace);
    formulaLine.replaceChildren(formula(line));
    shapes.replaceChildren(formula(stage.shapes(trace)));
    text.replaceChildren(formula(stage.text(trace, rules.causal)));
    claim.hidden = !stage.claim;
    if (!stage.claim) return;
    const [said, right] = stage.claim.map(formula);
    claim.replaceChildren(h("b", {}, "The article: "), "“", said, "” ", h("b", {}, "But: "), right);
  }
  return { elements: [title, formulaLine, shapes, text, claim], show };
}

/** What the chosen stage does here: to the query, with the change, and how that was checked. */
export function createSayings() {
  const says = h("p", { class: "ax-says", "aria-live": "polite" });
  const changed = h("p", { class: "ax-changed", "aria-live": "polite" });
  const check = h("p", { class: "ax-help" });
  /** @param {Shot} shot */
  function show(shot) {
    setText(says, stageSentence(shot));
    setText(changed, changeSentence(shot));
    changed.hidden = !shot.turned;
    setText(check, shot.state.stage > 1 ? checkSentence(shot.trace, shot.rows()) : "");
  }
  return { says, changed, check, show };
}

/** @param {import("./steptools.js").SetPart} set */
export function createPictures(set) {
  const element = h("div", { class: "ax-pictures" });
  /** @type {{pictures: Picture[], shot: Shot} | null} */
  let painted = null;
  /** @type {ReturnType<typeof createMatrix>[]} */
  const frames = [];
  /** @param {number} at */
  const frameAt = (at) =>
    createMatrix(
      (row, column) => {
        const part = painted && chosenBy(painted.pictures[at], row, column);
        if (part) set(part);
      },
      (row, column) => {
        if (!painted) return "";
        const { trace, state } = painted.shot;
        return cellSentence(painted.pictures[at], trace.tokens, state.query, row, column);
      },
    );
  /** @param {Shot} shot @param {import("../parts/theme.js").Theme} theme */
  function show(shot, theme) {
    const pictures = picturesOf(shot, element.clientWidth);
    painted = { pictures, shot };
    while (frames.length < pictures.length) frames.push(frameAt(frames.length));
    element.replaceChildren(...pictures.map((_, i) => frames[i].element));
    pictures.forEach((picture, i) => {
      frames[i].show(picture, theme);
    });
  }
  return { element, show };
}
