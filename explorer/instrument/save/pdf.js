// What a pen wrote down as a PDF file (ISO 32000-1). Lines and cells stay lines and cells. Text in
// Latin letters stays text, in Helvetica, which every reader has, stretched to the room that it took
// on screen; other scripts are embedded as pictures of themselves, since their fonts are not ours.

import { remember } from "../numbers/basics.js";

/**
 * @typedef {import("./record.js").Item} Item
 * @typedef {import("./record.js").Segment} Segment
 * @typedef {Extract<Item, {kind: "text"}>} Text
 */

const POINT = 0.75; // of a CSS pixel
const SHARP = 4; // dots a pixel of text that is embedded as a picture

// The widths of Helvetica and Helvetica-Bold in thousandths, for the characters 32 to 126.
const REGULAR = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
  556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
  611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
  667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
  222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
const BOLD = [
  278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
  556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667,
  611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
  667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556,
  278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
];
/** What WinAnsiEncoding has beyond ASCII of what we write: its code, and its width. @type {Record<string, [number, number]>} */
const MORE = {
  "’": [0x92, 222],
  "‘": [0x91, 222],
  "“": [0x93, 333],
  "”": [0x94, 333],
  "–": [0x96, 556],
  "—": [0x97, 1000],
  "…": [0x85, 1000],
  "·": [0xb7, 278],
  "×": [0xd7, 584],
};

const short = (/** @type {number} */ x) => String(Math.round(x * 1000) / 1000);
const numbers = (/** @type {number[]} */ ...values) => values.map(short).join(" ");

/**
 * A text in Helvetica: its bytes, and how wide it is at size 1.
 * @param {string} text @param {boolean} bold
 * @returns {{bytes: number[], width: number} | null} null where Helvetica has not all of it
 */
export function inHelvetica(text, bold) {
  const widths = bold ? BOLD : REGULAR;
  const bytes = [];
  let width = 0;
  for (const letter of text) {
    const code = letter.codePointAt(0) ?? 0;
    const [byte, wide] =
      code >= 32 && code <= 126 ? [code, widths[code - 32]] : (MORE[letter] ?? []);
    if (byte === undefined || wide === undefined) return null;
    bytes.push(byte);
    width += wide / 1000;
  }
  return { bytes, width };
}

/** @param {Segment[]} segments */
const pathWords = (segments) =>
  segments
    .map(([letter, ...at]) =>
      letter === "Z"
        ? "h"
        : `${numbers(...at)} ${letter === "M" ? "m" : letter === "L" ? "l" : "c"}`,
    )
    .join(" ");

/** Objects of a file under way, numbered from 1. */
class Objects {
  constructor() {
    /** @type {(string | Uint8Array)[][]} */
    this.list = [];
  }

  /** @param {(string | Uint8Array)[]} parts */
  add(...parts) {
    this.list.push(parts);
    return this.list.length;
  }

  /** @param {string} about @param {Uint8Array} data */
  async stream(about, data) {
    const packed = new Response(
      new Blob([/** @type {BlobPart} */ (data)])
        .stream()
        .pipeThrough(new CompressionStream("deflate")),
    );
    const bytes = new Uint8Array(await packed.arrayBuffer());
    const head = `<< ${about} /Filter /FlateDecode /Length ${bytes.length} >>\nstream\n`;
    return this.add(head, bytes, "\nendstream");
  }

  /** The whole file. @param {number} root @param {number} info */
  file(root, info) {
    const encoder = new TextEncoder();
    /** @type {Uint8Array[]} */
    const chunks = [];
    let length = 0;
    const put = (/** @type {string | Uint8Array} */ part) => {
      const bytes = typeof part === "string" ? encoder.encode(part) : part;
      chunks.push(bytes);
      length += bytes.length;
    };
    put("%PDF-1.7\n");
    const places = this.list.map((parts, i) => {
      const place = length;
      put(`${i + 1} 0 obj\n`);
      parts.forEach(put);
      put("\nendobj\n");
      return place;
    });
    const start = length;
    put(`xref\n0 ${places.length + 1}\n0000000000 65535 f \n`);
    for (const place of places) put(`${String(place).padStart(10, "0")} 00000 n \n`);
    put(
      `trailer\n<< /Size ${places.length + 1} /Root ${root} 0 R /Info ${info} 0 R >>\nstartxref\n${start}\n%%EOF\n`,
    );
    return new Blob(/** @type {BlobPart[]} */ (chunks), { type: "application/pdf" });
  }
}

