"""Patterns that a head may follow, as 0/1 maps of a text; a head's score is what it puts on them.

The measure is that of TransformerLens' head detector (Nanda, Bloom 2022): Σ(A·P) over the queries
that the pattern is about, divided by their number, so that 1 means that they look nowhere else.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.trace import Token

Map = npt.NDArray[np.bool_]
PLACES = {"self": "itself", "previous": "the token before", "next": "the token after"}
MOST_MARKS = 16  # different special tokens that have a pattern of their own
_ENDS = frozenset(".!?。！？…")  # of a sentence


@dataclass(frozen=True, eq=False)
class Detector:
    """A pattern on one text.

    Attributes:
        map: Where a head that follows it looks, ``[query, key]``.
        queries: The queries that it is about, ``[query]``; all of them for most patterns.
    """

    map: Map
    queries: Map


def detectors(tokens: Sequence[Token]) -> dict[str, Detector]:
    """The patterns that a text can show, by name; those that it cannot are left out.

    Names: ``self``, ``previous``, ``next``, ``first``, each special token by its own text (of more
    than `MOST_MARKS` the first ones: a map is token × token, and a text may be of marks alone),
    ``punctuation``, ``same word``, ``same word before``, ``after the same word``,
    ``own sentence``, ``first to second text``, ``second to first text``.
    """
    n = len(tokens)
    everyone = np.ones(n, dtype=bool)
    special = np.array([t.special for t in tokens])
    maps = _of_place(n) | {
        mark: _columns(n, [t.special and t.text == mark for t in tokens]) for mark in _marks(tokens)
    }
    maps["punctuation"] = _columns(n, [is_punctuation(t) for t in tokens])
    maps |= _of_repetition(tokens)
    found = {name: Detector(map_, everyone) for name, map_ in maps.items()}
    sentences = sentence_of(tokens)
    if sentences.max(initial=-1) > 0:
        same = (sentences[:, None] == sentences) & ~special
        found["own sentence"] = Detector(same & ~special[:, None], ~special)
    found |= _between_texts(tokens)
    return {name: d for name, d in found.items() if d.map.any()}


def _marks(tokens: Sequence[Token]) -> list[str]:
    return list(dict.fromkeys(t.text for t in tokens if t.special))[:MOST_MARKS]


def is_punctuation(token: Token) -> bool:
    """Whether a token is made of punctuation alone."""
    shown = not token.special and token.span is not None
    return shown and all(unicodedata.category(c)[0] == "P" for c in token.text)


def sentence_of(tokens: Sequence[Token]) -> npt.NDArray[np.int64]:
    """The running number of each token's sentence, −1 for special tokens.

    A sentence ends with . ! ? or their like, and with its text.
    """
    found, number = [], 0
    last: Token | None = None
    for token in tokens:
        if token.special:
            found.append(-1)
            continue
        number += last is not None and _ends_between(last, token)
        found.append(number)
        last = token
    return np.array(found)


def _ends_between(last: Token, token: Token) -> bool:
    """Whether a sentence ends between two tokens that follow one another."""
    stop = last.text[-1:] in _ENDS and token.text[:1] not in _ENDS
    return stop or last.segment != token.segment


def _of_place(n: int) -> dict[str, Map]:
    return {
        "self": np.eye(n, dtype=bool),
        "previous": np.eye(n, k=-1, dtype=bool),
        "next": np.eye(n, k=1, dtype=bool),
        "first": _columns(n, [i == 0 for i in range(n)]),
    }


def _columns(n: int, chosen: Sequence[bool]) -> Map:
    """Every query on the chosen keys."""
    return np.tile(np.array(chosen, dtype=bool), (n, 1))


def _of_repetition(tokens: Sequence[Token]) -> dict[str, Map]:
    """The same token elsewhere, the same one earlier, and what came after it there."""
    n = len(tokens)
    texts = np.array([t.text.casefold() for t in tokens], dtype=object)
    ordinary = np.array([not t.special for t in tokens])
    same = np.asarray(texts[:, None] == texts, dtype=bool)
    same &= ordinary[:, None] & ordinary & ~np.eye(n, dtype=bool)
    before = np.tril(same)
    after = np.zeros_like(before)
    after[:, 1:] = before[:, :-1]  # an earlier occurrence at k: the token at k + 1
    return {
        "same word": same,
        "same word before": before,
        "after the same word": np.tril(after, -1),
    }


def _between_texts(tokens: Sequence[Token]) -> dict[str, Detector]:
    one, two = (
        np.array([t.segment == segment and not t.special for t in tokens]) for segment in (0, 1)
    )
    return {
        "first to second text": Detector(one[:, None] & two, one),
        "second to first text": Detector(two[:, None] & one, two),
    }
