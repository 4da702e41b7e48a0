"""Heads of a long text, one by one, as blocks of a payload; `trace.py` says what they are.

A trace is long where the map of one head has more than `LONG_CELLS` cells. Nothing is made of it
then, here or in a browser, whose size grows with the square of the length.
"""

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from explorer.analysis.levels import fitting_levels, map_levels
from explorer.analysis.summary import summarise, thumbnails
from explorer.instrument.wire.container import Block
from explorer.instrument.wire.request import Places
from explorer.layers import AttentionLayer, FromScores
from explorer.trace import AttentionTrace

MOST_ASKED_FOR = 1024  # groups on a side of a map that a reader chooses, as layout.js
LONG_CELLS = 600_000  # of one head's map: about 775 tokens
Levels = dict[str, list[int]]
Dots = npt.NDArray[np.uint8]
Tick = Callable[[], None]

# Kept for as long as a trace lives.
_levels: "WeakKeyDictionary[AttentionTrace, tuple[Levels, Levels | None, str | None]]"
_levels = WeakKeyDictionary()
_thumbs: "WeakKeyDictionary[AttentionTrace, dict[tuple[int, int], Dots]]" = WeakKeyDictionary()


def is_long(trace: AttentionTrace) -> bool:
    """Whether the heads of a trace travel one by one."""
    return len(trace.query_tokens) * len(trace.key_tokens) > LONG_CELLS


def levels(trace: AttentionTrace) -> tuple[Levels, Levels | None, str | None]:
    """The levels of queries and keys, and the map's, as `map_levels`; None for the same keys.

    The pieces of a picture have none, but for the stretches that a long one is seen in.
    """
    found = _levels.get(trace)
    if found is None:
        texts = () if trace.patches else trace.texts
        keys = None if trace.key_tokens == trace.query_tokens else trace.key_tokens
        found = _levels[trace] = map_levels(trace.query_tokens, keys, texts, is_long(trace))
    return found


def places_in(trace: AttentionTrace, wanted: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Those of some heads, (layer, head) each, that a trace has."""
    n_heads = trace.model.n_heads
    return [(n, head) for n, head in wanted if n in trace.numbers and 0 <= head < n_heads]


def head_bytes(layer: AttentionLayer) -> int:
    """Bytes that one head of a layer takes on its way."""
    return sum(array.nbytes for _, array in _parts(layer, 0, measure=True))


def head_blocks(trace: AttentionTrace, number: int, head: int, quick: bool = False) -> list[Block]:
    """One head in full: as what its weights are made of, or as the weights that were given.

    Where it shall be quick the sums of its rows are left out unless they are known: rows need none,
    and its summary brings them.
    """
    layer = trace.layer(number)
    about: dict[str, Any] = {"kind": "head", "layer": number, "head": head}
    if isinstance(layer, FromScores):
        about |= {"scale": layer.rule.scale, "cap": layer.rule.cap}
        quick = quick and not layer.has_log_sum_exp(head)
    parts = _parts(layer, head, without_sums=quick)
    return [(about | {"part": name}, array) for name, array in parts]


def _parts(
    layer: AttentionLayer, head: int, measure: bool = False, without_sums: bool = False
) -> list[tuple[str, npt.NDArray[Any]]]:
    """What a head travels as, by name; to be measured alone nothing is computed."""
    if not isinstance(layer, FromScores) or layer.rule.added is not None:
        shape = (layer.n_queries, layer.n_keys)
        whole = np.broadcast_to(np.float32(0), shape) if measure else layer.rows(head)
        return [("weights", whole)]
    rule = layer.rule
    one, of_keys = slice(head, head + 1), head * len(layer.k) // layer.n_heads
    parts: list[tuple[str, npt.NDArray[Any]]] = []
    if not without_sums:
        logs = np.zeros(layer.n_queries) if measure else layer.log_sum_exp(head)
        parts.append(("log_sum_exp", logs[None]))
    if rule.allowed is not None:
        parts.append(("allowed", rule.allowed.astype(np.int32, copy=False)))
    floats = {
        "q": layer.q[one],
        "k": layer.k[of_keys : of_keys + 1],
        "offsets": None if rule.offsets is None else rule.offsets[one],
        "sinks": None if rule.sinks is None else rule.sinks[one],
    }
    known = ((name, part) for name, part in floats.items() if part is not None)
    return [*parts, *((name, np.asarray(part, np.float32)) for name, part in known)]


def summary_blocks(
    trace: AttentionTrace, number: int, head: int, level: str, tick: Tick = lambda: None
) -> list[Block]:
    """What is shown of a head besides its rows; nothing where a map has no room for the level."""
    own, other, _ = levels(trace)
    if level not in fitting_levels(own, other, MOST_ASKED_FOR):
        return []
    keys = own if other is None else other
    found = summarise(trace, number, head, own[level], keys[level], tick)
    _kept_thumbs(trace)[number, head] = found.thumbs
    about = {"kind": "summary", "layer": number, "head": head, "level": level}
    about |= {"profile": found.profile}
    parts: dict[str, npt.NDArray[Any]] = {
        "received": found.received,
        "ordinary": found.ordinary,
        "maps": found.maps,
        "pairs": found.pairs,
        "pair_weights": found.pair_weights,
        "log_sum_exp": trace.layer(number).log_sum_exp(head)[None],
    }
    return [(about | {"part": name}, array) for name, array in parts.items()]


def thumb_blocks(trace: AttentionTrace, places: Places) -> list[Block]:
    """The small pictures of some heads, of all tokens and of ordinary ones alone."""
    if not places:
        return []
    dots = np.stack([thumbs_of(trace, number, head) for number, head in places])
    kinds = ("thumbs", "ordinary_thumbs")
    return [({"kind": kind, "places": places}, dots[:, i]) for i, kind in enumerate(kinds)]


def _kept_thumbs(trace: AttentionTrace) -> dict[tuple[int, int], Dots]:
    return _thumbs.setdefault(trace, {})


def thumbs_of(trace: AttentionTrace, number: int, head: int, tick: Tick = lambda: None) -> Dots:
    """Both small pictures of a head, made once for as long as the trace lives."""
    kept = _kept_thumbs(trace)
    found = kept.get((number, head))
    if found is None:
        found = kept[number, head] = thumbnails(trace, number, head, tick)
    return found
