// One output explained: what is asked, every method's scores on the text, how far they agree with
// removal, and heads to switch off. It knows nothing of its host.

import { readEdits, writeEdits } from "../numbers/edits.js";
import { inPlain, inSigned, unpackExplained } from "../numbers/explained.js";
import {
  chosenOf,
  explainPainted,
  isAwaited,
  isChanged,
  linkOfExplained,
  placesGone,
  withExplained,
  withUnit,
} from "../numbers/explainview.js";
import {
  explainedCsv,
  explainedPython,
  goneSentence,
  pointedSentence,
  READING,
} from "../numbers/explainwords.js";
import { headsIn } from "../numbers/headsoff.js";
import { sentences, t } from "../numbers/language.js";
import { createAskBar } from "../panels/askbar.js";
import { createChanges } from "../panels/changes.js";
import { createMethodRows } from "../panels/methodrows.js";
import { agreementTable, scoreTable } from "../panels/methodtables.js";
import { createSwitchOff } from "../panels/switchoff.js";
import { createAbout, fileWords } from "../parts/about.js";
import { helpMark } from "../parts/bubble.js";
import { createCurves } from "../parts/curves.js";
import { h, pushButton, setText, woven } from "../parts/dom.js";
import { readTheme } from "../parts/theme.js";
import { createCopy } from "../parts/tools.js";
import { createSaveMenu } from "../save/files.js";
import { followSizes } from "./sizes.js";

/**
 * @typedef {import("../numbers/explainview.js").ExplainState} ExplainState
 * @typedef {import("../numbers/explainview.js").Head} Head
 * @typedef {{
 *   params: (id?: string) => URLSearchParams,
 *   onView: (params: Record<string, string>, link: Record<string, string> | null) => void,
 *   onShown?: (id: string, params: Record<string, string>, words: [string, string],
 *              link: Record<string, string> | null) => void,
 *   npz: (() => void) | null, copyLink: (() => Promise<boolean>) | null,
 *   change?: (heads: Head[], gone: number[]) => void,
 *   edit?: (edits: string) => void,
 *   ask?: (wish: import("../numbers/explainask.js").Wish) => void,
 *   page?: (view: Record<string, string>) => void,
 *   asking?: import("../parts/about.js").Asking,
 *   leave?: () => void,
 * }} ExplainHost what follows copyLink is of a host with a server
 * @typedef {{root: HTMLElement, host: ExplainHost, state: ExplainState | null,
 *            bar: import("../numbers/explainask.js").Bar | null,
 *            theme: import("../parts/theme.js").Theme, parts: Parts | null}} Here
 *   state: null while there is no explanation; bar: null before anything has come; parts: null
 *   before they are made
 * @typedef {ReturnType<typeof createParts>} Parts
 * @typedef {{state: ExplainState, theme: import("../parts/theme.js").Theme, root: HTMLElement}} Shown
 */

const WHY_OTHER = t(
  "One number is needed to explain. This model makes a vector of a text, so it is how alike those of two texts are: the other text is only an example, change it above.",
);

/** The names that a link uses. */
export const EXPLAIN_PARAMS = [
  ...["method", "off", "gone", "target", "other", "first", "at", "guess", "label"],
  ...["away", "neutral", "pieces", "flow"],
];

/** @param {HTMLElement} root @param {ExplainHost} host */
export function mountExplain(root, host) {
  /** @type {Here} */
  const here = { root, host, state: null, bar: null, theme: readTheme(root), parts: null };
  const parts = createParts(here, actsOf(here));
  here.parts = parts;
  root.replaceChildren(...layOut(parts));
  /** @param {(parts: Parts, shown: Shown) => void} how */
  const show = (how) => {
    const { state, theme } = here;
    if (state) how(parts, { state, theme, root });
  };

  /** @param {Uint8Array} bytes */
  function update(bytes) {
    const { bar, found, page } = unpackExplained(bytes);
    if (page.length) parts.save.arrived(page);
    const before = here.state?.found;
    here.bar = bar;
    showBar(here, parts, found);
    if (!found) {
      here.state = null;
      return;
    }
    const first = before?.id !== found.id;
    const opening = Object.entries(found.opening ?? {});
    const params = new URLSearchParams([...host.params(found.id), ...opening]); // what is first counts
    here.state = withExplained(here.state, found, params);
    here.theme = readTheme(root);
    parts.copy?.show(found.link !== null);
    // Of a whole explanation only the answer about heads and words can be new.
    show(!first && before.whole ? showChanges : showAll);
    if (first) host.onShown?.(found.id, linkOfExplained(here.state), ["", ""], found.link);
    if (first && isAwaited(here.state)) askForChange(here.state, host);
  }

  function repaint() {
    here.theme = readTheme(root);
    parts.rows.forget();
    show(showAll);
  }

  const stopFollowing = followSizes(root, {
    boxes: [
      [parts.curves.element, () => show(showChosen)],
      [parts.heads.element, parts.heads.repaint],
    ],
    all: repaint,
    title: () => here.state?.found.title ?? "",
  });
  return {
    update,
    retheme: repaint,
    destroy: () => {
      stopFollowing();
      parts.about.stop();
      host.leave?.();
      root.replaceChildren();
    },
  };
}

