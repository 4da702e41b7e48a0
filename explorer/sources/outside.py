"""Queries and keys of an attention that does not go through the tap, by the weights that it gave.

What its maps gave is laid out as queries, keys and values in every way that families have; with the
scales and biases that are usual, or that it was handed (the slopes of ALiBi), weights are made of
them. The one counts that makes the model's own weights, and of these what its output map read.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, permutations, product
from typing import Any

import torch
from torch import Tensor

from explorer.sources.explained import turned, turns_of
from explorer.sources.listening import Event, Heard, rows
from explorer.sources.stream import linear_of
from explorer.sources.tap import Call

_OFF = 2e-6  # of a weight: float32 sums in another order
_CLOSE = 2e-5  # of the largest number that the output map read


def found_outside(heard: Heard) -> Heard | None:
    """The same with the call that would have been made; None if no layout gives the weights."""
    weights = heard.weights
    if weights is None:
        return None
    maps = [e for e in heard.inside if _reads(e, heard.hidden)]
    beside = [e for e in (*heard.inside, *heard.behind) if e not in maps]
    outs = [e for e in beside if linear_of(e.module) is not None]
    heads, n = weights.shape[1], weights.shape[2]
    seen = (weights[0] > 0).any(0)[None, None]
    for query, key, value in _layouts(maps, heads):
        out = next((e for e in outs if _reads_joined(e, weights[0], value)), None)
        if out is None:
            continue
        for q, k in _turned(heard, query, key):
            for scale, said in _rules(heard.given, heads, n, q.shape[-1]):
                bias = None if said is None else said.masked_fill(~seen, 0.0)
                options = {"scaling": scale, "position_bias": bias}
                if _off(q, k, scale, bias, seen[0, 0], weights[0]) <= _OFF:
                    call = Call(
                        *(heard.call.module, q[None], k[None], seen, options),
                        *(value[None], weights),
                    )
                    behind = [out, *(e for e in heard.behind if e is not out)]
                    return replace(heard, call=call, inside=maps, behind=behind)
    return None


def _reads(event: Event, source: Tensor) -> bool:
    if linear_of(event.module) is None or event.read is None:
        return False
    read = rows(event.read)
    return read.shape == source.shape and torch.equal(read, source)


def _layouts(maps: list[Event], heads: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Queries ``[head, token, d]``, keys and values ``[key head, token, d]``, in any way."""
    gave = [rows(e.gave) for e in maps]
    for one in gave:
        n, width = one.shape
        if width % (3 * heads) == 0:
            behind = one.view(n, 3, heads, -1).permute(1, 2, 0, 3)
            yield behind[0], behind[1], behind[2]  # three in one, one behind the other (MPT)
            beside = one.view(n, heads, 3, -1).permute(2, 1, 0, 3)
            yield beside[0], beside[1], beside[2]  # head by head (BLOOM)
        if width % (heads + 2) == 0:  # one key for all heads (Falcon)
            shared = one.view(n, heads + 2, -1).transpose(0, 1)
            yield shared[:-2], shared[-2:-1], shared[-1:]
    apart = [x.unflatten(-1, (heads, -1)).transpose(0, 1) for x in gave if not x.shape[1] % heads]
    for query, key, value in permutations(apart, 3):
        if query.shape == key.shape:
            yield query, key, value


def _reads_joined(event: Event, weights: Tensor, value: Tensor) -> bool:
    """Whether a map reads what weights make of values."""
    if event.read is None:
        return False
    joined = (weights @ value.repeat_interleave(len(weights) // len(value), 0)).transpose(0, 1)
    read = rows(event.read)
    if read.shape != joined.flatten(1).shape:
        return False
    return bool((read - joined.flatten(1)).abs().max() <= _CLOSE * read.abs().max())


def _turned(heard: Heard, query: Tensor, key: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Queries and keys as they are, and turned as the attention may have been told to."""
    yield query, key
    for turn in turns_of(heard, query.shape[-1]):
        yield turned(turn, query), turned(turn, key)


def _rules(
    given: list[Any], heads: int, n: int, width: int
) -> Iterator[tuple[float, Tensor | None]]:
    """Scales, and what may be added to scores, ``[1, head, query, key]``."""
    told = []
    for one in given:
        if isinstance(one, Tensor) and one.is_floating_point():
            last = one[..., -n:].float()  # MPT is told more than it reads
            if last.shape[-1] == n and last.numel() in (heads * n, heads * n * n):
                told.append(last.reshape(1, heads, -1, n).expand(1, heads, n, n))
    for scale in (width**-0.5, 1.0):
        yield scale, None
        own = [[bias, bias * scale] for bias in told]  # Falcon scales what it adds, too
        for some in own:
            yield from ((scale, bias) for bias in some)
        for one, other in combinations(own, 2):  # and adds it once more with its mask
            yield from ((scale, a + b) for a, b in product(one, other))


def _off(
    q: Tensor, k: Tensor, scale: float, bias: Tensor | None, seen: Tensor, weights: Tensor
) -> float:
    """How far the weights that these make are from those that were given out, at most."""
    scores = q @ k.repeat_interleave(len(q) // len(k), 0).transpose(1, 2) * scale
    scores = scores if bias is None else scores + bias[0]
    made = scores.masked_fill(~seen, -torch.inf).softmax(-1)
    return float((made - weights).abs().max())
