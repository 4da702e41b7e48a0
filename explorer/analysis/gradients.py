"""What a target's gradient says of attention: relevance of tokens, importance of heads."""

import numpy as np

from explorer.analysis.profiles import Doubles
from explorer.trace import Weights


def relevance(weights: Weights, gradients: Weights) -> Doubles:
    """Gradient × attention relevance (Chefer, Gur, Wolf, ICCV 2021), for self-attention.

    C_l = mean over heads of (∂F/∂A_l · A_l)⁺; R begins as the identity and becomes R + C_l R
    layer by layer. For a pooled target read the mean over rows, for one position its row.

    Args:
        weights: ``[layer, head, query, key]``.
        gradients: ∂F/∂A, of the same shape.

    Returns:
        R, ``[query, input]``.
    """
    found = np.eye(weights.shape[-1])
    for a, gradient in zip(weights, gradients, strict=True):
        product = a.astype(np.float64) * gradient
        found = found + np.maximum(product, 0).mean(axis=0) @ found
    return found


def head_importance(weights: Weights, gradients: Weights) -> Doubles:
    """|Σ_ij A ∂F/∂A| / n: how much the target would move with the head (Michel et al. 2019).

    Args:
        weights: ``[layer, head, query, key]``.
        gradients: ∂F/∂A, of the same shape.

    Returns:
        ``[layer, head]``.
    """
    products = np.einsum("lhij,lhij->lh", weights, gradients, dtype=np.float64)
    return np.abs(products) / weights.shape[-2]
