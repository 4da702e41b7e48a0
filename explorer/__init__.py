"""Attention Explorer: every attention weight of a from-scratch layer or a real model.

>>> import explorer
>>> trace = explorer.trace("The cat sat on the mat because it was tired.")
>>> trace.weights.shape  # [layer, head, query, key]
(6, 12, 13, 13)

Importing this package is light: torch and transformers are imported by the first trace.
"""

import os
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

# numpy reads this when it is loaded. Its threads wait for each other by running in circles: beside
# others' work the scores of a head took 10 times as long with two threads as with one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import parse_source
from explorer.trace import AttentionTrace, Token

if TYPE_CHECKING:
    from explorer.export.notebook import Shown

__all__ = ["AttentionTrace", "ExplorerError", "Run", "Token", "show", "trace"]


def trace(
    text: str = "",
    second: str | None = None,
    *,
    source: str = "bert",
    part: str = "cross",
    picture: str | PathLike[str] | None = None,
    **options: object,
) -> AttentionTrace:
    """Run a text, or a picture, through a model and keep every attention weight.

    Args:
        text: The text, in any language.
        second: A second text; the model then reads the two as a pair. For an encoder-decoder it
            is what the model shall write; without one the model writes it itself, greedily.
        source: ``bert`` (the embedded all-MiniLM-L6-v2), ``scratch`` (the from-scratch layer with
            random weights), ``trained`` (the same after learning a task), ``transplant:bert`` (the
            same with BERT's weights), ``hf:NAME`` (a model of the Hugging Face hub) or
            ``path:FOLDER``.
        part: Of an encoder-decoder: ``cross``, ``encoder`` or ``decoder``.
        picture: A file for a vision model to look at, in place of a text.
        options: For ``scratch``: d_model, n_heads, n_layers, seed, positions, causal. For
            ``trained``: task, length, d_model, n_heads, n_layers, learning_rate, steps, seed.

    Returns:
        The trace; ``trace.weights`` is float32 ``[layer, head, query, key]``.

    Raises:
        ExplorerError: With a sentence that says what is wrong and what to do.
    """
    from explorer.sources import trace_run  # here, so that `import explorer` stays light

    seen = None
    if picture is not None:
        from explorer.sources.pictures import picture_of

        seen = picture_of(Path(picture).read_bytes())
    return trace_run(Run(text, second, parse_source(source, **options), part, seen))


def show(trace: AttentionTrace, height: int = 1000) -> "Shown":
    """The instrument for a notebook cell: every head, with every interaction, offline.

    Args:
        trace: From `explorer.trace`.
        height: Of the cell, in pixels.
    """
    from explorer.export.notebook import Shown

    return Shown(trace, height)


# The function has the name of the module it returns a class of. `import explorer.trace` finds
# the module; for `explorer.trace.AttentionTrace` the function carries the class too.
trace.AttentionTrace = AttentionTrace  # type: ignore[attr-defined]
