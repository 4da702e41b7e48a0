"""The scheduler: one for the whole server. It works in the background and keeps results.

A rerun of a page does not stop work that blocks it, so no page ever computes: it asks here, waits a
moment, and looks again later. Equal work is done once, for everybody. Places, turns and memory are
shared among readers (`turns.py`), so nobody is kept waiting by what another one wants.
"""

import atexit
import gc
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from explorer import language
from explorer.errors import ExplorerError
from explorer.limits import (
    ALONE_SECONDS,
    CACHE_MB,
    READER_JOBS,
    READER_MB,
    SESSION_JOBS,
    WORK_MB,
)
from explorer.sources import Progress, warm_up, working_for
from explorer.sources.folders import Stamp, stamp_of
from explorer.sources.memory import give_back
from explorer.ui import work
from explorer.ui.turns import Call, Places, Turns
from explorer.ui.work import Work

# Seconds that work goes on when no page asks for it any more: the page is closed.
ALONE: float = ALONE_SECONDS
MOST_KEPT = 500  # results, however small
MOST_JOBS = 400  # pieces of work under way, of all readers together
CACHE_BYTES = CACHE_MB * 2**20
MEANWHILE = 0.03  # seconds after which whoever waits looks up
LARGE = 100 * 2**20  # bytes of work after which what it freed is given back to the system
# For each kind of work, how many pieces are under way at once, and with whom they take turns. Of
# those that take turns one goes on at a time: two would only slow each other down.
KINDS: dict[str, tuple[int, str | None]] = {
    "compute": (4, "short"),
    "long": (4, "long"),
    "training": (4, "long"),
    "measuring": (2, "long"),
    "corpus": (2, "long"),
    "network": (4, None),  # waits for others, not for the processor
}


@dataclass(eq=False)
class Job:
    """A piece of work that is being done.

    Attributes:
        owner: The reader for whom it was begun.
        turns: Where it takes turns with others; None if it need not.
        claims: Where it asks for memory.
        doing: What is being done, in words.
        share: How far it is, 0 to 1; None where that cannot be known.
        partial: What is known of the result so far; None where nothing is.
        asked: When somebody last asked for it, in seconds of the monotonic clock.
        stamp: Of the folders that it is read from, when it was asked for: what is saved there anew
            is computed anew.
    """

    work: Work
    owner: str = ""
    turns: Turns | None = None
    claims: "Claims | None" = None
    doing: str = language.t("Waiting for a free place")
    share: float | None = None
    partial: Any = None
    future: "Future[Any]" = field(default_factory=Future)
    call: Call | None = None
    readers: set[str] = field(default_factory=set)
    stopped: bool = False
    asked: float = field(default_factory=time.monotonic)
    stamp: Stamp = ()
    _has_turn: bool = False

    def report(self, doing: str, share: float | None) -> None:
        """Note how far the work is; ends it if nobody waits for it any more.

        Others may go on meanwhile, so whoever reports must hold no lock that they could wait for.
        """
        self.doing, self.share = doing, share
        self.tick()

    def show(self, partial: Any) -> None:
        """Hand out what is known of the result so far."""
        self.partial = partial
        self.tick()

    def tick(self) -> None:
        """Let others go on; ends the work if nobody waits for it any more."""
        self.check()
        if self.turns and self._has_turn:
            self.turns.give_way(self.owner)

    def check(self) -> None:
        """End the work if nobody waits for it any more."""
        if self.stopped:
            raise ExplorerError(language.t("Stopped. Nothing was changed."))
        if time.monotonic() - self.asked > ALONE:
            raise ExplorerError(language.t("Stopped, because nobody was looking."))

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """A block that computes."""
        if self.turns:
            self.turns.enter(self.owner)
            self._has_turn = True
        try:
            yield
        finally:
            if self.turns:
                self._has_turn = False
                self.turns.leave()

    @contextmanager
    def away(self) -> Iterator[None]:
        """A block, among what computes, that waits for something else."""
        had, self._has_turn = self._has_turn, False
        if had and self.turns:
            self.turns.leave()
        try:
            yield
        finally:
            if had and self.turns:
                self.turns.enter(self.owner)
                self._has_turn = True

    def claim(self, size: int) -> None:
        """Wait until so many bytes may be taken."""
        if self.claims:
            self.claims.take(self, size)


