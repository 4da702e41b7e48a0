"""A loaded Hugging Face model as a source: the attention that it has on a text."""

from explorer.run import Run
from explorer.sources.forward import attention_of, sized
from explorer.sources.loading import LoadedModel
from explorer.sources.tokens import read
from explorer.trace import AttentionTrace


def trace_text(loaded: LoadedModel, run: Run) -> AttentionTrace:
    """Run a text, or a pair of texts, through a loaded model.

    Raises:
        ExplorerError: The model finds no token in the text, or returns no attention.
    """
    reading = read(loaded, run.texts)
    tokens = reading.tokens
    layers = attention_of(loaded, reading.inputs, (len(tokens), len(tokens)))
    info = sized(loaded.info, layers)
    return AttentionTrace(info, run.texts, tokens, tokens, layers, reading.n_cut)
