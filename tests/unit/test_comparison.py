"""Two readings side by side: common words by their characters, distances worked by hand."""

import dataclasses
import math
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.analysis import comparison, divergence
from explorer.analysis.alignment import _stayed, align
from explorer.analysis.comparison import compare, findings
from explorer.analysis.divergence import distances_within, heads_of, sample
from explorer.analysis.profiles import entropy
from explorer.errors import ExplorerError
from explorer.layers import FromScores, GivenWeights, ScoreRule, of_weights
from explorer.trace import AttentionTrace, ModelInfo, Token

# Entropies are sums over float32 logarithms: off by a few 1e-7 for rows of a few keys.
TOLERANCE = 1e-6


def heads(*rows):
    """One layer; each argument one head, as a list of rows."""
    return np.array([rows], dtype=np.float32)


def head_distances(a, b, over=None):
    """Of two arrays of weights."""
    return divergence.head_distances(heads_of(a), heads_of(b), over)


def trace_of(text, tokens, *, second=None, weights=None, model="m", shape=(1, 1)):
    """A trace of tokens given as (text, start, end, word, segment); [X] is a special one."""
    made = []
    for name, start, end, word, segment in tokens:
        special = name.startswith("[")
        made.append(Token(name, None if special else (start, end), word, segment, special))
    n = len(made)
    if weights is None:
        weights = np.full((*shape, n, n), 1 / n, dtype=np.float32)
    info = ModelInfo(model, None, *weights.shape[:2], 8, 512)
    texts = (text,) if second is None else (text, second)
    return AttentionTrace(info, texts, tuple(made), tuple(made), weights, (0,) * len(texts))


def words_of(text, **options):
    """A trace with one token a word, in one text."""
    tokens, at = [], 0
    for i, word in enumerate(text.split(" ")):
        tokens.append((word, at, at + len(word), i, 0))
        at += len(word) + 1
    return trace_of(text, tokens, **options)


# — Alignment —


def test_pieces_and_a_whole_word_are_one_unit():
    bert = trace_of(
        "Lovelace wrote",
        [
            ("[CLS]", 0, 0, None, 0),
            ("love", 0, 4, 0, 0),
            ("##lace", 4, 8, 0, 0),
            ("wrote", 9, 14, 1, 0),
            ("[SEP]", 0, 0, None, 0),
        ],
    )
    found = align(bert, words_of("Lovelace wrote"))
    assert [(u.text, u.a, u.b) for u in found.units] == [
        ("Lovelace", (1, 2), (0,)),
        ("wrote", (3,), (1,)),
    ]
    assert (found.only_a, found.only_b) == ((0, 4), ())


def test_cuts_that_cross_make_one_larger_unit():
    one = trace_of("abcd ef", [("abc", 0, 3, 0, 0), ("d", 3, 4, 1, 0), ("ef", 5, 7, 2, 0)])
    other = trace_of("abcd ef", [("ab", 0, 2, 0, 0), ("cd", 2, 4, 1, 0), ("ef", 5, 7, 2, 0)])
    assert [(u.text, u.a, u.b) for u in align(one, other).units] == [
        ("abcd", (0, 1), (0, 1)),
        ("ef", (2,), (2,)),
    ]


def test_special_tokens_match_by_name_if_both_have_as_many():
    cls, sep = ("[CLS]", 0, 0, None, 0), ("[SEP]", 0, 0, None, 0)
    a = trace_of("x", [cls, ("x", 0, 1, 0, 0), sep])
    b = trace_of("x", [cls, ("x", 0, 1, 0, 0), sep, sep])
    found = align(a, b)
    assert [(u.text, u.special) for u in found.units] == [("[CLS]", True), ("x", False)]
    assert (found.only_a, found.only_b) == ((2,), (2, 3))


def test_an_edited_text_is_matched_word_by_word():
    found = align(words_of("the cat sat down"), words_of("the big dog sat down"))
    assert [(u.text, u.other) for u in found.units] == [
        ("the", "the"),
        ("sat", "sat"),
        ("down", "down"),
    ]
    assert (found.only_a, found.only_b) == ((1,), (1, 2))
    exchanged = align(words_of("the cat sat"), words_of("The dog sat"))
    assert [(u.text, u.other) for u in exchanged.units] == [
        ("the", "The"),
        ("cat", "dog"),
        ("sat", "sat"),
    ]


words = st.lists(st.sampled_from("abcd"), max_size=9)


