"""The lesson's prose: it stands in article.md and article_6_9.md, chapter by chapter.

A chapter begins with ``## Title {#anchor}``. Blocks are apart by an empty line: ``### Heading``,
``- items`` of a list, ``> words of the article``, ``{figure name}`` alone in its line, and text.
Every block is a message of the catalogue as it stands, but for figures and the article's own words.
"""

import functools
import re
from collections.abc import Iterator
from pathlib import Path

from explorer.instrument.wire.article import Chapter, Piece
from explorer.language import ENGLISH, say, t

FILES = ("article.md", "article_6_9.md")
EDIT = t("Press *Edit*, write an English sentence of yours, and the whole lesson is about it.")
_ALONE = t(
    "In this file the sentence is the one that it was saved with; in the app you can write one of "
    "your own."
)
_CHAPTER = re.compile(r"## (.+) \{#(\w+)\}")
_FIGURE = re.compile(r"\{figure (\w+)\}")


@functools.cache
def chapters(language: str = ENGLISH, *, alone: bool = False) -> tuple[Chapter, ...]:
    """All chapters, in order, in a language.

    Args:
        language: Which one.
        alone: Whether they stand in a file, where nothing can be edited.
    """
    found: list[tuple[str, str, list[Piece]]] = []
    for block in _blocks():
        message = _ALONE if alone and block == EDIT else t(block)
        said = say(message, language) if is_said(block) else block
        begins, begins_here = _CHAPTER.fullmatch(block), _CHAPTER.fullmatch(said)
        if begins:  # the anchor is that of the English title
            found.append((begins_here[1] if begins_here else begins[1], begins[2], []))
        else:
            found[-1][2].append(_piece(said))
    return tuple(Chapter(title, anchor, tuple(pieces)) for title, anchor, pieces in found)


def _blocks() -> Iterator[str]:
    for name in FILES:
        path = Path(__file__).with_name(name)
        if path.is_file():
            text = path.read_text("utf-8")
            yield from (block.strip() for block in text.split("\n\n") if block.strip())


def is_said(block: str) -> bool:
    """Whether a block is a message: the name of a figure and what the article says are none."""
    return not block.startswith(("> ", "{figure "))


def _piece(block: str) -> Piece:
    figure = _FIGURE.fullmatch(block)
    if figure:
        return Piece("figure", (figure[1],))
    if block.startswith("### "):
        return Piece("heading", (block.removeprefix("### "),))
    if block.startswith("- "):
        items = re.split(r"^- ", block, flags=re.MULTILINE)[1:]
        return Piece("list", tuple(map(str.strip, items)))
    if block.startswith("> "):
        return Piece("quote", (block.removeprefix("> "),))
    return Piece("text", (block,))
