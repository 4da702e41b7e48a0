"""What comes next as blocks of a payload; `numbers/next.js` is the other end.

Where the model expects nothing, the one block says why.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from explorer.errors import ExplorerError
from explorer.instrument.wire.container import Block, of_bytes
from explorer.instrument.wire.request import Draw
from explorer.prediction import Predictions
from explorer.trace import AttentionTrace

Expects = Callable[[Draw], Predictions]
_ENTRIES = ("ids", "logs", "real", "ranks")


def may_predict(trace: AttentionTrace) -> bool:
    """Whether what looks is a text that is read forwards, so that something may come next."""
    if trace.patches or trace.model.part == "encoder":
        return False
    if trace.model.part in ("cross", "decoder"):
        return True
    return trace.layers[0].looks_back


@dataclass(frozen=True)
class Hand:
    """What a reader may do with the model behind a trace.

    Attributes:
        writes: Whether it may be asked what comes next, where the text is read forwards.
        writing: ``now`` while the model writes, or why it wrote no further; None for neither.
        edits: What is changed in its attention, as links say it; None where nothing can be.
    """

    writes: bool = False
    writing: str | None = None
    edits: str | None = None

    def said(self, trace: AttentionTrace) -> dict[str, Any]:
        """As a header says it."""
        predicts = self.writes and may_predict(trace)
        return {"predicts": predicts, "writing": self.writing, "edits": self.edits}


NO_HAND = Hand()


def next_blocks(draw: Draw, expects: Expects) -> list[Block]:
    """What comes next, drawn in a way."""
    about = {"kind": "next", "temperature": draw.temperature, "top": draw.top, "at": draw.at}
    try:
        found = expects(draw)
    except ExplorerError as error:
        return [of_bytes(about | {"part": "nothing", "reason": str(error)}, b"")]
    told = {
        "part": "ids",
        "first": found.first,
        "last": found.last,
        "names": {str(i): text for i, text in found.texts.items()},
        "vocabulary": found.vocabulary,
        "end": list(found.ends),
        "room": found.room,
    }
    ids, *others = (getattr(found, name) for name in _ENTRIES)
    blocks: list[Block] = [(about | told, ids)]
    if found.was is not None:
        blocks.append((about | {"part": "was"}, found.was))
    return blocks + [
        (about | {"part": name}, array) for name, array in zip(_ENTRIES[1:], others, strict=True)
    ]
