"""Which tokens of two readings stand for the same words, by the characters they cover.

Two tokenizers cut one text in different places; the smallest stretches that both cut at their ends
are the units in which their attention can be compared. Two different texts are first laid side by
side word by word, as a reader would who looks for what was edited.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from explorer.trace import AttentionTrace, Token
from explorer.visible import visible

Stretch = tuple[int, int]


@dataclass(frozen=True)
class Unit:
    """The same words in two readings.

    Attributes:
        text: The words, as the first reading's text has them; what cannot be seen as marks.
        other: The same in the second; another text where a word was exchanged.
        a: Positions of the first reading's tokens.
        b: Positions of the second's.
        special: Whether it is a token that stands for no text ([CLS]).
    """

    text: str
    other: str
    a: tuple[int, ...]
    b: tuple[int, ...]
    special: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", visible(self.text))
        object.__setattr__(self, "other", visible(self.other))


@dataclass(frozen=True)
class Alignment:
    """What two readings have in common.

    Attributes:
        units: The common words, in the first reading's order.
        only_a: Tokens of the first that have no counterpart, as positions.
        only_b: The same of the second.
    """

    units: tuple[Unit, ...]
    only_a: tuple[int, ...]
    only_b: tuple[int, ...]


def align(a: AttentionTrace, b: AttentionTrace) -> Alignment:
    """Match the tokens of two traces; both must be self-attention."""
    one, other = a.query_tokens, b.query_tokens
    units = _special_units(one, other) + _patch_units(a, b)
    for segment in range(min(len(a.texts), len(b.texts))):
        units += _segment_units(segment, a.texts[segment], b.texts[segment], one, other)
    units.sort(key=lambda unit: unit.a)
    used_a = {i for unit in units for i in unit.a}
    used_b = {j for unit in units for j in unit.b}
    return Alignment(
        tuple(units),
        tuple(i for i in range(len(one)) if i not in used_a),
        tuple(j for j in range(len(other)) if j not in used_b),
    )


def _special_units(one: Sequence[Token], other: Sequence[Token]) -> list[Unit]:
    """Special tokens of one name, the first with the first; none if their numbers differ."""
    found = []
    for name in dict.fromkeys(t.text for t in one if t.special):
        places = [
            [i for i, t in enumerate(s) if t.special and t.text == name] for s in (one, other)
        ]
        if len(places[0]) == len(places[1]):
            pairs = zip(*places, strict=True)
            found += [Unit(name, name, (i,), (j,), special=True) for i, j in pairs]
    return found


def _patch_units(a: AttentionTrace, b: AttentionTrace) -> list[Unit]:
    """Patches at one place of two pictures, where both are cut into one grid."""
    grids = [t.patches and (t.patches.rows, t.patches.columns) for t in (a, b)]
    if grids[0] is None or grids[0] != grids[1]:
        return []
    places = [[i for i, t in enumerate(x.query_tokens) if not t.special] for x in (a, b)]
    return [
        Unit(a.query_tokens[i].text, b.query_tokens[j].text, (i,), (j,))
        for i, j in zip(*places, strict=True)
    ]


def _segment_units(
    segment: int, text_a: str, text_b: str, one: Sequence[Token], other: Sequence[Token]
) -> list[Unit]:
    words_a, words_b = _words(one, segment, text_a), _words(other, segment, text_b)
    if text_a != text_b:
        return _edited(text_a, text_b, words_a, words_b)
    return [
        Unit(text_a[slice(*_span(left))], text_a[slice(*_span(right))], _all(left), _all(right))
        for left, right in _common_stretches(words_a, words_b)
    ]


Word = tuple[Stretch, tuple[int, ...]]
"""The characters that a word covers, and the positions of its tokens."""


def _words(tokens: Sequence[Token], segment: int, text: str) -> list[Word]:
    """The words of a text: pieces of one word together, and tokens of no word each alone.

    A piece that is the space in front of a word belongs to it, and is none of its characters.
    """
    found: list[Word] = []
    last: int | None = None
    for i, token in enumerate(tokens):
        if token.segment != segment or token.span is None or token.special:
            continue
        if found and token.word is not None and token.word == last:
            (start, end), places = found[-1]
            start = token.span[0] if text[start:end].isspace() else start
            found[-1] = ((start, token.span[1]), (*places, i))
        else:
            found.append((token.span, (i,)))
        last = token.word
    return found


def _common_stretches(
    words_a: list[Word], words_b: list[Word]
) -> list[tuple[list[Word], list[Word]]]:
    """Groups of words that overlap, each as small as both sides allow."""
    groups: list[tuple[list[Word], list[Word]]] = []
    ends = (0, 0)
    merged = sorted([(w, 0) for w in words_a] + [(w, 1) for w in words_b])
    for word, side in merged:
        (start, end), _ = word
        if not groups or start >= max(ends):
            groups.append(([], []))
            ends = (0, 0)
        groups[-1][side].append(word)
        ends = (max(ends[0], end), ends[1]) if side == 0 else (ends[0], max(ends[1], end))
    return [(left, right) for left, right in groups if left and right]


def _edited(text_a: str, text_b: str, words_a: list[Word], words_b: list[Word]) -> list[Unit]:
    """Words that stayed, and words that were exchanged one for one."""
    said_a = [text_a[slice(*span)] for span, _ in words_a]
    said_b = [text_b[slice(*span)] for span, _ in words_b]
    fold_a, fold_b = [w.casefold() for w in said_a], [w.casefold() for w in said_b]
    units = []
    ends = (len(fold_a), len(fold_b))
    for (i, j), (next_i, next_j) in pairwise([(-1, -1), *_stayed(fold_a, fold_b), ends]):
        kept = [(i, j)] if i >= 0 else []
        if next_i - i == next_j - j:  # as many between this word and the next that stayed
            kept = list(zip(range(max(i, 0), next_i), range(max(j, 0), next_j), strict=True))
        units += [Unit(said_a[i], said_b[j], words_a[i][1], words_b[j][1]) for i, j in kept]
    return units


def _stayed(one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int]]:
    """The words that two texts share in order, as many as can be, as pairs of places.

    The longest common subsequence (Wagner, Fischer 1974), a row of the table at a time: words of
    one times words of the other, both bounded by what a model reads (`limits.MAX_TOKENS`).
    """
    numbers = {word: n for n, word in enumerate(dict.fromkeys([*one, *other]))}
    a, b = (np.array([numbers[word] for word in words], dtype=int) for words in (one, other))
    most = np.zeros((len(a) + 1, len(b) + 1), dtype=np.int32)  # from each place to the ends
    for i in range(len(a) - 1, -1, -1):
        both = np.maximum(most[i + 1, :-1], most[i + 1, 1:] + (b == a[i]))
        most[i, :-1] = np.maximum.accumulate(both[::-1])[::-1]
    found: list[tuple[int, int]] = []
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif most[i + 1, j] >= most[i, j + 1]:
            i += 1
        else:
            j += 1
    return found


def _span(words: list[Word]) -> Stretch:
    return words[0][0][0], words[-1][0][1]


def _all(words: list[Word]) -> tuple[int, ...]:
    return tuple(i for _, places in words for i in places)
