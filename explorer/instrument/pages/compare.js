// Two instruments side by side with one cursor, and their difference. It knows nothing of its host.

import { toCsv } from "../numbers/csv.js";
import { indexOf, meanWeights } from "../numbers/data.js";
import { arrange } from "../numbers/model.js";
import { PARAMS } from "../numbers/view.js";
import { choice, h, pushButton, setText } from "../parts/dom.js";
import { createMatrix } from "../parts/matrix.js";
import { readTheme } from "../parts/theme.js";
import { createCopy } from "../parts/tools.js";
import { createSaveMenu } from "../save/files.js";
import { read } from "../wire/container.js";
import { mount } from "./explore.js";

/**
 * @typedef {import("../numbers/view.js").View} View
 * @typedef {{text: string, other: string, a: number[], b: number[], special: boolean}} CommonUnit
 * @typedef {{id: string, link: Record<string, string> | null,
 *            opening: Record<string, string> | null, units: CommonUnit[],
 *            left_out: [string[], string[]], kept: [number, number], findings: string[],
 *            ranking: [number, number, number, number, number | null][],
 *            matches: [number, number][], same_shape: boolean}} Pairing
 *   ranking, matches: layers by the models’ own numbers
 * @typedef {"a" | "b"} Which
 * @typedef {{queries: number[], keys: number[]}} Places
 * @typedef {{
 *   params: () => URLSearchParams,
 *   onView: (params: Record<string, string>, link: Record<string, string> | null) => void,
 *   need: ((want: {side: Which, want: import("./explore.js").Want}
 *                 | {page: Record<string, string>}) => void) | null,
 *   copyLink: (() => Promise<boolean>) | null,
 * }} CompareHost
 */

const B = "b_"; // before the names of the second's parameters in a link
/** The names that a link uses. */
export const COMPARE_PARAMS = [...PARAMS, ...PARAMS.map((name) => B + name), "follow"];
const RANKS = 12; // heads named at first
const LEAST_NAME = 9; // pixels that a name needs
const PAIRS = 30; // rows of the table of differences

/** @param {Uint8Array} bytes @returns {{pairing: Pairing, payloads: Uint8Array[]}} the two and a page */
export function unpackPair(bytes) {
  const { head, blocks } = read(bytes);
  return { pairing: head, payloads: blocks.map(({ data }) => /** @type {Uint8Array} */ (data)) };
}

/** @param {Which} side @returns {Which} */
const otherSide = (side) => (side === "a" ? "b" : "a");

/**
 * The other side's tokens for the same words.
 * @param {CommonUnit[]} units @param {Which} from @param {number[]} tokens
 */
export function across(units, from, tokens) {
  const [to, wanted] = [otherSide(from), new Set(tokens)];
  return units.filter((unit) => unit[from].some((i) => wanted.has(i))).flatMap((unit) => unit[to]);
}

/** A common word as the units of one side's picture are. @param {CommonUnit} unit @param {Which} side */
const asUnit = ({ text, special, ...tokens }, side) => ({
  ...{ text, special, segment: 0 },
  tokens: tokens[side],
});

/**
 * A head's weights between the common words.
 * @param {Float32Array} weights `[query, key]` @param {number} nKeys
 * @param {CommonUnit[]} units @param {Which} side
 */
export function onUnits(weights, nKeys, units, side) {
  const own = units.map((unit) => asUnit(unit, side));
  return arrange(weights, nKeys, own, own, false).weights;
}