@given(words, words)
def test_as_many_words_stay_as_can_and_in_order(one, other):
    found = _stayed(one, other)
    assert [one[i] for i, _ in found] == [other[j] for _, j in found]
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(found))
    kept = {tuple(c) for n in range(len(one) + 1) for c in combinations(one, n)}
    most = max(len(c) for c in kept & {c for n in range(10) for c in combinations(other, n)})
    assert len(found) == most


spans = st.lists(st.integers(1, 4), min_size=1, max_size=8)


def cut(lengths, total):
    """Tokens of given lengths over a text of so many characters."""
    tokens, at = [], 0
    for i, length in enumerate(lengths):
        if at >= total:
            break
        tokens.append(("t", at, min(at + length, total), i, 0))
        at += length
    if at < total:
        tokens.append(("t", at, total, len(tokens), 0))
    return tokens


@given(spans, spans, st.integers(1, 12))
def test_units_of_two_cuts_of_one_text_cover_both_once_and_as_finely_as_they_can(one, other, total):
    text = "x" * total
    a, b = trace_of(text, cut(one, total)), trace_of(text, cut(other, total))
    found = align(a, b)
    assert [i for u in found.units for i in u.a] == list(range(len(a.query_tokens)))
    assert [j for u in found.units for j in u.b] == list(range(len(b.query_tokens)))
    ends = [{t.span[1] for t in trace.query_tokens} for trace in (a, b)]
    assert len(found.units) == len(ends[0] & ends[1])


# — Distances —


def test_jensen_shannon_of_a_case_worked_by_hand():
    # (1, 0) and (1/2, 1/2): H(3/4, 1/4) - (0 + 1) / 2 = 0.811278 - 0.5
    by_hand = -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25)) - 0.5
    a, b = heads([[1, 0], [1, 0]]), heads([[0.5, 0.5], [1, 0]])
    found = head_distances(a, b)
    assert found.shape == (1, 1, 1, 1)
    assert found[0, 0, 0, 0] == pytest.approx(by_hand / 2, abs=TOLERANCE)  # the second row adds 0
    assert by_hand == pytest.approx(0.311278, abs=1e-6)


def test_heads_that_share_no_key_are_one_bit_apart_and_equal_ones_exactly_nothing():
    a = heads([[1, 0], [1, 0]], [[0.3, 0.7], [0.6, 0.4]])
    b = heads([[0, 1], [0, 1]], [[0.3, 0.7], [0.6, 0.4]])
    found = head_distances(a, b)
    assert found.shape == (1, 2, 1, 2)
    assert found[0, 0, 0, 0] == pytest.approx(1, abs=TOLERANCE)
    assert found[0, 1, 0, 1] == 0


def test_rows_are_divided_by_their_sum_and_empty_ones_left_out():
    a = heads([[0.5, 0], [0, 0]])
    b = heads([[0.1, 0.1], [1, 0]])
    want = -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25)) - 0.5
    assert head_distances(a, b)[0, 0, 0, 0] == pytest.approx(want, abs=TOLERANCE)
    assert np.isnan(head_distances(heads([[0, 0]]), heads([[1, 0]]))[0, 0, 0, 0])


@given(st.integers(0, 99), st.integers(2, 6))
def test_a_distance_is_symmetric_between_0_and_1_and_follows_its_heads(seed, n):
    rng = np.random.default_rng(seed)
    a = rng.dirichlet(np.full(n, 0.3), size=(2, 3, n)).astype(np.float32)
    b = rng.dirichlet(np.full(n, 0.3), size=(1, 2, n)).astype(np.float32)
    before = a.copy()
    found = head_distances(a, b)
    assert found.shape == (2, 3, 1, 2)
    assert found.min() >= 0
    assert found.max() <= 1
    assert np.abs(found - head_distances(b, a).transpose(2, 3, 0, 1)).max() <= TOLERANCE
    order = rng.permutation(3)
    assert np.array_equal(head_distances(a[:, order], b), found[:, order])
    assert np.array_equal(a, before)


# — Habits —


def test_entropy_of_even_rows_is_log2_n_and_of_single_keys_0():
    even, single = np.full((4, 4), 0.25), np.eye(4)
    assert entropy(of_weights(heads(even, single)))[0] == pytest.approx([2, 0], abs=TOLERANCE)


# — Comparison —


def random_trace(seed, n_layers=2, n_heads=3, text="a b c d e"):
    rng = np.random.default_rng(seed)
    n = len(text.split(" "))
    weights = rng.dirichlet(np.full(n, 0.5), size=(n_layers, n_heads, n)).astype(np.float32)
    return words_of(text, weights=weights)


