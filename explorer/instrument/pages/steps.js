// Step by step: one query's way from vectors to output, stage by stage, with every number of it.
// One state, one render from it. It knows nothing of its host.

import { bound } from "../numbers/basics.js";
import { csvCell } from "../numbers/csv.js";
import { STAGES } from "../numbers/stages.js";
import { picturesOf } from "../numbers/steppictures.js";
import {
  changeSentence,
  checkSentence,
  plain,
  rowLines,
  stageSentence,
} from "../numbers/stepwords.js";
import { allRows, ownRules, placesIn, rowFrom, sameRules, unpackWalks } from "../numbers/walk.js";
import { createDetails, createKeys } from "../panels/stepnumbers.js";
import { ARROWS, choice, h, pushButton, setText } from "../parts/dom.js";
import { formula } from "../parts/formula.js";
import { createMatrix } from "../parts/matrix.js";
import { readTheme } from "../parts/theme.js";
import { createCopy } from "../parts/tools.js";
import { createSaveMenu } from "../save/files.js";

/**
 * @typedef {import("../numbers/walk.js").Walk} Walk
 * @typedef {import("../numbers/walk.js").Rules} Rules
 * @typedef {import("../numbers/walk.js").Row} Row
 * @typedef {import("../numbers/stepwords.js").Shot} Shot
 * @typedef {import("../numbers/stepwords.js").StepState} StepState
 * @typedef {{layer: number, head: number, page?: Record<string, string>}} WalkWant
 *   page: the view of a page that is wanted as a file
 * @typedef {{
 *   params: () => URLSearchParams,
 *   onView: (params: Record<string, string>, link: Record<string, string> | null) => void,
 *   need: ((want: WalkWant) => void) | null,
 *   copyLink: (() => Promise<boolean>) | null,
 * }} WalkHost
 */

/** The names that a link uses. */
export const WALK_PARAMS = [
  ...["layer", "heads", "query", "key", "stage", "scale", "temperature", "mask"],
];
const TEMPERATURES = [0.25, 0.5, 1, 2, 4];
const PLAY = 3500; // ms that a stage stays when all are played

/** @type {StepState} */
const BEGIN = {
  ...{ stage: 0, query: 0, key: null, cell: null },
  ...{ scale: true, temperature: 1, causal: false },
};

