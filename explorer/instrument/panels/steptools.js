// What is followed through the stages: the layer and head, the rules of the change, the query.

import { bound, range } from "../numbers/basics.js";
import { t, tc } from "../numbers/language.js";
import { isByRoot, isCross } from "../numbers/layertrace.js";
import { TEMPERATURES } from "../numbers/stepstate.js";
import { helpMark } from "../parts/bubble.js";
import { ARROWS, h, pushButton } from "../parts/dom.js";

/**
 * @typedef {import("../numbers/layertrace.js").LayerTrace} LayerTrace
 * @typedef {import("../numbers/layertrace.js").WhatIf} WhatIf
 * @typedef {import("../numbers/stepwords.js").StepState} StepState
 * @typedef {(part: Partial<StepState>) => void} SetPart
 */

const WHAT_IF = t(
  "Each change is computed beside the original: the sentence says what it does to the numbers in sight, and the pictures and the table show both.",
);

/** The changes that the server makes: what is asked for, what stands on the button, and what it does. */
const OFFERED = [
  [
    "positions",
    t("no positions"),
    t("All tokens are told the same position: what does order tell?"),
  ],
  ["backwards", t("words backwards"), t("The words are read in reverse order")],
  ["size", t("another size"), t("A layer of other d_model and number of heads, beside this one")],
];

/**
 * The layer, the head, and all that can be changed, in one bar.
 * @param {((other: Partial<import("../pages/steps.js").StepsRequest>) => void) | null} request null
 *   where nothing comes from a server
 * @param {SetPart} set
 */
export function createStepTools(request, set) {
  const layers = picker(tc("choose a", "Layer"), request && ((layer) => request({ layer })));
  const heads = picker(tc("choose a", "Head"), request && ((head) => request({ head })));
  const offered = createOffered(request);
  const rules = createRules(set);
  const what = h("span", { class: "ax-what-if" }, t("What if"), helpMark(WHAT_IF));
  const choosers = [layers.element, heads.element, what];
  return {
    element: h(
      "div",
      { class: "ax-tools ax-step-tools" },
      ...choosers,
      ...offered.elements,
      ...rules.elements,
    ),
    /** @param {LayerTrace} trace @param {StepState} state @param {WhatIf} what_if */
    show: (trace, state, what_if) => {
      layers.show(trace.numbers, trace.layer);
      heads.show(trace.n_heads, trace.head);
      offered.show(what_if);
      rules.show(trace, state);
    },
  };
}

/** What the server changes. @param {Parameters<typeof createStepTools>[0]} request */
function createOffered(request) {
  /** @type {WhatIf} */
  let now = { offered: [], changes: [], other: [16, 1], trouble: "" };
  /** @param {string[]} changes @param {[number, number]} [other] */
  const ask = (changes, other = now.other) =>
    request?.({
      ...{ change: changes.join("."), other_d_model: other[0], other_n_heads: other[1] },
    });
  const buttons = OFFERED.map(([code, word, title]) =>
    toggle(word, title, (on) =>
      ask(on ? [...now.changes, code] : now.changes.filter((one) => one !== code)),
    ),
  );
  const width = counter(t("d_model of the other"), 1024, (n) =>
    ask(now.changes, [n, now.other[1]]),
  );
  const heads = counter(t("Heads of the other"), 16, (n) => ask(now.changes, [now.other[0], n]));
  const sizes = h(
    "span",
    { class: "ax-other-size" },
    width.element,
    tc("number of", "heads"),
    heads.element,
  );
  sizes.prepend("d_model");
  return {
    elements: [...buttons.map(({ element }) => element), sizes],
    /** @param {WhatIf} what_if */
    show: (what_if) => {
      now = what_if;
      buttons.forEach(({ element, show }, i) => {
        const on = now.changes.includes(OFFERED[i][0]);
        element.hidden = !on && !now.offered.includes(OFFERED[i][0]);
        show(on);
      });
      sizes.hidden = !now.changes.includes("size");
      width.show(now.other[0]);
      heads.show(now.other[1]);
    },
  };
}

/** The rules of the arithmetic, which the page changes itself. @param {SetPart} set */
function createRules(set) {
  const scale = toggle(t("no ÷ √dₖ"), t("Softmax gets the products q · k as they are"), (on) =>
    set({ scale: !on }),
  );
  const mask = toggle(t("causal mask"), t("Each token sees only itself and earlier ones"), (on) =>
    set({ causal: on }),
  );
  const temperature = picker(t("Temperature"), (value) => set({ temperature: value }));
  return {
    elements: [scale.element, mask.element, temperature.element],
    /** @param {LayerTrace} trace @param {StepState} state */
    show: (trace, state) => {
      scale.element.hidden = trace.scale === 1 && !isByRoot(trace);
      mask.element.hidden = isCross(trace);
      scale.show(!state.scale);
      mask.show(state.causal || trace.causal);
      mask.element.disabled = trace.causal;
      temperature.show(TEMPERATURES, state.temperature);
    },
  };
}

