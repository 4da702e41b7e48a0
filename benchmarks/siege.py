"""The app in 6 GB of memory while somebody attacks it: does it live, and are others answered?

python -m benchmarks.siege            every attack, under four minutes
python -m benchmarks.siege zeros      one of them; their names are in the table's first column
"""

import asyncio
import functools
import io
import json
import os
import resource
import secrets
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from websockets.exceptions import ConnectionClosed

from benchmarks.load import LONG, text_of
from benchmarks.visitor import Visitor
from tests.models.tiny import tiny_model, tiny_vision
from tests.serve import App

ROOM = 6 * 2**30  # bytes
LONGEST = 20.0  # seconds of one attack
MIXED = 30.0  # seconds of all at once
PATIENCE = 20.0  # seconds after which the other reader counts as not answered
AFTERWARDS = 3  # Runs of the other reader at least
OWN = "My own attention weights (a file)"
FOLDER = "A model in a folder"
NOBODY = "http://127.0.0.1:9"  # the hub
HEAD = (
    "| attack | what the attacker was told | MB before | peak | peak of the group | after "
    "| the other's Runs, ms, p50 / longest | errors of the other | the server lives |\n"
    "|---|---|---:|---:|---:|---:|---:|---|---|"
)
Attack = Callable[[App, "Counter[str]"], Coroutine[Any, Any, None]]
Lost = (OSError, TimeoutError, ConnectionClosed, KeyError, ValueError)


class Bound:
    """A bound of memory round the server: a control group of either kind, else its address space.

    Attributes:
        what: What bounds it, in words.
    """

    def __init__(self, room: int = ROOM) -> None:
        self._room, self._former = room, Path("/")
        root = Path("/sys/fs/cgroup")
        self._group, self._names = root, ("", "", "")
        self.what = "address space (RLIMIT_AS)"
        kinds = (
            (root / "memory", "v1", "memory.limit_in_bytes", "memory.max_usage_in_bytes", "memory"),
            (root, "v2", "memory.max", "memory.peak", ""),
        )
        for folder, kind, most, peak, tree in kinds:
            if self._make(folder, most):
                self._names = most, peak, kind
                self._former = folder / _group_of_this_process(tree)
                self.what = f"memory control group ({kind})"
                return

    def _make(self, folder: Path, most: str) -> bool:
        group = folder / f"siege-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            return False
        try:
            (group / most).write_text(str(self._room))
            with suppress(OSError):  # what is swapped out would not be counted
                (group / "memory.swap.max").write_text("0")
        except OSError:
            group.rmdir()
            return False
        self._group = group
        return True

    @contextmanager
    def starting(self) -> Iterator[None]:
        """A block in which the server is started: what it takes is counted from its first byte."""
        if not self._names[0]:
            yield
            return
        (self._group / "cgroup.procs").write_text(str(os.getpid()))
        try:
            yield
        finally:
            (self._former / "cgroup.procs").write_text(str(os.getpid()))

    def begin(self, app: App) -> None:
        """Bound the server if no group does, and let the peaks begin anew."""
        if not self._names[0]:
            most = resource.prlimit(app.process.pid, resource.RLIMIT_AS)[1]
            resource.prlimit(app.process.pid, resource.RLIMIT_AS, (self._room, most))
        with suppress(OSError):  # the second kind takes this only on newer kernels
            (self._group / self._names[1]).write_text("0")
        with suppress(OSError):
            Path(f"/proc/{app.process.pid}/clear_refs").write_text("5")

    def peak(self) -> float:
        """The most that the group took, files kept in memory with it, in MB; 0 without one."""
        if not self._names[1]:
            return 0.0
        return int((self._group / self._names[1]).read_text()) / 1e6

    def remove(self) -> None:
        """Take the control group away."""
        if self._names[0]:
            self._group.rmdir()


def _group_of_this_process(tree: str) -> str:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, kinds, path = line.split(":", 2)
        if tree in kinds.split(","):
            return path.lstrip("/")
    return ""


