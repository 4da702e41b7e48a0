// For tests/unit/test_long_pages.py: what a browser has of a head of a long text, from a payload.
// Reads a file of bytes from pack, a layer, a head and a query; writes JSON.
import { readFileSync } from "node:fs";
import { placeOf, unpack } from "../../explorer/instrument/numbers/data.js";
import { columnsOfHead, rowsOfHead } from "../../explorer/instrument/numbers/scores.js";

const [file, layer, head, query] = process.argv.slice(2);
const trace = unpack(new Uint8Array(readFileSync(file)));
const place = placeOf(Number(layer), Number(head));
const here = trace.heads.get(place);
const summary = trace.summaries.get(place);
if (!here || !("scores" in here) || !summary?.maps) throw new Error("the head is not here");
const at = Number(query);

process.stdout.write(
  JSON.stringify({
    row: [...rowsOfHead(here.scores, 0, [at])],
    column: [...columnsOfHead(here.scores, 0, [at])],
    received: [...summary.received],
    ordinary: [...summary.ordinary],
    maps: [...summary.maps.weights],
    sides: [summary.maps.nRows, summary.maps.nColumns],
    strongest: summary.pairWeights[0],
    level: summary.level,
    levels: trace.head.levels,
    small: [...(trace.smalls.get(place)?.all ?? [])],
    tokens: trace.head.query_tokens.slice(0, 3),
  }),
);
