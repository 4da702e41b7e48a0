"""Detectors, profiles and kinds of heads, against cases worked by hand and a plain loop."""

import dataclasses
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.analysis.detectors import MOST_MARKS, detectors, same_words, sentence_of
from explorer.analysis.finder import find_pairs
from explorer.analysis.patterns import KINDS, kinds_of
from explorer.analysis.profiles import (
    HeadProfiles,
    entropy,
    head_profiles,
    pool,
    possible_entropy,
    profiles_both_ways,
)
from explorer.analysis.survey import survey
from explorer.layers import FromScores, ScoreRule, of_weights
from explorer.trace import AttentionTrace, ModelInfo, Token

# float32 weights carry about 1e-7 each; a mean of them not more.
TOLERANCE = 1e-6


def tokens_of(*words, segments=None):
    """Tokens, one a word; those in brackets are special."""
    return tuple(
        Token(
            w,
            None if w.startswith("[") else (2 * i, 2 * i + 1),  # a space behind each
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


def even_trace(tokens):
    """A trace of one head that looks evenly at everything."""
    n = len(tokens)
    return trace_of(np.full((1, 1, n, n), 1 / n), tokens)


def whole(detector):
    """The whole map of a pattern."""
    return detector.rows(slice(None))


def on(detector):
    """The cells of a pattern, in order."""
    return sorted(zip(*map(list, np.nonzero(whole(detector))), strict=True))


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


def test_without_special_tokens_each_row_is_divided_by_what_it_gives_to_the_others():
    counted, left_out = profiles_both_ways(trace_of([[W3]], THREE))
    alone = head_profiles(trace_of([[W3]], THREE))
    assert all((counted.measures[k] == alone.measures[k]).all() for k in alone.measures)
    rows = [[0.4, 0.6], [0.875, 0.125]]  # of a: 0.2, 0.3 of 0.5; of b: 0.7, 0.1 of 0.8
    bits = [-sum(p * math.log2(p) for p in row) for row in rows]
    want = {
        "entropy": sum(bits) / 2,
        "evenness": sum(bits) / 2,  # of one bit, between two words
        "distance": (0.6 + 0.875) / 2,
        "sharpness": (0.6 + 0.875) / 2,
        "column": (0.4 + 0.875) / 2,
        "self": (0.4 + 0.125) / 2,
        "previous": 0.875 / 2,  # before a stands [CLS], which is left out
        "next": 0.6 / 2,
        "first": (0.4 + 0.875) / 2,  # the first that counts
    }
    found = {k: m[0, 0] for k, m in left_out.measures.items()}
    assert found == pytest.approx(want, abs=TOLERANCE)
    assert left_out.sinks[0, 0] == 1


def test_a_text_without_special_tokens_is_not_read_twice_and_one_of_marks_alone_has_no_number():
    assert profiles_both_ways(even_trace(tokens_of("a", "b")))[1] is None
    nothing = profiles_both_ways(even_trace(tokens_of("[CLS]", "[SEP]")))[1]
    assert all(np.isnan(m).all() for m in nothing.measures.values())


def test_a_row_that_gives_ordinary_tokens_nothing_does_not_count_among_them():
    rows = [[0, 0.5, 0.5], [1, 0, 0], [0.5, 0.5, 0]]
    left_out = profiles_both_ways(trace_of([[rows, np.eye(3)[[0, 0, 0]]]], THREE))[1]
    assert left_out.measures["previous"][0, 0] == pytest.approx(1, abs=TOLERANCE)  # b alone
    assert np.isnan(left_out.measures["previous"][0, 1])
    assert np.isnan(left_out.measures["evenness"][0, 1])


def test_a_measure_that_a_text_cannot_show_is_left_out_and_not_nought():
    measures = head_profiles(trace_of([[W3]], THREE)).measures
    assert not {"punctuation", "same word", "own sentence", "first to second text"} & set(measures)


def test_repeated_words_are_found_elsewhere_earlier_and_after():
    tokens = tokens_of("[CLS]", "the", "cat", "The", "dog")
    found = detectors(even_trace(tokens))
    assert on(found["same word"]) == [(1, 3), (3, 1)]
    assert on(found["same word before"]) == [(3, 1)]
    # After an earlier “the” came “cat”: where an induction head looks from the second.
    assert on(found["after the same word"]) == [(3, 2)]


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
    for name, detector in detectors(trace).items():
        rows, map_ = np.flatnonzero(detector.queries), whole(detector)
        assert detector.keys is None or (map_ == detector.keys).all()
        for layer, head in ((0, 0), (1, 2)):
            a = trace.weights[layer, head].astype(float)
            want = sum(a[i, j] for i in rows for j in range(n) if map_[i, j]) / len(rows)
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
    assert entropy(of_weights(weights))[0] == pytest.approx([2, 0, 0], abs=TOLERANCE)


def test_several_texts_give_a_mean_and_the_spread_of_a_sample():
    one, two = (head_profiles(trace_of([[w]], THREE)) for w in (W3, np.eye(3)))
    pooled = pool([one, two])
    a, b = (p.measures["previous"][0, 0] for p in (one, two))
    assert pooled["previous"].mean[0, 0] == pytest.approx((a + b) / 2)
    assert pooled["previous"].spread[0, 0] == pytest.approx(abs(a - b) / math.sqrt(2))
    assert pooled["previous"].n_texts == 2
    assert pool([one])["previous"].spread[0, 0] == 0


def profile_of(**numbers):
    """A profile of one head that knows these numbers."""
    column = {"column": 0.2, "evenness": 0.5, "self": 0.1}
    measures = {k: np.array([[v]]) for k, v in (column | numbers).items()}
    return HeadProfiles(measures, np.array([[0]]), None)


def test_the_text_that_is_farthest_from_the_mean_is_named_with_its_number():
    texts = [profile_of(previous=v) for v in (0.9, 0.8, 0.1)]
    texts.insert(1, profile_of())  # one that cannot show it
    found = pool(texts)["previous"]
    assert (found.n_texts, found.farthest[0, 0], found.extreme[0, 0]) == (3, 3, 0.1)


def test_a_head_without_a_number_in_one_text_has_the_mean_of_the_others():
    texts = [profile_of(previous=v) for v in (0.25, math.nan, 0.75)]
    found = pool(texts)["previous"]
    assert found.mean[0, 0] == 0.5
    assert found.spread[0, 0] == pytest.approx(0.5 / math.sqrt(2))
    assert np.isnan(pool(texts[1:2])["previous"].mean[0, 0])


# — Kinds —


def kind(weights, tokens):
    found = head_profiles(trace_of([[weights]], tokens))
    return kinds_of([found], [t.text for t in tokens if t.special])[0][0]


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
BLOCKS = 0.98 * BLOCKS + 0.02 / N  # a softmax gives exactly 0 only where a mask says so


@pytest.mark.parametrize(
    ("weights", "name", "evidence"),
    [
        (shifted(-1), "previous token", "0.80 of its attention is on the token before"),
        (shifted(1), "next token", "on the token after"),
        (shifted(0), "diagonal", "on itself"),
        (onto(0), "vertical", "of its attention drains into [CLS] and [SEP]"),
        (onto(4), "vertical", "0.91 of its attention is on one and the same token"),
        (0.5 * onto(0, 0.9) + 0.5 * shifted(-1, 0.7), "vertical + diagonal", "on [CLS]"),
        (BLOCKS, "block", "0.74 stays in the token’s own sentence"),
        (np.full((N, N), 1 / N), "broad", "1.00 of the possible entropy"),
        (
            np.eye(N)[[3, 5, 1, 6, 2, 7, 0, 4]],
            "heterogeneous",
            "of itself, its neighbours and special tokens most is on",
        ),
    ],
)
def test_a_head_built_on_purpose_is_called_what_it_is(weights, name, evidence):
    found = kind(weights, EIGHT)
    assert found.name == name
    assert name in KINDS
    assert evidence in found.evidence


@pytest.mark.parametrize(
    ("shares", "name", "held"),
    [
        ([0.5, 0.9, 0.9, 0.1], "previous token", 3),  # three of four
        ([0.49, 0.9, 0.9, 0.1], "heterogeneous", 2),  # the mean alone would call it one
        ([1.0, 1.0, 0.0, 0.0], "heterogeneous", 2),
        ([0.5, 0.5, 0.5, 0.5], "previous token", 4),
    ],
)
def test_a_head_is_of_a_kind_where_its_rule_holds_in_three_of_four_texts(shares, name, held):
    found = kinds_of([profile_of(previous=share) for share in shares], [])[0][0]
    assert (found.name, found.held, found.of) == (name, held, 4)
    assert f"{held} of 4" in found.evidence
    spread = np.std(shares, ddof=1)
    assert f"{np.mean(shares):.2f} ± {spread:.2f}" in found.evidence


def test_of_three_texts_the_evidence_speaks_of_three():
    found = kinds_of([profile_of(previous=share) for share in (0.9, 0.9, 0.1)], [])[0][0]
    assert found.evidence.startswith("no rule holds in 3 of 3 texts; “previous token” does in 2")


def test_texts_that_cannot_show_a_rule_are_not_asked():
    texts = [profile_of(previous=0.9), profile_of(previous=0.8), profile_of(), profile_of()]
    found = kinds_of(texts, [])[0][0]
    assert (found.name, found.held, found.of) == ("previous token", 2, 2)


def test_a_text_without_a_special_token_gives_it_nothing():
    texts = [profile_of(**{"[SEP]": 0.9}), profile_of()]
    found = kinds_of(texts, ["[SEP]"])[0][0]
    assert (found.name, found.held, found.of) == ("heterogeneous", 1, 2)


def test_a_head_that_drains_into_marks_is_called_by_what_it_does_among_words():
    """Nine tenths on [CLS], and of the rest all on the token before."""
    weights = 0.9 * onto(0, 1) + 0.1 * shifted(-1, 1)
    found = survey([trace_of([[weights]], EIGHT)], 1)
    assert found.counted.kinds[0][0].name == "vertical"
    assert found.left_out.kinds[0][0].name == "previous token"
    # Six words; before the first stands [CLS], which takes all of its row.
    assert found.left_out.measures["previous"].mean[0, 0] == pytest.approx(1, abs=TOLERANCE)
    assert found.left_out.measures["previous"].extreme[0, 0] == pytest.approx(1, abs=TOLERANCE)


# — The finder —


def test_a_pair_is_scored_beside_what_its_mere_distance_gets():
    even = np.full((4, 4), 0.25)
    before = np.eye(4, k=-1)
    before[0, 0] = 1  # every token looks at the one before
    pointed = even.copy()
    pointed[2] = [0, 1, 0, 0]  # only token 2 looks at token 1
    weights = np.stack([even, before, pointed])[None].astype(np.float32)
    found = find_pairs([(of_weights(weights), [2], [1])])
    assert found.weight[0] == pytest.approx([0.25, 1, 1], abs=TOLERANCE)
    assert found.baseline[0] == pytest.approx([0.25, 1, 0.25], abs=TOLERANCE)
    assert found.others[0] == pytest.approx([0.25, 0, 0.25], abs=TOLERANCE)
    assert (found.spread == 0).all()


def test_over_several_examples_the_finder_gives_mean_and_spread():
    one = np.zeros((1, 1, 3, 3), dtype=np.float32)
    one[..., 0] = 1
    two = np.full((1, 1, 3, 3), 1 / 3, dtype=np.float32)
    found = find_pairs([(of_weights(one), [2], [0]), (of_weights(two), [2], [0])])
    assert found.weight[0, 0] == pytest.approx(2 / 3, abs=TOLERANCE)
    assert found.spread[0, 0] == pytest.approx((2 / 3) / math.sqrt(2), abs=TOLERANCE)
    assert found.others[0, 0] == pytest.approx(2 / 3, abs=TOLERANCE)
    assert np.isnan(found.baseline[0, 0])  # no other token has one two places before it


def test_a_text_of_marks_alone_has_a_map_for_the_first_ones_only():
    found = detectors(even_trace(tokens_of(*(f"[{i}]" for i in range(300)))))
    assert [name for name in found if name.startswith("[")] == [f"[{i}]" for i in range(MOST_MARKS)]


# — Masks, long texts, sinks —


def causal_rows(n):
    """Even attention over the tokens before and the token itself."""
    return np.tril(np.ones((n, n))) / np.arange(1, n + 1)[:, None]


def scores_trace(seed, tokens, **rule):
    """A trace of random q and k: two layers of four heads, two of them to a key head."""
    rng, n = np.random.default_rng(seed), len(tokens)
    layers = [
        FromScores(
            number,
            rng.normal(size=(4, n, 6)).astype(np.float32),
            rng.normal(size=(2, n, 6)).astype(np.float32),
            ScoreRule(0.8, **rule),
        )
        for number in (1, 3)
    ]
    info = ModelInfo("test", None, 2, 4, 4, n, unknown_token="[UNK]")
    return AttentionTrace(info, (" ".join(t.text for t in tokens),), tokens, tokens, layers)


def causal(n, window):
    at = np.arange(n)
    return np.stack([np.maximum(0, at - window + 1), at + 1], axis=-1).astype(np.int32)


def test_an_even_head_under_a_causal_mask_is_broad_with_all_of_the_possible_entropy():
    tokens = tokens_of(*["a", "b", "c", "d", "e", "f", "g", "h"])
    weights = causal_rows(8)
    found = head_profiles(trace_of([[weights]], tokens)).measures
    assert possible_entropy(of_weights(np.float32([[weights]]))) == pytest.approx(
        np.mean(np.log2(np.arange(1, 9))), abs=TOLERANCE
    )
    assert found["evenness"][0, 0] == pytest.approx(1, abs=TOLERANCE)
    # Of few tokens half of the rows put more than half on the token itself: more than a habit.
    tokens = tokens_of(*(f"w{i}" for i in range(40)))
    assert kind(causal_rows(40), tokens).name == "broad"
    assert "1.00 of the possible entropy" in kind(causal_rows(40), tokens).evidence


def test_every_layer_has_its_own_possible_entropy():
    tokens = tokens_of(*(f"w{i}" for i in range(9)))
    trace = scores_trace(0, tokens, allowed=causal(9, 3))
    wide = scores_trace(0, tokens)
    layers = (trace.layers[0], wide.layers[1])
    counts = np.minimum(np.arange(1, 10), 3)
    assert possible_entropy(layers) == pytest.approx([np.log2(counts).mean(), np.log2(9)])


@settings(max_examples=25)
@given(
    st.integers(0, 999),
    st.sampled_from(["all", "causal", "window", "sinks"]),
    st.integers(5, 30),
)
def test_profiles_in_small_blocks_of_q_and_k_are_those_of_the_weights_made_whole(seed, kind_, n):
    rng = np.random.default_rng(seed)
    tokens = tokens_of("[CLS]", *rng.choice(["a", "b", ".", "c", "[UNK]"], n - 1))
    rule = {
        "all": {},
        "causal": {"allowed": causal(n, n)},
        "window": {"allowed": causal(n, 3)},
        "sinks": {"sinks": rng.normal(size=4).astype(np.float32)},
    }[kind_]
    trace = scores_trace(seed, tokens, **rule)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("explorer.layers._CELLS", 40)
        counted, left_out = profiles_both_ways(trace)
    everyone = np.ones(n, dtype=bool)
    check_profiles(trace, counted, everyone)
    check_profiles(trace, left_out, np.array([not t.special for t in tokens]))
    assert ("no token" in counted.measures) == (kind_ == "sinks")
    assert "no token" not in left_out.measures


def check_profiles(trace, found, counts):
    """Hold a profile against the weights in float64, of the tokens that count.

    Off by 1e-5 at most: a float32 weight by 1e-7 of itself, and 30 rows of them are added up, some
    divided by what is left of a row.
    """
    a, tokens, at = trace.weights.astype(np.float64), trace.key_tokens, np.flatnonzero(counts)
    seen = (a > 0).any(axis=1)[:, counts][:, :, counts]
    a = a[..., counts, :][..., counts]
    if not counts.all():
        a = a / a.sum(axis=-1, keepdims=True)
    apart = np.abs(at[:, None] - at)
    shares = a / a.sum(axis=-1, keepdims=True)
    bits = -(shares * np.log2(np.maximum(shares, 1e-300))).sum(axis=-1).mean(axis=-1)
    possible = np.log2(seen.sum(axis=-1)).mean(axis=-1)[:, None]  # 0 where each has one key left
    first = {"first": a[..., 0].mean(axis=-1)}
    cut = {k: (whole(d)[counts][:, counts], d.queries[counts]) for k, d in detectors(trace).items()}
    want = {
        "entropy": bits,
        "sharpness": a.max(axis=-1).mean(axis=-1),
        "distance": (a * apart).sum(axis=-1).mean(axis=-1),
        "column": a.mean(axis=-2).max(axis=-1),
        "no token": 1 - a.sum(axis=-1).mean(axis=-1),
        "evenness": np.divide(bits, possible, out=np.zeros_like(bits), where=possible > 0),
    }
    for name, (cells, queries) in cut.items():
        if cells.any():
            want[name] = (a * cells).sum(axis=(-1, -2)) / queries.sum()
    want |= first
    for name, numbers in found.measures.items():
        assert numbers == pytest.approx(want[name], abs=1e-5), name
    assert set(want) - set(found.measures) <= {"no token"}
    sentences = sentence_of(tokens, trace.texts)[counts]
    if sentences.max() > 0:
        own = (sentences[:, None] == sentences) & (sentences >= 0)
        even = (seen * own).sum(axis=-1) / seen.sum(axis=-1)
        assert found.own_sentence == pytest.approx(even[:, sentences >= 0].mean(axis=-1))


def test_a_profile_names_the_share_that_goes_to_no_token_only_where_there_is_one():
    tokens = tokens_of("a", "b", "c")
    sinks = np.log(np.full(4, 3, dtype=np.float32))
    rng = np.random.default_rng(0)
    even = FromScores(
        0, np.zeros((4, 3, 2), np.float32), rng.random((2, 3, 2), np.float32), ScoreRule(1.0)
    )
    drained = FromScores(0, even.q, even.k, ScoreRule(1.0, sinks=sinks))
    info = ModelInfo("test", None, 1, 4, 4, 3)

    def measures(layer):
        return head_profiles(AttentionTrace(info, ("a b c",), tokens, tokens, [layer])).measures

    assert measures(drained)["no token"] == pytest.approx(0.5, abs=TOLERANCE)
    assert measures(drained)["evenness"] == pytest.approx(1, abs=TOLERANCE)
    assert measures(drained)["self"] == pytest.approx(1 / 6, abs=TOLERANCE)
    assert "no token" not in measures(even)


def test_the_way_to_special_tokens_is_no_distance_between_words():
    tokens = tokens_of("[CLS]", "a", "b", "c", "[SEP]")
    head = np.zeros((5, 5))
    head[:, 0] = head[:, 4] = 0.26  # what a head puts on special tokens, however far they are
    head[[0, 1, 2, 3, 4], [1, 2, 3, 2, 3]] = 0.48
    counted, left_out = (p.measures for p in profiles_both_ways(trace_of([[head]], tokens)))
    assert counted["distance"][0, 0] == pytest.approx(0.26 * 4 + 0.48, abs=TOLERANCE)
    assert left_out["distance"][0, 0] == pytest.approx(1, abs=TOLERANCE)


def test_the_even_baseline_of_the_own_sentence_is_over_the_texts_that_show_the_measure():
    several = tokens_of("a", "b", ".", "c", "d", ".")
    single = tokens_of("a", "b", "c", "d")
    one = head_profiles(even_trace(several))
    four = [head_profiles(even_trace(single)) for _ in range(4)]
    assert one.own_sentence == pytest.approx([0.5])
    assert four[0].own_sentence is None
    pooled = pool([one, *four])["own sentence"]
    assert pooled.n_texts == 1
    assert pooled.mean[0, 0] == pytest.approx(0.5)
    assert kinds_of([one, *four], [])[0][0].name == "broad"


def test_a_head_of_its_own_sentence_stays_one_when_lines_of_one_sentence_are_added():
    """A text of one sentence cannot show the rule; of several sentences all texts do here."""
    several, single = trace_of([[BLOCKS]], EIGHT), even_trace(tokens_of("[CLS]", "a", "b", "[SEP]"))
    texts = [head_profiles(several), *[head_profiles(single)] * 4]
    assert kinds_of(texts[:1], ["[CLS]", "[SEP]"])[0][0].name == "block"
    found = kinds_of(texts, ["[CLS]", "[SEP]"])[0][0]
    assert found.name == "block"
    assert found.evidence.endswith("in 1 of 1 texts that can show it")
    with_others = pool(texts)["own sentence"]
    assert with_others.mean == pytest.approx(pool(texts[:1])["own sentence"].mean)


# — Words and sentences —

SAME_WORD = json.loads((Path(__file__).parents[1] / "cases_same_word.json").read_text("utf-8"))


@pytest.mark.parametrize("case", SAME_WORD, ids=[c["case"] for c in SAME_WORD])
def test_what_the_same_word_is_stands_in_one_table(case):
    tokens = [Token(text, (0, 1), word, 0, special) for text, word, special in case["tokens"]]
    assert same_words(tokens, case["unknown"]).tolist() == case["same"]


def test_unknown_tokens_are_no_repetition():
    tokens = tokens_of("a", "[UNK]", "b", "[UNK]")
    tokens = tuple(dataclasses.replace(t, special=False) for t in tokens)
    trace = even_trace(tokens)
    assert "same word" in detectors(trace)
    known = dataclasses.replace(trace.model, unknown_token="[UNK]")
    assert "same word" not in detectors(dataclasses.replace(trace, model=known))


def test_what_came_after_the_same_word_counts_also_where_it_is_a_special_token():
    found = detectors(even_trace(tokens_of("[CLS]", "a", "[SEP]", "a", "[SEP]")))
    assert on(found["after the same word"]) == [(3, 2)]  # [SEP] itself is no word that comes again


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Pi is 3.14 now. Next", [0, 0, 0, 0, 0, 0, 0, 1]),
        ("e.g. this", [0, 0, 0, 0, 1]),
        ("He said “Go.” Then", [0, 0, 0, 0, 0, 0, 1]),
        ("(It was.) Then", [0, 0, 0, 0, 0, 1]),
        ("Really?! Yes... no", [0, 0, 0, 1, 1, 1, 1, 2]),
        ("去。”他说。好", [0, 0, 0, 1, 1, 2]),
        ('"No." "Yes."', [0, 0, 0, 0, 1, 1, 1, 1]),
    ],
)
def test_a_stop_ends_a_sentence_where_no_letter_or_digit_follows_at_once(text, sentences):
    tokens = [
        Token(found.group(), found.span(), i, 0, False)
        for i, found in enumerate(re.finditer(r"\w+|[^\w\s]", text))
    ]
    assert sentence_of(tokens, (text,)).tolist() == sentences


