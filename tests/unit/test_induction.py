"""Induction and its kin: sums over plain loops, and heads that were built to be found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.analysis.induction import COPYING, SHARES, copying_of, repeat_scores, repeats_in
from explorer.analysis.profiles import head_profiles
from explorer.instrument.wire.repeats import Retold, may_repeat
from explorer.layers import FromScores, ScoreRule, causal
from explorer.residual import AtPosition, Part
from explorer.run import Run
from explorer.trace import AttentionTrace, ModelInfo, Token

# Weights are float32, 6e-8 each of their size; sums of some dozen of them are made as float64.
TOLERANCE = 1e-6


def forward_trace(words, *, seed=0, window=None, heads=2, layers=2):
    """Random heads that look back, at most so many tokens where there is a window."""
    n = len(words)
    tokens = tuple(Token(word, (0, 1), i, 0, False) for i, word in enumerate(words))
    allowed = causal(n, n)
    if window:
        allowed[:, 0] = np.maximum(allowed[:, 1] - window, 0)
    rng = np.random.default_rng(seed)
    rule = ScoreRule(scale=1.0, allowed=allowed)
    made = [
        FromScores(number, *rng.normal(size=(2, heads, n, 4)).astype(np.float32), rule)
        for number in range(layers)
    ]
    info = ModelInfo("random", None, layers, heads, 4, n)
    return AttentionTrace(info, ("x",), tokens, tokens, made)


def own_of(trace, window=None):
    """The same by loops: by name the shares, the even ones, and of how many tokens."""
    words = [t.text.lower() for t in trace.query_tokens]
    n, places = len(words), {name: [] for name in SHARES}
    for i in range(n):
        before = [k for k in range(i) if words[k] == words[i]]
        places["same"].append((i, before))
        places["induction"].append((i, [k + 1 for k in before if k + 1 < i]))
        places["previous"].append((i, [i - 1] if i else []))
    found = {}
    for name, rows in places.items():
        asked = [(i, keys) for i, keys in rows if keys]
        if not asked:
            continue
        share = np.zeros(trace.shape[:2])
        for layer, head in np.ndindex(share.shape):
            own = [sum(float(trace.weights[layer, head, i, k]) for k in keys) for i, keys in asked]
            share[layer, head] = np.mean(own)
        low = [0 if window is None else max(i + 1 - window, 0) for i, _ in asked]
        even = [
            sum(k >= first for k in keys) / (i + 1 - first)
            for (i, keys), first in zip(asked, low, strict=True)
        ]
        found[name] = share, np.mean(even), len(asked)
    return found


@given(
    words=st.lists(st.sampled_from(["a", "A", "b", "c", "d"]), min_size=1, max_size=24),
    window=st.sampled_from([None, 3, 7]),
    seed=st.integers(0, 9),
)
def test_what_heads_do_where_a_text_repeats_itself_is_a_sum_by_loops(words, window, seed):
    trace = forward_trace(words, seed=seed, window=window)
    found, want = repeats_in(trace), own_of(trace, window)
    assert set(found.shares) == set(found.even) == set(found.counts) == set(want)
    for name, (share, even, count) in want.items():
        assert found.counts[name] == count
        assert found.shares[name] == pytest.approx(share, abs=TOLERANCE)
        assert found.even[name] == pytest.approx([even] * 2, abs=TOLERANCE)


def test_the_share_is_the_measure_of_the_page_told_of_repeated_tokens_alone():
    trace = forward_trace(list("abcadbac"))
    found, n = repeats_in(trace), 8
    measures = head_profiles(trace).measures
    for name, measure in (("induction", "after the same word"), ("same", "same word before")):
        whole = found.shares[name] * found.counts[name] / n
        assert whole == pytest.approx(measures[measure], abs=TOLERANCE)


def test_the_page_has_room_for_it_where_nobody_looks_ahead(make_trace):
    assert may_repeat(forward_trace(list("abca")))
    assert may_repeat(forward_trace(list("abca"), window=2))
    assert not may_repeat(make_trace())


def test_what_is_not_measured_yet_or_could_not_be_is_said_without_numbers():
    assert Retold().said() == {"state": "ask", "reason": "", "measures": []}
    said = Retold("failed", "Too few tokens.").said()
    assert (said["state"], said["reason"], said["measures"]) == ("failed", "Too few tokens.", [])


def built(rows, length=12, heads=1):
    """A text of random tokens twice behind another, and heads that look where they are told."""
    n = 2 * length + 1
    weights = np.zeros((1, heads, n, n), np.float32)
    for head, look in enumerate(rows):
        for i in range(n):
            weights[0, head, i, look(i) if i >= n - length else i] = 1
    tokens = tuple(Token(str(i), None, i, 0, False) for i in range(n))
    info = ModelInfo("built", None, 1, heads, 8, n)
    return AttentionTrace(info, ("x",), tokens, tokens, weights)


def test_a_head_that_was_built_for_it_is_found():
    length = 12
    looks = [lambda i: i - length + 1, lambda i: i - length, lambda i: i - 1]
    trace = built(looks, length, heads=3)
    found = repeat_scores([(Run("x"), trace, length, "no head for words")])
    for name, scores in (("induction", [1, 0, 0]), ("same", [0, 1, 0]), ("previous", [0, 0, 1])):
        assert found.mean(name)[0].tolist() == scores
        assert found.spread(name)[0].tolist() == [0, 0, 0]
    assert COPYING not in found.scores
    assert found.no_copying == "no head for words"


def test_the_spread_is_that_of_the_sequences():
    traces = [forward_trace(list("xabcdabcd"), seed=seed) for seed in range(3)]
    found = repeat_scores([(Run("x"), trace, 4, "none") for trace in traces])
    each = [[[t.weights[1, 0, i, i - 3] for i in range(5, 9)]] for t in traces]
    assert found.n_texts == 3
    assert found.mean("induction")[1, 0] == pytest.approx(np.mean(each), abs=TOLERANCE)
    spread = np.std(np.mean(each, axis=(1, 2)), ddof=1)
    assert found.spread("induction")[1, 0] == pytest.approx(spread, abs=TOLERANCE)
    even = np.mean([1 / (i + 1) for i in range(5, 9)])
    assert found.even["induction"] == pytest.approx([even] * 2, abs=TOLERANCE)


def test_a_head_that_writes_what_it_reads_is_a_copying_head():
    """Four words with directions of their own; the heads look at the third, and write a word."""
    eye, n, length = np.eye(4), 9, 4
    weights = np.zeros((1, 3, n, n), np.float32)
    weights[:, :, :, 3] = 0.5  # the third word in both of its places
    weights[:, :, :, 7] = 0.5
    tokens = tuple(Token(str(i), None, i, 0, False) for i in range(n))
    trace = AttentionTrace(ModelInfo("built", None, 1, 3, 4, n), ("x",), tokens, tokens, weights)
    parts = (Part("token"), *(Part("head", 0, head) for head in range(3)))
    written = np.stack([eye[0], 2 * eye[2], -eye[2], eye[1]])
    zero = np.zeros(4)
    at = AtPosition(8, parts, written, written.sum(0), None, (9,) * 4, eye, zero, zero, zero)
    copies, hinders, writes_another = copying_of(trace, length, [at])[0]
    assert copies == pytest.approx(np.sqrt(3))  # (1 - 1/4) / the deviation of 1, 0, 0, 0
    assert hinders == pytest.approx(-np.sqrt(3))
    assert writes_another == pytest.approx(-1 / np.sqrt(3))
