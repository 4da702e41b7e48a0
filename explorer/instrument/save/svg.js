// What a pen wrote down as an SVG file.

/**
 * @typedef {import("./record.js").Item} Item
 * @typedef {import("./record.js").Segment} Segment
 * @typedef {import("./record.js").Colour} Colour
 */

const short = (/** @type {number} */ x) => String(Math.round(x * 100) / 100);

/**
 * Text inside XML. Control characters have no place there, not even escaped.
 * @param {string} text
 */
export const xml = (text) =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");

/** @param {Segment[]} segments */
export const pathData = (segments) =>
  segments.map(([letter, ...numbers]) => letter + numbers.map(short).join(" ")).join("");

/** @param {"fill" | "stroke"} name @param {Colour | null} colour */
function ink(name, colour) {
  if (!colour) return `${name}="none"`;
  const [r, g, b, alpha] = colour;
  return `${name}="rgb(${r},${g},${b})"${alpha < 1 ? ` ${name}-opacity="${short(alpha)}"` : ""}`;
}

/**
 * @param {Item[]} items @param {number} width @param {number} height
 * @param {string} title @param {string} description
 */
export function toSvg(items, width, height, title, description) {
  let clips = 0;
  const parts = items.map((item) => {
    if (item.kind === "end") return "</g>";
    if (item.kind === "clip") {
      const id = `clip${clips++}`;
      const shape = `<clipPath id="${id}"><path d="${pathData(item.segments)}"/></clipPath>`;
      return `${shape}<g clip-path="url(#${id})">`;
    }
    if (item.kind === "path") {
      const line = item.stroke ? ` stroke-width="${short(item.width)}"` : "";
      const inks = `${ink("fill", item.fill)} ${ink("stroke", item.stroke)}`;
      return `<path d="${pathData(item.segments)}" ${inks}${line}/>`;
    }
    return item.kind === "image" ? image(item) : text(item);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${short(width)}" height="${short(height)}" viewBox="0 0 ${short(width)} ${short(height)}" role="img">`,
    `<title>${xml(title)}</title>`,
    `<desc>${xml(description)}</desc>`,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

/** @param {Extract<Item, {kind: "text"}>} item */
function text({ text: words, x, y, angle, size, bold, family, colour, width }) {
  const turn = angle
    ? ` transform="rotate(${short((angle * 180) / Math.PI)} ${short(x)} ${short(y)})"`
    : "";
  // The length is told, so that another font takes the same room.
  return (
    `<text x="${short(x)}" y="${short(y)}" font-size="${short(size)}" font-family="${xml(family)}"` +
    `${bold ? ' font-weight="600"' : ""} textLength="${short(width)}" lengthAdjust="spacingAndGlyphs"` +
    ` xml:space="preserve" ${ink("fill", colour)}${turn}>${xml(words)}</text>`
  );
}

/** @param {Extract<Item, {kind: "image"}>} item */
function image({ pixels, width, height, box }) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const data = context.createImageData(width, height);
  new Uint32Array(data.data.buffer).set(pixels);
  context.putImageData(data, 0, 0);
  return (
    `<image x="${short(box.x)}" y="${short(box.y)}" width="${short(box.width)}" height="${short(box.height)}"` +
    ` preserveAspectRatio="none" image-rendering="pixelated" href="${canvas.toDataURL()}"/>`
  );
}
