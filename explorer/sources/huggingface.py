"""A loaded Hugging Face model as a source: the attention of its layers, kept."""

from typing import Any

import torch

from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.sources.loading import LoadedModel
from explorer.sources.memory import take
from explorer.sources.tokens import Reading, read
from explorer.trace import AttentionTrace


def trace_text(loaded: LoadedModel, run: Run) -> AttentionTrace:
    """Run a text, or a pair of texts, through a loaded model.

    Raises:
        ExplorerError: The model finds no token in the text, or returns no attention.
    """
    reading = read(loaded, run.texts)
    tokens = reading.tokens
    attentions, _ = attend(loaded, reading)
    weights = torch.cat(attentions).float().numpy()
    return AttentionTrace(loaded.info, run.texts, tokens, tokens, weights, reading.n_cut)


def attend(
    loaded: LoadedModel, reading: Reading, **inputs: torch.Tensor
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Run the model.

    Args:
        loaded: The model.
        reading: What it shall read.
        inputs: Inputs to use beside, or instead of, those of the reading.

    Returns:
        For each layer its weights, ``[1, head, query, key]``, and what it read,
        ``[1, token, d_model]``.

    Raises:
        ExplorerError: The model returns no attention.
    """
    n = len(reading.tokens)
    check_room(loaded, n)
    with torch.inference_mode():
        out = loaded.network(
            **(reading.inputs | inputs), output_attentions=True, output_hidden_states=True
        )
    return complete(out.attentions, n, n, loaded.info.name), list(out.hidden_states)


def check_room(loaded: LoadedModel, n: int, copies: int = 3) -> None:
    """Refuse the attention of so many tokens if it would not fit in memory.

    Args:
        loaded: The model.
        n: Tokens.
        copies: How often all weights are held at once: scores, weights and a copy.

    Raises:
        ExplorerError: It would not.
    """
    size = copies * 4 * loaded.info.n_layers * loaded.info.n_heads * n * n
    take(size, f"The attention of {n:,} tokens", "Choose a shorter text or a smaller model.")


def complete(attentions: Any, n_queries: int, n_keys: int, name: str) -> list[torch.Tensor]:
    """The weights of all layers, ``[1, head, query, key]`` each.

    Raises:
        ExplorerError: They are not the attention of every query on every key.
    """
    found = list(attentions or [])
    if not found or any(a is None or tuple(a.shape[2:]) != (n_queries, n_keys) for a in found):
        raise ExplorerError(
            f"{name} returns no attention of every token on every token, so there is "
            "nothing to show. Choose another model."
        )
    return found
