"""Attention weights that a reader made elsewhere: NPZ or safetensors, read without pickle."""

import hashlib
import json
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.errors import ExplorerError, refusing
from explorer.layers import of_weights
from explorer.run import readable
from explorer.source import Own
from explorer.sources.npz import MAX_BYTES, arrays_of, check_room, names_in, size_of, too_large
from explorer.sources.stored import MAX_NAME, SAVED, trace_from
from explorer.trace import AttentionTrace, ModelInfo, Token
from explorer.visible import visible

__all__ = ["MAX_BYTES", "own_weights"]

MAX_SIDE = 1024  # tokens
_MOST_HEADER = 4 * 2**20  # bytes of what safetensors says of itself; all tokens take far less
# What numpy has of the kinds of numbers that safetensors knows.
_KINDS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2"}
_KINDS |= {"I8": "i1", "U8": "u1", "U16": "<u2", "U32": "<u4", "U64": "<u8"}
WANTED = (
    "weights with the shape [layer, head, query, key], each row summing to 1, and tokens: the "
    "names of the queries and keys as a list of texts"
)
_HOW = (
    "In numpy: numpy.savez_compressed(“attention.npz”, weights=weights, tokens=tokens). With "
    "safetensors: save_file({“weights”: weights}, “attention.safetensors”, "
    "metadata={“tokens”: json.dumps(tokens)})."
)


_SIDES = ("query_tokens", "key_tokens")


def own_weights(data: bytes, name: str) -> Own:
    """An uploaded file as a source.

    Args:
        data: What is in it: an NPZ, one that this app has saved too, or safetensors.
        name: What the reader calls it.

    Raises:
        ExplorerError: It is neither, is too large, or does not hold what is wanted.
    """
    name = visible(name)
    with (
        refusing(
            "This file cannot be read: it is damaged, or neither NPZ nor safetensors. It must "
            f"hold {WANTED}. {_HOW}"
        ),
        np.errstate(over="ignore", invalid="ignore"),  # what becomes infinite is refused
    ):
        trace = _from_npz(data, name) if data[:2] == b"PK" else _from_safetensors(data, name)
    return Own(hashlib.blake2b(data, digest_size=8).hexdigest(), name, trace)


def _from_npz(data: bytes, name: str) -> AttentionTrace:
    arrays = arrays_of(data, {*SAVED, "tokens"})
    if "weights" not in arrays:
        raise ExplorerError(_missing("weights", names_in(data)))
    _check_shape(arrays["weights"].shape)
    if {"about", "query_tokens"} <= set(arrays):
        return trace_from(arrays)  # one that this app has saved
    queries, keys = (arrays.get(side, arrays.get("tokens")) for side in _SIDES)
    return _trace(arrays["weights"], queries, keys, name)


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) != 4 or 0 in shape:
        raise ExplorerError(
            f"“weights” has the shape {list(shape)}; wanted is [layer, head, query, key], four "
            "numbers from 1 on. A single head is weights[None, None]; a batch of one is "
            "weights[:, 0]."
        )
    if max(shape[2:]) > MAX_SIDE or shape[0] * shape[1] > MAX_SIDE:
        raise ExplorerError(
            f"“weights” has the shape {list(shape)}; at most {MAX_SIDE:,} tokens on a side, and as "
            "many heads in all layers together, can be shown."
        )


def _from_safetensors(data: bytes, name: str) -> AttentionTrace:
    """Read by hand: the library copies every array of the file, wanted or not."""
    length = int.from_bytes(data[:8], "little")
    if length > min(_MOST_HEADER, len(data) - 8):
        raise ValueError("a header that is too long")
    header = json.loads(data[8 : 8 + length])
    said = header.pop("__metadata__", {})
    if "weights" not in header:
        raise ExplorerError(_missing("weights", sorted(header)))
    weights = _array(header["weights"], data[8 + length :])
    queries, keys = (
        None if text is None else json.loads(text)
        for text in (said.get(side, said.get("tokens")) for side in _SIDES)
    )
    return _trace(weights, queries, keys, name)


