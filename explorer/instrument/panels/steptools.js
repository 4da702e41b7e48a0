// What is followed through the stages: the layer and head, the rules of the change, the query.

import { bound } from "../numbers/basics.js";
import { TEMPERATURES } from "../numbers/stepstate.js";
import { ARROWS, choice, h } from "../parts/dom.js";

/**
 * @typedef {import("../numbers/layertrace.js").LayerTrace} LayerTrace
 * @typedef {import("../numbers/stepwords.js").StepState} StepState
 * @typedef {(part: Partial<StepState>) => void} SetPart
 */

/**
 * @param {((other: {layer?: number, head?: number}) => void) | null} request null where there is but
 *   one head
 * @param {SetPart} set
 */
export function createStepTools(request, set) {
  const layers = picker("Layer", request && ((layer) => request({ layer })));
  const heads = picker("Head", request && ((head) => request({ head })));
  const scale = choice(
    "Divide by √dₖ",
    [
      ["yes", "yes", "As the formula says"],
      ["no", "no", "Softmax gets the scores as they are"],
    ],
    (value) => set({ scale: value === "yes" }),
  );
  const mask = choice(
    "Causal mask",
    [
      ["no", "as it is", "What the model itself does"],
      ["yes", "on", "Each token sees only itself and earlier ones"],
    ],
    (value) => set({ causal: value === "yes" }),
  );
  const temperature = choice(
    "Temperature",
    TEMPERATURES.map((t) => [String(t), String(t), `Scores divided by ${t} as well`]),
    (value) => set({ temperature: Number(value) }),
  );
  const tools = [layers, heads, scale, mask, temperature];
  return {
    element: h("div", { class: "ax-tools" }, ...tools.map((tool) => tool.element)),
    /** @param {LayerTrace} trace @param {StepState} state */
    show: (trace, state) => {
      layers.show(trace.n_layers, trace.layer);
      heads.show(trace.n_heads, trace.head);
      scale.show(state.scale ? "yes" : "no");
      mask.show(state.causal ? "yes" : "no");
      temperature.show(String(state.temperature));
    },
  };
}

/** @param {string} label @param {((value: number) => void) | null} choose */
function picker(label, choose) {
  const select = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": label }));
  select.addEventListener("change", () => choose?.(Number(select.value)));
  return {
    element: h("fieldset", { class: "ax-choice" }, h("legend", {}, label), h("div", {}, select)),
    /** @param {number} count @param {number} value */
    show: (count, value) => {
      select.disabled = choose === null; // a file holds one head
      if (select.options.length !== count) {
        const options = Array.from({ length: count }, (_, i) => String(i));
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
    "aria-label": "The query: whose way is followed",
  });
  element.addEventListener("keydown", (event) => {
    const { query, last } = now();
    const to = queryBy(event.key, query, last);
    if (to === null) return;
    event.preventDefault();
    set({ query: to, cell: null });
    element.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
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
    element.setAttribute("aria-activedescendant", `ax-chip-${query}`);
  }
  return { element, show };
}

/** @param {LayerTrace} trace @param {SetPart} set */
const chipsOf = (trace, set) =>
  trace.tokens.map((token, i) => {
    const style = token.special ? "ax-chip ax-chip-special" : "ax-chip";
    const chip = h("span", { class: style, role: "option", id: `ax-chip-${i}` }, token.text);
    chip.addEventListener("click", () => set({ query: i, cell: null }));
    return chip;
  });
