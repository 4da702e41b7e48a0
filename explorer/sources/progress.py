"""How a long piece of work tells what it is doing, and lets others go on."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

Progress = Callable[[str, float | None], None]
"""Told what is being done, and how far it is (0 to 1; None where that cannot be known)."""


def silent(what: str, share: float | None) -> None:
    """The listener for callers that do not listen."""


class Worker(Protocol):
    """Whoever has the work of a thread done: a job of the scheduler."""

    def tick(self) -> None:
        """Let others go on; raises if nobody waits for the work any more."""

    def away(self) -> AbstractContextManager[None]:
        """A block in which the work waits for something that takes no computing."""

    def claim(self, size: int) -> None:
        """Wait until so many bytes may be taken by this work; raises if they never may."""


# The worker of a thread stands here, because deep inside a model there is nobody to hand it to.
_here = threading.local()


@contextmanager
def working_for(worker: Worker) -> Iterator[None]:
    """In this block this thread works for somebody."""
    _here.worker = worker
    try:
        yield
    finally:
        _here.worker = None


def worker() -> Worker | None:
    """Whom this thread works for; None where the library is used without the app."""
    return getattr(_here, "worker", None)


def tick() -> None:
    """Let others go on, where many small steps follow one another without a report.

    Who calls this must hold no lock that others could wait for.
    """
    found = worker()
    if found:
        found.tick()


def away() -> AbstractContextManager[None]:
    """A block in which this work waits for the disk or for another thread."""
    found = worker()
    return found.away() if found else nullcontext()