def test_a_space_that_belongs_to_a_token_is_still_a_space():
    tokens = [Token("go.", (0, 3), 0, 0, False), Token("On", (3, 6), 1, 0, False)]
    assert sentence_of(tokens, ("go. On",)).tolist() == [0, 1]
    assert sentence_of(tokens, ("go.xOn",)).tolist() == [0, 0]


# — The finder, in long texts —


@settings(max_examples=25)
@given(st.integers(0, 999), st.integers(4, 20))
def test_a_pair_in_q_and_k_is_scored_as_in_the_weights_made_whole(seed, n):
    rng = np.random.default_rng(seed)
    trace = scores_trace(seed, tokens_of(*(f"w{i}" for i in range(n))), allowed=causal(n, n))
    queries, keys = sorted(rng.choice(n, 2, replace=False).tolist()), [int(rng.integers(n))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("explorer.layers._CELLS", 16)
        found = find_pairs([(trace.layers, queries, keys)])
    a, offset = trace.weights.astype(np.float64), keys[0] - queries[0]
    rows = [i for i in range(n) if i not in queries and 0 <= i + offset <= i]
    rest = [i for i in range(n) if i not in (*queries, *keys) and i >= keys[0]]
    assert found.weight == pytest.approx(a[..., queries, keys[0]].mean(axis=-1), abs=TOLERANCE)
    for map_, cells in (
        (found.others, a[..., rest, keys[0]]),
        (found.baseline, a[..., rows, np.array(rows, dtype=int) + offset]),
    ):
        want = cells.mean(axis=-1) if cells.shape[-1] else np.full(map_.shape, np.nan)
        assert map_ == pytest.approx(want, abs=TOLERANCE, nan_ok=True)


def test_only_words_that_may_look_at_the_key_are_the_others_in_each_layer_by_its_own_mask():
    """Causal: all after key 8 give it 0.6. Window 2: nobody else may look two places back."""
    whole, near = np.eye(12), np.tril(np.eye(12) + np.eye(12, k=-1)) / 2
    whole[9:, 8], whole[9:, 9:] = 0.6, np.eye(3) * 0.4
    near[0, 0] = 1
    layers = [
        FromScores(
            i,
            np.log(np.maximum(weights, 1e-9))[None],
            np.eye(12)[None],
            ScoreRule(1.0, allowed=mask),
        )
        for i, (weights, mask) in enumerate([(whole, causal(12, 12)), (near, causal(12, 2))])
    ]
    found = find_pairs([(layers, [10], [8])])
    assert found.weight[0, 0] == pytest.approx(0.6, abs=TOLERANCE)
    assert found.others[:, 0] == pytest.approx([0.6, 0.5], abs=TOLERANCE)
    assert found.baseline[0, 0] == pytest.approx(0, abs=TOLERANCE)
    assert np.isnan(found.baseline[1, 0])  # two places back lies outside the window