def test_identical_runs_are_exactly_nothing_apart_and_said_to_be_the_same():
    trace = random_trace(0)
    c = compare(trace, trace)
    assert [pair[4] for pair in c.ranking()] == [0.0] * 6
    assert c.best_match() == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert findings(c)[0] == "The two are the same in every head: the largest distance is 0 bits."
    assert c.kept == pytest.approx((1, 1))


def test_the_ranking_finds_a_head_that_was_altered_on_purpose():
    trace = random_trace(1)
    weights = trace.weights.copy()
    weights[1, 2] = weights[1, 2, :, ::-1]
    c = compare(trace, words_of("a b c d e", weights=weights))
    first, *rest = c.ranking()
    assert first[:4] == (1, 2, 1, 2)
    assert first[4] > 0.05
    assert all(pair[4] == 0 for pair in rest)
    assert "They differ most in L1·H2" in findings(c)[0]


def test_shuffled_heads_are_matched_again():
    trace = random_trace(2)
    shuffled = words_of("a b c d e", weights=trace.weights[:, [2, 0, 1]])
    c = compare(trace, shuffled)
    assert c.best_match() == [(0, 1), (0, 2), (0, 0), (1, 1), (1, 2), (1, 0)]


def test_models_of_other_sizes_are_compared_with_their_best_matches():
    c = compare(random_trace(3), random_trace(3, n_layers=1, n_heads=2))
    assert not c.same_shape
    assert c.distance.shape == (2, 3, 1, 2)
    for layer, head, layer_b, head_b, bits in c.ranking():
        assert bits == c.distance[layer, head].min() == c.distance[layer, head, layer_b, head_b]
    assert findings(c)[0].startswith("The nearest pair is A’s L")


def test_even_attention_is_called_so_and_the_sharpest_head_is_named_with_its_habit():
    n = 5
    before = np.eye(n, k=-1, dtype=np.float32)
    before[0, 0] = 1
    weights = np.full((1, 2, n, n), 1 / n, dtype=np.float32)
    sharp = weights.copy()
    sharp[0, 1] = before
    c = compare(words_of("a b c d e", weights=weights), words_of("a b c d e", weights=sharp))
    _, first, second = findings(c)
    assert (
        "A, m, looks almost evenly everywhere: a row’s entropy is 2.3 of at most 2.3 bits" in first
    )
    assert "Its sharpest head, L0·H1, puts 0.80 on the token before." in second
    assert "is selective" in second


def test_texts_without_a_common_word_are_refused_with_a_sentence():
    with pytest.raises(ExplorerError, match="no word in common"):
        compare(words_of("a b"), words_of("c d e"))


def test_a_comparison_can_be_ended():
    def enough(doing, share):
        raise ExplorerError("Stopped.")

    with pytest.raises(ExplorerError, match="Stopped"):
        compare(random_trace(1), random_trace(2), enough)


# — Masks, long texts, the model's own numbers of layers —


def causal_trace(seed, text, numbers=(0, 1), heads=3):
    """A decoder's trace kept as q, k and the causal mask."""
    rng, n = np.random.default_rng(seed), len(text.split(" "))
    ends = np.stack([np.zeros(n), np.arange(1, n + 1)], axis=-1).astype(np.int32)
    layers = tuple(
        FromScores(
            number,
            rng.normal(size=(heads, n, 4)).astype(np.float32),
            rng.normal(size=(1, n, 4)).astype(np.float32),
            ScoreRule(1.0, allowed=ends),
        )
        for number in numbers
    )
    trace = words_of(text, shape=(len(numbers), heads))
    return dataclasses.replace(trace, layers=layers)


def test_an_even_causal_reading_is_not_called_selective_and_the_most_is_what_its_mask_allows():
    n = 10
    even = np.tril(np.ones((n, n))) / np.arange(1, n + 1)[:, None]
    weights = np.broadcast_to(even, (1, 2, n, n)).astype(np.float32)
    _, first, *_ = findings(compare(*[words_of("a b c d e f g h i j", weights=weights)] * 2))
    most = np.log2(np.arange(1, n + 1)).mean()
    assert "looks almost evenly everywhere" in first
    assert f"a row’s entropy is {most:.1f} of at most {most:.1f} bits on average" in first


def test_layers_go_by_the_models_own_numbers_in_sentences():
    hybrid = causal_trace(0, "a b c d e f", numbers=(1, 5))
    found = compare(hybrid, causal_trace(1, "a b c d e f", numbers=(1, 5)))
    assert found.same_shape
    assert "L0·" not in " ".join(found.findings)
    other = compare(hybrid, causal_trace(1, "a b c d e f", numbers=(0, 1)))
    assert not other.same_shape  # layer 5 has no namesake
    assert "A’s L1·H" in other.findings[0] or "A’s L5·H" in other.findings[0]


