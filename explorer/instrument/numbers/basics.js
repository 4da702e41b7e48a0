// Small parts for numbers and memories.

/**
 * All whole numbers from one to another, in order.
 * @param {number} one @param {number} other
 */
export function range(one, other) {
  const [low, high] = [Math.min(one, other), Math.max(one, other)];
  return Array.from({ length: high - low + 1 }, (_, i) => low + i);
}

/**
 * What a map holds for a key, made the first time.
 * @template K, V
 * @param {{get: (key: K) => V | undefined, set: (key: K, value: V) => unknown}} map
 * @param {K} key @param {() => V} make
 * @returns {V}
 */
export function remember(map, key, make) {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

/** @param {number} x @param {number} low @param {number} high */
export const bound = (x, low, high) => Math.min(Math.max(x, low), high);

/** @template T @param {() => T} make what is made when it is first asked for */
export function once(make) {
  /** @type {T | undefined} */
  let made;
  return () => (made ??= make());
}

/** A token in quotation marks, in others than its own. @param {string} text */
export const inQuotes = (text) => (/[“”"]/.test(text) ? `‘${text}’` : `“${text}”`);
