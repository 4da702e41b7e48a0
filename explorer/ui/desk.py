"""The desk: one for the whole server. It works in the background and keeps results.

A rerun of a page does not stop work that blocks it, so no page ever computes: it asks here, waits a
moment, and looks again later. Equal work is done once, for everybody.
"""

import gc
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from explorer.errors import ExplorerError
from explorer.limits import ALONE_SECONDS, CACHE_MB, SESSION_JOBS
from explorer.sources import Progress, warm_up
from explorer.ui import work
from explorer.ui.work import Work

# Seconds that work goes on when no page asks for it any more: the page is closed.
ALONE: float = ALONE_SECONDS
MOST_KEPT = 500  # results, however small
CACHE_BYTES = CACHE_MB * 2**20
SLICE = 0.1  # seconds that a piece of work goes on before it lets another one go on
# How many pieces of work are under way at once. Of those that compute one goes on at a time, in
# turns: two would only slow each other down, and one that is long must not keep all others waiting.
PLACES = {"compute": 4, "long": 6, "network": 4}
IN_TURNS = ("compute", "long")


class Turns:
    """One may go on at a time; who has gone on for a while lets the one go that waits longest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._busy = False
        self._since = 0.0

    def enter(self) -> None:
        """Wait for the first turn."""
        with self._lock:
            if not self._busy:
                self._busy, self._since = True, time.monotonic()
                return
            place = self._queue_up()
        self._wait(place)

    def give_way(self) -> None:
        """Let another go on, if one waits and this one has had its time."""
        with self._lock:
            if not self._waiting or time.monotonic() - self._since < SLICE:
                return
            place = self._queue_up()
            self._waiting.popleft().set()
        self._wait(place)

    def leave(self) -> None:
        """It is done."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._busy = False

    def _queue_up(self) -> threading.Event:
        place = threading.Event()
        self._waiting.append(place)
        return place

    def _wait(self, place: threading.Event) -> None:
        place.wait()
        self._since = time.monotonic()


@dataclass(eq=False)
class Job:
    """A piece of work that is being done.

    Attributes:
        turns: Where it takes turns with others; None if it need not.
        doing: What is being done, in words.
        share: How far it is, 0 to 1; None where that cannot be known.
        asked: When somebody last asked for it, in seconds of the monotonic clock.
    """

    work: Work
    turns: Turns | None = None
    doing: str = "Waiting for a free place"
    share: float | None = None
    future: "Future[Any]" = field(default_factory=Future)
    readers: set[str] = field(default_factory=set)
    stopped: bool = False
    asked: float = field(default_factory=time.monotonic)

    def report(self, doing: str, share: float | None) -> None:
        """Note how far the work is; ends it if nobody waits for it any more.

        Others may go on meanwhile, so whoever reports must hold no lock that they could wait for.
        """
        self.check()
        self.doing, self.share = doing, share
        if self.turns:
            self.turns.give_way()

    def check(self) -> None:
        """End the work if nobody waits for it any more."""
        if self.stopped:
            raise ExplorerError("Stopped. Nothing was changed.")
        if time.monotonic() - self.asked > ALONE:
            raise ExplorerError("Stopped, because nobody was looking.")


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
        # Hub models wait for the network, and what takes long would keep others waiting: queues of
        # their own.
        self._queues = {name: ThreadPoolExecutor(size, name) for name, size in PLACES.items()}
        self._turns = {name: Turns() for name in IN_TURNS}
        self._warm: Future[None] | None = None

    def ask(self, wanted: Work, reader: str) -> Job:
        """The job of a piece of work, begun if need be; the reader's earlier wish is dropped.

        Args:
            wanted: The work.
            reader: Who asks: an open page's name, and after a space for what.

        Returns:
            The job; one that has failed already where the page has too much work under way.
        """
        queue = work.queue_of(wanted)  # may look at the disk: not while all others wait
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
                refusal = self._too_much(reader)
                if refusal:
                    job.future.set_exception(refusal)
                    return job
                self._jobs[wanted] = job
                job.turns = self._turns.get(queue)
                job.future = self._queues[queue].submit(self._work, job)
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

    def _too_much(self, reader: str) -> ExplorerError | None:
        page = reader.partition(" ")[0]
        under_way = sum(any(r.startswith(page) for r in j.readers) for j in self._jobs.values())
        if under_way < SESSION_JOBS:
            return None
        return ExplorerError(
            f"This page has {under_way} pieces of work under way, the most that one page may "
            "have (EXPLORER_SESSION_JOBS). Wait until one is done, or stop it."
        )

    def _drop(self, reader: str, keep: Work | None) -> None:
        for wanted, job in list(self._jobs.items()):
            job.readers.discard(reader)
            if job.readers or wanted == keep:
                continue
            job.stopped = True  # work that has begun ends at its next report
            job.future.cancel()
            del self._jobs[wanted]

    def _work(self, job: Job) -> Any:
        if job.turns:
            job.turns.enter()
        try:
            job.check()
            result = self._do(job.work, job.report)
            if work.is_kept(job.work):
                with self._lock:
                    self._keep(job.work, result)
            return result
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            raise ExplorerError(
                "There was not enough memory for this. Try a shorter text or a smaller model."
            ) from error
        finally:
            if job.turns:
                job.turns.leave()
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


def _is_out_of_memory(error: BaseException) -> bool:
    """Whether the processor's memory ran out; torch says so in a RuntimeError."""
    return isinstance(error, MemoryError) or "allocate memory" in str(error)


def _load_embedded() -> None:
    try:
        warm_up()
    except ExplorerError:
        return  # the first Run says what is wrong
    # What was loaded stays: leave it out of every later collection, which would cost 0.3 s each.
    gc.collect()
    gc.freeze()
