"""Rollout, flow, places and agreement, against formulas by hand and other libraries."""

import networkx as nx
import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.analysis import flow, rollout
from explorer.analysis.agreement import rank_agreement
from explorer.analysis.divergence import distances_within, head_distances, heads_of
from explorer.analysis.explanation import METHODS
from explorer.analysis.flow import attention_flow
from explorer.analysis.gradients import head_importance, relevance
from explorer.analysis.placement import place_heads
from explorer.analysis.removal import Curves, curve_steps
from explorer.analysis.rollout import attention_rollout, rollout_from, with_residual
from explorer.errors import ExplorerError
from explorer.layers import FromScores, ScoreRule, of_weights


def random_weights(seed, n=5, layers=3, heads=2):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(n, 0.3), size=(layers, heads, n)).astype(np.float32)


def by_hand():
    """Two layers, one head, three tokens."""
    one = [[1, 0, 0], [0.5, 0.5, 0], [0, 0.5, 0.5]]
    two = [[0, 1, 0], [0, 1, 0], [0.5, 0, 0.5]]
    return np.array([[one], [two]], dtype=np.float32)


def test_rollout_of_three_tokens_worked_by_hand():
    found = attention_rollout(by_hand())
    first = np.array([[1, 0, 0], [0.25, 0.75, 0], [0, 0.25, 0.75]])
    second = np.array([[0.5, 0.5, 0], [0, 1, 0], [0.25, 0, 0.75]])
    assert found[0] == pytest.approx(first)
    assert found[1] == pytest.approx(second @ first)
    assert found[1][0] == pytest.approx([0.625, 0.375, 0])


@given(st.integers(0, 999), st.floats(0, 1))
def test_rollout_rows_sum_to_one_and_do_not_depend_on_the_order_of_heads(seed, residual):
    weights = random_weights(seed)
    before = weights.copy()
    found = attention_rollout(weights, residual)
    assert found.sum(axis=-1) == pytest.approx(1, abs=1e-6)  # the weights' own rounding
    assert attention_rollout(weights[:, ::-1], residual) == pytest.approx(found, abs=1e-12)
    assert (weights == before).all()


def test_rollout_with_all_of_the_residual_moves_nothing():
    assert attention_rollout(random_weights(0), 1.0)[-1] == pytest.approx(np.eye(5))


def test_a_query_that_may_look_nowhere_keeps_its_own_residual():
    weights = random_weights(0)
    weights[1, :, 2] = 0
    assert attention_rollout(weights).sum(axis=-1) == pytest.approx(1, abs=1e-6)
    assert with_residual(weights, 0.0)[1, 2] == pytest.approx(np.eye(5)[2])


def test_a_residual_that_is_no_share_is_refused():
    with pytest.raises(ValueError, match="from 0 to 1"):
        attention_rollout(random_weights(0), 1.5)


def scores_layers(seed, n, layers=3, sinks=False):
    """Layers of random q and k with a causal mask; the first query of them may look nowhere."""
    rng = np.random.default_rng(seed)
    ends = np.stack([np.zeros(n), np.arange(n)], axis=-1).astype(np.int32)
    rule = ScoreRule(1.0, allowed=ends, sinks=np.ones(4, dtype=np.float32) if sinks else None)
    return [
        FromScores(
            number,
            rng.normal(size=(4, n, 5)).astype(np.float32),
            rng.normal(size=(2, n, 5)).astype(np.float32),
            rule,
        )
        for number in range(layers)
    ]


@settings(max_examples=30)
@given(st.integers(0, 999), st.integers(2, 9), st.floats(0, 1), st.booleans())
def test_rows_of_a_rollout_in_small_blocks_are_those_of_the_whole(seed, n, residual, sinks):
    layers = scores_layers(seed, n, sinks=sinks)
    weights = np.stack([layer.weights() for layer in layers])
    whole = attention_rollout(weights, residual)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("explorer.layers._CELLS", 2 * n)
        assert with_residual(layers, residual) == pytest.approx(with_residual(weights, residual))
        assert attention_rollout(layers, residual) == pytest.approx(whole, abs=1e-6)
        rows = rollout_from(layers, np.eye(n)[[n - 1, 0]], residual)
        mean = rollout_from(layers, np.full((1, n), 1 / n), residual)
    assert rows == pytest.approx(whole[-1][[n - 1, 0]], abs=1e-6)
    assert mean[0] == pytest.approx(whole[-1].mean(axis=0), abs=1e-6)


