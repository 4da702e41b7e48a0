"""Shards into one: sums are added in the order of the shards, and the first are taken again."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.corpus.measures import DISTANCE, MEASURES, NAMES, VARIANCE, place_of
from explorer.corpus.sums import SAMPLE, first_of
from explorer.layers import Doubles

_ADDED = (
    *("n_texts", "n_tokens", "n_cut", "n_refused", "count", "total", "square", "weighted"),
    *("tokens", "counts", "apart", "far_square", "held", "could", "even"),
)
_DRAWN = ("sample_name", "sample", "sample_values")
_TOP = ("top", "top_number", "top_name")
_KEPT = (*_ADDED, "layers", *_DRAWN, *_TOP)
Part = Callable[[Iterable[str]], dict[str, Any]]  # arrays of a shard, by their names


@dataclass(frozen=True, eq=False)
class Merged:
    """All shards together, but for what is kept of tokens: the fields are those of `Sums`."""

    arrays: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.arrays[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def mean(self) -> Doubles:
        """The mean of each measure over the texts that can show it, ``[measure, layer, head]``."""
        return _per(self.total, self.count)

    @property
    def spread(self) -> Doubles:
        """The standard deviation over these (of the sample)."""
        n = self.count[:, None, None]
        off = self.square - n * np.nan_to_num(self.mean) ** 2
        found: Doubles = np.sqrt(np.maximum(off, 0) / np.maximum(n - 1, 1))
        return np.where(n > 0, found, np.nan)

    @property
    def mean_of_tokens(self) -> Doubles:
        """The mean where each text counts as many times as it has tokens.

        Of the variance of the distance that over all attention of all texts.
        """
        found = _per(self.weighted, self.tokens)
        far = found[place_of(DISTANCE)]
        found[place_of(VARIANCE)] = np.maximum(self.far_square / self.n_tokens[0] - far**2, 0)
        return found


def _per(total: Doubles, count: Any) -> Doubles:
    n = count[:, None, None].astype(np.float64)
    found: Doubles = np.divide(total, n, out=np.full(total.shape, np.nan), where=n > 0)
    return found


def merge(shards: Sequence[Part]) -> Merged:
    """Add shards up, in their order.

    Args:
        shards: At least one.
    """
    found: dict[str, Any] = {}
    for part in shards:
        arrays = part(_KEPT)
        arrays["counts"] = arrays["counts"].astype(np.int64)
        for name in _ADDED:
            found[name] = found[name] + arrays[name] if name in found else arrays[name]
        found["layers"] = arrays["layers"]
        _draw(found, arrays)
        _top(found, arrays)
    return Merged(found)


def _draw(found: dict[str, Any], arrays: dict[str, Any]) -> None:
    """The texts that are drawn: of all those with the smallest names."""
    both = [_joined(found, arrays, name, 0) for name in _DRAWN]
    first = np.argsort(both[0], kind="stable")[:SAMPLE]
    found.update({name: array[first] for name, array in zip(_DRAWN, both, strict=True)})


def _top(found: dict[str, Any], arrays: dict[str, Any]) -> None:
    both = [_joined(found, arrays, name, -1) for name in _TOP]
    found.update(dict(zip(_TOP, first_of(both[0], both[1], both[2]), strict=True)))


def _joined(found: dict[str, Any], arrays: dict[str, Any], name: str, axis: int) -> Any:
    if name not in found:
        return arrays[name]
    return np.concatenate([found[name], arrays[name]], axis=axis)


@dataclass(frozen=True, eq=False)
class Tokens:
    """What all tokens with one text get and give, over all shards.

    Attributes:
        types: Their texts, sorted.
        seen: How often each was there.
        received, given: ``[type, head]``, of one layer.
    """

    types: list[str]
    seen: Any
    received: Doubles
    given: Doubles


def tokens_of_layer(shards: Sequence[Part], layer: int) -> Tokens:
    """The tokens of one layer: one at a time, as vocabularies are large.

    Args:
        shards: All shards.
        layer: Which layer, counted from 0.
    """
    types = sorted({str(t) for part in shards for t in part(["types"])["types"]})
    place = {name: i for i, name in enumerate(types)}
    n_heads = shards[0](["apart"])["apart"].shape[1]
    seen = np.zeros(len(types), dtype=np.int64)
    received, given = (np.zeros((len(types), n_heads)) for _ in range(2))
    for part in shards:
        arrays = part(["types", "seen", f"received/{layer}", f"given/{layer}"])
        at = [place[str(t)] for t in arrays["types"]]
        seen[at] += arrays["seen"]
        received[at] += arrays[f"received/{layer}"]
        given[at] += arrays[f"given/{layer}"]
    return Tokens(types, seen, received, given)


def deciles_of(merged: Merged) -> dict[str, Any]:
    """Of each text that was drawn the decile of each of its values, int64; −1 for none.

    Returns:
        By the measure's name ``[text, layer, head]``, from 0.
    """
    found = {}
    for m, name in enumerate(NAMES):
        values = merged.sample_values[:, m].astype(np.float64)
        counts = merged.counts[m]
        deciles = np.full(values.shape, -1, dtype=np.int64)
        known = ~np.isnan(values[:, 0, 0])
        for layer in range(values.shape[1]):
            for head in range(values.shape[2]):
                ranks = MEASURES[name].bins.ranks(counts[layer, head], values[known, layer, head])
                deciles[known, layer, head] = np.minimum((ranks * 10).astype(np.int64), 9)
        found[name] = deciles
    return found