/** What a reader can do. Each act makes the next state, and shows what has changed. @param {Here} here */
function actsOf(here) {
  const { host } = here;
  /**
   * @param {Partial<ExplainState>} part
   * @param {(parts: Parts, shown: Shown) => void} how @param {boolean} [asks]
   */
  function change(part, how, asks = false) {
    if (!here.state || !here.parts) return;
    here.state = { ...here.state, ...part };
    if (asks) askForChange(here.state, host);
    how(here.parts, { ...here, state: here.state });
  }
  /** @param {Partial<ExplainState>} part @param {(parts: Parts, shown: Shown) => void} how @param {boolean} asks */
  function changeLink(part, how, asks) {
    change(part, how, asks);
    if (here.state) host.onView(linkOfExplained(here.state), here.state.found.link);
  }
  const setGone = (/** @type {number[]} */ gone) => changeLink({ gone }, showChanges, true);
  return {
    setGone,
    setOff: (/** @type {Head[]} */ off) => changeLink({ off }, showChanges, true),
    /** The heads that are off become a change of the model, and all is explained anew. */
    keepOff: () => {
      if (!here.state || here.state.found.edits === null) return;
      const { found, off } = here.state;
      const edits = readEdits(found.edits ?? "");
      const all = [...new Set([...edits.off, ...off.map((head) => head.join("-"))])];
      host.edit?.(writeEdits({ ...edits, off: all }));
    },
    takeAway: (/** @type {number} */ unit) => {
      if (here.state) setGone(withUnit(here.state.gone, unit));
    },
    point: (/** @type {number | null} */ pointed) => change({ pointed }, showPointed),
    choose: (/** @type {string} */ method) => changeLink({ method }, showChosen, false),
    ask: (/** @type {Partial<import("../numbers/explainask.js").Wish>} */ part) => {
      if (!here.bar) return;
      const wish = { ...here.bar.wish, ...part };
      here.bar = { ...here.bar, wish }; // shown at once; the answer to it comes
      if (here.parts) showBar(here, here.parts, here.state?.found ?? null);
      host.ask?.(wish);
    },
  };
}

/**
 * What is asked for, and whether what stands below it is the answer.
 * @param {Here} here @param {Parts} parts @param {import("../numbers/explained.js").Explained | null} found
 */
function showBar({ bar, root }, { ask, about, results, why }, found) {
  if (!bar) return;
  ask.show(bar, found?.at ?? null);
  if (found) about.show(found.about);
  why.hidden = bar.wish.kind !== "like";
  results.hidden = !found;
  results.classList.toggle("ax-stale", bar.stale);
  if (found) return;
  delete root.dataset.painted;
  delete root.dataset.partial;
}

/** @param {ExplainState} state @param {ExplainHost} host */
function askForChange(state, host) {
  if (isChanged(state)) host.change?.(state.off, placesGone(state));
}

/** @param {Here} here @param {ReturnType<typeof actsOf>} act */
function createParts(here, act) {
  const { host } = here;
  const ask = createAskBar(act.ask);
  const target = h("p", { class: "ax-target" });
  const rows = createMethodRows(act);
  const pointedSays = h("p", { class: "ax-help ax-still", "aria-live": "polite" });
  const caveat = h("p", { class: "ax-caveat" });
  const goneSays = h("p", { class: "ax-help ax-taken", "aria-live": "polite" });
  const putBack = () => act.setGone([]);
  const goneBack = pushButton(t("Put them back"), t("Put all words back"), putBack, "ax-copy");
  const curves = createCurves();
  const changes = createChanges(host.edit ?? null);
  const heads = createSwitchOff(act.setOff, host.edit ? act.keepOff : null);
  const title = h("h3", {}, t("Which words matter? Every method on the same text"));
  const scoring = h(
    "section",
    { "aria-label": t("Scores") },
    h("div", { class: "ax-title" }, title, helpMark(READING), pointedSays),
    rows.element,
    h("div", { class: "ax-chosen" }, goneSays, goneBack),
    caveat,
  );
  const save = createSaveMenu(
    () => ({
      elements: [target, scoring, curves.element, heads.element],
      title: here.state?.found.title ?? "",
      name: `${fileWords(here.state?.found.about)} explain`,
      says: here.state?.found.lines.join(" ") ?? "",
      theme: here.theme,
    }),
    {
      csv: () => (here.state ? explainedCsv(here.state.found) : ""),
      python: () => (here.state ? explainedPython(here.state) : ""),
      npz: host.npz,
      fetch: host.page ? () => here.state && host.page?.(linkOfExplained(here.state)) : null,
    },
  );
  return {
    ...{
      ask,
      changes,
      target,
      rows,
      pointedSays,
      caveat,
      goneSays,
      goneBack,
      curves,
      heads,
      scoring,
      save,
    },
    results: h("div", { class: "ax-results" }),
    why: h("p", { class: "ax-help", hidden: "" }, WHY_OTHER),
    lines: h("ul", { class: "ax-findings" }),
    about: createAbout(host.asking ?? null),
    asks: host.ask !== undefined,
    copy: host.copyLink && createCopy(host.copyLink),
    matrix: h("div", { class: "ax-rows", tabindex: "0", role: "group" }),
    table: h("div", { class: "ax-rows", tabindex: "0", role: "group" }),
  };
}

