"""ALTI: how near each token's part comes to the attention block's output (Ferrando et al. 2022).

Ferrando, Gállego, Costa-jussà: "Measuring the Mixing of Contextual Information in the Transformer".
Where a norm stands before the attention it is in what is moved, as in Ferrando, Gállego, Tsiamas,
Costa-jussà: "Explaining How Transformers Use Context to Build Predictions" (2023). It describes
vectors, not predictions, and leaves the feed-forward network out.
"""

from collections.abc import Callable

import numpy as np

from explorer.activations import Activations
from explorer.analysis.norms import parts_of
from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layers import Doubles

MOST_PRODUCTS = 2**37  # products of numbers, a minute or two: 2,229 tokens of MiniLM, 1,114 of BERT


def alti(activations: Activations, report: Callable[[float], None] = lambda share: None) -> Doubles:
    """The share that each input position has in each position's vector after attention.

    c_ij = max(0, ‖y_i‖₁ − ‖y_i − T(x_j)_i‖₁), rows divided by their sum; T(x_j)_i is what i gets
    of j after residual connection and norms, y_i the block's output. A row without any
    positive part is its own. Cost: layer × query × key × d_model × head.

    Args:
        activations: From the source.
        report: Told how much is done, 0 to 1; may raise to end it.

    Returns:
        ``[layer, query, key]``; rows sum to 1.

    Raises:
        ExplorerError: It would take more than `MOST_PRODUCTS`.
    """
    model, n = activations.model, len(activations.tokens)
    layers = model.n_layers
    each = layers * model.n_heads * model.d_model
    if each * n**2 > MOST_PRODUCTS:
        raise ExplorerError(
            t(
                "ALTI goes up to {most} tokens in a model of this size; this text has "
                "{n}. Shorten the text, or take attention rollout, which goes farther.",
                most=f"{int((MOST_PRODUCTS / each) ** 0.5):,}",
                n=f"{n:,}",
            )
        )
    found = []
    for layer in range(layers):

        def so_far(share: float, at: int = layer) -> None:
            report((at + share) / layers)

        found.append(_contributions(activations, layer, so_far))
    return np.stack(found)


def alti_rollout(contributions: Doubles) -> Doubles:
    """The contributions followed through the layers: c_l ⋯ c_0, with no further identity.

    Args:
        contributions: From `alti`.

    Returns:
        ``[layer, query, input]``.
    """
    found = contributions.copy()
    for layer in range(1, len(found)):
        found[layer] = contributions[layer] @ found[layer - 1]
    return found


def _contributions(
    activations: Activations, layer: int, report: Callable[[float], None]
) -> Doubles:
    parts = parts_of(activations, layer)
    own = parts.own / parts.by_own[:, None]
    weights = activations.weights[layer].astype(np.float64)
    outputs = activations.outputs[layer].astype(np.float64)
    lengths = np.abs(outputs).sum(axis=-1)
    found = np.zeros((len(outputs), len(outputs)))
    for j in range(len(outputs)):  # one key at a time: all at once would be [n, n, d_model]
        report(j / len(outputs))
        looks = weights[:, :, j].any(axis=0)
        looks[j] = True
        given = weights[:, looks, j].T @ parts.moved[:, j] / parts.by_moved[looks, None]
        given[looks[:j].sum()] += own[j]
        left = np.abs(outputs[looks] - given).sum(axis=-1)
        found[looks, j] = np.maximum(0, lengths[looks] - left)
    sums = found.sum(axis=-1, keepdims=True)
    empty = np.flatnonzero(sums[:, 0] == 0)
    found[empty, empty] = sums[empty, 0] = 1.0
    return found / sums
