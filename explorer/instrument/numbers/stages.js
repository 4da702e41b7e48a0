// The stages of one attention layer: what each is called, its formula, and what to say of it.

import { headName } from "./headname.js";
import { sentences, t } from "./language.js";
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
export function cameFrom(w) {
  if (!w.follows) return t("what layer {layer} holds before this attention", { layer: w.layer });
  const at = w.numbers.indexOf(w.layer);
  return at > 0
    ? t("what layer {layer} wrote", { layer: w.numbers[at - 1] })
    : t("what the embeddings are");
}

/** @type {Record<string, string>} */
const PARTS = { token: t("token"), position: t("position"), "text A or B": t("text A or B") };

/** What a part of the input is called. @param {string} part */
export const partName = (part) => PARTS[part] ?? part;

/** What a token's vector is added up from. @param {LayerTrace} w */
function partsText({ parts, normed }) {
  const kinds = parts.includes("text A or B");
  if (parts.includes("position")) return placedText(kinds, normed);
  if (parts.length > 1)
    return normed
      ? t(
          "What a token is, and which text it is of, are vectors, added up and brought to one size by LayerNorm.",
        )
      : t("What a token is, and which text it is of, are vectors, added up.");
  return normed
    ? t("What a token is is one vector, brought to one size by LayerNorm.")
    : t("What a token is is one vector.");
}

/** The same of tokens with positions. @param {boolean} kinds @param {boolean} normed */
function placedText(kinds, normed) {
  if (kinds && normed)
    return t(
      "What a token is and where it stands are two vectors, added up (with one for text A or B) and brought to one size by LayerNorm.",
    );
  if (kinds)
    return t(
      "What a token is and where it stands are two vectors, added up, with one for text A or B.",
    );
  return normed
    ? t(
        "What a token is and where it stands are two vectors, added up and brought to one size by LayerNorm.",
      )
    : t("What a token is and where it stands are two vectors, added up.");
}

/** Whether attention can see order. @param {LayerTrace} w */
function orderText(w) {
  if (w.parts.includes("position"))
    return t("Attention itself does not see order: only what is added here tells it.");
  return w.pairs || w.bias
    ? t(
        "Attention itself does not see order: nothing that is added here tells it, a later stage does.",
      )
    : t("Attention itself does not see order: and nothing that is added here tells it.");
}

/** @param {LayerTrace} w */
function inputText(w) {
  if (w.parts.length)
    return sentences(
      partsText(w),
      t("From here on a token is nothing but these {n} numbers.", { n: w.d_model }),
      orderText(w),
    );
  const values = { what: cameFrom(w), n: w.d_model };
  return w.layer > 0 || !w.follows
    ? t(
        "This is {what}: for each token a vector of {n} numbers that already holds something of its neighbours.",
        values,
      )
    : t("This is {what}: for each token a vector of {n} numbers.", values);
}

/** How a norm is written. @param {string | null} kind @param {string} name */
const normFormula = (kind, name) =>
  kind === "LayerNorm" ? t("({x} − mean) / σ · g + b", { x: name }) : `${name} / rms · g`;

/** @param {string | null} kind */
const normText = (kind) =>
  kind === "LayerNorm"
    ? t(
        "LayerNorm takes the mean of a vector’s numbers off each of them and divides by how far they spread; then each place has a gain of its own, and most have a shift.",
      )
    : t(
        "RMSNorm divides a vector by the root of the mean of its squares; then each place has a gain of its own. No mean is taken off.",
      );

/** @param {LayerTrace} w */
const shared = (w) =>
  w.beside.length > 1
    ? t(
        "{n} heads share one map for keys and one for values: {heads}. Their queries differ, what they look at does not.",
        {
          n: w.beside.length,
          heads: w.beside.map((head) => headName(w.layer, head)).join(", "),
        },
      )
    : "";

