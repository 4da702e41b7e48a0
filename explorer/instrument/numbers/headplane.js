// Heads on a plane, near what they resemble: where their dots are and which of them can be named.

/** @typedef {{x: number, y: number}} Dot in pixels */

const REACH = 14; // pixels from a dot at which it is still meant

/**
 * Where the dots stand. One scale for both directions: distances are what the plane is about.
 * @param {[number, number][]} places @param {number} width @param {number} height @returns {Dot[]}
 */
export function dotsOf(places, width, height) {
  const [xs, ys] = [places.map(([x]) => x), places.map(([, y]) => y)];
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [low, high] = [Math.min(...ys), Math.max(...ys)];
  const scale = Math.min((width - 50) / (right - left || 1), (height - 30) / (high - low || 1));
  return places.map(([x, y]) => ({
    x: width / 2 + (x - (left + right) / 2) * scale,
    y: height / 2 + (y - (low + high) / 2) * scale,
  }));
}

/**
 * The nearest of the dots that are shown; null where none is in reach.
 * @param {Dot[]} dots @param {Dot} point @param {(i: number) => boolean} isShown
 * @returns {number | null}
 */
export function nearestDot(dots, point, isShown) {
  let nearest = null;
  let least = REACH ** 2;
  dots.forEach(({ x, y }, i) => {
    const apart = (x - point.x) ** 2 + (y - point.y) ** 2;
    if (apart < least && isShown(i)) [nearest, least] = [i, apart];
  });
  return nearest;
}

/**
 * Dots whose names have room, the marked ones first.
 * @param {Dot[]} dots @param {(i: number) => boolean} isMarked
 * @param {(i: number) => boolean} isShown
 */
export function nameable(dots, isMarked, isShown) {
  const order = [...dots.keys()].filter(isShown);
  order.sort((i, j) => Number(isMarked(j)) - Number(isMarked(i)));
  /** @type {number[]} */
  const named = [];
  for (const i of order) {
    const { x, y } = dots[i];
    const covers = dots.some(
      (dot, j) => j !== i && dot.x > x - 4 && dot.x < x + 40 && Math.abs(dot.y - y) < 11,
    );
    const crosses = named.some((j) => Math.abs(x - dots[j].x) < 38 && Math.abs(y - dots[j].y) < 13);
    if (isMarked(i) || !(covers || crosses)) named.push(i);
  }
  return named;
}