/** @param {HTMLElement} root @param {WalkHost} host */
export function mountStepper(root, host) {
  /** @type {import("../numbers/walk.js").Walks | null} */
  let walks = null;
  let state = BEGIN;
  let theme = readTheme(root);
  let playing = 0; // the clock of Play
  let wide = 0; // the width that was painted for
  /** @type {import("../numbers/steppictures.js").Picture[]} */
  let painted = [];
  /** @type {ReturnType<typeof createMatrix>[]} */
  const frames = [];
  let rowsOf = remembering();

  const layers = picker("Layer", (layer) => want({ layer }));
  const heads = picker("Head", (head) => want({ head }));
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
  const strip = h("div", {
    ...{ class: "ax-strip", role: "listbox", tabindex: "0" },
    "aria-label": "The query: whose way is followed",
  });
  const steps = STAGES.map((stage, i) => {
    const button = pushButton("", `${i + 1}: ${stage.title}`, () => go(i), "ax-step");
    button.append(h("b", {}, String(i + 1)), formula(stage.name));
    return button;
  });
  const back = pushButton("‹ Back", "The stage before", () => go(state.stage - 1));
  const next = pushButton("Next ›", "The next stage", () => go(state.stage + 1));
  const play = pushButton("▶ Play", "Show all stages, one after the other", togglePlay);
  const save = createSaveMenu(
    nowShown,
    numbersCsv,
    host.need && (() => want({ page: paramsNow() })),
  );
  const copy = host.copyLink && createCopy(host.copyLink);
  const title = h("h3");
  const formulaLine = h("p", { class: "ax-formula-line" });
  const shapes = h("p", { class: "ax-help" });
  const text = h("p", { class: "ax-stage-text" });
  const claim = h("p", { class: "ax-claim" });
  const says = h("p", { class: "ax-says", "aria-live": "polite" });
  const changed = h("p", { class: "ax-changed", "aria-live": "polite" });
  const pictures = h("div", { class: "ax-pictures" });
  const check = h("p", { class: "ax-help" });
  const keys = createKeys((key) => set({ key, cell: null }));
  const details = createDetails();
  const right = h("div", {}, keys.element, details.element);
  const body = h(
    "div",
    { class: "ax-walk-body" },
    h("div", {}, title, formulaLine, shapes, text, claim, says, changed, pictures, check),
    right,
  );
  root.replaceChildren(
    h(
      "div",
      { class: "ax-tools" },
      ...[layers, heads, scale, mask, temperature].map((tool) => tool.element),
    ),
    h(
      "p",
      { class: "ax-help ax-tip" },
      "Whose way do we follow? Click a token, or go with the arrow keys: it is the query.",
    ),
    strip,
    h("nav", { class: "ax-steps", "aria-label": "Stages" }, ...steps),
    h(
      "div",
      { class: "ax-away" },
      ...[back, next, play, ...(copy ? [copy.element] : []), save.element],
    ),
    body,
  );
  strip.addEventListener("keydown", (event) => {
    const step = ARROWS[event.key];
    const last = (walks?.walks[0].tokens.length ?? 1) - 1;
    const to = event.key === "Home" ? 0 : event.key === "End" ? last : null;
    if (!step && to === null) return;
    event.preventDefault();
    set({ query: to ?? bound(state.query + (step[0] || step[1]), 0, last), cell: null });
    strip.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  });
  const observer = new ResizeObserver(() => {
    if (root.clientWidth !== wide) render();
  });
  observer.observe(root);

  /** @param {string} label @param {(value: number) => void} choose */
  function picker(label, choose) {
    const select = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": label }));
    select.addEventListener("change", () => choose(Number(select.value)));
    return {
      element: h("fieldset", { class: "ax-choice" }, h("legend", {}, label), h("div", {}, select)),
      /** @param {number} count @param {number} value */
      show: (count, value) => {
        select.disabled = host.need === null; // a file holds one head
        if (select.options.length !== count) {
          const options = Array.from({ length: count }, (_, i) => String(i));
          select.replaceChildren(...options.map((i) => h("option", { value: i }, i)));
        }
        select.value = String(value);
      },
    };
  }

  /** Another layer or head comes from the server. @param {Partial<WalkWant>} other */
  function want(other) {
    if (!walks) return;
    const { layer, head } = walks.walks[0];
    host.need?.({ layer, head, ...other });
  }

  /** @param {Partial<StepState>} part */
  function set(part) {
    state = { ...state, ...part };
    render();
    report();
  }

  /** @param {number} stage */
  function go(stage) {
    set({ stage: bound(stage, 0, STAGES.length - 1), cell: null });
  }

  function togglePlay() {
    if (playing) return pause();
    if (state.stage === STAGES.length - 1) go(0);
    playing = window.setInterval(() => {
      go(state.stage + 1);
      if (state.stage === STAGES.length - 1) pause();
    }, PLAY);
    setText(play, "❚❚ Pause");
  }

  function pause() {
    clearInterval(playing);
    playing = 0;
    setText(play, "▶ Play");
  }

  /** @returns {Record<string, string>} */
  function paramsNow() {
    if (!walks) return {};
    const { layer, head } = walks.walks[0];
    /** @type {Record<string, string>} */
    const params = { layer: String(layer), heads: String(head), query: String(state.query) };
    if (state.key !== null) params.key = String(state.key);
    if (state.stage) params.stage = String(state.stage + 1);
    if (!state.scale) params.scale = "0";
    if (state.temperature !== 1) params.temperature = String(state.temperature);
    if (state.causal) params.mask = "1";
    return params;
  }

  function report() {
    if (walks) host.onView(paramsNow(), walks.link);
  }

  /** What a link asks for; anything impossible is left as it is. @param {URLSearchParams} params */
  function adopt(params) {
    const number = (/** @type {string} */ name) => {
      const found = /^\d{1,4}/.exec(params.get(name) ?? "");
      return found ? Number(found[0]) : null;
    };
    const warm = Number(params.get("temperature") ?? "1");
    state = {
      ...state,
      query: number("query") ?? state.query,
      key: number("key") ?? state.key,
      stage: bound((number("stage") ?? 1) - 1, 0, STAGES.length - 1),
      scale: params.get("scale") !== "0",
      causal: params.get("mask") === "1",
      temperature: TEMPERATURES.includes(warm) ? warm : 1,
    };
  }

  /** @param {Uint8Array} bytes */
  function update(bytes) {
    const fresh = unpackWalks(bytes);
    if (fresh.page.length) save.arrived(fresh.page);
    const opening = Object.entries(fresh.opening ?? {}).map(([name, value]) => [name, `${value}`]);
    if (!walks) adopt(new URLSearchParams([...opening, ...host.params()]));
    else if (!sameTexts(walks.walks[0], fresh.walks[0])) state = { ...state, query: 0, key: null };
    walks = fresh;
    rowsOf = remembering();
    const last = fresh.walks[0].tokens.length - 1;
    const key = state.key !== null && state.key <= last ? state.key : null;
    state = { ...state, query: Math.min(state.query, last), key, cell: null };
    render();
    report();
  }

  /** @returns {Shot | null} */
  function take() {
    if (!walks) return null;
    const [walk, other] = walks.walks;
    const versus = other ?? walk;
    const rules = { ...state, causal: state.causal || walk.causal };
    const own = rowFrom(walk, state.query, ownRules(walk));
    const places = placesIn(walk.tokens, versus.tokens);
    const there = places[state.query];
    const turns = (other || !sameRules(rules, ownRules(walk))) && there >= 0;
    return {
      ...{ walk, own, rules, state, note: walks.note },
      rows: () => rowsOf(walk, ownRules(walk)),
      key: state.key ?? own.weights.indexOf(Math.max(...own.weights)),
      turned: turns
        ? {
            ...{ walk: versus, places, own: rowFrom(versus, there, rules) },
            rows: () => rowsOf(versus, rules),
          }
        : null,
    };
  }

  function render() {
    wide = root.clientWidth;
    const shot = take();
    if (!shot || !wide) return;
    const { walk } = shot;
    layers.show(walk.n_layers, walk.layer);
    heads.show(walk.n_heads, walk.head);
    scale.show(state.scale ? "yes" : "no");
    mask.show(state.causal ? "yes" : "no");
    temperature.show(String(state.temperature));
    copy?.show(walks?.link !== null);
    showStrip(walk);
    showStage(shot);
    setText(says, stageSentence(shot));
    setText(changed, changeSentence(shot));
    changed.hidden = !shot.turned;
    setText(check, state.stage > 1 ? checkSentence(walk, shot.rows()) : "");
    keys.show(shot);
    details.show(shot);
    const alone = Boolean(keys.element.hidden && details.element.hidden);
    right.hidden = alone;
    body.classList.toggle("ax-alone", alone);
    showPictures(shot);
    root.dataset.painted = `${walks?.id} ${walk.layer}.${walk.head} ${STAGES[state.stage].id} ${state.query}`;
  }

  /** @param {Walk} walk */
  function showStrip(walk) {
    if (strip.dataset.of !== walks?.id) {
      strip.dataset.of = walks?.id ?? "";
      strip.replaceChildren(
        ...walk.tokens.map((token, i) => {
          const style = token.special ? "ax-chip ax-chip-special" : "ax-chip";
          const chip = h("span", { class: style, role: "option", id: `ax-chip-${i}` }, token.text);
          chip.addEventListener("click", () => set({ query: i, cell: null }));
          return chip;
        }),
      );
    }
    [...strip.children].forEach((chip, i) => {
      chip.setAttribute("aria-selected", String(i === state.query));
    });
    strip.setAttribute("aria-activedescendant", `ax-chip-${state.query}`);
  }

  /** @param {Shot} shot */
  function showStage({ walk, rules }) {
    const stage = STAGES[state.stage];
    steps.forEach((button, i) => {
      button.setAttribute("aria-current", i === state.stage ? "step" : "false");
    });
    const { offsetLeft, offsetWidth } = steps[state.stage];
    const nav = /** @type {HTMLElement} */ (steps[0].parentElement);
    nav.scrollLeft = offsetLeft - nav.offsetLeft - (nav.clientWidth - offsetWidth) / 2; // on a phone
    back.disabled = state.stage === 0;
    next.disabled = state.stage === STAGES.length - 1;
    setText(title, `${state.stage + 1}. ${stage.title}`);
    const line = typeof stage.formula === "string" ? stage.formula : stage.formula(walk);
    formulaLine.replaceChildren(formula(line));
    shapes.replaceChildren(formula(stage.shapes(walk)));
    text.replaceChildren(formula(stage.text(walk, rules.causal)));
    claim.hidden = !stage.claim;
    if (!stage.claim) return;
    const [said, right] = stage.claim.map(formula);
    claim.replaceChildren(h("b", {}, "The article: "), "“", said, "” ", h("b", {}, "But: "), right);
  }

  /** @param {Shot} shot */
  function showPictures(shot) {
    const room = pictures.clientWidth;
    painted = picturesOf(shot, room);
    while (frames.length < painted.length) {
      const at = frames.length;
      frames.push(
        createMatrix(
          (row, column) => clicked(painted[at], row, column),
          (row, column) => pointed(painted[at], row, column),
        ),
      );
    }
    pictures.replaceChildren(...painted.map((_, i) => frames[i].element));
    painted.forEach((picture, i) => {
      frames[i].show(picture, theme);
    });
  }

  /** @param {import("../numbers/steppictures.js").Picture} picture @param {number} row @param {number} column */
  function clicked({ side, cellOf, rows }, row, column) {
    const whose = rows > 1 ? { query: row } : {};
    if (side === "pair") set({ query: row, key: column, cell: null });
    else if (cellOf) set({ ...whose, cell: { of: cellOf, c: column } });
    else if (side === "query") set({ ...whose, cell: null });
  }

  /** @param {import("../numbers/steppictures.js").Picture} picture @param {number} row @param {number} column */
  function pointed({ values, rows, columns, side, name }, row, column) {
    const tokens = walks?.walks[0].tokens ?? [];
    const number = plain(values[row * columns + column]);
    if (side === "pair") return `${tokens[row]?.text} → ${tokens[column]?.text}: ${number}`;
    return `${name}, ${tokens[rows > 1 ? row : state.query]?.text}, place ${column}: ${number}`;
  }

  /** What a saved picture holds. */
  function nowShown() {
    const walk = walks?.walks[0];
    if (!walk) return null;
    const place = `layer ${walk.layer}, head ${walk.head}`;
    const text = walk.tokens.map((t) => t.text).join(" ");
    const title = [walk.title, walk.passport, place, text].filter(Boolean).join(" · ");
    const name = `steps layer ${walk.layer} head ${walk.head} query ${state.query}`;
    return { elements: [strip, body], title, name, says: says.textContent ?? "", theme };
  }

  /** The chosen query's numbers. */
  function numbersCsv() {
    const walk = walks?.walks[0];
    if (!walk) return "";
    const row = rowFrom(walk, state.query, ownRules(walk));
    const lines = rowLines(walk, row, state.query).map((line) =>
      line.map((cell) => (typeof cell === "string" ? csvCell(cell) : cell)).join(","),
    );
    return `\ufeff${lines.join("\r\n")}\r\n`;
  }

  return {
    update,
    retheme: () => {
      theme = readTheme(root);
      render();
    },
    destroy: () => {
      pause();
      observer.disconnect();
      root.replaceChildren();
    },
  };
}

/** Whether two walks are over the same tokens. @param {Walk} one @param {Walk} other */
const sameTexts = (one, other) =>
  one.tokens.length === other.tokens.length &&
  one.tokens.every((token, i) => token.text === other.tokens[i].text);

/** All rows of a head, kept for as long as the same is asked for. */
function remembering() {
  /** @type {Map<Walk, {rules: Rules, rows: Row[]}>} */
  const kept = new Map();
  return (/** @type {Walk} */ walk, /** @type {Rules} */ rules) => {
    const found = kept.get(walk);
    if (found && sameRules(found.rules, rules)) return found.rows;
    const rows = allRows(walk, rules);
    if (!found || !sameRules(rules, ownRules(walk))) kept.set(walk, { rules, rows });
    return rows;
  };
}
