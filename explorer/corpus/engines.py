"""Who does the work: this process, others beside it, or an existing Ray cluster.

An engine takes tasks as they are wanted, a few at a time, and gives their results as they come.
"""

import multiprocessing
import multiprocessing.context
import os
import re
import signal
import socket
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any, Protocol

from explorer.corpus.work import Result, Task, do
from explorer.errors import ExplorerError, own_words
from explorer.language import t
from explorer.visible import visible

_AHEAD = 2  # tasks for each worker that are handed out at once
_TRIES = 3  # times that workers may be ended from outside


class Engine(Protocol):
    """Does tasks."""

    def results(self, tasks: Iterable[Task]) -> Iterator[Result]:
        """The results of tasks, in any order."""

    def close(self) -> None:
        """Let go of the workers, whatever they are doing."""


class Here:
    """This process."""

    def results(self, tasks: Iterable[Task]) -> Iterator[Result]:
        return map(do, tasks)

    def close(self) -> None:
        """There is nobody to let go."""


class Pool:
    """Processes beside this one, on the same machine.

    Args:
        workers: How many.
    """

    def __init__(self, workers: int) -> None:
        self._workers, self._broken = workers, 0
        self._pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._workers, mp_context=_fresh(), initializer=_begin)

    def results(self, tasks: Iterable[Task]) -> Iterator[Result]:
        """As of `Engine`.

        Raises:
            ExplorerError: Workers were ended from outside again and again.
        """
        left = iter(tasks)
        waiting: dict[Future[Result], Task] = {}
        again: list[Task] = []
        while True:
            while len(waiting) < _AHEAD * self._workers:
                task = again.pop() if again else next(left, None)
                if task is None:
                    break
                again += self._hand_out(task, waiting)
            if not waiting:
                return
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                task = waiting.pop(future)
                try:
                    result = future.result()
                except BrokenProcessPool:
                    again.append(task)
                    continue
                yield result
            if again:
                again += [*waiting.values()]
                waiting.clear()
                self._renew()

    def _hand_out(self, task: Task, waiting: dict["Future[Result]", Task]) -> list[Task]:
        """Hand a task out; it comes back where a worker has just been ended."""
        try:
            waiting[self._pool.submit(do, task)] = task
        except BrokenProcessPool:
            self._renew()
            return [task]
        return []

    def _renew(self) -> None:
        self._broken += 1
        if self._broken >= _TRIES:
            raise ExplorerError(
                t(
                    "Workers were ended from outside {tries} times, most likely as memory "
                    "ran out. All shards that were done are kept: run the same command "
                    "again with fewer --workers or a smaller --length.",
                    tries=_TRIES,
                )
            )
        self.close()
        self._pool = self._start()

    def close(self) -> None:
        workers = list((self._pool._processes or {}).values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.terminate()


def _fresh() -> multiprocessing.context.BaseContext:
    """How workers are started: from a process that has loaded PyTorch and computed nothing.

    A fork of this one would copy locks that threads of PyTorch hold, and a start from nothing
    takes each worker many seconds.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["explorer.corpus.census", "explorer.corpus.pairs"])
    return context


def _begin() -> None:
    """What a worker does first: it leaves Ctrl+C to its parent, and ends when that is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def end() -> None:
        wait_for([sentinel])
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()


class Ray:
    """A Ray cluster: plain tasks, which it gives to another node where one is taken away.

    The model stays loaded in each of its worker processes. Plain tasks, not actors: of a pool of
    actors Ray waits for ever where the node of one is gone.

    Args:
        address: Of the cluster; ``auto`` for the one of this machine.

    Raises:
        ExplorerError: Ray is not installed, or there is no such cluster.
    """

    def __init__(self, address: str) -> None:
        try:
            import ray
        except ImportError as error:
            raise ExplorerError(
                t("Ray is not installed. Install it with: pip install -r requirements-ray.txt")
            ) from error
        self._ray: Any = ray
        _check_somebody_is_at(address)
        # Every node needs this code: it travels along.
        package = str(Path(__file__).parents[1])
        if not ray.is_initialized():
            try:
                ray.init(address, runtime_env={"py_modules": [package]}, log_to_driver=False)
            except Exception as error:
                raise ExplorerError(
                    t(
                        "There is no Ray cluster at “{address}” ({error}).",
                        address=visible(address),
                        error=own_words(error, 160),
                    )
                ) from error
        self._do = ray.remote(num_cpus=1, max_retries=10)(do)

    def results(self, tasks: Iterable[Task]) -> Iterator[Result]:
        left = iter(tasks)
        waiting: list[Any] = []
        while True:
            most = _AHEAD * max(1, int(self._ray.cluster_resources().get("CPU", 1)))
            while len(waiting) < most and (task := next(left, None)) is not None:
                waiting.append(self._do.remote(task))
            if not waiting:
                return
            done, waiting = self._ray.wait(waiting, num_returns=1)
            try:
                yield self._ray.get(done[0])
            except self._ray.exceptions.RayTaskError as error:
                cause = error.cause
                raise (cause if isinstance(cause, ExplorerError) else error) from None

    def close(self) -> None:
        self._ray.shutdown()


def _check_somebody_is_at(address: str) -> None:
    """Refuse an address at which nobody answers: Ray itself would try for minutes.

    Raises:
        ExplorerError: Nobody does.
    """
    found = re.fullmatch(r"(?:ray://)?([^/]+):([0-9]{1,5})", address)
    if not found:
        return
    try:
        socket.create_connection((found[1], int(found[2])), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise ExplorerError(
            t(
                "There is no Ray cluster at “{address}” ({error}).",
                address=visible(address),
                error=own_words(error, 160),
            )
        ) from error


def engine_of(workers: int, address: str | None) -> Engine:
    """The engine that somebody asked for.

    Args:
        workers: Processes on this machine; one is this process itself.
        address: Of a Ray cluster, in their place.
    """
    if address is not None:
        return Ray(address)
    return Pool(workers) if workers > 1 else Here()
