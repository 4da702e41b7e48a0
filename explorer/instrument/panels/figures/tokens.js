// What is a token: pieces of a text, of a picture, of a sound. The layer is the same; what grows is n.

import { t, tn } from "../../numbers/language.js";
import { choice, h, setText } from "../../parts/dom.js";
import { paintOn } from "../../parts/paint.js";
import { whole } from "./cost.js";
import { createWalk } from "./plot.js";

/**
 * @typedef {import("../../pages/articlefigures.js").Shown} Shown
 * @typedef {import("../../parts/paint.js").Pen} Pen
 * @typedef {import("../../parts/theme.js").Theme} Theme
 * @typedef {"text" | "picture" | "speech"} Kind
 */

const SIDE = 224; // pixels of a picture as ViT reads it; also of ours
const PATCHES = [56, 32, 28, 16, 14, 8]; // pixels of a patch
const SECONDS = [1, 5, 10, 20, 30];
const EACH = 50; // frames of a second, 20 ms each
const [WIDE, TALL] = [300, 90]; // pixels of the sound

/** @param {import("../../pages/articlefigures.js").Acts} _acts @returns {import("../../pages/articlefigures.js").Figure} */
export function createTokens(_acts) {
  let kind = /** @type {Kind} */ ("picture");
  const at = { picture: 3, speech: 2 };
  /** @type {Shown | null} */
  let last = null;
  const again = () => last && show(last);
  const which = choice(
    t("Tokens of"),
    [
      ["text", t("a text"), t("Words and pieces of words")],
      ["picture", t("a picture"), t("Square patches")],
      ["speech", t("speech"), t("Frames of 20 ms")],
    ],
    (value) => {
      kind = value;
      again();
    },
  );
  which.show(kind);
  const patches = createWalk(t("Pixels of a patch"), (next) => {
    at.picture = next;
    again();
  });
  const seconds = createWalk(t("Seconds"), (next) => {
    at.speech = next;
    again();
  });
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  const words = h("p", { class: "ax-pieces", dir: "auto" });
  const says = h("p", { class: "ax-fig-says", "aria-live": "polite" });
  const tools = h("div", { class: "ax-tools" }, which.element);
  const element = h("div", {}, tools, patches.element, seconds.element, words, canvas, says);

  /** @param {Shown} shown */
  function show(shown) {
    last = shown;
    words.hidden = kind !== "text";
    canvas.hidden = kind === "text";
    patches.element.hidden = kind !== "picture";
    seconds.element.hidden = kind !== "speech";
    patches.show(at.picture, PATCHES.length - 1, `${PATCHES[at.picture]} × ${PATCHES[at.picture]}`);
    seconds.show(at.speech, SECONDS.length - 1, String(SECONDS[at.speech]));
    const tokens = shown.state.article.trace.head.key_tokens;
    if (kind === "text") words.replaceChildren(...tokens.map(({ text }) => h("span", {}, text)));
    if (kind === "picture")
      paintOn(canvas, SIDE, SIDE, (pen) => paintPicture(pen, PATCHES[at.picture], shown.theme));
    if (kind === "speech")
      paintOn(canvas, WIDE, TALL, (pen) => paintSound(pen, SECONDS[at.speech], shown.theme));
    const said = saysOf(kind, tokens.length, at);
    canvas.setAttribute("aria-label", said);
    setText(says, said);
  }
  return {
    element,
    show,
    where: () => ({ page: "explore", label: t("Open in Explore") }),
  };
}

/** @param {Kind} kind @param {number} n tokens of the text @param {{picture: number, speech: number}} at */
function saysOf(kind, n, at) {
  if (kind === "text")
    return tn(
      "Your text is {n} token to the model: {pairs} pair in every head.",
      "Your text is {n} tokens to the model: {pairs} pairs in every head.",
      n,
      { pairs: whole(n * n) },
    );
  if (kind === "picture") {
    const patch = PATCHES[at.picture];
    const count = (SIDE / patch) ** 2 + 1;
    return t(
      "A picture of 224 × 224 pixels in patches of {patch} × {patch}: {count} tokens with [CLS], {pairs} pairs in every head. Half the side of a patch is four times the tokens and sixteen times the pairs. ViT takes 16.",
      { patch, count: whole(count), pairs: whole(count ** 2) },
    );
  }
  const count = SECONDS[at.speech] * EACH;
  return t(
    "{seconds} s of speech in frames of 20 ms, as wav2vec 2.0 and Whisper have them: {count} tokens, {pairs} pairs in every head. Every tenth frame is drawn.",
    { seconds: SECONDS[at.speech], count: whole(count), pairs: whole(count ** 2) },
  );
}

/** @param {import("../../numbers/palette.js").Rgb} colour */
const inRgb = ([r, g, b]) => `rgb(${r}, ${g}, ${b})`;

/** A house under the sun, cut into patches. @param {Pen} pen @param {number} patch @param {Theme} theme */
function paintPicture(pen, patch, theme) {
  const fill = (/** @type {string} */ colour, /** @type {() => void} */ shape) => {
    pen.fillStyle = colour;
    pen.beginPath();
    shape();
    pen.fill();
  };
  fill(theme.accentCss(0.18), () => pen.rect(0, 0, SIDE, 150));
  fill(theme.greyCss(0.5), () => pen.rect(0, 150, SIDE, SIDE - 150));
  fill(inRgb(theme.diverging[40]), () => pen.arc(178, 46, 24, 0, 2 * Math.PI));
  fill(theme.accentCss(0.6), () => pen.rect(52, 104, 88, 76));
  fill(theme.accentCss(0.9), () => {
    pen.moveTo(40, 106);
    pen.lineTo(96, 58);
    pen.lineTo(152, 106);
  });
  fill(theme.page, () => pen.rect(84, 140, 24, 40));
  pen.strokeStyle = theme.text;
  pen.lineWidth = 0.6;
  pen.beginPath();
  for (let edge = 0; edge <= SIDE; edge += patch) {
    pen.moveTo(edge, 0);
    pen.lineTo(edge, SIDE);
    pen.moveTo(0, edge);
    pen.lineTo(SIDE, edge);
  }
  pen.stroke();
}

/** A sound as a line, a tenth of its frames marked. @param {Pen} pen @param {number} seconds @param {Theme} theme */
function paintSound(pen, seconds, theme) {
  pen.strokeStyle = theme.accent;
  pen.lineWidth = 1;
  pen.beginPath();
  for (let x = 0; x < WIDE; x++) {
    const time = (x / WIDE) * seconds;
    const loud = Math.abs(Math.sin(2.1 * time) * Math.cos(0.7 * time + 1)) * (0.4 * TALL);
    const half = loud * (0.5 + 0.5 * Math.abs(Math.sin(57 * time)));
    pen.moveTo(x + 0.5, TALL / 2 - half);
    pen.lineTo(x + 0.5, TALL / 2 + half + 1);
  }
  pen.stroke();
  pen.strokeStyle = theme.muted;
  pen.lineWidth = 0.6;
  pen.beginPath();
  const frames = seconds * EACH;
  for (let i = 0; i <= frames; i += 10) {
    pen.moveTo((i / frames) * WIDE, 0);
    pen.lineTo((i / frames) * WIDE, TALL);
  }
  pen.stroke();
}
