"""Which heads look from some words to others, over several examples, and beyond mere position."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.language import t
from explorer.layers import AttentionLayer, Doubles


@dataclass(frozen=True, eq=False)
class Found:
    """How much every head looks from the pointed words to the others.

    Attributes:
        weight: Mean attention over the examples, ``[layer, head]``: keys summed, queries averaged.
        spread: Standard deviation over the examples (of the sample); 0 for a single one.
        baseline: What the same head gives, at the same distance, from all other tokens that may
            look there: where this is as high, the head follows the position and not the words. NaN
            where no other token may look at a neighbour at that distance.
        others: What all other tokens that may look at the same word give to it on average: where
            this is as high, the head follows that word, whoever looks. NaN where no other token
            may. Who may look where is the layer's own rule: windows differ from layer to layer.
        each: The attention in each example, ``[example, layer, head]``, of which ``weight`` is the
            mean.
    """

    weight: Doubles
    spread: Doubles
    baseline: Doubles
    others: Doubles
    each: Doubles


def find_pairs(
    examples: Iterable[tuple[Sequence[AttentionLayer], Sequence[int], Sequence[int]]],
    report: Callable[[str, float | None], None] = lambda doing, share: None,
) -> Found:
    """Score every head on pairs of words.

    Only the columns of the looked-at words and a diagonal of each head are computed.

    Args:
        examples: For each, the layers, the positions of the word that looks and of the word that is
            looked at; each is let go once it is scored.
        report: Told what is being done; may raise to end it.
    """
    weights, baselines, others = [], [], []
    for i, (layers, queries, keys) in enumerate(examples):
        report(t("Scoring pair {value}", value=i + 1), None)
        toward = _toward(layers, keys)
        weights.append(toward[..., list(queries)].mean(axis=-1))
        baselines.append(_at_distance(layers, queries, keys))
        others.append(_from_others(layers, toward, queries, keys))
    stack = np.stack(weights)
    spread = stack.std(axis=0, ddof=min(1, len(stack) - 1))
    means = _mean_of_known(baselines), _mean_of_known(others)
    return Found(stack.mean(axis=0), spread, *means, stack)


def _mean_of_known(maps: list[Doubles]) -> Doubles:
    """The mean over examples, without those that have no number; NaN if none has."""
    stack = np.stack(maps)
    known = ~np.isnan(stack)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, stack, 0).sum(axis=0) / np.maximum(count, 1), np.nan)


def _toward(layers: Sequence[AttentionLayer], keys: Sequence[int]) -> Doubles:
    """What every token gives to some keys together, ``[layer, head, query]``."""
    return np.array(
        [
            [
                layer.tile(head, slice(None), keys).sum(axis=1, dtype=np.float64)
                for head in range(layer.n_heads)
            ]
            for layer in layers
        ]
    )


def _reaching(
    layer: AttentionLayer,
    rows: npt.NDArray[np.intp],
    first: npt.NDArray[np.intp] | int,
    width: int,
) -> npt.NDArray[np.intp]:
    """Those of some rows that may look at all of ``width`` keys; the first, for each or for all."""
    start, end = layer.allowed()[rows].T
    return rows[(start <= first) & (first + width <= end)]


def _from_others(
    layers: Sequence[AttentionLayer], toward: Doubles, queries: Sequence[int], keys: Sequence[int]
) -> Doubles:
    """What all other tokens that may look at some keys give to them on average."""
    rest = np.setdiff1d(np.arange(toward.shape[-1]), [*queries, *keys])
    found = np.full(toward.shape[:2], np.nan)
    for given, line, layer in zip(toward, found, layers, strict=True):
        rows = _reaching(layer, rest, min(keys), max(keys) - min(keys) + 1)
        if len(rows):
            line[:] = given[:, rows].mean(axis=-1)
    return found


def _at_distance(
    layers: Sequence[AttentionLayer], queries: Sequence[int], keys: Sequence[int]
) -> Doubles:
    """Mean attention of all other tokens to as many tokens at the same distance, summed."""
    offset, width = keys[0] - queries[0], len(keys)
    rest = np.setdiff1d(np.arange(layers[0].n_queries), queries)
    found = np.full((len(layers), layers[0].n_heads), np.nan)
    for line, layer in zip(found, layers, strict=True):
        rows = _reaching(layer, rest, rest + offset, width)
        at = np.repeat(rows, width)
        to = at + np.tile(np.arange(offset, offset + width), len(rows))
        for head in range(layer.n_heads if len(rows) else 0):
            line[head] = layer.cells(head, at, to).sum(dtype=np.float64) / len(rows)
    return found
