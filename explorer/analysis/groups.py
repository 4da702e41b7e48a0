"""Attention between groups of words: one number, or one row of numbers, for every head.

Pieces of a word: as keys they add, as queries they are averaged, so that rows keep their sum
(Clark, Khandelwal, Levy, Manning 2019). A group of words goes the same way: the sum over its keys,
the mean over its queries.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from explorer.layers import AttentionLayer, Doubles, of_weights
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
    attention: Weights | Sequence[AttentionLayer],
    queries: Words,
    keys: Words,
    *,
    mean: bool,
    together: bool,
    kept: npt.NDArray[np.bool_] | None = None,
) -> Weights:
    """How much some words look at some others, in every head.

    Args:
        attention: Layers, or weights ``[layer, head, query, key]``.
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
    layers = of_weights(attention) if isinstance(attention, np.ndarray) else attention
    left = [np.flatnonzero(kept).tolist()] if kept is not None and kept.any() else []

    def of_head(layer: AttentionLayer, head: int) -> Doubles:
        cells = layer.pooled(head, queries, [*keys, *left])
        if kept is not None:
            whole = cells[:, -1:] if left else np.zeros((len(cells), 1))
            cells = cells[:, : len(keys)]
            cells = np.divide(cells, whole, out=np.zeros_like(cells), where=whole > 0)
        if together:
            cells = cells.sum(axis=-1)
        return np.asarray(cells.mean(axis=0) if mean else cells)

    return np.array(
        [[of_head(layer, head) for head in range(layer.n_heads)] for layer in layers],
        dtype=np.float32,
    )
