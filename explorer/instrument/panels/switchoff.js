// Heads to switch off: what each one does to the target, what some do together, and what is predicted.

import { bound } from "../numbers/basics.js";
import { answerTo, inPlain, inSigned } from "../numbers/explained.js";
import { css, inkOn } from "../numbers/palette.js";
import { h, pushButton, setText } from "../parts/dom.js";
import { createHeadMap } from "../parts/headmap.js";
import { readTheme } from "../parts/theme.js";

/** @typedef {import("../numbers/explained.js").Explained} Explained */

const RANKS = 12;

/** @param {(off: [number, number][]) => void} change called with the heads that shall be off */
export function createSwitchOff(change) {
  /** @type {Explained | null} */
  let found = null;
  /** @type {[number, number][]} */
  let off = [];
  /** @type {number[]} */
  let gone = [];
  let theme = readTheme(document.body);
  /** @type {number | null} */
  let hoveredHead = null;

  const grid = createHeadMap({
    hover: hoverHead,
    pick: toggle,
    from: () => hoveredHead ?? 0,
    go: hoverHead,
    enter: () => hoveredHead !== null && toggle(hoveredHead),
    leave: () => change([]),
  });
  const headSays = h("p", { class: "ax-says", "aria-live": "polite" });
  const headNote = h("p", { class: "ax-help" });
  const headRanks = h("ol", { class: "ax-ranks" });
  const allOn = pushButton("All heads on", "Switch every head on again", () => change([]));
  const guesses = h("div", { class: "ax-rows ax-guesses" });
  const element = h(
    "section",
    { "aria-label": "Heads" },
    h("h3", {}, "Which heads matter? Switch them off and see"),
    headSays,
    h(
      "div",
      { class: "ax-switching" },
      h("div", {}, headNote, grid.element, h("div", { class: "ax-chosen" }, allOn), guesses),
      h("div", {}, h("h4", {}, "Heads that move the target most"), headRanks),
    ),
  );

  /** @param {number} i @returns {[number, number]} */
  const headOf = (i) => {
    const width = found?.shape?.[1] ?? 1;
    return [found?.numbers[Math.floor(i / width)] ?? 0, i % width];
  };

  const isOff = (/** @type {number} */ i) => off.some((o) => o.join() === headOf(i).join());

  /** @param {number} i */
  function toggle(i) {
    if (!found?.effects) return;
    const [layer, head] = headOf(i);
    change(
      isOff(i)
        ? off.filter(([a, b]) => a !== layer || b !== head)
        : [...off, /** @type {[number, number]} */ ([layer, head])],
    );
  }

  /** @param {number | null} i */
  function hoverHead(i) {
    if (i === hoveredHead) return;
    hoveredHead = i;
    paintHeads();
    setText(headSays, headSentence());
  }

  const answer = () => found && answerTo(found, off, gone);

  function headSentence() {
    if (!found) return "";
    if (found.heads_reason) return `Not available: ${found.heads_reason}`;
    const { effects, importance } = found;
    if (!effects || !importance) return "";
    if (hoveredHead !== null) {
      const [layer, head] = headOf(hoveredHead);
      return `Layer ${layer}, head ${head}${isOff(hoveredHead) ? " (off)" : ""}: switched off alone it moves the target by ${inSigned(effects[hoveredHead], 4)}; its gradient importance is ${importance[hoveredHead].toFixed(5)}.`;
    }
    if (!off.length) {
      const top = order()[0];
      return `All heads are on: the target is ${inPlain(found.value)}. The head that moves it most when it goes is ${headOf(top).join("-")} (${inSigned(effects[top], 4)}).`;
    }
    const names = off.map((head) => head.join("-")).join(", ");
    const now = answer();
    return now
      ? `Off: ${names}${gone.length ? ", and the words above gone" : ""}. The target is ${inPlain(now.value)} instead of ${inPlain(found.value)}: ${inSigned(now.value - found.value, 4)}.`
      : `Off: ${names}. Running the model without them…`;
  }

  const order = () => {
    const effects = found?.effects ?? [];
    return [...effects.keys()].sort((i, j) => Math.abs(effects[j]) - Math.abs(effects[i]));
  };

  function paintHeads() {
    if (!found?.shape || !found.effects) return;
    const { effects } = found;
    const most = Math.max(1e-12, ...effects.map(Math.abs));
    const label = `Effect of switching each head off. ${headSentence()}`;
    const paintHead = (
      /** @type {import("../parts/paint.js").Pen} */ pen,
      /** @type {number} */ i,
      /** @type {import("../parts/paint.js").Box} */ { x, y, width, height },
    ) => {
      const back = theme.diverging[bound(Math.round(127.5 - (127.5 * effects[i]) / most), 0, 255)];
      pen.fillStyle = css(back);
      pen.fillRect(x, y, width, height);
      pen.lineWidth = 2;
      if (isOff(i)) {
        pen.strokeStyle = css(inkOn(back));
        pen.beginPath();
        pen.moveTo(x + 4, y + 4);
        pen.lineTo(x + width - 4, y + height - 4);
        pen.moveTo(x + width - 4, y + 4);
        pen.lineTo(x + 4, y + height - 4);
        pen.stroke();
      }
      if (i === hoveredHead || isOff(i)) {
        pen.strokeStyle = theme.accent;
        pen.strokeRect(x, y, width, height);
      }
    };
    grid.show(found.shape, theme, label, paintHead, found.numbers);
    setText(
      headNote,
      `Blue heads support the target: without them it falls; orange ones work against it. Full colour at ±${most.toPrecision(2)}. Click to switch off. A head that is off is zero, which the model has never seen, and others take its place (Michel et al. 2019)${found.heads_agree === null ? "" : `; gradient importance ranks the heads as this does at ${inPlain(found.heads_agree)}`}.`,
    );
  }

  /**
   * @param {Explained} shown @param {[number, number][]} switched @param {number[]} away
   * @param {import("../parts/theme.js").Theme} colours
   */
  function show(shown, switched, away, colours) {
    [found, off, gone, theme] = [shown, switched, away, colours];
    const { effects, importance } = found;
    setText(headSays, headSentence());
    showGuesses();
    paintHeads();
    allOn.disabled = !off.length;
    const possible = effects !== null && importance !== null;
    for (const part of [grid.element, headNote, allOn, headRanks.parentElement])
      if (part) part.hidden = !possible;
    if (!possible) return;
    const most = Math.max(1e-12, ...effects.map(Math.abs));
    headRanks.replaceChildren(
      ...order()
        .slice(0, RANKS)
        .map((i) => {
          const button = pushButton(
            `${headOf(i).join("-")}  ${inSigned(effects[i], 4)}`,
            `Layer ${headOf(i)[0]}, head ${headOf(i)[1]}: switch it off or on`,
            () => toggle(i),
            "ax-rank",
          );
          button.style.setProperty("--share", `${(100 * Math.abs(effects[i])) / most}%`);
          button.setAttribute("aria-pressed", String(isOff(i)));
          return h("li", {}, button);
        }),
    );
  }

  function showGuesses() {
    if (!found?.predictions.length) {
      guesses.replaceChildren();
      return;
    }
    const altered = off.length > 0 || gone.length > 0;
    const after = altered ? answer()?.predictions : null;
    const before = new Map(found.predictions);
    const head = [
      "now predicted",
      "probability",
      ...(altered ? ["after the change", "probability"] : []),
    ];
    const body = found.predictions.map(([text, p], i) => {
      const cells = [text, p.toFixed(4)];
      if (altered) {
        const [other, q] = after?.[i] ?? ["…", 0];
        const was = before.get(other);
        cells.push(
          other,
          after
            ? `${q.toFixed(4)}${was === undefined ? " (new)" : ` (${inSigned(q - was, 4)})`}`
            : "",
        );
      }
      return h("tr", {}, ...cells.map((text) => h("td", { dir: "auto" }, text)));
    });
    guesses.replaceChildren(
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...head.map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, ...body),
      ),
    );
  }

  return { element, show, repaint: paintHeads };
}
