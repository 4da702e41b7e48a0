// The stages in a row, what the chosen one is and does, and its pictures.

import { t } from "../numbers/language.js";
import { orderOf, saidOf, stagesOf } from "../numbers/stages.js";
import { cellSentence, likenessOf, picturesOf, positionPictures } from "../numbers/steppictures.js";
import { chosenBy, placeOfStage } from "../numbers/stepstate.js";
import {
  changeOfHead,
  changeSentence,
  checkSentence,
  positionSentence,
  stageSentence,
} from "../numbers/stepwords.js";
import { helpMark } from "../parts/bubble.js";
import { h, pushButton, setText, woven } from "../parts/dom.js";
import { formula, plainFormula } from "../parts/formula.js";
import { createMatrix } from "../parts/matrix.js";

/**
 * @typedef {import("../numbers/stepwords.js").Shot} Shot
 * @typedef {import("../numbers/steppictures.js").Picture} Picture
 * @typedef {import("../numbers/stepwords.js").StepState} StepState
 * @typedef {import("../parts/theme.js").Theme} Theme
 * @typedef {(part: Partial<StepState>) => void} Pick a click on a picture
 */

const MANY = 11; // stages that have room side by side
const NO_CHANGE = t("What if? Change something above: what it does is said here.");
const ABOUT_POSITIONS = t(
  "One row is the vector that is added to whatever token stands at that position. Beside it the likeness of every two positions: 1 means that their vectors point the same way. Click a row to see its token.",
);

/** The stages of a layer in a row, and the buttons to the one before and after. @param {(by: (stage: number) => number) => void} go */
export function createStages(go) {
  /** @type {HTMLElement[]} */
  let steps = [];
  let known = ""; // which stages they are
  const back = pushButton(t("‹ Stage"), t("The stage before"), () => go((stage) => stage - 1));
  const next = pushButton(t("Stage ›"), t("The next stage"), () => go((stage) => stage + 1));
  const nav = h("nav", { class: "ax-steps", "aria-label": t("Stages") });
  /** @param {Shot} shot */
  function show({ trace, state }) {
    const names = stagesOf(trace).map(({ name, title }) =>
      [name, title].map((s) => saidOf(s, trace)),
    );
    if (names.join() !== known) {
      known = names.join();
      steps = names.map(([name, title], i) => stepOf(name, title, i, go));
      nav.replaceChildren(...steps);
      nav.classList.toggle("ax-many", steps.length > MANY);
    }
    const stage = placeOfStage(trace, state);
    steps.forEach((button, i) => {
      button.setAttribute("aria-current", i === stage ? "step" : "false");
    });
    const { offsetLeft, offsetWidth } = steps[stage];
    nav.scrollLeft = offsetLeft - nav.offsetLeft - (nav.clientWidth - offsetWidth) / 2; // on a phone
    back.disabled = stage === 0;
    next.disabled = stage === steps.length - 1;
    // Not “Back”: that is the browser's, which goes to where the reader came from.
    setText(back, back.disabled ? t("‹ Stage") : t("‹ Stage {n}", { n: stage }));
    setText(next, next.disabled ? t("Stage ›") : t("Stage {n} ›", { n: stage + 2 }));
  }
  return { nav, buttons: [back, next], show };
}

/** @param {string} name @param {string} title @param {number} i @param {(by: (stage: number) => number) => void} go */
function stepOf(name, title, i, go) {
  const button = pushButton("", `${i + 1}: ${plainFormula(title)}`, () => go(() => i), "ax-step");
  button.append(h("b", {}, String(i + 1)), formula(name));
  return button;
}

/**
 * What the chosen stage is, in general; more of it by the mark beside its title.
 * @param {((name: "cost" | "scale") => void) | null} experiment leads to an experiment, if there is one
 */
export function createStageAbout(experiment) {
  const [name, title] = [h("span"), h("h3")];
  const [formulaLine, shapes] = [
    h("p", { class: "ax-formula-line" }),
    h("p", { class: "ax-help" }),
  ];
  const claim = h("p", { class: "ax-claim" });
  const lead = pushButton("", "", () => act(), "ax-link");
  let act = () => {};
  let help = helpMark("");
  let helps = "";
  title.append(name, " ", help);
  const line = h("div", { class: "ax-headline-of-stage" }, title, formulaLine, shapes, lead);
  /** @param {Shot} shot */
  function show({ trace, rules, state }) {
    const at = placeOfStage(trace, state);
    const stage = stagesOf(trace)[at];
    setText(name, `${at + 1}. ${saidOf(stage.title, trace)}`);
    const text = plainFormula(stage.text(trace, rules.causal));
    if (text !== helps) {
      helps = text;
      const mark = helpMark(text);
      help.replaceWith(mark);
      help = mark;
    }
    formulaLine.replaceChildren(formula(saidOf(stage.formula, trace)));
    shapes.replaceChildren(formula(stage.shapes(trace)));
    const { experiment: next } = stage;
    lead.hidden = !next || !experiment;
    if (next && experiment) {
      act = () => experiment(next[0]);
      setText(lead, `${plainFormula(next[1])} ›`);
    }
    claim.hidden = !stage.claim;
    if (!stage.claim) return;
    const [said, right] = stage.claim.map(formula);
    claim.replaceChildren(
      ...woven(t("{article} “{said}” {but} {right}"), {
        article: h("b", {}, t("The article:")),
        said,
        but: h("b", {}, t("But:")),
        right,
      }),
    );
  }
  return { line, claim, show };
}

