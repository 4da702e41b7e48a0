// How what is in sight of the reading view is dressed: a class for every shade, and marks.

import { range } from "../numbers/basics.js";
import { changeOf, dressOf, isUnknown, isWritten, TONES } from "../numbers/readingtext.js";
import { lineOfToken, tokensHere } from "./chunks.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/readingtext.js").Dress} Dress
 * @typedef {import("./reading.js").Reading} Reading
 * @typedef {import("./reading.js").Here} Here
 */

const SLACK = 40; // pixels above and below what is in sight
const AT_ONCE = 80; // slight changes that a frame bears
const FAINT = 1; // the first shade that is not the page itself
const THICKEST = 85; // per cent of a patch that the full colour covers

/**
 * Dress what is in sight.
 * @param {Reading} reading @param {Scene} scene
 * @param {import("../numbers/readingtext.js").Shading} shading
 */
export function dressAll({ here, chunks }, { model, focus: point }, shading) {
  const [first, last] = [chunks.top - SLACK, chunks.top + chunks.tall + SLACK];
  const [rows, columns] = [new Set(point.rows), new Set(point.columns)];
  /** @type {[number, Dress][]} */
  const slight = [];
  const { marks } = here.found;
  for (const i of chunks.chunks.length ? tokensHere(chunks) : here.spots.keys()) {
    const line = lineOfToken(chunks, i);
    if (line < first || line > last) continue; // out of sight
    const next = dressOf(shading, model, here.spots[i], rows, columns);
    next.marks += marks.get(i) ?? "";
    const change = changeOf(here.worn[i], next);
    if (change === "plain") dress(here, i, next);
    else if (change === "slight") slight.push([i, next]);
  }
  cancelAnimationFrame(here.finishing);
  // In a long text what changed by a shade or two comes one frame after what anybody would notice.
  const finish = () => slight.forEach(([i, next]) => dress(here, i, next));
  if (slight.length > AT_ONCE) here.finishing = requestAnimationFrame(finish);
  else finish();
}

/** @param {Here} here @param {number} i of a spot @param {Dress} next */
function dress(here, i, next) {
  const span = here.spans[i];
  if (!here.scene || !span) return;
  here.worn[i] = next;
  const { head } = here.scene.trace;
  const { token } = here.spots[i];
  const patch = head.patches ? " ax-patch" : isUnknown(head, token) ? " ax-unknown" : "";
  const kind = token.special ? " ax-special" : patch;
  const written = isWritten(head, here.spots[i]) ? " ax-written" : "";
  span.className = `ax-token${kind}${written} ax-tone${next.tone}${next.marks}`;
}

/**
 * One class for every shade: the browser finds it faster than colours set one by one.
 * @param {Scene["theme"]} theme
 */
export function rulesOf({ fills, inks }) {
  const rules = range(FAINT, TONES).map((tone) => {
    const level = Math.round((255 * tone) / TONES);
    // Over a picture one colour, thicker where more attention goes: a pale one would hide as much.
    const thick = Math.round((THICKEST * tone) / TONES);
    return `.ax-token.ax-tone${tone} { background-color: ${fills[level]}; color: ${inks[level]}; }
.ax-patch.ax-tone${tone} { background-color: color-mix(in srgb, ${fills[255]} ${thick}%, transparent); }`;
  });
  return rules.join("\n");
}
