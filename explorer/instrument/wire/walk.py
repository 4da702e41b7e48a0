"""One head's way from tokens to output as a payload; `walk.js` is the other end.

Its blocks are the arrays of each walk by their names, and ``page``, a file if one was asked for.
Nothing is rounded: the browser repeats the sums and shows how far it is from the model's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from explorer.instrument.wire.container import Block, of_bytes, write
from explorer.instrument.wire.trace import passport_words
from explorer.walk import Array, LayerWalk


def pack_walk(
    walks: Sequence[tuple[LayerWalk, int]],
    *,
    walk_id: str,
    note: str = "",
    opening: Mapping[str, object] | None = None,
    link: Mapping[str, str] | None = None,
    page: str = "",
) -> bytes:
    """The payload of a head, and of the same with something changed.

    Args:
        walks: A layer and one of its heads; behind it, if there is one, what it is compared with.
        walk_id: Names the text and the model: payloads with one id keep the reader's view.
        note: What is different in the second, in words.
        opening: The view to open with, by the names that a link uses.
        link: The URL parameters of the run; None if no link can carry it.
        page: All this as a file, if it was asked for.
    """
    abouts, blocks = [], list[Block]()
    for number, (walk, head) in enumerate(walks):
        abouts.append(
            {
                "title": walk.model.name,
                "passport": passport_words(walk.model),
                "layer": walk.layer,
                "head": head,
                "n_layers": walk.model.n_layers,
                "n_heads": walk.model.n_heads,
                "d_model": walk.model.d_model,
                "d_k": walk.d_k,
                "causal": not walk.allowed.all(),
                "normed": walk.normed,
                "parts": [part.name for part in walk.parts],
                "tokens": [asdict(token) for token in walk.tokens],
            }
        )
        for name, array in _arrays(walk, head):
            blocks.append(({"walk": number, "name": name}, array.astype(np.float32)))
    header = {
        "id": walk_id,
        "note": note,
        "opening": opening,
        "link": link,
        "walks": abouts,
    }
    return write(header, [*blocks, of_bytes({"name": "page"}, page.encode())])


def _arrays(walk: LayerWalk, head: int) -> list[tuple[str, Array]]:
    """What the browser needs of a layer to repeat every sum of one head."""
    own = slice(head * walk.d_k, (head + 1) * walk.d_k)
    return [
        *((f"part{i}", part.values) for i, part in enumerate(walk.parts)),
        ("x", walk.x),
        *((name, getattr(walk, name)[own]) for name in ("w_q", "w_k", "w_v", "b_q", "b_k", "b_v")),
        *((name, getattr(walk, name)[head]) for name in ("q", "k", "v", "weights")),
        ("joined", walk.joined),
        ("w_o", walk.w_o[:, own]),
        ("b_o", walk.b_o),
        ("output", walk.output),
    ]
