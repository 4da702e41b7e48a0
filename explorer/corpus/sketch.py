"""Counts of numbers in bins that grow with them: quantiles of any many numbers, in fixed memory.

Bins are the same everywhere, so two sketches are merged by adding their counts, and what comes out
does not depend on how the numbers were parted (Masson, Rim, Lee 2019: DDSketch).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.layers import Doubles

N_BINS = 256
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bins:
    """Bins from ``low`` to ``high``, each by the same factor wider; one below, and one above.

    Bin 0 holds what is smaller than ``low``, nought among it; the last what is ``high`` or more.
    """

    low: float
    high: float

    @property
    def edges(self) -> Doubles:
        """Where bins 1 and following begin, ``[N_BINS − 1]``; the last edge begins the last bin."""
        return np.geomspace(self.low, self.high, N_BINS - 1)

    @property
    def factor(self) -> float:
        """By what a bin's end is larger than its beginning."""
        return float((self.high / self.low) ** (1 / (N_BINS - 2)))

    def of(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.intp]:
        """The bin of each value."""
        with np.errstate(divide="ignore", invalid="ignore"):
            at = np.floor(np.log(values / self.low) / np.log(self.factor)) + 1
        return np.clip(np.nan_to_num(at, nan=0, neginf=0), 0, N_BINS - 1).astype(np.intp)

    def ranks(self, counts: Counts, values: npt.NDArray[np.floating]) -> Doubles:
        """Which share of all numbers is smaller than a value: of the same bin, by its place in it.

        Args:
            counts: ``[N_BINS]``.
            values: Some values.
        """
        at, total = self.of(values), max(int(counts.sum()), 1)
        below = np.concatenate([[0], np.cumsum(counts)])[at]
        edges = self.edges
        inner = (at > 0) & (at < N_BINS - 1)
        start = edges[np.maximum(at - 1, 0)]
        some = np.where(inner, values, start)
        within = np.where(inner, np.log(some / start) / np.log(self.factor), 0.5)
        ranks: Doubles = (below + counts[at] * np.clip(within, 0, 1)) / total
        return ranks

    def quantiles(self, counts: Counts, shares: npt.NDArray[np.floating]) -> Doubles:
        """The value below which a share of all numbers lies, off by a bin's width at most.

        Args:
            counts: ``[N_BINS]``.
            shares: From 0 to 1.
        """
        edges, total = self.edges, counts.sum()
        if not total:
            return np.full(len(shares), np.nan)
        upto = np.cumsum(counts)
        wanted = np.asarray(shares) * total
        at = np.minimum(np.searchsorted(upto, wanted, side="left"), N_BINS - 1)
        at = np.maximum(at, int(np.flatnonzero(counts)[0]))
        start = np.where(at > 0, edges[np.maximum(at - 1, 0)], 0.0)
        within = np.clip((wanted - (upto[at] - counts[at])) / np.maximum(counts[at], 1), 0, 1)
        inner = (at > 0) & (at < N_BINS - 1)
        found: Doubles = np.where(inner, start * self.factor**within, start)
        return found
