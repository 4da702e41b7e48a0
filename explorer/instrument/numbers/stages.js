// The stages of one attention layer: what each is called, its formula, and what to say of it.

import { headName } from "./headname.js";
import { isByRoot, isCross } from "./layertrace.js";

/**
 * @typedef {import("./layertrace.js").LayerTrace} LayerTrace
 * @typedef {"input" | "norm" | "qkv" | "headnorm" | "turn" | "products" | "scale" | "cap" | "bias"
 *           | "mask" | "softmax" | "mix" | "join" | "output" | "after"} StageId
 * @typedef {string | ((trace: LayerTrace) => string)} Said
 * @typedef {{id: StageId, link: string, name: Said, title: Said, formula: Said,
 *            there?: (trace: LayerTrace) => boolean, shapes: (trace: LayerTrace) => string,
 *            text: (trace: LayerTrace, causal: boolean) => string,
 *            claim?: [string, string], experiment?: ["cost" | "scale", string]}} Stage
 *   link: its name in a link; there: whether a layer has it, which all do if nothing is said; text:
 *   causal: whether a causal mask is on, be it the model's own or the reader's; claim: what is
 *   often said, and what is right; experiment: one that shows it, and the words that lead there
 */

/** @param {LayerTrace} w */
const n = (w) => w.tokens.length;

/** @param {LayerTrace} w */
const m = (w) => w.keys.length;

/** What is said of a stage. @param {Said} said @param {LayerTrace} w */
export const saidOf = (said, w) => (typeof said === "string" ? said : said(w));

/** What comes into the layer. @param {LayerTrace} w */
function cameFrom(w) {
  if (!w.follows) return `what layer ${w.layer} holds before this attention`;
  const at = w.numbers.indexOf(w.layer);
  return at > 0 ? `what layer ${w.numbers[at - 1]} wrote` : "what the embeddings are";
}

/** What a token's vector is added up from. @param {LayerTrace} w */
function partsText({ parts, normed }) {
  const kinds = parts.includes("text A or B");
  const norm = normed ? " and brought to one size by LayerNorm" : "";
  if (!parts.includes("position"))
    return parts.length > 1
      ? `What a token is, and which text it is of, are vectors, added up${norm}.`
      : `What a token is is one vector${normed ? ", brought to one size by LayerNorm" : ""}.`;
  return `What a token is and where it stands are two vectors, added up${
    kinds && normed ? " (with one for text A or B)" : kinds ? ", with one for text A or B" : ""
  }${norm}.`;
}

/** @param {LayerTrace} w */
const inputText = (w) =>
  w.parts.length
    ? `${partsText(w)} From here on a token is nothing but these ${w.d_model} numbers. Attention itself does not see order: ${
        w.parts.includes("position")
          ? "only what is added here tells it."
          : w.pairs || w.bias
            ? "nothing that is added here tells it, a later stage does."
            : "and nothing that is added here tells it."
      }`
    : `This is ${cameFrom(w)}: for each token a vector of ${w.d_model} numbers${
        w.layer > 0 || !w.follows ? " that already holds something of its neighbours" : ""
      }.`;

/** How a norm is written. @param {string | null} kind @param {string} name */
const normFormula = (kind, name) =>
  kind === "LayerNorm" ? `(${name} − mean) / σ · g + b` : `${name} / rms · g`;

/** @param {string | null} kind */
const normText = (kind) =>
  kind === "LayerNorm"
    ? "LayerNorm takes the mean of a vector’s numbers off each of them and divides by how far they spread; then each place has a gain of its own, and most have a shift."
    : "RMSNorm divides a vector by the root of the mean of its squares; then each place has a gain of its own. No mean is taken off.";

/** @param {LayerTrace} w */
const shared = (w) =>
  w.beside.length > 1
    ? ` ${w.beside.length} heads share one map for keys and one for values: ${w.beside
        .map((head) => headName(w.layer, head))
        .join(", ")}. Their queries differ, what they look at does not.`
    : "";

/** How a map is written, with its bias where there is one. @param {LayerTrace} w @param {"q" | "k" | "v"} which */
const mapFormula = (w, which) => {
  const Name = which.toUpperCase();
  const from = which !== "q" && isCross(w) ? "Y" : "X";
  return `${Name} = ${from} W_${Name}^⊤${w.of[`b_${which}`] ? ` + b_${Name}` : ""}`;
};

