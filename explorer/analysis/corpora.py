"""Heads of two corpora runs against each other: by how much they differ, and how surely.

Texts are taken as drawn from more texts of their kind. A difference of means has a standard error:
of two kinds of texts that of Welch (1947), of the same texts in two models that of the differences
text by text. As many heads are looked at, what is called different is corrected for that: by Holm
(1979), so that all of it together is wrong with a chance of 5 % at most, or by Benjamini and
Hochberg (1995), so that about 5 % of it are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from explorer.layers import Doubles

CONFIDENCE = 0.95
Correction = Literal["holm", "benjamini-hochberg"]


@dataclass(frozen=True, eq=False)
class Differences:
    """Second less first, of every measure and head; all of one shape.

    Attributes:
        difference: Of the means.
        low, high: Between these it lies with a chance of 95 %, each by itself.
        p: How likely one as large would be if there were none.
        corrected: The same after the correction for looking at all of them.
    """

    difference: Doubles
    low: Doubles
    high: Doubles
    p: Doubles
    corrected: Doubles

    @property
    def differs(self) -> npt.NDArray[np.bool_]:
        """Which of them differ, by the corrected chance."""
        found: npt.NDArray[np.bool_] = self.corrected < 1 - CONFIDENCE
        return found


def standard_error(first: tuple[Doubles, Doubles], second: tuple[Doubles, Doubles]) -> Doubles:
    """Of the difference of the means of different texts.

    Args:
        first: The spread over its texts, and how many these are.
        second: As ``first``.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Doubles = np.sqrt(first[0] ** 2 / first[1] + second[0] ** 2 / second[1])
    return found


def paired_error(first: Doubles, second: Doubles, n: Doubles) -> Doubles:
    """Of the difference of the means of the same texts.

    Args:
        first: What was measured in some of these texts, ``[text, ...]``; NaN where it cannot be.
        second: The same in the other run.
        n: How many texts there are in all.
    """
    off = second.astype(np.float64) - first
    known = ~np.isnan(off)
    count = known.sum(axis=0)
    mean = np.where(known, off, 0).sum(axis=0) / np.maximum(count, 1)
    square = (np.where(known, off - mean, 0) ** 2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Doubles = np.sqrt(square / (count - 1) / n)
    return np.where(count > 1, found, np.nan)


def differences(difference: Doubles, error: Doubles, correction: Correction) -> Differences:
    """What is known of differences.

    Args:
        difference: Of means over many texts, so that their errors are normal.
        error: Their standard errors; of a difference without one nothing is known.
        correction: For looking at all of them.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(difference == 0, 0.0, np.abs(difference) / error)
    p: Doubles = np.where(np.isnan(error), np.nan, 2 * ndtr(-z))
    wide = ndtri((1 + CONFIDENCE) / 2) * error
    correct = holm if correction == "holm" else benjamini_hochberg
    return Differences(difference, difference - wide, difference + wide, p, correct(p))


def holm(p: Doubles) -> Doubles:
    """Chances corrected so that all that is called different is so at once; NaN stays NaN."""
    return _stepped(p, lambda ranked: np.maximum.accumulate(ranked * np.arange(len(ranked), 0, -1)))


def benjamini_hochberg(p: Doubles) -> Doubles:
    """Chances corrected so that few of what is called different are not; NaN stays NaN."""

    def step(ranked: Doubles) -> Doubles:
        raised = ranked * len(ranked) / np.arange(1, len(ranked) + 1)
        found: Doubles = np.minimum.accumulate(raised[::-1])[::-1]
        return found

    return _stepped(p, step)


def _stepped(p: Doubles, step: Callable[[Doubles], Doubles]) -> Doubles:
    """Correct the known chances, ranked from the smallest on."""
    found = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p.flat[known], kind="stable")]
    found.flat[order] = np.minimum(step(p.flat[order]), 1)
    return found
