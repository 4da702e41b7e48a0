"""The lesson's prose: it stands in article.md and article_6_9.md, chapter by chapter.

A chapter begins with ``## Title {#anchor}``. Blocks are apart by an empty line: ``### Heading``,
``- items`` of a list, ``> words of the article``, ``{figure name}`` alone in its line, and text.
Every block is a message of the catalogue, a list one for each item; the article's own words stay.
"""

import functools
import re
from collections.abc import Iterator
from pathlib import Path

from explorer.instrument.wire.article import Chapter, Piece

_FILES = ("article.md", "article_6_9.md")
_CHAPTER = re.compile(r"^## (.+) \{#(\w+)\}$", re.MULTILINE)
_FIGURE = re.compile(r"\{figure (\w+)\}")


@functools.cache
def chapters() -> tuple[Chapter, ...]:
    """All chapters, in order, in English."""
    here = Path(__file__).parent
    texts = [(here / name).read_text("utf-8") for name in _FILES if (here / name).is_file()]
    _, *parts = _CHAPTER.split("\n\n".join(texts))
    return tuple(_chapter(*parts[i : i + 3]) for i in range(0, len(parts), 3))


def _chapter(title: str, anchor: str, text: str) -> Chapter:
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text)]
    return Chapter(title, anchor, tuple(_piece(block) for block in blocks if block))


def _piece(block: str) -> Piece:
    figure = _FIGURE.fullmatch(block)
    if figure:
        return Piece("figure", (figure[1],))
    if block.startswith("### "):
        return Piece("heading", (block.removeprefix("### "),))
    if block.startswith("- "):
        return Piece("list", tuple(map(_line, re.split(r"^- ", block, flags=re.MULTILINE)[1:])))
    if block.startswith("> "):
        return Piece("quote", (_line(block.replace("\n> ", "\n").removeprefix("> ")),))
    return Piece("text", (_line(block),))


def _line(text: str) -> str:
    return " ".join(text.split())


def messages() -> Iterator[str]:
    """Every message that a translation of the lesson holds."""
    for chapter in chapters():
        yield chapter.title
        for piece in chapter.pieces:
            if piece.kind not in ("figure", "quote"):
                yield from piece.texts
