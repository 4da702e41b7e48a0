"""What attention costs over the length, made in four ways: time, memory, and where each pays."""

import math
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from explorer.language import t

LENGTHS = (128, 256, 512, 1024, 2048, 4096)
ON_GPU = (1024, 2048, 4096, 8192, 16384, 32768, 65536)
WIDTH = 64  # of the one head
REACH = 128  # of the window, to each side
_BUDGET = 0.15  # seconds for each length
GPU_HEADS = 12  # as BERT has
_LONG = 1024  # from here on the slope is fitted


@dataclass(frozen=True)
class Costs:
    """Measured time and memory of one head, for each way, over the length.

    Attributes:
        device: What it was measured on, such as ``cpu`` or the name of a GPU.
        heads: How many heads each pass has.
        lengths: Tokens.
        seconds: By the way, the fastest of several passes at each length; infinite where the
            device has too little memory for it.
        memory: By the way, the most bytes that all tensors took at once which a pass has made.
        slopes: By the way, of log time over log length from 1,024 tokens on: 1 is linear, 2 the
            square.
        pays: By the way, the length from which on it is faster than each other one, of those that
            were measured; None where it never is at the longest.
    """

    device: str
    heads: int
    lengths: tuple[int, ...]
    seconds: Mapping[str, tuple[float, ...]]
    memory: Mapping[str, tuple[int, ...]]
    slopes: Mapping[str, float]
    pays: Mapping[str, Mapping[str, int | None]]


