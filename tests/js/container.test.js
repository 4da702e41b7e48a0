import assert from "node:assert/strict";
import test from "node:test";
import { brokenWords } from "../../explorer/instrument/numbers/broken.js";
import { Broken, read } from "../../explorer/instrument/wire/container.js";
import { container } from "./trace.js";

const whole = () =>
  container({ id: "猫" }, [
    [{ name: "a", shape: [2, 1] }, Float64Array.of(Math.PI, -0)],
    [{ name: "b" }, Float32Array.of(0.1)],
    [{ name: "c" }, Int32Array.of(-7, 2 ** 31 - 1)],
    [{ name: "d" }, Uint8Array.of(255)],
    [{ name: "e" }, new Uint8Array()],
  ]);

test("blocks come out as they went in, bit for bit, wherever the message begins", () => {
  const { head, blocks } = read(whole());
  assert.deepEqual(head, { id: "猫" });
  assert.deepEqual(
    blocks.map(({ name, type, shape }) => [name, type, shape]),
    [
      ["a", "float64", [2, 1]],
      ["b", "float32", [1]],
      ["c", "int32", [2]],
      ["d", "uint8", [1]],
      ["e", "uint8", [0]],
    ],
  );
  assert.ok(Object.is(blocks[0].data[1], -0));
  assert.deepEqual([...blocks[1].data], [Math.fround(0.1)]);
  assert.deepEqual([...blocks[2].data], [-7, 2 ** 31 - 1]);
});

test("a block's numbers are its own: the message may go", () => {
  const bytes = whole();
  const { blocks } = read(bytes);
  bytes.fill(0);
  assert.equal(blocks[0].data[0], Math.PI);
});

test("numbers in planes come out as those that are not", () => {
  const numbers = Float32Array.of(0.1, -2, 3e30);
  const bytes = new Uint8Array(numbers.buffer);
  const planes = Uint8Array.from(
    { length: 12 },
    (_, at) => bytes[4 * (at % 3) + Math.floor(at / 3)],
  );
  const about = { type: "float32", shape: [3], planes: true };
  const { blocks } = read(container({}, [[about, planes]]));
  assert.deepEqual(blocks[0].data, numbers);
});

test("a payload that is cut anywhere is told, and so is one that is longer than it says", () => {
  const bytes = whole();
  for (let n = 0; n < bytes.length; n++) assert.throws(() => read(bytes.slice(0, n)), Broken);
  assert.throws(() => read(Uint8Array.of(...bytes, 0)), Broken);
});

test("what is something else is told", () => {
  assert.throws(() => read(new TextEncoder().encode("<!doctype html>")), Broken);
  assert.throws(() => read(container({}, [[{ type: "float16" }, Uint8Array.of(1, 2)]])), Broken);
});

test("what is wrong with a payload is said in words", () => {
  const why = (/** @type {Uint8Array} */ bytes) => {
    try {
      return read(bytes) && "";
    } catch (error) {
      return brokenWords(/** @type {Broken} */ (error));
    }
  };
  const bytes = container({}, []);
  assert.equal(why(Uint8Array.of(...bytes, 0, 0)), "2 bytes too many");
  assert.equal(why(bytes.slice(0, 9)), "cut after 9 bytes");
  assert.equal(why(new TextEncoder().encode("<!doctype html>")), "not one of this page’s");
  assert.equal(brokenWords(new Broken("this browser cannot")), "this browser cannot");
});
