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

import numpy as np
import numpy.typing as npt

from explorer.trace import AttentionTrace, Weights

LEVELS = 60_000
THUMB = 32  # dots on a thumbnail's side, at most
WHOLE_BYTES = 2**20  # up to this size all layers travel at once


def pack(
    trace: AttentionTrace,
    *,
    trace_id: str,
    layer: int,
    opening: Mapping[str, object] | None = None,
    link: Mapping[str, str] | None = None,
) -> bytes:
    """The payload for a first view of one layer.

    Args:
        trace: What to show.
        trace_id: Names the trace: payloads with one id add layers to the same picture.
        layer: The layer to send in full; short texts send all of them.
        opening: The view to open with, by the names that a link uses.
        link: The URL parameters of the run; None if no link can carry it.
    """
    n_layers = trace.model.n_layers
    whole = trace.weights.size * 2 <= WHOLE_BYTES
    layers = list(range(n_layers)) if whole else [min(max(layer, 0), n_layers - 1)]
    thumbs = thumbnails(trace.weights)
    ordinary = thumbnails(_without_special(trace))
    header = {
        "id": trace_id,
        "title": trace.model.name,
        "n_layers": n_layers,
        "n_heads": trace.model.n_heads,
        "query_tokens": [asdict(t) for t in trace.query_tokens],
        "key_tokens": [asdict(t) for t in trace.key_tokens],
        "texts": trace.texts,
        "n_cut": trace.n_cut,
        "thumb": thumbs.shape[2:],
        "layers": layers,
        "opening": opening,
        "link": link,
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-(4 + len(text)) % 8)
    blobs = [encode(trace.weights[i]).tobytes() for i in layers]
    return b"".join(
        [struct.pack("<I", len(text)), text, thumbs.tobytes(), ordinary.tobytes(), *blobs]
    )


def encode(weights: Weights) -> npt.NDArray[np.uint16]:
    """Weights as 16-bit codes (see the module's text)."""
    # In float32, 60000 w could round over a boundary.
    codes = np.minimum(np.floor(weights.astype(np.float64) * LEVELS), LEVELS) + 1
    return np.where(weights > 0, codes, 0).astype("<u2")


def thumbnails(weights: Weights) -> npt.NDArray[np.uint8]:
    """Every head shrunk by the maximum of each block, so that one strong weight is not lost.

    Returns:
        uint8 ``[layer, head, s_query, s_key]`` with s = min(n, 32): 255 times the square root.
    """
    for axis in (2, 3):
        n = weights.shape[axis]
        if n > THUMB:
            starts = np.arange(THUMB) * n // THUMB
            weights = np.maximum.reduceat(weights, starts, axis=axis)
    return np.round(255 * np.sqrt(np.minimum(weights, 1))).astype(np.uint8)


def _without_special(trace: AttentionTrace) -> Weights:
    """The weights with rows and columns of special tokens blanked."""

    def ordinary(tokens: Sequence[object]) -> npt.NDArray[np.float32]:
        return np.array([not getattr(t, "special", False) for t in tokens], dtype=np.float32)

    rows, columns = ordinary(trace.query_tokens), ordinary(trace.key_tokens)
    return trace.weights * rows[:, None] * columns[None, :]
