// Attention through the layers: how much of each input reaches a chosen vector, by attention alone.
// Rollout (Abnar, Zuidema 2020): each layer mixes a token's own vector, which the residual
// connection keeps, with what attention brings. Pure functions.

/**
 * @typedef {{layer: number, from: number, to: number, flow: number}} Link
 *   in a layer, unit `from` (above) takes the share `flow` of everything from unit `to` (below)
 * @typedef {{mass: Float64Array[], links: Link[]}} Path
 *   mass[level][unit]: how much is drawn from there; level 0 is the input, level l the output of
 *   layer l − 1
 */

export const FEWEST = 1 / 1500; // a link that carries less of the whole is not drawn

/**
 * Follow attention down from some units.
 * @param {(layer: number) => Float32Array} weightsOf a layer's attention, `[unit, unit]`
 * @param {number} n units @param {number} level where to start: the output of layer level − 1
 * @param {number[]} units where to start; all if empty
 * @param {number} residual the residual connection's share, 0 to 1
 * @param {number} share of what passes each layer, that the links shall hold
 * @returns {Path}
 */
export function follow(weightsOf, n, level, units, residual, share) {
  const mass = Array.from({ length: level + 1 }, () => new Float64Array(n));
  const start = units.length ? units : Array.from({ length: n }, (_, i) => i);
  for (const unit of start) mass[level][unit] = 1 / start.length;
  /** @type {Link[]} */
  const links = [];
  for (let layer = level - 1; layer >= 0; layer--) {
    const [above, below] = [mass[layer + 1], mass[layer]];
    const found = pass(weightsOf(layer), above, below, residual, layer);
    links.push(...heaviestLinks(found, above, share));
  }
  return { mass, links };
}

/**
 * A path as far as its units are shown.
 * @param {Path} path @param {number[]} seen the units that are shown, in order
 * @returns {Path & {hidden: number, lost: number}} the units by their places among these; what is
 *   drawn from other units of the input; and what reaches none, as rows sum to less than 1
 */
export function shownOf({ mass, links }, seen) {
  const places = new Map(seen.map((unit, i) => [unit, i]));
  const own = mass.map((level) => Float64Array.from(seen, (unit) => level[unit]));
  const sum = (/** @type {Float64Array} */ level) => level.reduce((all, held) => all + held, 0);
  const drawn = links.flatMap((link) => {
    const [from, to] = [places.get(link.from), places.get(link.to)];
    return from === undefined || to === undefined ? [] : [{ ...link, from, to }];
  });
  const [reached, shown] = [sum(mass[0]), sum(own[0])];
  return { mass: own, links: drawn, hidden: reached - shown, lost: 1 - reached };
}

/**
 * One layer: fills what is drawn from below, and gives the links that are worth drawing.
 * @param {Float32Array} weights @param {Float64Array} above @param {Float64Array} below
 * @param {number} residual @param {number} layer
 * @returns {Link[]}
 */
function pass(weights, above, below, residual, layer) {
  const n = above.length;
  /** @type {Link[]} */
  const found = [];
  for (let from = 0; from < n; from++) {
    const held = above[from];
    if (held === 0) continue;
    below[from] += held * residual;
    const part = held * (1 - residual);
    const row = from * n;
    for (let to = 0; to < n; to++) below[to] += part * weights[row + to];
    if (held < FEWEST) continue; // none of its links can be worth drawing
    for (let to = 0; to < n; to++) {
      const flow = part * weights[row + to] + (to === from ? held * residual : 0);
      if (flow >= FEWEST) found.push({ layer, from, to, flow });
    }
  }
  return found;
}

/** @param {Link[]} links @param {Float64Array} above @param {number} share */
function heaviestLinks(links, above, share) {
  const wanted = share * above.reduce((sum, held) => sum + held, 0) - 1e-9;
  links.sort((a, b) => b.flow - a.flow);
  let held = 0;
  let count = 0;
  while (count < links.length && held < wanted) held += links[count++].flow;
  return links.slice(0, count);
}
