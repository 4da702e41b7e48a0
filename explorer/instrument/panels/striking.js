// Worth a look: what is striking in this text, each thing one click away.

import { t } from "../numbers/language.js";
import {
  atFinding,
  baselineWords,
  findingHead,
  findingWords,
  isAt,
  nextOff,
  offProgress,
  silenceWords,
} from "../numbers/striking.js";
import { helpMark } from "../parts/bubble.js";
import { h, pushButton, setText } from "../parts/dom.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/striking.js").Finding} Finding
 * @typedef {import("../numbers/data.js").Trace} Trace
 * @typedef {import("../pages/exploreparts.js").Doing} ExploreDoing
 * @typedef {Pick<ExploreDoing, "change" | "effects">} Doing
 *   effects: heads are switched off, one by one; null where nobody can
 */

const RULES = t(
  "Found by rules: a number here is at least 3 times each of its baselines, such as what other words give, what this head gives at that distance elsewhere, and what other heads give. Nothing is told where random weights would show as much.",
);
const QUESTION = t("Which head matters most? (switches each off in turn)");

/** @param {Doing} doing */
export function createStriking({ change, effects }) {
  const list = h("ol", { class: "ax-worth-list" });
  const nothing = h("p", { class: "ax-help" });
  const progress = h("p", { class: "ax-help", "aria-live": "polite" });
  let asked = ""; // of which trace it was asked which head matters
  /** @type {Trace | null} */
  let trace = null;
  const ask = pushButton(QUESTION, QUESTION, begin, "ax-link");
  const element = h(
    "section",
    { class: "ax-panel ax-striking", "aria-label": t("Worth a look") },
    h("div", { class: "ax-title" }, h("h3", {}, t("Worth a look")), helpMark(RULES)),
    ...[list, nothing, ask, progress],
  );
  element.hidden = true;
  /** @type {Finding[]} */
  let findings = [];
  /** @type {unknown[]} */
  let known = []; // what the list shows

  function begin() {
    if (!trace || !effects) return;
    asked = trace.head.id;
    effects();
    tellProgress(trace);
  }

  /** @param {Trace} now */
  function tellProgress(now) {
    const isAsked = asked === now.head.id;
    setText(progress, offProgress(now, isAsked));
    const { noise } = now.head.about;
    ask.hidden = !effects || noise || !now.striking || nextOff(now) === null;
    ask.disabled = isAsked || now.effects !== null;
  }

  /** @param {Scene} scene */
  function draw(scene) {
    const now = scene.trace;
    trace = now;
    const waits = now.head.striking === "ask" && effects !== null;
    element.hidden = !(now.striking || waits);
    if (element.hidden) return;
    if (known[0] !== now.striking || known[1] !== now.effects || known[2] !== now.head) {
      known = [now.striking, now.effects, now.head];
      const off = now.effects?.finding;
      findings = [...(now.striking?.findings ?? []), ...(off ? [off] : [])];
      list.replaceChildren(...findings.map((finding) => h("li", {}, lineOf(finding, now, change))));
      const silence = now.striking?.silence;
      setText(nothing, now.striking ? "" : t("Looking through all heads …"));
      if (silence) setText(nothing, silenceWords(silence, now.head.about.noise));
      element.classList.toggle("ax-waits", !now.striking);
    }
    tellProgress(now);
    markPlace(list, findings, scene.view);
  }

  return { element, draw };
}

/** @param {Finding} finding @param {Trace} trace @param {Doing["change"]} change */
function lineOf(finding, trace, change) {
  const words = findingWords(finding, trace).map((part) =>
    typeof part === "string" ? part : h("strong", { dir: "auto" }, part[0]),
  );
  const button = h(
    "button",
    { type: "button", class: "ax-worth", title: baselineWords(finding, trace) },
    h("span", { class: "ax-of" }, findingHead(finding)),
    ...words,
  );
  button.addEventListener("click", () => {
    change((now) => atFinding(now, finding), { thumbs: true, model: true, moved: true });
  });
  return button;
}

/** @param {HTMLElement} list @param {Finding[]} findings @param {Scene["view"]} view */
function markPlace(list, findings, view) {
  for (const [i, { firstElementChild: line }] of [...list.children].entries()) {
    if (isAt(view, findings[i])) line?.setAttribute("aria-current", "true");
    else line?.removeAttribute("aria-current");
  }
}
