// What comes next: what the model expects behind a position, and a hand on its writing.

import { inQuotes } from "../numbers/basics.js";
import { t, tc } from "../numbers/language.js";
import { fullWords, isNextHere, nextAt, nextWords, percent, positionOf } from "../numbers/next.js";
import { helpMark } from "../parts/bubble.js";
import { chooser } from "../parts/chooser.js";
import { h, pushButton, setText } from "../parts/dom.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/next.js").Next} Next
 * @typedef {import("../numbers/next.js").Candidate} Candidate
 * @typedef {{append: (at: number, id: number) => void, write: () => void, stop: () => void}} Writing
 *   append: the text goes on with a token; write: the model goes on by itself
 */

const SHOWN = 8; // candidates
const WRITES = t("The model goes on by itself");
const CUTS = t(
  "A click on a token goes on another way from here: what stands behind it is left out of the text.",
);
const HELP = t(
  "The probability of every next token: softmax of the model’s logits, divided by the temperature. Point at a word, or pin one, to see what was expected behind it. A click writes the token; “Write” lets the model go on by drawing from these.",
);
/** @type {[string, string][]} */
const TEMPERATURES = [
  ["0", tc("way of writing", "the likeliest")],
  ["50", t("temperature 0.5")],
  ["100", t("temperature 1")],
  ["150", t("temperature 1.5")],
];
/** @type {[string, string][]} */
const TOPS = [
  ["0", t("of all tokens")],
  ["40", t("of the 40 likeliest")],
  ["5", t("of the 5 likeliest")],
];

/** @param {import("../parts/tools.js").Change} change @param {Writing | null} writing null where nothing can be written */
export function createNext(change, writing) {
  const parts = elementsOf(change, writing);
  let shown = ""; // what the line shows
  /** @param {Scene} scene */
  function show(scene) {
    const { trace, view } = scene;
    const { head, next } = trace;
    parts.element.hidden = !head.predicts;
    if (!head.predicts) return;
    const at = positionIn(scene);
    const isHere = isNextHere(next, view, at);
    const cuts = positionOf(trace, [], view.queries) < positionOf(trace, [], []);
    const key = `${head.id} ${head.writing} ${view.temperature} ${view.top} ${at} ${isHere} ${cuts}`;
    if (key === shown) return;
    shown = key;
    tell(parts, head.writing, writing);
    if (next?.reason) return refuse(parts, next.reason);
    const tokens = head.query_tokens.map(({ text }) => text);
    fill(parts, isHere ? next : null, at, tokens, writing);
    const full = fullWords(next, tokens.length);
    caption(parts, { full, cuts: writing !== null && cuts, isTold: Boolean(head.writing) });
    parts.temperature.show(view.temperature);
    parts.top.show(view.top);
  }
  return { element: parts.element, draw: show, focus: show };
}

/** @param {Scene} scene */
function positionIn({ focus, view, model, trace }) {
  const pointed = focus.rows.flatMap((row) => model.picture.rows[row]?.tokens ?? []);
  return positionOf(trace, pointed, view.queries);
}

/** @typedef {ReturnType<typeof elementsOf>} Elements */

/** @param {import("../parts/tools.js").Change} change @param {Writing | null} writing */
function elementsOf(change, writing) {
  const says = h("p", { class: "ax-help ax-next-says" });
  const waits = h("span", { class: "ax-help", role: "status" });
  const does = h("p", { class: "ax-help", hidden: "" }, CUTS);
  const list = h("ol", { class: "ax-next-list", "aria-label": t("Likeliest next tokens") });
  const draws = (/** @type {number} */ temperature) =>
    change((view) => ({ ...view, temperature }), {});
  const temperature = chooser(t("How a token is drawn"), TEMPERATURES, draws);
  const top = chooser(t("From which tokens (top-k)"), TOPS, (n) =>
    change((view) => ({ ...view, top: n }), {}),
  );
  const write = pushButton(t("Write"), WRITES, () => writing?.write());
  const stop = pushButton(t("Stop"), t("What is written stays"), () => writing?.stop());
  const tools = h(
    "span",
    { class: "ax-away" },
    waits,
    temperature.element,
    top.element,
    write,
    stop,
  );
  const title = h(
    "div",
    { class: "ax-title" },
    h("h3", {}, t("What comes next")),
    helpMark(HELP),
    says,
  );
  title.append(tools);
  const element = h(
    "section",
    { class: "ax-panel ax-panel-next", "aria-label": t("What comes next"), hidden: "" },
    ...[title, list, does],
  );
  return { element, says, waits, list, does, tools, temperature, top, write, stop };
}

