"""The desk: one for the whole server. It computes runs in the background and keeps results.

A rerun of a page does not stop work that blocks it, so no page ever computes: it asks here, waits a
moment, and looks again later. Equal runs are computed once, for everybody.
"""

import gc
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.source import Hub
from explorer.sources import Progress, trace_run, warm_up
from explorer.trace import AttentionTrace

CACHE_BYTES = int(os.environ.get("EXPLORER_CACHE_MB", "1024")) * 2**20


@dataclass(eq=False)
class Job:
    """A run that is being computed.

    Attributes:
        doing: What is being done, in words.
        share: How far it is, 0 to 1; None where that cannot be known.
    """

    run: Run
    doing: str = "Waiting for a free place"
    share: float | None = None
    future: "Future[AttentionTrace]" = field(default_factory=Future)
    readers: set[str] = field(default_factory=set)
    stopped: bool = False

    def report(self, doing: str, share: float | None) -> None:
        """Note how far the work is; ends it if nobody waits for it any more."""
        if self.stopped:
            raise ExplorerError("Stopped. Nothing was changed.")
        self.doing, self.share = doing, share


class Desk:
    """Takes runs from all readers; thread-safe."""

    def __init__(
        self,
        compute: Callable[[Run, Progress], AttentionTrace] = trace_run,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self._trace_of = compute
        self._cache_bytes = cache_bytes
        self._kept: OrderedDict[Run, AttentionTrace] = OrderedDict()
        self._jobs: dict[Run, Job] = {}
        self._lock = threading.Lock()
        # One model computes at a time: two would only slow each other down. Hub models wait
        # for the network, so they have a queue of their own.
        self._compute = ThreadPoolExecutor(1, "compute")
        self._network = ThreadPoolExecutor(2, "network")
        self._warm: Future[None] | None = None

    def ask(self, run: Run, reader: str) -> Job:
        """The job of a run, started if need be; the reader's earlier wish is dropped."""
        with self._lock:
            self._drop(reader, keep=run)
            job = self._jobs.get(run)
            if job is None:
                job = Job(run)
                kept = self._kept.get(run)
                if kept is not None:
                    self._kept.move_to_end(run)
                    job.future.set_result(kept)
                    return job
                self._jobs[run] = job
                pool = self._network if isinstance(run.source, Hub) else self._compute
                job.future = pool.submit(self._work, job)
            job.readers.add(reader)
            return job

    def warm_up(self) -> None:
        """Load the embedded model in the background, once."""
        with self._lock:
            if self._warm is None:
                self._warm = self._compute.submit(_load_embedded)

    def leave(self, reader: str) -> None:
        """The reader waits for nothing any more."""
        with self._lock:
            self._drop(reader, keep=None)

    def _drop(self, reader: str, keep: Run | None) -> None:
        for run, job in list(self._jobs.items()):
            job.readers.discard(reader)
            if job.readers or run == keep:
                continue
            job.stopped = True  # work that has begun ends at its next report
            job.future.cancel()
            del self._jobs[run]

    def _work(self, job: Job) -> AttentionTrace:
        try:
            trace = self._trace_of(job.run, job.report)
            with self._lock:
                self._keep(job.run, trace)
            return trace
        except MemoryError as error:
            raise ExplorerError(
                "There was not enough memory for this. Try a shorter text or a smaller model."
            ) from error
        finally:
            with self._lock:
                if self._jobs.get(job.run) is job:
                    del self._jobs[job.run]

    def _keep(self, run: Run, trace: AttentionTrace) -> None:
        self._kept[run] = trace
        while sum(t.weights.nbytes for t in self._kept.values()) > self._cache_bytes:
            self._kept.popitem(last=False)


def _load_embedded() -> None:
    try:
        warm_up()
    except ExplorerError:
        return  # the first Run says what is wrong
    # What was loaded stays: leave it out of every later collection, which would cost 0.3 s each.
    gc.collect()
    gc.freeze()
