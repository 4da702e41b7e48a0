"""What is kept of texts that were read, and which of them come first; without torch."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.layers import Doubles, Weights

SAMPLE = 256  # texts of a corpus that are kept with all that was measured in them
TOP = 4  # texts in which a head does most of what it is chosen by
Ints = npt.NDArray[np.int64]
Names = npt.NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Sums:
    """What is kept of some texts.

    Attributes:
        layers: The model's own numbers of the layers.
        n_texts, n_tokens: How many were read.
        n_cut: How many of the texts were cut.
        n_refused: How many could not be read.
        count: How many texts could show each measure, int64 ``[measure]``.
        total, square: The sum of each measure and of its square over these, ``[measure, layer,
            head]``.
        weighted: The sum where each text counts as many times as it has tokens.
        tokens: How many tokens those texts have, int64 ``[measure]``.
        far_square: The sum of the squared distances of all attention, ``[layer, head]``.
        held: In how many texts each of `rules.RULES` holds, int64 ``[rule, layer, head]``.
        could: How many texts can show each rule, int64 ``[rule]``.
        even: Over the texts of several sentences, what even attention would give to the own one,
            ``[layer]``.
        counts: How many texts have a value in each bin, int32 ``[measure, layer, head, bin]``.
        apart: Attention at each bin of distances, ``[layer, head, bin]``.
        types: The texts of all tokens, sorted.
        seen: How often each was there, int64 ``[type]``.
        received: What each got, float32 ``[layer, type, head]``; of all occurrences together.
        given: What each gave to other ordinary tokens.
        sample_name: uint64 ``[text]``: the texts with the smallest names, which are drawn by lot.
        sample: Their numbers, int64 ``[text]``.
        sample_values: float32 ``[text, measure, layer, head]``.
        top: float32 ``[layer, head, place]``: the largest values of one measure.
        top_number, top_name: Which texts have them; −1 and 0 for none.
    """

    layers: Ints
    n_texts: Ints
    n_tokens: Ints
    n_cut: Ints
    n_refused: Ints
    count: Ints
    total: Doubles
    square: Doubles
    weighted: Doubles
    tokens: Ints
    far_square: Doubles
    held: Ints
    could: Ints
    even: Doubles
    counts: npt.NDArray[np.int32]
    apart: Doubles
    types: npt.NDArray[np.str_]
    seen: Ints
    received: Weights
    given: Weights
    sample_name: npt.NDArray[np.uint64]
    sample: Ints
    sample_values: Weights
    top: Weights
    top_number: Ints
    top_name: npt.NDArray[np.uint64]


def lot(name: int, seed: int) -> int:
    """Which texts are drawn: those for which this is smallest. It scatters names by a seed.

    (Steele, Lea, Flood 2014: the finalizer of SplitMix64.)
    """
    mask = 2**64 - 1
    z = (name + seed * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


def first_of(
    values: Weights, numbers: Ints, names: npt.NDArray[np.uint64]
) -> tuple[Weights, Ints, npt.NDArray[np.uint64]]:
    """Of some values the largest `TOP`, those of the smallest name first where they are equal.

    Args:
        values: ``[..., some]``; NaN for none.
        numbers: Whose they are.
        names: The names of these.
    """
    ranked = np.where(np.isnan(values), -np.inf, values)
    order = np.lexsort((names, -ranked), axis=-1)[..., :TOP]
    found: Weights = np.take_along_axis(values, order, -1)
    none = np.isnan(found)
    whose: Ints = np.where(none, -1, np.take_along_axis(numbers, order, -1))
    named: Names = np.where(none, np.uint64(0), np.take_along_axis(names, order, -1))
    lacking = TOP - found.shape[-1]
    if lacking > 0:
        pad = [(0, 0)] * (found.ndim - 1) + [(0, lacking)]
        found = np.pad(found, pad, constant_values=np.nan)
        whose, named = np.pad(whose, pad, constant_values=-1), np.pad(named, pad)
    return found, whose, named
