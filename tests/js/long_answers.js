// For tests/models/test_exact_long.py: what the page says of heads of a long text, made from
// payloads of its heads and summaries. Reads a file of bytes for each level and a list of what is
// asked, as JSON; writes JSON.
import { readFileSync } from "node:fs";
import { unpack } from "../../explorer/instrument/numbers/data.js";
import { deepOf } from "../../explorer/instrument/numbers/deep.js";
import { modelOf } from "../../explorer/instrument/numbers/scene.js";
import { piecesOf, TILE, tileOf } from "../../explorer/instrument/numbers/tile.js";
import { assembled } from "../../explorer/instrument/numbers/tiles.js";
import { START } from "../../explorer/instrument/numbers/view.js";

/**
 * @typedef {import("../../explorer/instrument/numbers/data.js").Trace} Trace
 * @typedef {import("../../explorer/instrument/numbers/scene.js").Model} Model
 * @typedef {import("../../explorer/instrument/numbers/view.js").View} View
 * @typedef {{view: Partial<View>, file: number, layer: number, heads: number[], rows: number[],
 *            columns: number[], many: number[], part: [number, number, number, number]}} Asked
 *   rows, columns: units; many: more units than a frame makes rows of; part: top, bottom, left and
 *   right of the picture
 */

const [questions, ...files] = process.argv.slice(2);
const traces = files.map((file) => unpack(new Uint8Array(readFileSync(file))));
/** @type {Asked[]} */
const asked = JSON.parse(readFileSync(questions, "utf8"));

/** @param {Model} model */
const unitsOf = ({ layout: { rows, columns } }) =>
  [rows, columns].map((units) => units.map((unit) => unit.tokens));

/** A part of the picture below the map, put together of its tiles. @param {Trace} trace @param {View} view @param {Model} model @param {Asked["part"]} part */
function partOf(trace, view, model, [top, bottom, left, right]) {
  const deep = deepOf(trace, view, model);
  if (!deep) throw new Error("nothing lies below the map");
  const job = {
    ...{ rows: piecesOf(deep.rows), columns: piecesOf(deep.columns) },
    ...{ nKeys: trace.head.key_tokens.length, combine: deep.combine, rescaled: deep.rescaled },
    heads: deep.heads.map(({ head }) => head),
  };
  const at = { top, bottom, left, right };
  const { weights, holes } = assembled(at, deep.columns.length, (place) => tileOf(job, place));
  if (holes.length) throw new Error(`a hole in tiles of ${TILE}`);
  return { part: [...weights], pairs: deep.pairs };
}

/** @param {Asked} question */
function answer({ view, file, layer, heads, rows, columns, many, part }) {
  const [trace, now] = [traces[file], { ...START, layer, heads, ...view }];
  const model = modelOf(trace, now, layer, heads);
  if (!model) throw new Error(`a head of layer ${layer} is not here`);
  const { map, total } = model;
  const everyGroup = map.layout.rows.map((_, i) => i);
  return {
    units: unitsOf(model),
    groups: unitsOf(map),
    given: rows.map((row) => [...model.given([row])]),
    givenTogether: [...model.given(rows)],
    got: columns.map((column) => [...(model.got([column]) ?? [])]),
    gotTogether: [...(model.got(columns) ?? [])],
    numbers: [
      ...rows.map((row, i) => model.number([row], [columns[i]])),
      ...[model.number(rows, columns), model.number(many, columns), model.number(rows, many)],
    ],
    nowhere: [...rows.map((row) => model.nowhere([row])), model.nowhere(rows), model.nowhere([])],
    shares: [...(model.shares() ?? [])],
    hidden: model.hiddenShare(),
    sink: model.sinkShare(),
    profile: model.profile(),
    map: [...map.picture.weights],
    mapShares: [...(map.shares() ?? [])],
    mapNowhere: everyGroup.map((row) => total.nowhere([row])),
    total: total.number(everyGroup.slice(0, 4), everyGroup.slice(1, 3)),
    ...partOf(trace, now, model, part),
  };
}

process.stdout.write(JSON.stringify(asked.map(answer)));
