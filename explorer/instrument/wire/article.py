"""The Article as a payload; `numbers/article.js` is the other end.

Its blocks are ``trace``, the attention that its figures show, as `wire/trace.py` packs it;
``fact``, the numbers behind a figure; and ``page``, all this as a file, if it was asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from explorer.instrument.wire.about import About
from explorer.instrument.wire.container import Block, of_bytes, write
from explorer.instrument.wire.trace import pack
from explorer.trace import AttentionTrace


@dataclass(frozen=True)
class Piece:
    """A block of the lesson's prose.

    Attributes:
        kind: What it is.
        texts: Its words, which may hold ``*emphasis*``, ``**strong**``, ``code`` in backticks,
            ``$a formula$`` and ``[a link](/page?query)``; of a list one for each item; of a figure
            its name.
    """

    kind: Literal["heading", "text", "list", "quote", "figure"]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Chapter:
    """A chapter of the lesson.

    Attributes:
        title: Its heading.
        anchor: What `chapter=` of a link calls it.
        pieces: What it holds, in order.
    """

    title: str
    anchor: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Fact:
    """What a figure shows beside attention: computed once, sent whole.

    Attributes:
        said: What can be written as JSON.
        arrays: Numbers by their names.
    """

    said: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)


Whose = Literal["reader", "beginning", "example"]
Facts = Mapping[str, Fact]
"""By the name of what they are about."""


def pack_article(
    trace: AttentionTrace,
    chapters: Sequence[Chapter],
    facts: Facts,
    *,
    article_id: str,
    link: Mapping[str, str] | None = None,
    run: Mapping[str, str] | None = None,
    about: About | None = None,
    opening: Mapping[str, str] | None = None,
    whose: Whose = "example",
    whole: bool = True,
    page: str = "",
) -> bytes:
    """The payload of the lesson.

    Args:
        trace: The attention that the figures show.
        chapters: The prose.
        facts: What else they show, as far as it is known.
        article_id: Names it: payloads with one id add to the same picture.
        link: The URL parameters of what the reader looks at; None if no link can carry it.
        run: Those of what the figures show.
        about: Whose attention it is; None for the trace's.
        opening: The view to open with, by the names that a link uses.
        whose: Whether the text is the reader's, its beginning, or the first example.
        whole: Whether all facts are there.
        page: All this as a file, if it was asked for.
    """
    header = {
        "id": article_id,
        "link": link,
        "run": run,
        "about": asdict(about or About.of(trace)),
        "opening": opening,
        "whose": whose,
        "chapters": list(map(asdict, chapters)),
        "facts": {name: dict(fact.said) for name, fact in facts.items()},
        "whole": whole,
    }
    inner = pack(trace, trace_id=article_id, layers=trace.numbers)
    blocks: list[Block] = [of_bytes({"kind": "trace"}, inner)]
    for name, fact in facts.items():
        for part, array in fact.arrays.items():
            kept = array.astype(np.float32) if array.dtype == np.float64 else array
            blocks.append(({"kind": "fact", "of": name, "part": part}, kept))
    return write(header, [*blocks, of_bytes({"kind": "page"}, page.encode())])
