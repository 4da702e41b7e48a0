"""Attention weights that a reader made elsewhere: NPZ or safetensors, read without pickle."""

import hashlib
import io
import json
import math
import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.errors import ExplorerError, refusing
from explorer.limits import MAX_CHARACTERS
from explorer.run import readable
from explorer.source import Own
from explorer.sources.stored import read_npz
from explorer.trace import AttentionTrace, ModelInfo, Token

MAX_BYTES = 256 * 2**20  # of an unpacked file; all heads of bert-base on 512 tokens are 151 MB
MAX_SIDE = 1024  # tokens
MAX_NAME = 200  # characters of a token's name
WANTED = (
    "weights with the shape [layer, head, query, key], each row summing to 1, and tokens: the "
    "names of the queries and keys as a list of texts"
)
_HOW = (
    "In numpy: numpy.savez_compressed(“attention.npz”, weights=weights, tokens=tokens). With "
    "safetensors: save_file({“weights”: weights}, “attention.safetensors”, "
    "metadata={“tokens”: json.dumps(tokens)})."
)


def own_weights(data: bytes, name: str) -> Own:
    """An uploaded file as a source.

    Args:
        data: What is in it: an NPZ, one that this app has saved too, or safetensors.
        name: What the reader calls it.

    Raises:
        ExplorerError: It is neither, is too large, or does not hold what is wanted.
    """
    with refusing(
        "This file cannot be read: it is damaged, or neither NPZ nor safetensors. It must "
        f"hold {WANTED}. {_HOW}"
    ):
        trace = _from_npz(data, name) if data[:2] == b"PK" else _from_safetensors(data, name)
    return Own(hashlib.blake2b(data, digest_size=8).hexdigest(), trace)


def _from_npz(data: bytes, name: str) -> AttentionTrace:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            if entry.file_size > MAX_BYTES:  # said by the archive, and kept by its reader
                raise ExplorerError(_too_large(entry.file_size))
            with archive.open(entry) as file:
                _check_header(file, entry)
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        names = set(arrays.files)
        if {"weights", "about", "query_tokens"} <= names:
            return _sound(read_npz(io.BytesIO(data)))  # one that this app has saved
        if "weights" not in names:
            raise ExplorerError(_missing("weights", sorted(names)))
        both = arrays["tokens"] if "tokens" in names else None
        queries, keys = (
            arrays[side] if side in names else both for side in ("query_tokens", "key_tokens")
        )
        return _trace(arrays["weights"], queries, keys, name)


def _sound(trace: AttentionTrace) -> AttentionTrace:
    """A trace out of a file that says it is this app's: whatever it says is looked at first."""
    model, texts = trace.model, trace.texts
    tokens = (*trace.query_tokens, *trace.key_tokens)
    patches = trace.patches
    ordinary = sum(not t.special for t in trace.key_tokens)
    sound = (
        isinstance(model.name, str)
        and 1 <= len(texts) == len(trace.n_cut) <= 2
        and all(isinstance(text, str) and len(text) <= MAX_CHARACTERS for text in texts)
        and all(type(n) is int for n in trace.n_cut)
        and all(t.segment in range(len(texts)) for t in tokens)
        and all(0 <= t.span[0] <= t.span[1] <= len(texts[t.segment]) for t in tokens if t.span)
        and (patches is None or patches.rows * patches.columns == ordinary)
    )
    if not sound:
        raise ExplorerError(
            "This file looks like one that this app has saved, but its parts do not fit together. "
            "Save it again, or leave “about” out of it."
        )
    _check_shape(trace.weights.shape)
    return trace


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


def _check_header(file: Any, entry: zipfile.ZipInfo) -> None:
    """Refuse an array that says it is larger than its file: its room would be taken before."""
    layout = np.lib.format
    first = layout.read_magic(file) == (1, 0)
    read = layout.read_array_header_1_0 if first else layout.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise ExplorerError(
            f"“{entry.filename}” holds Python objects, which can run hidden code when they are "
            "opened. Save tokens as texts: numpy.array(tokens, dtype=str)."
        )
    size = math.prod(shape) * dtype.itemsize
    if size > MAX_BYTES:
        raise ExplorerError(_too_large(size))


def _from_safetensors(data: bytes, name: str) -> AttentionTrace:
    from safetensors.numpy import load

    if len(data) > MAX_BYTES:
        raise ExplorerError(_too_large(len(data)))
    arrays = load(data)
    if "weights" not in arrays:
        raise ExplorerError(_missing("weights", sorted(arrays)))
    length = int.from_bytes(data[:8], "little")
    said = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    sides = [said.get(side, said.get("tokens")) for side in ("query_tokens", "key_tokens")]
    queries, keys = (None if s is None else np.array(json.loads(s)) for s in sides)
    return _trace(arrays["weights"], queries, keys, name)


def _trace(
    weights: npt.NDArray[Any],
    queries: npt.NDArray[Any] | None,
    keys: npt.NDArray[Any] | None,
    name: str,
) -> AttentionTrace:
    _check_shape(weights.shape)
    if weights.dtype.kind not in "fiu":
        raise ExplorerError(f"“weights” holds {weights.dtype}; it must hold numbers.")
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
    return AttentionTrace(model, texts, query_tokens, key_tokens, weights, (0,) * len(texts))


def _texts(tokens: npt.NDArray[Any] | None, n: int, side: str) -> list[str]:
    """The names of one side's tokens; numbers where the file gives none."""
    if tokens is None:
        return [str(i) for i in range(n)]
    if tokens.ndim != 1 or tokens.dtype.kind not in "US":
        raise ExplorerError(
            f"The {side} tokens must be a list of texts; these are {tokens.dtype} with the shape "
            f"{list(tokens.shape)}."
        )
    if len(tokens) != n:
        raise ExplorerError(
            f"There are {len(tokens):,} {side} tokens, and “weights” has {n:,} on that side."
        )
    plain = [t.decode("utf-8", "replace") if isinstance(t, bytes) else t for t in tokens.tolist()]
    return [readable(t[:MAX_NAME]) for t in plain]


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


def _too_large(size: int) -> str:
    return (
        f"This file unpacks to {size / 2**20:,.0f} MB; at most {MAX_BYTES // 2**20} MB can be "
        "shown. Save float16, fewer layers, or fewer tokens."
    )


def _missing(name: str, found: list[str]) -> str:
    there = ", ".join(f"“{n[:40]}”" for n in found[:8]) or "nothing"
    return f"The file holds no “{name}”; it has {there}. It must hold {WANTED}. {_HOW}"
