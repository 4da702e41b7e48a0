"""How far scores point at the words that are known to decide: their rank, and the area under ROC.

Where the truth is known (a grammar of our own, a task whose answer is known) nobody need believe a
measurement: a method either gives the words that decide the highest scores, or it does not.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Pointing:
    """Where the words that decide stand among all words, by a score.

    Attributes:
        rank: The place of the best of them, 1 for the highest score; the mean of the places that
            equal scores share.
        area: How likely one of them has a higher score than another word, equal ones counted half:
            1 if all stand first, one half by chance (the area under the ROC curve). None where
            there is no other word.
        n: Words.
    """

    rank: float
    area: float | None
    n: int

    @property
    def first(self) -> bool:
        """Whether the highest score is that of a word that decides, and of no other."""
        return self.rank == 1


def pointing(scores: npt.ArrayLike, deciding: Collection[int]) -> Pointing:
    """How far scores point at some words.

    Args:
        scores: ``[word]``.
        deciding: Which words decide; at least one.
    """
    values = np.asarray(scores, dtype=np.float64)
    mine = np.zeros(len(values), dtype=bool)
    mine[list(deciding)] = True
    best, others = values[mine].max(), values[~mine]
    # Words that decide share no place with one another: the best of them stands before its equals.
    rank = 1 + (others > best).sum() + (others == best).sum() / 2
    wins = (values[mine][:, None] > others).sum() + (values[mine][:, None] == others).sum() / 2
    area = float(wins / (mine.sum() * len(others))) if len(others) else None
    return Pointing(float(rank), area, len(values))
