"""What is measured of a head in one text, by name: in which unit, and in which bins it is counted.

The definitions are those of `analysis/profiles.py` and `analysis/detectors.py`.
"""

from dataclasses import dataclass

from explorer.analysis.profiles import (
    COLUMN,
    DISTANCE,
    ENTROPY,
    EVENNESS,
    FIRST,
    NO_TOKEN,
    OWN_SENTENCE,
    SHARPNESS,
)
from explorer.corpus.sketch import Bins

VARIANCE, STRONGEST, SPECIAL = "distance variance", "strongest", "special"
SELF, PREVIOUS, NEXT = "self", "previous", "next"
PUNCTUATION, SAME, AFTER = "punctuation", "same word", "after the same word"
_SHARE = Bins(1e-5, 1.0)


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure, as it is counted; wire/corpus.py says what each is.

    Attributes:
        unit: ``share`` (0 to 1), ``bits``, ``tokens`` or ``tokens²``.
        bins: The bins that its values over texts are counted in.
    """

    unit: str = "share"
    bins: Bins = _SHARE


MEASURES = {
    ENTROPY: Measure("bits", Bins(1e-3, 16)),  # how spread out a row is, the mean over rows
    EVENNESS: Measure(),  # that entropy, as a share of what even attention would have
    SHARPNESS: Measure(),  # the largest weight of a row, the mean over rows
    STRONGEST: Measure(),  # the largest weight, the first row and the first column left out
    DISTANCE: Measure("tokens", Bins(1e-2, 1e5)),  # the mean over all attention
    VARIANCE: Measure("tokens²", Bins(1e-3, 1e9)),  # of that distance
    SELF: Measure(),  # attention of a token to itself
    PREVIOUS: Measure(),  # to the token before
    NEXT: Measure(),  # to the token after
    FIRST: Measure(),  # to the first token
    COLUMN: Measure(),  # to the one token that gets most of it
    SPECIAL: Measure(),  # to special tokens; of texts that have some
    PUNCTUATION: Measure(),  # to punctuation; of texts that have some
    SAME: Measure(),  # to the same word elsewhere; of texts that have one twice
    AFTER: Measure(),  # to what followed the same word before (induction); of texts that have such
    OWN_SENTENCE: Measure(),  # of a word to its own sentence; of texts that have several
    NO_TOKEN: Measure(),  # to no token: what a sink takes or a mask leaves
}
NAMES = tuple(MEASURES)
N_DISTANCES = 24  # bins of distances: 0, 1, 2 to 3, 4 to 7, and so on


def place_of(measure: str) -> int:
    """Where a measure stands in arrays."""
    return NAMES.index(measure)