class Claims:
    """What all work under way takes of the memory, within bounds for each reader and for all."""

    def __init__(self, reader: int = READER_MB * 2**20, everybody: int = WORK_MB * 2**20) -> None:
        self._reader, self._everybody = min(reader, everybody), everybody
        self._held: dict[Job, int] = {}
        self._changed = threading.Condition()

    def take(self, job: Job, size: int) -> None:
        """Wait until a job may take so many bytes at once, whatever it has taken before.

        Raises:
            ExplorerError: One reader may not take so much, or nobody waits any more.
        """
        if size > self._reader:
            raise ExplorerError(
                language.t(
                    "This takes about {size} GB of memory while it is computed; at most {reader} "
                    "GB are given to one reader here (EXPLORER_READER_MB). Choose a shorter text "
                    "or a smaller model.",
                    size=f"{size / 2**30:.1f}",
                    reader=f"{self._reader / 2**30:.1f}",
                )
            )
        if size <= self._held.get(job, 0) or self._grant(job, size):
            return
        # What it had is given back first: two that keep what they have could wait for ever.
        self.give_back(job)
        job.doing, job.share = language.t("Waiting until there is memory for this"), None
        with job.away():
            while not self._grant(job, size):
                with self._changed:
                    self._changed.wait(0.25)
                job.check()

    def give_back(self, job: Job) -> int:
        """The job takes nothing any more; how many bytes it had taken."""
        with self._changed:
            held = self._held.pop(job, 0)
            if held:
                self._changed.notify_all()
            return held

    def _grant(self, job: Job, size: int) -> bool:
        with self._changed:
            others = {j: held for j, held in self._held.items() if j is not job}
            own = sum(held for j, held in others.items() if j.owner == job.owner)
            free = sum(others.values()) + size <= self._everybody and own + size <= self._reader
            if free:
                self._held[job] = size
            return free