class Watch:
    """What the server's process takes, read while it lives: nobody can ask it afterwards."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.before = self._megabytes("VmRSS")
        self.peak = self.after = self.before

    async def keep(self) -> None:
        """Look ten times a second."""
        while True:
            self.look()
            await asyncio.sleep(0.1)

    def look(self) -> None:
        """Look once."""
        self.peak = max(self.peak, self._megabytes("VmHWM"))
        self.after = self._megabytes("VmRSS") or self.after

    def _megabytes(self, name: str) -> float:
        with suppress(OSError):
            text = Path(f"/proc/{self._app.process.pid}/status").read_text()
            for line in text.splitlines():
                if line.startswith(name + ":"):
                    return int(line.split()[1]) * 1024 / 1e6
        return 0.0


@contextmanager
def noting(told: Counter[str], page: Visitor | None = None) -> Iterator[None]:
    """A block of an attack: what the attacker is told, and how his line ended if it did."""
    try:
        yield
    except ConnectionClosed as error:
        told[
            f"line closed: {error.rcvd.code} {error.rcvd.reason}" if error.rcvd else "line cut"
        ] += 1
    except (OSError, KeyError) as error:
        told[f"{type(error).__name__}: {error}"] += 1
    finally:
        told.update(page.said + page.errors if page else [])


async def outcome(page: Visitor, old: str, told: Counter[str]) -> None:
    """Wait for another run than ``old``; what the page says instead is told by `noting`."""
    await page.until_told(old)
    if not page.said:
        told["shown"] += 1


async def opened(app: App, browser: str | None = None, **query: str) -> Visitor:
    """A page of the attacker's, its first script done."""
    page = Visitor(app.url, browser)
    await page.open_only("", **query)
    return page


async def groups(app: App, told: Counter[str]) -> None:
    """2,048 × 2,048 words, by turns repeated and as many as there are, 10 times from 5 pages."""
    browser = secrets.token_hex(16)

    async def ask() -> None:
        page = Visitor(app.url, browser)
        with noting(told, page):
            await page.open(text=text_of(LONG))
            for turn in range(10):
                words = [[i % 128] for i in range(128 if turn % 2 else 2048)]
                flags = {"mean": False, "together": False, "rescaled": False}
                group = {"name": secrets.token_hex(4), "queries": words, "keys": words, **flags}
                request = {"trace": page.header["id"], "layer": 0, "group": group, "means": True}
                await page.send("instrument", "request", request | {"page": None})
                await page.listen(0.2)
            await page.rerun()

    await asyncio.gather(*(ask() for _ in range(5)))


@functools.cache
def npz_of_zeros() -> bytes:
    """267 MB of zeros as 256 kB, 1.07 GB as float32."""
    out = io.BytesIO()
    np.savez_compressed(out, weights=np.zeros((1, 255, 1024, 1024), np.uint8), tokens=["a"] * 1024)
    return out.getvalue()


async def zeros(app: App, told: Counter[str]) -> None:
    """An NPZ of uint8 zeros, four times from four browsers at once."""
    data = await asyncio.to_thread(npz_of_zeros)

    async def give() -> None:
        page = await opened(app)
        with noting(told, page):
            old = page.header.get("id", "")
            await page.choose("kind", OWN)
            told[f"PUT {await page.upload('own_file', 'zeros.npz', data)}"] += 1
            await outcome(page, old, told)

    await asyncio.gather(*(give() for _ in range(4)))


