"""Small experiments that a reader runs: what length costs, and what √d_k is for."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from explorer.language import t
from explorer.scratch.attention import SelfAttention, attention_weights

# Up to 32 MiB of scores: beyond that, fetching memory from the system is what takes the time.
LENGTHS = (128, 256, 512, 1024, 1448, 2048, 2896)
WIDTH = 64  # narrow, so that the n² part shows early; the four maps cost n·d²
_BUDGET = 0.5  # seconds for each length
_LONG = 1024  # from here on the slope is fitted


@dataclass(frozen=True)
class Cost:
    """Measured time of one forward pass against the length of the text.

    Attributes:
        lengths: Tokens.
        seconds: The fastest of several passes, for each length.
        slope: Of log time over log length, fitted from 1024 tokens on: 1 is linear, 2 the square.
    """

    lengths: tuple[int, ...]
    seconds: tuple[float, ...]
    slope: float


def measure_cost(report: Callable[[str, float | None], None]) -> Cost:
    """Time the from-scratch layer, one head of width 64, on texts of growing length."""
    layer = SelfAttention(WIDTH, 1).eval()
    seconds = []
    for i, n in enumerate(LENGTHS):
        report(t("Measuring {n} tokens", n=f"{n:,}"), i / len(LENGTHS))
        x = torch.randn(1, n, WIDTH, generator=torch.Generator().manual_seed(n))
        seconds.append(_fastest(layer, x))
    return Cost(LENGTHS, tuple(seconds), fit_slope(LENGTHS, seconds))


def _fastest(layer: SelfAttention, x: torch.Tensor) -> float:
    """The least of several: others at work on the machine can only make a pass slower."""
    times: list[float] = []
    with torch.inference_mode():
        layer(x, x, x, return_weights=True)  # the first pass also fetches memory
        while len(times) < 5 or sum(times) < _BUDGET:
            start = time.perf_counter()
            layer(x, x, x, return_weights=True)
            times.append(time.perf_counter() - start)
    return min(times)


def fit_slope(lengths: tuple[int, ...], seconds: list[float]) -> float:
    """The exponent p of time ~ lengthᵖ, by least squares on the logarithms of the long ones."""
    pairs = [(n, t) for n, t in zip(lengths, seconds, strict=True) if n >= _LONG]
    logs = np.log(np.array(pairs))
    return float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])


@dataclass(frozen=True)
class Saturation:
    """How sharp softmax is on random queries and keys, with and without the scale.

    Attributes:
        widths: d_k.
        scaled: Mean over queries of the row's largest weight, with q·k divided by √d_k.
        unscaled: The same without the division.
        n: Keys in a row.
    """

    widths: tuple[int, ...]
    scaled: tuple[float, ...]
    unscaled: tuple[float, ...]
    n: int


def measure_saturation(
    n: int = 32, seed: int = 0, report: Callable[[str, float | None], None] = lambda *said: None
) -> Saturation:
    """Queries and keys of standard normal numbers, as they are before any training."""
    widths = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
    generator = torch.Generator().manual_seed(seed)
    scaled, unscaled = [], []
    for i, width in enumerate(widths):
        report(t("Measuring d_k = {width}", width=width), i / len(widths))
        q, k = (torch.randn(512 // n, n, width, generator=generator) for _ in range(2))
        scaled.append(_sharpness(attention_weights(q, k)))
        unscaled.append(_sharpness((q @ k.transpose(-2, -1)).softmax(-1)))
    return Saturation(widths, tuple(scaled), tuple(unscaled), n)


def _sharpness(weights: torch.Tensor) -> float:
    return float(weights.amax(-1).mean())
