"""Traces as NPZ files: arrays and JSON, never pickle. One is shipped: the first example's.

It is painted before any model is loaded, on a first visit only; `explorer.trace` never reads it.
Made anew by ``make example`` after a change of the model or of its tokens.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from explorer.run import Run
from explorer.sources.catalogue import EXAMPLES
from explorer.trace import AttentionTrace, ModelInfo, Token

_FIRST = Path(__file__).with_name("first_example.npz")


def stored_trace(run: Run) -> AttentionTrace | None:
    """The shipped trace of a run; None unless the run is the first example."""
    if run != EXAMPLES[0].run or not _FIRST.is_file():
        return None
    return load_trace(_FIRST)


def save_trace(trace: AttentionTrace, path: Path) -> None:
    """Write a trace as NPZ: ``weights`` as they are, everything else as JSON in ``about``."""
    about = {
        "model": asdict(trace.model),
        "texts": trace.texts,
        "query_tokens": [asdict(t) for t in trace.query_tokens],
        "key_tokens": [asdict(t) for t in trace.key_tokens],
        "n_cut": trace.n_cut,
    }
    np.savez_compressed(path, weights=trace.weights, about=np.array(json.dumps(about)))


def load_trace(path: Path) -> AttentionTrace:
    """Read what `save_trace` wrote; the same trace, bit for bit."""
    with np.load(path, allow_pickle=False) as file:
        about = json.loads(str(file["about"]))
        weights = file["weights"]
    return AttentionTrace(
        ModelInfo(**about["model"]),
        tuple(about["texts"]),
        tuple(map(_token, about["query_tokens"])),
        tuple(map(_token, about["key_tokens"])),
        weights,
        tuple(about["n_cut"]),
    )


def _token(values: dict[str, object]) -> Token:
    span = values.pop("span")
    return Token(**values, span=None if span is None else tuple(span))  # type: ignore[arg-type]


def store_first_example() -> None:
    """Compute the first example with the live model and write the file that is shipped."""
    from explorer.sources import trace_run

    save_trace(trace_run(EXAMPLES[0].run), _FIRST)