/** @param {Parts} parts */
function layOut(parts) {
  const { ask, about, target, lines, copy, save, scoring, curves, table, matrix, heads } = parts;
  const { results, asks, why, changes } = parts;
  const tools = [...ask.elements, changes.element, changes.chips];
  const away = h("div", { class: "ax-away" }, ...(copy ? [copy.element] : []), save.element);
  results.append(
    ...[target, why, lines, scoring, curves.element],
    h("details", { class: "ax-table" }, h("summary", {}, t("All numbers as a table")), table),
    h(
      "details",
      { class: "ax-table" },
      h(
        "summary",
        {},
        t(
          "How far any two methods agree (Spearman; by size alone where one of the two knows no sign)",
        ),
      ),
      matrix,
    ),
    heads.element,
  );
  return [
    h("div", { class: "ax-top" }, about.element, away),
    ...(asks ? [h("div", { class: "ax-tools ax-ask" }, ...tools), ...ask.below] : []),
    results,
  ];
}

/** @param {Parts} parts @param {Shown} shown */
function showAll(parts, shown) {
  const { state, theme } = shown;
  const { found } = state;
  const { target, lines, rows, pointedSays, table, matrix } = parts;
  target.replaceChildren(
    ...woven(t("Explained: {target} = {value}"), {
      target: h("strong", {}, found.name),
      value: inPlain(found.value),
    }),
    ...besides(found),
  );
  showChangeable(parts, found);
  lines.replaceChildren(...found.lines.map((line) => h("li", {}, line)));
  rows.show(state, theme);
  sayPointed(pointedSays, state);
  showChosen(parts, shown);
  table.replaceChildren(scoreTable(found));
  matrix.replaceChildren(agreementTable(found));
  showChanges(parts, shown);
}

/** The target of the model as it is, where that is another. @param {import("../numbers/explained.js").Explained} found */
const besides = ({ plain, value }) =>
  plain === null
    ? []
    : [
        h(
          "span",
          { class: "ax-help ax-plain" },
          " ",
          t("{difference} to the model as it is, {value}", {
            difference: inSigned(value - plain, 4),
            value: inPlain(plain),
          }),
        ),
      ];

/**
 * What may be changed in the model's attention, and what is.
 * @param {Parts} parts @param {import("../numbers/explained.js").Explained} found
 */
function showChangeable({ changes }, { id, edits, place, tokens, shape, numbers }) {
  const view = place ?? { layer: 0, heads: [], queries: [], keys: [] };
  const can = edits !== null && place !== null;
  const head = { id, edits: can ? edits : null, query_tokens: tokens };
  changes.show({ trace: { head }, view, offered: headsIn({ shape, numbers }) });
}

/** The word under the pointer. @param {Parts} parts @param {Shown} shown */
function showPointed({ rows, pointedSays }, { state }) {
  rows.showPointed(state);
  sayPointed(pointedSays, state);
}

/** The chosen method. @param {Parts} parts @param {Shown} shown */
function showChosen({ rows, caveat, curves }, shown) {
  const { state, theme } = shown;
  const of = chosenOf(state);
  if (!of) return;
  rows.showChosen(state);
  const from = t("({paper}).", { paper: of.paper });
  const says = sentences(from, of.caveat, of.values ? of.reason : "");
  caveat.replaceChildren(h("strong", {}, of.name), " ", says);
  curves.show(state.found, of, theme);
  markPainted(shown);
}

/** What depends on the heads that are off and the words that are gone. @param {Parts} parts @param {Shown} shown */
function showChanges({ rows, goneBack, goneSays, heads }, shown) {
  const { state, theme } = shown;
  rows.showGone(state);
  goneBack.disabled = !state.gone.length;
  setText(goneSays, goneSentence(state));
  goneSays.classList.toggle("ax-waits", !state.gone.length);
  heads.show(state.found, state.off, state.gone, theme);
  markPainted(shown);
}

/** What is pointed at; on paper nothing waits for a hand. @param {HTMLElement} says @param {Shown["state"]} state */
function sayPointed(says, state) {
  setText(says, pointedSentence(state));
  says.classList.toggle("ax-waits", state.pointed === null);
}

/** Say what is on screen, and whether an answer is awaited. @param {Shown} shown */
function markPainted({ root, state }) {
  const now = explainPainted(state);
  // What is still being computed is on screen, but it is no finished picture.
  if (state.found.whole) root.dataset.painted = now;
  else delete root.dataset.painted;
  root.dataset.partial = state.found.whole ? "" : now;
}