def test_a_row_of_a_rollout_can_be_stopped():
    shares = []
    rollout_from(scores_layers(0, 5), np.eye(5)[:1], report=shares.append)
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] < 1


def test_a_rollout_too_large_to_be_made_whole_is_refused_and_its_rows_are_not(monkeypatch):
    monkeypatch.setattr(rollout, "MOST_WHOLE", 3 * 4**2)
    layers = scores_layers(0, 5)
    for made in (attention_rollout, with_residual):
        with pytest.raises(ExplorerError, match="up to 4 tokens in 3 layers; this text has 5"):
            made(layers)
    with pytest.raises(ExplorerError, match="Ask for single positions"):
        attention_rollout(random_weights(0))
    assert rollout_from(layers, np.eye(5)[:1]).sum() == pytest.approx(1, abs=1e-6)


def test_flow_beyond_its_length_is_refused_before_any_work(monkeypatch):
    monkeypatch.setattr(flow, "MOST_PIPES", 3 * 4**2)
    with pytest.raises(ExplorerError, match="goes up to 4 tokens in 3 layers; this text has 5"):
        attention_flow(random_weights(0))
    assert attention_flow(random_weights(0, n=4)).shape == (4, 4)


def test_every_method_that_ends_before_the_model_does_says_where():
    limits = {method.key: method.limit for method in METHODS if method.limit}
    assert list(limits) == [
        *("rollout", "flow", "norms", "norms_residual", "norms_layer_norm", "alti")
    ]
    assert limits["flow"] == "Goes as far as layers × tokens² is at most 8,388,608."
    assert limits["alti"].endswith(f"at most {2**37:,}.")
    assert "heads × tokens² is at most 268,435,456" in limits["norms"]


def test_flow_through_layers_is_that_through_their_weights():
    weights = random_weights(5, n=4)
    assert attention_flow(of_weights(weights)) == pytest.approx(attention_flow(weights))


def networkx_flow(weights, query):
    """The authors' way: a graph, and one maximum flow for every input."""
    mixed = with_residual(weights)
    layers, n, _ = mixed.shape
    graph = nx.DiGraph()
    for layer in range(layers):
        for i in range(n):
            for j in range(n):
                graph.add_edge((layer + 1, i), (layer, j), capacity=mixed[layer, i, j])
    flows = np.array([nx.maximum_flow_value(graph, (layers, query), (0, j)) for j in range(n)])
    return flows / flows.sum()


@settings(max_examples=15)
@given(st.integers(0, 999), st.integers(2, 6), st.integers(1, 4))
def test_flow_is_networkxs_exact_maximum_flow(seed, n, layers):
    weights = random_weights(seed, n, layers)
    found = attention_flow(weights)
    for query in range(n):
        # Capacities are whole 2^-22ths: each of n·L pipes of a cut may be off by half of that.
        assert found[query] == pytest.approx(networkx_flow(weights, query), abs=4e-6)


def test_flow_of_three_tokens_worked_by_hand():
    # From token 0 after layer 1: pipes ½ to 0 and ½ to 1. To input 0: ½ through 0 and ¼ through
    # 1; to input 1: ½ through 1 (its own pipe holds ¾); to input 2: none.
    assert attention_flow(by_hand(), queries=[0])[0] == pytest.approx(
        np.array([0.75, 0.5, 0]) / 1.25, abs=4e-6
    )


@settings(max_examples=20)
@given(st.integers(0, 999))
def test_no_flow_exceeds_what_the_first_layers_pipes_to_an_input_hold(seed):
    weights = random_weights(seed)
    mixed = with_residual(weights)
    found = attention_flow(weights)
    bound = np.minimum(1, mixed[0].sum(axis=0))
    # Before the division by the row's sum: some scale makes every row keep below the bound.
    for row in found:
        assert row.sum() == pytest.approx(1)
        scale = (bound[row > 0] / row[row > 0]).min()
        assert scale > 0
    assert attention_flow(weights[:, ::-1]) == pytest.approx(found, abs=1e-12)


def test_flow_after_an_earlier_layer_uses_only_the_layers_below():
    weights = random_weights(3)
    assert attention_flow(weights, layer=1) == pytest.approx(attention_flow(weights[:2]))
    assert attention_flow(weights, layer=0) == pytest.approx(with_residual(weights)[0], abs=4e-6)


