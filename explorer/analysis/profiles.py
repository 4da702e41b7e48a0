"""What heads do on a text, in a few numbers (Clark, Khandelwal, Levy, Manning 2019)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from explorer.trace import Token, Weights

Doubles = npt.NDArray[np.float64]


def entropy(weights: Weights) -> Doubles:
    """Entropy of a row, in bits, the mean over the rows: 0 for one key, log2 n for all alike.

    Args:
        weights: ``[layer, head, query, key]``.

    Returns:
        ``[layer, head]``.
    """
    logs = np.log2(weights, out=np.zeros_like(weights), where=weights > 0)
    return -(weights * logs).sum(axis=-1, dtype=np.float64).mean(axis=-1)


def habits(weights: Weights, tokens: Sequence[Token]) -> dict[str, Doubles]:
    """Shares of a head's attention that go to simple places, averaged over all queries.

    Args:
        weights: ``[layer, head, query, key]``, self-attention.
        tokens: The tokens, one per query and key.

    Returns:
        By name, ``[layer, head]``: ``the token before``, ``the token after``, ``itself``, and each
        special token of the text by its own text.
    """
    n = weights.shape[-1]
    diagonals = {
        name: np.diagonal(weights, offset, -2, -1).sum(axis=-1, dtype=np.float64) / n
        for name, offset in (("the token before", -1), ("the token after", 1), ("itself", 0))
    }
    marks = dict.fromkeys(t.text for t in tokens if t.special)
    columns = {
        mark: [i for i, t in enumerate(tokens) if t.special and t.text == mark] for mark in marks
    }
    return diagonals | {
        mark: weights[..., places].sum(axis=-1, dtype=np.float64).mean(axis=-1)
        for mark, places in columns.items()
    }
