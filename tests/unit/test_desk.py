"""The desk: equal runs are computed once, results kept within bounds, errors reach readers."""

import sys
import threading

import pytest

from explorer.errors import ExplorerError
from explorer.lesson import Trained
from explorer.limits import SESSION_JOBS
from explorer.run import Run
from explorer.source import Hub, Transplanted
from explorer.ui.desk import ALONE, Desk, Turns
from explorer.ui.work import (
    Checking,
    Comparing,
    Filming,
    Learning,
    Measuring,
    Walking,
    queue_of,
)

WAIT = 10  # seconds; only a failure waits this long


class Slow:
    """A source that counts its runs and works only when it is let."""

    def __init__(self, trace):
        self.trace, self.runs, self.go = trace, [], threading.Event()
        self.started = threading.Event()

    def __call__(self, run, progress):
        self.runs.append(getattr(run, "text", run))
        progress("Counting", 0.5)
        self.started.set()
        assert self.go.wait(WAIT)
        return self.trace


@pytest.fixture
def slow(make_trace):
    source = Slow(make_trace())
    yield source
    source.go.set()


def test_two_readers_of_one_run_wait_for_one_computation(slow):
    desk = Desk(slow)
    jobs = [desk.ask(Run("a"), reader) for reader in ("one", "two")]
    slow.go.set()
    assert jobs[0].future.result(WAIT) is jobs[1].future.result(WAIT) is slow.trace
    assert slow.runs == ["a"]


def test_a_kept_result_comes_at_once(slow):
    desk = Desk(slow)
    slow.go.set()
    desk.ask(Run("a"), "one").future.result(WAIT)
    assert desk.ask(Run("a"), "two").future.done()
    assert slow.runs == ["a"]


def test_a_newer_wish_of_the_same_reader_takes_a_waiting_one_back(slow):
    desk = Desk(slow)
    desk.ask(Run("first"), "other")
    assert slow.started.wait(WAIT)
    for text in ("b", "c", "d"):
        last = desk.ask(Run(text), "one")
    slow.go.set()
    last.future.result(WAIT)
    assert slow.runs == ["first", "d"]


def test_a_wish_that_another_reader_shares_is_not_taken_back(slow):
    desk = Desk(slow)
    desk.ask(Run("first"), "x")
    assert slow.started.wait(WAIT)
    shared = desk.ask(Run("b"), "one")
    desk.ask(Run("b"), "two")
    desk.ask(Run("c"), "one")
    slow.go.set()
    assert shared.future.result(WAIT) is slow.trace


def test_work_that_nobody_waits_for_any_more_ends_at_its_next_report(make_trace):
    reached, go = threading.Event(), threading.Event()

    def long(run, progress):
        reached.set()
        assert go.wait(WAIT)
        progress("Still downloading", 0.5)
        return make_trace()

    desk = Desk(long)
    job = desk.ask(Run("a"), "one")
    assert reached.wait(WAIT)
    desk.leave("one")
    go.set()
    with pytest.raises(ExplorerError, match="Stopped"):
        job.future.result(WAIT)


def test_what_is_being_done_can_be_read_while_it_is_done(slow):
    job = Desk(slow).ask(Run("a"), "one")
    assert slow.started.wait(WAIT)
    assert (job.doing, job.share) == ("Counting", 0.5)


def test_the_oldest_result_goes_when_the_bytes_run_out(slow):
    desk = Desk(slow, cache_bytes=slow.trace.weights.nbytes)
    slow.go.set()
    for text in ("a", "b", "b", "a"):
        desk.ask(Run(text), "one").future.result(WAIT)
    assert slow.runs == ["a", "b", "a"]


def test_a_refusal_reaches_the_reader_and_is_not_kept():
    def refuse(run, progress):
        raise ExplorerError("No such model.")

    desk = Desk(refuse)
    for _ in range(2):
        with pytest.raises(ExplorerError, match="No such model"):
            desk.ask(Run("a"), "one").future.result(WAIT)


