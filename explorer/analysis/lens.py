"""The logit lens: what a decoder would predict if it ended after each layer (nostalgebraist 2020).

The vector behind each layer is read as if it were the last: through the last norm and the table of
words. Layers were not trained for that, so early ones are often far off.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from explorer.prediction import Doubles, Logits, likeliest
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
    ids = np.stack([likeliest(row, count) for row in logits])
    totals = _totals(logits)
    chances = np.exp(np.take_along_axis(logits, ids, -1) - totals[:, None])
    chosen = int(ids[-1, 0]) if chosen is None else chosen
    followed = np.exp(logits[:, chosen] - totals)
    ranks = (logits > logits[:, chosen, None]).sum(axis=-1)
    texts = tuple(tuple(stream.text(at, int(token)) for token in row) for row in ids)
    return LensRow((-1, *stream.numbers), ids, chances, texts, chosen, followed, ranks)


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
        totals, some = _totals(logits), slice(start, start + logits.shape[1])
        ids[:, some] = logits.argmax(-1)  # of equal ones the smaller number, as everywhere
        tokens = ids[-1, some] if chosen is None else np.full(logits.shape[1], chosen)
        for of, which in ((chances, ids[:, some]), (follow, np.tile(tokens, (layers, 1)))):
            found = np.take_along_axis(logits, which[..., None], -1)[..., 0]
            of[:, some] = np.exp(found - totals)
    texts = tuple(
        tuple(stream.text(at, int(token)) for at, token in zip(places, row, strict=True))
        for row in ids
    )
    numbers = (-1, *stream.numbers)
    return LensMap(numbers, tuple(places), ids, chances, texts, chosen, follow)


def _totals(logits: Logits) -> Doubles:
    """The logarithm of the sum of the exponentials of each row.

    Terms are float32, as logits are, and their sum float64: in float64 alone it would take as long
    as the table of words.
    """
    most = logits.max(axis=-1, keepdims=True)
    sums = np.exp(logits - most).sum(axis=-1, dtype=np.float64)
    found: Doubles = most[..., 0] + np.log(sums)
    return found
