"""The from-scratch layer beside torch's own: time of a forward pass, side by side.

With weights against `nn.MultiheadAttention(need_weights=True, average_attn_weights=False)`, without
against four linear maps wired to `scaled_dot_product_attention`. The three take turns, so that what
else the machine does falls on all of them; what is compared is the median of the ratios of a turn.
"""

import random
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.scratch import SelfAttention

D_MODEL, HEADS = 512, 8
LENGTHS = {10: 1500, 128: 400, 512: 100, 2048: 50}  # tokens -> turns


class Wired(nn.Module):
    """Four linear maps and torch's fused kernel, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(D_MODEL, D_MODEL) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (
            m(x).unflatten(-1, (HEADS, -1)).transpose(1, 2) for m in (self.q, self.k, self.v)
        )
        return self.o(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


def main() -> None:
    ours = SelfAttention(D_MODEL, HEADS).eval()
    torchs = nn.MultiheadAttention(D_MODEL, HEADS, batch_first=True).eval()
    wired = Wired().eval()
    print(f"SelfAttention({D_MODEL}, {HEADS}) beside torch, {torch.get_num_threads()} threads:")
    print("tokens | with weights, ms | / MultiheadAttention | without, ms | / wired SDPA")
    with torch.inference_mode():
        for n, turns in LENGTHS.items():
            x = torch.randn(1, n, D_MODEL)
            ways: list[Callable[[], object]] = [
                partial(ours, x, x, x, return_weights=True),
                partial(torchs, x, x, x, need_weights=True, average_attn_weights=False),
                partial(ours, x, x, x),
                partial(wired, x),
            ]
            times = take_turns(ways, turns)
            with_weights, fused = ratio(times[0], times[1]), ratio(times[2], times[3])
            own = [1e3 * statistics.median(t) for t in (times[0], times[2])]
            print(f"{n} | {own[0]:.3f} | {with_weights:.2f} | {own[1]:.3f} | {fused:.2f}")


def take_turns(ways: list[Callable[[], object]], turns: int) -> list[list[float]]:
    """Seconds of each way in each turn, in an order drawn anew: the next finds warm caches."""
    times: list[list[float]] = [[] for _ in ways]
    order, draw = list(range(len(ways))), random.Random(0)
    for turn in range(-3, turns):
        draw.shuffle(order)
        for i in order:
            start = time.perf_counter()
            ways[i]()
            if turn >= 0:  # the first few warm the caches
                times[i].append(time.perf_counter() - start)
    return times


def ratio(one: list[float], other: list[float]) -> float:
    """The median ratio of what was measured side by side."""
    return statistics.median(a / b for a, b in zip(one, other, strict=True))


if __name__ == "__main__":
    main()
