// A training as a film: curves over its steps, a slider and a play button. What is chosen here is
// what all other panels show.

import { bound } from "../numbers/basics.js";
import { frameAt, indexOf } from "../numbers/data.js";
import { h, pushButton, setText } from "../parts/dom.js";
import { createMatrix } from "../parts/matrix.js";
import { paintOn } from "../parts/paint.js";

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {import("../numbers/view.js").View} View
 * @typedef {import("../numbers/data.js").Film} Film
 */

const HEIGHT = 190; // pixels of the curves
const [LEFT, RIGHT, TOP, BOTTOM] = [40, 12, 10, 26];
const PLAY = 110; // ms a frame

/** @param {(next: (now: View) => View) => void} change */
export function createFilm(change) {
  const canvas = document.createElement("canvas");
  const stage = h("div", { class: "ax-film-stage" }, canvas);
  const slider = /** @type {HTMLInputElement} */ (
    h("input", { type: "range", min: "0", step: "1", "aria-label": "Step of the training" })
  );
  const play = pushButton("▶ Play", "From noise to pattern", togglePlay);
  const legend = h("p", { class: "ax-help ax-film-legend" });
  const says = h("p", { class: "ax-film-says" });
  const answers = h("div", { class: "ax-rows ax-answers", tabindex: "0", role: "group" });
  const ideals = h("div", { class: "ax-pictures" });
  const nearTable = h("div", { class: "ax-rows ax-near", tabindex: "0", role: "group" });
  const element = h(
    "section",
    { class: "ax-panel ax-panel-film", "aria-label": "Training" },
    h("div", { class: "ax-title" }, h("h3", {}, "Training"), play),
    h(
      "div",
      { class: "ax-film" },
      h("div", {}, legend, stage, slider, says),
      h("div", {}, ideals, nearTable),
    ),
    answers,
  );
  /** @type {Scene | null} */
  let scene = null;
  let playing = 0;
  let framed = 0; // the frame that plays
  /** @type {ReturnType<typeof createMatrix>[]} */
  const pictures = [];
  /** @type {unknown} */
  let idealsOf = null;

  slider.addEventListener("input", () => {
    pause();
    turn(Number(slider.value));
  });
  canvas.addEventListener("click", (event) => {
    const film = scene?.trace.film;
    if (!film) return;
    pause();
    const share = (event.offsetX - LEFT) / (canvas.clientWidth - LEFT - RIGHT);
    turn(bound(Math.round(share * (film.steps.length - 1)), 0, film.steps.length - 1));
  });

  /** @param {number} frame */
  function turn(frame) {
    const steps = scene?.trace.film?.steps ?? [];
    // The last frame is the last, also when the training goes on.
    const step = frame >= steps.length - 1 ? null : steps[frame];
    change((now) => ({ ...now, step }));
  }

  function togglePlay() {
    const film = scene?.trace.film;
    if (playing || !film) return pause();
    const now = frameAt(film, scene?.view.step ?? null);
    framed = now === film.steps.length - 1 ? 0 : now;
    turn(framed);
    playing = window.setInterval(() => {
      const last = (scene?.trace.film?.steps.length ?? 1) - 1;
      framed = Math.min(framed + 1, last);
      turn(framed);
      if (framed === last) pause();
    }, PLAY);
    setText(play, "❚❚ Pause");
  }

  function pause() {
    clearInterval(playing);
    playing = 0;
    setText(play, "▶ Play");
  }

  /** @param {Scene} next */
  function draw(next) {
    scene = next;
    const { film } = next.trace;
    element.hidden = !film;
    if (!film) return;
    const frame = frameAt(film, next.view.step);
    slider.max = String(film.steps.length - 1);
    slider.value = String(frame);
    slider.setAttribute("aria-valuetext", `step ${film.steps[frame]}`);
    showIdeals(film, next); // first: they leave the curves their width
    const wide = stage.clientWidth;
    if (!wide) return;
    paintOn(canvas, wide, HEIGHT, (pen) => curves(pen, film, frame, wide, next));
    showLegend(film, next);
    setText(says, sentenceOf(film, frame, next));
    showAnswers(film, frame, next);
    showNear(film, frame, next);
  }

  /** @param {Film} film @param {Scene} now */
  function showLegend(film, now) {
    const { theme } = now;
    const key = (/** @type {string} */ colour, /** @type {string} */ word) => {
      const swatch = h("i", { class: "ax-swatch" });
      swatch.style.background = colour;
      return h("span", {}, swatch, word);
    };
    legend.replaceChildren(
      key(theme.accent, "accuracy on held-out sequences"),
      key(LOSS[Number(theme.dark)], `loss (largest ${Math.max(...film.loss).toFixed(2)})`),
      key(NEAR[Number(theme.dark)], `how near ${chosenName(now)} is to the ideal`),
      key(theme.muted, `chance ${film.chance.toFixed(2)}`),
    );
  }

  /** @param {Film} film @param {number} frame @param {Scene} now */
  function sentenceOf(film, frame, now) {
    const { near, index } = nearest(film, frame, now);
    return [
      `After ${film.steps[frame].toLocaleString("en")} steps: ${percentOf(film.accuracy[frame])} of the answers on held-out sequences are right (chance ${percentOf(film.chance)}), loss ${film.loss[frame].toPrecision(3)}.`,
      near === null
        ? ""
        : `Of what ${chosenName(now)} looks at, ${percentOf(near)} is ${film.near[index].name}.`,
    ].join(" ");
  }

  /** @param {Film} film @param {number} frame @param {Scene} now */
  function showAnswers(film, frame, now) {
    const tokens = now.trace.head.query_tokens;
    const line = (/** @type {string} */ name, /** @type {(i: number) => HTMLElement} */ cell) =>
      h("tr", {}, h("th", { scope: "row" }, name), ...tokens.map((_, i) => cell(i)));
    const wrong = film.right.filter((r, i) => r !== null && r !== film.answers[frame][i]).length;
    answers.setAttribute("aria-label", `Answers: ${wrong} wrong`);
    answers.replaceChildren(
      h(
        "table",
        {},
        h(
          "tbody",
          {},
          line("sequence", (i) => h("td", {}, tokens[i].text)),
          line("answer", (i) => {
            const asked = film.right[i] !== null;
            const said = film.answers[frame][i];
            const right = said === film.right[i];
            const style = !asked ? "" : right ? "ax-right" : "ax-wrong";
            return h("td", { class: style }, asked ? said : "·");
          }),
          line("right", (i) => h("td", { class: "ax-faint" }, film.right[i] ?? "·")),
        ),
      ),
    );
  }

  /** How near every head is to every pattern. @param {Film} film @param {number} frame @param {Scene} now */
  function showNear(film, frame, { trace, view }) {
    const width = trace.head.n_heads;
    const lines = film.near[0].heads[frame].map((_, i) => {
      const [layer, head] = [trace.head.numbers[Math.floor(i / width)], i % width];
      const cells = film.near.map(({ heads }) => h("td", {}, percentOf(heads[frame][i] ?? 0)));
      const line = h("tr", {}, h("th", { scope: "row" }, `${layer}-${head}`), ...cells);
      if (layer === view.layer && view.heads.includes(head)) line.classList.add("ax-on");
      return line;
    });
    const names = ["head", ...film.near.map(({ name }) => `on ${name}`)];
    nearTable.setAttribute("aria-label", "How near each head is to the ideal");
    nearTable.replaceChildren(
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...names.map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, ...lines),
      ),
    );
  }

  /** Where it would be best to look: one small map for each pattern. @param {Film} film @param {Scene} now */
  function showIdeals(film, now) {
    const { head } = now.trace;
    const size = head.query_tokens.length * head.key_tokens.length;
    if (idealsOf !== film.wanted) {
      idealsOf = film.wanted;
      while (pictures.length < film.ideals.length) {
        pictures.push(
          createMatrix(
            () => {},
            (row, column) => `${head.query_tokens[row].text} → ${head.key_tokens[column].text}`,
          ),
        );
      }
      ideals.replaceChildren(...film.ideals.map((_, i) => pictures[i].element));
    }
    film.ideals.forEach((name, i) => {
      const values = film.wanted.subarray(i * size, (i + 1) * size);
      const n = head.query_tokens.length;
      pictures[i].show(
        {
          ...{ values, rows: n, columns: n, weights: true, name: "Ideal:", shape: name },
          ...{ label: `Ideal attention: ${name}`, wide: 130, tall: 128 / n },
        },
        now.theme,
      );
    });
  }

  return { element, draw, pause };
}

