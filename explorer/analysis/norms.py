"""Norm-weighted attention: the length of what is moved, not only the share (Kobayashi et al.).

Kobayashi, Kuribayashi, Yokoi, Inui: "Attention is Not Only a Weight" (2020), and with residual
connection and LayerNorm "Incorporating Residual and Normalization Layers…" (2021). What position i
gets from j is T_ij = Σ_h A[h, i, j] f_h(x_j); the output bias is left out.
"""

import numpy as np

from explorer.activations import Activations
from explorer.layers import Doubles


def head_norms(activations: Activations) -> Doubles:
    """Per head, A·‖f_h(x_j)‖ (2020).

    Returns:
        ``[layer, head, query, key]``.
    """
    lengths = np.stack(
        [np.linalg.norm(moved_by(activations, i), axis=-1) for i in _layers(activations)]
    )
    return activations.weights * lengths[:, :, None, :]


def attention_norms(
    activations: Activations, *, residual: bool = False, layer_norm: bool = False
) -> Doubles:
    """The length of what each position gets from each: Attn-N, AttnRes-N or AttnResLn-N.

    No ``[query, key, d_model]`` is formed: ‖Σ_h A_h f_h(x_j)‖² = aᵀ G_j a with the products
    G_j = f(x_j) f(x_j)ᵀ, ``[head, head]``. Cost: layer × key × head² × (query + d_model).

    Args:
        activations: From the source.
        residual: Whether x_i is added to what position i gets from itself (2021).
        layer_norm: Whether each part then goes through the LayerNorm, as far as it is linear:
            γ·(v − mean v) / s_i with the true deviation s_i of the sum at i (2021).

    Returns:
        ``[layer, query, key]``.
    """
    return np.stack([_norms(activations, i, residual, layer_norm) for i in _layers(activations)])


def mixing_ratio(
    activations: Activations, *, residual: bool = True, layer_norm: bool = True
) -> Doubles:
    """How much of each position's vector comes from the others (2021): 0 nothing, 1 all of it.

    ‖Σ_{j≠i} v_ij‖ / (‖Σ_{j≠i} v_ij‖ + ‖v_ii‖).

    Returns:
        ``[layer, token]``.
    """
    found = []
    for layer in _layers(activations):
        moved, own = _parts(activations, layer, residual, layer_norm)
        weights = activations.weights[layer].astype(np.float64)
        total = np.einsum("hij,hjd->id", weights, moved)
        diagonal = np.einsum("hii,hid->id", weights, moved)
        others = np.linalg.norm(total - diagonal, axis=-1)
        kept = np.linalg.norm(diagonal + own, axis=-1)
        whole = others + kept
        found.append(np.divide(others, whole, out=np.zeros_like(others), where=whole > 0))
    return np.stack(found)


def moved_by(activations: Activations, layer: int) -> Doubles:
    """f_h(x_j): each head's value of each token through its slice of the output map.

    Returns:
        ``[head, token, d_model]``.
    """
    values = activations.values[layer].astype(np.float64)
    heads, _, width = values.shape
    maps = activations.w_o[layer].astype(np.float64).T.reshape(heads, width, -1)
    return values @ maps


def _norms(activations: Activations, layer: int, residual: bool, layer_norm: bool) -> Doubles:
    moved, own = _parts(activations, layer, residual, layer_norm)
    weights = activations.weights[layer].astype(np.float64)
    products = np.einsum("hjd,gjd->jhg", moved, moved, optimize=True)
    by_key = weights.transpose(2, 1, 0)  # [key, query, head]
    squares = ((by_key @ products) * by_key).sum(axis=-1).T
    found = np.sqrt(np.maximum(squares, 0))
    diagonal = np.einsum("hii,hid->id", weights, moved) + own
    np.fill_diagonal(found, np.linalg.norm(diagonal, axis=-1))
    if layer_norm:
        found /= activations.deviations(layer)[:, None]
    return found


def _parts(
    activations: Activations, layer: int, residual: bool, layer_norm: bool
) -> tuple[Doubles, Doubles]:
    """What each head moves of each token, and what each keeps, through the LayerNorm's scale."""
    moved = moved_by(activations, layer)
    own = activations.inputs[layer].astype(np.float64) * residual
    if layer_norm:
        moved, own = (scaled(activations, layer, v) for v in (moved, own))
    return moved, own


def scaled(activations: Activations, layer: int, vectors: Doubles) -> Doubles:
    """γ·(v − mean v): the LayerNorm without its division, which differs from position to position.

    Args:
        activations: From the source.
        layer: The layer.
        vectors: ``[..., d_model]``.
    """
    gain: Doubles = activations.gain[layer].astype(np.float64)
    return gain * (vectors - vectors.mean(axis=-1, keepdims=True))


def _layers(activations: Activations) -> range:
    return range(activations.model.n_layers)
