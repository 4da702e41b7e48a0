"""How far two heads are apart: the Jensen–Shannon divergence of what their rows give.

Lin: Divergence Measures Based on the Shannon Entropy (1991); for attention heads Clark, Khandelwal,
Levy, Manning (2019), who sum over rows, in nats. Here it is the mean over rows, in bits: 0 for
equal heads, 1 for heads that never look at the same place.
"""

from collections.abc import Callable

import numpy as np

from explorer.analysis.profiles import Doubles, row_entropy
from explorer.trace import Weights

Report = Callable[[float], None]


def head_distances(a: Weights, b: Weights, report: Report = lambda share: None) -> Doubles:
    """The divergence of every head of one reading from every head of another.

    Cost: heads of a × heads of b × query × key.

    Args:
        a: ``[layer, head, query, key]``; rows need not sum to 1, they are divided by their sum.
        b: The same, with the same queries and keys.
        report: Told how much is done, 0 to 1; may raise to end it.

    Returns:
        ``[layer of a, head of a, layer of b, head of b]``, 0 to 1 bit. Rows in which one of the
        two gives nothing at all are left out; NaN if there is no other.
    """
    one, other = _heads(a), _heads(b)
    found = np.empty((len(one), len(other)))
    own = [row_entropy(head) for head in other]
    for i, head in enumerate(one):
        bits = row_entropy(head)
        for j, second in enumerate(other):
            report((i + j / len(other)) / len(one))
            found[i, j] = _divergence(head, second, bits, own[j])
    return found.reshape(*a.shape[:2], *b.shape[:2])


def distances_within(weights: Weights, report: Report = lambda share: None) -> Doubles:
    """The divergence of every head of one reading from every other: half the work of two readings.

    Args:
        weights: ``[layer, head, query, key]``.
        report: Told how much is done, 0 to 1; may raise to end it.

    Returns:
        ``[head, head]``, heads counted through all layers; symmetric, 0 on the diagonal.
    """
    heads = _heads(weights)
    bits = [row_entropy(head) for head in heads]
    found = np.zeros((len(heads), len(heads)))
    for i, head in enumerate(heads):
        for j in range(i):
            report(1 - (1 - i / len(heads)) ** 2)
            found[i, j] = found[j, i] = _divergence(head, heads[j], bits[i], bits[j])
    return found


def _heads(weights: Weights) -> Weights:
    """All heads in one row, ``[head, query, key]``, every row divided by its sum."""
    sums = weights.sum(axis=-1, keepdims=True)
    scaled: Weights = np.divide(weights, sums, out=np.zeros_like(weights), where=sums > 0)
    return scaled.reshape(-1, *weights.shape[2:])


def _divergence(p: Weights, q: Weights, bits_p: Weights, bits_q: Weights) -> float:
    """Of two heads, ``[query, key]`` each, whose rows' entropies are known."""
    both = p.any(axis=-1) & q.any(axis=-1)
    if not both.any():
        return float("nan")
    if np.array_equal(p, q):
        return 0.0  # exactly: rounding would leave a few 1e-8
    # The entropy of (p + q) / 2: halving adds one bit.
    rows = 1 + row_entropy(p + q) / 2 - (bits_p + bits_q) / 2
    return float(np.clip(rows[both].mean(dtype=np.float64), 0, 1))