/** @param {string} word @param {string} title @param {(on: boolean) => void} turn */
function toggle(word, title, turn) {
  const element = pushButton(word, title, () =>
    turn(element.getAttribute("aria-pressed") !== "true"),
  );
  return {
    element,
    /** @param {boolean} on */
    show: (on) => element.setAttribute("aria-pressed", String(on)),
  };
}

/** A whole number that is asked for when it is entered. @param {string} label @param {number} most @param {(n: number) => void} enter */
function counter(label, most, enter) {
  const element = /** @type {HTMLInputElement} */ (
    h("input", { type: "number", min: "1", max: String(most), "aria-label": label })
  );
  element.addEventListener("change", () => {
    const n = Number(element.value);
    if (Number.isInteger(n)) enter(bound(n, 1, most));
  });
  return {
    element,
    /** @param {number} n */
    show: (n) => {
      element.value = String(n);
    },
  };
}

/** @param {string} label @param {((value: number) => void) | null} choose */
function picker(label, choose) {
  const select = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": label }));
  select.addEventListener("change", () => choose?.(Number(select.value)));
  return {
    element: h("label", { class: "ax-choice ax-picker" }, h("span", {}, label), select),
    /** @param {number | number[]} all how many, or which @param {number} value */
    show: (all, value) => {
      const values = typeof all === "number" ? range(0, all - 1) : all;
      select.disabled = choose === null; // a file holds one head
      const options = values.map(String);
      if ([...select.options].map((one) => one.value).join() !== options.join()) {
        select.replaceChildren(...options.map((i) => h("option", { value: i }, i)));
      }
      select.value = String(value);
    },
  };
}

/**
 * Where a key leads from a query.
 * @param {string} key @param {number} query @param {number} last
 * @returns {number | null} null for a key that leads nowhere
 */
export function queryBy(key, query, last) {
  if (key === "Home") return 0;
  if (key === "End") return last;
  const step = ARROWS[key];
  return step ? bound(query + (step[0] || step[1]), 0, last) : null;
}

/**
 * The tokens, of which one is the query.
 * @param {SetPart} set @param {() => {query: number, last: number}} now
 */
export function createStrip(set, now) {
  const element = h("div", {
    ...{ class: "ax-strip", role: "listbox", tabindex: "0" },
    "aria-label": t("The query: whose way is followed"),
  });
  element.addEventListener("keydown", (event) => {
    const { query, last } = now();
    const to = queryBy(event.key, query, last);
    if (to === null) return;
    event.preventDefault();
    set({ query: to, cell: null });
  });
  /** @param {LayerTrace} trace @param {string} id of what is shown @param {number} query */
  function show(trace, id, query) {
    if (element.dataset.of !== id) {
      element.dataset.of = id;
      element.replaceChildren(...chipsOf(trace, set));
    }
    [...element.children].forEach((chip, i) => {
      chip.setAttribute("aria-selected", String(i === query));
    });
    if (element.dataset.query !== `${id} ${query}` && element.clientWidth) {
      element.dataset.query = `${id} ${query}`;
      intoSight(element, /** @type {HTMLElement} */ (element.children[query]));
    }
    element.setAttribute("aria-activedescendant", `ax-chip-${query}`);
  }
  return { element, show };
}

/** The chosen chip in the middle of the row; the page itself stays. @param {HTMLElement} strip @param {HTMLElement | undefined} chip */
function intoSight(strip, chip) {
  if (!chip) return;
  const { offsetLeft: left, offsetTop: top, offsetWidth: wide, offsetHeight: high } = chip;
  strip.scrollLeft = left - strip.offsetLeft - (strip.clientWidth - wide) / 2;
  strip.scrollTop = top - strip.offsetTop - (strip.clientHeight - high) / 2;
}

/** @param {LayerTrace} trace @param {SetPart} set */
const chipsOf = (trace, set) =>
  trace.tokens.map((token, i) => {
    const style = token.special ? "ax-chip ax-chip-special" : "ax-chip";
    const chip = h("span", { class: style, role: "option", id: `ax-chip-${i}` }, token.text);
    chip.addEventListener("click", () => set({ query: i, cell: null }));
    return chip;
  });
