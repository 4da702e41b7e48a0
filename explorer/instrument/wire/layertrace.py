"""One head's way from tokens to output as a payload; `layertrace.js` is the other end.

Its blocks are the arrays of each trace by their names, and ``page``, a file if one was asked for.
Nothing is rounded: the browser repeats the sums and shows how far it is from the model's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from explorer.instrument.wire.about import About, passport_words
from explorer.instrument.wire.container import Block, of_bytes, write
from explorer.layertrace import Array, LayerTrace


@dataclass(frozen=True)
class WhatIf:
    """What the server can change, and has changed.

    Attributes:
        offered: What can be asked for, of `CHANGES`.
        changes: What is asked for.
        other: d_model and number of heads of the layer of another size.
        trouble: Why it cannot be shown, if it cannot.
    """

    offered: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    other: tuple[int, int] = (0, 0)
    trouble: str = ""


def pack_layer_traces(
    traces: Sequence[tuple[LayerTrace, int]],
    *,
    trace_id: str,
    note: str = "",
    opening: Mapping[str, object] | None = None,
    usual: int = 0,
    about: About | None = None,
    texts: Sequence[str] = (),
    link: Mapping[str, str] | None = None,
    what_if: WhatIf | None = None,
    page: str = "",
) -> bytes:
    """The payload of a head, and of the same with something changed.

    Args:
        traces: A layer and one of its heads; behind it, if there is one, what it is compared with.
        trace_id: Names the text and the model: payloads with one id keep the reader's view.
        note: What is different in the second, in words.
        opening: The view to open with, by the names that a link uses.
        usual: The token that is the query where nobody has chosen one.
        about: Whose picture it is; None for the trace alone.
        texts: What was read: by its words a place is found in another text.
        link: The URL parameters of the run; None if no link can carry it.
        what_if: What is changed, and what could be; in a file nothing can.
        page: All this as a file, if it was asked for.
    """
    abouts, blocks = [], list[Block]()
    for number, (trace, head) in enumerate(traces):
        abouts.append(
            {
                "title": trace.model.name,
                "passport": passport_words(trace.model),
                "layer": trace.layer,
                "head": head,
                "n_layers": trace.model.n_layers,
                "n_heads": trace.model.n_heads,
                "d_model": trace.model.d_model,
                "d_k": trace.d_k,
                "causal": not trace.allowed.all(),
                "normed": trace.normed,
                "parts": [part.name for part in trace.parts],
                "tokens": [asdict(token) for token in trace.tokens],
            }
        )
        for name, array in _arrays(trace, head):
            blocks.append(({"trace": number, "name": name}, array.astype(np.float32)))
    header = {
        "id": trace_id,
        "note": note,
        "opening": opening,
        "usual": usual,
        "about": about and asdict(about),
        "texts": texts,
        "link": link,
        "what_if": asdict(what_if or WhatIf()),
        "traces": abouts,
    }
    return write(header, [*blocks, of_bytes({"name": "page"}, page.encode())])


def _arrays(trace: LayerTrace, head: int) -> list[tuple[str, Array]]:
    """What the browser needs of a layer to repeat every sum of one head."""
    own = slice(head * trace.d_k, (head + 1) * trace.d_k)
    return [
        *((f"part{i}", part.values) for i, part in enumerate(trace.parts)),
        *(() if trace.positions is None else (("positions", trace.positions),)),
        ("x", trace.x),
        *((name, getattr(trace, name)[own]) for name in ("w_q", "w_k", "w_v", "b_q", "b_k", "b_v")),
        *((name, getattr(trace, name)[head]) for name in ("q", "k", "v", "weights")),
        ("joined", trace.joined),
        ("w_o", trace.w_o[:, own]),
        ("b_o", trace.b_o),
        ("output", trace.output),
    ]
