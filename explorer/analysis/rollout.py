"""Attention rollout: attention followed through the layers (Abnar, Zuidema 2020).

It knows weights alone: no values, no feed-forward network, no LayerNorm; heads are averaged.
"""

from collections.abc import Callable, Sequence

import numpy as np

from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layers import AttentionLayer, Doubles, Weights, slices

MOST_WHOLE = 2**28  # numbers of a rollout that is made whole, 2 GiB: 6,688 tokens of 6 layers

Report = Callable[[float], None]


def attention_rollout(
    attention: Weights | Sequence[AttentionLayer], residual: float = 0.5
) -> Doubles:
    """How much of each input reaches each position, after every layer.

    R_0 = W_0 and R_l = W_l R_{l−1}, with W_l from `with_residual`. Cost: layer × token³; memory:
    layer × token². `rollout_from` gives single rows with memory that grows with the length alone.

    Args:
        attention: Layers, or weights ``[layer, head, query, key]``; self-attention.
        residual: Share of the residual connection, 0 to 1.

    Returns:
        ``[layer, query, input]``; rows sum to 1.

    Raises:
        ExplorerError: It is larger than `MOST_WHOLE`.
    """
    found = with_residual(attention, residual)
    for layer in range(1, len(found)):
        found[layer] = found[layer] @ found[layer - 1]
    return found


def rollout_from(
    layers: Sequence[AttentionLayer],
    start: Doubles,
    residual: float = 0.5,
    report: Report = lambda share: None,
) -> Doubles:
    """How much of each input reaches some positions after the last layer: rows of the rollout.

    A row vector goes down through the layers, one block of their rows at a time. The mean over all
    positions is one row: that which starts with 1 / n everywhere. Cost: every weight once, and
    layer × row × token².

    Args:
        layers: The layers; self-attention.
        start: What is followed, shares of positions, ``[row, position]``; a row of the identity
            for one position.
        residual: Share of the residual connection, 0 to 1.
        report: Told how much is done, 0 to 1; may raise to end it.

    Returns:
        ``[row, input]``; every row sums to what its start does.
    """
    found = np.asarray(start, dtype=np.float64)
    for done, layer in enumerate(reversed(layers)):
        below = np.zeros_like(found)
        for some in slices(layer.n_queries, layer.n_keys):
            report((done + some.start / layer.n_queries) / len(layers))
            mean = np.zeros((len(range(*some.indices(layer.n_queries))), layer.n_keys))
            for head in range(layer.n_heads):
                mean += layer.rows(head, some)
            below += found[:, some] @ _mixed(mean / layer.n_heads, some.start, residual)
        found = below
    return found


def with_residual(attention: Weights | Sequence[AttentionLayer], residual: float = 0.5) -> Doubles:
    """Each layer's mean attention with its residual connection: (1 − r)·a + r·I, rows made 1.

    A query that may look nowhere keeps only its own residual.

    Args:
        attention: Layers, or weights ``[layer, head, query, key]``.
        residual: r, 0 to 1.

    Returns:
        ``[layer, query, key]``.

    Raises:
        ExplorerError: It is larger than `MOST_WHOLE`.
    """
    if isinstance(attention, np.ndarray):
        check_whole(len(attention), attention.shape[-1])
        return np.stack([_mixed(a.mean(axis=0, dtype=np.float64), 0, residual) for a in attention])
    check_whole(len(attention), attention[0].n_keys)
    found = np.zeros((len(attention), attention[0].n_queries, attention[0].n_keys))
    for mean, layer in zip(found, attention, strict=True):
        for head in range(layer.n_heads):
            for some, rows in layer.blocks(head):
                mean[some] += rows
        mean[:] = _mixed(mean / layer.n_heads, 0, residual)
    return found


def check_whole(layers: int, tokens: int) -> None:
    """Refuse a rollout that is too large to be made whole.

    Raises:
        ExplorerError: It is.
    """
    if layers * tokens**2 > MOST_WHOLE:
        raise ExplorerError(
            t(
                "The rollout of all positions goes up to {most} tokens in {layers} "
                "layers; this text has {tokens}. Ask for single positions, or shorten "
                "the text.",
                most=f"{int((MOST_WHOLE / layers) ** 0.5):,}",
                layers=layers,
                tokens=f"{tokens:,}",
            )
        )


def _mixed(mean: Doubles, first: int, residual: float) -> Doubles:
    """Some rows of a layer's mean attention with their residual connection, each made 1.

    Args:
        mean: ``[some, key]``.
        first: The query of the first row.
        residual: Share of the residual connection.
    """
    if not 0 <= residual <= 1:
        raise ValueError(f"residual is {residual}; it is a share, from 0 to 1.")
    rows = np.arange(len(mean))
    mixed = (1 - residual) * mean
    mixed[rows, first + rows] += residual
    sums = mixed.sum(axis=-1, keepdims=True)
    mixed = np.divide(mixed, sums, out=np.zeros_like(mixed), where=sums > 0)
    empty = rows[sums[:, 0] == 0]
    mixed[empty, first + empty] = 1.0
    return mixed
