"""Attention weights that a reader made elsewhere: NPZ or safetensors, read without pickle."""

import hashlib
import json
import math
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.errors import ExplorerError, refusing
from explorer.language import t
from explorer.limits import MAX_CHARACTERS
from explorer.source import Own
from explorer.sources.given import arranged, given_trace, kind_of
from explorer.sources.npz import MAX_BYTES, arrays_of, check_room, names_in, size_of, too_large
from explorer.sources.stored import is_saved, shape_of, trace_from
from explorer.trace import AttentionTrace
from explorer.visible import visible

__all__ = ["MAX_BYTES", "own_weights"]

MAX_SIDE = 1024  # tokens
_MOST_CELLS = 2**28  # weights of all heads that pages compute from q and k: some seconds
_MOST_HEADER = 4 * 2**20  # bytes of what safetensors says of itself; all tokens take far less
# What numpy has of the kinds of numbers that safetensors knows.
_KINDS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2"}
_KINDS |= {"I8": "i1", "U8": "u1", "U16": "<u2", "U32": "<u4", "U64": "<u8", "BF16": "<u2"}
WANTED = t(
    "weights with the shape [layer, head, query, key], each row summing to "
    "1, and tokens: the names of the queries and keys as a list of texts"
)
_HOW = t(
    "In numpy: numpy.savez_compressed(“attention.npz”, weights=weights, "
    "tokens=tokens). With safetensors: save_file({“weights”: weights}, "
    "“attention.safetensors”, metadata={“tokens”: json.dumps(tokens)})."
)


_SIDES = ("query_tokens", "key_tokens")


def own_weights(data: bytes, name: str) -> Own:
    """An uploaded file as a source; of a bounded size, since everybody may upload one.

    Args:
        data: What is in it: an NPZ, one that this app has saved too, or safetensors.
        name: What the reader calls it.

    Raises:
        ExplorerError: It is neither, is too large, or does not hold what is wanted.
    """
    name = visible(name)
    trace = trace_of_file(data, name, MAX_BYTES)
    return Own(hashlib.blake2b(data, digest_size=8).hexdigest(), name, trace)


def trace_of_file(data: bytes, name: str, most: int | None = None) -> AttentionTrace:
    """What a file holds, as a trace.

    Args:
        data: What is in it: an NPZ, one that this app has saved too, or safetensors.
        name: What the reader calls it.
        most: Bytes of its arrays; the tokens are bounded too, then. None for what fits here.

    Raises:
        ExplorerError: It is neither, is too large, or does not hold what is wanted.
    """
    with (
        refusing(
            t(
                "This file cannot be read: it is damaged, or neither NPZ nor "
                "safetensors. It must hold {wanted}. {how}",
                wanted=WANTED,
                how=_HOW,
            )
        ),
        np.errstate(over="ignore", invalid="ignore"),  # what becomes infinite is refused
    ):
        read = _from_npz if data[:2] == b"PK" else _from_safetensors
        return read(data, name, most)


def _from_npz(data: bytes, name: str, most: int | None) -> AttentionTrace:
    arrays = arrays_of(data, lambda n: n == "tokens" or is_saved(n), most or sys.maxsize)
    if {"about", "query_tokens", "key_tokens"} <= set(arrays):  # one that this app has saved
        longest = MAX_CHARACTERS if most else sys.maxsize
        _check_size(shape_of(arrays, longest), most)
        return trace_from(arrays, longest)
    if "weights" not in arrays:
        raise ExplorerError(_missing("weights", names_in(data)))
    queries, keys = (arrays.get(side, arrays.get("tokens")) for side in _SIDES)
    return _trace(arrays["weights"], queries, keys, name, most)


def _check_size(shape: tuple[int, ...], most: int | None) -> None:
    if most is None:
        return
    if (
        max(shape[2:]) > MAX_SIDE
        or shape[0] * shape[1] > MAX_SIDE
        or math.prod(shape) > _MOST_CELLS
    ):
        raise ExplorerError(
            t(
                "“weights” has the shape {shape}; at most {max_side} tokens on a side, "
                "as many heads in all layers together, and {most_cells} weights can be "
                "shown. From Python explorer.load opens it.",
                shape=list(shape),
                max_side=f"{MAX_SIDE:,}",
                most_cells=f"{_MOST_CELLS:,}",
            )
        )


def _from_safetensors(data: bytes, name: str, most: int | None) -> AttentionTrace:
    """Read by hand: the library copies every array of the file, wanted or not."""
    length = int.from_bytes(data[:8], "little")
    if length > min(_MOST_HEADER, len(data) - 8):
        raise ValueError("a header that is too long")
    header = json.loads(data[8 : 8 + length])
    said = header.pop("__metadata__", {})
    if "weights" not in header:
        raise ExplorerError(_missing("weights", sorted(header)))
    weights = _array(header["weights"], data[8 + length :], most)
    queries, keys = (said.get(side, said.get("tokens")) for side in _SIDES)
    return _trace(weights, queries, keys, name, most)


def _array(about: dict[str, Any], data: bytes, most: int | None) -> npt.NDArray[Any]:
    """An array of a safetensors file, without a copy.

    Args:
        about: Its kind, shape and place, as the header says.
        data: What follows the header.
        most: Bytes of it.
    """
    shape, (start, end) = about["shape"], about["data_offsets"]
    if not all(type(n) is int and n >= 0 for n in (*shape, start, end)):
        raise ValueError("no sizes")
    if about["dtype"] not in _KINDS:
        raise ExplorerError(
            t(
                "“weights” holds {visible}, which cannot be read here. Save float32: "
                "weights.float().",
                visible=visible(str(about["dtype"])[:20]),
            )
        )
    dtype = np.dtype(_KINDS[about["dtype"]])
    size = size_of(shape, dtype)
    if most is not None and size > most:
        raise ExplorerError(too_large(size))
    check_room(size)
    if not end - start == math.prod(shape) * dtype.itemsize <= len(data) - start:
        raise ValueError("an array that leaves its file")
    found = np.frombuffer(data, dtype, math.prod(shape), start).reshape(shape)
    return _from_bfloat16(found) if about["dtype"] == "BF16" else found


def _trace(
    weights: npt.NDArray[Any],
    queries: object,
    keys: object,
    name: str,
    most: int | None,
) -> AttentionTrace:
    if weights.dtype.kind == "V" and weights.dtype.itemsize == 2:
        weights = _from_bfloat16(weights.view("<u2"))  # as numpy saves what it has no name for
    if weights.dtype.kind not in "fiu":
        raise ExplorerError(
            t("“weights” holds {weights}; it must hold numbers.", weights=kind_of(weights))
        )
    weights, notes = arranged(weights)
    _check_size(weights.shape, most)
    return given_trace(weights, queries, keys, name, notes=notes)


def _from_bfloat16(halves: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
    """The numbers of which these are the upper halves: bfloat16 is a float32 cut short."""
    wide = halves.astype("<u4")
    wide <<= np.uint32(16)
    return wide.view("<f4")


def _missing(name: str, found: list[str]) -> str:
    if any(n.endswith("data.pkl") for n in found):
        return t(
            "This is a file of torch.save, a pickle, which can run hidden code when"
            " it is opened. Save the weights in another way. {how}",
            how=_HOW,
        )
    there = ", ".join(f"“{visible(n[:40])}”" for n in found[:8]) or "nothing"
    return t(
        "The file holds no “{name}”; it has {there}. It must hold {wanted}. {how}",
        name=name,
        there=there,
        wanted=WANTED,
        how=_HOW,
    )
