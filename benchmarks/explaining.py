"""How soon an explanation of 400 words has something to show, and how long it stays silent.

python -m benchmarks.explaining        about two minutes
"""

import random
import time
from typing import Any

from benchmarks.run_to_paint import WORDS
from explorer.run import Run
from explorer.sources import warm_up
from explorer.target import Likeness
from explorer.ui.work import Explaining, do


def main() -> None:
    """Print a row for each time that something new is shown."""
    warm_up()
    text = " ".join(random.Random(1).choices(WORDS, k=400))
    began = last = time.perf_counter()
    longest = 0.0

    def report(doing: str, share: float | None) -> None:
        nonlocal last, longest
        now = time.perf_counter()
        last, longest = now, max(longest, now - last)

    def show(partial: Any) -> None:
        known = partial[0]
        scores = sum(score.values is not None for score in known.scores)
        curves = sum(score.curves is not None for score in known.scores)
        print(
            f"| {time.perf_counter() - began:.1f} | {scores} | "
            f"{'yes' if known.head_effects is not None else 'no'} | "
            f"{'yes' if known.removal is not None else 'no'} | {curves} |",
            flush=True,
        )

    print("| seconds | scores | heads switched off | removal measured | curves |")
    print("|---:|---:|---|---|---:|")
    do(Explaining(Run(text), Likeness("A tired animal rests.")), report, show)
    print(f"\nThe longest time between two reports: {longest:.2f} s")


if __name__ == "__main__":
    main()