/** Whether the model writes now, or why it does no longer. @param {Elements} parts @param {string | null} state @param {Writing | null} writing */
function tell({ waits, write, stop, tools }, state, writing) {
  const isWriting = state === "now";
  tools.hidden = writing === null;
  [write.hidden, stop.hidden] = [isWriting, !isWriting];
  setText(waits, isWriting ? t("Writing …") : (state ?? ""));
}

/**
 * What a click would do to the text, or why nothing more can be written.
 * @param {Elements} parts @param {{full: string, cuts: boolean, isTold: boolean}} of
 *   full: why nothing more can be written; cuts: whether a click would leave out what stands behind
 *   the token that is pinned; isTold: whether it is said why the model wrote no further
 */
function caption({ does, waits, write }, { full, cuts, isTold }) {
  does.hidden = !cuts || full !== "";
  if (full && !isTold) setText(waits, full);
  write.title = full || WRITES;
}

/** @param {Elements} parts @param {string} reason */
function refuse({ says, list, tools, does }, reason) {
  does.hidden = true;
  setText(says, reason);
  list.replaceChildren();
  tools.hidden = true;
}

/**
 * @param {Elements} parts @param {Next | null} next null while it is on its way @param {number} at
 * @param {string[]} tokens @param {Writing | null} writing
 */
function fill({ says, list, write }, next, at, tokens, writing) {
  if (!next) return setText(says, t("Asking the model what comes next …"));
  const now = nextAt(next, at, tokens, SHOWN);
  write.disabled = next.room <= 0;
  if (!now) {
    setText(
      says,
      t("Pin {token} to see what was expected after it.", { token: inQuotes(tokens[at]) }),
    );
    return list.replaceChildren();
  }
  const words = nextWords(now, tokens).map((part) =>
    typeof part === "string" ? part : h("strong", { dir: "auto" }, part[0]),
  );
  says.replaceChildren(...words);
  // What the model as it is says stands in each: wider chips, which take a second line.
  list.classList.toggle(
    "ax-was",
    now.rows.some(({ was }) => was !== null),
  );
  const [last, full] = [at === next.last, fullWords(next, tokens.length)];
  const act =
    writing && next.room > 0 ? (/** @type {number} */ id) => writing.append(at, id) : null;
  list.replaceChildren(
    ...now.rows.map((row) =>
      h("li", {}, candidate(row, full || (last ? t("Write it") : CUTS), act)),
    ),
    h("li", { class: "ax-help" }, t("all others {share}", { share: percent(now.rest) })),
  );
}

/** @param {Candidate} row @param {string} does what a click does @param {((id: number) => void) | null} act */
function candidate({ id, text, p, was, real, ends }, does, act) {
  const title = ends ? t("The end of the text") : does;
  const button = pushButton(text, title, () => act?.(id), "ax-candidate");
  if (text.startsWith("␣") && text.length > 1)
    button.replaceChildren(h("i", {}, "␣"), text.slice(1));
  button.append(h("span", {}, percent(p)));
  if (was !== null) button.append(h("span", {}, t("was {share}", { share: percent(was) })));
  button.style.setProperty("--share", `${100 * p}%`);
  button.disabled = act === null || ends;
  if (real) button.setAttribute("aria-current", "true");
  return button;
}
