"""One head over a corpus: what the page asks for it, and where it leads."""

from typing import Any

from explorer.corpus.shelf import OnShelf, Opened
from explorer.instrument.wire.corpushead import pack_head


def told(one: OnShelf, of: Opened, layer: int, head: int, measure: str) -> dict[str, Any]:
    """What is sent of a head: its own numbers, and whatever was asked for beside them.

    Raises:
        ExplorerError: There is no such head or measure, or the folder is damaged.
    """
    return pack_head(of, layer, head, measure)


def asked(one: OnShelf, sent: object) -> None:
    """What the panel of a head wants, as `corpushead.js` sends it by ``acts.ask``."""


def explore(one: OnShelf, of: Opened, sent: object) -> None:
    """An example shall be seen in Explore, at a pair, as it is sent by ``acts.explore``."""
