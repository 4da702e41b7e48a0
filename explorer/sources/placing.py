"""Where the pieces of a tokenizer that does not tell stand in a text."""

import unicodedata
from collections.abc import Sequence

_WINDOW = 24  # characters that a tokenizer may have dropped between two pieces


def spans_of(pieces: Sequence[str], text: str) -> list[tuple[int, int] | None]:
    """The characters that each piece stands for, in order; None for a piece that is not found.

    Pieces are looked for one after the other, in a text whose characters are folded as
    SentencePiece folds them (NFKC) and without regard to case. A piece spells a space as ``▁``.
    """
    folded, origin = _fold(text)
    spans: list[tuple[int, int] | None] = []
    at = 0
    for piece in pieces:
        wanted = _fold(piece.replace("▁", " "))[0].strip()
        while at < len(folded) and folded[at].isspace():
            at += 1
        found = folded.find(wanted, at, at + len(wanted) + _WINDOW) if wanted else -1
        if found < 0:
            spans.append(None)
            continue
        at = found + len(wanted)
        spans.append((origin[found], origin[at - 1] + 1))
    return spans


def _fold(text: str) -> tuple[str, list[int]]:
    """A text folded, and for each character of the result the character that it comes from."""
    parts = [unicodedata.normalize("NFKC", character).casefold() for character in text]
    origin = [i for i, part in enumerate(parts) for _ in part]
    return "".join(parts), origin


def words_of(pieces: Sequence[str], spans: Sequence[tuple[int, int] | None]) -> list[int | None]:
    """The running number of the word that each piece belongs to; None for one without a place."""
    words: list[int | None] = []
    word, end = -1, -1
    for piece, span in zip(pieces, spans, strict=True):
        if span is None:
            words.append(None)
            continue
        if span[0] != end or piece.startswith("▁"):
            word += 1
        end = span[1]
        words.append(word)
    return words