/** @param {LayerTrace} w */
function mapsText(w) {
  const values = { n: w.n_heads, rows: w.d_k };
  return sentences(
    isCross(w)
      ? t(
          "What is written asks, and the text that was read answers: queries are made of the one, keys and values of the other.",
        )
      : t("The same vector is mapped three times."),
    w.beside.length > 1
      ? t(
          "Each of the {n} heads has its own {rows} rows of the map to queries, so each head can look for something else.",
          values,
        )
      : t(
          "Each of the {n} heads has its own {rows} rows of each map, so each head can look for something else.",
          values,
        ),
    shared(w),
    t("Click a number: its row slides into the sum that made it."),
  );
}

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
    name: t("Input"),
    title: t("Every token is a vector"),
    formula: (w) => {
      const to = w.norm ? "H" : "X";
      if (!w.parts.length) return `${to} = ${cameFrom(w)}`;
      const sum = w.parts.map(partName).join(" + ");
      return `${to} = ${w.normed ? `LayerNorm(${sum})` : sum}`;
    },
    shapes: (w) =>
      t("{x} [{n} tokens × {width}]", { x: w.norm ? "H" : "X", n: n(w), width: w.d_model }),
    text: inputText,
    claim: [
      t("Self-attention finds it hard to capture long-distance dependencies."),
      t(
        "Any two positions are one step apart, near or far. What attention loses is order; positions are added to give it back.",
      ),
    ],
  },
  {
    id: "norm",
    link: "norm",
    there: (w) => w.norm !== null,
    name: t("Norm"),
    title: t("Each vector is brought to one size"),
    formula: (w) => `X = ${normFormula(w.norm, "H")}`,
    shapes: (w) => `${w.norm}: H [${n(w)} × ${w.d_model}] → X [${n(w)} × ${w.d_model}]`,
    text: (w) =>
      sentences(
        t("Before its maps this model brings every vector to one size."),
        normText(w.norm),
        t(
          "The vectors themselves go on beside the attention as they were: its output is added to them.",
        ),
      ),
  },
  {
    id: "qkv",
    link: "2",
    name: "Q, K, V",
    title: t("Three maps: what I look for, am, and pass on"),
    formula: (w) =>
      /** @type {const} */ (["q", "k", "v"]).map((which) => mapFormula(w, which)).join("   "),
    shapes: (w) =>
      `X [${n(w)} × ${w.d_model}] · W^⊤ [${w.d_model} × ${w.d_k}] → [${n(w)} × ${w.d_k}]`,
    text: mapsText,
    claim: [
      "Q = W_Q · X.",
      t("That is for column vectors. Code keeps a token in a row and computes X W_Q^⊤ + b_Q."),
    ],
  },
  {
    id: "headnorm",
    link: "headnorm",
    there: (w) => w.steps.includes("norm"),
    name: t("q, k norm"),
    title: t("Each query and key is brought to one size"),
    formula: (w) => `q ← ${normFormula(w.head_norm, "q")}   k ← ${normFormula(w.head_norm, "k")}`,
    shapes: (w) =>
      t("{norm}, over {width} numbers: [{n} × {width}]", {
        ...{ norm: w.head_norm ?? "", n: n(w), width: w.d_k },
      }),
    text: (w) =>
      sentences(
        t("So no product can become too large, whatever the maps learn."),
        normText(w.head_norm),
      ),
  },
  {
    id: "turn",
    link: "rotation",
    there: (w) => w.steps.includes("turn"),
    name: t("Rotation"),
    title: t("Queries and keys are turned by their places"),
    formula: "(a, b) → (a cos φ − b sin φ,  b cos φ + a sin φ)",
    shapes: (w) =>
      t("{pairs} pairs of numbers, {n} of {all} numbers stay as they are", {
        pairs: w.pairs?.length ?? 0,
        n: w.d_k - 2 * (w.pairs?.length ?? 0),
        all: w.d_k,
      }),
    text: () =>
      t(
        "Rotary position embedding (Su et al. 2021): the numbers of a query and a key go in pairs, and each pair is turned by an angle that grows with its token’s position, fast pairs and slow ones. In the product of a query and a key only the difference of their angles is left: so a score knows how far apart two tokens are, and no vector for a position is added anywhere.",
      ),
  },
  {
    id: "products",
    link: "3",
    name: "q · k",
    title: t("How well does each key answer the query?"),
    formula: "Q K^⊤",
    shapes: (w) => `Q [${n(w)} × ${w.d_k}] · K^⊤ [${w.d_k} × ${m(w)}] → [${n(w)} × ${m(w)}]`,
    text: (w) =>
      t(
        "The product q · k of a query and a key is one dot product: {width} numbers times {width} others, added up. There is one for every pair of tokens, {n} × {m} = {all}. Click a cell: its two rows slide into the sum.",
        { width: w.d_k, n: n(w), m: m(w), all: (n(w) * m(w)).toLocaleString("en") },
      ),
    claim: [
      t("The cost grows exponentially with the length."),
      t("It grows with the square: n² pairs of d_k products each, O(n² d). Measure it."),
    ],
    experiment: ["cost", t("Measure what length costs")],
  },
  {
    id: "scale",
    link: "4",
    there: (w) => w.scale !== 1 || isByRoot(w),
    name: (w) => (isByRoot(w) ? "÷ √d_k" : t("Scale")),
    title: (w) =>
      w.cap || w.bias ? t("The products are divided") : t("The products, divided, are the scores"),
    formula: (w) => (isByRoot(w) ? "S = Q K^⊤ / √d_k" : `S = Q K^⊤ × ${numberText(w.scale)}`),
    shapes: (w) => `d_k = ${w.d_k}, √d_k = ${Math.sqrt(w.d_k).toFixed(3)}`,
    text: (w) =>
      isByRoot(w)
        ? t(
            "A sum of {n} products spreads √{n} times as wide as one product. Dividing keeps the spread the same however wide a head is; without it softmax picks one key and learns nothing more. Press “no ÷ √d_k” above and see.",
            { n: w.d_k },
          )
        : t(
            "This model multiplies its products with {scale}, where others divide by √d_k (here × {other}): a number of its own, which keeps the spread of the scores as it was trained.",
            { scale: numberText(w.scale), other: numberText(1 / Math.sqrt(w.d_k)) },
          ),
    claim: [t("√d_k is the dimension of the keys."), t("d_k is; √d_k is only the scale.")],
    experiment: ["scale", t("See what √d_k is for, at other widths")],
  },
  {
    id: "cap",
    link: "cap",
    there: (w) => w.cap !== null,
    name: t("Soft cap"),
    title: t("No score can grow beyond a bound"),
    formula: (w) => `S ← c · tanh(S / c),  c = ${w.cap}`,
    shapes: (w) =>
      t("S [{n} × {m}], all between −{cap} and {cap}", { n: n(w), m: m(w), cap: w.cap ?? 0 }),
    text: (w) =>
      t(
        "Scores are bent so that none is farther from 0 than {cap}: small ones stay nearly as they are, large ones are held back, and their order is kept.",
        { cap: w.cap ?? 0 },
      ),
  },
  {
    id: "bias",
    link: "bias",
    there: (w) => w.bias !== null,
    name: (w) => (w.bias === "given" ? t("+ bias") : t("+ distance")),
    title: (w) =>
      w.bias === "given"
        ? t("Something is added to each score")
        : t("The distance adds to each score"),
    formula: "S_ij ← S_ij + B_ij",
    shapes: (w) =>
      w.slope === null
        ? `B [${n(w)} × ${m(w)}]`
        : t("B [{n} × {m}], {slope} more with each position", {
            ...{ n: n(w), m: m(w), slope: numberText(w.slope) },
          }),
    text: biasText,
  },
  {
    id: "mask",
    link: "5",
    name: t("Mask"),
    title: t("Which keys may be looked at?"),
    formula: t("S_ij = −∞ where i may not look at j"),
    shapes: (w) => t("mask [{n} × {m}]", { n: n(w), m: m(w) }),
    text: maskText,
    claim: [
      t("forward(Q, K, V), without a mask, and with the number of keys taken from Q."),
      t(
        "Without a mask it cannot leave out padding, or the future; and queries could not look at another text of another length. Ours has the same constructor and weights, takes masks, and checks its shapes.",
      ),
    ],
  },
  {
    id: "softmax",
    link: "6",
    name: "Softmax",
    title: (w) =>
      w.sink === null
        ? t("Scores become weights that sum to 1")
        : t("Scores become weights; a sink takes a part"),
    formula: (w) =>
      `A_ij = exp(S_ij) / ${w.sink === null ? "Σ_j exp(S_ij)" : "(Σ_j exp(S_ij) + exp(s))"}`,
    shapes: (w) =>
      w.sink === null
        ? t("A [{n} queries × {m} keys], every row sums to 1", { n: n(w), m: m(w) })
        : t("A [{n} queries × {m} keys], every row sums to less than 1", { n: n(w), m: m(w) }),
    text: (w) =>
      sentences(
        t(
          "Each score is raised to a power of e and divided by the sum of its row. The largest score of the row is subtracted first: that changes no weight and keeps the powers small.",
        ),
        w.sink === null
          ? ""
          : t(
              "This head has a sink s = {sink}: one more power in every row’s sum, for no token. What it takes goes nowhere, so a head can look at nothing.",
              { sink: numberText(w.sink) },
            ),
        t("These are the weights that the Explore page paints."),
      ),
  },
  {
    id: "mix",
    link: "7",
    name: "· V",
    title: t("The values are mixed by the weights"),
    formula: "z_i = Σ_j A_ij v_j",
    shapes: (w) => `A [${n(w)} × ${m(w)}] · V [${m(w)} × ${w.d_v}] → Z [${n(w)} × ${w.d_v}]`,
    text: () =>
      t(
        "What a token gets is the mean of all value vectors under its weights. A large weight on a short value vector passes little on: that is why a weight is not yet a contribution.",
      ),
  },
  {
    id: "join",
    link: "8",
    name: t("Join heads"),
    title: t("The heads’ results stand side by side"),
    formula: "Z = [Z_1 … Z_H]",
    shapes: (w) =>
      t("{heads} heads × {width} = {wide}: Z [{n} × {wide}]", {
        ...{ heads: w.n_heads, width: w.d_v, wide: wideOf(w), n: n(w) },
      }),
    text: (w) =>
      w.n_heads === 1
        ? t("There is one head, so there is nothing to join.")
        : t(
            "All {n} heads did the same with their own maps. Nothing is added up here: each head keeps its own {width} places.",
            { n: w.n_heads, width: w.d_v },
          ),
  },
  {
    id: "output",
    link: "9",
    name: t("Output"),
    title: t("One more map mixes the heads"),
    formula: (w) => `${t("output")} = Z W_O^⊤${w.of.b_o ? " + b_O" : ""}`,
    shapes: (w) =>
      `Z [${n(w)} × ${wideOf(w)}] · W_O^⊤ [${wideOf(w)} × ${w.d_out}] → ${t("output")} [${n(w)} × ${w.d_out}]`,
    text: (w) =>
      sentences(
        w.of.b_o
          ? t("The output of a token is a sum: each head adds its part, and a bias.")
          : t("The output of a token is a sum: each head adds its part."),
        w.after
          ? t(
              "The next stage brings it to one size; then the model adds what the token was before (the residual connection) and goes on.",
            )
          : t(
              "The model then adds what the token was before (the residual connection) and goes on.",
            ),
      ),
  },
  {
    id: "after",
    link: "after",
    there: (w) => w.after !== null,
    name: t("Norm after"),
    title: t("The output is brought to one size"),
    formula: (w) => `${t("output")} ← ${normFormula(w.after, t("output"))}`,
    shapes: (w) => `${w.after}: ${t("output")} [${n(w)} × ${w.d_out}] → [${n(w)} × ${w.d_out}]`,
    text: (w) =>
      sentences(
        t("This model has a norm behind its attention too."),
        normText(w.after),
        t("What comes out is added to what the token was before (the residual connection)."),
      ),
  },
];

