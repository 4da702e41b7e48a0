"""A loaded Hugging Face model as a source: the attention that it has on a text."""

from explorer.run import Run
from explorer.sources.changing import change_for
from explorer.sources.forward import attention_of
from explorer.sources.loading import LoadedModel
from explorer.sources.written import as_trace, read_run
from explorer.trace import AttentionTrace


def trace_text(loaded: LoadedModel, run: Run) -> AttentionTrace:
    """Run a text, or a pair of texts, through a loaded model, whose attention may be changed.

    Raises:
        ExplorerError: The model finds no token in the text, or returns no attention.
    """
    reading, texts = read_run(loaded, run)
    n = len(reading.tokens)
    change = change_for(loaded, run.edits, n)
    layers = attention_of(loaded, reading.inputs, (n, n), change=change)
    return as_trace(loaded, run, reading, texts, layers)
