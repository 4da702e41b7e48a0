// Cards as a link writes them: a view's parameters in letters that may stand in one value, as
// `layer-3_heads-1_query-8`, and several of them after one another.

export const MOST_CARDS = 9; // a key for each
export const MOST_LETTERS = 400; // of one card: all of them have room in a link

const CARD = /^[a-z]+-[A-Za-z0-9.-]+(_[a-z]+-[A-Za-z0-9.-]+)*$/;
const [BETWEEN, AFTER] = ["_", "__"];

/** @param {Record<string, string>} params of a view */
export const cardText = (params) =>
  Object.entries(params)
    .map(([name, value]) => `${name}-${value}`)
    .join(BETWEEN);

/** @param {string} card */
export const cardParams = (card) =>
  new URLSearchParams(
    card.split(BETWEEN).map((part) => {
      const at = part.indexOf("-");
      return [part.slice(0, at), part.slice(at + 1)];
    }),
  );

/** @param {string[]} cards */
export const joinCards = (cards) => cards.join(AFTER);

/**
 * The cards in a stranger's text: what cannot be one is left out, and so is the same again.
 * @param {string | null} text
 */
export function splitCards(text) {
  const most = MOST_CARDS * (MOST_LETTERS + AFTER.length);
  const parts = (text ?? "").slice(0, most).split(AFTER);
  const cards = parts.filter((card) => card.length <= MOST_LETTERS && CARD.test(card));
  return [...new Set(cards)].slice(0, MOST_CARDS);
}
