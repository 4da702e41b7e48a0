"""A trace as the bytes that the browser reads; `data.js` is the other end.

Layout, little-endian: header length (uint32), header (JSON), thumbnails of all heads with every
token, the same with special tokens left out (uint8 ``[layer, head, s, s]``), then the blocks that
the header names, one after the other:

- ``layer``: the weights of one layer, ``[head, query, key]``;
- ``means``: the mean over the heads of every layer, ``[layer, query, key]``;
- ``group``: the attention between chosen words in every head (`attention_between`);
- ``film``: the weights of every frame of a training, ``[frame, layer, head, query, key]``;
- ``ideals``: where it would be best to look, ``[pattern, query, key]``;
- ``picture``: what a vision model saw, as PNG;
- ``page``: the instrument as a file of its own, to be handed to the reader.

Weights are 16-bit codes: 0 for a weight of exactly 0, else 1 + floor(60000 w), which stands for the
middle of its step. So a weight is never off by more than 1/120000 = 8.4e-6, and because every
boundary between two decimals (…5 at the fourth or fifth place) is a boundary between two codes, the
rounded digits that the browser shows, up to four decimals, are those of the model's own weight.
Codes below 255 travel as one byte; a byte of 255 stands for the next of the larger codes (uint16),
which follow behind all bytes. Most weights are small, so this halves what is sent.
"""

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from explorer.analysis.groups import attention_between
from explorer.film import Film
from explorer.instrument.want import Page, Want
from explorer.trace import AttentionTrace, ModelInfo, Token, Weights
from explorer.visible import marks_in

LEVELS = 60_000
_AT_ONCE = 2**20  # weights that are encoded at once: more would take their room in float64
Codes = npt.NDArray[np.uint16]
Thumbnails = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]
Block = tuple[dict[str, Any], bytes]
Report = Callable[[str, float | None], None]
THUMB = 32  # dots on a thumbnail's side, at most
WHOLE = 800_000  # up to so many weights, about 1 MB, all layers travel at once
MAX_PAGE = 160 * 2**20  # bytes of a file that a browser is handed through its socket


