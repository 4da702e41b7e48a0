// The run: what comes out of a layer that nobody has trained, beside one that was.

import { weightsOf } from "../../numbers/article.js";
import { ofHead, spreadOf } from "../../numbers/articlesums.js";
import { indexOf } from "../../numbers/data.js";
import { headName } from "../../numbers/headname.js";
import { t } from "../../numbers/language.js";
import { h, setText } from "../../parts/dom.js";
import { createMatrix } from "../../parts/matrix.js";
import { createHeadChoice } from "./headchoice.js";
import { createSame } from "./same.js";
import { notYet } from "./waiting.js";

const WIDEST = 340; // pixels of a map

/** @param {import("../../pages/articlefigures.js").Acts} acts @returns {import("../../pages/articlefigures.js").Figure} */
export function createNoise(acts) {
  /** @type {{tokens: string[], maps: ArrayLike<number>[]} | null} */
  let last = null;
  const printed = h("pre", { class: "ax-printed", tabindex: "0" });
  const head = createHeadChoice(acts.look);
  const maps = [0, 1].map((i) =>
    createMatrix(
      (query, key) => acts.look({ query, key }),
      (row, column) => {
        if (!last) return "";
        const { tokens } = last;
        const value = last.maps[i][row * tokens.length + column].toFixed(3);
        return t("{word} → {other}: {value}", { word: tokens[row], other: tokens[column], value });
      },
    ),
  );
  const says = h("p", { class: "ax-fig-says" });
  const waiting = notYet();
  const isSame = createSame();
  const both = h("div", { class: "ax-noise-maps" }, ...maps.map(({ element }) => element));
  const element = h(
    "div",
    {},
    ...[printed, h("div", { class: "ax-tools" }, head.element), waiting, both, says],
  );

  /** @param {import("../../pages/articlefigures.js").Shown} shown */
  function show({ state, theme }) {
    const { facts, trace } = state.article;
    head.show(state);
    const { layers, example } = facts;
    waiting.hidden = !!(layers && example);
    both.hidden = says.hidden = printed.hidden = !(layers && example);
    if (!layers || !example) return;
    setText(
      printed,
      `>>> print(output.shape)\ntorch.Size([${example.arrays.output.shape.join(", ")}])`,
    );
    const { layer, head: one } = state.view;
    if (isSame(layers, layer, one, theme, both.clientWidth)) return;
    const tokens = trace.head.key_tokens.map(({ text }) => text);
    const random = ofHead(layers.arrays.noise, indexOf(trace.head, layer), one);
    const trained = weightsOf(state);
    last = { tokens, maps: [random, trained] };
    const top = Math.max(...random, ...trained);
    const wide = Math.min(WIDEST, Math.max(150, maps[0].element.clientWidth));
    const named = [t("random weights"), t("trained: {head}", { head: headName(layer, one) })];
    last.maps.forEach((values, i) => {
      const n = tokens.length;
      const label = t("{name}: one row for each token that looks, {shape}.", {
        name: named[i],
        shape: `${n} × ${n}`,
      });
      const of = { values, rows: n, columns: n, weights: true, top, wide, widest: wide };
      maps[i].show({ ...of, names: tokens, name: named[i], shape: "", label }, theme);
    });
    setText(says, noiseSays(random, trained, tokens.length));
  }
  return {
    element,
    show,
    where: () => ({ page: "train", label: t("Watch a layer learn on Train") }),
  };
}

/** @param {Float32Array} random @param {Float32Array} trained @param {number} n */
function noiseSays(random, trained, n) {
  const [one, other] = [spreadOf(random, n), spreadOf(trained, n)];
  return t(
    "The largest weight of a row is {one} on average with random weights and {other} when trained; {even} would be even. In bits, a row is spread over {bits} of {possible} with random weights, and over {less} when trained. Both outputs have the same shape.",
    {
      ...{ one: one.largest.toFixed(3), other: other.largest.toFixed(3), even: (1 / n).toFixed(3) },
      ...{
        bits: one.bits.toFixed(2),
        less: other.bits.toFixed(2),
        possible: Math.log2(n).toFixed(2),
      },
    },
  );
}
