"""One shard: some texts read by a model, and everything that is kept of what its heads did.

What is kept is sums, counts, and the texts that come first in an order of their own, so that shards
are merged by adding and by taking the first again: how a corpus was cut changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from explorer.analysis.profiles import NO_TOKEN
from explorer.corpus import rules
from explorer.corpus.measures import DISTANCE, MEASURES, N_DISTANCES, NAMES, VARIANCE, place_of
from explorer.corpus.reading import Batch, Found, Read, as_read, batches, listen, read_layer
from explorer.corpus.sketch import N_BINS
from explorer.corpus.sums import SAMPLE, Ints, Sums, first_of, lot
from explorer.corpus.texts import Text
from explorer.errors import ExplorerError
from explorer.language import t
from explorer.layers import ROW_SUM_TOLERANCE, Doubles, Weights
from explorer.sources.chats import written
from explorer.sources.forward import check_room
from explorer.sources.loading import LoadedModel
from explorer.sources.progress import tick
from explorer.sources.tokens import read_texts


@dataclass(frozen=True, eq=False)
class Shard:
    """A shard that was read.

    Attributes:
        sums: What is kept of it; None where none of its texts could be read.
        texts: Those that were.
        read: What each was to the model.
        why: Why the first text that was not could not be.
    """

    sums: Sums | None
    texts: list[Text]
    read: list[Read]
    why: str | None


def census(
    loaded: LoadedModel, texts: Sequence[Text], length: int, by: str, seed: int = 0
) -> Shard:
    """Read some texts, and measure every head in each of them.

    Args:
        loaded: A model that reads texts.
        texts: The texts.
        length: Tokens of a text that are read.
        by: The measure whose largest values are kept with their texts.
        seed: Of the lot by which texts are drawn.

    Raises:
        ExplorerError: The model cannot read many texts, or fails.
    """
    kept, read, why = tokenized(loaded, texts, length)
    if not read:
        return Shard(None, [], [], why)
    types = {name: i for i, name in enumerate(sorted({t.text for r in read for t in r.tokens}))}
    reading = _Reading(loaded, read, types)
    for batch in batches(read, types):
        tick()
        reading.read(batch)
    names = np.array([lot(text.name, seed) for text in kept], dtype=np.uint64)
    numbers = np.array([text.number for text in kept], dtype=np.int64)
    refused = len(texts) - len(kept)
    return Shard(reading.sums(names, numbers, by, refused), kept, read, why)


def tokenized(
    loaded: LoadedModel, texts: Sequence[Text], length: int
) -> tuple[list[Text], list[Read], str | None]:
    """The texts that a model can read, as it reads them, and why the first other cannot be."""
    if loaded.form != "text":
        raise ExplorerError(
            t(
                "{name} does not read texts alone, and a corpus is read by models of "
                "one part. Choose another model, such as bert.",
                name=loaded.info.name,
            )
        )
    most = min(length, loaded.info.max_tokens)
    loaded = replace(loaded, info=replace(loaded.info, max_tokens=most))
    kept, read, why = [], [], None
    for text in texts:
        try:
            reader, parts = written(loaded, text.parts[0]) if text.chat else (loaded, text.parts)
            read.append(as_read(read_texts(reader, parts), parts, loaded.info.unknown_token))
        except ExplorerError as error:
            why = why or str(error)
            continue
        kept.append(text)
    longest = max((len(r.tokens) for r in read), default=0)
    if longest > most:
        raise ExplorerError(
            t(
                "A text has {longest} tokens where {most} are read: {name} adds marks "
                "to each text, which leave no room for words. Ask for a larger "
                "--length.",
                longest=longest,
                most=most,
                name=loaded.info.name,
            )
        )
    check_room(loaded, longest, None)
    return kept, read, why


class _Reading:
    """All texts of a shard, batch by batch."""

    def __init__(self, loaded: LoadedModel, read: Sequence[Read], types: dict[str, int]) -> None:
        self._loaded, self._read, self._types = loaded, read, types
        self._device = next(loaded.network.parameters()).device
        self.layers: tuple[int, ...] = ()
        self._values: Weights | None = None
        self._even: Doubles | None = None
        self._apart: list[torch.Tensor] = []
        self._received: list[torch.Tensor] = []
        self._given: list[torch.Tensor] = []

    def read(self, batch: Batch) -> None:
        found: list[Found] = []
        at = batch.at
        batch = batch.to(self._device)
        self.layers = listen(
            self._loaded, batch, lambda _, call: found.append(read_layer(call, batch))
        )
        heads = sorted({layer.apart.shape[0] for layer in found})
        if len(heads) > 1:
            raise ExplorerError(
                t(
                    "The layers of {name} have different numbers of heads ({join}), so they"
                    " cannot be laid side by side. Choose another model.",
                    name=self._loaded.info.name,
                    join=", ".join(map(str, heads)),
                )
            )
        values = self._room(len(found), heads[0])
        assert self._even is not None
        for i, layer in enumerate(found):
            self._even[at, i] = layer.even.numpy()
            stacked = torch.stack([layer.measures[name] for name in NAMES], dim=1)
            values[at, :, i] = stacked.float().cpu().numpy()
            self._apart[i] += layer.apart.cpu()
            types = batch.types.reshape(-1).cpu()
            for sums, each in ((self._received, layer.received), (self._given, layer.given)):
                by_token = each.transpose(1, 2).reshape(len(types), -1)
                sums[i].index_add_(0, types, by_token.cpu())
        nowhere = values[at, place_of(NO_TOKEN)]
        none = nowhere.max(axis=(1, 2)) <= ROW_SUM_TOLERANCE  # but for rounding
        values[at, place_of(NO_TOKEN)] = np.where(none[:, None, None], np.nan, nowhere)

    def _room(self, n_layers: int, n_heads: int) -> Weights:
        if self._values is None:
            shape = (len(self._read), len(NAMES), n_layers, n_heads)
            self._values = np.full(shape, np.nan, dtype=np.float32)
            self._even = np.full((len(self._read), n_layers), np.nan)
            zeros: Any = torch.zeros
            for _ in range(n_layers):
                self._apart.append(zeros((n_heads, N_DISTANCES), dtype=torch.float64))
                for sums in (self._received, self._given):
                    sums.append(zeros((len(self._types), n_heads), dtype=torch.float64))
        return self._values

    def sums(self, names: npt.NDArray[np.uint64], numbers: Ints, by: str, refused: int) -> Sums:
        """What is kept."""
        values, even, read = self._values, self._even, self._read
        assert values is not None
        assert even is not None
        lengths = np.array([len(r.tokens) for r in read])
        known = ~np.isnan(values[:, :, 0, 0])
        filled = np.nan_to_num(values, copy=True).astype(np.float64)
        first = np.argsort(names, kind="stable")[:SAMPLE]
        top, top_number, top_name = _largest(values[:, place_of(by)], names, numbers)
        held, could = rules.counted(values, even, NAMES)
        seen = np.zeros(len(self._types), dtype=np.int64)
        for text in read:
            np.add.at(seen, [self._types[t.text] for t in text.tokens], 1)
        return Sums(
            layers=np.array(self.layers, dtype=np.int64),
            n_texts=np.array([len(read)], dtype=np.int64),
            n_tokens=np.array([lengths.sum()], dtype=np.int64),
            n_cut=np.array([sum(r.n_cut > 0 for r in read)], dtype=np.int64),
            n_refused=np.array([refused], dtype=np.int64),
            count=known.sum(axis=0),
            total=filled.sum(axis=0),
            square=(filled**2).sum(axis=0),
            weighted=np.einsum("t,tmlh->mlh", lengths.astype(np.float64), filled),
            tokens=(known * lengths[:, None]).sum(axis=0),
            far_square=np.einsum(
                "t,tlh->lh",
                lengths.astype(np.float64),
                filled[:, place_of(VARIANCE)] + filled[:, place_of(DISTANCE)] ** 2,
            ),
            held=held,
            could=could,
            even=np.nansum(even, axis=0),
            counts=counted(values),
            apart=np.stack([a.numpy() for a in self._apart]),
            types=np.array(list(self._types)),
            seen=seen,
            received=np.stack([a.float().numpy() for a in self._received]),
            given=np.stack([a.float().numpy() for a in self._given]),
            sample_name=names[first],
            sample=numbers[first],
            sample_values=values[first],
            top=top,
            top_number=top_number,
            top_name=top_name,
        )


def counted(values: Weights) -> npt.NDArray[np.int32]:
    """How many texts have a value in each bin, ``[measure, layer, head, bin]``."""
    _, _, n_layers, n_heads = values.shape
    found = np.zeros((len(NAMES), n_layers * n_heads, N_BINS), dtype=np.int32)
    heads = np.arange(n_layers * n_heads)
    for m, name in enumerate(NAMES):
        some = values[:, m].reshape(len(values), -1)
        some = some[~np.isnan(some[:, 0])]
        bins = heads * N_BINS + MEASURES[name].bins.of(some.astype(np.float64))
        flat = np.bincount(bins.ravel(), minlength=len(heads) * N_BINS)
        found[m] = flat.reshape(len(heads), N_BINS)
    return found.reshape(len(NAMES), n_layers, n_heads, N_BINS)


def _largest(
    values: Weights, names: npt.NDArray[np.uint64], numbers: Ints
) -> tuple[Weights, Ints, npt.NDArray[np.uint64]]:
    """The largest values of each head and their texts, ``[layer, head, place]``."""
    n, n_layers, n_heads = values.shape
    shape = (n_layers, n_heads, n)
    return first_of(
        np.moveaxis(values, 0, -1),
        np.broadcast_to(numbers, shape),
        np.broadcast_to(names, shape),
    )
