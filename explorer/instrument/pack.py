"""A trace as the bytes that the browser reads; `data.js` is the other end.

Layout, little-endian: header length (uint32), header (JSON, padded to 8 bytes), thumbnails of all
heads with every token, the same with special tokens left out (uint8 ``[layer, head, s, s]``), then
each layer named in the header (uint16 ``[head, query, key]``).

A 16-bit code is 0 for a weight of exactly 0, else 1 + floor(60000 w), and stands for the middle of
its step. So a weight is never off by more than 1/120000 = 8.4e-6, and because every boundary
between two decimals (…5 at the fourth or fifth place) is a boundary between two codes, the
rounded digits that the browser shows, up to four decimals, are those of the model's own weight.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from explorer.trace import AttentionTrace, Weights

LEVELS = 60_000
Thumbnails = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]
THUMB = 32  # dots on a thumbnail's side, at most
WHOLE_BYTES = 2**20  # up to this size all layers travel at once


def pack(
    trace: AttentionTrace,
    *,
    trace_id: str,
    layers: Sequence[int],
    opening: Mapping[str, object] | None = None,
    link: Mapping[str, str] | None = None,
) -> bytes:
    """The payload of a trace: its texts, all thumbnails, and some layers in full.

    Args:
        trace: What to show.
        trace_id: Names the trace: payloads with one id add layers to the same picture.
        layers: The layers to send in full.
        opening: The view to open with, by the names that a link uses.
        link: The URL parameters of the run; None if no link can carry it.
    """
    thumbs, ordinary = both_thumbnails(trace)
    header = {
        "id": trace_id,
        "title": trace.model.name,
        "n_layers": trace.model.n_layers,
        "n_heads": trace.model.n_heads,
        "query_tokens": [asdict(t) for t in trace.query_tokens],
        "key_tokens": [asdict(t) for t in trace.key_tokens],
        "texts": trace.texts,
        "n_cut": trace.n_cut,
        "thumb": thumbs.shape[2:],
        "layers": list(layers),
        "opening": opening,
        "link": link,
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-(4 + len(text)) % 8)
    blobs = [encode(trace.weights[i]).tobytes() for i in layers]
    return b"".join(
        [struct.pack("<I", len(text)), text, thumbs.tobytes(), ordinary.tobytes(), *blobs]
    )


def layers_to_send(trace: AttentionTrace, wanted: int) -> list[int]:
    """All layers of a short text; of a long one only the wanted layer, or the nearest there is."""
    n_layers = trace.model.n_layers
    if trace.weights.size * 2 <= WHOLE_BYTES:
        return list(range(n_layers))
    return [min(max(wanted, 0), n_layers - 1)]


def encode(weights: Weights) -> npt.NDArray[np.uint16]:
    """Weights as 16-bit codes (see the module's text)."""
    # In float32, 60000 w could round over a boundary.
    codes = np.minimum(np.floor(weights.astype(np.float64) * LEVELS), LEVELS) + 1
    return np.where(weights > 0, codes, 0).astype("<u2")


def thumbnails(weights: Weights) -> npt.NDArray[np.uint8]:
    """Every head shrunk by the maximum of each block, so that one strong weight is not lost.

    Args:
        weights: ``[..., query, key]``.

    Returns:
        uint8 ``[..., s_query, s_key]`` with s = min(n, 32): 255 times the square root.
    """
    for axis in (-2, -1):
        n = weights.shape[axis]
        if n > THUMB:
            starts = np.arange(THUMB) * n // THUMB
            weights = np.maximum.reduceat(weights, starts, axis=axis)
    return np.round(255 * np.sqrt(np.minimum(weights, 1))).astype(np.uint8)


_thumbnails: "WeakKeyDictionary[AttentionTrace, Thumbnails]" = WeakKeyDictionary()


def both_thumbnails(trace: AttentionTrace) -> Thumbnails:
    """The thumbnails of a trace, made once for as long as it lives."""
    found = _thumbnails.get(trace)
    if found is None:
        found = _thumbnails[trace] = _make_thumbnails(trace)
    return found


def _make_thumbnails(trace: AttentionTrace) -> Thumbnails:
    """The thumbnails of all tokens, and with the rows and columns of special tokens blanked."""
    rows, columns = (
        np.array([t.special for t in tokens]) for tokens in (trace.query_tokens, trace.key_tokens)
    )
    everything, ordinary = [], []
    for layer in trace.weights:  # one at a time: a copy of all layers would be 75 MB and more
        everything.append(thumbnails(layer))
        without = layer.copy()
        without[:, rows] = 0
        without[..., columns] = 0
        ordinary.append(thumbnails(without))
    return np.stack(everything), np.stack(ordinary)
