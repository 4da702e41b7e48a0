"""The strongest weights of example texts, as a table."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from explorer.corpus.merging import Merged

if TYPE_CHECKING:
    from explorer.corpus.pairs import Pairs

_LISTS = ("query", "key", "weight")


def pairs_table(merged: Merged, found: Iterable["list[Pairs]"]) -> pa.Table:
    """A row for each head and text: of drawn texts all heads, of others those that do most in them.

    Args:
        merged: All shards together.
        found: The strongest weights of all these texts.
    """
    drawn = set(merged.sample.tolist())
    shape = merged.top_number.shape[:2]
    rows: list[tuple[int, int, int]] = []
    lists: dict[tuple[int, int, int], tuple[Any, ...]] = {}
    for some in found:
        for pairs in some:
            wanted = np.ones(shape, dtype=bool)
            if pairs.number not in drawn:
                wanted = (merged.top_number == pairs.number).any(axis=-1)
            for layer, head in np.argwhere(wanted).tolist():
                at = (layer, head, pairs.number)
                rows.append(at)
                lists[at] = tuple(getattr(pairs, name)[layer, head] for name in _LISTS)
    rows.sort()
    sizes = [len(lists[at][0]) for at in rows]
    offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32))
    columns = {
        "layer": merged.layers[[layer for layer, _, _ in rows]],
        "head": np.array([head for _, head, _ in rows]),
        "text": np.array([number for _, _, number in rows]),
    }
    for i, name in enumerate(_LISTS):
        values = np.concatenate([lists[at][i] for at in rows])
        columns[name] = pa.ListArray.from_arrays(offsets, pa.array(values))
    return pa.table(columns)