def eager(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention as the formula says it, ``[head, token, d]``: all weights are made."""
    return (q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5).softmax(-1) @ v


def fused(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """The same numbers, tile by tile: no weight is written to memory (Dao et al. 2022)."""
    found: Tensor = F.scaled_dot_product_attention(q[None], k[None], v[None])[0]
    return found


def window(q: Tensor, k: Tensor, v: Tensor, reach: int = REACH) -> Tensor:
    """Each token looks at those at most ``reach`` away, in blocks of so many (Beltagy 2020)."""
    n, width = q.shape[1:]
    blocks = math.ceil(n / reach)
    whole = blocks * reach
    q = F.pad(q, (0, 0, 0, whole - n)).unflatten(1, (blocks, reach))
    # A block of queries sees the block before, its own and the one behind.
    k, v = (
        F.pad(x, (0, 0, reach, whole - n + reach)).unfold(1, 3 * reach, reach).transpose(2, 3)
        for x in (k, v)
    )
    at = torch.arange(reach)[:, None] + reach
    to = torch.arange(3 * reach)
    places = to + reach * (torch.arange(blocks)[:, None, None] - 1)
    seen = ((to - at).abs() <= reach) & (places >= 0) & (places < n)
    seen = seen.to(q.device)
    seen[-1, n - (blocks - 1) * reach :, reach] = True  # rows behind the text, which are cut
    scores = (q @ k.transpose(-2, -1) * width**-0.5).masked_fill_(~seen, -torch.inf)
    return (scores.softmax(-1) @ v).flatten(1, 2)[:, :n]


def linear(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """elu(q)+1 times what all keys have gathered: no pair is looked at (Katharopoulos 2020)."""
    q, k = F.elu(q) + 1, F.elu(k) + 1
    return (q @ (k.transpose(-2, -1) @ v)) / (q @ k.sum(1)[..., None])


WAYS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "eager": eager,
    "sdpa": fused,
    "window": window,
    "linear": linear,
}


def devices() -> tuple[str, ...]:
    """What this machine can measure on: its processor, and a GPU where there is one."""
    return ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)


def measure_costs(
    report: Callable[[str, float | None], None] = lambda doing, share: None,
    lengths: Sequence[int] | None = None,
    device: str = "cpu",
) -> Costs:
    """Time all ways on random queries, keys and values of growing length.

    On a processor one head in float32; on a GPU `GPU_HEADS` heads in bfloat16, as models run there:
    one head would leave most of it idle.

    Args:
        report: Told what is being done; may raise to end it.
        lengths: Tokens; by default those of the device.
        device: One of `devices`.
    """
    on_gpu = device != "cpu"
    lengths = lengths or (ON_GPU if on_gpu else LENGTHS)
    heads, kind = (GPU_HEADS, torch.bfloat16) if on_gpu else (1, torch.float32)
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    memory: dict[str, list[int]] = {name: [] for name in WAYS}
    for i, n in enumerate(lengths):
        draw = torch.Generator().manual_seed(n)
        q, k, v = (torch.randn(heads, n, WIDTH, generator=draw).to(device, kind) for _ in range(3))
        for j, (name, way) in enumerate(WAYS.items()):
            report(
                t("Measuring {n} tokens: {name}", n=f"{n:,}", name=name),
                (i + j / len(WAYS)) / len(lengths),
            )
            try:
                seconds[name].append(_fastest(way, q, k, v))
                memory[name].append(peak_of(way, q, k, v))
            except torch.OutOfMemoryError:
                seconds[name] = [*seconds[name][:i], math.inf]
                memory[name].append(0)
    return Costs(
        torch.cuda.get_device_name() if on_gpu else "cpu",
        heads,
        tuple(lengths),
        {name: tuple(found) for name, found in seconds.items()},
        {name: tuple(found) for name, found in memory.items()},
        {name: slope_of(lengths, found) for name, found in seconds.items()},
        {
            name: {
                other: pays_from(lengths, own, seconds[other]) for other in WAYS if other != name
            }
            for name, own in seconds.items()
        },
    )


def _fastest(way: Callable[..., Tensor], *parts: Tensor) -> float:
    """The least of several: others at work on the machine can only make a pass slower."""
    times: list[float] = []
    with torch.inference_mode():
        way(*parts)  # the first pass also fetches memory
        if parts[0].is_cuda:
            torch.cuda.synchronize()
        while len(times) < 3 or sum(times) < _BUDGET:
            start = time.perf_counter()
            way(*parts)
            if parts[0].is_cuda:
                torch.cuda.synchronize()
            times.append(time.perf_counter() - start)
    return min(times)


def slope_of(lengths: Sequence[int], seconds: Sequence[float]) -> float:
    """The exponent p of time ~ lengthᵖ, by least squares on the logarithms of the long ones."""
    both = zip(lengths, seconds, strict=True)
    pairs = [(n, taken) for n, taken in both if n >= _LONG and math.isfinite(taken)]
    if len(pairs) < 2:
        return math.nan
    logs = np.log(np.array(pairs))
    return float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])


def pays_from(lengths: Sequence[int], own: Sequence[float], other: Sequence[float]) -> int | None:
    """The first length from which on the one takes less than the other at every longer one."""
    found = None
    for n, mine, theirs in zip(reversed(lengths), reversed(own), reversed(other), strict=True):
        if mine >= theirs:
            break
        found = n
    return found


class _Counting(TorchDispatchMode):
    """Adds up the memory of what torch makes, and takes off what is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.peak = 0, 0
        self._known: dict[int, weakref.ref[Any]] = {}

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        out = function(*args, **(kwargs or {}))
        for part in tree_leaves(out):
            if isinstance(part, Tensor):
                self._count(part.untyped_storage())
        return out

    def count_out(self, *given: Tensor) -> None:
        """Leave out the memory of what is there already."""
        for tensor in given:
            self._count(tensor.untyped_storage())
        self.now = self.peak = 0

    def _count(self, storage: Any) -> None:
        key = storage.data_ptr()
        if not key or key in self._known:
            return
        size = storage.nbytes()

        def gone(_: object) -> None:
            self.now -= size
            self._known.pop(key, None)

        self._known[key] = weakref.ref(storage, gone)
        self.now += size
        self.peak = max(self.peak, self.now)


def peak_of(way: Callable[..., Tensor], *parts: Tensor) -> int:
    """The most bytes that all tensors take at once which a pass makes, beside what it is given."""
    with torch.inference_mode(), _Counting() as counting:
        counting.count_out(*parts)
        way(*parts)
    return counting.peak
