"""How far two scores rank the same tokens alike: Spearman's correlation, with an interval."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

LEAST = 4  # tokens below which no correlation is given


@dataclass(frozen=True)
class RankAgreement:
    """Spearman's rank correlation of two scores.

    Attributes:
        rho: −1 (opposite) to 1 (the same order); None where it is not defined: fewer than 4
            tokens, or a score that is the same for all.
        low, high: A 95 % interval, by Fisher's z with Bonett and Wright's (2000) variance
            (1 + ρ²/2) / (n − 3). It takes tokens for independent, which those of one text are
            not, so it is rather too narrow.
        n: Tokens.
    """

    rho: float | None
    low: float
    high: float
    n: int


def rank_agreement(one: npt.NDArray[np.floating], other: npt.NDArray[np.floating]) -> RankAgreement:
    """Correlate the ranks of two scores; ties get their average rank.

    Args:
        one: ``[token]``.
        other: ``[token]``.
    """
    n = len(one)
    ranks = [rankdata(s) - (n + 1) / 2 for s in (one, other)]
    sizes = np.prod([np.sqrt((r**2).sum()) for r in ranks])
    if n < LEAST or sizes == 0:
        return RankAgreement(None, -1.0, 1.0, n)
    rho = float(np.clip(ranks[0] @ ranks[1] / sizes, -1, 1))
    most = 1 - 6 / (n * (n**2 - 1))  # half a swap of two neighbours below 1, where z is infinite
    middle = np.arctanh(np.clip(rho, -most, most))
    reach = norm.ppf(0.975) * np.sqrt((1 + rho**2 / 2) / (n - 3))
    low, high = (float(np.tanh(middle + sign * reach)) for sign in (-1, 1))
    return RankAgreement(rho, min(low, rho), max(high, rho), n)
