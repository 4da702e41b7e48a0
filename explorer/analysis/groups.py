"""Attention between groups of words: one number, or one row of numbers, for every head.

Pieces of a word: as keys they add, as queries they are averaged, so that rows keep their sum
(Clark, Khandelwal, Levy, Manning 2019). A group of words goes the same way: the sum over its keys,
the mean over its queries.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from explorer.trace import Token, Weights

Words = Sequence[Sequence[int]]
"""Words, each as the positions of its pieces."""


def word_of(tokens: Sequence[Token], position: int) -> list[int]:
    """The positions of the word that a token is a piece of; of a token without a word its own."""
    word = tokens[position].word
    if word is None:
        return [position]
    return [i for i, token in enumerate(tokens) if token.word == word]


def attention_between(
    weights: Weights,
    queries: Words,
    keys: Words,
    *,
    mean: bool,
    together: bool,
    kept: npt.NDArray[np.bool_] | None = None,
) -> Weights:
    """How much some words look at some others, in every head.

    Args:
        weights: ``[layer, head, query, key]``.
        queries: The words that look.
        keys: The words that are looked at.
        mean: Whether the queries become one number, their mean.
        together: Whether the keys become one number, their sum.
        kept: ``[key]``; if given, each query word's row is first divided by what it gives to
            these positions.

    Returns:
        float32 ``[layer, head, query word, key word]``, without the axes that ``mean`` and
        ``together`` took.
    """
    # One head at a time: in float64 a whole layer would take eight bytes for each of its weights.
    per_layer = [
        np.stack([_of_head(head, queries, keys, mean, together, kept) for head in layer])
        for layer in weights
    ]
    return np.stack(per_layer)


def _of_head(
    head: Weights,
    queries: Words,
    keys: Words,
    mean: bool,
    together: bool,
    kept: npt.NDArray[np.bool_] | None,
) -> Weights:
    rows = _sums(head, queries, axis=0) / np.array([len(w) for w in queries])[:, None]
    if kept is not None:
        left = rows[..., kept].sum(axis=-1, keepdims=True)
        rows = np.divide(rows, left, out=np.zeros_like(rows), where=left > 0)
    cells = _sums(rows, keys, axis=1)
    if together:
        cells = cells.sum(axis=-1)
    return np.asarray(cells.mean(axis=0) if mean else cells, dtype=np.float32)


def _sums(array: npt.NDArray[np.floating], words: Words, axis: int) -> npt.NDArray[np.float64]:
    """The sums over each word's positions along an axis."""
    flat = [position for word in words for position in word]
    starts = np.cumsum([0, *(len(word) for word in words[:-1])])
    taken = array.take(flat, axis=axis).astype(np.float64)
    return taken if len(flat) == len(words) else np.add.reduceat(taken, starts, axis=axis)
