// What attention does not know by itself: in which order the words stand. A small layer, here and now.

import { moveWords, swapped } from "../../numbers/articlelayer.js";
import { t } from "../../numbers/language.js";
import { choice, h, pushButton, setText } from "../../parts/dom.js";

/** @typedef {import("../../numbers/articlelayer.js").SmallLayer} SmallLayer */

/** @param {import("../../pages/articlefigures.js").Acts} _acts @returns {import("../../pages/articlefigures.js").Figure} */
export function createOrder(_acts) {
  let [order, held, placed] = [/** @type {number[]} */ ([]), -1, false];
  /** @type {import("../../pages/articlefigures.js").Shown | null} */
  let last = null;
  const again = () => last && show(last);
  const positions = choice(
    t("The layer is given words"),
    [
      ["without", t("without positions"), t("The layer reads the words alone")],
      [
        "with",
        t("with positions"),
        t("The place of each word is added to its vector, as sines and cosines"),
      ],
    ],
    (value) => {
      placed = value === "with";
      again();
    },
  );
  positions.show("without");
  const back = pushButton(t("As at first"), "", () => {
    order = order.map((_, i) => i);
    again();
  });
  const rows = h("div", { class: "ax-order", role: "group", "aria-label": t("Words, in order") });
  const says = h("p", { class: "ax-fig-says", "aria-live": "polite" });
  const hint = h("p", { class: "ax-help" }, t("Choose two words: they change places."));
  const tools = h("div", { class: "ax-tools" }, positions.element, back);
  const element = h("div", {}, tools, hint, rows, says);
  rows.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-place]");
    if (!(button instanceof HTMLElement)) return;
    const place = Number(button.dataset.place);
    if (held >= 0) order = swapped(order, held, place);
    held = held >= 0 ? -1 : place;
    again();
    const now = rows.querySelector(`[data-place="${place}"]`);
    if (now instanceof HTMLElement) now.focus();
  });

  /** @param {import("../../pages/articlefigures.js").Shown} shown */
  function show(shown) {
    last = shown;
    const layer = /** @type {SmallLayer | undefined} */ (
      shown.state.article.facts?.corrections?.order
    );
    if (!layer) return setText(says, t("The numbers are being fetched…"));
    if (!order.length) order = [...layer.moved];
    const found = moveWords(layer, order, placed);
    const top = Math.max(...found.rows.flat().map(Math.abs));
    rows.replaceChildren(
      ...order.map((word, place) => lineOf(layer, { word, place, held }, found, top, shown.theme)),
    );
    setText(says, saysOf(Math.max(...found.off), placed));
  }
  return {
    element,
    show,
    where: () => ({
      ...{ page: "step", open: { stage: "1" } },
      label: t("The positions of your text, in Step by step"),
    }),
  };
}

/**
 * @param {SmallLayer} layer @param {{word: number, place: number, held: number}} at
 * @param {ReturnType<typeof moveWords>} found @param {number} top
 * @param {import("../../parts/theme.js").Theme} theme
 */
function lineOf({ words }, { word, place, held }, { rows, off }, top, theme) {
  const button = h(
    "button",
    {
      ...{ type: "button", class: "ax-pick", "data-place": String(place) },
      "aria-pressed": String(held === place),
    },
    words[word],
  );
  const cells = rows[place].map((value) => {
    const cell = h("i", { title: value.toFixed(4) });
    cell.style.background = colourOf(value / top, theme);
    return cell;
  });
  const change = off[place] < 1e-12 ? "0" : off[place].toFixed(3);
  return h(
    "div",
    { class: "ax-order-row" },
    h("span", { class: "ax-help" }, String(place)),
    button,
    h("span", { class: "ax-order-cells", "aria-hidden": "true" }, ...cells),
    h("span", { class: "ax-help" }, t("changed by {n}", { n: change })),
  );
}

/** @param {number} share −1 to 1 @param {import("../../parts/theme.js").Theme} theme */
function colourOf(share, theme) {
  const [r, g, b] = theme.diverging[Math.round(127.5 + 127.5 * share)];
  return `rgb(${r}, ${g}, ${b})`;
}

/** @param {number} off @param {boolean} placed */
function saysOf(off, placed) {
  if (placed && off > 1e-12)
    return t(
      "With positions a word’s output depends on where it stands and on where the others stand: it changes by up to {n}.",
      { n: off.toFixed(3) },
    );
  if (placed) return t("All words stand where they stood at first: nothing changes.");
  return t(
    "Without positions every output goes along with its word and stays what it was, but for rounding: it changes by {n} at most. “The cat chased the dog” and “the dog chased the cat” are the same to this layer, and so are its two “the”.",
    { n: off ? off.toExponential(1) : "0" },
  );
}
