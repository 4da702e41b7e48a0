// What is shown of a head: pure functions from weights to weights. Nothing here knows a canvas.
// Weights are flat Float32Arrays, [query, key] row by row.

/**
 * @typedef {import("./data.js").Token} Token
 * @typedef {{text: string, tokens: number[], special: boolean, segment: number}} Unit
 * @typedef {{weights: Float32Array, rows: Unit[], columns: Unit[]}} Picture
 * @typedef {"shown" | "hidden" | "renormalised"} Specials
 * @typedef {"percentile" | "row" | "absolute"} Scale
 */

export const PERCENTILE = 0.98;
export const EVEN_SHARES = 3; // that the full colour stands for at least

/**
 * The units that stand in the picture: tokens, or words made of their pieces.
 * @param {Token[]} tokens @param {boolean} words @param {Specials} specials
 * @returns {Unit[]}
 */
export function unitsOf(tokens, words, specials) {
  /** @type {Unit[]} */
  const units = [];
  /** @type {number | null} */
  let open = null;
  tokens.forEach((token, i) => {
    const last = units[units.length - 1];
    if (words && token.word !== null && token.word === open && last) {
      last.tokens.push(i);
      last.text += token.text.replace(/^##/, "");
    } else {
      units.push({ text: token.text, tokens: [i], special: token.special, segment: token.segment });
    }
    open = token.word;
  });
  return specials === "shown" ? units : units.filter((unit) => !unit.special);
}

/**
 * The mean or the maximum of several heads, cell by cell. The maximum's rows sum to more than 1.
 * @param {Float32Array[]} heads @param {"mean" | "max"} how
 */
export function combine(heads, how) {
  if (heads.length === 1) return heads[0];
  const out = Float64Array.from(heads[0]);
  for (const head of heads.slice(1)) {
    for (let i = 0; i < out.length; i++) {
      out[i] = how === "max" ? Math.max(out[i], head[i]) : out[i] + head[i];
    }
  }
  const share = how === "mean" ? heads.length : 1;
  return Float32Array.from(out, (total) => total / share);
}

/**
 * Weights between units: keys add over the pieces of a word, queries average over them
 * (Clark et al. 2019), so that rows keep their sum. Units that are left out are dropped; with
 * `renormalise` each row is then divided by what is left of it.
 * @param {Float32Array} weights @param {number} nKeys @param {Unit[]} rows @param {Unit[]} columns
 * @param {boolean} renormalise
 * @returns {Picture}
 */
export function arrange(weights, nKeys, rows, columns, renormalise) {
  const out = new Float32Array(rows.length * columns.length);
  const line = new Float64Array(columns.length);
  rows.forEach((row, r) => {
    let sum = 0;
    columns.forEach((column, c) => {
      let cell = 0;
      for (const query of row.tokens)
        for (const key of column.tokens) cell += weights[query * nKeys + key];
      line[c] = cell;
      sum += cell;
    });
    const whole = renormalise ? sum || 1 : row.tokens.length;
    for (let c = 0; c < line.length; c++) out[r * line.length + c] = line[c] / whole;
  });
  return { weights: out, rows, columns };
}

/**
 * The largest single weight between units. With `renormalise` each weight is first divided by what
 * is left of its row.
 * @param {Float32Array} weights @param {number} nKeys @param {Unit[]} rows @param {Unit[]} columns
 * @param {boolean} renormalise
 * @returns {Picture}
 */
export function arrangeMost(weights, nKeys, rows, columns, renormalise) {
  const out = new Float32Array(rows.length * columns.length);
  const kept = columns.flatMap((column) => column.tokens);
  rows.forEach((row, r) => {
    for (const query of row.tokens) {
      const line = weights.subarray(query * nKeys, (query + 1) * nKeys);
      const whole = (renormalise && kept.reduce((sum, key) => sum + line[key], 0)) || 1;
      columns.forEach((column, c) => {
        const at = r * columns.length + c;
        for (const key of column.tokens) out[at] = Math.max(out[at], line[key] / whole);
      });
    }
  });
  return { weights: out, rows, columns };
}

/**
 * The weight that is painted in the full colour, for each row. [CLS] and [SEP] soak up most
 * attention, so the percentile and row scales look at ordinary keys only; what a special token
 * gets beyond that is painted in the full colour too. The percentile of a head that looks everywhere
 * is little: what is near an even share stays pale, in any head.
 * @param {Picture} picture @param {Scale} scale
 * @param {{share?: number, parts?: number}} [of] share: the percentile; another where a part of the
 *   picture is still empty; parts: among how many keys an even row is shared, where these are not
 *   the columns
 * @returns {Float32Array} one number a row
 */
export function fullColour({ weights, rows, columns }, scale, of = {}) {
  const { share = PERCENTILE, parts = columns.length } = of;
  const tops = new Float32Array(rows.length).fill(1);
  if (scale === "absolute") return tops;
  let ordinary = columns.map((unit, c) => (unit.special ? -1 : c)).filter((c) => c >= 0);
  if (!ordinary.length) ordinary = columns.map((_, c) => c);
  if (scale === "row") {
    for (let r = 0; r < rows.length; r++) {
      let top = 0;
      for (const c of ordinary) top = Math.max(top, weights[r * columns.length + c]);
      tops[r] = top || 1;
    }
    return tops;
  }
  const isOrdinary = new Uint8Array(columns.length);
  for (const c of ordinary) isOrdinary[c] = 1;
  return tops.fill(Math.max(percentileOf(weights, isOrdinary, share), leastFull(parts)));
}

/**
 * Among how many keys an even row is shared on a map: its units where it shows their sums, the tokens
 * where it shows the largest weight in each.
 * @param {Unit[]} columns @param {"sum" | "max"} pool
 */
export const partsIn = (columns, pool) =>
  pool === "sum" ? columns.length : columns.reduce((n, { tokens }) => n + tokens.length, 0);

/** The least that the full colour stands for. @param {number} parts keys that an even row is shared among */
export const leastFull = (parts) => Math.min(1, EVEN_SHARES / parts);

/**
 * The number of the full colour for one number a unit.
 * @param {Float32Array} values @param {Unit[]} units @param {Scale} scale
 */
export function fullOf(values, units, scale) {
  if (scale === "absolute") return 1;
  const ordinary = values.filter((_, i) => !units[i].special);
  const counted = (ordinary.length ? ordinary : values.slice()).sort();
  const at = scale === "row" ? 1 : PERCENTILE;
  return counted[Math.round(at * (counted.length - 1))] || 1;
}

const FEW = 4096; // weights that are sorted as fast as counted
const LOW = 14; // bits of a number that the first count leaves out
const high = new Uint32Array(2 ** (31 - LOW));
const low = new Uint32Array(2 ** LOW);

/**
 * A percentile of the weights in some columns. Of many by counting, as sorting 512 × 512 weights
 * would cost several frames: the bits of numbers from 0 on, read as integers, have the numbers'
 * order; so they are counted first by their upper bits, then, among those that share the wanted
 * ones, by the lower.
 * @param {Float32Array} weights @param {Uint8Array} counted by column @param {number} share
 */
function percentileOf(weights, counted, share) {
  const n = counted.length;
  if (weights.length <= FEW) {
    const sorted = weights.filter((_, i) => counted[i % n]).sort();
    return sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  }
  const bits = new Uint32Array(weights.buffer, weights.byteOffset, weights.length);
  high.fill(0);
  let total = 0;
  for (let start = 0; start < bits.length; start += n) {
    for (let c = 0; c < n; c++) {
      if (!counted[c]) continue;
      high[bits[start + c] >>> LOW]++;
      total++;
    }
  }
  if (!total) return 0;
  const [upper, left] = reached(high, total - Math.round(share * (total - 1)));
  low.fill(0);
  for (let start = 0; start < bits.length; start += n) {
    for (let c = 0; c < n; c++) {
      const own = bits[start + c];
      if (counted[c] && own >>> LOW === upper) low[own & (low.length - 1)]++;
    }
  }
  const [lower] = reached(low, left);
  return new Float32Array(Uint32Array.of(upper * 2 ** LOW + lower).buffer)[0];
}

/**
 * Where, counted from the end, so many are reached; and how many of these stand there.
 * @param {Uint32Array} counts @param {number} many
 */
function reached(counts, many) {
  let left = many;
  let at = counts.length - 1;
  while (at > 0 && left > counts[at]) left -= counts[at--];
  return [at, left];
}

/**
 * The smallest set of keys that holds a share of a row's attention, in no order.
 * @param {Float32Array} row @param {number} share 0 to 1
 * @returns {number[]} key numbers; empty for a row of zeros
 */
export function heaviest(row, share) {
  const order = row.slice().sort(); // numbers, ascending, natively
  const total = row.reduce((sum, w) => sum + w, 0);
  let held = 0;
  let count = 0;
  // A hair of slack: float sums may fall short of the full total by rounding alone.
  while (count < row.length && held < total * share - 1e-6) {
    const weight = order[row.length - 1 - count];
    if (weight <= 0) break;
    held += weight;
    count++;
  }
  const least = order[row.length - count];
  const above = [];
  const equal = [];
  for (let k = 0; k < row.length; k++) {
    if (row[k] > least) above.push(k);
    else if (row[k] === least) equal.push(k);
  }
  return count ? [...above, ...equal].slice(0, count) : [];
}

/**
 * How much some words look at some others in one head: `attention_between` of the Python side.
 * @param {Float32Array} weights `[query, key]` @param {number} nKeys
 * @param {{queries: number[][], keys: number[][], mean: boolean, together: boolean,
 *          kept: Uint8Array | null}} between kept: the keys whose sum a row is divided by
 * @returns {Float32Array} `[query word or 1, key word or 1]`
 */
export function attentionBetween(weights, nKeys, { queries, keys, mean, together, kept }) {
  const [nRows, nColumns] = [mean ? 1 : queries.length, together ? 1 : keys.length];
  const out = new Float64Array(nRows * nColumns);
  queries.forEach((word, r) => {
    const start = mean ? 0 : r * nColumns;
    const left = kept ? sumWhere(weights, nKeys, word, kept) : word.length;
    const share = left > 0 ? 1 / left / (mean ? queries.length : 1) : 0;
    for (const query of word) {
      keys.forEach((pieces, c) => {
        let sum = 0;
        for (const key of pieces) sum += weights[query * nKeys + key];
        out[start + (together ? 0 : c)] += sum * share;
      });
    }
  });
  return Float32Array.from(out);
}

/** @param {Float32Array} weights @param {number} nKeys @param {number[]} word @param {Uint8Array} kept */
function sumWhere(weights, nKeys, word, kept) {
  let sum = 0;
  for (const query of word) {
    for (let key = 0; key < nKeys; key++) {
      if (kept[key]) sum += weights[query * nKeys + key];
    }
  }
  return sum;
}

/**
 * Where chosen rows look: their mean.
 * @param {Picture} picture @param {number[]} chosen
 */
export function givenBy(picture, chosen) {
  if (chosen.length === 1) return rowOf(picture, chosen[0]);
  const out = new Float64Array(picture.columns.length);
  for (const r of chosen) {
    const row = rowOf(picture, r);
    for (let c = 0; c < out.length; c++) out[c] += row[c];
  }
  return Float32Array.from(out, (sum) => sum / chosen.length);
}

/**
 * How much each row looks at chosen columns: their sum.
 * @param {Picture} picture @param {number[]} chosen
 */
export function gotBy({ weights, rows, columns }, chosen) {
  const out = new Float32Array(rows.length);
  for (let r = 0; r < out.length; r++) {
    let sum = 0;
    for (const c of chosen) sum += weights[r * columns.length + c];
    out[r] = sum;
  }
  return out;
}

/**
 * How much chosen rows look at chosen columns: the mean over the rows of the sum over the columns.
 * @param {Picture} picture @param {number[]} rows @param {number[]} columns
 */
export function numberOf(picture, rows, columns) {
  const n = picture.columns.length;
  let sum = 0;
  for (const r of rows) for (const c of columns) sum += picture.weights[r * n + c];
  return sum / rows.length;
}

/** @param {Picture} picture @param {number} r */
export const rowOf = ({ weights, columns }, r) =>
  weights.subarray(r * columns.length, (r + 1) * columns.length);

/**
 * The largest numbers that any of several heads has.
 * @param {Float32Array[]} perHead
 */
export const largest = (perHead) => combine(perHead, "max");

/**
 * How much of all the attention each key gets: the mean of its column.
 * @param {Float32Array} weights `[query, key]` @param {number} nKeys
 */
export function received(weights, nKeys) {
  const out = new Float64Array(nKeys);
  for (let start = 0; start < weights.length; start += nKeys) {
    for (let c = 0; c < nKeys; c++) out[c] += weights[start + c];
  }
  return out.map((sum) => (sum * nKeys) / weights.length);
}

/**
 * The special token that gets the most attention, all its occurrences together; where there is
 * none, the ordinary token that does.
 * @param {Unit[]} columns @param {ArrayLike<number>} shares what each of them gets
 * @returns {{text: string, share: number} | null} null where there are none
 */
export function sinkOf(columns, shares) {
  /** @type {Map<string, {text: string, share: number}>} */
  const totals = new Map();
  const anySpecial = columns.some((unit) => unit.special);
  columns.forEach((unit, c) => {
    if (unit.special !== anySpecial) return;
    const name = anySpecial ? unit.text : String(c);
    const entry = totals.get(name) ?? { text: unit.text, share: 0 };
    entry.share += shares[c];
    totals.set(name, entry);
  });
  return [...totals.values()].sort((a, b) => b.share - a.share)[0] ?? null;
}

const BLANK = /^[\s\u2400-\u2426␣▁⏎⇥]*$/u;

/**
 * The running number of the word that each token says; −1 for what is no word. The same rule as
 * `same_words` of the Python side: the same letters, whatever their case (each made large, then
 * small), and both begin a word, or both go on with one; special tokens, unknown ones, spaces and
 * line breaks are no words.
 * @param {Pick<Token, "text" | "word" | "special">[]} tokens
 * @param {string | null} unknown what is shown for what the model does not know
 */
export function sameWords(tokens, unknown) {
  /** @type {Map<string, number>} */
  const numbers = new Map();
  return tokens.map(({ text, word, special }, i) => {
    if (special || text === unknown || BLANK.test(text)) return -1;
    const goesOn = word !== null && i > 0 && tokens[i - 1].word === word;
    const said = `${goesOn} ${text.toUpperCase().toLowerCase()}`;
    const number = numbers.get(said) ?? numbers.size;
    numbers.set(said, number);
    return number;
  });
}

/**
 * @typedef {{self: number, previous: number, next: number, repeat: number, special: number,
 *            entropy: number | null, possible: number, crosses: boolean}} Profile
 *   shares of all attention; entropies in bits, null where it is not known; crosses: keys are of
 *   another text than queries, so that no key stands before, after or at a query
 */

/**
 * What kind of head this is, by where its queries look on average (Clark et al. 2019): at
 * themselves, at the token before, at the one after, at the same word elsewhere; and how spread out
 * a row is over its keys, divided by its sum first: what a sink takes is no place to look at. Rows
 * without any weight count as looking nowhere.
 * @param {Float32Array} weights `[query, key]` of all tokens
 * @param {Pick<import("./data.js").Header, "query_tokens" | "key_tokens" | "unknown">} about
 * @param {number} possible the bits of even attention over the keys that each query may look at
 * @returns {Profile}
 */
export function profileOf(weights, { query_tokens: tokens, key_tokens: keys, unknown }, possible) {
  const crosses = keys !== tokens;
  const n = keys.length;
  const word = sameWords(tokens, unknown);
  const special = keys.map((token) => token.special);
  let [self, previous, next, repeat, drained, entropy] = [0, 0, 0, 0, 0, 0];
  for (let q = 0; q < tokens.length; q++) {
    if (!crosses) {
      self += weights[q * n + q];
      if (q > 0) previous += weights[q * n + q - 1];
      if (q < n - 1) next += weights[q * n + q + 1];
    }
    let [sum, bits] = [0, 0];
    for (let k = 0; k < n; k++) {
      const weight = weights[q * n + k];
      if (!(weight > 0)) continue;
      if (!crosses && word[k] === word[q] && word[q] >= 0 && k !== q) repeat += weight;
      if (special[k]) drained += weight;
      sum += weight;
      bits -= weight * Math.log2(weight);
    }
    if (sum > 0) entropy += Math.max(0, bits / sum + Math.log2(sum));
  }
  const mean = (/** @type {number} */ sum) => sum / tokens.length;
  return {
    crosses,
    self: mean(self),
    previous: mean(previous),
    next: mean(next),
    repeat: mean(repeat),
    special: mean(drained),
    entropy: mean(entropy),
    possible,
  };
}

/**
 * Paint weights as colour numbers 0 to 255 on a raster of the same size or a smaller one: where
 * many cells share a dot the largest wins, so that a single strong weight is never lost.
 * @param {Float32Array} weights @param {number} nRows @param {number} nColumns
 * @param {number} height @param {number} width
 * @param {Float32Array} tops one number a row
 */
export function raster(weights, nRows, nColumns, height, width, tops) {
  const out = new Uint8ClampedArray(height * width);
  const dotOf = Uint32Array.from({ length: nColumns }, (_, c) =>
    Math.floor((c * width) / nColumns),
  );
  for (let r = 0; r < nRows; r++) {
    const line = width * Math.floor((r * height) / nRows);
    const scale = 255 / tops[r];
    for (let c = 0; c < nColumns; c++) {
      const level = weights[r * nColumns + c] * scale;
      if (level > out[line + dotOf[c]]) out[line + dotOf[c]] = level;
    }
  }
  return out;
}

/**
 * The strongest pairs of a picture.
 * @param {Picture} picture @param {number} count
 * @returns {{row: number, column: number, weight: number}[]} heaviest first
 */
export function topPairs({ weights, columns }, count) {
  /** @type {number[]} */
  const best = [];
  for (let i = 0; i < weights.length; i++) {
    if (best.length === count && weights[i] <= weights[best[count - 1]]) continue;
    let at = best.length;
    while (at > 0 && weights[best[at - 1]] < weights[i]) at--;
    best.splice(at, 0, i);
    if (best.length > count) best.pop();
  }
  return best.map((i) => ({
    row: Math.floor(i / columns.length),
    column: i % columns.length,
    weight: weights[i],
  }));
}

const LEAST = 5e-8; // below it float32 weights say little

/**
 * A weight in digits that are the model's own: three decimals, four below 0.01, and two digits
 * below 0.001, as an even share of a long text is.
 * @param {number} weight
 */
export function digits(weight) {
  if (weight === 0) return "0";
  if (weight < LEAST) return "< 0.0000001";
  if (weight < 0.001) return weight.toFixed(1 - Math.floor(Math.log10(weight)));
  return weight < 0.01 ? weight.toFixed(4) : weight.toFixed(3);
}

/** A share in per cent; in a long text most words get little. @param {number} share */
export function percent(share) {
  if (share >= 0.1 || share === 0) return `${Math.round(100 * share)} %`;
  if (share >= 0.001) return `${(100 * share).toFixed(1)} %`;
  return share < 1e-6 ? "< 0.0001 %" : `${Number((100 * share).toPrecision(2))} %`;
}
