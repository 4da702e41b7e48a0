"""Two folders against each other: the heads whose behaviour differs, and how surely."""

from dataclasses import dataclass

import numpy as np

from explorer.analysis.corpora import (
    Correction,
    Differences,
    differences,
    paired_error,
    standard_error,
)
from explorer.corpus.folder import CorpusFolder
from explorer.corpus.measures import NAMES
from explorer.errors import ExplorerError
from explorer.language import t
from explorer.visible import visible

_FEW = 30  # texts below which a mean's error is not known by its spread


@dataclass(frozen=True, eq=False)
class Compared:
    """Two runs.

    Attributes:
        layers: The model's own numbers of the layers.
        same_texts: Whether both read the same texts, which are then compared one by one.
        found: Of every measure and head, ``[measure, layer, head]``; NaN where one of the two has
            less than 30 texts that could show it.
    """

    layers: tuple[int, ...]
    same_texts: bool
    found: Differences

    def strongest(self, most: int = 20) -> list[tuple[str, int, int, float, float, float, float]]:
        """What differs most surely: measure, layer, head, difference, its ends, corrected chance.

        Args:
            most: How many.
        """
        found = self.found
        size = np.abs(found.difference) / np.maximum(found.high - found.low, 1e-300)
        size = np.where(found.differs, size, -np.inf)
        order = np.argsort(-size, axis=None, kind="stable")[:most]
        rows = []
        for at in order:
            m, i, head = np.unravel_index(at, size.shape)
            if not found.differs[m, i, head]:
                break
            values = (found.difference, found.low, found.high, found.corrected)
            numbers = (float(v[m, i, head]) for v in values)
            rows.append((NAMES[m], self.layers[i], int(head), *numbers))
        return rows  # type: ignore[return-value]


def compare(first: CorpusFolder, second: CorpusFolder, correction: Correction = "holm") -> Compared:
    """Two runs of models of one shape, or of one model over two corpora.

    Args:
        first: One.
        second: The other.
        correction: For looking at all heads and measures.

    Raises:
        ExplorerError: Their models have different numbers of layers or heads.
    """
    if (first.layers, first.n_heads) != (second.layers, second.n_heads):
        one, other = (
            t(
                "“{name}” has {layers} layers of {n} heads",
                name=visible(f.path.name),
                layers=len(f.layers),
                n=f.n_heads,
            )
            for f in (first, second)
        )
        raise ExplorerError(
            t(
                "{one}, and {other}: their heads are not the same heads. Compare a "
                "model with what was made of it, or one model over two corpora.",
                one=one,
                other=other,
            )
        )
    a, b = first.heads, second.heads
    n_a, n_b = (np.asarray(h.n, dtype=np.float64)[:, None, None] for h in (a, b))
    same = first.about["corpus"]["digest"] == second.about["corpus"]["digest"]
    same = same and first.about["length"] == second.about["length"]
    error = standard_error((a.spread, n_a), (b.spread, n_b))
    if same:
        paired = paired_error(*_common(first, second), np.minimum(n_a, n_b))
        # Where tokenizers differ, a measure may be one of other texts, which are no pairs.
        error = np.where(n_a == n_b, paired, error)
    enough = (n_a >= _FEW) & (n_b >= _FEW)
    error = np.where(enough, error, np.nan)
    difference = np.where(enough, b.mean - a.mean, np.nan)
    return Compared(first.layers, same, differences(difference, error, correction))


def _common(first: CorpusFolder, second: CorpusFolder) -> tuple[np.ndarray, np.ndarray]:
    """What was measured in the texts that both have drawn, in one order."""
    (numbers, a), (others, b) = first.drawn, second.drawn
    _, mine, theirs = np.intersect1d(numbers, others, return_indices=True)
    return a[mine].astype(np.float64), b[theirs].astype(np.float64)
