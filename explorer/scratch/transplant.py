"""A BERT layer's own attention weights, moved into the from-scratch layer.

Given the same hidden states the two must give the same attention: one formula, two programs.
"""

import torch
from torch import nn

from explorer.scratch.attention import SelfAttention


def transplant(
    query: nn.Linear, key: nn.Linear, value: nn.Linear, output: nn.Linear, n_heads: int
) -> SelfAttention:
    """A `SelfAttention` with the four linear maps of another program's attention.

    Args:
        query: The map to queries, from ``d_model`` to ``d_model`` with a bias; so are the others.
        key: The map to keys.
        value: The map to values.
        output: The map of what the heads bring together.
        n_heads: Heads that they are divided into.

    Returns:
        The from-scratch layer, in evaluation mode and in the maps' own precision. The weights are
        copies: training one does not touch the other.
    """
    ours = SelfAttention(query.in_features, n_heads)
    ours = ours.to(device=query.weight.device, dtype=query.weight.dtype)
    with torch.no_grad():
        pairs = ((ours.W_Q, query), (ours.W_K, key), (ours.W_V, value), (ours.o, output))
        for mine, theirs in pairs:
            mine.weight.copy_(theirs.weight)
            mine.bias.copy_(theirs.bias)
    return ours.eval()
