"""The strongest weights of every head in some texts: which token looks at which, and how much."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from explorer.corpus.census import tokenized
from explorer.corpus.reading import Batch, batches, listen, rows_of
from explorer.corpus.texts import Text
from explorer.layers import Weights
from explorer.sources.loading import LoadedModel
from explorer.sources.progress import tick
from explorer.sources.tap import Call

PAIRS = 32  # of each head in each text


@dataclass(frozen=True, eq=False)
class Pairs:
    """The strongest weights of one text, from the strongest on.

    Attributes:
        number: The text's.
        query, key: int32 ``[layer, head, place]``.
        weight: float32, of the same shape.
    """

    number: int
    query: npt.NDArray[np.int32]
    key: npt.NDArray[np.int32]
    weight: Weights


def strongest(loaded: LoadedModel, texts: Sequence[Text], length: int) -> list[Pairs]:
    """The strongest weights of every head in some texts, each read once.

    Args:
        loaded: The model.
        texts: Texts that it can read.
        length: Tokens of each that are read.
    """
    kept, read, _ = tokenized(loaded, texts, length)
    types = {name: i for i, name in enumerate(sorted({t.text for r in read for t in r.tokens}))}
    device = next(loaded.network.parameters()).device
    found: list[Pairs] = []
    for batch in batches(read, types):
        tick()
        layers: list[tuple[torch.Tensor, torch.Tensor]] = []
        batch = batch.to(device)
        listen(loaded, batch, lambda _, call, to=layers: to.append(_of_layer(call)))  # type: ignore[misc]
        found += _of_batch(batch, [kept[i].number for i in batch.at], layers)
    return found


def _of_layer(call: Call) -> tuple[torch.Tensor, torch.Tensor]:
    """The largest weights of a layer, and their cells: ``[text, head, place]``, query · n + key."""
    t, h, n = call.query.shape[:3]
    best = call.query.new_full((t, h, 0), 0.0)
    cells = torch.zeros((t, h, 0), dtype=torch.long, device=call.query.device)
    for rows, weights in rows_of(call):
        flat = (rows[:, None] * n + torch.arange(n, device=rows.device)).reshape(-1)
        some, at = weights.reshape(t, h, -1).topk(min(PAIRS, len(flat)), dim=-1)
        best = torch.cat([best, some], dim=-1)
        cells = torch.cat([cells, flat[at]], dim=-1)
        best, order = best.topk(min(PAIRS, best.shape[-1]), dim=-1)
        cells = cells.gather(-1, order)
    return best, cells


def _of_batch(
    batch: Batch, numbers: Sequence[int], layers: list[tuple[torch.Tensor, torch.Tensor]]
) -> list[Pairs]:
    weights = torch.stack([w for w, _ in layers], dim=1).cpu().numpy()
    cells = torch.stack([c for _, c in layers], dim=1).cpu().numpy()
    query, key = (part.astype(np.int32) for part in np.divmod(cells, batch.n))
    return [
        Pairs(number, query[i], key[i], weights[i].astype(np.float32))
        for i, number in enumerate(numbers)
    ]
