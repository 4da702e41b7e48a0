"""Who goes on next: places and turns are shared among readers, not among pieces of work.

A reader with forty pieces of work gets as much as one with one. Time is what is shared: of those
who wait, the reader goes on who has had least of it (start-time fair queueing; Goyal, Vin, Cheng
1996).
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

SLICE = 0.1  # seconds that a piece of work goes on before it lets another one go on
IDLE = 30.0  # seconds that a thread waits for more work before it ends


class Shares:
    """How much time each reader has had; who has been away begins where the others are."""

    def __init__(self) -> None:
        self._had: dict[str, float] = {}
        self._now = 0.0  # what the one who was chosen last had had

    def least(self, owners: list[str]) -> int:
        """Which of some owners, in the order of their coming, is to go on."""
        had = [self._of(owner) for owner in owners]
        first = had.index(min(had))
        self._now = max(self._now, had[first])
        return first

    def add(self, owner: str, seconds: float) -> None:
        """An owner has had some time; who had so much long ago is forgotten."""
        self._had[owner] = self._of(owner) + seconds
        if len(self._had) > 1000:
            self._had = {o: had for o, had in self._had.items() if had > self._now}

    def _of(self, owner: str) -> float:
        return max(self._had.get(owner, 0.0), self._now)


class Turns:
    """One may go on at a time; who has gone on for a while lets another one go."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shares = Shares()
        self._waiting: list[tuple[str, threading.Event]] = []
        self._busy: str | None = None
        self._since = 0.0

    def enter(self, owner: str) -> None:
        """Wait for the first turn."""
        with self._lock:
            if self._busy is None:
                self._busy, self._since = owner, time.monotonic()
                return
            place = self._queue_up(owner)
        self._wait(place)

    def give_way(self, owner: str) -> None:
        """Let another go on, if one waits and this one has had its time."""
        with self._lock:
            if not self._waiting or time.monotonic() - self._since < SLICE:
                return
            place = self._queue_up(owner)
            self._next()
        self._wait(place)

    def leave(self) -> None:
        """It is done, or waits for something else."""
        with self._lock:
            self._next()

    def _next(self) -> None:
        assert self._busy is not None
        self._shares.add(self._busy, time.monotonic() - self._since)
        self._busy = None
        if self._waiting:
            chosen = self._shares.least([owner for owner, _ in self._waiting])
            self._busy, place = self._waiting.pop(chosen)
            place.set()

    def _queue_up(self, owner: str) -> threading.Event:
        place = threading.Event()
        self._waiting.append((owner, place))
        return place

    def _wait(self, place: threading.Event) -> None:
        place.wait()
        self._since = time.monotonic()


@dataclass(eq=False)
class Call:
    """Something to be done in a place of its own, once one is free."""

    owner: str
    do: Callable[[], None]


class Places:
    """So many threads for one kind of work; one reader never has them all."""

    def __init__(self, size: int, name: str) -> None:
        self._size, self._name = size, name
        self._most = max(size - 1, 1)  # of one owner at once
        self._changed = threading.Condition()
        self._waiting: deque[Call] = deque()
        self._at_work: list[str] = []
        self._served: dict[str, int] = {}
        self._count = self._threads = 0

    def submit(self, owner: str, do: Callable[[], None]) -> Call:
        """Have something done as soon as a place is free for its owner."""
        call = Call(owner, do)
        with self._changed:
            self._waiting.append(call)
            if self._threads < self._size:
                self._threads += 1
                # A daemon: the server need not wait for work when it is told to end.
                threading.Thread(target=self._run, name=self._name, daemon=True).start()
            self._changed.notify()
        return call

    def take_back(self, call: Call) -> bool:
        """Whether a call could be taken back before it was begun."""
        with self._changed:
            if call in self._waiting:
                self._waiting.remove(call)
                return True
        return False

    def _run(self) -> None:
        while call := self._next():
            try:
                call.do()
            finally:
                with self._changed:
                    self._at_work.remove(call.owner)
                    self._forget()
                    self._changed.notify_all()

    def _next(self) -> Call | None:
        """Wait for a call; None where none has come for a while, and the thread may end."""
        with self._changed:
            self._changed.wait_for(lambda: self._choose() is not None, IDLE)
            call = self._choose()
            if call is None:
                self._threads -= 1
                return None
            self._waiting.remove(call)
            self._at_work.append(call.owner)
            self._count += 1
            self._served[call.owner] = self._count
            return call

    def _choose(self) -> Call | None:
        """The next call: of the owner with fewest at work, and of these who waits longest."""
        free = [c for c in self._waiting if self._at_work.count(c.owner) < self._most]
        return min(
            free,
            key=lambda c: (self._at_work.count(c.owner), self._served.get(c.owner, 0)),
            default=None,
        )

    def _forget(self) -> None:
        """Whoever neither works nor waits need not be remembered."""
        here = {*self._at_work, *(c.owner for c in self._waiting)}
        if len(self._served) > len(here) + 1000:
            self._served = {o: n for o, n in self._served.items() if o in here}