def _array(about: dict[str, Any], data: bytes) -> npt.NDArray[Any]:
    """An array of a safetensors file, without a copy.

    Args:
        about: Its kind, shape and place, as the header says.
        data: What follows the header.
    """
    shape, (start, end) = about["shape"], about["data_offsets"]
    if not all(type(n) is int and n >= 0 for n in (*shape, start, end)):
        raise ValueError("no sizes")
    _check_shape(tuple(shape))
    if about["dtype"] not in _KINDS:
        raise ExplorerError(
            f"“weights” holds {visible(str(about['dtype'])[:20])}, which numpy does not have. Save "
            "float32: weights.float()."
        )
    dtype = np.dtype(_KINDS[about["dtype"]])
    size = size_of(shape, dtype)
    if size > MAX_BYTES:
        raise ExplorerError(too_large(size))
    check_room(size)
    if not end - start == math.prod(shape) * dtype.itemsize <= len(data) - start:
        raise ValueError("an array that leaves its file")
    return np.frombuffer(data, dtype, math.prod(shape), start).reshape(shape)


def _trace(
    weights: npt.NDArray[Any],
    queries: object,
    keys: object,
    name: str,
) -> AttentionTrace:
    if weights.dtype.kind not in "fiu":
        raise ExplorerError(f"“weights” holds {_kind(weights)}; it must hold numbers.")
    found = weights.shape
    sides = [
        _texts(tokens, n, side)
        for tokens, n, side in ((queries, found[2], "query"), (keys, found[3], "key"))
    ]
    same = sides[0] == sides[1]
    key_tokens, key_text = _placed(sides[1], 0)
    query_tokens, query_text = (key_tokens, key_text) if same else _placed(sides[0], 1)
    model = ModelInfo(name, None, found[0], found[1], 0, MAX_SIDE)
    texts = (key_text,) if same else (key_text, query_text)
    weights = weights.astype(np.float32)
    layers = of_weights(weights)
    return AttentionTrace(model, texts, query_tokens, key_tokens, layers, (0,) * len(texts))


def _texts(tokens: object, n: int, side: str) -> list[str]:
    """The names of one side's tokens; numbers where the file gives none."""
    if tokens is None:
        return [str(i) for i in range(n)]
    if isinstance(tokens, np.ndarray):
        if tokens.ndim != 1 or tokens.dtype.kind not in "US":
            raise ExplorerError(
                f"The {side} tokens must be a list of texts; these are {_kind(tokens)} with the "
                f"shape {list(tokens.shape)}."
            )
        tokens = tokens.tolist()
    if not isinstance(tokens, list) or not all(isinstance(t, str | bytes) for t in tokens):
        raise ExplorerError(f"The {side} tokens must be a list of texts, and nothing else.")
    if len(tokens) != n:
        raise ExplorerError(
            f"There are {len(tokens):,} {side} tokens, and “weights” has {n:,} on that side."
        )
    short = [t[:MAX_NAME] for t in tokens]
    return [readable(t.decode("utf-8", "replace") if isinstance(t, bytes) else t) for t in short]


def _kind(array: npt.NDArray[Any]) -> str:
    """What an array holds, in numpy's words; a file may have put names of its own among them."""
    return visible(str(array.dtype)[:40])


def _placed(texts: list[str], segment: int) -> tuple[tuple[Token, ...], str]:
    """Tokens in a running text, one after the other."""
    tokens, at = [], 0
    for word, text in enumerate(texts):
        span = (at, at + len(text)) if text else None
        tokens.append(Token(text or "␣", span, word, segment, special=_is_mark(text)))
        at += len(text) + 1
    return tuple(tokens), " ".join(texts)


def _is_mark(text: str) -> bool:
    """Whether a token is written as marks of places are: [CLS], <s>, <|endoftext|>."""
    return len(text) > 2 and (text[0], text[-1]) in (("[", "]"), ("<", ">"))


def _missing(name: str, found: list[str]) -> str:
    there = ", ".join(f"“{visible(n[:40])}”" for n in found[:8]) or "nothing"
    return f"The file holds no “{name}”; it has {there}. It must hold {WANTED}. {_HOW}"