@settings(max_examples=20)
@given(st.integers(0, 99), st.integers(2, 9))
def test_distances_in_small_blocks_of_q_and_k_are_those_of_the_weights_made_whole(seed, n):
    text = " ".join(f"w{i}" for i in range(n))
    a, b = causal_trace(seed, text), causal_trace(seed + 1, text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("explorer.layers._CELLS", 8)
        patch.setattr(divergence, "_HELD", 40)
        found = compare(a, b)
        within = distances_within(heads_of(a.layers))
    by_rows = [
        [np.mean([jensen_shannon(p, q) for p, q in zip(x, y, strict=True)]) for y in flat(b)]
        for x in flat(a)
    ]
    assert found.distance.reshape(6, 6) == pytest.approx(np.array(by_rows), abs=1e-5)
    assert found.kept == pytest.approx((1, 1), abs=1e-6)
    own = [
        [np.mean([jensen_shannon(p, q) for p, q in zip(x, y, strict=True)]) for y in flat(a)]
        for x in flat(a)
    ]
    assert within == pytest.approx(np.array(own), abs=1e-5)


def flat(trace):
    """The heads of a trace one after the other, in float64."""
    weights = trace.weights.astype(np.float64)
    return weights.reshape(-1, *weights.shape[2:])


def jensen_shannon(p, q):
    """Of two distributions, in bits, by the definition."""

    def bits(x):
        return -sum(v * math.log2(v) for v in x if v > 0)

    return bits((p + q) / 2) - (bits(p) + bits(q)) / 2


def test_what_common_words_give_to_other_words_is_left_out_and_its_share_is_told():
    weights = heads([[0.5, 0.25, 0.25], [0.2, 0.4, 0.4], [1, 0, 0]])
    one = words_of("a x b", weights=weights)
    other = words_of("a b", weights=heads([[0.5, 0.5], [0.9, 0.1]]))
    found = compare(one, other)
    assert found.kept == pytest.approx((((0.5 + 0.25) + 1) / 2, 1), abs=1e-6)
    p, q = np.array([2 / 3, 1 / 3]), np.array([0.5, 0.5])
    second = jensen_shannon(np.array([1, 0]), np.array([0.9, 0.1]))
    want = (jensen_shannon(p, q) + second) / 2
    assert found.distance[0, 0, 0, 0] == pytest.approx(want, abs=TOLERANCE)


def test_what_a_sink_takes_is_not_gone_to_tokens_that_are_left_out():
    """Even attention over a, b, x of which a sink takes 0.4: 2 of 3 parts stay with a and b."""
    tokens = words_of("a b x", weights=heads(np.full((3, 3), 1 / 3))).tokens
    sunk = GivenWeights(0, np.full((1, 3, 3), 0.2, dtype=np.float32), has_sink=True)
    info = ModelInfo("sunk", None, 1, 1, 4, 3)
    one = AttentionTrace(info, ("a b x",), tokens, tokens, (sunk,))
    other = words_of("a b", weights=heads([[0.5, 0.5], [0.5, 0.5]]))
    assert compare(one, other).kept == pytest.approx((2 / 3, 1), abs=1e-6)
    # A word that looks at nothing has no attention of which a share could stay.
    blind = words_of("a b x", weights=heads([[0, 0, 0], [0.5, 0.25, 0.25], [1, 0, 0]]))
    assert compare(blind, other).kept == pytest.approx((0.75, 1), abs=1e-6)


def test_rows_are_taken_evenly_where_all_would_be_too_much_and_it_is_said(monkeypatch):
    assert sample(4, 10, 10, 400).tolist() == list(range(10))
    assert sample(4, 10, 10, 399).tolist() == [0, 2, 4, 6, 8]
    text = "a b c d e f"
    trace = causal_trace(0, text)
    whole = compare(trace, causal_trace(1, text))
    assert len(whole.findings) == 3
    monkeypatch.setattr(comparison, "MOST_COMPARED", 6 * 6 * 6 * 6 // 2)
    half = compare(trace, causal_trace(1, text))
    assert half.n_rows == 3
    assert "The distances are means over 3 of the 6 common words" in half.findings[3]
    over = divergence.head_distances(
        heads_of(trace.layers), heads_of(causal_trace(1, text).layers), np.array([0, 2, 4])
    )
    assert half.distance == pytest.approx(over, abs=1e-6)
