// Bytes -> a header and blocks of numbers: the one form of all payloads, written by container.py.

/**
 * @typedef {Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>
 *         | Float64Array<ArrayBuffer>} Numbers
 * @typedef {{type: string, shape: number[], data: Numbers} & Record<string, any>} Block
 *   what was said of it, and its numbers, which are its own: the message goes
 */

/** @typedef {"type" | "cut" | "more" | "foreign" | "header"} Breach what is wrong with a payload */

/** What was to be read is no payload; `numbers/broken.js` says why. */
export class Broken extends Error {
  /** @param {string} why one of these, or words @param {string | number} [value] */
  constructor(why, value = "") {
    super(why);
    this.value = value;
  }
}

/** @type {Record<string, {new (buffer: ArrayBuffer): Numbers, BYTES_PER_ELEMENT: number}>} */
const TYPES = {
  uint8: Uint8Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
};
const LETTERS = "AXP1";
const START = 8; // bytes before the header

/**
 * @param {Uint8Array} bytes
 * @returns {{head: any, blocks: Block[]}} head: without its list of blocks
 * @throws {Broken} it is cut, or something else
 */
export function read(bytes) {
  const { head, at } = readHead(bytes);
  const { blocks, ...rest } = head;
  let from = at;
  const found = blocks.map(
    (/** @type {{type: string, shape: number[], planes?: boolean}} */ about) => {
      const Kind = TYPES[about.type];
      if (!Kind) throw new Broken("type", about.type);
      const width = Kind.BYTES_PER_ELEMENT;
      const size = about.shape.reduce((product, n) => product * n, width);
      if (from + size > bytes.length) throw new Broken("cut", bytes.length);
      from += size;
      const own = bytes.slice(from - size, from);
      const data = new Kind((about.planes ? fromPlanes(own, width) : own).buffer);
      return { ...about, data };
    },
  );
  if (from !== bytes.length) throw new Broken("more", bytes.length - from);
  return { head: rest, blocks: found };
}

/** @param {Uint8Array} bytes */
function readHead(bytes) {
  const letters = new TextDecoder("latin1").decode(bytes.subarray(0, LETTERS.length));
  if (letters !== LETTERS || bytes.length < START) throw new Broken("foreign");
  const at = START + new DataView(bytes.buffer, bytes.byteOffset).getUint32(LETTERS.length, true);
  if (at > bytes.length) throw new Broken("cut", bytes.length);
  return { head: parse(new TextDecoder().decode(bytes.subarray(START, at))), at };
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Broken("header");
  }
}

/**
 * Numbers whose first bytes stood before all second ones, and so on.
 * @param {Uint8Array<ArrayBuffer>} planes @param {number} width bytes of a number
 */
function fromPlanes(planes, width) {
  const count = planes.length / width;
  const bytes = new Uint8Array(planes.length);
  for (let byte = 0; byte < width; byte++) {
    for (let i = 0, from = byte * count; i < count; i++) bytes[i * width + byte] = planes[from + i];
  }
  return bytes;
}
