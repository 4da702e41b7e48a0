"""The desk: one for the whole server. It works in the background and keeps results.

A rerun of a page does not stop work that blocks it, so no page ever computes: it asks here, waits a
moment, and looks again later. Equal work is done once, for everybody.
"""

import gc
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from explorer.errors import ExplorerError
from explorer.sources import Progress, warm_up
from explorer.ui import work
from explorer.ui.work import Work

# Seconds that work goes on when no page asks for it any more: the page is closed.
ALONE = float(os.environ.get("EXPLORER_ALONE_SECONDS", "20"))
MOST_KEPT = 500  # results, however small
CACHE_BYTES = int(os.environ.get("EXPLORER_CACHE_MB", "1024")) * 2**20


@dataclass(eq=False)
class Job:
    """A piece of work that is being done.

    Attributes:
        doing: What is being done, in words.
        share: How far it is, 0 to 1; None where that cannot be known.
        asked: When somebody last asked for it, in seconds of the monotonic clock.
    """

    work: Work
    doing: str = "Waiting for a free place"
    share: float | None = None
    future: "Future[Any]" = field(default_factory=Future)
    readers: set[str] = field(default_factory=set)
    stopped: bool = False
    asked: float = field(default_factory=time.monotonic)

    def report(self, doing: str, share: float | None) -> None:
        """Note how far the work is; ends it if nobody waits for it any more."""
        if self.stopped:
            raise ExplorerError("Stopped. Nothing was changed.")
        if time.monotonic() - self.asked > ALONE:
            raise ExplorerError("Stopped, because nobody was looking.")
        self.doing, self.share = doing, share


class Desk:
    """Takes work from all readers; thread-safe."""

    def __init__(
        self,
        do: Callable[[Any, Progress], Any] = work.do,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self._do = do
        self._cache_bytes = cache_bytes
        self._kept: OrderedDict[Work, Any] = OrderedDict()
        self._jobs: dict[Work, Job] = {}
        self._lock = threading.Lock()
        # One model computes at a time: two would only slow each other down. Hub models wait for
        # the network, and what takes long would keep others waiting: queues of their own.
        self._queues = {
            name: ThreadPoolExecutor(size, name)
            for name, size in (("compute", 1), ("network", 2), ("long", 1))
        }
        self._warm: Future[None] | None = None

    def ask(self, wanted: Work, reader: str) -> Job:
        """The job of a piece of work, begun if need be; the reader's earlier wish is dropped."""
        with self._lock:
            self._drop(reader, keep=wanted)
            job = self._jobs.get(wanted)
            if job is None:
                job = Job(wanted)
                kept = self._kept.get(wanted)
                if kept is not None:
                    self._kept.move_to_end(wanted)
                    job.future.set_result(kept)
                    return job
                self._jobs[wanted] = job
                job.future = self._queues[work.queue_of(wanted)].submit(self._work, job)
            job.readers.add(reader)
            job.asked = time.monotonic()
            return job

    def wait(self, wanted: Work, reader: str) -> Any:
        """The result of a piece of work, waited for.

        Raises:
            ExplorerError: It cannot be done.
        """
        job = self.ask(wanted, reader)
        while True:
            try:
                return job.future.result(1)
            except TimeoutError:
                if job.future.done():
                    raise
                self.look(job)

    def look(self, job: Job) -> None:
        """Somebody still waits for this job."""
        job.asked = time.monotonic()

    def warm_up(self) -> None:
        """Load the embedded model in the background, once."""
        with self._lock:
            if self._warm is None:
                self._warm = self._queues["compute"].submit(_load_embedded)

    def leave(self, reader: str) -> None:
        """The reader waits for nothing any more."""
        with self._lock:
            self._drop(reader, keep=None)

    def _drop(self, reader: str, keep: Work | None) -> None:
        for wanted, job in list(self._jobs.items()):
            job.readers.discard(reader)
            if job.readers or wanted == keep:
                continue
            job.stopped = True  # work that has begun ends at its next report
            job.future.cancel()
            del self._jobs[wanted]

    def _work(self, job: Job) -> Any:
        try:
            result = self._do(job.work, job.report)
            if work.is_kept(job.work):
                with self._lock:
                    self._keep(job.work, result)
            return result
        except MemoryError as error:
            raise ExplorerError(
                "There was not enough memory for this. Try a shorter text or a smaller model."
            ) from error
        finally:
            with self._lock:
                if self._jobs.get(job.work) is job:
                    del self._jobs[job.work]

    def _keep(self, done: Work, result: Any) -> None:
        self._kept[done] = result
        while (
            len(self._kept) > MOST_KEPT or sum(map(_size, self._kept.values())) > self._cache_bytes
        ):
            self._kept.popitem(last=False)


def _size(result: Any) -> int:
    """Bytes that a result's arrays take; one without arrays takes next to none."""
    return getattr(result, "nbytes", 0)


def _load_embedded() -> None:
    try:
        warm_up()
    except ExplorerError:
        return  # the first Run says what is wrong
    # What was loaded stays: leave it out of every later collection, which would cost 0.3 s each.
    gc.collect()
    gc.freeze()
