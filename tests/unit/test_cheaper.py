"""Cheaper attention, and what survives of it, against plain numpy in float64."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import layers
from explorer.analysis.survival import (
    WITHOUT,
    by_distance,
    energies,
    everywhere_of,
    survival,
    without,
)
from explorer.cheaper import (
    KINDS,
    Cheap,
    estimate,
    features,
    reason_against,
    reason_against_placing,
    stretches,
)
from explorer.errors import ExplorerError
from explorer.layers import FromScores, GivenWeights, ScoreRule, causal
from explorer.trace import AttentionTrace, ModelInfo, Token

# Weights are float32 numbers up to 1, and sums of them are divided by sums.
TOLERANCE = 1e-5


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """So few weights at once that every layer here is read in several blocks."""
    monkeypatch.setattr(layers, "_CELLS", 24)


def made(seed, n=9, *, heads=2, d=4, looks_back=False, size=1.0, sinks=False):
    rng = np.random.default_rng(seed)
    q, k = (size * rng.normal(size=(heads, n, d)).astype(np.float32) for _ in range(2))
    return FromScores(
        0,
        q,
        k,
        ScoreRule(
            scale=0.5,
            allowed=causal(n, n) if looks_back else None,
            sinks=rng.normal(size=heads).astype(np.float32) if sinks else None,
        ),
    )


def traced(*found, special=(0,)):
    n = found[0].n_keys
    tokens = tuple(Token(f"t{i}", (i, i + 1), i, 0, i in special) for i in range(n))
    model = ModelInfo("tiny", None, len(found), found[0].n_heads, 8, 512)
    return AttentionTrace(model, ("x" * n,), tokens, tokens, found)


def plainly(layer, head):
    """The weights of a head in float64, from nothing but q and k."""
    scores = layer.q[head].astype(float) @ layer.k[head].astype(float).T * layer.rule.scale
    if layer.rule.allowed is not None:
        scores[np.triu_indices(len(scores), 1)] = -np.inf
    sink = layer.rule.sinks[head] if layer.rule.sinks is not None else -np.inf
    top = np.maximum(scores.max(-1, keepdims=True), sink)
    found = np.exp(scores - top)
    return found / (found.sum(-1, keepdims=True) + np.exp(sink - top))


def kept_by(kind, weights, budget, everywhere):
    """Which weights are left, one by one."""
    n = len(weights)
    found = np.zeros((n, n), bool)
    for i in range(n):
        for j in range(n):
            near = abs(i - j) <= budget
            found[i, j] = {
                "window": near,
                "back": near and j <= i,
                "global": near or i in everywhere or j in everywhere,
                "top": sorted(range(n), key=lambda key: -weights[i, key]).index(j) < budget,
            }[kind]
    return found


SHAPES = st.tuples(st.integers(0, 10**6), st.integers(1, 12), st.booleans(), st.booleans())


@settings(max_examples=25, deadline=None)
@given(SHAPES)
def test_what_survives_is_the_share_of_the_attention_on_what_is_left(shape):
    seed, n, looks_back, sinks = shape
    layer = made(seed, n, looks_back=looks_back, sinks=sinks)
    everywhere = (0, n // 2)
    found = survival(traced(layer, special=everywhere), ("window", "back", "global", "top"))
    assert found.everywhere == tuple(sorted(set(everywhere)))
    assert ("back" in found.reasons) == (looks_back or n == 1)
    for kind, curve in found.curves.items():
        for head in range(2):
            weights = plainly(layer, head)
            for at, budget in enumerate(curve.budgets):
                kept = kept_by(kind, weights, budget, everywhere)
                share = weights[kept].sum() / weights.sum()
                assert curve.kept[at, 0, head] == pytest.approx(share, abs=TOLERANCE)


@settings(max_examples=25, deadline=None)
@given(SHAPES, st.integers(0, 12), st.sampled_from(["window", "back", "global", "top"]))
def test_what_is_left_is_shared_out_again_among_what_a_row_may_look_at(shape, budget, kind):
    seed, n, looks_back, sinks = shape
    budget = max(budget, 1) if kind == "top" else budget
    layer = made(seed, n, looks_back=looks_back, sinks=sinks)
    found = estimate(layer, 1, Cheap(kind, budget), (0,))
    weights = plainly(layer, 1)
    left = np.where(kept_by(kind, weights, budget, (0,)), weights, 0)
    left /= left.sum(-1, keepdims=True) + 1 - weights.sum(-1, keepdims=True)
    assert found == pytest.approx(left, abs=TOLERANCE)


def test_a_row_whose_whole_weight_is_elsewhere_keeps_its_scores():
    # All of it is on one key: of the others no float32 weight is left, but their scores are.
    q, k = np.full((1, 3, 1), 30, np.float32), np.array([[[9], [1], [0.9]]], np.float32)
    found = estimate(FromScores(0, q, k, ScoreRule(1.0)), 0, Cheap("window", 0))
    assert found == pytest.approx(np.eye(3))
    found = estimate(FromScores(0, q, k, ScoreRule(1.0)), 0, Cheap("window", 1))
    assert found[2] == pytest.approx([0, 1 / (1 + np.exp(-3)), 1 / (1 + np.exp(3))], abs=1e-4)


def test_given_weights_can_lose_keys_but_are_not_made_anew():
    weights = np.array([[[0.6, 0.3, 0.1], [0.2, 0.2, 0.6], [0, 0.5, 0.5]]], np.float32)
    layer = GivenWeights(0, weights)
    found = estimate(layer, 0, Cheap("top", 1))
    assert found.tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]  # of equal ones the first
    curves = survival(traced(layer)).curves
    assert set(curves) == {"window", "back", "global", "top", "rank"}
    assert curves["top"].kept[0, 0, 0] == pytest.approx((0.6 + 0.6 + 0.5) / 3)
    with pytest.raises(ExplorerError, match="Only its weights are known"):
        estimate(layer, 0, Cheap("linear"))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 14), st.booleans())
def test_the_energy_of_a_rank_is_that_of_the_nearest_matrix(seed, n, looks_back):
    layer = made(seed, n, looks_back=looks_back)
    weights = plainly(layer, 0)
    u, sigma, v = np.linalg.svd(weights)
    shares = energies(layer.rows(0))
    for rank in range(1, n + 1):
        nearest = u[:, :rank] * sigma[:rank] @ v[:rank]
        found = estimate(layer, 0, Cheap("rank", rank))
        off = np.linalg.norm(weights - found)
        assert off == pytest.approx(np.linalg.norm(weights - nearest), abs=TOLERANCE)
        error = np.sqrt(max(1 - shares[rank - 1], 0)) * np.linalg.norm(weights)
        # The root of a difference of shares that float32 weights leave open: √1e-8.
        assert off == pytest.approx(error, abs=1e-3)
        assert shares[rank - 1] == pytest.approx(
            (sigma[:rank] ** 2).sum() / (sigma**2).sum(), abs=TOLERANCE
        )


def in_loops(layer, head, cheap):
    """What stands in, made of q and k, number by number, as the papers say it."""
    q, k = layer.q[head].astype(float), layer.k[head].astype(float)
    n, scale = len(q), layer.rule.scale
    soft = lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)  # noqa: E731
    if cheap.kind in ("linear", "features"):
        if cheap.kind == "linear":
            of = lambda x: np.where(x > 0, x + 1, np.exp(x))  # noqa: E731
            left, right = of(q), of(k)
        else:
            w = features(q.shape[1], cheap.budget)
            x, y = q * np.sqrt(scale), k * np.sqrt(scale)
            left, right = (
                np.exp(z @ w.T - (z**2).sum(-1, keepdims=True) / 2) / np.sqrt(len(w))
                for z in (x, y)
            )
        pairs = left @ right.T
        if layer.rule.allowed is not None:
            pairs = np.tril(pairs)
        return pairs / pairs.sum(-1, keepdims=True)
    ends = [*stretches(n, cheap.budget), n]
    spans = [range(a, b) for a, b in pairwise(ends)]
    means = [np.array([x[list(span)].mean(0) for span in spans]) for x in (q, k)]
    if cheap.kind == "pooled":
        shares = np.array([[(j in span) / len(span) for j in range(n)] for span in spans])
        return soft(q @ means[1].T * scale) @ shares
    inner = np.linalg.pinv(soft(means[0] @ means[1].T * scale))
    return soft(q @ means[1].T * scale) @ inner @ soft(means[0] @ k.T * scale)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 12),
    st.booleans(),
    st.sampled_from(["linear", "features", "landmarks", "pooled"]),
    st.integers(1, 9),
)
def test_what_is_made_of_q_and_k_is_as_the_papers_say(seed, n, looks_back, kind, budget):
    looks_back = looks_back and kind in ("linear", "features")
    layer, cheap = made(seed, n, looks_back=looks_back), Cheap(kind, budget)
    found, want = estimate(layer, 1, cheap), in_loops(layer, 1, cheap)
    # An inverse of nearly equal rows has large numbers, which float32 rounds.
    assert np.abs(found - want).max() <= TOLERANCE * max(1.0, np.abs(want).max())


def test_more_features_come_nearer_on_average():
    layer = made(3, 24, heads=8, size=0.7)
    off = [
        np.mean(
            [np.abs(estimate(layer, h, Cheap("features", m)) - layer.rows(h)) for h in range(8)]
        )
        for m in (8, 128, 2048)
    ]
    assert off[2] < off[1] < off[0]
    assert off[2] < off[1] / 2  # the error falls with the root of the features: here by about 4


def test_random_features_stand_at_right_angles_in_each_block():
    found = features(6, 15)
    assert found.shape == (15, 6)
    block = found[:6] @ found[:6].T
    assert block - np.diag(np.diag(block)) == pytest.approx(0, abs=1e-12)
    many = features(4, 40_000)  # each is as one of normal numbers: 10,000 blocks, off by 0.01
    assert many.mean(0) == pytest.approx(0, abs=0.05)
    assert many.T @ many / len(many) == pytest.approx(np.eye(4), abs=0.05)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 10), st.booleans())
def test_a_whole_budget_changes_nothing(seed, n, looks_back):
    layer = made(seed, n, looks_back=looks_back)
    for kind in ("window", "global", "top", "rank"):
        for budget in (n, n + 5):
            found = estimate(layer, 0, Cheap(kind, budget), (0,))
            assert found == pytest.approx(layer.rows(0), abs=1e-6)
    if not looks_back:
        for kind in ("landmarks", "pooled"):
            assert estimate(layer, 0, Cheap(kind, n)) == pytest.approx(layer.rows(0), abs=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.booleans())
def test_what_survives_grows_with_the_budget_and_the_best_keys_keep_most(seed, n, looks_back):
    found = survival(traced(made(seed, n, looks_back=looks_back)))
    for kind in ("window", "global", "top", "rank"):
        kept = found.curves[kind].kept
        assert (np.diff(kept, axis=0) >= -1e-9).all()
        assert kept[-1] == pytest.approx(1, abs=1e-6)
    for curve in found.curves.values():
        assert curve.kept.min() >= 0
        assert curve.kept.max() <= 1 + 1e-6
    window, top = found.curves["window"], found.curves["top"]
    for reach in range(n):  # no window has more than the best so many keys
        assert (window.kept[reach] <= top.kept[min(2 * reach, n - 1)] + 1e-6).all()
    needs = window.needs(0.9)
    for head, reach in enumerate(needs[0]):
        assert window.at(int(reach))[0, head] >= 0.9 - 1e-6
        assert reach == 0 or window.at(int(reach) - 1)[0, head] < 0.9


def test_windows_are_found_band_by_band_at_any_block():
    layer = made(1, 13, looks_back=True)
    found = np.zeros(25)
    for band in layer.bands(0):
        by_distance(band, found)
    weights = plainly(layer, 0)
    assert found == pytest.approx([np.trace(weights, d) for d in range(-12, 13)], abs=1e-6)


def test_what_a_layer_has_no_place_for_is_refused_with_its_reason():
    q = np.ones((1, 4, 2), np.float32)
    capped = FromScores(0, q, q, ScoreRule(1.0, cap=5.0))
    added = FromScores(0, q, q, ScoreRule(1.0, added=np.ones((1, 4, 4), np.float32)))
    back = made(0, 4, looks_back=True)
    crossed = FromScores(0, q, q[:, :3], ScoreRule(1.0))
    assert "a cap" in reason_against(capped, "linear")
    assert "added" in reason_against(added, "features")
    assert "may not look" in reason_against(back, "landmarks")
    assert reason_against(back, "features") == ""
    assert all("another" in reason_against(crossed, kind) for kind in KINDS)
    for kind, budget in (("windows", 1), ("top", 0), ("window", -1), ("rank", 1.5)):
        with pytest.raises(ExplorerError):
            Cheap(kind, budget)


@pytest.mark.parametrize("kind", KINDS)
def test_no_way_that_can_be_put_in_place_lets_a_token_see_what_follows(kind):
    layer = made(3, 12, looks_back=True)
    if reason_against_placing(layer, kind):
        assert kind in ("rank", "landmarks", "pooled")
        assert reason_against_placing(made(3, 12), kind) == ""
        return
    for head in range(layer.n_heads):
        after = estimate(layer, head, Cheap(kind, 2), everywhere=(0, 5))
        assert not np.triu(after, 1).any()


@pytest.mark.parametrize("looks_back", [True, False])
def test_a_low_rank_is_enough_for_no_head_where_it_would_see_what_follows(looks_back):
    trace = traced(made(0, 90, looks_back=looks_back, size=0.1))
    found = survival(trace, ("rank",))
    ways = without(trace, found, 0.5).ways
    assert (ways == (-1 if looks_back else WITHOUT.index("rank"))).all()


def test_the_global_tokens_are_the_special_ones_or_the_first():
    assert everywhere_of(traced(made(0, 5), special=(0, 4)).key_tokens) == (0, 4)
    assert everywhere_of(traced(made(0, 5), special=()).key_tokens) == (0,)
