"""Attention rollout: attention followed through the layers (Abnar, Zuidema 2020).

It knows weights alone: no values, no feed-forward network, no LayerNorm; heads are averaged.
"""

import numpy as np

from explorer.analysis.profiles import Doubles
from explorer.trace import Weights


def attention_rollout(weights: Weights, residual: float = 0.5) -> Doubles:
    """How much of each input reaches each position, after every layer.

    R_0 = W_0 and R_l = W_l R_{l−1}, with W_l from `with_residual`. Cost: layer × token³.

    Args:
        weights: ``[layer, head, query, key]``, self-attention; rows sum to 1.
        residual: Share of the residual connection, 0 to 1.

    Returns:
        ``[layer, query, input]``; rows sum to 1.
    """
    mixed = with_residual(weights, residual)
    found = mixed.copy()
    for layer in range(1, len(mixed)):
        found[layer] = mixed[layer] @ found[layer - 1]
    return found


def with_residual(weights: Weights, residual: float = 0.5) -> Doubles:
    """Each layer's mean attention with its residual connection: (1 − r)·a + r·I, rows made 1.

    A query that may look nowhere keeps only its own residual.

    Args:
        weights: ``[layer, head, query, key]``.
        residual: r, 0 to 1.

    Returns:
        ``[layer, query, key]``.
    """
    if not 0 <= residual <= 1:
        raise ValueError(f"residual is {residual}; it is a share, from 0 to 1.")
    mean = weights.mean(axis=1, dtype=np.float64)
    mixed = (1 - residual) * mean + residual * np.eye(mean.shape[-1])
    sums = mixed.sum(axis=-1, keepdims=True)
    empty = sums[..., 0] == 0
    mixed = np.divide(mixed, sums, out=np.zeros_like(mixed), where=sums > 0)
    layers, rows = np.nonzero(empty)
    mixed[layers, rows, rows] = 1.0
    return mixed
