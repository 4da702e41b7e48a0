"""The tap beside a plain forward pass with sdpa, and q and k beside all weights.

The model is run by turns with the attention function that hands out q and k and with plain sdpa;
what is compared is the median of the ratios of a turn. Memory is what the trace holds, beside what
q and k take by their shapes. Rows and tiles are held against a float64 softmax of the same q and k.

    python -m benchmarks.tap                 # MiniLM, 512 tokens; ModernBERT's shape, 2,048 tokens
    python -m benchmarks.tap 8192            # ModernBERT's shape at a length of your own
"""

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from transformers import AutoModel, ModernBertConfig

from benchmarks.attention import ratio, take_turns
from explorer.layers import FromScores
from explorer.source import Embedded
from explorer.sources.loading import load_model
from explorer.sources.progress import silent
from explorer.sources.tap import NAME, Tap, layers_from, numbers_of

PIECE = 512  # queries of which float64 scores are formed at once


def modern() -> Any:
    """A random model of the shape of ModernBERT-base: 22 layers of 12 heads of 64."""
    torch.manual_seed(0)
    config = ModernBertConfig(attn_implementation="sdpa", initializer_range=0.1)  # heads differ
    return AutoModel.from_config(config).eval()


def traced(network: Any, ids: torch.Tensor) -> tuple[FromScores, ...]:
    with Tap().open() as tap:
        network(input_ids=ids)
    return layers_from(tap.calls, numbers_of(network, tap.calls))


def measure(name: str, network: Any, ids: torch.Tensor, turns: int) -> None:
    """One row: times, their ratio, memory; and how far rows and tiles are from float64."""

    def plain() -> None:
        network(input_ids=ids)

    def switched(to: str, what: Any) -> None:
        network.set_attn_implementation(to)
        what()

    ways: list[Callable[[], object]] = [
        partial(switched, NAME, partial(traced, network, ids)),
        partial(switched, "sdpa", plain),
    ]
    with torch.inference_mode():
        times = take_turns(ways, turns) if turns > 1 else _once(ways)
        network.set_attn_implementation(NAME)
        layers = traced(network, ids)
    shapes = sum(4 * (a.q.size + a.k.size) for a in layers)
    kept = sum(a.nbytes for a in layers)
    everything = sum(4 * a.n_heads * a.n_queries * a.n_keys for a in layers)
    ours, theirs = (statistics.median(t) for t in times)
    print(
        f"{name} | {ids.shape[1]} | {1e3 * ours:.0f} | {1e3 * theirs:.0f} | {ratio(*times):.3f} | "
        f"{kept / 2**20:.1f} | {kept / shapes:.3f} | {everything / 2**20:.0f}"
    )
    exact(layers)


def _once(ways: list[Callable[[], object]]) -> list[list[float]]:
    """Of what takes minutes: one turn of each, none to warm up."""
    times = []
    for way in ways:
        start = time.perf_counter()
        way()
        times.append([time.perf_counter() - start])
    return times


def exact(layers: tuple[FromScores, ...]) -> None:
    """The largest difference of rows and tiles from float64, in two heads of two layers."""
    worst_row = worst_tile = took_row = took_tile = 0.0
    for layer in (layers[0], layers[-1]):
        n = layer.n_keys
        some = np.arange(n // 3, min(n // 3 + 256, n))
        for head in (0, layer.n_heads - 1):
            want = _double(layer, head)
            start = time.perf_counter()
            layer.rows(head, [n // 2])
            took_row = max(took_row, time.perf_counter() - start)
            for first in range(0, n, PIECE):
                rows = layer.rows(head, slice(first, first + PIECE))
                worst_row = max(worst_row, float(np.abs(rows - want(first, first + PIECE)).max()))
            layer.log_sum_exp(head)
            start = time.perf_counter()
            tile = layer.tile(head, some, some)
            took_tile = max(took_tile, time.perf_counter() - start)
            whole = want(int(some[0]), int(some[-1]) + 1)[:, some]
            worst_tile = max(worst_tile, float(np.abs(tile - whole).max()))
    print(
        f"  rows off by {worst_row:.1e}, tiles by {worst_tile:.1e}; "
        f"a row in {1e3 * took_row:.1f} ms, a tile of {len(some)}² in {1e3 * took_tile:.1f} ms"
    )


def _double(layer: FromScores, head: int) -> Any:
    """Rows of a head by a plain float64 softmax, some queries at a time."""
    q, k = layer.q[head].astype(np.float64), layer.k[head].astype(np.float64)
    allowed = layer.allowed()
    keys = np.arange(layer.n_keys)

    def rows(start: int, stop: int) -> Any:
        scores = (q[start:stop] @ k.T) * layer.rule.scale
        first, last = allowed[start:stop, :1], allowed[start:stop, 1:]
        scores[(keys < first) | (keys >= last)] = -np.inf
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        return scores / scores.sum(-1, keepdims=True)

    return rows


def main(lengths: tuple[int, ...] = (2048,)) -> None:
    print(f"The tap beside plain sdpa, {torch.get_num_threads()} threads:")
    print(
        "model | tokens | with the tap, ms | sdpa, ms | ratio | trace, MB | / q and k | "
        "all weights, MB"
    )
    if lengths == (2048,):
        minilm = load_model(Embedded(), silent).private().network
        ids = torch.randint(1000, 20000, (1, 512), generator=torch.Generator().manual_seed(0))
        measure("MiniLM", minilm, ids, 20)
    network = modern()
    for n in lengths:
        ids = torch.randint(1000, 20000, (1, n), generator=torch.Generator().manual_seed(n))
        measure("ModernBERT's shape", network, ids, 3 if n <= 2048 else 1)


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or (2048,))
