// The words around the pictures: the sentence, the notes, and what is chosen.

import { isSwitchedOff, OFF } from "../numbers/edits.js";
import { headName, inSpeech, isOfHeads, spokenHead } from "../numbers/headname.js";
import { t } from "../numbers/language.js";
import { digits } from "../numbers/model.js";
import { caption, hiddenNote, measuredOn, POINT, sinkNote, TAP } from "../numbers/words.js";
import { isTerm, term } from "../parts/bubble.js";
import { byHand, h, pushButton, setText } from "../parts/dom.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/words.js").Part} Part
 * @typedef {import("../pages/explore.js").Actions} Actions
 */

const RANKED = 5; // heads named for a pinned pair
const ONE_LINE = 92; // characters that stand on one line of a wide screen
const SMALLER = 110; // those that do in a smaller type

const POINT_PATCH = t("point at a patch to see where it looks; click to pin it.");
const TAP_PATCH = t("tap a patch to see where it looks.");

/**
 * What may be done, for fingers where there is no mouse; a picture has no words.
 * @param {Part[]} parts @param {boolean} looks @returns {Part[]}
 */
function inHand(parts, looks) {
  const does = looks ? byHand(POINT_PATCH, TAP_PATCH) : byHand(POINT, TAP);
  return parts.map((part) => (typeof part === "string" ? part.replace(POINT, does) : part));
}

/** @param {Part[]} parts tokens are set as text, in bold */
const marked = (parts) =>
  parts.map((part) => (typeof part === "string" ? part : h("strong", {}, part[0])));

/** @type {Record<string, string>} what explains itself in a caption, as the reader has it */
const NAMED = { [t("entropy")]: "entropy", [t("bits")]: "bits" };
const TERMS = new RegExp(`(?<![A-Za-z])(${Object.keys(NAMED).join("|")})(?![A-Za-z])`, "u");

/** The same, where special tokens and what is measured explain themselves. @param {Part[]} parts */
const explained = (parts) =>
  parts.flatMap((part) =>
    typeof part === "string"
      ? part.split(TERMS).map((text) => (text in NAMED ? term(NAMED[text], text) : text))
      : [h("strong", {}, isTerm(part[0]) ? term(part[0]) : part[0])],
  );

/** @param {Actions} actions */
export function createCaptions(actions) {
  const sentence = h("p", { class: "ax-says" });
  const notes = h("p", { class: "ax-notes" });
  const notice = h("p", { class: "ax-notice" });
  const spoken = h("p", { class: "ax-hidden", "aria-live": "polite" }); // pins, not every hover
  const legend = h("div", { class: "ax-legend" });
  const ranking = h("p", { class: "ax-help ax-ranking" });
  let chosen = ""; // what the legend shows
  /** @type {unknown} */
  let noted = null; // the model of the notes
  let shown = ""; // in the sentence

  /** @param {Scene} scene @param {boolean} passing true while something is only looked or pointed at */
  function show(scene, passing) {
    const { parts, says, trace } = scene;
    const looks = trace.head.patches !== null;
    if (shown !== says) {
      sentence.replaceChildren(...marked(inHand(parts, looks)));
      sentence.classList.toggle("ax-waits", says.endsWith(POINT));
    }
    shown = says;
    if (!passing) {
      sentence.classList.toggle("ax-longer", says.length > ONE_LINE); // never while a hand moves
      sentence.classList.toggle("ax-tall", says.length > SMALLER);
      setText(spoken, inSpeech(says));
    }
    showLegend(scene);
  }

  /** What kind of head it is; costs more than a hover may. @param {Scene} scene */
  function describe({ model, view, loading, trace }) {
    // Hidden, not taken out, so that nothing below it jumps.
    const profile = model.pooled || loading ? null : model.profile();
    notes.style.visibility = profile ? "visible" : "hidden";
    if (!profile || noted === model) return;
    noted = model;
    const drain = () =>
      view.specials === "shown" ? sinkNote(model) : [hiddenNote(view.specials, model)];
    const off = view.heads.some((head) => isSwitchedOff(trace.head.edits, view.layer, head));
    const first = off ? [`${OFF} `] : [];
    notes.replaceChildren(...explained([...first, habitOf(model, view, profile), ...drain()]));
  }

  /** @param {Scene} scene */
  function showLegend({ view, theme }) {
    const now = `${view.layer}.${view.heads.join(".")} ${theme.dark}`;
    if (chosen === now) return;
    chosen = now;
    legend.replaceChildren(...chipsOf(view, theme, actions));
  }

  /** Which heads connect the pinned pair. @param {Scene} scene */
  function rank({ trace, pinnedNumbers }) {
    const heads = strongest(pinnedNumbers, actions);
    const { n_heads: each, numbers, long } = trace.head;
    const [here, all] = [pinnedNumbers.length, numbers.length * each];
    const some = long ? headsHere(here, all) : layersHere(here / each, numbers.length);
    const missing = here < all ? ` ${some}` : "";
    ranking.replaceChildren(...(heads.length ? [t("Strongest:"), " ", ...heads, missing] : []));
  }

  const notify = (/** @type {Scene} */ scene) => tellNotice(notice, scene);
  return { sentence, notes, notice, spoken, legend, ranking, show, describe, rank, notify };
}