/** @param {HTMLElement} root @param {CompareHost} host */
export function mountCompare(root, host) {
  /** @type {Pairing | null} */
  let pairing = null;
  let theme = readTheme(root);
  /** @type {"same" | "match" | "free"} */
  let follow = "same";
  let linking = false; // while one side is made to follow the other
  /** @type {Record<Which, Record<string, string>>} */
  const views = { a: {}, b: {} };
  let difference = new Float32Array();
  /** @type {[Float32Array, Float32Array]} */
  let both = [difference, difference];

  const found = h("ul", { class: "ax-findings" });
  const follows = choice(
    "When a head of A is chosen, B shows",
    [
      ["same", "its namesake", "The head of the same layer and number, where both have the same"],
      ["match", "its best match", "The head of B whose rows are nearest to it"],
      ["free", "what you choose", "Each side has its own head"],
    ],
    (value) => {
      follow = value;
      follows.show(value);
      lead("a");
      report();
    },
  );
  const copy = host.copyLink && createCopy(host.copyLink);
  const save = createSaveMenu(
    () => ({ elements: [section], title: sentence(), name: "difference", says: sentence(), theme }),
    differenceCsv,
    host.need && (() => host.need?.({ page: { ...views.a, ...prefixed(views.b) } })),
  );
  const maps = Array.from({ length: 3 }, () =>
    createMatrix(
      (row, column) => pinBoth(row, column),
      (row, column) => point(row, column),
    ),
  );
  const trio = h("div", { class: "ax-pictures" }, ...maps.map((map) => map.element));
  trio.addEventListener("pointerleave", () => point(null, null));
  const says = h("p", { class: "ax-says", "aria-live": "polite" });
  const note = h("p", { class: "ax-help" });
  const ranks = h("ol", { class: "ax-ranks" });
  const ranksTitle = h("h4");
  const pairs = h("div", { class: "ax-rows ax-keys", tabindex: "0", role: "group" });
  const table = /** @type {HTMLDetailsElement} */ (
    h(
      "details",
      { class: "ax-table" },
      h("summary", {}, "The largest differences as a table"),
      pairs,
    )
  );
  table.addEventListener("toggle", () => showTable());
  const section = h(
    "section",
    { class: "ax-difference", "aria-label": "Difference" },
    h(
      "div",
      {},
      h(
        "h3",
        {},
        "On the common words: A, B, and A − B (blue where A gives more, orange where B does)",
      ),
      says,
      note,
      trio,
      table,
    ),
    h("div", {}, ranksTitle, ranks),
  );
  const titles = { a: h("h3"), b: h("h3") };
  const places = { a: h("div", { class: "ax" }), b: h("div", { class: "ax" }) };
  root.replaceChildren(
    found,
    h(
      "div",
      { class: "ax-tools" },
      follows.element,
      h("div", { class: "ax-away" }, ...(copy ? [copy.element] : []), save.element),
    ),
    section,
    h(
      "div",
      { class: "ax-sides" },
      .../** @type {const} */ (["a", "b"]).map((side) =>
        h("section", { "aria-label": side.toUpperCase() }, titles[side], places[side]),
      ),
    ),
  );
  const sides = { a: mount(places.a, hostOf("a")), b: mount(places.b, hostOf("b")) };

  /** @param {Which} side @returns {import("./explore.js").Host} */
  function hostOf(side) {
    const need = host.need;
    return {
      params: () => own(asked(), side),
      onView: (params) => {
        views[side] = params;
        if (!linking) lead(side);
        report();
        showDifference();
      },
      need: need && ((want) => need({ side, want })),
      copyLink: null,
      walk: null,
      onFocus: (places) => {
        const { units } = pairing ?? { units: [] };
        const there = places && {
          queries: across(units, side, places.queries),
          keys: across(units, side, places.keys),
        };
        sides[otherSide(side)].point(there);
      },
    };
  }

  /** What the link asks for, or else what the file opens with. */
  function asked() {
    const params = host.params();
    return params.has("layer") ? params : new URLSearchParams(pairing?.opening ?? "");
  }

  /** One side's parameters of a link. @param {URLSearchParams} params @param {Which} side */
  function own(params, side) {
    const mine = new URLSearchParams();
    for (const name of PARAMS) {
      const value = params.get(side === "a" ? name : B + name);
      if (value !== null) mine.set(name, value);
    }
    return mine;
  }

  function report() {
    if (!pairing) return;
    /** @type {Record<string, string>} */
    const params = { ...views.a, ...prefixed(views.b) };
    if (follow !== usual(pairing)) params.follow = follow;
    host.onView(params, pairing.link);
  }

  /** The second's parameters under their names in a link. @param {Record<string, string>} params */
  const prefixed = (params) =>
    Object.fromEntries(Object.entries(params).map(([name, value]) => [B + name, value]));

  /** @param {Pairing} pair @returns {"same" | "match"} */
  const usual = (pair) => (pair.same_shape ? "same" : "match");

  /** Let the other side follow: its switches, its pins, and its head if that is wanted. @param {Which} side */
  function lead(side) {
    const from = sides[side].now();
    if (!pairing || !from || linking) return;
    const { units } = pairing;
    linking = true;
    sides[otherSide(side)].look((now) => ({
      ...from.view,
      ...headsFor(side, from.view, now),
      queries: across(units, side, from.view.queries),
      keys: across(units, side, from.view.keys),
      step: now.step,
    }));
    linking = false;
  }

  /** @param {Which} side the one that leads @param {View} view @param {View} now the other's @returns {{layer: number, heads: number[]}} */
  function headsFor(side, view, now) {
    const kept = { layer: now.layer, heads: now.heads };
    const [from, to] = [sides[side].now(), sides[otherSide(side)].now()];
    if (!from || !to) return kept;
    const place = indexOf(from.trace.head, view.layer);
    if (follow === "same") {
      const layer = to.trace.head.numbers[place];
      return pairing?.same_shape ? { layer, heads: view.heads } : kept;
    }
    if (follow === "free" || side === "b") return kept;
    const match = pairing?.matches[place * from.trace.head.n_heads + view.heads[0]];
    return match ? { layer: match[0], heads: [match[1]] } : kept;
  }

  /** @param {number | null} row @param {number | null} column */
  function point(row, column) {
    const units = pairing?.units ?? [];
    for (const side of /** @type {const} */ (["a", "b"])) {
      const places =
        row === null || column === null
          ? null
          : { queries: units[row][side], keys: units[column][side] };
      sides[side].point(places);
    }
    setText(says, row === null || column === null ? sentence() : pairSentence(row, column));
    return row === null || column === null ? "" : pairSentence(row, column);
  }

  /** @param {number} row @param {number} column */
  function pinBoth(row, column) {
    const { a: queries } = pairing?.units[row] ?? { a: [] };
    const { a: keys } = pairing?.units[column] ?? { a: [] };
    sides.a.look((now) => ({ ...now, queries, keys }));
    lead("a");
  }

  /** @param {number} row @param {number} column */
  function pairSentence(row, column) {
    const units = pairing?.units ?? [];
    const at = row * units.length + column;
    const [one, other] = both;
    return `“${nameOfUnit(units[row])}” → “${nameOfUnit(units[column])}”: A ${one[at].toFixed(3)}, B ${other[at].toFixed(3)}, difference ${withSign(difference[at])}.`;
  }

  function sentence() {
    const units = pairing?.units ?? [];
    let most = 0;
    for (let i = 0; i < difference.length; i++) {
      if (Math.abs(difference[i]) > Math.abs(difference[most])) most = i;
    }
    const [one, other] = [headName("a"), headName("b")];
    if (!difference.length) return "";
    if (Math.abs(difference[most]) < 5e-5)
      return `A’s ${one} and B’s ${other} are the same on these words.`;
    const [row, column] = [Math.floor(most / units.length), most % units.length];
    return `A’s ${one} and B’s ${other} differ most at ${pairSentence(row, column)}`;
  }

  /** @param {Which} side */
  function headName(side) {
    const now = sides[side].now();
    if (!now) return "";
    const { layer, heads } = now.view;
    return heads.length === 1
      ? `layer ${layer}, head ${heads[0]}`
      : `layer ${layer}, mean of ${heads.length} heads`;
  }

  function showDifference() {
    if (!pairing) return;
    const { units } = pairing;
    const n = units.length;
    const found = /** @type {const} */ (["a", "b"]).map((side) => {
      const now = sides[side].now();
      const weights = now && meanWeights(now.trace, now.view.layer, now.view.heads);
      return weights && onUnits(weights, now.trace.head.key_tokens.length, units, side);
    });
    const [one, other] = found;
    if (!one || !other) return; // a layer is on its way
    both = [one, other];
    difference = one.map((w, i) => w - other[i]);
    const most = (/** @type {Float32Array} */ map) =>
      map.reduce((top, x) => Math.max(top, Math.abs(x)), 0.05);
    const shared = Math.max(most(one), most(other)); // one scale for A and B
    const room = trio.clientWidth || root.clientWidth;
    const side = Math.min(room, Math.max(250, Math.min((room - 60) / 3, 460)));
    const square = { rows: n, columns: n, wide: side, tall: side / n };
    const names = n * LEAST_NAME <= side - 62 ? units.map(nameOfUnit) : null;
    [one, other].forEach((values, i) => {
      const name = "AB"[i];
      maps[i].show(
        {
          ...{ ...square, values, names, weights: true, top: shared, name },
          ...{
            shape: headName(i ? "b" : "a"),
            label: `${name}: rows are queries, columns are keys`,
          },
        },
        theme,
      );
    });
    maps[2].show(
      {
        ...{ ...square, values: difference, names, top: most(difference), name: "A − B" },
        ...{ shape: "", label: "Difference: rows are queries, columns are keys" },
      },
      theme,
    );
    setText(says, sentence());
    root.dataset.painted = `${pairing.id} ${headName("a")} | ${headName("b")}`;
    showTable();
    markRank();
  }

  function showTable() {
    if (!table.open || !pairing) return;
    const { units } = pairing;
    const order = [...difference.keys()]
      .sort((i, j) => Math.abs(difference[j]) - Math.abs(difference[i]))
      .slice(0, PAIRS);
    const lines = order.map((i) => {
      const [row, column] = [units[Math.floor(i / units.length)], units[i % units.length]];
      const cells = [
        nameOfUnit(row),
        nameOfUnit(column),
        both[0][i].toFixed(4),
        both[1][i].toFixed(4),
        withSign(difference[i]),
      ];
      return h("tr", {}, ...cells.map((cell) => h("td", { dir: "auto" }, cell)));
    });
    pairs.replaceChildren(
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ...["query", "key", "A", "B", "A − B"].map((name) => h("th", { scope: "col" }, name)),
          ),
        ),
        h("tbody", {}, ...lines),
      ),
    );
  }

  /** @param {Pairing} pair */
  function showWords(pair) {
    found.replaceChildren(...pair.findings.map((text) => h("li", {}, text)));
    const parts = [`${pair.units.length} words are common to both.`];
    pair.left_out.forEach((texts, i) => {
      if (!texts.length) return;
      const some = texts.slice(0, 8).join(" ") + (texts.length > 8 ? " …" : "");
      parts.push(
        `${texts.length} of ${"AB"[i]}’s tokens (${some}) have no counterpart and are left out; of what the common words give to tokens ${(100 * pair.kept[i]).toFixed(0)} % stays among them.`,
      );
    });
    parts.push(
      "A word in pieces counts as one: its pieces’ attention adds up as a key and is averaged as a query.",
    );
    setText(note, parts.join(" "));
    setText(
      ranksTitle,
      pair.same_shape
        ? "Heads that differ most from their namesakes"
        : "Heads of A farthest from any of B",
    );
    showRanks(RANKS);
  }

  /** @param {number} count */
  function showRanks(count) {
    const all = pairing?.ranking ?? [];
    const lines = all.slice(0, count).map((rank) => {
      const [layer, head, layerB, headB, bits] = rank;
      const name = pairing?.same_shape
        ? `${layer}-${head}`
        : `${layer}-${head} ↔ ${layerB}-${headB}`;
      const share = bits === null ? "no common row" : `${bits.toFixed(3)} bit`;
      const button = pushButton(
        `${name}  ${share}`,
        `Layer ${layer}, head ${head} of A and layer ${layerB}, head ${headB} of B`,
        () => chooseRank(rank),
        "ax-rank",
      );
      button.style.setProperty("--share", `${100 * (bits ?? 0)}%`);
      return h("li", {}, button);
    });
    const more =
      all.length > count
        ? [
            h(
              "li",
              {},
              pushButton(`All ${all.length}`, "Show all", () => showRanks(all.length), "ax-small"),
            ),
          ]
        : [];
    ranks.replaceChildren(...lines, ...more);
    markRank();
  }

  /** @param {Pairing["ranking"][0]} rank */
  function chooseRank([layer, head, layerB, headB]) {
    linking = true;
    sides.a.look((now) => ({ ...now, layer, heads: [head] }));
    sides.b.look((now) => ({ ...now, layer: layerB, heads: [headB] }));
    linking = false;
    report();
    showDifference();
  }

  function markRank() {
    const view = sides.a.now()?.view;
    [...ranks.querySelectorAll(".ax-rank")].forEach((button, i) => {
      const rank = pairing?.ranking[i];
      const on =
        rank && view?.layer === rank[0] && view.heads.length === 1 && view.heads[0] === rank[1];
      button.setAttribute("aria-pressed", String(Boolean(on)));
    });
  }

  function differenceCsv() {
    const names = (pairing?.units ?? []).map((unit) => ({
      ...asUnit(unit, "a"),
      text: nameOfUnit(unit),
    }));
    return toCsv({ weights: difference, rows: names, columns: names }, "query \\ key (A − B)");
  }

  /** @param {Uint8Array} bytes */
  function update(bytes) {
    const { pairing: fresh, payloads } = unpackPair(bytes);
    const first = pairing?.id !== fresh.id;
    pairing = fresh;
    theme = readTheme(root);
    linking = true;
    sides.a.update(payloads[0]);
    sides.b.update(payloads[1]);
    linking = false;
    if (payloads[2].length) save.arrived(payloads[2]);
    if (first) {
      const wish = asked().get("follow");
      const can = wish === "match" || wish === "free" || (wish === "same" && fresh.same_shape);
      follow = can ? wish : usual(fresh);
      follows.show(follow);
      const namesake = follows.element.querySelector("[value=same]");
      if (namesake instanceof HTMLInputElement) namesake.disabled = !fresh.same_shape;
      for (const side of /** @type {const} */ (["a", "b"])) {
        const head = sides[side].now()?.trace.head;
        const name = [head?.title, head?.passport].filter(Boolean).join(" · ");
        setText(titles[side], `${side.toUpperCase()}: ${name}`);
      }
      showWords(fresh);
      open();
    }
    copy?.show(fresh.link !== null);
    showDifference();
  }

  /** What to begin with: the link's heads, else those that differ most; weights in one scale on both sides. */
  function open() {
    const params = asked();
    linking = true;
    if (!params.has("scale")) {
      for (const side of [sides.a, sides.b]) side.look((now) => ({ ...now, scale: "absolute" }));
    }
    linking = false;
    const top = pairing?.ranking[0];
    if (!params.has("layer") && top) chooseRank(top);
    else if (!params.has("b_layer")) lead("a");
    report();
  }

  return {
    update,
    retheme: () => {
      theme = readTheme(root);
      sides.a.retheme();
      sides.b.retheme();
      showDifference();
    },
    destroy: () => {
      sides.a.destroy();
      sides.b.destroy();
      root.replaceChildren();
    },
  };
}

/** @param {CommonUnit} unit */
const nameOfUnit = (unit) =>
  unit.text.toLowerCase() === unit.other.toLowerCase() ? unit.text : `${unit.text}/${unit.other}`;

/** @param {number} x */
const withSign = (x) => `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(3)}`;
