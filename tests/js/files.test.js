import assert from "node:assert/strict";
import test from "node:test";
import { sorted } from "../../explorer/instrument/parts/table.js";
import { pageTrouble } from "../../explorer/instrument/save/files.js";
import { inHelvetica } from "../../explorer/instrument/save/pdf.js";
import { pathData, toSvg, xml } from "../../explorer/instrument/save/svg.js";

/** @typedef {import("../../explorer/instrument/save/record.js").Item} Item */

const text = (/** @type {string} */ words) =>
  /** @type {Item} */ ({
    kind: "text",
    text: words,
    ...{ x: 1, y: 2, angle: 0, size: 12, bold: false, family: "a", font: "12px a", width: 30 },
    colour: [0, 0, 0, 1],
  });

test("a token is text in an SVG, whatever it holds", () => {
  const svg = toSvg([text('</text><script>x&"')], 10, 10, "<b>", "d\0e");
  assert.ok(svg.includes("&lt;/text&gt;&lt;script&gt;x&amp;&quot;</text>"));
  assert.ok(svg.includes("<title>&lt;b&gt;</title>"));
  assert.ok(svg.includes("<desc>d\ufffde</desc>"));
});

test("what XML cannot hold is made visible", () => {
  assert.equal(xml("a\u0001\ud800b😀\t"), "a\ufffd\ufffdb😀\t");
});

test("paths are written with two decimals, clips enclose what follows", () => {
  assert.equal(
    pathData([["M", 1, 2.005], ["C", 1, 2, 3, 4, 5, 6.789], ["Z"]]),
    "M1 2.01C1 2 3 4 5 6.79Z",
  );
  const square = /** @type {import("../../explorer/instrument/save/record.js").Segment[]} */ ([
    ["M", 0, 0],
    ["L", 1, 1],
    ["Z"],
  ]);
  const svg = toSvg(
    [{ kind: "clip", segments: square }, text("in"), { kind: "end" }],
    5,
    5,
    "",
    "",
  );
  assert.match(svg, /<clipPath id="clip0">.*<g clip-path="url\(#clip0\)">\s*<text.*\s*<\/g>/);
});

test("Helvetica's widths are the published ones, and other scripts are not in it", () => {
  assert.equal(inHelvetica("Hi", false)?.width, (722 + 222) / 1000);
  assert.equal(inHelvetica("Hi", true)?.width, (722 + 278) / 1000);
  assert.deepEqual(inHelvetica("’…", false)?.bytes, [0x92, 0x85]);
  for (const other of ["猫", "é", "→", "\n"]) assert.equal(inHelvetica(other, false), null);
});

test("a table is sorted by words or by numbers, either way, and equals keep their order", () => {
  const rows = [
    ["b", 2],
    ["a", 10],
    ["c", 2],
  ];
  assert.deepEqual(sorted(rows, { by: 0, up: true }).flat(), ["a", 10, "b", 2, "c", 2]);
  assert.deepEqual(sorted(rows, { by: 1, up: false }).flat(), ["a", 10, "b", 2, "c", 2]);
  assert.equal(sorted(rows, null), rows);
});

test("a page that is none is told apart: too large, or not made", () => {
  const said = (/** @type {number} */ length) => pageTrouble(new Uint8Array(length));
  assert.equal(said(0), "This is too large for a browser.");
  assert.equal(said(1), "The page could not be made; above the picture it is said why.");
  assert.equal(said(2000), "");
});