/** @param {number} here @param {number} all */
const headsHere = (here, all) =>
  t("Of the {here} heads that are here, out of {all}.", { here, all });

/** @param {number} here @param {number} all */
const layersHere = (here, all) =>
  t("Of the {here} layers that are here, out of {all}.", { here, all });

/**
 * What a head does, and of which rows that is said.
 * @param {Scene["model"]} model @param {Scene["view"]} view
 * @param {import("../numbers/model.js").Profile} profile
 */
function habitOf({ base, most }, { specials }, profile) {
  return `${caption(profile, base, measuredOn(most, specials === "renormalised"))} `;
}

/**
 * The chosen heads, each in its colour; of several each can be taken out.
 * @param {Scene["view"]} view @param {Scene["theme"]} theme @param {Actions} actions
 */
function chipsOf({ layer, heads }, theme, actions) {
  /** @param {string} name @param {number} head */
  function taking(name, head) {
    const button = h("button", {
      type: "button",
      class: "ax-chip",
      title: t("Take {name} out", { name }),
    });
    button.addEventListener("click", () => actions.chooseHead(layer, head, true));
    return button;
  }
  return heads.map((head) => {
    const name = headName(layer, head);
    const chip = heads.length === 1 ? h("span", { class: "ax-chip" }) : taking(name, head);
    chip.append(h("span", { class: "ax-dot" }));
    chip.append(heads.length === 1 ? name : `${name} ×`);
    chip.style.setProperty("--head", theme.headCss(head));
    return chip;
  });
}

/**
 * The first few heads that connect the pinned pair, each to be chosen, with its number.
 * @param {Scene["pinnedNumbers"]} pinnedNumbers @param {Actions} actions
 */
const strongest = (pinnedNumbers, actions) =>
  pinnedNumbers.slice(0, RANKED).flatMap(({ layer, head, weight }) => {
    const name = t("Choose {head}", { head: spokenHead(layer, head) });
    const choose = () => actions.chooseHead(layer, head, false);
    const button = pushButton(headName(layer, head), name, choose, "ax-chip");
    return [button, ` ${digits(weight)}  `];
  });

/** What an example shows, while its head is looked at. @param {HTMLElement} notice @param {Scene} scene */
function tellNotice(notice, { trace, view }) {
  const { notice: text } = trace.head.about;
  notice.hidden = !text;
  // It keeps its room, so that nothing moves under the hand that chose another head.
  notice.style.visibility = isOfHeads(text, view.layer, view.heads) ? "" : "hidden";
  setText(notice, text);
}
