// Where to read on: papers by what they are about, oldest first, and where the app shows it.

import { t } from "../../numbers/language.js";
import { choice, h } from "../../parts/dom.js";

/**
 * @typedef {{of: string, year: number, who: string, title: string, id: string, page: string}} Paper
 *   id: at arxiv.org; page: where the app shows what it is about
 */

/** @type {(of: string, ...papers: [number, string, string, string, string][]) => Paper[]} */
const about = (of, ...papers) =>
  papers.map(([year, who, title, id, page]) => ({ of, year, who, title, id, page }));

// biome-ignore format: a paper a line
/** @type {Paper[]} */
export const PAPERS = [
  ...about(
    "beginning",
    [2014, "Bahdanau, Cho, Bengio", "Neural Machine Translation by Jointly Learning to Align and Translate", "1409.0473", "explore"],
    [2017, "Vaswani et al.", "Attention Is All You Need", "1706.03762", "step"],
    [2018, "Devlin et al.", "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding", "1810.04805", "explore"],
    [2018, "Shaw, Uszkoreit, Vaswani", "Self-Attention with Relative Position Representations", "1803.02155", "step"],
    [2021, "Su et al.", "RoFormer: Enhanced Transformer with Rotary Position Embedding", "2104.09864", "step"],
  ),
  ...about(
    "heads",
    [2019, "Clark et al.", "What Does BERT Look At? An Analysis of BERT’s Attention", "1906.04341", "heads"],
    [2019, "Voita et al.", "Analyzing Multi-Head Self-Attention: Specialized Heads Do the Heavy Lifting, the Rest Can Be Pruned", "1905.09418", "heads"],
    [2019, "Michel, Levy, Neubig", "Are Sixteen Heads Really Better than One?", "1905.10650", "heads"],
    [2022, "Olsson et al.", "In-context Learning and Induction Heads", "2209.11895", "heads"],
    [2023, "Xiao et al.", "Efficient Streaming Language Models with Attention Sinks", "2309.17453", "explore"],
  ),
  ...about(
    "explanation",
    [2017, "Sundararajan, Taly, Yan", "Axiomatic Attribution for Deep Networks", "1703.01365", "explain"],
    [2019, "Jain, Wallace", "Attention is not Explanation", "1902.10186", "explain"],
    [2019, "Wiegreffe, Pinter", "Attention is not not Explanation", "1908.04626", "explain"],
    [2020, "Abnar, Zuidema", "Quantifying Attention Flow in Transformers", "2005.00928", "explain"],
    [2020, "Kobayashi et al.", "Attention is Not Only a Weight: Analyzing Transformers with Vector Norms", "2004.10102", "explain"],
  ),
  ...about(
    "cheaper",
    [2019, "Child et al.", "Generating Long Sequences with Sparse Transformers", "1904.10509", "efficiency"],
    [2020, "Beltagy, Peters, Cohan", "Longformer: The Long-Document Transformer", "2004.05150", "efficiency"],
    [2020, "Wang et al.", "Linformer: Self-Attention with Linear Complexity", "2006.04768", "efficiency"],
    [2020, "Katharopoulos et al.", "Transformers are RNNs: Fast Autoregressive Transformers with Linear Attention", "2006.16236", "efficiency"],
    [2020, "Choromanski et al.", "Rethinking Attention with Performers", "2009.14794", "efficiency"],
    [2022, "Dao et al.", "FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness", "2205.14135", "efficiency"],
  ),
  ...about(
    "beyond",
    [2020, "Dosovitskiy et al.", "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale", "2010.11929", "explore"],
    [2020, "Baevski et al.", "wav2vec 2.0: A Framework for Self-Supervised Learning of Speech Representations", "2006.11477", ""],
    [2021, "Radford et al.", "Learning Transferable Visual Models From Natural Language Supervision", "2103.00020", ""],
    [2022, "Radford et al.", "Robust Speech Recognition via Large-Scale Weak Supervision", "2212.04356", ""],
  ),
];

/** @param {import("../../pages/articlefigures.js").Acts} acts @returns {import("../../pages/articlefigures.js").Figure} */
export function createPapers(acts) {
  let of = "beginning";
  const which = choice(
    t("Papers about"),
    [
      ["beginning", t("the beginning"), t("Attention, the Transformer, positions")],
      ["heads", t("what heads do"), t("Which head does what, and which can go")],
      ["explanation", t("explanation"), t("Whether attention explains a prediction")],
      ["cheaper", t("cheaper attention"), t("What can be left out")],
      ["beyond", t("pictures and speech"), t("Where the tokens are no words")],
    ],
    (value) => {
      of = value;
      draw();
    },
  );
  which.show("beginning");
  const list = h("ol", { class: "ax-papers", lang: "en" });
  const element = h("div", {}, h("div", { class: "ax-tools" }, which.element), list);
  function draw() {
    const papers = PAPERS.filter((paper) => paper.of === of).sort((a, b) => a.year - b.year);
    list.replaceChildren(...papers.map((paper) => h("li", {}, ...lineOf(paper, acts.go))));
  }
  draw();
  return { element, show: () => {} };
}

/** What the pages are called. @param {string} page */
const pageName = (page) =>
  ({
    ...{ explore: t("seen in Explore"), step: t("seen in Step by step") },
    ...{ heads: t("seen in Heads"), explain: t("seen in Explain") },
    ...{ efficiency: t("seen in Efficiency") },
  })[page] ?? "";

/** @param {Paper} paper @param {import("../../pages/articlefigures.js").Acts["go"]} go */
function lineOf({ year, who, title, id, page }, go) {
  const href = `https://arxiv.org/abs/${id}`;
  const link = h("a", { href, target: "_blank", rel: "noopener noreferrer" }, title);
  const parts = [h("span", { class: "ax-year" }, String(year)), h("span", {}, link, `, ${who}`)];
  if (!page || !go) return parts;
  const button = h("button", { type: "button", class: "ax-link" }, pageName(page));
  button.addEventListener("click", () => go(page));
  return [...parts, button];
}