const LOSS = ["#b3541e", "#e39a5b"]; // on light, on dark
const NEAR = ["#1f7a4d", "#63c793"];

/** @param {number} share */
const percentOf = (share) => `${(100 * share).toFixed(share > 0.995 && share < 1 ? 1 : 0)} %`;

/** The chosen heads in words. @param {Scene} now */
const chosenName = ({ view }) =>
  view.heads.length === 1
    ? `layer ${view.layer}, head ${view.heads[0]}`
    : `layer ${view.layer}’s chosen heads`;

/**
 * How near the chosen heads are to the pattern that they are nearest to.
 * @param {Film} film @param {number} frame @param {Scene} now
 * @returns {{near: number | null, index: number}}
 */
function nearest(film, frame, { view, trace }) {
  const shares = film.near.map(({ heads }) => {
    const first = indexOf(trace.head, view.layer) * trace.head.n_heads;
    const own = view.heads.map((head) => heads[frame][first + head]);
    return own.reduce((sum, share) => sum + share, 0) / own.length;
  });
  const best = shares.reduce((at, share, i) => (share > shares[at] ? i : at), 0);
  return { near: Number.isFinite(shares[best]) ? shares[best] : null, index: best };
}

/**
 * Accuracy, loss and nearness over the frames, which stand close together at first, when most is
 * learned; the numbers below are the steps.
 * @param {import("../parts/paint.js").Pen} pen @param {Film} film @param {number} frame
 * @param {number} wide @param {Scene} now
 */
