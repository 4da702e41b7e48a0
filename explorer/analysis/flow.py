"""Attention flow: attention as pipes, and the most that can run through them.

Abnar, Zuidema (2020). A graph with one node for each token of each layer; the pipe from a token to
a token of the layer below is as wide as the attention with its residual connection. Exact maximum
flow, not an approximation. It knows weights alone.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from explorer.analysis.rollout import with_residual
from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layers import AttentionLayer, Doubles, Weights

# Capacities become whole numbers for the solver: a row's flows are off by at most n·L·2⁻²³.
_UNIT = 2**22
MOST_PIPES = 2**23  # of a graph, some 0.5 GB: 1,182 tokens of 6 layers


def attention_flow(
    attention: Weights | Sequence[AttentionLayer],
    residual: float = 0.5,
    layer: int = -1,
    queries: Sequence[int] | None = None,
    report: Callable[[float], None] = lambda share: None,
) -> Doubles:
    """The maximum flow from positions after a layer to every input.

    Cost: one maximum flow for each query and input, about 3 ms at 128 tokens and 6 layers.

    Args:
        attention: Layers, or weights ``[layer, head, query, key]``; self-attention.
        residual: Share of the residual connection, 0 to 1.
        layer: After which layer; negative counts from the last.
        queries: The positions to start from; all if left out.
        report: Told how much is done, 0 to 1; may raise to end it.

    Returns:
        ``[query, input]``, one row for each of ``queries``; every row divided by its sum.

    Raises:
        ExplorerError: The graph has more than `MOST_PIPES` pipes.
    """
    n_layers = len(attention)
    n_tokens = attention.shape[-1] if isinstance(attention, np.ndarray) else attention[0].n_keys
    if n_layers * n_tokens**2 > MOST_PIPES:
        raise ExplorerError(
            t(
                "Attention flow goes up to {most} tokens in {n_layers} layers; this text"
                " has {n_tokens}. Shorten the text, or take attention rollout, which "
                "goes farther.",
                most=f"{int((MOST_PIPES / n_layers) ** 0.5):,}",
                n_layers=n_layers,
                n_tokens=f"{n_tokens:,}",
            )
        )
    mixed = with_residual(attention, residual)
    mixed = mixed[: range(len(mixed))[layer] + 1]
    depth, n = mixed.shape[:2]
    graph = _graph(mixed)
    starts = range(n) if queries is None else queries
    found = np.empty((len(starts), n))
    for row, start in enumerate(starts):
        for key in range(n):
            report((row * n + key) / (len(starts) * n))
            found[row, key] = maximum_flow(graph, depth * n + start, key).flow_value
    return found / found.sum(axis=-1, keepdims=True)


def _graph(mixed: Doubles) -> csr_array:
    """Capacities between nodes: token i after layer l is node (l + 1)·n + i, the inputs are 0…n."""
    depth, n = mixed.shape[:2]
    capacity = np.rint(mixed * _UNIT).astype(np.int32).ravel()
    targets = np.tile(np.arange(n), depth * n) + np.repeat(np.arange(depth) * n, n * n)
    pointers = np.concatenate([np.zeros(n), np.arange(depth * n + 1) * n])
    size = (depth + 1) * n
    return csr_array(
        (capacity, targets.astype(np.int32), pointers.astype(np.int32)), shape=(size, size)
    )
