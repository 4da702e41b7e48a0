"""What a head does, by stated rules, and in how many texts each of them holds.

The rules are those of `analysis/patterns.py`, asked of every text by itself; a head is of a kind
where its rule holds in three of four texts that can show it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.analysis.patterns import BLOCK, BOTH, BROAD, HOLDS, POSITION, VERTICAL
from explorer.analysis.profiles import COLUMN, EVENNESS, OWN_SENTENCE
from explorer.corpus.measures import NEXT, PREVIOUS, SELF, SPECIAL
from explorer.layers import Doubles, Weights


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that holds in a text or does not.

    Attributes:
        kind: What a head is called where it holds.
        measures: The measures that must all be as large as is asked.
        least: How large.
        beyond: Whether the first must be larger by that than even attention would make it.
    """

    kind: str
    measures: tuple[str, ...]
    least: float
    beyond: bool = False


RULES = (
    Rule("previous token", (PREVIOUS,), POSITION),
    Rule("next token", (NEXT,), POSITION),
    Rule("diagonal", (SELF,), POSITION),
    Rule("vertical", (SPECIAL,), VERTICAL),
    Rule("vertical", (COLUMN,), VERTICAL),
    *(Rule("vertical + diagonal", (SPECIAL, place), BOTH) for place in (SELF, PREVIOUS, NEXT)),
    Rule("block", (OWN_SENTENCE,), BLOCK, beyond=True),
    Rule("broad", (EVENNESS,), BROAD),
)


@dataclass(frozen=True, slots=True)
class Held:
    """A rule of a head over the corpus.

    Attributes:
        rule: The rule.
        held: In how many texts it holds.
        of: How many texts can show it.
        even: Of a rule of what is beyond it, the mean of what even attention would give; else NaN.
    """

    rule: Rule
    held: int
    of: int
    even: float = math.nan

    @property
    def share(self) -> float:
        """In which share of these it holds; 0 where no text can show it."""
        return self.held / self.of if self.of else 0.0

    @property
    def holds(self) -> bool:
        """Whether it holds in as many as are asked for."""
        return self.of > 0 and self.share >= HOLDS


def counted(
    values: Weights, even: Doubles, names: Sequence[str]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """In how many texts each rule holds, ``[rule, layer, head]``, and how many can show it.

    Args:
        values: What was measured, ``[text, measure, layer, head]``; NaN where a text cannot show
            it.
        even: What even attention would give to the own sentence, ``[text, layer]``.
        names: The names of the measures.

    Returns:
        int64 ``[rule, layer, head]`` and ``[rule]``.
    """
    found = [_of_texts(values, even, names, rule) for rule in RULES]
    held = np.stack([holds.sum(axis=0) for holds, _ in found])
    return held, np.array([int(shown.sum()) for _, shown in found])


def _of_texts(
    values: Weights, even: Doubles, names: Sequence[str], rule: Rule
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Where a rule holds, ``[text, layer, head]``, and which texts can show it."""
    parts = values[:, [names.index(name) for name in rule.measures]]
    least = parts.min(axis=1)  # NaN where one of them is
    if rule.beyond:
        least = least - even[:, :, None]
    return least >= rule.least, ~np.isnan(least[:, 0, 0])


def best_of(held: Sequence[Held]) -> Held:
    """The first rule that holds in enough texts; else that which holds in the largest share."""
    return next((one for one in held if one.holds), max(held, key=lambda one: one.share))
