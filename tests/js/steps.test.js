// What is chosen in “Step by step”, and the clock of Play.
import assert from "node:assert/strict";
import test from "node:test";
import { ownRules } from "../../explorer/instrument/numbers/layertrace.js";
import { STAGES } from "../../explorer/instrument/numbers/stages.js";
import { cellSentence } from "../../explorer/instrument/numbers/steppictures.js";
import {
  asked,
  atStage,
  BEGIN,
  chosenBy,
  createPlay,
  linkOf,
  onLayerTrace,
  placed,
  remembering,
  shotOf,
  wordsOf,
} from "../../explorer/instrument/numbers/stepstate.js";
import { queryBy } from "../../explorer/instrument/panels/steptools.js";
import { layerOf } from "./layertraces.js";
import { token } from "./trace.js";

/** @param {string} words @param {Record<string, any>} [more] @returns {any} */
const traceOf = (words, more = {}) => {
  const tokens = words.split(" ").map((text, i) => token(text, { span: [i, i + 1], word: i }));
  const numbers = Float32Array.from(tokens, (_, i) => i + 1);
  const place = { layer: 2, head: 1, numbers: [0, 1, 2], n_heads: 4 };
  return layerOf(tokens, 1, { q: numbers, k: numbers, v: numbers }, { ...place, ...more });
};
/** @param {any[]} traces @returns {any} */
const payloadOf = (...traces) => ({ id: "x", note: "words read backwards", link: null, traces });
const link = (/** @type {Record<string, string>} */ params) => new URLSearchParams(params);

test("a stage before the first or behind the last is that one, and no number stays chosen", () => {
  const trace = traceOf("a");
  assert.deepEqual(atStage(trace, -1), { stage: "input", cell: null });
  assert.deepEqual(atStage(trace, 3), { stage: "scale", cell: null });
  assert.deepEqual(atStage(trace, STAGES.length), { stage: "output", cell: null });
});

test("a link leads to all that it was made of", () => {
  const chosen = /** @type {const} */ ({
    stage: "mask",
    query: 2,
    key: 1,
    scale: false,
    temperature: 0.5,
    causal: true,
  });
  const state = { ...BEGIN, ...chosen, pinned: true };
  const params = linkOf(state, traceOf("a b c"));
  assert.deepEqual([params.layer, params.heads, params.stage], ["2", "1", "5"]);
  assert.deepEqual(asked(BEGIN, link(params)), state);
});

test("a link names what the server has changed, and sizes where there is another one", () => {
  const at = { layer: 2, head: 1 };
  const positions = linkOf(BEGIN, at, { changes: ["positions", "backwards"], other: [16, 1] });
  assert.deepEqual([positions.change, positions.other_d_model], ["positions.backwards", undefined]);
  const size = linkOf(BEGIN, at, { changes: ["size"], other: [32, 2] });
  assert.deepEqual([size.change, size.other_d_model, size.other_n_heads], ["size", "32", "2"]);
});

test("what is as at the start stands in no link", () => {
  assert.deepEqual(linkOf(BEGIN, traceOf("a")), { layer: "2", heads: "1" });
});

test("what is impossible in a link is left as it is", () => {
  const bad = { stage: "99", query: "-1", key: "x", temperature: "3", mask: "yes", scale: "no" };
  assert.deepEqual(asked(BEGIN, link(bad)), { ...BEGIN, stage: "output" });
  assert.deepEqual(asked(BEGIN, link({ stage: "0" })), BEGIN);
});

test("another head of the same words keeps what is chosen, but for one number", () => {
  const cell = /** @type {const} */ ({ of: "q", c: 3 });
  const state = /** @type {const} */ ({ ...BEGIN, stage: "products", query: 1, key: 2, cell });
  assert.deepEqual(onLayerTrace(state, traceOf("a b c")), { ...state, cell: null });
});

test("another text is shown at the tokens that go with it, at the stage of before", () => {
  const chosen = { query: 1, key: 0, pinned: true, temperature: 2 };
  const state = /** @type {const} */ ({ ...BEGIN, stage: "products", ...chosen });
  const there = placed(state, link({ query: "4", key: "2", stage: "7" }));
  assert.deepEqual(there, { ...state, query: 4, key: 2 });
  const nowhere = placed({ ...state, query: 5 }, link({}));
  assert.deepEqual(nowhere, { ...state, query: 5, key: null, pinned: false });
});

test("a query that nobody has chosen stands in no link, and is told to no other page", () => {
  const state = { ...BEGIN, query: 1 };
  const payload = { traces: [traceOf("the cat sat")], texts: ["the cat sat"] };
  payload.traces[0].tokens.forEach((/** @type {any} */ one, /** @type {number} */ i) => {
    one.span = [4 * i, 4 * i + 3];
  });
  assert.equal(linkOf(state, payload.traces[0]).query, undefined);
  assert.deepEqual(wordsOf(payload, state), ["", ""]);
  const pinned = { ...state, pinned: true, key: 2 };
  assert.equal(linkOf(pinned, payload.traces[0]).query, "1");
  assert.deepEqual(wordsOf(payload, pinned), ["cat", "sat"]);
});

test("a link’s query and key behind the last token become the last one and none", () => {
  const fresh = onLayerTrace({ ...BEGIN, query: 9, key: 3 }, traceOf("a b c"));
  assert.deepEqual([fresh.query, fresh.key], [2, null]);
  assert.equal(onLayerTrace({ ...BEGIN, key: 2 }, traceOf("a b c")).key, 2);
});

