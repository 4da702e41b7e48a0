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
from explorer.language import Said, t
from explorer.layers import Doubles

POSITION = 0.5  # share on one offset from which a head is positional (Clark et al. 2019)
VERTICAL = 0.6  # share on special tokens, or on one token (the same paper's for special tokens)
BOTH = 0.3  # share of each of the two in a head that is vertical and diagonal
BLOCK = 0.25  # share on the own sentence beyond what even attention would give
BROAD = 0.9  # of the possible entropy
HOLDS = 0.75  # of the texts, in which a rule must hold

KIND_NAMES = {
    "previous token": t("previous token"),
    "next token": t("next token"),
    "diagonal": t("diagonal"),
    "vertical": t("vertical"),
    "vertical + diagonal": t("vertical + diagonal"),
    "block": t("block"),
    "broad": t("broad"),
    "heterogeneous": t("heterogeneous"),
}
KINDS = tuple(KIND_NAMES)
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
    names = _and(sorted(shares, key=lambda mark: -shares[mark].mean()))
    offsets = sorted((name for name in _OFFSETS if name in m), key=lambda name: -_mean(m[name]))
    diagonal, place = m[offsets[0]], PLACES[offsets[0]]
    column, evenness = m[COLUMN], m[EVENNESS]
    rules = [
        _rule(
            _OFFSETS[name],
            m[name],
            POSITION,
            t("{share} of its attention is on {place}", place=PLACES[name]),
        )
        for name in offsets
    ]
    rules += [
        _rule(
            "vertical",
            drained,
            VERTICAL,
            t("{share} of its attention drains into {tokens}", tokens=names),
        ),
        _rule(
            "vertical",
            column,
            VERTICAL,
            t("{share} of its attention is on one and the same token"),
        ),
        _Rule(
            "vertical + diagonal",
            t(
                "{drained} on {tokens}, {diagonal} on {place}",
                drained=_said(drained),
                tokens=names,
                diagonal=_said(diagonal),
                place=place,
            ),
            *_count(np.minimum(drained, diagonal), BOTH),
        ),
        *_block(m.get(OWN_SENTENCE), own_share),
        _rule("broad", evenness, BROAD, t("its rows have {share} of the possible entropy")),
    ]
    for rule in rules:
        if rule.holds:
            return Kind(rule.kind, _often(rule, len(own_share)), rule.held, rule.of)
    best = max((_mean(diagonal), diagonal, place), (_mean(drained), drained, names), key=_first)
    most = {"place": best[2], "share": _said(best[1])}
    if shares:
        habit = t(
            "of itself, its neighbours and special tokens most is on {place}, {share}", **most
        )
    else:
        habit = t("of itself and its neighbours most is on {place}, {share}", **most)
    return _no_kind(rules, habit)


def _often(rule: _Rule, n_texts: int) -> str:
    """The evidence, and in how many texts the rule holds, where there are several."""
    if n_texts == 1:
        return rule.evidence
    said = {"evidence": rule.evidence, "held": rule.held, "of": rule.of}
    if rule.of == n_texts:
        return t("{evidence}, in {held} of {of} texts", **said)
    return t("{evidence}, in {held} of {of} texts that can show it", **said)


def _first(habit: tuple[float, Doubles, object]) -> float:
    return habit[0]


def _rule(kind: str, share: Doubles, least: float, words: Said) -> _Rule:
    return _Rule(kind, words.format(share=_said(share)), *_count(share, least))


def _block(own: Doubles | None, even: Doubles) -> list[_Rule]:
    """The rule of the own sentence, where a text has several."""
    if own is None:
        return []
    words = t(
        "{own} stays in the token’s own sentence, where even attention would put {even}",
        own=_said(own),
        even=f"{_mean(even):.2f}",
    )
    return [_Rule("block", words, *_count(own - even, BLOCK))]


def _no_kind(rules: Sequence[_Rule], habit: str) -> Kind:
    """What no rule holds of in most of the texts."""
    nearest = max(rules, key=lambda rule: rule.held / max(rule.of, 1))
    if nearest.of < 2:
        return Kind("heterogeneous", t("no rule holds; {habit}", habit=habit), 0, nearest.of)
    said = {"enough": math.ceil(HOLDS * nearest.of), "of": nearest.of, "habit": habit}
    if not nearest.held:
        why = t("no rule holds in {enough} of {of} texts; {habit}", **said)
        return Kind("heterogeneous", why, nearest.held, nearest.of)
    why = t(
        "no rule holds in {enough} of {of} texts; “{kind}” does in {held} of {of}; {habit}",
        **said,
        kind=KIND_NAMES[nearest.kind],
        held=nearest.held,
    )
    return Kind("heterogeneous", why, nearest.held, nearest.of)


def _and(names: Sequence[str]) -> object:
    """Names of tokens, one and another."""
    said: object = names[0] if names else ""
    for name in names[1:]:
        said = t("{start} and {last}", start=said, last=name)
    return said


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