@functools.cache
def large_picture(side: int = 7071) -> bytes:
    """As many pixels as are taken, in one colour: a file of 150 kB."""
    out = io.BytesIO()
    Image.new("RGB", (side, side), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()


async def show_picture(app: App, model: str, data: bytes, told: Counter[str]) -> None:
    """Choose a vision model, put a picture into its box, and press Run."""
    page = await opened(app)
    with noting(told, page):
        await page.choose("kind", FOLDER)
        await page.choose("folder", str(app.folder / model))
        await page.switch("looks", True)
        told[f"PUT {await page.upload('picture_file', 'one.png', data)}"] += 1
        old = page.header.get("id", "")
        await page.press("run")
        await outcome(page, old, told)


async def pictures(app: App, told: Counter[str]) -> None:
    """Eight pictures of 50 megapixels at once, from eight browsers, shown to a vision model."""
    data = await asyncio.to_thread(large_picture)
    await asyncio.gather(*(show_picture(app, "vit", data, told) for _ in range(8)))


async def normalizer(app: App, told: Counter[str]) -> None:
    """A tokenizer that makes a million letters of each of 200, in two pages."""

    async def read() -> None:
        folder = app.folder / "normalizer"
        page = await opened(app, text="a" * 200, source=f"path:{folder}")
        with noting(told, page):
            await outcome(page, "", told)

    await asyncio.gather(read(), read())


async def processor(app: App, told: Counter[str]) -> None:
    """A vision model whose processor makes 20,000 × 20,000 pixels of a picture, in two pages."""
    data = large_picture(64)
    await asyncio.gather(*(show_picture(app, "processor", data, told) for _ in range(2)))


def large_file(n: int) -> bytes:
    """Weights that no other file has, 41 to 60 MB."""
    weights = np.full((13 + n % 7, 12, 256, 256), 1 / 256, np.float32)
    weights[0, 0, 0, :2] = [1 / 256 + 1e-3, 1 / 256 - 1e-3]
    out = io.BytesIO()
    np.savez(out, weights=weights, tokens=[secrets.token_hex(4)] * 256)
    return out.getvalue()


async def uploads(app: App, told: Counter[str]) -> None:
    """Thirty files of 41 to 60 MB into one page's box, one after the other."""
    page = await opened(app)
    with noting(told, page):
        await page.choose("kind", OWN)
        for n in range(30):
            data = await asyncio.to_thread(large_file, n)
            told[f"PUT {await page.upload('own_file', 'mine.npz', data)}"] += 1


async def puts(app: App, told: Counter[str]) -> None:
    """Thirty files of 41 to 60 MB sent to the endpoint for uploads, without a box."""
    page = await opened(app)
    with noting(told, page):
        for n in range(30):
            status, _ = await page.put("mine.npz", await asyncio.to_thread(large_file, n))
            told[f"PUT {status}"] += 1


async def texts(app: App, told: Counter[str]) -> None:
    """Forty pages, each with 24 MB of text of its own, all of them left open."""
    few = asyncio.Semaphore(4)  # sent at a time: ours is not the memory that is measured

    async def paste() -> None:
        async with few:
            page = await opened(app)
            with noting(told, page):
                await page.type_and_run(f"{secrets.token_hex(4)} words " * 1_600_000)

    await asyncio.gather(*(paste() for _ in range(40)))


ATTACKS: dict[str, Attack] = {
    "groups": groups,
    "zeros": zeros,
    "pictures": pictures,
    "normalizer": normalizer,
    "processor": processor,
    "uploads": uploads,
    "puts": puts,
    "texts": texts,
}


async def mixed(app: App, told: Counter[str]) -> None:
    """All of them at once, each again and again."""

    async def again(attack: Attack) -> None:
        while True:
            with suppress(*Lost):
                await attack(app, told)
            await asyncio.sleep(0.5)

    await asyncio.gather(*(again(attack) for attack in ATTACKS.values()))


async def read_beside(app: App, attack: "asyncio.Task[None]") -> tuple[list[float], list[str]]:
    """The other reader's Runs of 16 tokens for as long as an attack lasts, and what failed."""
    one, took, failed = Visitor(app.url), list[float](), list[str]()
    while not attack.done() or len(took) + len(failed) < AFTERWARDS:
        try:
            if not one.header:
                await asyncio.wait_for(one.open(), PATIENCE)
            took.append(await asyncio.wait_for(one.run(text_of(16)), PATIENCE))
        except Lost as error:
            failed += one.said[-1:] or [f"{type(error).__name__} {error}".strip()]
            one = Visitor(app.url)
        if app.process.poll() is not None:
            break
        await asyncio.sleep(0.3)
    return took, failed


async def besiege(app: App, bound: Bound, name: str, attack: Attack) -> None:
    """Print a row of the table."""
    warm = Visitor(app.url)
    await warm.open()
    await warm.run(text_of(16))  # torch and the embedded model are there
    await warm.close()
    bound.begin(app)
    watch, told, started = Watch(app), Counter[str](), time.monotonic()
    looking = asyncio.create_task(watch.keep())
    longest = MIXED if attack is mixed else LONGEST
    attacking = asyncio.create_task(at_most(longest, attack(app, told), told))
    took, failed = await read_beside(app, attacking)
    seconds = time.monotonic() - started
    attacking.cancel()
    await asyncio.wait([attacking, looking], timeout=1)
    looking.cancel()
    watch.look()
    end = app.process.poll()
    lives = "yes" if end is None else f"**no**: {end} after {seconds:.0f} s"
    megabytes = " | ".join(
        f"{n:.0f}" for n in (watch.before, watch.peak, bound.peak(), watch.after)
    )
    row = f"| {name} | {told_in(told)} | {megabytes} | {line_of(took)} | {errors_of(failed)} "
    print(f"{row}| {lives} |".replace("\n", " "), flush=True)


async def at_most(seconds: float, attack: Coroutine[Any, Any, None], told: Counter[str]) -> None:
    """An attack, ended after some time; how it ended is told."""
    try:
        await asyncio.wait_for(attack, seconds)
    except TimeoutError:
        told[f"ended after {seconds:.0f} s"] += 1
    except Lost as error:
        told[f"{type(error).__name__} {error}"] += 1


def told_in(told: Counter[str]) -> str:
    """The four most frequent sentences."""
    return "; ".join(f"{n} × {what:.160}" for what, n in told.most_common(4)) or "nothing"


def line_of(took: list[float]) -> str:
    """How many Runs, and the median and the longest, in milliseconds."""
    if not took:
        return "0"
    return f"{len(took)}: {1000 * statistics.median(took):.0f} / {1000 * max(took):.0f}"


def errors_of(failed: list[str]) -> str:
    """How many, and the first."""
    return f"{len(failed)}: {failed[0]:.80}" if failed else "0"


def hostile_models(app: App) -> None:
    """Below the app's folder: a vision model, and two models with one hostile number each."""
    for name in ("vit", "processor", "normalizer"):
        (app.folder / name).mkdir()
    tiny_vision("ViT", app.folder / "vit")
    tiny_vision("ViT", app.folder / "processor")
    tiny_model("Model", app.folder / "normalizer")
    path = app.folder / "processor" / "preprocessor_config.json"
    said = json.loads(path.read_text()) | {"size": {"height": 20000, "width": 20000}}
    path.write_text(json.dumps(said))
    path = app.folder / "normalizer" / "tokenizer_config.json"
    # A BERT's own class makes its normalizer itself; the general one takes what the file says.
    said = json.loads(path.read_text()) | {"tokenizer_class": "PreTrainedTokenizerFast"}
    path.write_text(json.dumps(said))
    path = app.folder / "normalizer" / "tokenizer.json"
    said = json.loads(path.read_text())
    said["normalizer"] = {"type": "Replace", "pattern": {"String": "a"}, "content": "b" * 10**6}
    path.write_text(json.dumps(said))


@contextmanager
def besieged(bound: Bound) -> Iterator[App]:
    """The app within a bound, for as long as the block runs."""
    with bound.starting():
        app = App(NOBODY)
    try:
        hostile_models(app)
        yield app
    finally:
        try:
            app.stop()
        except subprocess.TimeoutExpired:
            app.process.kill()
            app.process.wait()


def main() -> None:
    """Print the table."""
    every = ATTACKS | {"mixed": mixed}
    chosen = {name: every[name] for name in sys.argv[1:] or every}
    bound = Bound()
    try:
        with besieged(bound) as app:
            print(f"Bounded to {ROOM / 2**30:.0f} GB by its {bound.what}.\n\n{HEAD}", flush=True)
            for name, attack in chosen.items():
                if app.process.poll() is not None:
                    with bound.starting():
                        app.start()
                asyncio.run(besiege(app, bound, name, attack))
    finally:
        bound.remove()


if __name__ == "__main__":
    main()
