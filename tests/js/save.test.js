import assert from "node:assert/strict";
import test from "node:test";
import { csvCell, toCsv } from "../../explorer/instrument/numbers/csv.js";
import { fileName } from "../../explorer/instrument/save/handing.js";

const unit = (/** @type {string} */ text) => ({ text, tokens: [], special: false, segment: 0 });

test("a cell that a spreadsheet would run is made harmless", () => {
  const ascii = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    '"=1',
    "'=1",
    '" =1',
  ];
  const wide = [
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "﹦1",
    "﹢1",
    "﹣1",
    "﹫1",
    "\u200b=1",
    "\u3000＝1",
  ];
  for (const evil of [...ascii, ...wide]) {
    assert.ok(csvCell(evil).replace(/^"/, "").startsWith("'"), evil);
  }
  for (const plain of ["a=b", "a＝b", "猫", "it's", "", " a"]) assert.equal(csvCell(plain), plain);
  assert.equal(csvCell('"'), '""""');
});

test("commas, quotes and line ends stay inside their cell", () => {
  assert.equal(csvCell('say "hi", you'), '"say ""hi"", you"');
  assert.equal(csvCell("a\nb"), '"a\nb"');
});

test("a picture is written with its queries down and its keys across", () => {
  const picture = {
    weights: Float32Array.from([0.25, 0.75, 1, 0]),
    rows: [unit("猫"), unit("=x")],
    columns: [unit("a"), unit(",")],
  };
  assert.equal(toCsv(picture, "L0 H1"), '\ufeffL0 H1,a,","\r\n猫,0.25,0.75\r\n\'=x,1,0\r\n');
});

test("what a row gives to its sink stands in a column of its own", () => {
  const picture = {
    weights: Float32Array.from([0.25, 0.5]),
    rows: [unit("a")],
    columns: [unit("a"), unit("b")],
  };
  assert.equal(toCsv(picture, "L0", [0.25]), "\ufeffL0,a,b,no token (sink)\r\na,0.25,0.5,0.25\r\n");
  const most = toCsv(picture, "L0", [0.25], true);
  assert.match(most, /^\ufeffL0,a,b,no token \(sink: mean of these heads\)\r\n/);
});

test("a file’s numbers are those that were computed, to the last bit", () => {
  const weights = Float32Array.from([0.1, 1 / 3, 1e-7, 3.4e-12, 0.99999994, 1e-38]);
  const units = Array.from(weights, () => unit("a"));
  const text = toCsv({ weights, rows: [unit("b")], columns: units }, "");
  const cells = text.trim().split("\r\n")[1].split(",").slice(1);
  assert.deepEqual(Float32Array.from(cells, Number), weights);
});

test("numbers below zero stay numbers", () => {
  const picture = { weights: Float32Array.from([-0.25]), rows: [unit("a")], columns: [unit("-")] };
  assert.equal(toCsv(picture, "A − B"), "\ufeffA − B,'-\r\na,-0.25\r\n");
});

test("a file name has safe letters only", () => {
  assert.equal(fileName("Layer 2, head 9", "csv"), "layer-2-head-9.csv");
  assert.equal(fileName("../../x", "png"), "x.png");
});