/**
 * A page under way: what is written on it, and what that uses.
 * @typedef {{objects: Objects, words: string[], looks: Map<string, number>, images: Set<number>}} Page
 *   looks: transparencies and their objects; images: the objects of these
 */

/**
 * @param {Item[]} items @param {number} width @param {number} height in CSS pixels
 * @param {string} title
 * @returns {Promise<Blob>}
 */
export async function toPdf(items, width, height, title) {
  /** @type {Page} */
  const page = {
    objects: new Objects(),
    words: [`${POINT} 0 0 ${-POINT} 0 ${short(height * POINT)} cm`],
    looks: new Map(),
    images: new Set(),
  };
  for (const item of items) await write(page, item);
  return bind(page, width, height, title);
}

/** @param {Page} page @param {Item} item */
async function write(page, item) {
  const { words, objects } = page;
  if (item.kind === "end") words.push("Q");
  else if (item.kind === "clip") words.push(`q ${pathWords(item.segments)} W n`);
  else if (item.kind === "path") writePath(page, item);
  else if (item.kind === "image") {
    const { x, y, width: wide, height: tall } = item.box;
    words.push(look(page, 1));
    const image = await picture(objects, item.pixels, item.width, item.height);
    place(page, image, [wide, 0, 0, -tall, x, y + tall]);
  } else {
    const known = inHelvetica(item.text, item.bold);
    words.push(look(page, item.colour[3]));
    if (known && known.width > 0) words.push(...line(item, known, colourWord(item.colour, "rg")));
    else place(page, ...(await writing(objects, item)));
  }
}

/** @param {Page} page @param {Extract<Item, {kind: "path"}>} item */
function writePath(page, { fill, stroke, segments, width }) {
  const path = pathWords(segments);
  if (fill) page.words.push(look(page, fill[3]), colourWord(fill, "rg"), `${path} f`);
  if (!stroke) return;
  page.words.push(look(page, stroke[3]), colourWord(stroke, "RG"), `${short(width)} w`);
  page.words.push(`${path} S`);
}

/** From here on so transparent. @param {Page} page @param {number} alpha */
function look({ objects, looks }, alpha) {
  const name = short(Math.round(alpha * 100) / 100);
  const made = remember(looks, name, () =>
    objects.add(`<< /Type /ExtGState /ca ${name} /CA ${name} >>`),
  );
  return `/G${made} gs`;
}

/** @param {number[]} colour @param {string} operator */
const colourWord = ([r, g, b], operator) => `${numbers(r / 255, g / 255, b / 255)} ${operator}`;

/** @param {Page} page @param {number} image @param {number[]} matrix of the unit square */
function place({ images, words }, image, matrix) {
  images.add(image);
  words.push(`q ${numbers(...matrix)} cm /I${image} Do Q`);
}

/**
 * The file of one page, and all that a reader needs for it.
 * @param {Page} page @param {number} width @param {number} height @param {string} title
 */
