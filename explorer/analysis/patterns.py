"""What kind of head each one is, by stated rules, with the evidence.

The kinds are those of Kovaleva, Romanov, Rogers, Rumshisky (2019), who trained a network to tell
them apart; here each is a threshold that a reader can check.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.analysis.detectors import PLACES
from explorer.analysis.profiles import COLUMN, EVENNESS, OWN_SENTENCE
from explorer.layers import Doubles

POSITION = 0.5  # share on one offset from which a head is positional (Clark et al. 2019)
VERTICAL = 0.6  # share on special tokens, or on one token (the same paper's for special tokens)
BOTH = 0.3  # share of each of the two in a head that is vertical and diagonal
BLOCK = 0.25  # share on the own sentence beyond what even attention would give
BROAD = 0.9  # of the possible entropy

KINDS = (
    "previous token",
    "next token",
    "diagonal",
    "vertical",
    "vertical + diagonal",
    "block",
    "broad",
    "heterogeneous",
)
_OFFSETS = {"previous": "previous token", "next": "next token", "self": "diagonal"}


@dataclass(frozen=True)
class Kind:
    """What kind of head one is.

    Attributes:
        name: One of `KINDS`.
        evidence: The numbers that say so, in words.
    """

    name: str
    evidence: str


def kinds_of(
    measures: Mapping[str, Doubles], marks: Sequence[str], own_sentence: Doubles | None
) -> list[list[Kind]]:
    """The kind of every head.

    Args:
        measures: From `head_profiles`, or their mean over texts.
        marks: The special tokens' texts.
        own_sentence: The share of its own sentence that even attention would give a word, by
            layer, over the texts of that measure; None where no text is of several sentences.

    Returns:
        ``[layer][head]``.
    """
    layers, heads = measures[COLUMN].shape
    own = np.ones(layers) if own_sentence is None else own_sentence
    return [
        [
            _kind({k: float(m[layer, head]) for k, m in measures.items()}, marks, float(own[layer]))
            for head in range(heads)
        ]
        for layer in range(layers)
    ]


def _kind(m: Mapping[str, float], marks: Sequence[str], own_share: float) -> Kind:
    offset = max(_OFFSETS, key=lambda name: m.get(name, 0.0))
    diagonal = m.get(offset, 0.0)
    if diagonal >= POSITION:
        return Kind(_OFFSETS[offset], f"{diagonal:.2f} of its attention is on {PLACES[offset]}")
    shares = {mark: m[mark] for mark in marks if mark in m}
    drained = sum(shares.values())
    names = " and ".join(sorted(shares, key=lambda mark: -shares[mark]))
    if drained >= VERTICAL:
        return Kind("vertical", f"{drained:.2f} of its attention drains into {names}")
    if m[COLUMN] >= VERTICAL:
        return Kind("vertical", f"{m[COLUMN]:.2f} of its attention is on one and the same token")
    if drained >= BOTH and diagonal >= BOTH:
        return Kind(
            "vertical + diagonal",
            f"{drained:.2f} on {names}, {diagonal:.2f} on {PLACES[offset]}",
        )
    own = m.get(OWN_SENTENCE, 0.0)
    if own - own_share >= BLOCK:
        return Kind(
            "block",
            f"{own:.2f} stays in the token’s own sentence, where even attention would put "
            f"{own_share:.2f}",
        )
    if m[EVENNESS] >= BROAD:
        return Kind("broad", f"its rows have {m[EVENNESS]:.2f} of the possible entropy")
    best = max((diagonal, PLACES[offset]), (drained, names or "no special token"))
    return Kind("heterogeneous", f"no rule holds; its largest habit is {best[0]:.2f} on {best[1]}")
