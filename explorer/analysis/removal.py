"""What happens when tokens are really taken away: curves of deletion and insertion.

Samek et al. (2017), Petsiuk, Das, Saenko (2018), on tokens. The measuring is the source's
(`explorer.sources.intervention`); here is what to take away, and what the numbers come to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.analysis.profiles import Doubles

MOST_STEPS = 20  # points of a curve; of a long text several tokens go at once


@dataclass(frozen=True, eq=False)
class Curves:
    """A target while tokens go, the highest scored first, and while they come.

    Attributes:
        shares: Share of the tokens that are gone, or there, 0 to 1.
        deletion: The target with the highest scored tokens gone.
        insertion: The target with only the highest scored tokens there.
    """

    shares: Doubles
    deletion: Doubles
    insertion: Doubles

    @property
    def deletion_area(self) -> float:
        """Mean height of the deletion curve: low if the score finds what counts."""
        return float(np.trapezoid(self.deletion, self.shares))

    @property
    def insertion_area(self) -> float:
        """Mean height of the insertion curve: high if the score finds what counts."""
        return float(np.trapezoid(self.insertion, self.shares))


def curve_steps(scores: Sequence[float]) -> tuple[Doubles, list[list[int]], list[list[int]]]:
    """Which units to take away for each point of both curves.

    Args:
        scores: ``[unit]``; of equal ones the first goes first.

    Returns:
        The shares; for each, the units that are gone in deletion; and those gone in insertion.
    """
    n = len(scores)
    order = [int(i) for i in np.argsort(-np.asarray(scores, dtype=float), kind="stable")]
    counts = np.unique(np.round(np.linspace(0, n, min(n, MOST_STEPS) + 1)).astype(int))
    return (
        counts / max(n, 1),
        [order[:count] for count in counts],
        [order[count:] for count in counts],
    )