def test_work_ends_when_no_page_has_asked_for_a_while(make_trace, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("explorer.ui.desk.time.monotonic", lambda: clock[0])
    asked, go = threading.Event(), threading.Event()

    def long(work, progress):
        asked.set()
        assert go.wait(WAIT)
        progress("Learning", 0.5)
        return make_trace()

    desk = Desk(long)
    watched = desk.ask(Run("a"), "one")
    assert asked.wait(WAIT)
    clock[0] += ALONE + 1
    go.set()
    with pytest.raises(ExplorerError, match="nobody was looking"):
        watched.future.result(WAIT)


def test_a_page_that_keeps_asking_keeps_its_work_going(make_trace, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("explorer.ui.desk.time.monotonic", lambda: clock[0])
    asked, go = threading.Event(), threading.Event()
    trace = make_trace()

    def long(work, progress):
        asked.set()
        assert go.wait(WAIT)
        progress("Learning", 0.5)
        return trace

    desk = Desk(long)
    job = desk.ask(Run("a"), "one")
    assert asked.wait(WAIT)
    for _ in range(3):
        clock[0] += ALONE - 1
        assert desk.ask(Run("a"), "one") is job
    go.set()
    assert job.future.result(WAIT) is trace


@pytest.mark.parametrize(
    ("wanted", "queue"),
    [
        (Run("a"), "compute"),
        (Run("a", source=Hub("x")), "network"),
        (Run("a", source=Transplanted(Hub("x"))), "network"),
        (Run("a", source=Trained()), "long"),
        (Walking(Run("a", source=Trained()), 0), "long"),
        (Learning(Trained()), "long"),
        (Filming(Trained(), None), "compute"),
        (Measuring("x"), "compute"),
        (Checking(Run("a")), "compute"),
        (Comparing(Run("a"), Run("b")), "compute"),
        (Comparing(Run("a"), Run("b", source=Trained())), "long"),
        (Comparing(Run("a", source=Hub("x")), Run("b", source=Trained())), "network"),
    ],
)
def test_work_that_takes_long_does_not_stand_in_the_way_of_clicks(wanted, queue):
    assert queue_of(wanted) == queue


def test_what_a_training_has_come_to_is_asked_for_anew_each_time(slow):
    desk = Desk(slow)
    slow.go.set()
    for _ in range(2):
        desk.ask(Filming(Trained(), None), "one").future.result(WAIT)
    assert len(slow.runs) == 2


def test_who_waits_in_one_go_is_looking_all_the_time(make_trace):
    trace, looked = make_trace(), threading.Event()

    class Watched(Desk):
        def look(self, job):
            super().look(job)
            looked.set()

    def long(work, progress):
        assert looked.wait(WAIT)  # it goes on until somebody has looked
        return trace

    assert Watched(long).wait(Run("a"), "one") is trace


# --- many at once -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["compute", "long"])
def test_a_long_piece_of_work_lets_a_short_one_go_on_at_its_next_report(
    make_trace, monkeypatch, kind
):
    monkeypatch.setattr("explorer.ui.desk.SLICE", 0)
    monkeypatch.setattr("explorer.ui.work.queue_of", lambda work: kind)
    begun, asked, order = threading.Event(), threading.Event(), []

    def do(run, progress):
        if run.text == "long":
            begun.set()
            assert asked.wait(WAIT)
            while "short" not in order:
                progress("Explaining", 0.5)
        order.append(run.text)
        return make_trace()

    desk = Desk(do)
    long = desk.ask(Run("long"), "one")
    assert begun.wait(WAIT)
    short = desk.ask(Run("short"), "two")
    asked.set()
    short.future.result(WAIT)
    long.future.result(WAIT)
    assert order == ["short", "long"]


def test_of_all_that_computes_only_one_goes_on_at_a_time(make_trace, monkeypatch):
    monkeypatch.setattr("explorer.ui.desk.SLICE", 0)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # whoever may interrupt, does
    at_work, most = [], []

    def do(run, progress):
        for _ in range(50):
            at_work.append(run)
            for _ in range(200):
                most.append(len(at_work))
            at_work.remove(run)
            progress("Counting", None)
        return make_trace()

    desk = Desk(do)
    jobs = [desk.ask(Run(f"text {i}"), f"reader{i}") for i in range(6)]
    for job in jobs:
        job.future.result(WAIT)
    sys.setswitchinterval(before)
    assert max(most) == 1


def test_whoever_waits_longest_has_the_next_turn():
    turns, order, ready = Turns(), [], []
    turns.enter()

    def wait(name, queued):
        queued.set()
        turns.enter()
        order.append(name)
        turns.leave()

    for name in "abc":
        queued = threading.Event()
        ready.append(threading.Thread(target=wait, args=(name, queued)))
        ready[-1].start()
        assert queued.wait(WAIT)
        while len(turns._waiting) < len(ready):
            pass  # it is on its way into the queue
    turns.leave()
    for thread in ready:
        thread.join(WAIT)
    assert order == ["a", "b", "c"]


def test_one_page_has_its_share_and_not_more(slow):
    desk = Desk(slow)
    jobs = [desk.ask(Run(f"{i}"), f"page work{i}") for i in range(SESSION_JOBS + 1)]
    assert not any(job.future.done() for job in jobs[:-1])
    with pytest.raises(ExplorerError, match="EXPLORER_SESSION_JOBS"):
        jobs[-1].future.result(WAIT)
    assert not desk.ask(Run("other"), "otherpage work").future.done()


@pytest.mark.parametrize(
    "trouble",
    [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ...")],
)
def test_both_ways_of_running_out_of_memory_are_told_and_the_next_run_works(make_trace, trouble):
    def burst(run, progress):
        if run.text == "huge":
            raise trouble
        return make_trace()

    desk = Desk(burst)
    with pytest.raises(ExplorerError, match="not enough memory"):
        desk.ask(Run("huge"), "one").future.result(WAIT)
    assert desk.ask(Run("small"), "one").future.result(WAIT)