class Scheduler:
    """Takes work from all readers; thread-safe."""

    def __init__(
        self,
        do: Callable[[Any, Progress, Callable[[Any], None]], Any] = work.do,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self._do = do
        self._cache_bytes = cache_bytes
        self._kept: OrderedDict[Work, tuple[Any, int, Stamp]] = OrderedDict()
        self._jobs: dict[Work, Job] = {}
        self._lock = threading.Lock()
        self._places = {name: Places(size, name) for name, (size, _) in KINDS.items()}
        names = dict.fromkeys(turns for _, turns in KINDS.values() if turns)
        self._turns = {name: Turns() for name in names}
        self._claims = Claims()
        self._warm = False

    def ask(self, wanted: Work, reader: str) -> Job:
        """The job of a piece of work, begun if need be; the reader's earlier wish is dropped.

        Args:
            wanted: The work.
            reader: Who asks: a reader's name, after a stroke that of one of his open pages, and
                after a space for what.

        Returns:
            The job; one that has failed already where there is too much work under way.
        """
        kind = work.kind_of_work(wanted)  # may look at the disk: not while all others wait
        stamp = stamp_of(wanted)
        with self._lock:
            self._drop(reader, keep=wanted)
            job = self._jobs.get(wanted)
            if job is None:
                job = Job(wanted, owner_of(reader), stamp=stamp)
                kept = self._kept.get(wanted)
                if kept is not None and kept[2] == stamp:
                    self._kept.move_to_end(wanted)
                    job.future.set_result(kept[0])
                    return job
                refusal = self._too_much(reader)
                if refusal:
                    job.future.set_exception(refusal)
                    return job
                self._begin(job, kind)
            job.readers.add(reader)
            job.asked = time.monotonic()
            return job

    def wait(self, wanted: Work, reader: str, meanwhile: Callable[[], None] = lambda: None) -> Any:
        """The result of a piece of work, waited for.

        Args:
            wanted: The work.
            reader: Who waits.
            meanwhile: Called again and again while it is not done; may raise to wait no longer.

        Raises:
            ExplorerError: It cannot be done.
        """
        job = self.ask(wanted, reader)
        while True:
            try:
                return job.future.result(MEANWHILE)
            except TimeoutError:
                if job.future.done():
                    raise
                self.look(job)
                meanwhile()

    def look(self, job: Job) -> None:
        """Somebody still waits for this job."""
        job.asked = time.monotonic()

    def warm_up(self) -> None:
        """Load the embedded model in the background, once."""
        with self._lock:
            if not self._warm:
                self._warm = True
                self._places["compute"].submit("", _load_embedded)

    def leave(self, reader: str) -> None:
        """The reader waits for nothing any more."""
        with self._lock:
            self._drop(reader, keep=None)

    def close(self, patience: float = 2.0) -> None:
        """End all work at its next report, and wait a little for that."""
        with self._lock:
            jobs = list(self._jobs.values())
            for job in jobs:
                job.stopped = True
        end = time.monotonic() + patience
        for job in jobs:
            if job.call and not any(p.take_back(job.call) for p in self._places.values()):
                with suppress(BaseException):
                    job.future.exception(max(end - time.monotonic(), 0))

    def _begin(self, job: Job, kind: str) -> None:
        self._jobs[job.work] = job
        turns = KINDS[kind][1]
        job.turns, job.claims = self._turns[turns] if turns else None, self._claims
        job.call = self._places[kind].submit(job.owner, lambda: self._work(job))

    def _too_much(self, reader: str) -> ExplorerError | None:
        page, owner = reader.partition(" ")[0], owner_of(reader)
        of_page = sum(any(_is_of(r, page) for r in j.readers) for j in self._jobs.values())
        if of_page >= SESSION_JOBS:
            return ExplorerError(
                language.t(
                    "This page has {of_page} pieces of work under way, the most that one page may "
                    "have (EXPLORER_SESSION_JOBS). Wait until one is done, or stop it.",
                    of_page=of_page,
                )
            )
        if sum(j.owner == owner for j in self._jobs.values()) >= READER_JOBS:
            return ExplorerError(
                language.t(
                    "Your pages have {reader_jobs} pieces of work under way together, the most "
                    "that one reader may have (EXPLORER_READER_JOBS). Wait until one is done, or "
                    "stop it.",
                    reader_jobs=READER_JOBS,
                )
            )
        if len(self._jobs) >= MOST_JOBS:
            return ExplorerError(
                language.t(
                    "Very many readers want something computed at the moment. Nothing was changed: "
                    "try again in a minute."
                )
            )
        return None

    def _drop(self, reader: str, keep: Work | None) -> None:
        for wanted, job in list(self._jobs.items()):
            job.readers.discard(reader)
            if job.readers or wanted == keep:
                continue
            job.stopped = True  # work that has begun ends at its next report
            del self._jobs[wanted]
            if job.call and any(places.take_back(job.call) for places in self._places.values()):
                job.future.cancel()

    def _work(self, job: Job) -> None:
        if not job.future.set_running_or_notify_cancel():
            return
        try:
            with job.in_turn(), working_for(job):
                result = self._done(job)
        except BaseException as error:  # noqa: BLE001  # whoever waits is told, whatever it is
            self._end(job)
            job.future.set_exception(error)
        else:
            self._end(job)
            job.future.set_result(result)

    def _done(self, job: Job) -> Any:
        job.check()
        try:
            result = self._do(job.work, job.report, job.show)
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            raise ExplorerError(
                language.t(
                    "There was not enough memory for this. Try a shorter text or a smaller model."
                )
            ) from error
        if work.is_kept(job.work):
            size = size_of((job.work, result))
            with self._lock:
                self._keep(job, result, size)
        return result

    def _end(self, job: Job) -> None:
        if self._claims.give_back(job) > LARGE:
            give_back()
        with self._lock:
            if self._jobs.get(job.work) is job:
                del self._jobs[job.work]

    def _keep(self, job: Job, result: Any, size: int) -> None:
        self._kept[job.work] = result, size, job.stamp
        self._kept.move_to_end(job.work)
        while (
            len(self._kept) > MOST_KEPT
            or sum(size for _, size, _ in self._kept.values()) > self._cache_bytes
        ):
            self._kept.popitem(last=False)


_scheduler: Scheduler | None = None
_making = threading.Lock()


def scheduler() -> Scheduler:
    """The server's one scheduler. It is not in Streamlit's cache, which any page may clear."""
    global _scheduler
    with _making:
        if _scheduler is None:
            _scheduler = Scheduler()
            # PyTorch ends the process with a cry if it is at work when Python goes.
            atexit.register(_scheduler.close)
        return _scheduler


def owner_of(reader: str) -> str:
    """The reader in the name of one who asks."""
    return reader.partition(" ")[0].partition("/")[0]


def _is_of(reader: str, page: str) -> bool:
    return reader.partition(" ")[0] == page


def size_of(thing: Any, seen: set[int] | None = None) -> int:
    """Bytes that arrays, texts and files in a result take, each counted once."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return 0
    seen.add(id(thing))
    if hasattr(thing, "__array_interface__"):
        return int(thing.nbytes)
    if isinstance(thing, str | bytes):
        return sys.getsizeof(thing)
    if is_dataclass(thing) and not isinstance(thing, type):
        return sum(size_of(getattr(thing, f.name), seen) for f in fields(thing))
    if isinstance(thing, dict):
        return sum(size_of(part, seen) for pair in thing.items() for part in pair)
    if isinstance(thing, list | tuple | set | frozenset):
        return 8 * len(thing) + sum(size_of(part, seen) for part in thing)
    return 0


def _is_out_of_memory(error: BaseException) -> bool:
    """Whether the processor's memory ran out; torch says so in a RuntimeError."""
    return isinstance(error, MemoryError) or "allocate memory" in str(error)


def _load_embedded() -> None:
    with suppress(ExplorerError):  # the first Run says what is wrong
        warm_up()
        # What was loaded stays: leave it out of every later collection, which would cost 0.3 s.
        gc.collect()
        gc.freeze()
