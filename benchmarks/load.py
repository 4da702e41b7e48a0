"""Many readers at once: how long a Run and a click take, how much memory, and whether it is fair.

python -m benchmarks.load            1, 5 and 20 readers, fairness, memory: about six minutes
python -m benchmarks.load soak 15    five readers for 15 minutes
"""

import asyncio
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable

import psutil

from benchmarks.run_to_paint import WORDS
from benchmarks.visitor import Visitor
from tests.serve import App, serving

MINUTE = 60.0
READERS = (1, 5, 20)
LONG = 200  # tokens of a text whose layers are sent one at a time
THINKING = (0.5, 2.0)  # seconds between two actions of a reader

_numbers = random.Random(7)


def text_of(n: int) -> str:
    """A text that nobody has asked for before."""
    return " ".join(_numbers.choices(WORDS, k=n - 2)) + f" {_numbers.random()}"[:6]


def memory_of(app: App) -> float:
    """Megabytes of the server."""
    return psutil.Process(app.process.pid).memory_info().rss / 1e6


def line_of(seconds: list[float]) -> str:
    """Median and 95th percentile, in milliseconds."""
    if not seconds:
        return "none"
    high = sorted(seconds)[min(int(0.95 * len(seconds)), len(seconds) - 1)]
    return f"{1000 * statistics.median(seconds):.0f} / {1000 * high:.0f}"


async def visit(url: str, until: float, runs: list[float], looks: list[float]) -> list[str]:
    """One reader: types, runs, looks at other layers; what went wrong."""
    someone = Visitor(url)
    try:
        await someone.open()
        while time.monotonic() < until:
            runs.append(await someone.run(text_of(LONG)))
            for layer in _numbers.sample(range(6), 2):
                await asyncio.sleep(_numbers.uniform(*THINKING))
                if layer:
                    looks.append(await someone.look_at(layer))
            await asyncio.sleep(_numbers.uniform(*THINKING))
    except (OSError, TimeoutError, KeyError) as error:
        someone.errors.append(repr(error))
    await someone.close()
    return someone.errors


async def crowd(app: App, readers: int, seconds: float) -> None:
    """So many readers for some time."""
    runs: list[float] = []
    looks: list[float] = []
    until = time.monotonic() + seconds
    found = await asyncio.gather(*(visit(app.url, until, runs, looks) for _ in range(readers)))
    errors = [error for one in found for error in one]
    print(
        f"| {readers} | {len(runs)} | {line_of(runs)} | {len(looks)} | {line_of(looks)} "
        f"| {len(errors)} | {memory_of(app):.0f} |",
        flush=True,
    )
    for error in sorted(set(errors)):
        print(f"    {errors.count(error)} × {error[:200]}")


async def fairness(app: App) -> None:
    """Clicks and short Runs of one reader: alone, while another runs 512 tokens, and explains."""
    one, busy = Visitor(app.url), Visitor(app.url)
    await one.open()
    await busy.open()
    await one.run(text_of(LONG))

    async def clicks(times: int = 12) -> tuple[list[float], list[float]]:
        looks, runs = [], []
        for i in range(times):
            looks.append(await one.look_at(1 + i % 5))
            runs.append(await one.run(text_of(16)))
            await one.run(text_of(LONG))
        return looks, runs

    async def beside(work: Callable[[], Awaitable[object]]) -> tuple[list[float], list[float]]:
        async def go_on() -> None:
            while True:
                await work()

        task = asyncio.create_task(go_on())
        found = await clicks()
        task.cancel()
        return found

    rows = {"alone": await clicks(), "512 tokens": await beside(lambda: busy.run(text_of(512)))}
    explaining = Visitor(app.url)
    await explaining.open_only("explain", text=text_of(120), target="vector", at="5")
    rows["explanation"] = await beside(explaining.rerun_soon)
    for name, (looks, runs) in rows.items():
        print(f"| {name} | {line_of(looks)} | {line_of(runs)} |", flush=True)
    for someone in (one, busy, explaining):
        await someone.close()


async def memory(app: App) -> None:
    """Memory after 50 different texts and 500 reruns, beside where it was when all was warm."""
    someone = Visitor(app.url)
    await someone.open()
    for _ in range(20):  # fills the cache, which here is small
        await someone.run(text_of(LONG))
    before = memory_of(app)
    for _ in range(50):
        await someone.run(text_of(LONG))
        for _ in range(10):
            await someone.rerun()
    after = memory_of(app)
    await someone.close()
    print(f"{before:.0f} MB, then {after:.0f} MB: {after / before - 1:+.1%}")


def main() -> None:
    """Print the tables."""
    if sys.argv[1:2] == ["soak"]:
        with serving() as app:
            print("| readers | Runs | ms, p50 / p95 | clicks | ms, p50 / p95 | errors | MB |")
            for _ in range(int(float(sys.argv[2]))):
                asyncio.run(crowd(app, 5, MINUTE))
        return
    with serving() as app:
        asyncio.run(crowd(app, 1, 10))  # wakes torch up
        print(f"\nThe server at rest: {memory_of(app):.0f} MB\n")
        print("| readers | Runs | ms, p50 / p95 | clicks | ms, p50 / p95 | errors | MB |")
        for readers in READERS if sys.argv[1:2] != ["fair"] else ():
            asyncio.run(crowd(app, readers, MINUTE))
        print("\n| the other | a click, ms, p50 / p95 | a Run of 16 tokens, ms |")
        asyncio.run(fairness(app))
    with serving(EXPLORER_CACHE_MB="64") as app:
        print("\n50 texts and 500 reruns, with EXPLORER_CACHE_MB=64: ", end="")
        asyncio.run(memory(app))


if __name__ == "__main__":
    main()
