// What survives of all heads: the view, its link, and what is said.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  budgetOf,
  countsOf,
  curveOf,
  efficiencyCsv,
  efficiencySentence,
  hasMaps,
  linkOfView,
  meansOf,
  percent,
  survivesOf,
  triedWords,
  unpackEfficiency,
  viewOfLink,
  wishOf,
  withFound,
  withoutSentence,
  withView,
} from "../../explorer/instrument/numbers/efficiency.js";
import { container, floats } from "./trace.js";

const way = (/** @type {string} */ kind, /** @type {number[]} */ budgets) => ({
  ...{
    kind,
    name: `a ${kind}`,
    budget: "tokens",
    given: `a ${kind} of {}`,
    exactly: "",
    source: "",
    not_placed: "",
  },
  ...{ kept: "of its attention", gives_up: "", budgets },
});
const HEAD = {
  ...{ id: "one", numbers: [2, 5], n_heads: 2, n_tokens: 2, everywhere: [], reasons: [] },
  about: { title: "tiny", passport: "" },
  ...{
    shares: [0.8, 0.9, 0.95, 0.99],
    order: ["window", "rank"],
    place: { layer: "5", heads: "1" },
  },
  ...{ link: null, opening: null, tried: [], can_try: "", whole: true, of_map: null },
  ways: [
    {
      ...way("window", [0, 1, 2]),
      costs: [0.05, 0.2, 0.5],
      needs: [
        [0, 1, 1, 2],
        [1, 2, -1, 2],
        [2, 2, 2, 2],
        [2, 2, 2, 2],
      ],
    },
    { ...way("rank", [1, 1000]), costs: [0.5, 1], needs: Array(4).fill([1, 1, 1, 1]) },
  ],
  without: Array(4).fill([
    [0, 1, 0.2],
    [-1, 0, 1],
    [1, 1, 0.25],
    [0, 0, 0.05],
  ]),
};
const WINDOW = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1, 1, 1, 1];

/** @param {object} [more] @param {any[]} [maps] */
function unpacked(more = {}, maps = []) {
  return unpackEfficiency(
    container({ ...HEAD, ...more }, [
      [{ kind: "window" }, floats(WINDOW)],
      [{ kind: "rank" }, floats([0.25, 0.5, 0.75, 1, 1, 1, 1, 1])],
      ...maps,
      [{ kind: "page" }, new Uint8Array()],
    ]),
  ).found;
}

const opened = (query = "") => withFound(null, unpacked(), new URLSearchParams(query));
const rounded = (/** @type {Iterable<number>} */ numbers) =>
  [...numbers].map((x) => Number(x.toFixed(6)));

test("a first visit opens at the place with the first budget that is a tenth of the cost", () => {
  const state = opened();
  assert.deepEqual(state.view, { way: "window", budget: 1, share: 1, pick: 3 });
  assert.deepEqual(linkOfView(state), { layer: "5", heads: "1" });
  assert.deepEqual(rounded(survivesOf(state)), [0.5, 0.6, 0.7, 0.8]);
  assert.deepEqual(rounded(curveOf(state, 3)), [0.4, 0.8, 1]);
  assert.deepEqual(rounded(meansOf(state)), [0.25, 0.65, 1]);
});

test("a link gives back every view, and what is not there is left out", () => {
  for (const part of [{ way: "rank", budget: 1 }, { budget: 2, pick: 0 }, { share: 3 }]) {
    let state = withView(opened(), { way: part.way ?? "window" });
    state = withView(state, part);
    const params = new URLSearchParams(linkOfView(state));
    assert.deepEqual(viewOfLink(state.found, params), state.view);
  }
  const odd = viewOfLink(
    unpacked(),
    new URLSearchParams("way=__proto__&budget=x&share=7&layer=99&heads=-3"),
  );
  assert.deepEqual(odd, { way: "window", budget: 1, share: 1, pick: 0 });
  assert.equal(budgetOf(opened("way=rank&budget=800")), 1000); // the nearest that there is
});

test("another way begins with its own first budget, and more of the same keeps the view", () => {
  const state = withView(opened(), { budget: 2, pick: 1 });
  assert.equal(withView(state, { way: "rank" }).view.budget, 0);
  const again = withFound(state, unpacked({ whole: false }), new URLSearchParams());
  assert.deepEqual(again.view, state.view);
  const other = withFound(state, unpacked({ id: "two" }), new URLSearchParams());
  assert.equal(other.view.pick, 3);
});

test("a way that a link asks for is shown as soon as it has come, unless another is chosen", () => {
  const early = { ...unpacked({ whole: false }) };
  early.ways = early.ways.slice(0, 1); // ranks come last
  const params = new URLSearchParams("way=rank&budget=1000");
  const first = withFound(null, early, params);
  assert.equal(first.view.way, "window");
  assert.equal(budgetOf(withFound(first, unpacked(), params)), 1000);
  const chosen = withFound(withView(first, { budget: 2 }), unpacked(), params);
  assert.deepEqual([chosen.view.way, chosen.view.budget], ["window", 2]);
});

test("it is said what survives of a head, what it needs and what it could do without", () => {
  const state = withView(opened(), { pick: 0 });
  assert.equal(
    efficiencySentence(state),
    "L2·H0 with a window of 1: 50 % of its attention survives (mean of all heads 65 %). For 90 % it needs a window of 1.",
  );
  assert.match(
    efficiencySentence({ ...state, hovered: 2 }),
    /^L5·H0 .* No budget here keeps 90 %\.$/,
  );
  assert.match(
    withoutSentence(state, 0),
    /L2·H0 could do with a window of 1: 90 % .* 20 % of the numbers/,
  );
  assert.match(withoutSentence(state, 1), /L2·H1 none of these keeps 90 % at a quarter/);
  assert.deepEqual(countsOf(state), [2, 1, 1]);
});

test("only what is all is called 100 per cent", () => {
  assert.deepEqual([1, 0.9999999, 0.9996, 0.994, 0.0004, 0].map(percent), [
    "100 %",
    "100 %",
    "99.9 %",
    "99 %",
    "less than 0.1 %",
    "0 %",
  ]);
});

test("maps are shown only for what is looked at", () => {
  const maps = [
    [{ kind: "before" }, floats([1, 0, 0, 1])],
    [{ kind: "after" }, floats([1, 0, 0, 1])],
  ];
  const found = unpacked({ of_map: { head: 3, kind: "window", budget: 1 } }, maps);
  const state = withFound(null, found, new URLSearchParams());
  assert.ok(hasMaps(state));
  assert.ok(!hasMaps(withView(state, { pick: 2 })));
  assert.ok(!hasMaps(withView(state, { budget: 0 })));
  assert.ok(!hasMaps(opened()));
  assert.deepEqual(wishOf(state, "all"), {
    layer: 5,
    head: 1,
    way: "window",
    budget: 1,
    put: "all",
  });
});

test("a cosine below zero has a minus sign, as all numbers on the page", () => {
  const tried = { way: "rank 2", heads: "L0·H1", pooled: -0.2185, least: -0.31, least_at: "cat" };
  assert.deepEqual(triedWords({ ...tried, divergence: 0.5, agrees: 0.25 }).slice(2), [
    "−0.2185",
    "−0.3100 (cat)",
    "0.5000 bits",
    "25 %",
  ]);
});

test("the table has a line for each head, way and budget", () => {
  const lines = efficiencyCsv(unpacked()).trim().split("\r\n");
  assert.equal(lines.length, 1 + 4 * 3 + 4 * 2);
  assert.equal(lines[1], "L2·H0,a window,0,0.100000001,0.05");
});
