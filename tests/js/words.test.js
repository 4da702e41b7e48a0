import assert from "node:assert/strict";
import test from "node:test";
import { isOfHeads } from "../../explorer/instrument/numbers/headname.js";
import { givenBy, gotBy, numberOf } from "../../explorer/instrument/numbers/model.js";
import {
  baseOf,
  caption,
  hiddenNote,
  measuredOn,
  named,
  nameOf,
  pathNote,
  pathSentence,
  scaleNote,
  sentence,
  sinkNote,
} from "../../explorer/instrument/numbers/words.js";

const unit = (/** @type {string} */ text, special = false) => ({
  text,
  tokens: [],
  special,
  segment: 0,
});
const units = [unit("[CLS]", true), unit("the"), unit("<b>cat")];
const weights = Float32Array.from([0.7, 0.2, 0.1, 0.71, 0.25, 0.04, 0.1, 0.84, 0.06]);
const picture = { weights, rows: units, columns: units };
const say = (/** @type {any[]} */ parts) => parts.flat().join("");

/**
 * What is said of one head with this picture.
 * @param {Partial<import("../../explorer/instrument/numbers/words.js").Said>} [rest]
 * @returns {import("../../explorer/instrument/numbers/words.js").Said}
 */
const said = (rest = {}) => ({
  ...{ name: "H", base: baseOf(3, 1), picture, most: false },
  given: (rows) => givenBy(rest.picture ?? picture, rows),
  got: (columns) => gotBy(rest.picture ?? picture, columns),
  number: (rows, columns) => numberOf(picture, rows, columns),
  shares: () => Float32Array.from([1.51 / 3, 1.29 / 3, 0.2 / 3]),
  nowhere: () => 0,
  ...rest,
});

test("a cell is said with its weight", () => {
  const parts = sentence(said({ name: "L2·H9" }), { rows: [2], columns: [1] });
  assert.equal(say(parts), "L2·H9: <b>cat looks at the with weight 0.840.");
  assert.deepEqual(
    parts.filter(Array.isArray),
    [["<b>cat"], ["the"]],
    "tokens stay apart, as data",
  );
});

test("a query is said with its strongest keys, a key with its strongest queries and its share", () => {
  assert.equal(
    say(sentence(said(), { rows: [2], columns: [] })),
    "H: <b>cat looks most at the (0.840), then [CLS] (0.100), then <b>cat (0.060).",
  );
  assert.equal(
    say(sentence(said(), { rows: [], columns: [1] })),
    "H: the is looked at most by <b>cat (0.840), then the (0.250), then [CLS] (0.200); it gets 43 % of all 3 tokens’ attention.",
  );
});

test("a group is said with the mean over its queries and the sum over its keys", () => {
  assert.equal(
    say(sentence(said(), { rows: [1, 2], columns: [0, 1] })),
    // the mean of 0.71 + 0.25 and 0.10 + 0.84
    "H: the <b>cat, on average, look at [CLS] the, taken together, with weight 0.950.",
  );
  assert.match(
    say(sentence(said(), { rows: [1, 2], columns: [] })),
    /^H: the <b>cat, on average, look most at the \(0\.545\)/,
  );
  assert.match(
    say(sentence(said(), { rows: [], columns: [0, 1] })),
    /taken together, are looked at most by the \(0\.960\).*they get 93 % of all 3 tokens’ attention/,
  );
});

test("of a long group the ends are named, with its size", () => {
  const many = Array.from({ length: 9 }, (_, i) => unit(`w${i}`));
  const parts = named([...many.keys()], many);
  assert.equal(say(parts), "w0 w1 w2 … w7 w8 (9 tokens)");
});

const PASSED = { hidden: 0, lost: 0, rescaled: false, residual: 50, numbers: [0, 1] };

test("a path is said with what it draws most on, and what it assumes", () => {
  const input = Float64Array.from([0.1, 0.7, 0.2]);
  assert.equal(
    say(
      pathNote(
        pathSentence("The output of {name} draws on {found}", [["the"]], input, units),
        PASSED,
      ),
    ),
    "The output of the draws on the (0.700), then <b>cat (0.200), then [CLS] (0.100) (attention rollout; residual share 50 %).",
  );
});

test("what a path leaves out is said with it", () => {
  assert.equal(
    say(pathNote(["All"], { ...PASSED, hidden: 0.42, lost: 0.031 })),
    "All; 42 % comes from hidden special tokens; 3.1 % is lost to sinks (attention rollout; residual share 50 %).",
  );
  assert.match(
    say(pathNote(["All"], { ...PASSED, rescaled: true })),
    /^All \(attention rollout; rows rescaled to ordinary tokens; /,
  );
});

test("a path through a hybrid names the layers without attention that it passes by", () => {
  assert.equal(
    say(pathNote(["All"], { ...PASSED, numbers: [2, 5, 7] })),
    "All (attention rollout; residual share 50 %; layers 0–1, 3–4, 6 have no attention and are left out).",
  );
  assert.match(
    say(pathNote(["All"], { ...PASSED, numbers: [0, 2] })),
    /; layer 1 has no attention and is left out\)/,
  );
  assert.match(
    say(pathNote([], { ...PASSED, numbers: [2] })),
    /; layers 0–1 have no attention and are/,
  );
});

