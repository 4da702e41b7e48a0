"""One head over a corpus: what the page asks for it, and where it leads."""

from typing import Any

from explorer.corpus.shelf import OnShelf, Opened
from explorer.instrument.wire.corpushead import pack_head
from explorer.ui.answers import made


def told(
    one: OnShelf, of: Opened, layer: int, head: int, measure: str, what: tuple[object, ...]
) -> dict[str, Any]:
    """What is sent of a head: its own numbers, and whatever was asked for beside them.

    Args:
        one: Where the folder stands.
        of: The folder.
        layer: The layer's own number.
        head: The head.
        measure: By which its examples stand in order.
        what: Names all this: what is made of it is made once.

    Raises:
        ExplorerError: There is no such head or measure, or the folder is damaged.
    """
    found: dict[str, Any] = made(
        "corpus head", lambda _: pack_head(of, layer, head, measure), *what
    )
    return found


def asked(one: OnShelf, of: Opened, sent: object) -> None:
    """What the panel of a head wants, as `corpushead.js` sends it by ``acts.ask``."""


def explore(one: OnShelf, of: Opened, sent: object) -> None:
    """An example shall be seen in Explore, at a pair, as it is sent by ``acts.explore``."""
