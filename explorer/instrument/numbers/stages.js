// The stages of one attention layer: what each is called, its formula, and what to say of it.

/**
 * @typedef {import("./layertrace.js").LayerTrace} LayerTrace
 * @typedef {"input" | "qkv" | "products" | "scale" | "mask" | "softmax" | "mix" | "join" | "output"} StageId
 * @typedef {{id: StageId, name: string, title: string, formula: string | ((trace: LayerTrace) => string),
 *            shapes: (trace: LayerTrace) => string, text: (trace: LayerTrace, causal: boolean) => string,
 *            claim?: [string, string], experiment?: ["cost" | "scale", string]}} Stage
 *   text: causal: whether a causal mask is on, be it the model's own or the reader's; claim: what is
 *   often said, and what is right; experiment: one that shows it, and the words that lead there
 */

/** @param {LayerTrace} w */
const n = (w) => w.tokens.length;

/** @type {Stage[]} */
export const STAGES = [
  {
    id: "input",
    name: "Input",
    title: "Every token is a vector",
    formula: (w) =>
      w.layer > 0
        ? `X = what layer ${w.layer - 1} wrote`
        : w.parts.length
          ? `X = ${w.normed ? "LayerNorm(" : ""}${w.parts.join(" + ")}${w.normed ? ")" : ""}`
          : "X",
    shapes: (w) => `X [${n(w)} tokens × ${w.d_model}]`,
    text: (w) =>
      w.parts.length
        ? `What a token is and where it stands are two vectors, added up${
            w.normed ? " (with one for text A or B) and brought to one size by LayerNorm" : ""
          }. From here on a token is nothing but these ${w.d_model} numbers. Attention itself does not see order: only what is added here tells it.`
        : w.layer > 0
          ? `Layer ${w.layer} reads what layer ${w.layer - 1} wrote: for each token a vector of ${w.d_model} numbers that already holds something of its neighbours.`
          : `Each token is a vector of ${w.d_model} numbers.`,
    claim: [
      "Self-attention finds it hard to capture long-distance dependencies.",
      "Any two positions are one step apart, near or far. What attention loses is order; positions are added to give it back.",
    ],
  },
  {
    id: "qkv",
    name: "Q, K, V",
    title: "Three maps: what I look for, am, and pass on",
    formula: "Q = X W_Q^⊤ + b_Q   K = X W_K^⊤ + b_K   V = X W_V^⊤ + b_V",
    shapes: (w) =>
      `X [${n(w)} × ${w.d_model}] · W^⊤ [${w.d_model} × ${w.d_k}] → [${n(w)} × ${w.d_k}]`,
    text: (w) =>
      `The same vector is mapped three times. Each of the ${w.n_heads} heads has its own ${w.d_k} rows of each map, so each head can look for something else. Click a number: its row slides into the sum that made it.`,
    claim: [
      "Q = W_Q · X.",
      "That is for column vectors. Code keeps a token in a row and computes X W_Q^⊤ + b_Q.",
    ],
  },
  {
    id: "products",
    name: "q · k",
    title: "How well does each key answer the query?",
    formula: "Q K^⊤",
    shapes: (w) => `Q [${n(w)} × ${w.d_k}] · K^⊤ [${w.d_k} × ${n(w)}] → [${n(w)} × ${n(w)}]`,
    text: (w) =>
      `The product q · k of a query and a key is one dot product: ${w.d_k} numbers times ${w.d_k} others, added up. There is one for every pair of tokens, ${n(w)} × ${n(w)} = ${(n(w) ** 2).toLocaleString("en")}. Click a cell: its two rows slide into the sum.`,
    claim: [
      "The cost grows exponentially with the length.",
      "It grows with the square: n² pairs of d_k products each, O(n² d). Measure it.",
    ],
    experiment: ["cost", "Measure what length costs"],
  },
  {
    id: "scale",
    name: "÷ √d_k",
    title: "The products, divided, are the scores",
    formula: "S = Q K^⊤ / √d_k",
    shapes: (w) => `d_k = ${w.d_k}, √d_k = ${Math.sqrt(w.d_k).toFixed(3)}`,
    text: (w) =>
      `A sum of ${w.d_k} products spreads √${w.d_k} times as wide as one product. Dividing keeps the spread the same however wide a head is; without it softmax picks one key and learns nothing more. Press “no ÷ √d_k” above and see.`,
    claim: ["√d_k is the dimension of the keys.", "d_k is; √d_k is only the scale."],
    experiment: ["scale", "See what √d_k is for, at other widths"],
  },
  {
    id: "mask",
    name: "Mask",
    title: "Which keys may be looked at?",
    formula: "S_ij = −∞ where i may not look at j",
    shapes: (w) => `mask [${n(w)} × ${n(w)}]`,
    text: (w, causal) =>
      causal
        ? `A causal mask: each token sees itself and what is read before it. What is masked gets −∞, so that its weight becomes exactly 0.${
            w.causal ? "" : " You have switched it on above: the model itself masks nothing here."
          }`
        : "Here nothing is masked: an encoder reads in both directions. A decoder, which must not see what it is about to say, has a causal mask; try it above.",
    claim: [
      "forward(Q, K, V), without a mask, and with the number of keys taken from Q.",
      "Without a mask it cannot leave out padding, or the future; and queries could not look at another text of another length. Ours has the same constructor and weights, takes masks, and checks its shapes.",
    ],
  },
  {
    id: "softmax",
    name: "Softmax",
    title: "Scores become weights that sum to 1",
    formula: "A_ij = exp(S_ij) / Σ_j exp(S_ij)",
    shapes: (w) => `A [${n(w)} queries × ${n(w)} keys], every row sums to 1`,
    text: () =>
      "Each score is raised to a power of e and divided by the sum of its row. The largest score of the row is subtracted first: that changes no weight and keeps the powers small. These are the weights that the Explore page paints.",
  },
  {
    id: "mix",
    name: "· V",
    title: "The values are mixed by the weights",
    formula: "z_i = Σ_j A_ij v_j",
    shapes: (w) => `A [${n(w)} × ${n(w)}] · V [${n(w)} × ${w.d_k}] → Z [${n(w)} × ${w.d_k}]`,
    text: () =>
      "What a token gets is the mean of all value vectors under its weights. A large weight on a short value vector passes little on: that is why a weight is not yet a contribution.",
  },
  {
    id: "join",
    name: "Join heads",
    title: "The heads’ results stand side by side",
    formula: "Z = [Z_1 … Z_H]",
    shapes: (w) => `${w.n_heads} heads × ${w.d_k} = ${w.d_model}: Z [${n(w)} × ${w.d_model}]`,
    text: (w) =>
      w.n_heads === 1
        ? "There is one head, so there is nothing to join."
        : `All ${w.n_heads} heads did the same with their own maps. Nothing is added up here: each head keeps its own ${w.d_k} places.`,
  },
  {
    id: "output",
    name: "Output",
    title: "One more map mixes the heads",
    formula: "output = Z W_O^⊤ + b_O",
    shapes: (w) =>
      `Z [${n(w)} × ${w.d_model}] · W_O^⊤ [${w.d_model} × ${w.d_model}] → output [${n(w)} × ${w.d_model}]`,
    text: () =>
      "The output of a token is a sum: each head adds its part, and a bias. The model then adds what the token was before (the residual connection) and goes on.",
  },
];
