"""Traces as NPZ files: arrays and JSON, never pickle. One is shipped: the first example's.

It is painted before any model is loaded, on a first visit only; `explorer.trace` never reads it.
Made anew by ``make example`` after a change of the model or of its tokens.
"""

import functools
import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from explorer.run import Run
from explorer.sources.catalogue import EXAMPLES
from explorer.trace import AttentionTrace, ModelInfo, Patches, Token

_FIRST = Path(__file__).with_name("first_example.npz")
_LIBRARIES = ("torch", "transformers", "numpy")


def stored_trace(run: Run) -> AttentionTrace | None:
    """The shipped trace of a run; None unless the run is the first example."""
    return _first_example() if run == EXAMPLES[0].run else None


@functools.cache
def _first_example() -> AttentionTrace | None:
    if not _FIRST.is_file():
        return None
    with _FIRST.open("rb") as file:
        return read_npz(file)


def write_npz(trace: AttentionTrace, file: BinaryIO) -> None:
    """Write a trace so that numpy alone can use it, and `read_npz` gives it back.

    Holds ``weights`` float32 ``[layer, head, query, key]``; for queries and for keys their tokens
    as text, their ``spans`` (``[token, 2]``, -1 where there is none), ``words`` (-1 for none),
    ``segments`` and ``special``; the ``picture`` of a vision model as the bytes of a PNG; and
    ``about``, JSON with the texts, the model and the versions of
    the libraries that made it.
    """
    about = {
        "model": asdict(trace.model),
        "texts": trace.texts,
        "n_cut": trace.n_cut,
        "versions": {name: version(name) for name in _LIBRARIES},
    }
    arrays: dict[str, npt.NDArray[Any]] = {"weights": trace.weights}
    arrays |= _columns("query", trace.query_tokens) | _columns("key", trace.key_tokens)
    if trace.patches:
        about["patches"] = [trace.patches.rows, trace.patches.columns]
        arrays["picture"] = np.frombuffer(trace.patches.png, np.uint8)
    arrays["about"] = np.array(json.dumps(about, ensure_ascii=False))
    np.savez_compressed(file, allow_pickle=False, **arrays)


def read_npz(file: BinaryIO) -> AttentionTrace:
    """Read what `write_npz` wrote: the same trace, bit for bit."""
    with np.load(file, allow_pickle=False) as arrays:
        about = json.loads(str(arrays["about"]))
        return AttentionTrace(
            ModelInfo(**about["model"]),
            tuple(about["texts"]),
            _tokens("query", arrays),
            _tokens("key", arrays),
            arrays["weights"],
            tuple(about["n_cut"]),
            Patches(arrays["picture"].tobytes(), *about["patches"]) if "patches" in about else None,
        )


def _columns(side: str, tokens: Sequence[Token]) -> dict[str, npt.NDArray[Any]]:
    return {
        f"{side}_tokens": np.array([t.text for t in tokens]),
        f"{side}_spans": np.array([t.span or (-1, -1) for t in tokens]),
        f"{side}_words": np.array([-1 if t.word is None else t.word for t in tokens]),
        f"{side}_segments": np.array([t.segment for t in tokens]),
        f"{side}_special": np.array([t.special for t in tokens]),
    }


def _tokens(side: str, arrays: "np.lib.npyio.NpzFile") -> tuple[Token, ...]:
    names = ("tokens", "spans", "words", "segments", "special")
    rows = zip(*(arrays[f"{side}_{name}"].tolist() for name in names), strict=True)
    return tuple(
        Token(
            text, None if span[0] < 0 else tuple(span), None if word < 0 else word, segment, special
        )
        for text, span, word, segment, special in rows
    )


def store_first_example() -> None:
    """Compute the first example with the live model and write the file that is shipped."""
    from explorer.sources import trace_run

    with _FIRST.open("wb") as file:
        write_npz(trace_run(EXAMPLES[0].run), file)
