"""Detectors, profiles and kinds of heads, against cases worked by hand and a plain loop."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.analysis.detectors import MOST_MARKS, detectors, sentence_of
from explorer.analysis.finder import find_pairs
from explorer.analysis.patterns import KINDS, kinds_of, own_sentence_share
from explorer.analysis.profiles import entropy, head_profiles, pool
from explorer.trace import AttentionTrace, ModelInfo, Token

# float32 weights carry about 1e-7 each; a mean of them not more.
TOLERANCE = 1e-6


def tokens_of(*words, segments=None):
    """Tokens, one a word; those in brackets are special."""
    return tuple(
        Token(
            w,
            None if w.startswith("[") else (i, i + 1),
            None if w.startswith("[") else i,
            segments[i] if segments else 0,
            w.startswith("["),
        )
        for i, w in enumerate(words)
    )


def trace_of(weights, tokens):
    weights = np.asarray(weights, dtype=np.float32)
    layers, heads, n, _ = weights.shape
    texts = (" ".join(t.text for t in tokens), "b")[: 1 + max(t.segment for t in tokens)]
    return AttentionTrace(
        ModelInfo("test", None, layers, heads, 4, n), texts, tokens, tokens, weights
    )


def random_weights(seed, n, layers=2, heads=3):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(n, 0.5), size=(layers, heads, n)).astype(np.float32)


THREE = tokens_of("[CLS]", "a", "b")
W3 = [[0.6, 0.3, 0.1], [0.5, 0.2, 0.3], [0.2, 0.7, 0.1]]


def test_a_profile_of_three_tokens_worked_by_hand():
    found = {k: m[0, 0] for k, m in head_profiles(trace_of([[W3]], THREE)).measures.items()}
    bits = [-sum(p * math.log2(p) for p in row) for row in W3]
    want = {
        "entropy": sum(bits) / 3,
        "evenness": sum(bits) / 3 / math.log2(3),
        "distance": (0.3 + 0.2 + 0.5 + 0.3 + 0.4 + 0.7) / 3,
        "sharpness": (0.6 + 0.5 + 0.7) / 3,
        "column": (0.6 + 0.5 + 0.2) / 3,
        "self": (0.6 + 0.2 + 0.1) / 3,
        "previous": (0.5 + 0.7) / 3,
        "next": (0.3 + 0.3) / 3,
        "first": (0.6 + 0.5 + 0.2) / 3,
        "[CLS]": (0.6 + 0.5 + 0.2) / 3,
    }
    assert found == pytest.approx(want, abs=TOLERANCE)


def test_a_measure_that_a_text_cannot_show_is_left_out_and_not_nought():
    measures = head_profiles(trace_of([[W3]], THREE)).measures
    assert not {"punctuation", "same word", "own sentence", "first to second text"} & set(measures)


def test_repeated_words_are_found_elsewhere_earlier_and_after():
    tokens = tokens_of("[CLS]", "the", "cat", "The", "dog")
    found = detectors(tokens)
    assert sorted(zip(*np.nonzero(found["same word"].map), strict=True)) == [(1, 3), (3, 1)]
    assert list(zip(*np.nonzero(found["same word before"].map), strict=True)) == [(3, 1)]
    # After an earlier “the” came “cat”: where an induction head looks from the second.
    assert list(zip(*np.nonzero(found["after the same word"].map), strict=True)) == [(3, 2)]


def test_sentences_end_with_a_stop_and_with_their_text():
    tokens = tokens_of(
        "[CLS]", "a", ".", "b", "!", "?", "c", "[SEP]", "d", segments=[0, 0, 0, 0, 0, 0, 0, 0, 1]
    )
    assert sentence_of(tokens).tolist() == [-1, 0, 0, 1, 1, 1, 2, -1, 3]


def test_between_two_texts_only_the_queries_of_one_count():
    tokens = tokens_of("[CLS]", "a", "[SEP]", "b", "c", segments=[0, 0, 0, 1, 1])
    weights = np.full((1, 1, 5, 5), 0.2, dtype=np.float32)
    weights[0, 0, 1] = [0, 0, 0, 0.75, 0.25]
    measures = head_profiles(trace_of(weights, tokens)).measures
    assert measures["first to second text"][0, 0] == pytest.approx(1.0, abs=TOLERANCE)
    assert measures["second to first text"][0, 0] == pytest.approx(0.2, abs=TOLERANCE)


@settings(max_examples=40)
@given(st.integers(0, 99), st.integers(2, 12))
def test_every_share_is_what_a_plain_loop_adds_up(seed, n):
    rng = np.random.default_rng(seed)
    words = ["[CLS]", *rng.choice(["a", "b", ".", "c"], n - 1)]
    tokens = tokens_of(*words)
    trace = trace_of(random_weights(seed, n), tokens)
    measures = head_profiles(trace).measures
    for name, detector in detectors(tokens).items():
        rows = np.flatnonzero(detector.queries)
        for layer, head in ((0, 0), (1, 2)):
            a = trace.weights[layer, head].astype(float)
            want = sum(a[i, j] for i in rows for j in range(n) if detector.map[i, j]) / len(rows)
            assert measures[name][layer, head] == pytest.approx(want, abs=TOLERANCE)


@given(st.integers(0, 99))
def test_profiles_follow_their_heads_when_these_change_places(seed):
    weights = random_weights(seed, 6)
    tokens = tokens_of("[CLS]", "a", "b", "a", ".", "c")
    order = np.random.default_rng(seed).permutation(3)
    before = head_profiles(trace_of(weights, tokens)).measures
    after = head_profiles(trace_of(weights[:, order], tokens)).measures
    for name in before:
        assert np.abs(before[name][:, order] - after[name]).max() <= TOLERANCE


def test_entropy_of_even_rows_is_log2_n_and_of_a_masked_row_nought():
    even, single = np.full((4, 4), 0.25), np.eye(4)
    masked = np.zeros((4, 4))
    weights = np.stack([even, single, masked])[None].astype(np.float32)
    assert entropy(weights)[0] == pytest.approx([2, 0, 0], abs=TOLERANCE)


def test_several_texts_give_a_mean_and_the_spread_of_a_sample():
    one, two = (head_profiles(trace_of([[w]], THREE)) for w in (W3, np.eye(3)))
    pooled = pool([one, two])
    a, b = (p.measures["previous"][0, 0] for p in (one, two))
    assert pooled.mean["previous"][0, 0] == pytest.approx((a + b) / 2)
    assert pooled.spread["previous"][0, 0] == pytest.approx(abs(a - b) / math.sqrt(2))
    assert pooled.n_texts["previous"] == 2
    assert pool([one]).spread["previous"][0, 0] == 0


# — Kinds —


def kind(weights, tokens):
    measures = head_profiles(trace_of([[weights]], tokens)).measures
    marks = [t.text for t in tokens if t.special]
    return kinds_of(measures, marks, own_sentence_share(sentence_of(tokens)))[0][0]


N = 8
EIGHT = tokens_of("[CLS]", "a", "b", ".", "c", "d", ".", "[SEP]")


def shifted(offset, share=0.9):
    """A head with most of each row at an offset, the rest spread."""
    w = np.full((N, N), (1 - share) / N)
    for i in range(N):
        w[i, min(max(i + offset, 0), N - 1)] += share
    return w


def onto(column, share=0.9):
    w = np.full((N, N), (1 - share) / N)
    w[:, column] += share
    return w


BLOCKS = np.zeros((N, N))
BLOCKS[np.ix_(range(4), range(4))] = BLOCKS[np.ix_(range(4, 8), range(4, 8))] = 0.25


@pytest.mark.parametrize(
    ("weights", "name", "evidence"),
    [
        (shifted(-1), "previous token", "0.80 of its attention is on the token before"),
        (shifted(1), "next token", "on the token after"),
        (shifted(0), "diagonal", "on itself"),
        (onto(0), "vertical", "of its attention drains into [CLS] and [SEP]"),
        (onto(4), "vertical", "0.91 of its attention is on one and the same token"),
        (0.5 * onto(0, 0.9) + 0.5 * shifted(-1, 0.7), "vertical + diagonal", "on [CLS]"),
        (BLOCKS, "block", "0.75 stays in the token’s own sentence"),
        (np.full((N, N), 1 / N), "broad", "1.00 of the possible entropy"),
        (np.eye(N)[[3, 5, 1, 6, 2, 7, 0, 4]], "heterogeneous", "no rule holds"),
    ],
)
def test_a_head_built_on_purpose_is_called_what_it_is(weights, name, evidence):
    found = kind(weights, EIGHT)
    assert found.name == name
    assert name in KINDS
    assert evidence in found.evidence


# — The finder —


def test_a_pair_is_scored_beside_what_its_mere_distance_gets():
    even = np.full((4, 4), 0.25)
    before = np.eye(4, k=-1)
    before[0, 0] = 1  # every token looks at the one before
    pointed = even.copy()
    pointed[2] = [0, 1, 0, 0]  # only token 2 looks at token 1
    weights = np.stack([even, before, pointed])[None].astype(np.float32)
    found = find_pairs([(weights, [2], [1])])
    assert found.weight[0] == pytest.approx([0.25, 1, 1], abs=TOLERANCE)
    assert found.baseline[0] == pytest.approx([0.25, 1, 0.25], abs=TOLERANCE)
    assert found.others[0] == pytest.approx([0.25, 0, 0.25], abs=TOLERANCE)
    assert (found.spread == 0).all()


def test_over_several_examples_the_finder_gives_mean_and_spread():
    one = np.zeros((1, 1, 3, 3), dtype=np.float32)
    one[..., 0] = 1
    two = np.full((1, 1, 3, 3), 1 / 3, dtype=np.float32)
    found = find_pairs([(one, [2], [0]), (two, [2], [0])])
    assert found.weight[0, 0] == pytest.approx(2 / 3, abs=TOLERANCE)
    assert found.spread[0, 0] == pytest.approx((2 / 3) / math.sqrt(2), abs=TOLERANCE)
    assert found.others[0, 0] == pytest.approx(2 / 3, abs=TOLERANCE)
    assert np.isnan(found.baseline[0, 0])  # no other token has one two places before it


def test_a_text_of_marks_alone_has_a_map_for_the_first_ones_only():
    found = detectors(tokens_of(*(f"[{i}]" for i in range(300))))
    assert [name for name in found if name.startswith("[")] == [f"[{i}]" for i in range(MOST_MARKS)]