test("a maximum is called one, and its shares are of all the heads", () => {
  const several = said({ most: true, base: baseOf(3, 2), number: () => 0.93 });
  assert.equal(
    say(sentence(several, { rows: [2], columns: [0, 1] })),
    "H: <b>cat looks at [CLS] the, taken together, with weight 0.930 in the head that gives most.",
  );
  assert.match(
    say(sentence(several, { rows: [], columns: [1] })),
    /\(0\.200\), each in the head that gives most; it gets 43 % of all 3 tokens’ attention in these 2 heads\.$/,
  );
  assert.match(
    say(sentence(several, { rows: [1], columns: [] })),
    /\(0\.040\), each in the head that gives most\.$/,
  );
});

test("what goes to no token is said", () => {
  const sunk = said({ nowhere: () => 0.31 });
  assert.match(
    say(sentence(sunk, { rows: [2], columns: [] })),
    /<b>cat \(0\.060\); to no token, into the sink: 0\.310\.$/,
  );
  assert.equal(
    say(sinkNote(sunk)),
    "50 % of all 3 tokens’ attention goes to [CLS]. 31 % goes to no token: this model’s rows have a sink.",
  );
  // Beside the largest weights of several heads it is a mean, and called one.
  assert.match(
    say(sentence({ ...sunk, most: true }, { rows: [2], columns: [] })),
    /gives most; to no token, into the sink, on average over these heads: 0\.310\.$/,
  );
});

test("a note on hidden tokens names what the sink takes, and says where there are none", () => {
  const of = { base: baseOf(3, 1), most: false, hiddenShare: () => 0.5, sinkShare: () => 0.31 };
  const none = { ...of, hiddenShare: () => null };
  const all = "all 3 tokens’ attention";
  const bare = "There are no special tokens to look at here, so no attention is hidden.";
  assert.equal(
    hiddenNote("hidden", of),
    `Special tokens are hidden; they get 50 % of ${all}, and 31 % goes to no token, into this model’s sink, so rows sum to less than 1.`,
  );
  assert.equal(
    hiddenNote("renormalised", of),
    `Special tokens are hidden; the 50 % of ${all} that they get and the 31 % that this model’s sink takes are left out and each row divided by what remains.`,
  );
  assert.equal(
    hiddenNote("hidden", none),
    `${bare} Of ${all} 31 % goes to no token, into this model’s sink, so rows sum to less than 1.`,
  );
  assert.equal(
    hiddenNote("renormalised", none),
    `${bare} Of ${all} the 31 % that this model’s sink takes is left out and each row divided by what remains.`,
  );
  for (const specials of /** @type {const} */ (["hidden", "renormalised"])) {
    assert.equal(hiddenNote(specials, { ...none, sinkShare: () => 0 }), bare);
  }
  // The largest weights of several heads may sum to more than 1.
  assert.match(
    hiddenNote("hidden", { ...of, most: true }),
    /so each head’s rows sum to less than 1/,
  );
});

test("a query with nothing to look at is said so", () => {
  const blind = { ...picture, weights: new Float32Array(9) };
  assert.equal(
    say(sentence(said({ picture: blind }), { rows: [1], columns: [] })),
    "H: the may look at nothing here.",
  );
});

test("heads are named one, several, or all", () => {
  assert.equal(nameOf(2, [9], 12, "mean"), "L2·H9");
  assert.equal(nameOf(2, [1, 9], 12, "max"), "L2, max of H1, H9");
  assert.equal(nameOf(2, [0, 1], 2, "mean"), "L2, mean of all 2 heads");
});

test("a head is named by its habit, with the number and the spread", () => {
  const shares = { self: 0, previous: 0, next: 0, repeat: 0, special: 0 };
  const none = { ...shares, entropy: 3.5, possible: 3.7, crosses: false };
  assert.equal(
    caption(none, "x"),
    "No simple habit of place; broad (entropy 3.5 of 3.7 bits, a mean over the rows).",
  );
  assert.equal(
    caption({ ...none, previous: 0.91, next: 0.4, entropy: 0.4 }, baseOf(13, 1)),
    "Mostly the token before (91 % of all 13 tokens’ attention; the first has none before it); sharp (entropy 0.4 of 3.7 bits, a mean over the rows).",
  );
  assert.equal(
    caption({ ...none, crosses: true }, "x"),
    "From one text to the other; broad (entropy 3.5 of 3.7 bits, a mean over the rows).",
  );
  const on = measuredOn(true, true);
  assert.match(
    caption(none, "x", on),
    /3\.7 bits, a mean over the rows of the heads’ mean, before rescaling\)\.$/,
  );
});

test("the notes carry the measured numbers", () => {
  assert.equal(say(sinkNote(said())), "50 % of all 3 tokens’ attention goes to [CLS].");
  const of = { ...said(), hiddenShare: () => 0.5, sinkShare: () => 0 };
  assert.match(
    hiddenNote("hidden", of),
    /50 % of all 3 tokens’ attention, so rows sum to less than 1/,
  );
  assert.match(hiddenNote("renormalised", of), /50 % of all 3 .* divided by what remains/);
  assert.match(
    scaleNote("percentile", Float32Array.from([0.4])),
    /^Full colour: 0.400 and more, the larger of 3 even shares and the 98th/,
  );
});

test("what is said of a head is said while it is looked at, and what is of none always", () => {
  const notice = "“it” stands for “cat”, and L3·H1 finds that word.";
  assert.equal(isOfHeads(notice, 3, [1]), true);
  assert.equal(isOfHeads(notice, 3, [0, 1]), true);
  assert.equal(isOfHeads(notice, 3, [2]), false);
  assert.equal(isOfHeads(notice, 4, [1]), false);
  assert.equal(isOfHeads("Random weights: what you see is noise.", 4, [1]), true);
});
