// The figures of the Article by the names that its prose has for them (`{figure formula}`).

import { createAgree } from "../panels/figures/agree.js";
import { createAgreement } from "../panels/figures/agreement.js";
import { createCheaper, createWindow } from "../panels/figures/cheaper.js";
import { createCost } from "../panels/figures/cost.js";
import { createDefinition, createGlance } from "../panels/figures/definition.js";
import { createFar } from "../panels/figures/far.js";
import { createFaults } from "../panels/figures/faults.js";
import { createFormula } from "../panels/figures/formula.js";
import { createKinds } from "../panels/figures/kinds.js";
import { createMixed } from "../panels/figures/mixed.js";
import { createModule } from "../panels/figures/module.js";
import { createNoise } from "../panels/figures/noise.js";
import { createOrder } from "../panels/figures/order.js";
import { createPapers } from "../panels/figures/papers.js";
import { askedAs } from "../panels/figures/question.js";
import { createRows } from "../panels/figures/rows.js";
import { still } from "../panels/figures/same.js";
import { createOwnScale, createScale } from "../panels/figures/scale.js";
import { createTokens } from "../panels/figures/tokens.js";

/**
 * @typedef {import("../numbers/article.js").ArticleState} ArticleState
 * @typedef {{state: ArticleState, theme: import("../parts/theme.js").Theme}} Shown
 * @typedef {{page: string, open?: Record<string, string>, label: string}} Where
 *   the page that a figure lives on, what it opens with beside the place, and what is written
 * @typedef {{element: HTMLElement, show: (shown: Shown) => void,
 *            where?: (shown: Shown) => Where | null}} Figure
 *   show: draws it anew; it is in sight then, and as wide as it will be
 * @typedef {{look: (at: Partial<import("../numbers/article.js").ArticleView>) => void,
 *            hover: (query: number | null) => void,
 *            answer: (name: string, answer: import("../numbers/article.js").Answer) => void,
 *            go: ((page: string, open?: Record<string, string>) => void) | null}} Acts
 *   look: another place for all figures; hover: the token that is pointed at; go: null in a file
 */

/** @type {Record<string, (acts: Acts) => Figure>} */
export const FIGURES = {
  glance: createGlance,
  definition: createDefinition,
  formula: createFormula,
  module: createModule,
  agreement: createAgreement,
  noise: createNoise,
  ask_look: askedAs("ask_look"),
  ask_sink: askedAs("ask_sink"),
  ask_scale: askedAs("ask_scale"),
  ask_noise: askedAs("ask_noise"),
  scale: still(createScale),
  ownscale: createOwnScale,
  cost: still(createCost),
  order: still(createOrder),
  far: still(createFar),
  rows: still(createRows),
  faults: still(createFaults),
  tokens: still(createTokens),
  papers: still(createPapers),
  mixed: still(createMixed),
  kinds: still(createKinds),
  window: still(createWindow),
  agree: still(createAgree),
  cheaper: still(createCheaper),
};
