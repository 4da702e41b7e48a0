"""What is shown of a head of a long text, against all its weights at once in float64."""

import numpy as np
import pytest

from explorer import layers
from explorer.analysis.detectors import same_words
from explorer.analysis.summary import MOST_PAIRS, THUMB, summarise, thumbnails
from explorer.layers import FromScores, GivenWeights, ScoreRule
from explorer.trace import AttentionTrace, ModelInfo, Token

# Scores and their sums over some hundred keys are float32: each is off by a few of its roundings.
NEAR = 3e-6
N, D = 900, 3


def tokens_of(n, seed):
    """Tokens of which some are special, and many say the same word."""
    rng = np.random.default_rng(seed)
    special = {0, n - 1, n // 2}
    words = rng.integers(0, 40, n)
    return tuple(
        Token("[SEP]" if i in special else f"w{word}", None, i, 0, i in special)
        for i, word in enumerate(words)
    )


def starts_of(tokens, seed):
    rng = np.random.default_rng(seed)
    special = [i for i, t in enumerate(tokens) if t.special]
    own = {0, *rng.choice(len(tokens), 40, replace=False), *special}
    return sorted(int(i) for i in own | {i + 1 for i in special if i + 1 < len(tokens)})


def causal(n, keys, window=None):
    ends = np.minimum(np.arange(n) + 1, keys)
    first = np.zeros(n) if window is None else np.maximum(ends - window, 0)
    return np.stack([first, ends], axis=-1).astype(np.int32)


def trace_of(kind, seed=0, n=N, keys=None):
    rng = np.random.default_rng(seed)
    looking = tokens_of(n, seed)
    looked = looking if keys is None else tokens_of(keys, seed + 1)
    m = len(looked)
    q = rng.normal(size=(4, n, D)).astype(np.float32) * 2
    k = rng.normal(size=(2, m, D)).astype(np.float32) * 2
    rule = {
        "plain": {},
        "causal": {"allowed": causal(n, m)},
        "window": {"allowed": causal(n, m, 64)},
        "no keys": {"allowed": causal(n, m, 64) * (np.arange(n) % 7 > 0)[:, None]},
        "sinks": {"sinks": rng.normal(size=4).astype(np.float32) + 3, "allowed": causal(n, m)},
        "cap": {"cap": 4.0},
        "offsets": {"offsets": rng.normal(size=(4, n + m - 1)).astype(np.float32)},
        "added": {"added": np.where(rng.random((1, n, m)) < 0.3, -np.inf, 0).astype(np.float32)},
    }.get(kind, {})
    if "allowed" in rule:
        rule["allowed"] = rule["allowed"].astype(np.int32)
    layer = FromScores(3, q, k, ScoreRule(0.6, **rule))
    if kind == "given":
        layer = GivenWeights(3, layer.weights())
    info = ModelInfo("random", None, 1, 4, 12, 4096)
    return AttentionTrace(info, ("",), looking, looked, [layer])


def dense(layer, head):
    """All weights of a head in float64, by the definition."""
    if isinstance(layer, GivenWeights):
        return layer.given[head].astype(np.float64)
    rule, n = layer.rule, layer.n_queries
    scores = layer.q[head].astype(np.float64) @ layer.k[head // 2].astype(np.float64).T * rule.scale
    if rule.cap:
        scores = rule.cap * np.tanh(scores / rule.cap)
    i, j = np.arange(n)[:, None], np.arange(layer.n_keys)
    if rule.offsets is not None:
        scores += rule.offsets[head][j - i + n - 1]
    if rule.added is not None:
        scores += rule.added[0]
    if rule.allowed is not None:
        out = (j < rule.allowed[:, :1]) | (j >= rule.allowed[:, 1:])
        scores = np.where(out, -np.inf, scores)
    whole = np.exp(scores)
    total = whole.sum(axis=-1, keepdims=True)
    if rule.sinks is not None:
        total += np.exp(float(rule.sinks[head]))
    return np.divide(whole, total, out=np.zeros_like(whole), where=total > 0)


KINDS = ("plain", "causal", "window", "no keys", "sinks", "cap", "offsets", "added", "given")


@pytest.fixture(params=KINDS)
def kind(request, monkeypatch):
    """Rows are read in many blocks, as those of a longer text are."""
    monkeypatch.setattr(layers, "_CELLS", 50 * N)
    return request.param


def test_every_number_is_that_of_all_weights_at_once(kind):
    trace = trace_of(kind)
    check(trace, *[starts_of(trace.query_tokens, 5)] * 2, head=2)


def test_queries_and_keys_may_be_of_different_texts(monkeypatch):
    monkeypatch.setattr(layers, "_CELLS", 50 * N)
    trace = trace_of("plain", n=700, keys=1100)
    rows, columns = starts_of(trace.query_tokens, 5), starts_of(trace.key_tokens, 6)
    found = check(trace, rows, columns, head=1)
    assert found.profile["crosses"] is True
    assert [found.profile[name] for name in ("self", "previous", "next", "repeat")] == [0] * 4


def check(trace, rows, columns, head):
    layer = trace.layer(3)
    want = dense(layer, head)
    n = len(want)
    found = summarise(trace, 3, head, rows, columns)
    assert np.abs(found.received - want.mean(axis=0)).max() < NEAR
    lengths = np.diff([*rows, n])
    summed = np.add.reduceat(np.add.reduceat(want, columns, axis=1), rows, axis=0)
    assert np.abs(found.maps[0] - summed / lengths[:, None]).max() < NEAR
    highest = np.maximum.reduceat(np.maximum.reduceat(want, columns, axis=1), rows, axis=0)
    assert np.abs(found.maps[1] - highest).max() < NEAR
    special = [
        np.array([t.special for t in side]) for side in (trace.query_tokens, trace.key_tokens)
    ]
    # Rows that give nearly all to special tokens are divided by what is left: it is as exact.
    left = want[:, ~special[1]].sum(axis=-1)
    assert (np.abs(found.ordinary - left) <= NEAR * left).all()
    of_words = want * ~special[0][:, None] * ~special[1]
    for i, weights in enumerate((want, of_words)):
        strongest = np.sort(weights.ravel())[::-1][:MOST_PAIRS]
        assert np.abs(found.pair_weights[i] - strongest).max() < NEAR
        assert np.abs(weights[tuple(found.pairs[i].T)] - found.pair_weights[i]).max() < NEAR
        assert (np.diff(found.pair_weights[i]) <= 0).all(), "heaviest first"
        assert len(np.unique(found.pairs[i], axis=0)) == MOST_PAIRS
        cuts = [np.arange(THUMB) * side // THUMB for side in want.shape]
        blocks = np.maximum.reduceat(np.maximum.reduceat(weights, cuts[1], 1), cuts[0], 0)
        off = np.abs(found.thumbs[i] - 255 * np.sqrt(blocks))
        assert off.max() < 0.51, "rounded to whole tones"
    assert np.array_equal(thumbnails(trace, 3, head), found.thumbs)
    check_profile(trace, want, found.profile)
    return found


def check_profile(trace, want, found):
    n = len(want)
    if not found["crosses"]:
        for name, offset in (("self", 0), ("previous", -1), ("next", 1)):
            assert found[name] == pytest.approx(np.trace(want, offset) / n, abs=NEAR)
        words = same_words(trace.key_tokens)
        alike = (words[:, None] == words) & (words >= 0)
        np.fill_diagonal(alike, False)
        assert found["repeat"] == pytest.approx(want[alike].sum() / n, abs=NEAR)
    special = np.array([t.special for t in trace.key_tokens])
    assert found["special"] == pytest.approx(want[:, special].sum() / n, abs=NEAR)
    shares = want / np.maximum(want.sum(axis=-1, keepdims=True), 1e-300)
    bits = -(shares * np.log2(np.maximum(shares, 1e-300))).sum(axis=-1)
    # The entropy is a difference of numbers near 10: a hair more is lost.
    assert found["entropy"] == pytest.approx(bits.mean(), abs=1e-5)
    assert found["sink"] == pytest.approx(1 - want.sum() / n, abs=NEAR)
    counts = np.maximum(trace.layer(3).n_allowed(), 1)
    assert found["possible"] == pytest.approx(np.log2(counts).mean())


def test_a_summary_leaves_the_sums_of_the_rows_known_and_is_as_exact_as_they_are():
    trace = trace_of("causal")
    layer = trace.layer(3)
    assert not layer.is_read
    for head in range(4):
        thumbnails(trace, 3, head)
    assert layer.is_read
    fresh = trace_of("causal").layer(3)
    assert np.array_equal(layer.log_sum_exp(1), fresh.log_sum_exp(1))


def test_where_few_weights_are_above_zero_the_strongest_are_those_alone():
    n = 40
    weights = np.zeros((1, n, n), dtype=np.float32)
    weights[0, :, 0] = 1
    tokens = tuple(Token(f"t{i}", None, i, 0, i == 0) for i in range(n))
    info = ModelInfo("one", None, 1, 1, 4, 512)
    trace = AttentionTrace(info, ("",), tokens, tokens, [GivenWeights(3, weights)])
    found = summarise(trace, 3, 0, [0], [0])
    assert found.pairs[0].tolist() == [[i, 0] for i in range(n)], "of equal ones the first"
    assert (found.pair_weights[1] == -1).all()
    assert (found.pairs[1] == -1).all()
