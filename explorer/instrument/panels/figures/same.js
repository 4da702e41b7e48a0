// A figure that shows nothing of what is pointed at need not be drawn for it.

/** Whether all that a figure is drawn of is what it was drawn of last. */
export function createSame() {
  /** @type {unknown[]} */
  let last = [];
  return (/** @type {unknown[]} */ ...now) => {
    const isSame = now.length === last.length && now.every((part, i) => part === last[i]);
    last = now;
    return isSame;
  };
}

/**
 * A figure that shows nothing of what is pointed at, so that a hand over another one does not draw it.
 * @param {(acts: import("../../pages/articlefigures.js").Acts)
 *         => import("../../pages/articlefigures.js").Figure} create
 * @returns {typeof create}
 */
export const still = (create) => (acts) => {
  const figure = create(acts);
  const isSame = createSame();
  /** @type {import("../../pages/articlefigures.js").Shown["state"] | null} */
  let before = null;
  /** @param {import("../../pages/articlefigures.js").Shown} shown */
  function show(shown) {
    const { article, view, hovered } = shown.state;
    const isPointed = before !== null && before.hovered !== hovered;
    before = shown.state;
    const isOld = isSame(article, view, shown.theme, figure.element.clientWidth);
    if (!isOld || !isPointed) figure.show(shown);
  }
  return { ...figure, show };
};
