"""How a prediction comes about as blocks of a payload; `numbers/lens.js` is the other end.

``lens``: what each layer would predict if it were the last, float32 ``[layer, position]`` of the
likeliest token and of the one that is followed. ``wrote``: what each part gives to a token's logit,
float64 ``[part]``. ``why``: what each part on either side gives to the score of an edge, float64
``[part]``: those of the query, then those of the key. Where the model's parts cannot be told apart
it says why.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from explorer.analysis.attribution import Attribution, attribution
from explorer.analysis.edge import why
from explorer.errors import ExplorerError
from explorer.instrument.wire.container import Block, of_bytes
from explorer.instrument.wire.request import Edge, Lens
from explorer.residual import AtPosition, EdgeVectors, LensMap, LensRow, Part

POSITIONS = 24  # that are shown beside one another

Reads = Callable[[Lens], tuple[LensMap, LensRow, AtPosition | str, tuple[str, ...]]]
"""The map, the row of the position, all that was added there or why that is not known, and what
the tokens that are asked about write."""


def lens_blocks(wish: Lens, reads: Reads) -> list[Block]:
    """How the prediction at a position comes about."""
    about = {"at": wish.at, "token": wish.token, "other": wish.other}
    try:
        whole, row, added, names = reads(wish)
    except ExplorerError as error:
        return [of_bytes({"kind": "lens", "reason": str(error)} | about, b"")]
    told = {
        "kind": "lens",
        "numbers": list(whole.numbers),
        "positions": list(whole.positions),
        "texts": whole.texts,
        "tops": [
            [[text, round(float(p), 6)] for text, p in zip(texts, chances, strict=True)]
            for texts, chances in zip(row.texts, row.probabilities, strict=True)
        ],
        "names": names,
    } | about
    chances = np.stack([whole.probabilities, whole.chosen_probabilities])
    blocks: list[Block] = [(told, chances.astype(np.float32))]
    if isinstance(added, str):
        return [*blocks, of_bytes({"kind": "wrote", "reason": added} | about, b"")]
    return [*blocks, _wrote(attribution(added, 0, 1 if len(added.tokens) > 1 else None), about)]


def _wrote(found: Attribution, about: dict[str, Any]) -> Block:
    told = {
        "kind": "wrote",
        "parts": [_part(part) for part in found.parts],
        "constant": found.constant,
        "rest": found.rest,
        "logit": found.logit,
        "shown": found.shown,
    }
    return told | about, found.values.astype(np.float64)


def _part(part: Part) -> dict[str, Any]:
    return {"name": part.name, "kind": part.kind, "layer": part.layer, "head": part.head}


def why_blocks(edge: Edge, takes: Callable[[Edge], EdgeVectors]) -> list[Block]:
    """What the score of an edge is made of, or why that is not known."""
    about: dict[str, Any] = {"kind": "why", "edge": list(edge)}
    try:
        found = why(takes(edge))
    except ExplorerError as error:
        return [of_bytes(about | {"reason": str(error)}, b"")]
    sides = [("query", part) for part in found.query_parts]
    sides += [("key", part) for part in found.key_parts]
    told = about | {
        "parts": [_part(part) | {"side": side} for side, part in sides],
        "pairs": [[a.name, b.name, value] for a, b, value in found.strongest_pairs(3)],
        "bands": None if found.bands is None else found.bands.tolist(),
        "rest": found.rest,
        "score": found.score,
        "added": found.added,
    }
    return [(told, np.concatenate([found.as_query, found.as_key]))]
