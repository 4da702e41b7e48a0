"""Where the pieces of a tokenizer stand in a text, and which of them make a word."""

import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

Span = tuple[int, int]
_WINDOW = 24  # characters that a tokenizer may have dropped between two pieces
_SURE = 4  # characters in a row that must agree before anything counts as dropped
_BLANKS = " \u00a0\u3000"
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
# Scripts that are written without spaces between words, with their punctuation: Thai, Lao, Tibetan,
# Myanmar, Khmer, Tai, Javanese; Han, kana, bopomofo, Yi; forms of the full and of half the width.
_WITHOUT_SPACES = (
    *(range(0x0E00, 0x10A0), range(0x1780, 0x1800), range(0x1950, 0x19E0), range(0x1A20, 0x1AB0)),
    *(range(0xA980, 0xA9E0), range(0x2E80, 0x3130), range(0x31A0, 0xA4D0), range(0xF900, 0xFB00)),
    *(range(0xFE30, 0xFE50), range(0xFF01, 0xFF10), range(0xFF1A, 0xFF21), range(0xFF3B, 0xFF41)),
    *(range(0xFF5B, 0xFFA0), range(0x1AFF0, 0x1B170), range(0x20000, 0x40000)),
)
_KATAKANA = (range(0x30A1, 0x3100), range(0x31F0, 0x3200), range(0xFF66, 0xFFA0))

# --- where pieces stand -------------------------------------------------------------------------


def spans_of(pieces: Sequence[str | None], text: str) -> list[Span | None]:
    """The characters that each piece stands for, in order; None for a piece that is not found.

    Pieces are looked for one after the other in a text without its spaces, both folded as
    tokenizers fold them: compatibility forms (NFKD), case, and accents where that finds more. A
    piece of unknown text stands for what lies between its neighbours, as far as it is clear which
    part of that is its own.

    Args:
        pieces: As the text has them, with the space in front of a word or without it; ``<0x0A>``
            or one letter for a byte; empty for a token that stands for no text; None for one whose
            text is unknown.
        text: The text.
    """
    units = list(_units(pieces, text))
    found = _located([surface for surface, _ in units], text, _folded)
    if None in found:
        bare = _located([surface for surface, _ in units], text, _bare)
        found = min(found, bare, key=lambda spans: spans.count(None))
    spans: list[Span | None] = [None] * len(pieces)
    for (_, members), span in zip(units, found, strict=True):
        for i in members:
            spans[i] = span
    return spans


def _units(pieces: Sequence[str | None], text: str) -> Iterator[tuple[str | None, list[int]]]:
    """What is looked for, with the pieces that it is made of: a character of several bytes."""
    letters = _bytes_of(pieces, text)
    run: list[tuple[int, int]] = []
    for i, piece in enumerate(pieces):
        byte = _BYTE.fullmatch(piece or "")
        if byte or (letters and piece):
            run.append((i, int(byte[1], 16) if byte else ord(piece or "")))
            continue
        yield from _characters(run)
        run = []
        escaped = piece and piece.startswith("&") and piece.endswith(";")  # as Moses writes them
        yield html.unescape(piece) if escaped and piece else piece, [i]
    yield from _characters(run)


def _bytes_of(pieces: Sequence[str | None], text: str) -> bool:
    """Whether a text came as its bytes, each spelled as the letter of that number (ByT5)."""
    letters = "".join(piece or "" for piece in pieces)
    if text.startswith(letters) or any(ord(letter) > 255 for letter in letters):
        return False
    return text.encode("utf-8").startswith(letters.encode("latin-1"))


def _characters(run: list[tuple[int, int]]) -> Iterator[tuple[str | None, list[int]]]:
    """Bytes, each with its position, as the characters that they are; None for what is none."""
    at = 0
    while at < len(run):
        first = run[at][1]
        size = 1 + (first >= 0xC0) + (first >= 0xE0) + (first >= 0xF0)
        data = bytes(byte for _, byte in run[at : at + size])
        try:
            surface: str | None = data.decode("utf-8")
        except UnicodeDecodeError:
            surface, size = None, 1
        yield surface, [i for i, _ in run[at : at + size]]
        at += size


def _folded(character: str) -> str:
    """A character as tokenizers compare it: without the form, the width and the case it is in."""
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())


