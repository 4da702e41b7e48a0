// What the reader has chosen of “Step by step”: its changes, its place in a link, and what it shows.

import { bound } from "./basics.js";
import {
  allRows,
  around,
  isCross,
  largestAt,
  lineOf,
  mixed,
  ownRules,
  placesIn,
  rowFrom,
  sameRules,
} from "./layertrace.js";
import { pinnedWords } from "./pinnedwords.js";
import { STAGES, stageIn, stagesOf, stageThere } from "./stages.js";
import { pairInSight } from "./stepwords.js";

/**
 * @typedef {import("./layertrace.js").LayerTrace} LayerTrace
 * @typedef {import("./layertrace.js").LayerTraces} LayerTraces
 * @typedef {import("./layertrace.js").Rules} Rules
 * @typedef {import("./layertrace.js").Row} Row
 * @typedef {import("./stepwords.js").StepState} StepState
 * @typedef {(trace: LayerTrace, rules: Rules) => Row[]} RowsOf all rows of a head
 */

export const TEMPERATURES = [0.25, 0.5, 1, 2, 4];

/** @type {StepState} */
export const BEGIN = {
  ...{ stage: "input", query: 0, key: null, cell: null, pinned: false },
  ...{ scale: true, temperature: 1, causal: false },
};

/** Which of the stages of a layer is shown. @param {LayerTrace} trace @param {StepState} state */
export const placeOfStage = (trace, { stage }) =>
  stagesOf(trace).findIndex(({ id }) => id === stage);

/**
 * Another stage of a layer, or its first or last where there is none.
 * @param {LayerTrace} trace @param {number} at
 */
export function atStage(trace, at) {
  const stages = stagesOf(trace);
  return { stage: stages[bound(at, 0, stages.length - 1)].id, cell: null };
}

/**
 * What a click on a cell of a picture chooses.
 * @param {import("./steppictures.js").Picture} picture @param {number} row @param {number} column
 * @returns {Partial<StepState> | null} null where it chooses nothing
 */
export function chosenBy({ side, cellOf, rows, last }, row, column) {
  if (side === "pair") return { query: row, key: column, cell: null };
  const cell = cellOf ? { of: cellOf, c: column } : null;
  if (side === "key") return { key: row, cell };
  if (side === "position") return row <= last ? { query: row, cell: null } : null;
  if (rows > 1) return side === "query" || cell ? { query: row, cell } : null;
  return cell && { cell };
}

/**
 * The number whose sum is shown: the chosen one, else the one that counts most.
 * @param {Pick<import("./stepwords.js").Shot, "trace" | "state" | "own" | "key">} shot
 * @returns {import("./stepwords.js").NumberPlace | null} null where a pair of tokens is shown
 */
export function numberOf({ trace, state, own, key }) {
  if (state.cell) return state.cell;
  if (state.stage === "turn") {
    const pair = trace.pairs?.[pairInSight({ trace, state, key })] ?? [0];
    return { of: "q", c: pair[0] };
  }
  const of = NUMBERS[state.stage];
  if (!of) return null;
  const which = state.stage === "input" && trace.norm ? "h" : of;
  return { of: which, c: largestAt(vectorOf({ trace, own, state }, which)) };
}

/**
 * The chosen query's vector that numbers are taken of.
 * @param {Pick<import("./stepwords.js").Shot, "trace" | "state" | "own">} shot
 * @param {import("./stepwords.js").NumberPlace["of"]} of
 * @returns {ArrayLike<number>}
 */
function vectorOf({ trace, own, state: { query, stage } }, of) {
  if (of === "z") return mixed(trace, own.weights);
  const width = (/** @type {Float32Array} */ all) => all.length / trace.tokens.length;
  const found =
    of === "h"
      ? trace.of.norm_read
      : of === "after"
        ? trace.of.after_gave
        : of === "q" && stage === "headnorm"
          ? around(trace, "q", "norm")[1]
          : of === "q" && stage === "qkv"
            ? (trace.of.q_mapped ?? trace.of.q)
            : trace.of[of];
  return lineOf(found, query, width(found));
}

/** Whose numbers are summed at first. @type {Partial<Record<string, import("./stepwords.js").NumberPlace["of"]>>} */
const NUMBERS = {
  ...{ input: "x", norm: "x", qkv: "q", headnorm: "q" },
  ...{ mix: "z", join: "joined", output: "output", after: "after" },
};

/**
 * The parameters of a link; what is as at the start is left out.
 * @param {StepState} state @param {Pick<LayerTrace, "layer" | "head">} trace
 * @param {Pick<import("./layertrace.js").WhatIf, "changes" | "other">} [what_if]
 */
export function linkOf(state, { layer, head }, { changes, other } = NOTHING) {
  /** @type {Record<string, string>} */
  const params = { layer: String(layer), heads: String(head) };
  if (state.pinned) params.query = String(state.query);
  if (state.key !== null) params.key = String(state.key);
  if (state.stage !== "input")
    params.stage = STAGES.find(({ id }) => id === state.stage)?.link ?? "1";
  if (!state.scale) params.scale = "0";
  if (state.temperature !== 1) params.temperature = String(state.temperature);
  if (state.causal) params.mask = "1";
  if (changes.length) params.change = changes.join(".");
  if (changes.includes("size")) {
    params.other_d_model = String(other[0]);
    params.other_n_heads = String(other[1]);
  }
  return params;
}

