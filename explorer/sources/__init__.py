"""Run -> AttentionTrace. Importing this room is light; torch comes with the first model."""

from explorer.run import Embedded, Run, Scratch
from explorer.sources.catalogue import EXAMPLES, Example
from explorer.sources.progress import Progress, silent
from explorer.sources.stored import stored_trace
from explorer.trace import AttentionTrace

__all__ = ["EXAMPLES", "Example", "Progress", "stored_trace", "trace_run", "warm_up"]


def trace_run(run: Run, progress: Progress = silent) -> AttentionTrace:
    """Compute every attention weight of a run.

    Raises:
        ExplorerError: The source cannot be loaded, or cannot read the text.
    """
    progress("Starting PyTorch", None)
    if isinstance(run.source, Scratch):
        from explorer.sources.scratch import trace_scratch

        return trace_scratch(run)
    from explorer.sources.huggingface import trace_text
    from explorer.sources.loading import load_model

    return trace_text(load_model(run.source, progress), run)


def warm_up() -> None:
    """Load the embedded model, so that the first Run does not wait for it."""
    from explorer.sources.loading import load_model

    load_model(Embedded(), silent)
