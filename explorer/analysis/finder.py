"""Which heads look from some words to others, over several examples, and beyond mere position."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.layers import AttentionLayer, Doubles


@dataclass(frozen=True, eq=False)
class Found:
    """How much every head looks from the pointed words to the others.

    Attributes:
        weight: Mean attention over the examples, ``[layer, head]``: keys summed, queries averaged.
        spread: Standard deviation over the examples (of the sample); 0 for a single one.
        baseline: What the same head gives, at the same distance, from all other tokens: where
            this is as high, the head follows the position and not the words. NaN where no other
            token has a neighbour at that distance.
        others: What all other tokens give to the same looked-at word on average: where this is as
            high, the head follows that word, whoever looks. NaN where there is no other token.
    """

    weight: Doubles
    spread: Doubles
    baseline: Doubles
    others: Doubles


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
        report(f"Scoring pair {i + 1}", None)
        toward = _toward(layers, keys)
        weights.append(toward[..., list(queries)].mean(axis=-1))
        baselines.append(_at_distance(layers, queries, keys))
        rest = [p for p in range(toward.shape[-1]) if p not in queries and p not in keys]
        others.append(toward[..., rest].mean(axis=-1) if rest else _nothing(layers))
    stack = np.stack(weights)
    spread = stack.std(axis=0, ddof=min(1, len(stack) - 1))
    return Found(stack.mean(axis=0), spread, _mean_of_known(baselines), _mean_of_known(others))


def _mean_of_known(maps: list[Doubles]) -> Doubles:
    """The mean over examples, without those that have no number; NaN if none has."""
    stack = np.stack(maps)
    known = ~np.isnan(stack)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, stack, 0).sum(axis=0) / np.maximum(count, 1), np.nan)


def _nothing(layers: Sequence[AttentionLayer]) -> Doubles:
    return np.full((len(layers), layers[0].n_heads), np.nan)


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


def _at_distance(
    layers: Sequence[AttentionLayer], queries: Sequence[int], keys: Sequence[int]
) -> Doubles:
    """Mean attention of all other tokens to as many tokens at the same distance, summed."""
    n, offset, width = layers[0].n_keys, keys[0] - queries[0], len(keys)
    rows = [i for i in range(n) if i not in queries and i + offset >= 0 and i + offset + width <= n]
    if not rows:
        return _nothing(layers)
    pairs = (
        np.repeat(rows, width),
        np.repeat(rows, width) + np.tile(np.arange(offset, offset + width), len(rows)),
    )
    total = [
        [layer.cells(head, *pairs).sum(dtype=np.float64) for head in range(layer.n_heads)]
        for layer in layers
    ]
    return np.array(total) / len(rows)
