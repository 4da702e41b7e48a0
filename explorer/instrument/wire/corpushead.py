"""What one head does over a corpus, for the browser; `panels/corpushead.js` is the other end."""

from typing import Any

from explorer.corpus.folder import CorpusFolder
from explorer.corpus.headvis import HeadVisTree


def pack_head(
    of: CorpusFolder | HeadVisTree, layer: int, head: int, measure: str
) -> dict[str, Any]:
    """What is known of one head.

    Args:
        of: The folder.
        layer: The layer's own number.
        head: The head.
        measure: By which its examples stand in order.

    Raises:
        ExplorerError: There is no such head or measure, or the folder is damaged.
    """
    return {"layer": layer, "head": head, "measure": measure}