test("a click chooses the pair, the number or the query that its picture shows", () => {
  const picture = (/** @type {any} */ more) => ({ ...more, rows: more.rows ?? 3 });
  assert.deepEqual(chosenBy(picture({ side: "pair" }), 2, 1), { query: 2, key: 1, cell: null });
  assert.deepEqual(chosenBy(picture({ side: "query" }), 2, 1), { query: 2, cell: null });
  const number = { side: "vector", cellOf: "q" };
  assert.deepEqual(chosenBy(picture(number), 2, 1), { query: 2, cell: { of: "q", c: 1 } });
  // One row is the chosen query's own: the query stays.
  const key = picture({ side: "key", cellOf: "z" });
  assert.deepEqual(chosenBy(key, 2, 1), { key: 2, cell: { of: "z", c: 1 } });
  const position = picture({ side: "position", last: 1 });
  assert.deepEqual(chosenBy(position, 1, 0), { query: 1, cell: null });
  assert.equal(chosenBy(position, 2, 0), null); // behind the text
  const own = picture({ rows: 1, cellOf: "output" });
  assert.deepEqual(chosenBy(own, 0, 1), { cell: { of: "output", c: 1 } });
  assert.equal(chosenBy(picture({ rows: 1 }), 0, 1), null);
});

test("a cell is named by its two words, or by its token and place", () => {
  const tokens = traceOf("a b c");
  const picture = (/** @type {any} */ more) => ({ values: [1, 2, 3, 4, 5, 6], name: "Q", ...more });
  const pair = picture({ rows: 2, columns: 3, side: "pair" });
  assert.equal(cellSentence(pair, tokens, 0, 1, 2), "b → c: 6.000");
  const tall = picture({ rows: 3, columns: 2, side: "vector" });
  assert.equal(cellSentence(tall, tokens, 0, 1, 0), "Q, b, place 0: 3.000");
  const own = picture({ rows: 1, columns: 6 });
  assert.equal(cellSentence(own, tokens, 2, 0, 3), "Q, c, place 3: 4.000");
  const masked = { ...pair, masked: [0, 0, 0, 0, 0, 1] };
  assert.equal(cellSentence(masked, tokens, 0, 1, 2), "b → c: masked");
  const positions = picture({ rows: 2, columns: 3, side: "position" });
  assert.equal(cellSentence(positions, tokens, 0, 1, 2), "position 1, place 2: 6.000");
});

test("arrow keys walk through the tokens and stop at their ends", () => {
  const keys = ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "Home", "End", "a"];
  assert.deepEqual(
    keys.map((key) => queryBy(key, 1, 3)),
    [2, 2, 0, 0, 0, 3, null],
  );
  assert.deepEqual([queryBy("ArrowLeft", 0, 3), queryBy("ArrowRight", 3, 3)], [0, 3]);
});

test("without a change nothing is turned; the strongest key stands for one that is not chosen", () => {
  const shot = shotOf(payloadOf(traceOf("a b c")), { ...BEGIN, query: 1 }, remembering());
  assert.equal(shot.turned, null);
  assert.equal(shot.key, 2); // its key is the largest number
  const state = { ...BEGIN, query: 1, key: 0 };
  assert.equal(shotOf(payloadOf(traceOf("a b c")), state, remembering()).key, 0);
});

test("another rule turns the head itself, another trace the words as they stand there", () => {
  const trace = traceOf("a b c");
  const warm = shotOf(payloadOf(trace), { ...BEGIN, temperature: 2 }, remembering());
  assert.deepEqual([warm.turned?.trace, warm.turned?.places], [trace, [0, 1, 2]]);
  const back = traceOf("c b a");
  back.keys = back.tokens = [...trace.tokens].reverse();
  const turned = shotOf(payloadOf(trace, back), BEGIN, remembering()).turned;
  assert.deepEqual([turned?.trace, turned?.places], [back, [2, 1, 0]]);
  // A query that the other trace lacks has no way there.
  back.keys = back.tokens = back.tokens.slice(0, 2);
  assert.equal(shotOf(payloadOf(trace, back), BEGIN, remembering()).turned, null);
});

test("a head’s rows are made once for its own rules and once for the change", () => {
  const [trace, rowsOf] = [traceOf("a b c"), remembering()];
  const [own, warm] = [ownRules(trace), { ...ownRules(trace), temperature: 2 }];
  const first = rowsOf(trace, own);
  assert.equal(rowsOf(trace, { ...own }), first);
  const changed = rowsOf(trace, warm);
  assert.notDeepEqual(changed, first);
  assert.equal(rowsOf(trace, { ...warm }), changed);
});

const LAST = 8;

/** A clock whose time is moved by hand, and stages that it plays. @param {number} stage */
function playFrom(stage) {
  /** @type {{act: (() => void) | null, said: boolean[], stage: number}} */
  const log = { act: null, said: [], stage };
  const clock = {
    setInterval: (/** @type {() => void} */ act) => {
      log.act = act;
      return 7;
    },
    clearInterval: (/** @type {number} */ id) => {
      if (id === 7) log.act = null;
    },
  };
  const play = createPlay(clock, {
    ...{ now: () => log.stage, last: () => LAST },
    go: (to) => {
      log.stage = to;
    },
    tell: (on) => log.said.push(on),
  });
  return { log, play };
}

test("Play goes from stage to stage and stops at the last", () => {
  const { log, play } = playFrom(LAST - 2);
  play.toggle();
  log.act?.();
  assert.deepEqual([log.stage, log.said], [LAST - 1, [true]]);
  log.act?.();
  assert.deepEqual([log.stage, log.said, log.act], [LAST, [true, false], null]);
});

test("Play begins anew from the last stage, and a second press stops it where it is", () => {
  const { log, play } = playFrom(LAST);
  play.toggle();
  assert.equal(log.stage, 0);
  log.act?.();
  play.toggle();
  assert.deepEqual([log.stage, log.said, log.act], [1, [true, false], null]);
  play.toggle();
  assert.ok(log.act);
});
