"""One reader beside one who misbehaves: how long his clicks and Runs take.

python -m benchmarks.fairness          every kind of misbehaviour, about six minutes
python -m benchmarks.fairness reloads  one kind; the reader alone comes before and after
"""

import asyncio
import io
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from benchmarks.load import LONG, line_of, memory_of, text_of
from benchmarks.visitor import Visitor
from tests.serve import ROOT, App, serving

CLICKS = 20
Act = Callable[[str, str], Coroutine[Any, Any, None]]


async def huge_pastes(url: str, browser: str) -> None:
    """200,000 characters, new ones each time."""
    someone = Visitor(url, browser)
    await someone.open()
    while True:
        await someone.type_and_run(f"{secrets.token_hex(4)} some more words " * 8000)
        await asyncio.sleep(0.2)


async def thousands_of_pairs(url: str, browser: str) -> None:
    """4,096 pairs on Heads, and a group of 2,048 × 2,048 words on Explore, again and again."""
    heads, explore = Visitor(url, browser), Visitor(url, browser)
    await explore.open(text=text_of(LONG))
    await heads.open_only("heads", text=text_of(LONG))
    await heads.until_there("heads_view")
    many = [[0, i % 190, (i * 7 + turn) % 190] for i in range(4096) for turn in (0,)]
    words = [[i % 128] for i in range(2048)]
    flags = {"mean": False, "together": False, "rescaled": False}
    while True:
        for n in (40, 4096):  # as many as are taken, and far more
            await heads.send("heads_view", "request", {"pairs": many[:n]})
            group = {"name": secrets.token_hex(4), "queries": words, "keys": words, **flags}
            request = {"trace": explore.header["id"], "layer": 0, "group": group, "means": True}
            await explore.send("instrument", "request", request | {"page": None})
            many = [[a, b, (c + 1) % 190] for a, b, c in many]
            await asyncio.gather(heads.listen(0.5), explore.listen(0.5))


async def six_trainings(url: str, browser: str) -> None:
    """Six pages, each of which trains 10,000 steps."""

    async def train(seed: int) -> None:
        someone = Visitor(url, browser)
        await someone.open_only("train", source="trained", steps="10000", seed=str(seed))
        while True:
            await someone.rerun_soon()

    await asyncio.gather(*(train(secrets.randbelow(2**31)) for _ in range(6)))


async def reloads(url: str, browser: str) -> None:
    """A page is opened and closed, as fast as it goes, five at a time."""

    async def reload() -> None:
        while True:
            someone = Visitor(url, browser)
            with suppress(OSError, TimeoutError):
                await someone.open(text=f"reload {secrets.token_hex(2)}")
            await someone.close()

    await asyncio.gather(*(reload() for _ in range(5)))


async def uploads(url: str, browser: str) -> None:
    """Thirty files of 40 MB, and then again."""
    someone = Visitor(url, browser)
    await someone.open_only("", source="bert")
    await someone.choose("kind", "My own attention weights (a file)")
    while True:
        for _ in range(30):
            out = io.BytesIO()
            weights = np.random.default_rng().dirichlet(np.ones(256), (6, 24, 256))
            np.savez(out, weights=weights.astype(np.float32), tokens=["a"] * 256)
            await someone.upload("own_file", "mine.npz", out.getvalue())


async def explanations(url: str, browser: str) -> None:
    """400 words explained."""
    someone = Visitor(url, browser)
    await someone.open_only("explain", text=text_of(400), target="like", other="rest")
    while True:
        await someone.rerun_soon()


async def measurements(url: str, browser: str) -> None:
    """Eight pages, each of which measures again and again."""

    async def measure() -> None:
        someone = Visitor(url, browser)
        await someone.open_only("step")
        while True:
            await someone.press("measure")
            await someone.listen(3.0)

    await asyncio.gather(*(measure() for _ in range(8)))


MISBEHAVIOUR: dict[str, Act] = {
    "huge pastes": huge_pastes,
    "thousands of pairs": thousands_of_pairs,
    "six trainings": six_trainings,
    "reloads": reloads,
    "thirty uploads": uploads,
    "400 words explained": explanations,
    "eight measurements": measurements,
}


async def clicks(one: Visitor) -> tuple[list[float], list[float]]:
    """A reader's clicks on other layers, and his Runs of 16 tokens; seconds each."""
    looks, runs = [], []
    for i in range(CLICKS):
        await one.run(text_of(LONG))
        await asyncio.sleep(0.2)
        looks += [await one.look_at(1 + (i + turn) % 5) for turn in range(2)]
        await asyncio.sleep(0.2)
        runs.append(await one.run(text_of(16)))
    return looks, runs


@contextmanager
def misbehaving(app: App, name: str | None) -> Iterator[None]:
    """Somebody misbehaves while the block runs.

    In a process of low priority: what counts is what the server does for him, not what he computes
    himself on the same machine.
    """
    if name is None:
        yield
        return
    command = [sys.executable, "-m", "benchmarks.fairness", "act", name, app.url]
    other = subprocess.Popen(command, cwd=ROOT)
    try:
        yield
        if other.poll() is not None:
            print(f"{name}: he ended by himself ({other.returncode})")
    finally:
        other.kill()
        other.wait()


async def beside(app: App, name: str | None) -> None:
    """Print a row of the table."""
    one = Visitor(app.url)
    await one.open()
    await one.run(text_of(LONG))
    with misbehaving(app, name):
        await asyncio.sleep(5)
        looks, runs = await clicks(one)
    print(
        f"| {name or 'nobody'} | {line_of(looks)} | {line_of(runs)} | {len(one.errors)} "
        f"| {memory_of(app):.0f} |",
        flush=True,
    )
    await one.close()


def act(name: str, url: str) -> None:
    """Misbehave until ended."""
    os.nice(10)
    asyncio.run(MISBEHAVIOUR[name](url, secrets.token_hex(16)))


def main() -> None:
    """Print the table."""
    if sys.argv[1:2] == ["act"]:
        return act(*sys.argv[2:])
    chosen = [name for name in MISBEHAVIOUR if not sys.argv[1:] or name in sys.argv[1:]]
    with serving() as app:
        print("| beside | a click, ms, p50 / p95 | a Run of 16 tokens, ms | errors | MB |")
        print("|---|---:|---:|---:|---:|")
        for name in (None, *chosen, None):
            asyncio.run(beside(app, name))
    return None


if __name__ == "__main__":
    main()