/** @type {Stage[]} */
export const STAGES = [
  {
    id: "input",
    link: "1",
    name: "Input",
    title: "Every token is a vector",
    formula: (w) => {
      const to = w.norm ? "H" : "X";
      if (!w.parts.length) return `${to} = ${cameFrom(w)}`;
      const sum = w.parts.join(" + ");
      return `${to} = ${w.normed ? `LayerNorm(${sum})` : sum}`;
    },
    shapes: (w) => `${w.norm ? "H" : "X"} [${n(w)} tokens × ${w.d_model}]`,
    text: inputText,
    claim: [
      "Self-attention finds it hard to capture long-distance dependencies.",
      "Any two positions are one step apart, near or far. What attention loses is order; positions are added to give it back.",
    ],
  },
  {
    id: "norm",
    link: "norm",
    there: (w) => w.norm !== null,
    name: "Norm",
    title: "Each vector is brought to one size",
    formula: (w) => `X = ${normFormula(w.norm, "H")}`,
    shapes: (w) => `${w.norm}: H [${n(w)} × ${w.d_model}] → X [${n(w)} × ${w.d_model}]`,
    text: (w) =>
      `Before its maps this model brings every vector to one size. ${normText(w.norm)} The vectors themselves go on beside the attention as they were: its output is added to them.`,
  },
  {
    id: "qkv",
    link: "2",
    name: "Q, K, V",
    title: "Three maps: what I look for, am, and pass on",
    formula: (w) =>
      /** @type {const} */ (["q", "k", "v"]).map((which) => mapFormula(w, which)).join("   "),
    shapes: (w) =>
      `X [${n(w)} × ${w.d_model}] · W^⊤ [${w.d_model} × ${w.d_k}] → [${n(w)} × ${w.d_k}]`,
    text: (w) =>
      `${
        isCross(w)
          ? "What is written asks, and the text that was read answers: queries are made of the one, keys and values of the other."
          : "The same vector is mapped three times."
      } Each of the ${w.n_heads} heads has its own ${w.d_k} rows of ${
        w.beside.length > 1 ? "the map to queries" : "each map"
      }, so each head can look for something else.${shared(w)} Click a number: its row slides into the sum that made it.`,
    claim: [
      "Q = W_Q · X.",
      "That is for column vectors. Code keeps a token in a row and computes X W_Q^⊤ + b_Q.",
    ],
  },
  {
    id: "headnorm",
    link: "headnorm",
    there: (w) => w.steps.includes("norm"),
    name: "q, k norm",
    title: "Each query and key is brought to one size",
    formula: (w) => `q ← ${normFormula(w.head_norm, "q")}   k ← ${normFormula(w.head_norm, "k")}`,
    shapes: (w) => `${w.head_norm}, over ${w.d_k} numbers: [${n(w)} × ${w.d_k}]`,
    text: (w) =>
      `So no product can become too large, whatever the maps learn. ${normText(w.head_norm)}`,
  },
  {
    id: "turn",
    link: "rotation",
    there: (w) => w.steps.includes("turn"),
    name: "Rotation",
    title: "Queries and keys are turned by their places",
    formula: "(a, b) → (a cos φ − b sin φ,  b cos φ + a sin φ)",
    shapes: (w) =>
      `${w.pairs?.length} pairs of numbers, ${w.d_k - 2 * (w.pairs?.length ?? 0)} of ${w.d_k} numbers stay as they are`,
    text: () =>
      "Rotary position embedding (Su et al. 2021): the numbers of a query and a key go in pairs, and each pair is turned by an angle that grows with its token’s position, fast pairs and slow ones. In the product of a query and a key only the difference of their angles is left: so a score knows how far apart two tokens are, and no vector for a position is added anywhere.",
  },
  {
    id: "products",
    link: "3",
    name: "q · k",
    title: "How well does each key answer the query?",
    formula: "Q K^⊤",
    shapes: (w) => `Q [${n(w)} × ${w.d_k}] · K^⊤ [${w.d_k} × ${m(w)}] → [${n(w)} × ${m(w)}]`,
    text: (w) =>
      `The product q · k of a query and a key is one dot product: ${w.d_k} numbers times ${w.d_k} others, added up. There is one for every pair of tokens, ${n(w)} × ${m(w)} = ${(n(w) * m(w)).toLocaleString("en")}. Click a cell: its two rows slide into the sum.`,
    claim: [
      "The cost grows exponentially with the length.",
      "It grows with the square: n² pairs of d_k products each, O(n² d). Measure it.",
    ],
    experiment: ["cost", "Measure what length costs"],
  },
  {
    id: "scale",
    link: "4",
    there: (w) => w.scale !== 1 || isByRoot(w),
    name: (w) => (isByRoot(w) ? "÷ √d_k" : "Scale"),
    title: (w) =>
      w.cap || w.bias ? "The products are divided" : "The products, divided, are the scores",
    formula: (w) => (isByRoot(w) ? "S = Q K^⊤ / √d_k" : `S = Q K^⊤ × ${numberText(w.scale)}`),
    shapes: (w) => `d_k = ${w.d_k}, √d_k = ${Math.sqrt(w.d_k).toFixed(3)}`,
    text: (w) =>
      isByRoot(w)
        ? `A sum of ${w.d_k} products spreads √${w.d_k} times as wide as one product. Dividing keeps the spread the same however wide a head is; without it softmax picks one key and learns nothing more. Press “no ÷ √d_k” above and see.`
        : `This model multiplies its products with ${numberText(w.scale)}, where others divide by √d_k (here × ${numberText(1 / Math.sqrt(w.d_k))}): a number of its own, which keeps the spread of the scores as it was trained.`,
    claim: ["√d_k is the dimension of the keys.", "d_k is; √d_k is only the scale."],
    experiment: ["scale", "See what √d_k is for, at other widths"],
  },
  {
    id: "cap",
    link: "cap",
    there: (w) => w.cap !== null,
    name: "Soft cap",
    title: "No score can grow beyond a bound",
    formula: (w) => `S ← c · tanh(S / c),  c = ${w.cap}`,
    shapes: (w) => `S [${n(w)} × ${m(w)}], all between −${w.cap} and ${w.cap}`,
    text: (w) =>
      `Scores are bent so that none is farther from 0 than ${w.cap}: small ones stay nearly as they are, large ones are held back, and their order is kept.`,
  },
  {
    id: "bias",
    link: "bias",
    there: (w) => w.bias !== null,
    name: (w) => (w.bias === "given" ? "+ bias" : "+ distance"),
    title: (w) =>
      w.bias === "given" ? "Something is added to each score" : "The distance adds to each score",
    formula: "S_ij ← S_ij + B_ij",
    shapes: (w) =>
      `B [${n(w)} × ${m(w)}]${w.slope === null ? "" : `, ${numberText(w.slope)} more with each position`}`,
    text: (w) =>
      w.bias === "buckets"
        ? "T5 keeps a number for each head and each distance (Raffel et al. 2020): near distances have one each, far ones share one with their neighbours, in buckets that grow wider. It is added to the score, and is all that the model knows of order. The first layer’s table serves all layers."
        : w.bias === "slope"
          ? "ALiBi (Press et al. 2022): with each position nearer to the query a little more is added to the score, so that what is farther away counts less; how much, each head has its own slope for. Some models count from the first token and some back from the query: that adds one number to a whole row, which changes no weight."
          : "What is added belongs to the two places and not to their words.",
  },
  {
    id: "mask",
    link: "5",
    name: "Mask",
    title: "Which keys may be looked at?",
    formula: "S_ij = −∞ where i may not look at j",
    shapes: (w) => `mask [${n(w)} × ${m(w)}]`,
    text: maskText,
    claim: [
      "forward(Q, K, V), without a mask, and with the number of keys taken from Q.",
      "Without a mask it cannot leave out padding, or the future; and queries could not look at another text of another length. Ours has the same constructor and weights, takes masks, and checks its shapes.",
    ],
  },
  {
    id: "softmax",
    link: "6",
    name: "Softmax",
    title: (w) =>
      w.sink === null
        ? "Scores become weights that sum to 1"
        : "Scores become weights; a sink takes a part",
    formula: (w) =>
      `A_ij = exp(S_ij) / ${w.sink === null ? "Σ_j exp(S_ij)" : "(Σ_j exp(S_ij) + exp(s))"}`,
    shapes: (w) =>
      `A [${n(w)} queries × ${m(w)} keys], every row sums to ${w.sink === null ? "1" : "less than 1"}`,
    text: (w) =>
      `Each score is raised to a power of e and divided by the sum of its row. The largest score of the row is subtracted first: that changes no weight and keeps the powers small.${
        w.sink === null
          ? ""
          : ` This head has a sink s = ${numberText(w.sink)}: one more power in every row’s sum, for no token. What it takes goes nowhere, so a head can look at nothing.`
      } These are the weights that the Explore page paints.`,
  },
  {
    id: "mix",
    link: "7",
    name: "· V",
    title: "The values are mixed by the weights",
    formula: "z_i = Σ_j A_ij v_j",
    shapes: (w) => `A [${n(w)} × ${m(w)}] · V [${m(w)} × ${w.d_v}] → Z [${n(w)} × ${w.d_v}]`,
    text: () =>
      "What a token gets is the mean of all value vectors under its weights. A large weight on a short value vector passes little on: that is why a weight is not yet a contribution.",
  },
  {
    id: "join",
    link: "8",
    name: "Join heads",
    title: "The heads’ results stand side by side",
    formula: "Z = [Z_1 … Z_H]",
    shapes: (w) => `${w.n_heads} heads × ${w.d_v} = ${wideOf(w)}: Z [${n(w)} × ${wideOf(w)}]`,
    text: (w) =>
      w.n_heads === 1
        ? "There is one head, so there is nothing to join."
        : `All ${w.n_heads} heads did the same with their own maps. Nothing is added up here: each head keeps its own ${w.d_v} places.`,
  },
  {
    id: "output",
    link: "9",
    name: "Output",
    title: "One more map mixes the heads",
    formula: (w) => `output = Z W_O^⊤${w.of.b_o ? " + b_O" : ""}`,
    shapes: (w) =>
      `Z [${n(w)} × ${wideOf(w)}] · W_O^⊤ [${wideOf(w)} × ${w.d_out}] → output [${n(w)} × ${w.d_out}]`,
    text: (w) =>
      `The output of a token is a sum: each head adds its part${w.of.b_o ? ", and a bias" : ""}. ${
        w.after
          ? "The next stage brings it to one size; then the model adds"
          : "The model then adds"
      } what the token was before (the residual connection) and goes on.`,
  },
  {
    id: "after",
    link: "after",
    there: (w) => w.after !== null,
    name: "Norm after",
    title: "The output is brought to one size",
    formula: (w) => `output ← ${normFormula(w.after, "output")}`,
    shapes: (w) => `${w.after}: output [${n(w)} × ${w.d_out}] → [${n(w)} × ${w.d_out}]`,
    text: (w) =>
      `This model has a norm behind its attention too. ${normText(w.after)} What comes out is added to what the token was before (the residual connection).`,
  },
];