function curves(pen, film, frame, wide, now) {
  const { theme } = now;
  const count = film.steps.length;
  const [width, height] = [wide - LEFT - RIGHT, HEIGHT - TOP - BOTTOM];
  const x = (/** @type {number} */ i) => LEFT + (count > 1 ? (i / (count - 1)) * width : 0);
  const y = (/** @type {number} */ share) => TOP + (1 - share) * height;
  pen.font = `11px ${theme.font}`;
  pen.lineWidth = 1;
  for (const share of [0, 0.5, 1]) {
    pen.strokeStyle = theme.border;
    pen.beginPath();
    pen.moveTo(LEFT, y(share));
    pen.lineTo(LEFT + width, y(share));
    pen.stroke();
    pen.fillStyle = theme.muted;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.fillText(`${100 * share} %`, LEFT - 6, y(share));
  }
  pen.textAlign = "center";
  pen.textBaseline = "top";
  const every = Math.max(1, Math.ceil(count / Math.max(2, width / 70)));
  for (let i = 0; i < count; i += every)
    pen.fillText(String(film.steps[i]), x(i), TOP + height + 8);
  const { index } = nearest(film, frame, now);
  const first = indexOf(now.trace.head, now.view.layer) * now.trace.head.n_heads;
  const line = (
    /** @type {string} */ colour,
    /** @type {number} */ thick,
    /** @type {(i: number) => number} */ of,
  ) => {
    pen.strokeStyle = colour;
    pen.lineWidth = thick;
    pen.beginPath();
    for (let i = 0; i < count; i++) {
      const at = y(bound(of(i), 0, 1));
      if (i) pen.lineTo(x(i), at);
      else pen.moveTo(x(i), at);
    }
    pen.stroke();
  };
  const most = Math.max(...film.loss);
  line(theme.muted, 1, () => film.chance);
  line(LOSS[Number(theme.dark)], 2, (i) => film.loss[i] / most);
  line(NEAR[Number(theme.dark)], 2, (i) => {
    const { heads } = film.near[index];
    const own = now.view.heads.map((head) => heads[i][first + head]);
    return own.reduce((sum, share) => sum + share, 0) / own.length || 0;
  });
  line(theme.accent, 2.5, (i) => film.accuracy[i]);
  pen.strokeStyle = theme.text;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.moveTo(x(frame), TOP - 4);
  pen.lineTo(x(frame), TOP + height + 4);
  pen.stroke();
}
