import assert from "node:assert/strict";
import test from "node:test";
import {
  contrast,
  headColour,
  inkOn,
  luminance,
  oklch,
  rootRamp,
  weightRamp,
} from "../../explorer/instrument/numbers/palette.js";

/** @type {import("../../explorer/instrument/numbers/palette.js").Rgb[]} */
const PAGES = [
  [255, 255, 255],
  [18, 21, 28],
]; // as in .streamlit/config.toml

test("known colours: white, black, and sRGB red (Ottosson 2020)", () => {
  assert.deepEqual(oklch(1, 0, 0), [255, 255, 255]);
  assert.deepEqual(oklch(0, 0, 0), [0, 0, 0]);
  const [r, g, b] = oklch(0.62796, 0.25768, 29.234);
  assert.ok(r >= 254 && g <= 1 && b <= 1);
});

for (const [i, page] of PAGES.entries()) {
  const dark = i === 1;
  test(`the weight scale moves steadily away from the ${dark ? "dark" : "light"} page`, () => {
    const ramp = weightRamp(dark);
    assert.ok(contrast(ramp[0], page) < 1.2, "zero is nearly the page");
    assert.ok(contrast(ramp[255], page) > 10, "the full colour stands out");
    for (let level = 8; level < 256; level += 8) {
      const step = luminance(ramp[level]) - luminance(ramp[level - 8]);
      assert.ok(dark ? step > 0 : step < 0, `level ${level}`);
    }
  });

  test(`numbers on every colour of the ${dark ? "dark" : "light"} scale can be read (4.5 to 1)`, () => {
    for (const colour of weightRamp(dark))
      assert.ok(contrast(inkOn(colour), colour) >= 4.5, String(colour));
  });

  test(`twelve heads differ on the ${dark ? "dark" : "light"} page and stand out from it`, () => {
    const colours = Array.from({ length: 12 }, (_, head) => headColour(head, dark));
    colours.forEach((one, a) => {
      assert.ok(contrast(one, page) >= 2.9, `head ${a}: ${contrast(one, page)}`);
      colours.slice(0, a).forEach((other, b) => {
        const distance = Math.hypot(...one.map((v, k) => v - other[k]));
        assert.ok(distance > 40, `heads ${a} and ${b}: ${distance}`);
      });
    });
  });
}

test("the tones of fixed colours rise with the square root of a weight, from nothing to full", () => {
  const ramp = weightRamp(false);
  const root = rootRamp(ramp);
  assert.deepEqual([root[0], root[255]], [ramp[0], ramp[255]]);
  assert.equal(root[Math.round(255 * 0.25)], ramp[Math.round(255 * 0.5)]);
  root.slice(1).forEach((colour, i) => {
    assert.ok(luminance(colour) <= luminance(root[i]));
  });
});