def _bare(character: str) -> str:
    """The same without its accents."""
    return "".join(c for c in _folded(character) if unicodedata.category(c) != "Mn")


def _located(
    surfaces: Sequence[str | None], text: str, fold: Callable[[str], str]
) -> list[Span | None]:
    parts = ["" if c.isspace() else fold(c) for c in text]
    origin = [i for i, part in enumerate(parts) for _ in part]
    whole = "".join(parts)
    wanted = [s if s is None else "".join(fold(c) for c in s if not c.isspace()) for s in surfaces]
    word_of = _word_numbers(text)
    spans: list[Span | None] = [None] * len(wanted)
    at, unknown = 0, 0
    for i, piece in enumerate(wanted):
        if not piece:
            unknown += piece is None
            continue
        start = _ahead(whole, at, wanted[i : i + 2 * _SURE], unknown > 0)
        if start is None:
            continue
        # A piece of unknown text stands for a word at most; more than that says that this is wrong.
        crossed = word_of[origin[start]] - word_of[origin[at]]
        if start == at or crossed <= unknown or len(piece) >= _SURE:
            at, unknown = start + len(piece), 0
            spans[i] = (origin[start], origin[at - 1] + 1)
    _fill(spans, surfaces, text)
    return spans


def _word_numbers(text: str) -> list[int]:
    """For each character, how many words stand before its own."""
    spaces = [c.isspace() for c in text]
    return list(accumulate(a and not b for a, b in zip([False, *spaces], spaces, strict=False)))


def _ahead(whole: str, at: int, wanted: Sequence[str | None], unknown: bool) -> int | None:
    """Where a piece begins: here, or behind what is unknown or was dropped, if what follows agrees.

    Args:
        whole: The folded text without spaces.
        at: Where the last piece ends in it.
        wanted: The piece, folded, and those that follow.
        unknown: Whether pieces of unknown text stand before it.
    """
    if not unknown and whole.startswith(wanted[0] or "", at):
        return at
    follow = ""
    for piece in wanted:
        if piece is None or len(follow) >= 2 * _SURE:
            break
        follow += piece
    if not unknown and len(follow) < _SURE and at + len(follow) < len(whole):
        return None
    found = whole.find(follow, at + unknown, at + _WINDOW + len(follow))
    return found if found >= 0 else None


def _fill(spans: list[Span | None], surfaces: Sequence[str | None], text: str) -> None:
    """Give places to pieces of unknown text, and to those that are spaces, between the others."""
    lost: list[int] = []
    end = 0
    for i in range(len(spans) + 1):
        span = spans[i] if i < len(spans) else (len(text), len(text))
        if span is None:
            if surfaces[i] is None or surfaces[i]:
                lost.append(i)
            continue
        unknown = [k for k in lost if surfaces[k] is None or not (surfaces[k] or "").isspace()]
        for k, place in zip(unknown, _shares(text, end, span[0], len(unknown)), strict=True):
            spans[k] = place
        _fill_spaces(spans, surfaces, text, lost, end)
        lost, end = [], span[1]


def _shares(text: str, start: int, end: int, n: int) -> list[Span | None]:
    """A gap's parts for so many unknown pieces: its words, its characters, or one word for all."""
    words = [(start + m.start(), start + m.end()) for m in re.finditer(r"\S+", text[start:end])]
    if len(words) == n:
        return list(words)
    letters = [(i, i + 1) for a, b in words for i in range(a, b)]
    if len(letters) == n:
        return list(letters)
    return [words[0] if len(words) == 1 else None] * n


def _fill_spaces(
    spans: list[Span | None],
    surfaces: Sequence[str | None],
    text: str,
    lost: Sequence[int],
    end: int,
) -> None:
    """Pieces that are spaces stand for those that come next; one that was added for none."""
    for i in lost:
        piece = surfaces[i]
        if piece is not None and piece.isspace():
            after = end + len(piece)
            if text[end:after].isspace() and len(text[end:after]) == len(piece):
                spans[i] = (end, after)
        placed = spans[i]
        end = placed[1] if placed else end


