"""The vectors of a text's words on their way into a model: kept, or others put in their place.

A model looks its words up in a table. What its gradients are taken to, and what integrated
gradients move, stands there, so the numbers of the words stay what they are: no model can mistake
a changed vector for padding, lose count of its positions, or miss the mark at the end of a text.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


@contextmanager
def word_vectors(network: Any, ids: Tensor, given: Tensor | None = None) -> Iterator[list[Tensor]]:
    """Keep the vectors that a model looks up for a text while the block runs, or replace them.

    An encoder-decoder that classifies looks its text up twice, the second time shifted by one
    place; both times stand for the same words, so one tensor serves both.

    Args:
        network: The model.
        ids: What it is called with, ``[text, token]``.
        given: Vectors to use in place of its own, ``[text, token, d]``.

    Yields:
        A list that holds the vectors, ``[text, token, d]``, once the model has run: the given
        ones, or its own as a leaf of torch's graph.
    """
    found: list[Tensor] = []
    own: list[Tensor] = []

    def put(_module: object, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        seen = inputs[0]
        if not isinstance(output, Tensor):
            return None  # I-BERT's tables give a number to scale with too
        turned = not _begins(seen, ids) and seen.dim() == 2 and _begins(seen.T, ids)  # XLNet
        words = output.transpose(0, 1) if turned else output
        if not own:
            if not turned and not _begins(seen, ids):
                return None  # something else than the text
            own.append(words.detach()[:, : ids.shape[1]])
            leaf = own[0].clone().requires_grad_() if given is None else given
            found.append(leaf)
        n = ids.shape[1]
        if turned or _begins(seen, ids):  # some pad the text to a multiple of their window
            changed = torch.cat([found[0], words.detach()[:, n:]], dim=1)
        elif words.shape[1] == n and torch.equal(words[:, 1:], own[0][:, :-1]):
            changed = torch.cat([words.detach()[:, :1], found[0][:, :-1]], dim=1)
        else:
            return None
        return changed.transpose(0, 1) if turned else changed

    table = network.get_input_embeddings()
    tables = [m for m in network.modules() if m is table or _shares(m, table)]
    hooks = [module.register_forward_hook(put) for module in tables]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def _begins(seen: Tensor, ids: Tensor) -> bool:
    """Whether what is looked up is the text, or begins with it."""
    longer = seen.dim() == 2 and len(seen) == len(ids) and seen.shape[1] >= ids.shape[1]
    return longer and torch.equal(seen[:, : ids.shape[1]], ids)


def _shares(module: torch.nn.Module, table: torch.nn.Module) -> bool:
    """Whether a module looks up in the same table: BART's encoder and decoder have one each."""
    weight = getattr(module, "weight", None)
    return isinstance(module, torch.nn.Embedding) and weight is getattr(table, "weight", None)
