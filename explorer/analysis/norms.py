"""Norm-weighted attention: the length of what is moved, not only the share (Kobayashi et al.).

Kobayashi, Kuribayashi, Yokoi, Inui: "Attention is Not Only a Weight" (2020), and with residual
connection and LayerNorm "Incorporating Residual and Normalization Layers…" (2021). What position i
gets from j is T_ij = Σ_h A[h, i, j] f_h(x_j); the output bias is left out.

The papers are of models with the LayerNorm behind the residual connection. Where a norm stands
before the attention (GPT-2, Llama), f_h(x_j) = (norm(x_j) W_V + b_V) W_O is made of what it gives
out, and nothing is left to go through behind the residual connection.
"""

from dataclasses import dataclass

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
    """The length of what each position gets from each in every layer, ``[layer, query, key]``."""
    return np.stack(
        [
            layer_norms(activations, i, residual=residual, layer_norm=layer_norm)
            for i in _layers(activations)
        ]
    )


def layer_norms(
    activations: Activations, layer: int, *, residual: bool = False, layer_norm: bool = False
) -> Doubles:
    """The length of what each position gets from each: Attn-N, AttnRes-N or AttnResLn-N.

    No ``[query, key, d_model]`` is formed: ‖Σ_h A_h f_h(x_j)‖² = aᵀ G_j a with the products
    G_j = f(x_j) f(x_j)ᵀ, ``[head, head]``. Cost: key × head² × (query + d_model).

    Args:
        activations: From the source.
        layer: The layer; negative counts from the last.
        residual: Whether x_i is added to what position i gets from itself (2021).
        layer_norm: Whether each part then goes through the norm behind the sum, as far as it is
            linear: γ·(v − mean v) / s_i with the true deviation s_i of the sum at i (2021).

    Returns:
        ``[query, key]``.
    """
    parts = parts_of(activations, layer, residual=residual, layer_norm=layer_norm)
    weights = activations.weights[layer].astype(np.float64)
    products = np.einsum("hjd,gjd->jhg", parts.moved, parts.moved, optimize=True)
    by_key = weights.transpose(2, 1, 0)  # [key, query, head]
    squares = ((by_key @ products) * by_key).sum(axis=-1).T
    found: Doubles = np.sqrt(np.maximum(squares, 0)) / parts.by_moved[:, None]
    np.fill_diagonal(found, np.linalg.norm(parts.diagonal(weights), axis=-1))
    return found


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
        parts = parts_of(activations, layer, residual=residual, layer_norm=layer_norm)
        weights = activations.weights[layer].astype(np.float64)
        total = np.einsum("hij,hjd->id", weights, parts.moved)
        diagonal = np.einsum("hii,hid->id", weights, parts.moved)
        others = np.linalg.norm((total - diagonal) / parts.by_moved[:, None], axis=-1)
        whole = others + np.linalg.norm(parts.diagonal(weights), axis=-1)
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


@dataclass(frozen=True, eq=False)
class Parts:
    """What each head moves of each token, and what each position keeps, through a layer's norms.

    Position i gets of j Σ_h A[h, i, j] moved[h, j] / by_moved[i], and of itself own[i] / by_own[i]
    as well: what norms divide by differs from position to position.

    Attributes:
        moved: ``[head, token, d_model]``.
        own: ``[token, d_model]``.
        by_moved: ``[token]``.
        by_own: ``[token]``.
    """

    moved: Doubles
    own: Doubles
    by_moved: Doubles
    by_own: Doubles

    def diagonal(self, weights: Doubles) -> Doubles:
        """What each position gets of itself, ``[token, d_model]``."""
        found: Doubles = np.einsum("hii,hid->id", weights, self.moved) / self.by_moved[:, None]
        return found + self.own / self.by_own[:, None]


def parts_of(
    activations: Activations, layer: int, *, residual: bool = True, layer_norm: bool = True
) -> Parts:
    """What is moved and what is kept in a layer, with its residual connection and its norms."""
    moved = moved_by(activations, layer)
    own = activations.inputs[layer].astype(np.float64) * residual
    by_moved = by_own = np.ones(len(own))
    added, joined = activations.added[layer], activations.joined[layer]
    if residual and added is not None:
        moved, by_moved = added.undivided(moved), added.scale
    if layer_norm and joined is not None:
        moved, own = joined.undivided(moved), joined.undivided(own)
        by_moved, by_own = by_moved * joined.scale, joined.scale
    return Parts(moved, own, by_moved, by_own)


def _layers(activations: Activations) -> range:
    return range(activations.model.n_layers)