/** How wide all heads side by side are. @param {LayerTrace} w */
const wideOf = (w) => w.n_heads * w.d_v;

/** @param {number} x */
const numberText = (x) => String(Number(x.toPrecision(4))).replace("-", "−");

/** @param {LayerTrace} w */
function biasText(w) {
  if (w.bias === "buckets")
    return t(
      "T5 keeps a number for each head and each distance (Raffel et al. 2020): near distances have one each, far ones share one with their neighbours, in buckets that grow wider. It is added to the score, and is all that the model knows of order. The first layer’s table serves all layers.",
    );
  return w.bias === "slope"
    ? t(
        "ALiBi (Press et al. 2022): with each position nearer to the query a little more is added to the score, so that what is farther away counts less; how much, each head has its own slope for. Some models count from the first token and some back from the query: that adds one number to a whole row, which changes no weight.",
      )
    : t("What is added belongs to the two places and not to their words.");
}

/** @param {LayerTrace} w @param {boolean} causal */
function maskText(w, causal) {
  if (w.window) return windowText(w.causal, w.window);
  if (causal)
    return sentences(
      t(
        "A causal mask: each token sees itself and what is read before it. What is masked gets −∞, so that its weight becomes exactly 0.",
      ),
      w.causal ? "" : t("You have switched it on above: the model itself masks nothing here."),
    );
  if (isCross(w)) return t("Nothing is masked: what is written may look at all of the text.");
  if (w.of.allowed)
    return t("Some keys are masked: they get −∞, so that their weight becomes exactly 0.");
  return t(
    "Here nothing is masked: an encoder reads in both directions. A decoder, which must not see what it is about to say, has a causal mask; try it above.",
  );
}

/** @param {boolean} causal @param {number} n tokens in sight */
const windowText = (causal, n) =>
  sentences(
    causal
      ? t(
          "A causal mask with a window: each token sees at most {n} tokens, itself and those right before it.",
          { n },
        )
      : t("A window: each token sees at most {n} tokens around itself.", { n }),
    t(
      "What is outside gets −∞, so that its weight becomes exactly 0; another layer may see farther.",
    ),
  );

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
