"""Attention between groups of words, against cases worked by hand and a plain loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.analysis.groups import attention_between

# [CLS] love ##lace it; the same case as in the browser's test.
W = np.array(
    [[0.4, 0.3, 0.2, 0.1], [0.5, 0.1, 0.2, 0.2], [0.7, 0.1, 0.1, 0.1], [0.2, 0.3, 0.4, 0.1]],
    dtype=np.float32,
)[None, None]
LOVELACE, IT = (1, 2), (3,)


@pytest.mark.parametrize(
    ("queries", "keys", "mean", "together", "want"),
    [
        ([LOVELACE], [LOVELACE], True, True, 0.25),
        ([LOVELACE, IT], [IT], True, True, 0.125),
        ([LOVELACE], [(0,), LOVELACE, IT], True, False, [0.6, 0.25, 0.15]),
        ([(0,), LOVELACE, IT], [LOVELACE], False, True, [0.5, 0.25, 0.7]),
        ([LOVELACE, IT], [LOVELACE, IT], False, False, [[0.25, 0.15], [0.7, 0.1]]),
    ],
)
def test_keys_add_and_queries_average(queries, keys, mean, together, want):
    got = attention_between(W, queries, keys, mean=mean, together=together)
    # float32's own rounding of the weights.
    assert np.abs(got[0, 0] - np.array(want)).max() <= 1e-7


def test_rescaled_rows_are_divided_by_what_they_give_to_the_kept_keys():
    kept = np.array([False, True, True, True])
    got = attention_between(W, [LOVELACE, IT], [IT], mean=True, together=True, kept=kept)
    assert got[0, 0] == pytest.approx((0.15 / 0.4 + 0.1 / 0.8) / 2, abs=1e-7)


def test_a_row_that_gives_nothing_to_the_kept_keys_stays_zero():
    drained = np.array([[1, 0], [1, 0]], dtype=np.float32)[None, None]
    kept = np.array([False, True])
    got = attention_between(drained, [(0,), (1,)], [(1,)], mean=True, together=True, kept=kept)
    assert got.tolist() == [[0.0]]


words = st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True).map(tuple)


@given(st.integers(0, 9), st.lists(words, min_size=1, max_size=4), st.lists(words, min_size=1))
def test_any_group_in_any_head_is_the_mean_of_sums(seed, queries, keys):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(6), size=(2, 3, 6)).astype(np.float32)
    before = weights.copy()
    got = attention_between(weights, queries, keys, mean=True, together=True)
    double = weights.astype(np.float64)
    rows = np.mean([double[:, :, list(q)].mean(axis=2) for q in queries], axis=0)
    want = sum(rows[..., list(k)].sum(axis=-1) for k in keys)
    assert got.shape == (2, 3)
    # The result is float32, rounded by 6e-8 of its size; overlapping keys add up to more than 1.
    assert np.abs(got - want).max() <= 1e-7 * max(1, want.max())
    assert np.array_equal(weights, before)


def test_all_keys_together_get_everything(make_trace):
    weights = make_trace(2, 3, 5).weights
    everything = [(i,) for i in range(5)]
    got = attention_between(weights, everything, everything, mean=False, together=True)
    assert got.shape == (2, 3, 5)
    assert np.abs(got - 1).max() <= 1e-6
