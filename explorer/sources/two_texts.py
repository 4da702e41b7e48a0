"""An encoder–decoder's two texts as one line of tokens, for who takes some of them away.

What is read comes first, what is written behind it. The model is given both apart.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from explorer.run import Run
from explorer.sources.loading import LoadedModel
from explorer.sources.progress import Progress
from explorer.sources.seq2seq import read_pair
from explorer.sources.tokens import read_texts
from explorer.sources.vectors import word_vectors
from explorer.sources.written import read_run
from explorer.trace import Token

_SIDE = "written"  # among the inputs: 1 for tokens that are written


def read_for(
    loaded: LoadedModel, run: Run, progress: Progress
) -> tuple[tuple[Token, ...], dict[str, Tensor], int]:
    """A run's tokens, what a model is called with, and how many are read before what is written.

    The last is 0 for models of one part, and for heads that choose between classes, which read all
    their texts in one.
    """
    if loaded.form == "pair" and loaded.predicts != "class":
        target, given = read_pair(loaded, run, progress)
        reading = read_texts(loaded, (run.text,))
        read, written = given["input_ids"], given["decoder_input_ids"]
        sides = [torch.zeros_like(read), torch.ones_like(written)]
        ids = torch.cat([read, written], dim=1)
        inputs = {"input_ids": ids, _SIDE: torch.cat(sides, dim=1)}
        tokens = (*reading.tokens, *target.tokens)
        return tokens, inputs | {"attention_mask": torch.ones_like(ids)}, read.shape[1]
    pair = loaded.form == "pair"
    one = read_texts(loaded, run.texts) if pair else read_run(loaded, run)[0]
    inputs = dict(one.inputs)
    inputs.setdefault("attention_mask", torch.ones_like(inputs["input_ids"]))
    return one.tokens, inputs, 0


def in_two(
    inputs: dict[str, Tensor], rows: Sequence[tuple[int, ...]], pad: int
) -> tuple[dict[str, Tensor], list[tuple[int, ...]]]:
    """Some lines of tokens as an encoder–decoder takes them; rows then count what is written.

    Args:
        inputs: The lines, ``[text, token]`` each.
        rows: Positions in each line.
        pad: What stands behind the shorter ones; nothing looks at it.
    """
    here, written = inputs["attention_mask"].bool(), inputs[_SIDE].bool()
    pairs = list(zip(inputs["input_ids"], here, written, strict=True))
    read = [ids[seen & ~side] for ids, seen, side in pairs]
    made: dict[str, Tensor] = {
        "input_ids": pad_sequence(read, batch_first=True, padding_value=pad),
        "attention_mask": pad_sequence([torch.ones_like(one) for one in read], batch_first=True),
        "decoder_input_ids": pad_sequence(
            [ids[seen & side] for ids, seen, side in pairs], batch_first=True, padding_value=pad
        ),
    }
    counted = [tuple(row - len(one) for row in some) for some, one in zip(rows, read, strict=False)]
    return made, counted


@contextmanager
def of_two(network: Any, ids: Tensor, offset: int, given: Tensor | None) -> Iterator[list[Tensor]]:
    """`word_vectors` of both texts of a line: the model's own, or one leaf of given ones.

    Args:
        network: The model.
        ids: The lines, ``[text, token]``.
        offset: How many tokens are read.
        given: Vectors to use in the place of its own, ``[text, token, d]``.
    """
    found: list[Tensor] = []
    leaf = given
    if leaf is not None and torch.is_grad_enabled() and not leaf.requires_grad:
        leaf = leaf.clone().requires_grad_()
    parts = (None, None) if leaf is None else (leaf[:, :offset], leaf[:, offset:])
    with (
        word_vectors(network, ids[:, :offset], parts[0]) as read,
        word_vectors(network, ids[:, offset:], parts[1]) as written,
    ):
        yield found
    found += [leaf] if leaf is not None else [*read, *written]
