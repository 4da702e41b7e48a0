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

PAIRS = 24  # of each head in each text, and as many that have to do with the first token


@dataclass(frozen=True, eq=False)
class Pairs:
    """The strongest weights of one text, from the strongest on.

    Half of them are outside the first row and the first column, as far as there are so many: where
    a head rests on the first token, what else it does would not be seen.

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
    n, device = call.query.shape[2], call.query.device
    keys = torch.arange(n, device=device)
    kinds = [_Best(call), _Best(call)]  # outside the first row and column, and in one of these
    for rows, weights in rows_of(call):
        first = ((rows[:, None] == 0) | (keys == 0)).reshape(-1)
        flat = (rows[:, None] * n + keys).reshape(-1)
        whole = weights.flatten(-2)
        for kind, some in zip(kinds, (~first, first), strict=True):
            kind.add(whole[..., some], flat[some])
    best = torch.cat([kind.weights for kind in kinds], dim=-1)
    cells = torch.cat([kind.cells for kind in kinds], dim=-1)
    best, order = best.sort(dim=-1, descending=True, stable=True)
    return best, cells.gather(-1, order)


class _Best:
    """The largest of some weights of each head, and their cells, while more come."""

    def __init__(self, call: Call) -> None:
        t, h = call.query.shape[:2]
        self.weights = call.query.new_full((t, h, 0), 0.0)
        self.cells = torch.zeros((t, h, 0), dtype=torch.long, device=call.query.device)

    def add(self, weights: torch.Tensor, cells: torch.Tensor) -> None:
        """Add weights ``[text, head, some]`` of cells ``[some]``."""
        some, at = weights.topk(min(PAIRS, len(cells)), dim=-1)
        both = torch.cat([self.weights, some], dim=-1)
        places = torch.cat([self.cells, cells[at]], dim=-1)
        self.weights, order = both.topk(min(PAIRS, both.shape[-1]), dim=-1)
        self.cells = places.gather(-1, order)


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
