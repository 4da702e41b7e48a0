// For tests/models/test_exact.py: what the page shows of some heads, made from a payload.
// Reads a file of bytes from pack, and a query and a key; writes JSON.
import { readFileSync } from "node:fs";
import { pinnedNumbers, wishOf } from "../../explorer/instrument/numbers/answers.js";
import { toCsv } from "../../explorer/instrument/numbers/csv.js";
import { unpack } from "../../explorer/instrument/numbers/data.js";
import { modelOf } from "../../explorer/instrument/numbers/scene.js";
import { START } from "../../explorer/instrument/numbers/view.js";

const [file, query, key] = process.argv.slice(2);
const trace = unpack(new Uint8Array(readFileSync(file)));
const last = trace.head.key_tokens.length - 1;
const between = Array.from({ length: last - 1 }, (_, i) => i + 1);

/** @param {number} layer @param {number} head */
function shownOf(layer, head) {
  const shown = { ...START, layer, heads: [head] };
  const model = modelOf(trace, shown, layer, [head]);
  const rescaled = modelOf(trace, { ...shown, specials: "renormalised" }, layer, [head]);
  if (!model || !rescaled) throw new Error(`layer ${layer} is not here`);
  return {
    ...{ layer, head },
    csv: toCsv(model.picture, ""),
    rescaled: toCsv(rescaled.picture, ""),
    sums: model.picture.rows.map((_, row) => model.number([row], between)),
    got: [...(model.got(between) ?? [])],
    shares: [...(model.shares() ?? [])],
    entropy: model.profile()?.entropy,
  };
}

const pair = { ...START, queries: [Number(query)], keys: [Number(key)] };
const wish = wishOf(trace, { ...pair, specials: "renormalised" });
const heads = [...trace.layers.keys()].map((layer) => shownOf(layer, 2));
process.stdout.write(JSON.stringify({ heads, pinned: pinnedNumbers(trace, wish) }));