async function bind({ objects, words, looks, images }, width, height, title) {
  const content = await objects.stream("", new TextEncoder().encode(words.join("\n")));
  const font = (/** @type {string} */ name) =>
    objects.add(`<< /Type /Font /Subtype /Type1 /BaseFont /${name} /Encoding /WinAnsiEncoding >>`);
  const [regular, bold] = [font("Helvetica"), font("Helvetica-Bold")];
  const states = [...looks.values()].map((i) => `/G${i} ${i} 0 R`).join(" ");
  const pictures = [...images].map((i) => `/I${i} ${i} 0 R`).join(" ");
  const resources = `<< /Font << /F1 ${regular} 0 R /F2 ${bold} 0 R >> /ExtGState << ${states} >> /XObject << ${pictures} >> >>`;
  const pages = objects.list.length + 2;
  const size = numbers(width * POINT, height * POINT);
  const page = objects.add(
    `<< /Type /Page /Parent ${pages} 0 R /MediaBox [0 0 ${size}] /Contents ${content} 0 R /Resources ${resources} >>`,
  );
  objects.add(`<< /Type /Pages /Kids [${page} 0 R] /Count 1 >>`);
  const name = [...title].flatMap(utf16).join("");
  const info = objects.add(`<< /Title <feff${name}> >>`);
  const root = objects.add(`<< /Type /Catalog /Pages ${pages} 0 R >>`);
  return objects.file(root, info);
}

/** A character as hexadecimal UTF-16. @param {string} letter */
const utf16 = (letter) =>
  Array.from(letter.split(""), (unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"));

/**
 * A line of text, stretched to the room it took on screen.
 * @param {Text} item @param {{bytes: number[], width: number}} known @param {string} colour
 */
function line({ x, y, angle, size, bold, width }, known, colour) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const stretch = (100 * width) / (known.width * size);
  const hex = known.bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const matrix = numbers(cos, sin, sin, -cos, x, y);
  const font = `/${bold ? "F2" : "F1"} ${short(size)} Tf ${short(stretch)} Tz`;
  return [colour, `BT ${font} ${matrix} Tm <${hex}> Tj ET`];
}

/**
 * Dots as an image.
 * @param {Objects} objects @param {Uint32Array} pixels @param {number} width @param {number} height
 */
function picture(objects, pixels, width, height) {
  const bytes = new Uint8Array(3 * pixels.length);
  pixels.forEach((word, i) =>
    bytes.set([word & 255, (word >> 8) & 255, (word >> 16) & 255], 3 * i),
  );
  return objects.stream(
    `/Type /XObject /Subtype /Image /Width ${width} /Height ${height} /ColorSpace /DeviceRGB /BitsPerComponent 8`,
    bytes,
  );
}

/**
 * A text in another script as an image of it: its colour, cut out by its shape.
 * @param {Objects} objects @param {Text} item
 * @returns {Promise<[number, number[]]>} the image, and where it goes
 */
async function writing(objects, { text, x, y, angle, size, font, colour, width }) {
  const [above, below] = [Math.ceil(size * 1.1), Math.ceil(size * 0.5)];
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.ceil(width * SHARP));
  canvas.height = (above + below) * SHARP;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.scale(SHARP, SHARP);
  context.font = font;
  context.fillText(text, 0, above);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const shape = new Uint8Array(canvas.width * canvas.height);
  for (let i = 0; i < shape.length; i++) shape[i] = data[4 * i + 3];
  const sizes = `/Type /XObject /Subtype /Image /Width ${canvas.width} /Height ${canvas.height}`;
  const mask = await objects.stream(`${sizes} /ColorSpace /DeviceGray /BitsPerComponent 8`, shape);
  const one = colour
    .slice(0, 3)
    .map((part) => part.toString(16).padStart(2, "0"))
    .join("");
  const dots = new Uint8Array(Math.ceil(canvas.width / 8) * canvas.height);
  const image = await objects.stream(
    `${sizes} /ColorSpace [/Indexed /DeviceRGB 0 <${one}>] /BitsPerComponent 1 /SMask ${mask} 0 R`,
    dots,
  );
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [wide, tall] = [canvas.width / SHARP, above + below];
  // The image's lower left corner lies `below` under the baseline.
  const corner = [x - sin * below, y + cos * below];
  return [image, [wide * cos, wide * sin, tall * sin, -tall * cos, ...corner]];
}
