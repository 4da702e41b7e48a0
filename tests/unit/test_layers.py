"""A layer kept as q, k and a rule, or as weights given, against a dense computation in float64."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import layers
from explorer.errors import ExplorerError
from explorer.layers import FromScores, GivenWeights, ScoreRule, of_weights, row_entropy

# A score of some tens is rounded by a few 1e-6 in float32, and its weight by as much of itself.
TOLERANCE = 1e-5


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """So few weights at once that every layer here is read in several blocks."""
    monkeypatch.setattr(layers, "_CELLS", 24)


def causal(n, keys, window=None):
    """First and one past the last key of each query; the last query stands at the last key."""
    at = np.arange(n) + keys - n
    first = np.zeros(n) if window is None else np.maximum(0, at - window + 1)
    return np.stack([first, np.clip(at + 1, 0, keys)], axis=-1).astype(np.int32)


PARTS = ("cap", "causal", "window", "offsets", "added", "holes", "sinks", "half")


def made(seed, parts, n=9, keys=None, heads=4, key_heads=2, d=5):
    """A layer of random q and k with some parts of a rule."""
    rng = np.random.default_rng(seed)
    keys = keys or n
    q = rng.normal(size=(heads, n, d)).astype(np.float32) * 2
    k = rng.normal(size=(key_heads, keys, d)).astype(np.float32) * 2
    if "half" in parts:
        q, k = q.astype(np.float16), k.astype(np.float16)
    added = None
    if "added" in parts or "holes" in parts:
        added = rng.normal(size=(heads if "added" in parts else 1, n, keys)).astype(np.float32)
    if "holes" in parts:
        added[:, rng.random((n, keys)) < 0.4] = -np.inf
    masked = "causal" in parts or "window" in parts
    rule = ScoreRule(
        scale=0.7,
        cap=3.0 if "cap" in parts else None,
        allowed=causal(n, keys, 3 if "window" in parts else None) if masked else None,
        offsets=rng.normal(size=(heads, n + keys - 1)).astype(np.float32)
        if "offsets" in parts
        else None,
        added=added,
        sinks=rng.normal(size=heads).astype(np.float32) if "sinks" in parts else None,
    )
    return FromScores(3, q, k, rule)


def dense(layer):
    """All weights and log-sum-exps of a layer in float64, by the definition."""
    rule = layer.rule
    heads, n, _ = layer.q.shape
    keys = layer.k.shape[1]
    k = np.repeat(layer.k.astype(np.float64), heads // len(layer.k), axis=0)
    scores = rule.scale * layer.q.astype(np.float64) @ k.transpose(0, 2, 1)
    if rule.cap is not None:
        scores = rule.cap * np.tanh(scores / rule.cap)
    for i in range(n):
        for j in range(keys):
            if rule.offsets is not None:
                scores[:, i, j] += rule.offsets[:, j - i + n - 1]
            if rule.allowed is not None and not rule.allowed[i, 0] <= j < rule.allowed[i, 1]:
                scores[:, i, j] = -np.inf
    if rule.added is not None:
        scores = scores + rule.added
    whole = np.exp(scores)
    total = whole.sum(axis=-1)
    if rule.sinks is not None:
        total = total + np.exp(rule.sinks.astype(np.float64))[:, None]
    with np.errstate(divide="ignore"):
        logs = np.log(total)
    return np.divide(whole, total[..., None], where=total[..., None] > 0, out=whole), logs


def given_layer(seed, n=7, keys=9, heads=3):
    """Random rows, some of them zeros, as a mask leaves them."""
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.full(keys, 0.4), size=(heads, n)).astype(np.float32)
    weights[:, rng.random(n) < 0.2] = 0
    return GivenWeights(5, weights)


ANY = st.builds(
    made,
    st.integers(0, 999),
    st.sets(st.sampled_from(PARTS)).map(tuple),
    st.integers(1, 12),
    st.sampled_from([None, 13]),
    st.sampled_from([4, 8]),
    st.sampled_from([1, 2, 4]),
) | st.builds(given_layer, st.integers(0, 999), st.integers(1, 12))


def whole_of(layer):
    if isinstance(layer, GivenWeights):
        weights = layer.given.astype(np.float64)
        return weights, np.where(weights.any(axis=-1), 0.0, -np.inf)
    return dense(layer)


def near(got, want):
    assert got.shape == want.shape
    assert np.isfinite(got).all()
    assert np.abs(got - want).max(initial=0) <= TOLERANCE


@settings(max_examples=150)
@given(ANY, st.data())
def test_rows_tiles_and_cells_are_those_of_a_dense_computation(layer, data):
    want, logs = whole_of(layer)
    head = data.draw(st.integers(0, layer.n_heads - 1))
    queries = data.draw(st.lists(st.integers(0, layer.n_queries - 1), min_size=1, max_size=6))
    keys = data.draw(st.lists(st.integers(0, layer.n_keys - 1), min_size=1, max_size=6))
    near(layer.rows(head), want[head])
    near(layer.rows(head, queries), want[head][queries])
    near(layer.rows(head, slice(1, 3)), want[head][1:3])
    near(layer.tile(head, queries, keys), want[head][np.ix_(queries, keys)])
    near(layer.tile(head, slice(None), np.array(keys)), want[head][:, keys])
    near(layer.tile(head, slice(0, 2), slice(1, 4)), want[head][0:2, 1:4])
    pairs = list(zip(queries, keys, strict=False))
    near(layer.cells(head, *zip(*pairs, strict=True)), np.array([want[head][p] for p in pairs]))
    near(layer.weights(), want)
    got = layer.log_sum_exp(head)
    assert np.array_equal(np.isneginf(got), np.isneginf(logs[head]))
    some = np.isfinite(got)
    near(got[some], logs[head][some])


@settings(max_examples=150)
@given(ANY, st.data())
def test_sums_and_entropies_are_those_of_a_dense_computation(layer, data):
    want, _ = whole_of(layer)
    head = data.draw(st.integers(0, layer.n_heads - 1))
    near(layer.received(head), want[head].sum(axis=0))
    sums = want[head].sum(axis=-1, keepdims=True)
    shares = np.divide(want[head], sums, where=sums > 0, out=np.zeros_like(want[head]))
    logs = np.log2(shares, where=shares > 0, out=np.zeros_like(shares))
    near(layer.entropy(head), -(shares * logs).sum(axis=-1))
    group = st.lists(st.integers(0, layer.n_queries - 1), min_size=1, max_size=4)
    rows = data.draw(st.lists(group, min_size=1, max_size=5))
    group = st.lists(st.integers(0, layer.n_keys - 1), min_size=1, max_size=4, unique=True)
    columns = data.draw(st.lists(group, min_size=1, max_size=5))
    near(
        layer.pooled(head, rows, columns),
        np.array([[want[head][r][:, c].sum(axis=-1).mean() for c in columns] for r in rows]),
    )


@settings(max_examples=150)
@given(ANY)
def test_blocks_are_all_rows_in_order_and_each_is_small(layer):
    for head in range(layer.n_heads):
        blocks = list(layer.blocks(head))
        assert [i for some, _ in blocks for i in range(layer.n_queries)[some]] == [
            *range(layer.n_queries)
        ]
        assert all(w.size <= max(24, layer.n_keys) for _, w in blocks)
        near(np.concatenate([w for _, w in blocks]), whole_of(layer)[0][head])


@settings(max_examples=150)
@given(ANY)
def test_what_a_query_may_look_at_is_what_any_head_gives_more_than_nothing_to(layer):
    seen = whole_of(layer)[0].any(axis=0)
    ends = layer.allowed()
    every_other = np.arange(layer.n_keys) % 2 == 0
    assert (layer.n_allowed(every_other) == seen[:, every_other].sum(axis=-1)).all()
    assert ends.shape == (layer.n_queries, 2)
    for i, row in enumerate(seen):
        places = np.flatnonzero(row)
        first, last = (places[0], places[-1] + 1) if len(places) else (0, 0)
        if len(places):
            assert ends[i].tolist() == [first, last]
        else:
            assert ends[i, 0] >= ends[i, 1]
        assert layer.n_allowed()[i] == len(places)


@given(st.integers(0, 99))
def test_rows_sum_to_1_without_a_sink_and_to_less_with_one(seed):
    assert made(seed, ()).rows(1).sum(axis=-1) == pytest.approx(1, abs=1e-6)
    layer = made(seed, ("sinks", "causal"))
    left = 1 - layer.rows(2).sum(axis=-1, dtype=np.float64)
    taken = np.exp(layer.rule.sinks[2] - layer.log_sum_exp(2))
    assert left == pytest.approx(taken, abs=1e-6)
    assert left.max() > 1e-3


def test_entropy_knows_even_rows_single_keys_empty_rows_and_sinks():
    rows = np.array([[0.25] * 4, [0, 1, 0, 0], [0] * 4, [0.1, 0.1, 0, 0]], dtype=np.float32)
    # What a sink takes is no place to look at: two keys alike are one bit.
    assert row_entropy(rows) == pytest.approx([2, 0, 0, 1], abs=1e-6)


@settings(max_examples=30)
@given(st.integers(0, 99), st.sampled_from([13, 300, 2000]), st.sampled_from([0.01, 0.3, 3]))
def test_entropy_of_long_rows_is_that_of_float64(seed, keys, spread):
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.full(keys, spread), size=5).astype(np.float32)
    double = rows.astype(np.float64) / rows.sum(axis=-1, dtype=np.float64, keepdims=True)
    logs = np.log2(double, where=double > 0, out=np.zeros_like(double))
    assert row_entropy(rows) == pytest.approx(-(double * logs).sum(axis=-1), abs=1e-6)


def test_scores_of_hundreds_are_no_overflow_and_a_tile_agrees_with_its_rows():
    rng = np.random.default_rng(0)
    q, k = (rng.normal(size=(1, 40, 16)).astype(np.float32) * 8 for _ in range(2))
    layer = FromScores(0, q, k, ScoreRule(1.0))
    largest = np.abs(layer.log_sum_exp(0)).max()
    assert largest > 300
    # A score has 24 bits in float32: by the last of them a weight may be off, as a share of itself.
    apart = np.abs(layer.tile(0, slice(None), slice(None)) - layer.rows(0)).max()
    assert apart <= 2 * largest * 2**-23
    near(layer.rows(0).sum(axis=-1), np.ones(40))


def test_q_k_and_given_weights_are_read_only_and_the_callers_array_is_not():
    layer, weights = made(0, ()), np.full((1, 2, 2), 0.5, dtype=np.float32)
    given_ = GivenWeights(0, weights)
    for array in (layer.q, layer.k, given_.given):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0, 0] = 1
    weights[0, 0, 0] = 0.5


def test_what_is_no_layer_is_refused_with_what_was_found():
    q, k = np.zeros((4, 3, 5), np.float32), np.zeros((2, 3, 5), np.float32)
    with pytest.raises(ExplorerError, match=r"\[4, 3, 5\] and keys \[3, 3, 5\] of layer 7"):
        FromScores(7, q, np.zeros((3, 3, 5), np.float32), ScoreRule(1.0))
    with pytest.raises(ExplorerError, match="do not fit each other"):
        FromScores(7, q, k[..., :4], ScoreRule(1.0))
    q[1, 2, 3] = np.nan
    with pytest.raises(ExplorerError, match="not numbers"):
        FromScores(7, q, k, ScoreRule(1.0))
    with pytest.raises(ExplorerError, match="must sum to 1"):
        GivenWeights(0, np.full((1, 2, 2), 0.7, np.float32))


@pytest.mark.parametrize("groups", [([[0], []], [[1]]), ([[0]], [[]]), ([], [[0]]), ([[0]], [])])
def test_an_empty_group_is_refused(groups):
    with pytest.raises(ExplorerError, match="is empty"):
        made(0, ()).pooled(0, *groups)


def test_memory_is_that_of_q_k_and_the_rule_and_not_of_all_weights():
    layer = made(0, ("causal",), n=100)
    assert layer.nbytes == layer.q.nbytes + layer.k.nbytes + layer.rule.allowed.nbytes
    assert layer.nbytes < layer.weights().nbytes / 10
    assert dataclasses.replace(layer.rule, allowed=None).nbytes == 0


def test_layers_of_an_array_are_numbered_from_0():
    found = of_weights(np.full((3, 2, 4, 4), 0.25, dtype=np.float32))
    assert [layer.number for layer in found] == [0, 1, 2]
