// What a target comes to while words go, and while they come: curves of deletion and insertion.

import { bound } from "../numbers/basics.js";
import { inPlain } from "../numbers/explained.js";
import { t } from "../numbers/language.js";
import { h, setText } from "./dom.js";
import { paintOn } from "./paint.js";

/**
 * @typedef {import("../numbers/explained.js").Explained} Explained
 * @typedef {import("../numbers/explained.js").MethodOf} MethodOf
 * @typedef {import("../numbers/explained.js").CurvesOf} CurvesOf
 */

export function createCurves() {
  const deletion = document.createElement("canvas");
  const insertion = document.createElement("canvas");
  const says = h("p", { class: "ax-help" });
  const element = h(
    "section",
    { "aria-label": t("Curves") },
    h("h3", {}, t("Is it true? Words really taken away, in each method’s order")),
    says,
    h(
      "div",
      { class: "ax-curves" },
      h("figure", {}, h("figcaption", {}, t("Deletion: the highest scored go first")), deletion),
      h(
        "figure",
        {},
        h("figcaption", {}, t("Insertion: the highest scored come first")),
        insertion,
      ),
    ),
  );

  /** @param {Explained} found @param {MethodOf} of @param {import("./theme.js").Theme} theme */
  function show(found, of, theme) {
    const { curves } = of;
    setText(
      says,
      curves
        ? t(
            "{method}: area {deletion} under deletion (lower is better), {insertion} under insertion (higher is better). The other methods are grey. Nothing removed: {value}; all words removed: {empty}.",
            {
              method: of.name,
              deletion: inPlain(curves.areas[0]),
              insertion: inPlain(curves.areas[1]),
              value: inPlain(found.value),
              empty: inPlain(found.empty),
            },
          )
        : found.whole || found.stopped || of.reason
          ? t("{method} has no curves here.", { method: of.name })
          : t("The curves of {method} are still being measured.", { method: of.name }),
    );
    for (const [canvas, which] of /** @type {const} */ ([
      [deletion, "deletion"],
      [insertion, "insertion"],
    ])) {
      paint(canvas, which, found, of, theme);
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", says.textContent ?? "");
    }
  }

  return { element, show };
}

/**
 * @param {HTMLCanvasElement} canvas @param {"deletion" | "insertion"} which
 * @param {Explained} found @param {MethodOf} of @param {import("./theme.js").Theme} theme
 */
function paint(canvas, which, found, of, theme) {
  const all = found.methods.filter((m) => m.curves);
  const room = canvas.parentElement?.clientWidth ?? 400;
  const [width, height] = [Math.max(240, Math.min(room, 560)), 210];
  const plot = { left: 46, right: width - 10, top: 10, bottom: height - 34 };
  const heights = all.flatMap((m) => [
    ...(m.curves?.deletion ?? []),
    ...(m.curves?.insertion ?? []),
  ]);
  const [low, high] = [Math.min(...heights, found.value), Math.max(...heights, found.value)];
  const x = (/** @type {number} */ share) => plot.left + share * (plot.right - plot.left);
  const y = (/** @type {number} */ value) =>
    plot.bottom - ((value - low) / (high - low || 1)) * (plot.bottom - plot.top);
  paintOn(canvas, width, height, (pen) => {
    pen.font = `11px ${theme.font}`;
    pen.fillStyle = theme.muted;
    pen.strokeStyle = theme.border;
    pen.lineWidth = 1;
    pen.strokeRect(plot.left, plot.top, plot.right - plot.left, plot.bottom - plot.top);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const value of [low, high])
      pen.fillText(value.toFixed(2).replace("-", "−"), plot.left - 6, y(value));
    pen.textAlign = "center";
    for (const share of [0, 0.5, 1])
      pen.fillText(
        `${100 * share} %`,
        bound(x(share), plot.left + 8, plot.right - 12),
        plot.bottom + 11,
      );
    pen.fillText(
      which === "deletion" ? t("of the words gone") : t("of the words there"),
      (plot.left + plot.right) / 2,
      height - 7,
    );
    for (const one of [...all.filter((m) => m !== of), ...(of?.curves ? [of] : [])]) {
      const own = /** @type {CurvesOf} */ (one.curves);
      pen.beginPath();
      own[which].forEach((value, i) => {
        if (i) pen.lineTo(x(own.shares[i]), y(value));
        else pen.moveTo(x(own.shares[i]), y(value));
      });
      pen.strokeStyle = one === of ? theme.accent : theme.border;
      pen.lineWidth = one === of ? 2.5 : 1.2;
      pen.stroke();
    }
  });
}
