// A pair of numbers of a query and of a key, turned by their places: what a score knows of distance.

import { sentences, t, tn } from "../numbers/language.js";
import { around, lineOf, turnAt } from "../numbers/layertrace.js";
import {
  degrees,
  pairInSight,
  plain,
  quoted,
  quotedKey,
  writtenOut,
} from "../numbers/stepwords.js";
import { helpMark } from "../parts/bubble.js";
import { h, setText } from "../parts/dom.js";
import { paintOn } from "../parts/paint.js";

/**
 * @typedef {import("../numbers/stepwords.js").Shot} Shot
 * @typedef {import("../parts/theme.js").Theme} Theme
 * @typedef {{title: string, before: [number, number], after: [number, number], angle: number,
 *            position: number}} Dial a pair of numbers as an arrow, before and after its turn
 */

const SIDE = 124; // pixels of a dial
const HEAD = 7; // pixels of an arrow's head
const ABOUT = t(
  "Two numbers that go together are an arrow. The pale one is what the map gave, the dark one what the product is made of: the same arrow, turned by an angle that grows with the position. Turn both by the same angle more, and their product stays: only the difference counts, and with it the distance of the two tokens. Click a number above to see its pair.",
);

/** The turn of the pair in sight, of the chosen query and key. */
export function createTurn() {
  const says = h("p");
  const [query, key] = [createDial(), createDial()];
  const dials = h("div", { class: "ax-dials" }, query.element, key.element);
  const title = h("h4", {}, t("A pair of numbers, turned"), " ", helpMark(ABOUT));
  const element = h("section", { class: "ax-turn" }, title, dials, says);
  /** @param {Shot} shot @param {Theme} theme */
  function show(shot, theme) {
    element.hidden = shot.state.stage !== "turn";
    if (element.hidden) return;
    const { trace, state, key: j } = shot;
    const at = pairInSight(shot);
    const one = dialOf(
      shot,
      "q",
      state.query,
      at,
      t("q of {token}", { token: quoted(trace, state.query) }),
    );
    const other = dialOf(shot, "k", j, at, t("k of {token}", { token: quotedKey(trace, j) }));
    const longest = Math.max(
      ...[one, other].flatMap(({ before, after }) => [Math.hypot(...before), Math.hypot(...after)]),
    );
    query.show(one, longest, theme);
    key.show(other, longest, theme);
    setText(says, pairWords(shot, at, one, other));
  }
  return { element, show };
}

/** @param {Shot} shot @param {"q" | "k"} side @param {number} token @param {number} pair @param {string} title @returns {Dial} */
function dialOf({ trace }, side, token, pair, title) {
  const [a, b] = /** @type {[number, number][]} */ (trace.pairs)[pair];
  const [before, after] = around(trace, side, "turn").map((all) => {
    const line = lineOf(all, token, trace.d_k);
    return /** @type {[number, number]} */ ([line[a], line[b]]);
  });
  return { title, before, after, angle: turnAt(trace, token, pair).angle, position: token };
}

/** What the pair tells of the distance. @param {Shot} shot @param {number} at @param {Dial} one @param {Dial} other */
function pairWords({ trace }, at, one, other) {
  const pairs = /** @type {[number, number][]} */ (trace.pairs);
  const apart = Math.abs(one.position - other.position);
  const step =
    trace.tokens.length > 1 ? turnAt(trace, 1, at).angle - turnAt(trace, 0, at).angle : 0;
  const pace =
    Math.abs(step) < 1e-9
      ? ""
      : t("It turns by {angle} with each position.", { angle: degrees(step) });
  const given = one.after[0] * other.after[0] + one.after[1] * other.after[1];
  const behind =
    trace.steps.at(-1) === "turn"
      ? t("The pair gives {given} to q · k: {sum}.", {
          given: plain(given),
          sum: writtenOut(one.after, other.after),
        })
      : "";
  const [first, second] = pairs[at];
  const which = t("Pair {pair} of {all}, places {first} and {second}.", {
    ...{ pair: at + 1, all: pairs.length, first, second },
  });
  const turned = tn(
    "{n} position apart, the two are turned {angle} against each other.",
    "{n} positions apart, the two are turned {angle} against each other.",
    apart,
    { angle: degrees(one.angle - other.angle) },
  );
  return sentences(which, pace, turned, behind);
}

function createDial() {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  const name = h("figcaption");
  const element = h("figure", { class: "ax-dial" }, name, canvas);
  /** @param {Dial} dial @param {number} longest the length that reaches the rim @param {Theme} theme */
  function show(dial, longest, theme) {
    const words = t("{title}, position {position}: turned by {angle}", {
      title: dial.title,
      position: dial.position,
      angle: degrees(dial.angle),
    });
    setText(name, words);
    canvas.setAttribute("aria-label", words);
    paintOn(canvas, SIDE, SIDE, (pen) => paintDial(pen, dial, longest || 1, theme));
  }
  return { element, show };
}

/** @param {import("../parts/paint.js").Pen} pen @param {Dial} dial @param {number} longest @param {Theme} theme */
function paintDial(pen, { before, after }, longest, theme) {
  const [middle, radius] = [SIDE / 2, SIDE / 2 - 8];
  pen.lineWidth = 1;
  pen.strokeStyle = theme.border;
  pen.beginPath();
  pen.arc(middle, middle, radius, 0, 2 * Math.PI);
  pen.moveTo(middle - radius, middle);
  pen.lineTo(middle + radius, middle);
  pen.moveTo(middle, middle - radius);
  pen.lineTo(middle, middle + radius);
  pen.stroke();
  const scale = radius / longest;
  arrow(pen, before, scale, theme.muted, 1.5);
  arrow(pen, after, scale, theme.accent, 2.5);
}

/** An arrow from the middle; the second number goes up. @param {import("../parts/paint.js").Pen} pen @param {[number, number]} to @param {number} scale @param {string} colour @param {number} wide */
function arrow(pen, [a, b], scale, colour, wide) {
  const middle = SIDE / 2;
  const [x, y] = [middle + a * scale, middle - b * scale];
  const way = Math.atan2(y - middle, x - middle);
  pen.strokeStyle = colour;
  pen.lineWidth = wide;
  pen.beginPath();
  pen.moveTo(middle, middle);
  pen.lineTo(x, y);
  for (const side of [-0.45, 0.45]) {
    pen.moveTo(x, y);
    pen.lineTo(x - HEAD * Math.cos(way + side), y - HEAD * Math.sin(way + side));
  }
  pen.stroke();
}
