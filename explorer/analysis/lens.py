"""The logit lens: what a decoder would predict if it ended after each layer (nostalgebraist 2020).

The vector behind each layer is read as if it were the last: through the last norm and the table of
words. Layers were not trained for that, so early ones are often far off.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from explorer.prediction import Doubles, Logits, likeliest, log_softmax
from explorer.residual import LensMap, LensRow

_MOST_ROWS = 512  # rows of logits that are made at once


class Read(Protocol):
    """A text before a decoder, as `explorer.sources.stream.Stream` is."""

    numbers: tuple[int, ...]
    n_tokens: int

    def position(self, at: int | None) -> int: ...

    def layer_logits(self, positions: Sequence[int]) -> Logits: ...

    def text(self, at: int, token: int) -> str: ...


def lens(
    stream: Read, at: int | None = None, *, count: int = 5, chosen: int | None = None
) -> LensRow:
    """What would be predicted at a position if the model ended after each layer.

    Args:
        stream: The text before the decoder.
        at: The position; None for the end of the text.
        count: How many of the likeliest tokens of each layer.
        chosen: A token to follow; None for the one that is likeliest in the end.
    """
    at = stream.position(at)
    logits = stream.layer_logits([at])[:, 0]
    ids, chances = _top_of(logits, count)
    chosen = int(ids[-1, 0]) if chosen is None else chosen
    texts = tuple(tuple(stream.text(at, int(token)) for token in row) for row in ids)
    return LensRow((-1, *stream.numbers), ids, chances, texts, chosen, *_followed(logits, chosen))


def lens_map(
    stream: Read,
    positions: Sequence[int] | None = None,
    *,
    chosen: int | None = None,
    report: Callable[[float], None] = lambda share: None,
) -> LensMap:
    """The likeliest token after each layer at some positions, and a chosen one's probability.

    Args:
        stream: The text before the decoder.
        positions: Where; everywhere if none is named. Each costs what the table of words costs for
            as many tokens as there are layers.
        chosen: A token to follow; None follows at each position the one likeliest in the end.
        report: Told how much is done; may raise to end it.
    """
    places = [stream.position(at) for at in positions or range(stream.n_tokens)]
    n, layers = len(places), len(stream.numbers) + 1
    ids = np.zeros((layers, n), np.intp)
    chances, follow = np.zeros((layers, n)), np.zeros((layers, n))
    step = max(1, _MOST_ROWS // layers)
    for start in range(0, n, step):
        report(start / n)
        logits = stream.layer_logits(places[start : start + step])
        for j in range(logits.shape[1]):
            top, chance = _top_of(logits[:, j], 1)
            ids[:, start + j], chances[:, start + j] = top[:, 0], chance[:, 0]
            token = int(top[-1, 0]) if chosen is None else chosen
            follow[:, start + j] = _followed(logits[:, j], token)[0]
    texts = tuple(
        tuple(stream.text(at, int(token)) for at, token in zip(places, row, strict=True))
        for row in ids
    )
    numbers = (-1, *stream.numbers)
    return LensMap(numbers, tuple(places), ids, chances, texts, chosen, follow)


def _top_of(logits: Logits, count: int) -> tuple[npt.NDArray[np.intp], Doubles]:
    """The likeliest tokens and their probabilities, ``[row, rank]``, the likeliest first."""
    ids = np.stack([likeliest(row, count) for row in logits])
    chances = [np.exp(log_softmax(row)[some]) for row, some in zip(logits, ids, strict=True)]
    return ids, np.stack(chances)


def _followed(logits: Logits, token: int) -> tuple[Doubles, npt.NDArray[np.intp]]:
    """One token's probability in each row, and how many are likelier, ``[row]``."""
    chances = np.array([np.exp(log_softmax(row)[token]) for row in logits])
    ranks = (logits > logits[:, token, None]).sum(axis=-1)
    return chances, ranks
