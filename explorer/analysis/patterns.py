"""What kind of head each one is, by stated rules, with the evidence.

The kinds are those of Kovaleva, Romanov, Rogers, Rumshisky (2019), who trained a network to tell
them apart; here each is a threshold that a reader can check. A rule is asked of every text by
itself, and a head is of a kind where the rule holds in three of four texts: a mean alone would call
a head that does something always in half of the texts, and never in the others.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.analysis.detectors import PLACES
from explorer.analysis.profiles import COLUMN, EVENNESS, OWN_SENTENCE, HeadProfiles
from explorer.layers import Doubles

POSITION = 0.5  # share on one offset from which a head is positional (Clark et al. 2019)
VERTICAL = 0.6  # share on special tokens, or on one token (the same paper's for special tokens)
BOTH = 0.3  # share of each of the two in a head that is vertical and diagonal
BLOCK = 0.25  # share on the own sentence beyond what even attention would give
BROAD = 0.9  # of the possible entropy
HOLDS = 0.75  # of the texts, in which a rule must hold

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
        held: In how many texts the rule of its kind holds; of a heterogeneous one, the rule that
            holds in most.
        of: In how many it could.
    """

    name: str
    evidence: str
    held: int
    of: int


@dataclass(frozen=True)
class _Rule:
    """A rule, asked of every text.

    Attributes:
        kind: What a head is called where it holds.
        evidence: The numbers that say so.
        held: In how many texts it holds.
        of: How many texts can show it.
    """

    kind: str
    evidence: str
    held: int
    of: int

    @property
    def holds(self) -> bool:
        return self.of > 0 and self.held >= HOLDS * self.of


def kinds_of(profiles: Sequence[HeadProfiles], marks: Sequence[str]) -> list[list[Kind]]:
    """The kind of every head.

    Args:
        profiles: From `head_profiles`, one for each text.
        marks: The special tokens' texts; none where these are left out.

    Returns:
        ``[layer][head]``.
    """
    layers, heads = profiles[0].measures[COLUMN].shape
    unknown = np.full((layers, heads), np.nan)
    names = {name for p in profiles for name in p.measures}
    stacks = {name: np.stack([p.measures.get(name, unknown) for p in profiles]) for name in names}
    stacks |= {mark: np.nan_to_num(stacks[mark]) for mark in marks if mark in names}
    even = [p.own_sentence for p in profiles]
    own = np.stack([np.full(layers, np.nan) if share is None else share for share in even])
    return [
        [
            _kind({k: s[:, layer, head] for k, s in stacks.items()}, marks, own[:, layer])
            for head in range(heads)
        ]
        for layer in range(layers)
    ]


def _kind(m: Mapping[str, Doubles], marks: Sequence[str], own_share: Doubles) -> Kind:
    """The first rule that holds in most of the texts; the numbers are one for each text."""
    shares = {mark: m[mark] for mark in marks if mark in m}
    drained = sum(shares.values(), np.zeros_like(own_share))
    names = " and ".join(sorted(shares, key=lambda mark: -shares[mark].mean()))
    offsets = sorted((name for name in _OFFSETS if name in m), key=lambda name: -_mean(m[name]))
    diagonal, place = m[offsets[0]], PLACES[offsets[0]]
    column, evenness = m[COLUMN], m[EVENNESS]
    rules = [
        _rule(_OFFSETS[name], m[name], POSITION, f"{{}} of its attention is on {PLACES[name]}")
        for name in offsets
    ]
    rules += [
        _rule("vertical", drained, VERTICAL, f"{{}} of its attention drains into {names}"),
        _rule("vertical", column, VERTICAL, "{} of its attention is on one and the same token"),
        _Rule(
            "vertical + diagonal",
            f"{_said(drained)} on {names}, {_said(diagonal)} on {place}",
            *_count(np.minimum(drained, diagonal), BOTH),
        ),
        *_block(m.get(OWN_SENTENCE), own_share),
        _rule("broad", evenness, BROAD, "its rows have {} of the possible entropy"),
    ]
    for rule in rules:
        if rule.holds:
            often = _often(rule, len(own_share))
            return Kind(rule.kind, rule.evidence + often, rule.held, rule.of)
    best = max((_mean(diagonal), diagonal, place), (_mean(drained), drained, names), key=_first)
    asked = "itself, its neighbours and special tokens" if shares else "itself and its neighbours"
    return _no_kind(rules, f"of {asked} most is on {best[2]}, {_said(best[1])}")


def _often(rule: _Rule, n_texts: int) -> str:
    """In how many texts a rule holds, where there are several."""
    if n_texts == 1:
        return ""
    some = "texts" if rule.of == n_texts else "texts that can show it"
    return f", in {rule.held} of {rule.of} {some}"


def _first(habit: tuple[float, Doubles, str]) -> float:
    return habit[0]


def _rule(kind: str, share: Doubles, least: float, words: str) -> _Rule:
    return _Rule(kind, words.format(_said(share)), *_count(share, least))


def _block(own: Doubles | None, even: Doubles) -> list[_Rule]:
    """The rule of the own sentence, where a text has several."""
    if own is None:
        return []
    words = (
        f"{_said(own)} stays in the token’s own sentence, where even attention would put "
        f"{_mean(even):.2f}"
    )
    return [_Rule("block", words, *_count(own - even, BLOCK))]


def _no_kind(rules: Sequence[_Rule], habit: str) -> Kind:
    """What no rule holds of in most of the texts."""
    nearest = max(rules, key=lambda rule: rule.held / max(rule.of, 1))
    if nearest.of < 2:
        return Kind("heterogeneous", f"no rule holds; {habit}", 0, nearest.of)
    some = f" “{nearest.kind}” does in {nearest.held} of {nearest.of};" if nearest.held else ""
    said = f"no rule holds in {_enough(nearest.of)};{some} {habit}"
    return Kind("heterogeneous", said, nearest.held, nearest.of)


def _enough(n_texts: int) -> str:
    """In how many of so many texts a rule must hold."""
    return f"{math.ceil(HOLDS * n_texts)} of {n_texts} texts"


def _count(share: Doubles, least: float) -> tuple[int, int]:
    """In how many texts a share is so large, and how many texts have one."""
    return int((share >= least).sum()), int((~np.isnan(share)).sum())


def _said(share: Doubles) -> str:
    """A share, with its spread over several texts."""
    known = share[~np.isnan(share)]
    spread = f" ± {known.std(ddof=1):.2f}" if len(known) > 1 else ""
    return f"{_mean(known):.2f}{spread}"


def _mean(share: Doubles) -> float:
    """The mean over the texts that have one; 0 where none has."""
    known = share[~np.isnan(share)]
    return float(known.mean()) if len(known) else 0.0