/** @type {Pick<import("./layertrace.js").WhatIf, "changes" | "other">} */
const NOTHING = { changes: [], other: [0, 0] };

/** @param {URLSearchParams} params @param {string} name */
function numberIn(params, name) {
  const found = /^\d{1,4}/.exec(params.get(name) ?? "");
  return found ? Number(found[0]) : null;
}

/**
 * What a link asks for; anything impossible is left as it is.
 * @param {StepState} state @param {URLSearchParams} params
 * @returns {StepState}
 */
export function asked(state, params) {
  const warm = Number(params.get("temperature") ?? "1");
  return {
    ...placed(state, params),
    stage: stageIn(params.get("stage")),
    scale: params.get("scale") !== "0",
    causal: params.get("mask") === "1",
    temperature: TEMPERATURES.includes(warm) ? warm : 1,
  };
}

/**
 * The same at the tokens that a link names; a query that it does not name is nobody's choice.
 * @param {StepState} state @param {URLSearchParams} params
 * @returns {StepState}
 */
export function placed(state, params) {
  const [query, key] = [numberIn(params, "query"), numberIn(params, "key")];
  return { ...state, query: query ?? state.query, pinned: query !== null, key, cell: null };
}

/**
 * The state on a trace that has come: nothing chosen lies behind its last token, and a stage that
 * this layer has not is the one before.
 * @param {StepState} state @param {LayerTrace} trace
 */
export function onLayerTrace(state, trace) {
  const { tokens, keys } = trace;
  const key = state.key !== null && state.key < keys.length ? state.key : null;
  const query = Math.min(state.query, tokens.length - 1);
  return { ...state, query, key, cell: null, stage: stageThere(trace, state.stage) };
}

/**
 * The words that are pinned, as they stand in the text.
 * @param {Pick<LayerTraces, "traces" | "texts">} payload @param {StepState} state
 */
export function wordsOf({ traces: [{ tokens, keys }], texts }, { query, key, pinned }) {
  const head = { query_tokens: tokens, key_tokens: keys, texts };
  const places = { queries: pinned ? [query] : [], keys: key === null ? [] : [key] };
  return pinnedWords(/** @type {any} */ ({ head }), places);
}

/**
 * All that a state shows of a payload, numbers included.
 * @param {LayerTraces} payload @param {StepState} state @param {RowsOf} rowsOf
 * @returns {import("./stepwords.js").Shot}
 */
export function shotOf(payload, state, rowsOf) {
  const [trace, other] = payload.traces;
  const versus = other ?? trace;
  const rules = { ...state, causal: state.causal || trace.causal };
  const own = rowFrom(trace, state.query, ownRules(trace));
  const places = placesIn(trace.tokens, versus.tokens);
  const there = places[state.query];
  const turns = (other || !sameRules(rules, ownRules(trace))) && there >= 0;
  return {
    ...{ trace, own, rules, state, note: payload.note },
    rows: () => rowsOf(trace, ownRules(trace)),
    key: state.key ?? own.weights.indexOf(Math.max(...own.weights)),
    turned: turns
      ? {
          ...{ trace: versus, places, own: rowFrom(versus, there, rules) },
          keyPlaces: isCross(trace) ? placesIn(trace.keys, versus.keys) : places,
          rows: () => rowsOf(versus, rules),
        }
      : null,
  };
}

/** All rows of a head, kept for as long as the same is asked for. @returns {RowsOf} */
export function remembering() {
  /** @type {Map<LayerTrace, {rules: Rules, rows: Row[]}>} */
  const kept = new Map();
  return (trace, rules) => {
    const found = kept.get(trace);
    if (found && sameRules(found.rules, rules)) return found.rows;
    const rows = allRows(trace, rules);
    if (!found || !sameRules(rules, ownRules(trace))) kept.set(trace, { rules, rows });
    return rows;
  };
}

const PLAY = 3500; // ms that a stage stays when all are played

/**
 * One stage after the other, until the last has come or it is told to stop.
 * @param {{setInterval: (act: () => void, ms: number) => number,
 *          clearInterval: (id: number) => void}} clock
 * @param {{now: () => number, last: () => number, go: (stage: number) => void,
 *          tell: (on: boolean) => void}} stages
 */
export function createPlay(clock, { now, last, go, tell }) {
  let playing = 0; // what the clock calls it
  function stop() {
    clock.clearInterval(playing);
    playing = 0;
    tell(false);
  }
  function toggle() {
    if (playing) return stop();
    if (now() === last()) go(0);
    playing = clock.setInterval(() => {
      go(now() + 1);
      if (now() === last()) stop();
    }, PLAY);
    tell(true);
  }
  return { toggle, stop };
}
