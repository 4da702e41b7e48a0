"""How far two heads are apart: the Jensen–Shannon divergence of what their rows give.

Lin: Divergence Measures Based on the Shannon Entropy (1991); for attention heads Clark, Khandelwal,
Levy, Manning (2019), who sum over rows, in nats. Here it is the mean over rows, in bits: 0 for
equal heads, 1 for heads that never look at the same place.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.layers import AttentionLayer, Doubles, Weights, row_entropy

_HELD = 2**22  # weights of all heads that are held at once: 16 MB
READ_AT_ONCE = 2**27  # bytes that an analysis takes beside the layers

Report = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class Heads:
    """The rows of all heads of a reading, had some at a time.

    Attributes:
        shape: Layers and heads.
        n_rows: Rows of each head.
        n_keys: Weights of each row.
        rows: Of the numbers of some rows ``[head, some, key]``, heads counted through all layers;
            they need not sum to 1, they are divided by their sum.
    """

    shape: tuple[int, int]
    n_rows: int
    n_keys: int
    rows: Callable[[npt.NDArray[np.intp]], Weights]

    @property
    def n_heads(self) -> int:
        """All heads."""
        return self.shape[0] * self.shape[1]


def heads_of(attention: Weights | Sequence[AttentionLayer]) -> Heads:
    """The heads of layers, or of weights ``[layer, head, query, key]``."""
    if isinstance(attention, np.ndarray):
        layers, heads, *sides = attention.shape
        flat = attention.reshape(-1, *sides)
        return Heads((layers, heads), sides[0], sides[1], lambda some: flat[:, some])
    first = attention[0]

    def rows(some: npt.NDArray[np.intp]) -> Weights:
        return np.stack([a.rows(head, some) for a in attention for head in range(a.n_heads)])

    return Heads((len(attention), first.n_heads), first.n_queries, first.n_keys, rows)


def sample(heads: int, rows: int, keys: int, most: int) -> npt.NDArray[np.intp]:
    """The rows over which distances are taken: all, or evenly spread where that would be too much.

    Args:
        heads: Heads whose rows are read, or pairs of heads.
        rows: Rows of each.
        keys: Weights of each row.
        most: Weights that may be read.
    """
    step = max(1, -(-heads * rows * keys // most))
    return np.arange(0, rows, step)


def head_distances(
    a: Heads,
    b: Heads,
    over: npt.NDArray[np.intp] | None = None,
    report: Report = lambda share: None,
) -> Doubles:
    """The divergence of every head of one reading from every head of another.

    Cost: heads of a × heads of b × row × key; memory for a few rows of all heads.

    Args:
        a: The heads of the first.
        b: Those of the second, with the same rows and keys.
        over: The rows to take; all if left out.
        report: Told how much is done, 0 to 1; may raise to end it.

    Returns:
        ``[layer of a, head of a, layer of b, head of b]``, 0 to 1 bit. Rows in which one of the
        two gives nothing at all are left out; NaN if there is no other.
    """
    total, count = np.zeros((2, a.n_heads, b.n_heads))
    for done, of, some in _blocks(a.n_heads + b.n_heads, a, over):
        (p, bits_p), (q, bits_q) = _normal(a.rows(some)), _normal(b.rows(some))
        for i in range(a.n_heads):
            report((done + i / a.n_heads * len(some)) / of)
            for j in range(b.n_heads):
                _add(total, count, (i, j), p[i], q[j], bits_p[i], bits_q[j])
    return _mean(total, count).reshape(*a.shape, *b.shape)


def distances_within(
    a: Heads,
    over: npt.NDArray[np.intp] | None = None,
    report: Report = lambda share: None,
) -> Doubles:
    """The divergence of every head of one reading from every other: half the work of two readings.

    Args:
        a: The heads.
        over: The rows to take; all if left out.
        report: Told how much is done, 0 to 1; may raise to end it.

    Returns:
        ``[head, head]``, heads counted through all layers; symmetric, 0 on the diagonal.
    """
    total, count = np.zeros((2, a.n_heads, a.n_heads))
    for done, of, some in _blocks(a.n_heads, a, over):
        p, bits = _normal(a.rows(some))
        for i in range(a.n_heads):
            report((done + (i / a.n_heads) ** 2 * len(some)) / of)
            for j in range(i):
                _add(total, count, (i, j), p[i], p[j], bits[i], bits[j])
    found = _mean(total, count)
    np.fill_diagonal(found, 0)
    return np.asarray(np.where(np.tri(a.n_heads, dtype=bool), found, found.T))


def _blocks(
    heads: int, of: Heads, over: npt.NDArray[np.intp] | None
) -> Iterator[tuple[int, int, npt.NDArray[np.intp]]]:
    """Some rows after the other: how many are done, of how many, and the next."""
    rows = np.arange(of.n_rows) if over is None else over
    step = max(1, _HELD // max(heads * of.n_keys, 1))
    for start in range(0, len(rows), step):
        yield start, len(rows), rows[start : start + step]


def _normal(rows: Weights) -> tuple[Weights, Doubles]:
    """Every row divided by its sum, and its entropy in bits; −1 for a row of zeros."""
    sums = rows.sum(axis=-1, keepdims=True)
    scaled: Weights = np.divide(rows, sums, out=np.zeros_like(rows), where=sums > 0)
    bits = np.stack([row_entropy(head) for head in scaled])
    return scaled, np.where(sums[..., 0] > 0, bits, -1)


def _add(
    total: Doubles,
    count: Doubles,
    at: tuple[int, int],
    p: Weights,
    q: Weights,
    bits_p: Doubles,
    bits_q: Doubles,
) -> None:
    """Add the rows of two heads, ``[some, key]`` each, whose entropies are known."""
    both = (bits_p >= 0) & (bits_q >= 0)
    count[at] += both.sum()
    if both.any() and not np.array_equal(p, q):  # exactly 0: rounding would leave a few 1e-8
        rows = row_entropy(p + q) - (bits_p + bits_q) / 2
        total[at] += rows[both].sum()


def _mean(total: Doubles, count: Doubles) -> Doubles:
    mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return np.clip(mean, 0, 1)