def test_flow_can_be_stopped():
    class StoppedError(Exception):
        pass

    def stop(share):
        if share > 0.4:
            raise StoppedError

    with pytest.raises(StoppedError):
        attention_flow(random_weights(0), report=stop)


# — Gradients —


def test_relevance_of_two_tokens_worked_by_hand():
    a = np.array([[[[0.5, 0.5], [0.2, 0.8]]], [[[0.9, 0.1], [0.6, 0.4]]]], dtype=np.float32)
    g = np.array([[[[1, -1], [2, 1]]], [[[-1, 2], [1, 0]]]], dtype=np.float32)
    c0 = np.array([[0.5, 0], [0.4, 0.8]])
    c1 = np.array([[0, 0.2], [0.6, 0]])
    r0 = np.eye(2) + c0
    assert relevance(a, g) == pytest.approx(r0 + c1 @ r0, abs=1e-7)


def test_head_importance_is_the_size_of_the_summed_products():
    a = np.array([[[[0.5, 0.5], [0.2, 0.8]]]], dtype=np.float32)
    g = np.array([[[[1, -1], [2, -1]]]], dtype=np.float32)
    assert head_importance(a, g)[0, 0] == pytest.approx(abs(0.5 - 0.5 + 0.4 - 0.8) / 2, abs=1e-7)


# — Distances and places —


def test_distances_within_are_those_between_a_reading_and_itself():
    weights = random_weights(1)
    both = head_distances(heads_of(weights), heads_of(weights)).reshape(6, 6)
    within = distances_within(heads_of(weights))
    assert within == pytest.approx(both, abs=1e-7)
    assert (within == within.T).all()


def test_heads_are_placed_so_that_a_plane_keeps_what_a_plane_can_keep():
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [3, 3]], dtype=float)
    distance = np.linalg.norm(corners[:, None] - corners, axis=-1)
    places, stress = place_heads(distance)
    found = np.linalg.norm(places[:, None] - places, axis=-1)
    assert stress < 1e-2
    assert found == pytest.approx(distance, abs=0.05)  # the solver stops at a relative 1e-6
    again, _ = place_heads(distance)
    assert (places == again).all()


def test_equal_heads_lie_on_one_point():
    places, stress = place_heads(np.zeros((4, 4)))
    assert (places == 0).all()
    assert stress == 0


# — Agreement and curves —


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=4, max_size=30))
def test_agreement_is_scipys_spearman_with_average_ranks(pairs):
    one, other = np.array(pairs, dtype=float).T
    found = rank_agreement(one, other)
    if one.std() == 0 or other.std() == 0:
        assert found.rho is None
        return
    assert found.rho == pytest.approx(scipy.stats.spearmanr(one, other).statistic, abs=1e-9)
    assert found.low <= found.rho <= found.high
    assert found.n == len(pairs)


def test_the_interval_is_bonett_and_wrights_and_narrows_with_n():
    one = np.arange(10.0)
    other = np.array([0, 2, 1, 3, 5, 4, 6, 8, 7, 9.0])
    found = rank_agreement(one, other)
    reach = 1.959964 * np.sqrt((1 + found.rho**2 / 2) / 7)
    assert found.low == pytest.approx(np.tanh(np.arctanh(found.rho) - reach), abs=1e-6)
    assert rank_agreement(np.arange(3.0), np.arange(3.0)).rho is None  # too few tokens


def test_unrelated_scores_are_said_to_agree_at_about_nought():
    rng = np.random.default_rng(0)
    found = rank_agreement(rng.normal(size=500), rng.normal(size=500))
    assert abs(found.rho) < 0.1
    assert found.low < 0 < found.high


def test_a_curve_takes_the_highest_scored_away_first_and_ends_with_nothing():
    shares, gone, missing = curve_steps([0.1, 0.9, 0.5])
    assert shares == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert gone == [[], [1], [1, 2], [1, 2, 0]]
    assert missing == [[1, 2, 0], [2, 0], [0], []]
    many, gone, _ = curve_steps(list(range(100)))
    assert len(many) == 21
    assert len(gone[1]) == 5


def test_the_area_is_the_mean_height():
    curves = Curves(np.array([0, 0.5, 1]), np.array([1, 0.5, 0]), np.array([0, 1, 1.0]))
    assert curves.deletion_area == pytest.approx(0.5)
    assert curves.insertion_area == pytest.approx(0.75)