/** What the chosen stage does here: to the query, with the change, and how that was checked. */
export function createSayings() {
  const says = h("p", { class: "ax-says", "aria-live": "polite" });
  const changed = h("p", { class: "ax-changed", "aria-live": "polite" });
  const head = h("p", { class: "ax-changed-head" });
  const check = h("p", { class: "ax-help" });
  /** @param {Shot} shot @param {string} trouble why a change cannot be shown, if it cannot */
  function show(shot, trouble) {
    setText(says, stageSentence(shot));
    setText(changed, trouble || changeSentence(shot) || NO_CHANGE);
    const isOn = Boolean(trouble || shot.turned);
    changed.classList.toggle("ax-on", isOn);
    changed.classList.toggle("ax-tip", !isOn); // an advice, which is on no paper
    setText(head, changeOfHead(shot));
    setText(
      check,
      orderOf(shot.state.stage) >= orderOf("products")
        ? checkSentence(shot.trace, shot.rows())
        : "",
    );
  }
  return { says, changed, head, check, show };
}

/**
 * Matrices of which a click chooses something.
 * @param {Pick} pick @param {string} style
 */
function createMatrices(pick, style) {
  const element = h("div", { class: style });
  /** @type {{pictures: Picture[], shot: Shot} | null} */
  let painted = null;
  /** @type {ReturnType<typeof createMatrix>[]} */
  const frames = [];
  /** @param {number} at */
  const frameAt = (at) =>
    createMatrix(
      (row, column) => {
        const part = painted && chosenBy(painted.pictures[at], row, column);
        if (part) pick(part);
      },
      (row, column) => {
        if (!painted) return "";
        const { trace, state } = painted.shot;
        return cellSentence(painted.pictures[at], trace, state.query, row, column);
      },
    );
  /** @param {Picture[]} pictures @param {Shot} shot @param {Theme} theme */
  function show(pictures, shot, theme) {
    painted = { pictures, shot };
    while (frames.length < pictures.length) frames.push(frameAt(frames.length));
    element.replaceChildren(...pictures.map((_, i) => frames[i].element));
    pictures.forEach((picture, i) => {
      frames[i].show(picture, theme);
    });
  }
  return {
    element,
    show,
    /** @param {string} id */
    pictureOf: (id) => {
      const at = painted?.pictures.findIndex((picture) => picture.id === id) ?? -1;
      return at < 0 ? null : frames[at];
    },
  };
}

/** The pictures of the chosen stage. @param {Pick} pick */
export function createPictures(pick) {
  const { element, show, pictureOf } = createMatrices(pick, "ax-pictures ax-stage-pictures");
  return {
    ...{ element, pictureOf },
    /** @param {Shot} shot @param {Theme} theme */
    show: (shot, theme) => {
      const pictures = picturesOf(shot, element.clientWidth);
      element.classList.toggle(
        "ax-beside",
        pictures.some(({ aside }) => aside),
      );
      show(pictures, shot, theme);
    },
  };
}

/** Which vectors say where a token stands, at the stage of the input. @param {Pick} pick */
export function createPositions(pick) {
  const says = h("p");
  const matrices = createMatrices(pick, "ax-pictures");
  const title = h(
    "h4",
    {},
    t("Where a token stands is a vector too"),
    " ",
    helpMark(ABOUT_POSITIONS),
  );
  const element = h("section", { class: "ax-positions" }, title, says, matrices.element);
  /** @param {Shot} shot @param {Theme} theme */
  function show(shot, theme) {
    element.hidden = shot.state.stage !== "input";
    if (element.hidden) return;
    const { trace } = shot;
    setText(says, positionSentence(shot, trace.of.positions ? likenessOf(trace) : null));
    matrices.show(positionPictures(shot, element.clientWidth), shot, theme);
  }
  return { element, show };
}
