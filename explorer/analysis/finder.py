"""Which heads look from some words to others, over several examples, and beyond mere position."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.analysis.groups import attention_between
from explorer.analysis.profiles import Doubles
from explorer.trace import Weights


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
    examples: Iterable[tuple[Weights, Sequence[int], Sequence[int]]],
    report: Callable[[str, float | None], None] = lambda doing, share: None,
) -> Found:
    """Score every head on pairs of words.

    Args:
        examples: For each, the weights ``[layer, head, query, key]``, the positions of the word
            that looks and of the word that is looked at; each is let go once it is scored.
        report: Told what is being done; may raise to end it.
    """
    weights, baselines, others = [], [], []
    for i, (array, queries, keys) in enumerate(examples):
        report(f"Scoring pair {i + 1}", None)
        between = attention_between(array, [queries], [keys], mean=True, together=True)
        weights.append(between.astype(np.float64))
        baselines.append(_at_distance(array, queries, keys))
        others.append(_from_others(array, queries, keys))
    stack = np.stack(weights)
    spread = stack.std(axis=0, ddof=min(1, len(stack) - 1))
    return Found(stack.mean(axis=0), spread, _mean_of_known(baselines), _mean_of_known(others))


def _mean_of_known(maps: list[Doubles]) -> Doubles:
    """The mean over examples, without those that have no number; NaN if none has."""
    stack = np.stack(maps)
    known = ~np.isnan(stack)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, stack, 0).sum(axis=0) / np.maximum(count, 1), np.nan)


def _from_others(weights: Weights, queries: Sequence[int], keys: Sequence[int]) -> Doubles:
    """Mean attention of all tokens of neither word to the looked-at word."""
    rows = [i for i in range(weights.shape[-2]) if i not in queries and i not in keys]
    if not rows:
        return np.full(weights.shape[:2], np.nan)
    between = attention_between(weights, [[i] for i in rows], [keys], mean=True, together=True)
    return between.astype(np.float64)


def _at_distance(weights: Weights, queries: Sequence[int], keys: Sequence[int]) -> Doubles:
    """Mean attention of all other tokens to as many tokens at the same distance, summed."""
    n, offset, width = weights.shape[-1], keys[0] - queries[0], len(keys)
    rows = [i for i in range(n) if i not in queries and i + offset >= 0 and i + offset + width <= n]
    if not rows:
        return np.full(weights.shape[:2], np.nan)
    total = sum(
        weights[..., rows, np.array(rows) + offset + k].astype(np.float64) for k in range(width)
    )
    return np.asarray(total).mean(axis=-1)