def pack(
    trace: AttentionTrace,
    *,
    trace_id: str,
    layers: Sequence[int],
    opening: Mapping[str, object] | None = None,
    link: Mapping[str, str] | None = None,
    answers: Sequence[Block] = (),
    film: Film | None = None,
    report: Report = lambda doing, share: None,
) -> bytes:
    """The payload of a trace: its texts, all thumbnails, and some layers in full.

    Args:
        trace: What to show.
        trace_id: Names the trace: payloads with one id add to the same picture.
        layers: The layers to send in full.
        opening: The view to open with, by the names that a link uses.
        link: The URL parameters of the run; None if no link can carry it.
        answers: What else the browser asked for, from `answers_to`.
        film: The training that the trace is the last frame of; its layers need not be sent.
        report: Told what is being done; may raise to end it.
    """
    thumbs, ordinary = both_thumbnails(trace)
    blocks = []
    for i in layers:
        report("Packing the weights", None)
        blocks.append(_codes_block({"kind": "layer", "layer": i}, trace.weights[i]))
    blocks += answers
    queries, keys = trace.query_tokens, trace.key_tokens
    if film:
        blocks.append(_codes_block({"kind": "film"}, film.weights))
        blocks.append(_codes_block({"kind": "ideals"}, np.stack(list(film.ideals.values()))))
    if trace.patches:
        picture = {"kind": "picture", "bytes": len(trace.patches.png)}
        blocks.append((picture, trace.patches.png))
    header = {
        "id": trace_id,
        "title": title_of(trace.model),
        "n_layers": trace.model.n_layers,
        "n_heads": trace.model.n_heads,
        "query_tokens": [asdict(t) for t in queries],
        "key_tokens": None if keys == queries else [asdict(t) for t in keys],
        "texts": trace.texts,
        "marks": [marks_in(text) for text in trace.texts],
        "patches": trace.patches and [trace.patches.rows, trace.patches.columns],
        "n_cut": trace.n_cut,
        "truncation_side": trace.model.truncation_side,
        "thumb": thumbs.shape[2:],
        "blocks": [about for about, _ in blocks],
        "opening": opening,
        "link": link,
        "film": film and _about_film(film),
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    length = struct.pack("<I", len(text))
    blobs = [blob for _, blob in blocks]
    return b"".join([length, text, thumbs.tobytes(), ordinary.tobytes(), *blobs])


PART_NAMES = {
    "encoder": "self-attention of the encoder",
    "decoder": "self-attention of the decoder",
    "cross": "cross-attention",
}


def title_of(model: ModelInfo) -> str:
    """What made the weights, in words."""
    return f"{model.name}, {PART_NAMES[model.part]}" if model.part in PART_NAMES else model.name


def _about_film(film: Film) -> dict[str, Any]:
    """What a film says besides weights."""
    return {
        "steps": film.steps,
        "loss": film.loss,
        "accuracy": film.accuracy,
        "chance": film.chance,
        "near": [
            {"name": name, "heads": shares.reshape(len(shares), -1).round(4).tolist()}
            for name, shares in film.near.items()
        ],
        "ideals": list(film.ideals),
        "answers": film.answers,
        "right": film.right,
    }


def layers_to_send(trace: AttentionTrace, wanted: int) -> list[int]:
    """All layers of a short text; of a long one only the wanted layer, or the nearest there is."""
    n_layers = trace.model.n_layers
    if trace.weights.size <= WHOLE:
        return list(range(n_layers))
    return [min(max(wanted, 0), n_layers - 1)]


def answers_to(
    trace: AttentionTrace,
    want: Want,
    page_of: Callable[[Page], str],
    report: Report = lambda doing, share: None,
) -> list[Block]:
    """What a browser asked for beyond layers, for `pack`; nothing where it cannot be.

    Args:
        trace: What it is about.
        want: What is asked for.
        page_of: Makes the file that was asked for.
        report: Told what is being done; may raise to end it.
    """
    layers, heads, n_queries, n_keys = trace.weights.shape
    if not want.fits(n_queries, n_keys, layers * heads):
        return []
    blocks = []
    if want.means:
        report("Adding up the heads", None)
        blocks.append(_codes_block({"kind": "means"}, trace.weights.mean(axis=1)))
    if want.group:
        report("Adding up words", None)
        group = want.group
        ordinary = ~_special(trace.key_tokens)
        between = attention_between(
            trace.weights,
            group.queries,
            group.keys,
            mean=group.mean,
            together=group.together,
            kept=ordinary if group.rescaled else None,
        )
        blocks.append(_codes_block({"kind": "group", "name": group.name}, between))
    if want.page:
        page = page_of(want.page).encode()
        about = {"kind": "page", "ticket": want.page.ticket, "bytes": len(page)}
        blocks.append((about, page) if len(page) <= MAX_PAGE else (about | {"bytes": 0}, b""))
    return blocks


def _codes_block(about: dict[str, Any], weights: Weights) -> Block:
    """Weights of any shape as a block, and what the header says of it."""
    blob, n_large = squeeze(encode(weights))
    return about | {"shape": weights.shape, "large": n_large}, blob


def encode(weights: Weights) -> Codes:
    """Weights as 16-bit codes (see the module's text)."""
    codes = np.empty(weights.shape, np.uint16)
    flat, out = weights.reshape(-1), codes.reshape(-1)
    for start in range(0, weights.size, _AT_ONCE):
        some = flat[start : start + _AT_ONCE]
        # In float32, 60000 w could round over a boundary.
        found = np.minimum(some.astype(np.float64) * LEVELS, LEVELS).astype(np.uint16)
        found += 1
        found[some <= 0] = 0
        out[start : start + _AT_ONCE] = found
    return codes


def squeeze(codes: Codes) -> tuple[bytes, int]:
    """Codes as bytes and, behind them, the larger ones; and how many are large."""
    large = codes[codes >= 255]
    small = np.minimum(codes, 255).astype(np.uint8)
    return small.tobytes() + large.astype("<u2").tobytes(), len(large)


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
    rows, columns = map(_special, (trace.query_tokens, trace.key_tokens))
    everything, ordinary = [], []
    for layer in trace.weights:  # one at a time: a copy of all layers would be 75 MB and more
        everything.append(thumbnails(layer))
        without = layer.copy()
        without[:, rows] = 0
        without[..., columns] = 0
        ordinary.append(thumbnails(without))
    return np.stack(everything), np.stack(ordinary)


def _special(tokens: Sequence[Token]) -> npt.NDArray[np.bool_]:
    return np.array([t.special for t in tokens])
