"""The one form of all payloads: a header, and blocks of numbers; `container.js` is the other end.

Layout, little-endian: the letters ``AXP1``; the length of the header (uint32); the header, JSON in
UTF-8, in which ``blocks`` says of each block its ``type``, its ``shape`` and whatever else there is
to say of it; then the blocks, one after the other, and nothing more. A block that is in ``planes``
has the first bytes of all its numbers before all second ones, and so on: like stands by like, and
what compresses finds more (q and k of a BERT become a sixth shorter, else a twelfth).
"""

import json
import struct
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.language import say_all

MAGIC = b"AXP1"
TYPES = {"uint8": "<u1", "int32": "<i4", "float32": "<f4", "float64": "<f8"}

Block = tuple[dict[str, Any], npt.NDArray[Any]]
"""What there is to say of some numbers, and the numbers."""


def write(header: Mapping[str, Any], blocks: Iterable[Block] = ()) -> bytes:
    """A payload, in the language that is spoken now.

    Args:
        header: What can be written as JSON.
        blocks: Arrays of a type in `TYPES`, with what is said of each.

    Raises:
        KeyError: An array has another type.
    """
    abouts, blobs = [], []
    for about, array in blocks:
        kind = array.dtype.name
        blobs.append(np.ascontiguousarray(array, TYPES[kind]).tobytes())
        abouts.append(about | {"type": kind, "shape": array.shape})
    return _joined({**header, "blocks": abouts}, blobs)


def in_planes(payload: bytes) -> bytes:
    """The same payload with its numbers in planes, for a file that is compressed."""
    header, blocks = read(payload)
    abouts, blobs = [], []
    for about, array in blocks:
        columns = np.frombuffer(array.tobytes(), np.uint8).reshape(-1, array.dtype.itemsize)
        blobs.append(columns.T.tobytes())
        abouts.append(about | {"planes": True})
    return _joined({**header, "blocks": abouts}, blobs)


def _joined(said: Mapping[str, Any], blobs: Iterable[bytes]) -> bytes:
    text = json.dumps(say_all(said), ensure_ascii=False, separators=(",", ":")).encode()
    return b"".join([MAGIC, struct.pack("<I", len(text)), text, *blobs])


def read(payload: bytes) -> tuple[dict[str, Any], list[Block]]:
    """The header of a payload, without its list of blocks, and the blocks: what `write` was given.

    Raises:
        ValueError: It is no payload, or not a whole one.
    """
    start = len(MAGIC) + 4
    if payload[: len(MAGIC)] != MAGIC or len(payload) < start:
        raise ValueError("this is no payload")
    at = start + int.from_bytes(payload[len(MAGIC) : start], "little")
    header = json.loads(payload[start:at])
    blocks: list[Block] = []
    for about in header.pop("blocks"):
        kind, shape = np.dtype(TYPES[about["type"]]), about["shape"]
        size = int(np.prod(shape, dtype=np.int64))
        numbers = np.frombuffer(payload, kind, size, at)
        if about.pop("planes", False):
            planes = np.frombuffer(payload, np.uint8, size * kind.itemsize, at)
            numbers = np.frombuffer(planes.reshape(kind.itemsize, -1).T.tobytes(), kind)
        blocks.append((about, numbers.reshape(shape)))
        at += size * kind.itemsize
    if at != len(payload):
        raise ValueError(f"{len(payload) - at} bytes too many")
    return header, blocks


def of_bytes(about: dict[str, Any], data: bytes) -> Block:
    """A file as a block."""
    return about, np.frombuffer(data, np.uint8)
