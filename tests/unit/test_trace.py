"""AttentionTrace: what is no attention does not pass the door."""

import dataclasses

import numpy as np
import pytest

import explorer
from explorer.errors import ExplorerError
from explorer.trace import AttentionTrace, Token


def replaced(trace, **changes):
    return dataclasses.replace(trace, **changes)


def test_weights_are_read_only_and_the_trace_frozen(make_trace):
    trace = make_trace()
    with pytest.raises(ValueError, match="read-only"):
        trace.weights[0, 0, 0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        trace.n_cut = (1,)


def test_the_caller_keeps_the_right_to_write_into_its_own_array(make_trace):
    mine = np.array(make_trace().weights)
    replaced(make_trace(), layers=mine)
    mine[0] = 0


def test_a_wrong_shape_is_answered_with_the_shape_found_and_the_shape_wanted(make_trace):
    with pytest.raises(ExplorerError, match=r"\[2, 3, 5, 4\].*must be \[2, 3, 5, 5\]"):
        replaced(make_trace(), layers=make_trace().weights[..., :4])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda w: np.where(w == w.max(), np.nan, w), "not numbers"),
        (lambda w: np.where(w == w.max(), np.inf, w), "not numbers"),
        (lambda w: w * 2, "must sum to 1"),
        (lambda w: w - 2 * w.max() * np.eye(5, dtype="f4") + 2 * w.max() / 5, "negative"),
    ],
)
def test_rows_that_are_no_distributions_are_refused(make_trace, spoil, words):
    with pytest.raises(ExplorerError, match=words):
        replaced(make_trace(), layers=spoil(make_trace().weights))


def test_a_row_that_a_mask_left_empty_is_allowed(make_trace):
    weights = np.array(make_trace().weights)
    weights[0, 0, 0] = 0
    assert replaced(make_trace(), layers=weights).weights[0, 0, 0].sum() == 0


def test_queries_and_keys_may_differ(make_trace):
    trace = make_trace()
    keys = (*trace.key_tokens, Token("more", None, None, 1, special=True))
    weights = np.full((2, 3, 5, 6), 1 / 6, dtype=np.float32)
    assert replaced(trace, key_tokens=keys, layers=weights).weights.shape == (2, 3, 5, 6)


def test_the_cut_is_where_the_last_kept_token_ends(make_trace):
    assert make_trace().cut_at(0) is None
    assert replaced(make_trace(), n_cut=(7,)).cut_at(0) == 9


def test_a_cut_at_the_left_is_where_the_first_kept_token_begins(make_trace):
    trace = make_trace()
    model = dataclasses.replace(trace.model, truncation_side="left")
    kept = trace.query_tokens[2:]
    weights = np.full((2, 3, 3, 3), 1 / 3, dtype=np.float32)
    cut = {"model": model, "query_tokens": kept, "key_tokens": kept, "n_cut": (2,)}
    assert replaced(trace, **cut, layers=weights).cut_at(0) == 4


def test_every_token_is_counted_once_on_one_side_and_on_two(make_trace):
    trace = make_trace()
    assert trace.tokens == trace.query_tokens
    other = tuple(Token("x", (i, i + 1), i, 1, False) for i, _ in enumerate(trace.query_tokens))
    crossed = replaced(trace, query_tokens=other, texts=("a", "b"), n_cut=(0, 7))
    assert crossed.tokens == (*trace.key_tokens, *other)
    assert crossed.cut_at(1) == len(other)


def test_the_class_is_found_under_both_of_its_names():
    assert explorer.AttentionTrace is explorer.trace.AttentionTrace is AttentionTrace


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda t: t.rows(7, 0), "no attention in layer 7.*0, 1"),
        (lambda t: t.rows(0, 9), "no head 9: a layer has 0 to 2"),
        (lambda t: t.rows(0, 0, [5]), "no query 5: there are the positions 0 to 4"),
        (lambda t: t.rows(0, 0, [0.5]), "list of whole numbers"),
        (lambda t: t.rows(0, 0, 3), "list of whole numbers"),
        (lambda t: t.tile(0, 0, [0], [-6]), "no key -6"),
        (lambda t: t.pooled(0, 0, [[0], [8]], [[0]]), "no query 8"),
        (lambda t: t.pooled(0, 0, [[]], [[0]]), "empty"),
        (lambda t: t.entropy(-1, 0), "no attention in layer -1"),
    ],
)
def test_what_a_trace_does_not_have_is_named(make_trace, ask, words):
    with pytest.raises(ExplorerError, match=words):
        ask(make_trace())