def tidied(spans: Sequence[Span | None], pieces: Sequence[str], text: str) -> list[Span | None]:
    """Spans as a tokenizer tells them, each with its own characters alone.

    Tokenizers tell the space before a word with the word; and they tell for a space that they have
    put before a text (SentencePiece's ▁) the first of its characters, which is not its own.
    """
    found: list[Span | None] = []
    end = 0
    for i, span in enumerate(spans):
        own = text[slice(*span)] if span else ""
        if span and not pieces[i].strip("▁Ġ \u00a0"):
            again = own.isspace() and i + 1 < len(spans) and spans[i + 1] == span
            found.append(None if again else _space_at(span, len(pieces[i]), text, end))
        elif span is None or not own:
            found.append(None)
        elif own.isspace():
            found.append(span)
        else:
            start = span[0] + len(own) - len(own.lstrip(_BLANKS))
            found.append((start, span[1] - len(own) + len(own.rstrip(_BLANKS))))
        last = found[-1]
        end = last[1] if last else end
    return found


def _space_at(span: Span, n: int, text: str, end: int) -> Span | None:
    """The characters of a piece that is spaces alone; None if it was added.

    Args:
        span: Where the tokenizer says that it is: there, or nowhere at its end (RoBERTa), or at
            what follows it (XLM-RoBERTa).
        n: How many spaces it is.
        text: The text.
        end: Where the piece before ends.
    """
    if text[slice(*span)].isspace():
        return span
    first = max(span[0] - n, 0)
    after = max(span[0], first + n)
    return (first, after) if first >= end and text[first:after].isspace() else None


# --- words --------------------------------------------------------------------------------------


def words_of(
    text: str,
    spans: Sequence[Span | None],
    told: Sequence[int | None],
    joined: Sequence[bool],
    spaces: Sequence[bool],
) -> list[int | None]:
    """The running number of the word that each piece belongs to; None for one that has no word.

    A word is what the tokenizer takes for one, and where that is more than a reader does, the part
    of it between two spaces: tokenizers that cut a text in one go (Llama, Gemma, Mistral) have no
    words, and full stops stay with their words there. In scripts that are written without spaces
    every piece is a word, as every Han character is in BERT, but for pieces of one character and of
    a run of katakana; so Chinese texts can be compared, pointed at and taken apart word by word.

    A single space in front of a word is a piece of it; any other white space belongs to no word.

    Args:
        text: The text.
        spans: The characters of each piece, without spaces around it.
        told: The tokenizer's own words, by number; None for what belongs to none.
        joined: Whether a piece says by its spelling that it goes on with the word before it.
        spaces: Whether a piece is one space, as its vocabulary spells it.
    """
    words: list[int | None] = [None] * len(spans)
    word, end, last = -1, 0, -1
    for i, span in enumerate(spans):
        if told[i] is None or span is None or text[slice(*span)].isspace():
            continue
        other = last < 0 or (told[i] != told[last] and not _goes_on(text, end, span[0]))
        if other or _parted(text, end, span[0], joined[i]):
            word += 1
        words[i], last, end = word, i, max(end, span[1])
    for i in range(len(spans) - 2, -1, -1):
        word_after, span, after = words[i + 1], spans[i], spans[i + 1]
        if word_after is None or after is None or told[i] is None or told[i] != told[i + 1]:
            continue
        if text[slice(*after)].isspace() or words[i] is not None or not spaces[i]:
            continue
        if span is None or span[1] == after[0]:
            words[i] = word_after
    return words


def _goes_on(text: str, end: int, start: int) -> bool:
    """Whether a sign goes with its letter: the rules of GPT-2 cut Hindi at every vowel sign."""
    before, after = (unicodedata.category(text[i])[0] for i in (end - 1, start))
    return start == end and (after == "M" or (before == "M" and after == "L"))


def _parted(text: str, end: int, start: int, joined: bool) -> bool:
    """Whether a word ends at a character, so that the next begins at another."""
    if start < end:
        return False  # both are pieces of one character
    if any(map(str.isspace, text[end:start])):
        return True
    before, after = text[end - 1], text[start]
    if joined or unicodedata.category(after)[0] == "M":
        return False
    if all(_is_of(c, _KATAKANA) for c in (before, after)):
        return False
    return _is_of(before, _WITHOUT_SPACES) or _is_of(after, _WITHOUT_SPACES)


def _is_of(character: str, scripts: Sequence[range]) -> bool:
    code = ord(character)
    return code >= scripts[0].start and any(code in script for script in scripts)
