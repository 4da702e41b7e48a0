// A path through the layers, painted: links, nodes, and the words at both ends.

import { t } from "../numbers/language.js";
import { percent } from "../numbers/model.js";
import { HEAD, linksByTone, middleOf, TONES, unitsInSight } from "../numbers/pathplaces.js";
import { levelsOf, numberBelow } from "../numbers/pathscene.js";
import { plate, shorten } from "../parts/paint.js";

/**
 * @typedef {import("../parts/paint.js").Pen} Pen
 * @typedef {{scene: import("../numbers/scene.js").Scene,
 *            places: import("../numbers/pathplaces.js").Places, scrolled: number,
 *            level: number, units: number[], path: import("../numbers/pathscene.js").Path}} Seen
 *   level, units: what is followed
 */

const SURE = 0.005; // a share from which it is written

/** @param {Pen} pen @param {Seen} seen */
export function paintPath(pen, seen) {
  const { width, height } = seen.places;
  pen.save();
  pen.beginPath();
  pen.rect(0, HEAD, width, height - HEAD);
  pen.clip();
  paintLinks(pen, seen);
  paintNodes(pen, seen);
  pen.restore();
  paintLevels(pen, seen);
}

/** @param {Pen} pen @param {Seen} seen */
function paintLevels(pen, { scene, places, scrolled }) {
  const { theme, trace } = scene;
  pen.font = `12px ${theme.font}`;
  pen.textBaseline = "middle";
  pen.textAlign = "center";
  pen.fillStyle = theme.muted;
  const every = Math.ceil(24 / places.step);
  for (let level = 0; level <= levelsOf(trace); level++) {
    const word = level === 0 ? t("input") : String(numberBelow(trace, level));
    const [x] = middleOf(places, scrolled, { level, unit: 0 });
    if (level === 0 || level % every === 0) pen.fillText(word, x, HEAD / 2);
  }
}

/** @param {Pen} pen @param {Seen} seen */
function paintLinks(pen, { scene, places, scrolled, units, path }) {
  const alone = units.length > 0;
  for (const [tone, links] of linksByTone(path.links, unitsInSight(places, scrolled))) {
    pen.beginPath();
    for (const { layer, from, to } of links) {
      const [x1, y1] = middleOf(places, scrolled, { level: layer, unit: to });
      const [x2, y2] = middleOf(places, scrolled, { level: layer + 1, unit: from });
      const middle = (x1 + x2) / 2;
      pen.moveTo(x1, y1);
      pen.bezierCurveTo(middle, y1, middle, y2, x2, y2);
    }
    const share = tone / TONES;
    pen.strokeStyle = scene.theme.accentCss((alone ? 0.15 : 0.06) + (alone ? 0.75 : 0.5) * share);
    pen.lineWidth = 0.5 + (alone ? 4 : 2) * share * share;
    pen.stroke();
  }
}

/** @param {Pen} pen @param {Seen} seen */
function paintNodes(pen, seen) {
  const { scene, places, scrolled, level, units, path } = seen;
  const { theme } = scene;
  const levels = levelsOf(scene.trace);
  const [low, high] = unitsInSight(places, scrolled);
  const chosen = new Set(units);
  const top = path.mass[0].reduce((most, held) => Math.max(most, held), 0) || 1;
  pen.textBaseline = "middle";
  for (let unit = low; unit < high; unit++) {
    for (let l = 0; l <= levels; l++) {
      const held = path.mass[l]?.[unit] ?? 0;
      const [x, y] = middleOf(places, scrolled, { level: l, unit });
      const wide = units.length && held >= SURE ? 1.5 + 4 * Math.sqrt(held) : 1.2;
      pen.beginPath();
      pen.arc(x, y, wide, 0, 2 * Math.PI);
      const here = l === level && chosen.has(unit);
      pen.fillStyle = here || held >= SURE ? theme.accent : theme.border;
      pen.fill();
    }
    const share = units.length ? path.mass[0][unit] : 0;
    label(pen, seen, unit, units.length ? share / top : 0, share, false);
    label(pen, seen, unit, chosen.has(unit) && level === levels ? 1 : 0, 0, true);
  }
}

/**
 * @param {Pen} pen @param {Seen} seen @param {number} unit
 * @param {number} tint @param {number} share @param {boolean} isOutput
 */
function label(pen, { scene, places, scrolled }, unit, tint, share, isOutput) {
  const { theme, model } = scene;
  const what = model.layout.rows[unit];
  const [, y] = middleOf(places, scrolled, { level: 0, unit });
  const right = places.width - places.left;
  if (tint > 0.02) {
    const x = isOutput ? right + 6 : 0;
    const colour = theme.accentCss(0.05 + 0.4 * tint);
    plate(pen, colour, x, y - places.row / 2 + 1, places.left - 8, places.row - 2);
  }
  pen.font = `12px ${theme.font}`;
  pen.fillStyle = what.special ? theme.muted : theme.text;
  pen.textAlign = isOutput ? "left" : "right";
  const written = share >= SURE ? percent(share) : "";
  const room = places.left - (written ? 58 : 20);
  pen.fillText(shorten(pen, what.text, room), isOutput ? right + 10 : places.left - 12, y);
  pen.textAlign = "left";
  if (written) pen.fillText(written, 4, y);
}