/** How wide all heads side by side are. @param {LayerTrace} w */
const wideOf = (w) => w.n_heads * w.d_v;

/** @param {number} x */
const numberText = (x) => String(Number(x.toPrecision(4))).replace("-", "−");

/** @param {LayerTrace} w @param {boolean} causal */
function maskText(w, causal) {
  if (w.window)
    return `${w.causal ? "A causal mask with a window" : "A window"}: each token sees at most ${w.window} tokens${
      w.causal ? ", itself and those right before it" : " around itself"
    }. What is outside gets −∞, so that its weight becomes exactly 0; another layer may see farther.`;
  if (causal)
    return `A causal mask: each token sees itself and what is read before it. What is masked gets −∞, so that its weight becomes exactly 0.${
      w.causal ? "" : " You have switched it on above: the model itself masks nothing here."
    }`;
  if (isCross(w)) return "Nothing is masked: what is written may look at all of the text.";
  if (w.of.allowed)
    return "Some keys are masked: they get −∞, so that their weight becomes exactly 0.";
  return "Here nothing is masked: an encoder reads in both directions. A decoder, which must not see what it is about to say, has a causal mask; try it above.";
}

const ids = STAGES.map(({ id }) => id);

/** How far along a stage stands. @param {StageId} id */
export const orderOf = (id) => ids.indexOf(id);

/**
 * The stages that a layer has, in its own order: some turn queries and keys before their norm.
 * @param {LayerTrace} trace
 */
export function stagesOf(trace) {
  const found = STAGES.filter(({ there }) => there?.(trace) ?? true);
  if (trace.steps[0] !== "turn" || trace.steps.length < 2) return found;
  const at = found.findIndex(({ id }) => id === "headnorm");
  found.splice(at, 2, found[at + 1], found[at]);
  return found;
}

/** The stage that a name in a link means; the first or last where it is no stage's. @param {string | null} said */
export function stageIn(said) {
  const named = STAGES.find(({ link }) => link === said);
  if (named) return named.id;
  return /^[1-9]\d{0,3}$/.test(said ?? "") ? "output" : "input";
}

/**
 * The stage that is shown of a layer where another is asked for: that before it, if it is not there.
 * @param {LayerTrace} trace @param {StageId} id
 */
export const stageThere = (trace, id) =>
  stagesOf(trace).findLast((stage) => orderOf(stage.id) <= orderOf(id))?.id ?? "input";
