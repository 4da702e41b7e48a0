"""The scheduler: equal runs are computed once, results kept within bounds, errors reach readers."""

import sys
import threading

import pytest

from explorer.errors import ExplorerError
from explorer.lesson import Trained
from explorer.limits import READER_JOBS, SESSION_JOBS
from explorer.run import Run
from explorer.source import Hub, Transplanted
from explorer.ui.scheduler import ALONE, Claims, Job, Scheduler, size_of
from explorer.ui.turns import Places, Shares, Turns
from explorer.ui.work import (
    Checking,
    Comparing,
    LayerTracing,
    Learning,
    Making,
    Measuring,
    Recording,
    kind_of_work,
)

WAIT = 10  # seconds; only a failure waits this long


class Slow:
    """A source that counts its runs and works only when it is let."""

    def __init__(self, trace):
        self.trace, self.runs, self.go = trace, [], threading.Event()
        self.started = threading.Event()

    def __call__(self, run, progress, show):
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
    scheduler = Scheduler(slow)
    jobs = [scheduler.ask(Run("a"), reader) for reader in ("one", "two")]
    slow.go.set()
    assert jobs[0].future.result(WAIT) is jobs[1].future.result(WAIT) is slow.trace
    assert slow.runs == ["a"]


def test_a_kept_result_comes_at_once(slow):
    scheduler = Scheduler(slow)
    slow.go.set()
    scheduler.ask(Run("a"), "one").future.result(WAIT)
    assert scheduler.ask(Run("a"), "two").future.done()
    assert slow.runs == ["a"]


def test_a_newer_wish_of_the_same_reader_takes_a_waiting_one_back(slow):
    scheduler = Scheduler(slow)
    scheduler.ask(Run("first"), "other")
    assert slow.started.wait(WAIT)
    for text in ("b", "c", "d"):
        last = scheduler.ask(Run(text), "one")
    slow.go.set()
    last.future.result(WAIT)
    assert slow.runs == ["first", "d"]


def test_a_wish_that_another_reader_shares_is_not_taken_back(slow):
    scheduler = Scheduler(slow)
    scheduler.ask(Run("first"), "x")
    assert slow.started.wait(WAIT)
    shared = scheduler.ask(Run("b"), "one")
    scheduler.ask(Run("b"), "two")
    scheduler.ask(Run("c"), "one")
    slow.go.set()
    assert shared.future.result(WAIT) is slow.trace


def test_work_that_nobody_waits_for_any_more_ends_at_its_next_report(make_trace):
    reached, go = threading.Event(), threading.Event()

    def long(run, progress, show):
        reached.set()
        assert go.wait(WAIT)
        progress("Still downloading", 0.5)
        return make_trace()

    scheduler = Scheduler(long)
    job = scheduler.ask(Run("a"), "one")
    assert reached.wait(WAIT)
    scheduler.leave("one")
    go.set()
    with pytest.raises(ExplorerError, match="Stopped"):
        job.future.result(WAIT)


def test_what_is_being_done_can_be_read_while_it_is_done(slow):
    job = Scheduler(slow).ask(Run("a"), "one")
    assert slow.started.wait(WAIT)
    assert (job.doing, job.share) == ("Counting", 0.5)


def test_the_oldest_result_goes_when_the_bytes_run_out(slow):
    scheduler = Scheduler(slow, cache_bytes=2 * size_of((Run("a"), slow.trace)) - 1)
    slow.go.set()
    for text in ("a", "b", "b", "a"):
        scheduler.ask(Run(text), "one").future.result(WAIT)
    assert slow.runs == ["a", "b", "a"]


def test_a_refusal_reaches_the_reader_and_is_not_kept():
    def refuse(run, progress, show):
        raise ExplorerError("No such model.")

    scheduler = Scheduler(refuse)
    for _ in range(2):
        with pytest.raises(ExplorerError, match="No such model"):
            scheduler.ask(Run("a"), "one").future.result(WAIT)


def test_work_ends_when_no_page_has_asked_for_a_while(make_trace, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("explorer.ui.scheduler.time.monotonic", lambda: clock[0])
    asked, go = threading.Event(), threading.Event()

    def long(work, progress, show):
        asked.set()
        assert go.wait(WAIT)
        progress("Learning", 0.5)
        return make_trace()

    scheduler = Scheduler(long)
    watched = scheduler.ask(Run("a"), "one")
    assert asked.wait(WAIT)
    clock[0] += ALONE + 1
    go.set()
    with pytest.raises(ExplorerError, match="nobody was looking"):
        watched.future.result(WAIT)


def test_a_page_that_keeps_asking_keeps_its_work_going(make_trace, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("explorer.ui.scheduler.time.monotonic", lambda: clock[0])
    asked, go = threading.Event(), threading.Event()
    trace = make_trace()

    def long(work, progress, show):
        asked.set()
        assert go.wait(WAIT)
        progress("Learning", 0.5)
        return trace

    scheduler = Scheduler(long)
    job = scheduler.ask(Run("a"), "one")
    assert asked.wait(WAIT)
    for _ in range(3):
        clock[0] += ALONE - 1
        assert scheduler.ask(Run("a"), "one") is job
    go.set()
    assert job.future.result(WAIT) is trace


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        (Run("a"), "compute"),
        (Run("a", source=Hub("x")), "network"),
        (Run("a", source=Transplanted(Hub("x"))), "network"),
        (Run("a", source=Trained()), "training"),
        (LayerTracing(Run("a", source=Trained()), 0), "training"),
        (Learning(Trained()), "training"),
        (Recording(Trained(), None), "compute"),
        (Measuring("x"), "measuring"),
        (Checking(Run("a")), "long"),
        (Comparing(Run("a"), Run("b")), "long"),
        (Comparing(Run("a"), Run("b", source=Trained())), "training"),
        (Comparing(Run("a", source=Hub("x")), Run("b", source=Trained())), "network"),
        (Making(("x",), lambda report: None), "compute"),
    ],
)
def test_work_that_takes_long_does_not_stand_in_the_way_of_clicks(wanted, kind):
    assert kind_of_work(wanted) == kind


def test_what_a_training_has_come_to_is_asked_for_anew_each_time(slow):
    scheduler = Scheduler(slow)
    slow.go.set()
    for _ in range(2):
        scheduler.ask(Recording(Trained(), None), "one").future.result(WAIT)
    assert len(slow.runs) == 2


def test_who_waits_in_one_go_is_looking_all_the_time(make_trace):
    trace, looked = make_trace(), threading.Event()

    class Watched(Scheduler):
        def look(self, job):
            super().look(job)
            looked.set()

    def long(work, progress, show):
        assert looked.wait(WAIT)  # it goes on until somebody has looked
        return trace

    assert Watched(long).wait(Run("a"), "one") is trace


# --- many at once -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["compute", "long", "training", "measuring"])
def test_a_long_piece_of_work_lets_a_short_one_go_on_at_its_next_report(
    make_trace, monkeypatch, kind
):
    monkeypatch.setattr("explorer.ui.turns.SLICE", 0)
    monkeypatch.setattr("explorer.ui.work.kind_of_work", lambda work: kind)
    begun, asked, order = threading.Event(), threading.Event(), []

    def do(run, progress, show):
        if run.text == "long":
            begun.set()
            assert asked.wait(WAIT)
            while "short" not in order:
                progress("Explaining", 0.5)
        order.append(run.text)
        return make_trace()

    scheduler = Scheduler(do)
    long = scheduler.ask(Run("long"), "one")
    assert begun.wait(WAIT)
    short = scheduler.ask(Run("short"), "two")
    asked.set()
    short.future.result(WAIT)
    long.future.result(WAIT)
    assert order == ["short", "long"]


def test_of_all_that_computes_only_one_goes_on_at_a_time(make_trace, monkeypatch):
    monkeypatch.setattr("explorer.ui.turns.SLICE", 0)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # whoever may interrupt, does
    at_work, most = [], []

    def do(run, progress, show):
        for _ in range(50):
            at_work.append(run)
            for _ in range(200):
                most.append(len(at_work))
            at_work.remove(run)
            progress("Counting", None)
        return make_trace()

    scheduler = Scheduler(do)
    jobs = [scheduler.ask(Run(f"text {i}"), f"reader{i}") for i in range(6)]
    for job in jobs:
        job.future.result(WAIT)
    sys.setswitchinterval(before)
    assert max(most) == 1


def test_the_turns_go_to_whoever_has_had_least_of_the_time():
    shares = Shares()
    for owner, seconds in (("greedy", 3.0), ("modest", 1.0)):
        shares.add(owner, seconds)
    assert shares.least(["greedy", "modest", "greedy"]) == 1
    shares.add("modest", 5.0)
    assert shares.least(["greedy", "modest"]) == 0


def test_who_comes_late_has_no_older_claim_than_the_others():
    shares = Shares()
    shares.add("early", 100.0)
    shares.least(["early"])
    shares.add("late", 1.0)  # begins where the others are, not a hundred seconds behind
    assert shares.least(["late", "early"]) == 1


def test_a_reader_with_many_pieces_of_work_has_no_more_turns_than_one_with_one(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("explorer.ui.turns.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("explorer.ui.turns.SLICE", 0)
    turns, order, lock = Turns(), [], threading.Lock()
    turns.enter("first")

    def work(owner):
        turns.enter(owner)
        for _ in range(4):
            with lock:
                order.append(owner)
                clock[0] += 1
            turns.give_way(owner)
        turns.leave()

    threads = [threading.Thread(target=work, args=(o,)) for o in ["many"] * 6 + ["one"]]
    for thread in threads:
        thread.start()
    while len(turns._waiting) < len(threads):
        pass  # they are on their way into the queue
    turns.leave()
    for thread in threads:
        thread.join(WAIT)
    assert max(i for i, owner in enumerate(order) if owner == "one") <= 2 * 4
    assert len(order) == 4 * len(threads)


def test_a_reader_never_has_all_places():
    places, go, begun = Places(4, "x"), threading.Event(), []

    def work(name, started):
        begun.append(name)
        started.set()
        assert go.wait(WAIT)

    started = [threading.Event() for _ in range(8)]
    for i in range(6):
        places.submit("greedy", lambda i=i: work("greedy", started[i]))
    for event in started[:3]:
        assert event.wait(WAIT)
    places.submit("other", lambda: work("other", started[6]))
    assert started[6].wait(WAIT)
    assert begun == ["greedy"] * 3 + ["other"]
    go.set()


def test_work_that_waits_for_something_else_lets_others_compute(monkeypatch):
    turns = Turns()
    job = Job(Run("a"), "one", turns)
    with job.in_turn():
        with job.away():
            turns.enter("two")  # would wait for ever if the turn were still taken
            job.report("Loading", None)  # and this has no turn to give away
            turns.leave()
        assert turns._busy == "one"
    assert turns._busy is None


MB = 2**20


def test_more_memory_than_a_reader_may_take_is_refused_with_both_numbers():
    claims = Claims(reader=1024 * MB, everybody=4096 * MB)
    with pytest.raises(ExplorerError, match=r"about 2\.0 GB .* at most 1\.0 GB .*READER_MB"):
        claims.take(Job(Run("a"), "one"), 2048 * MB)


def test_work_waits_for_the_memory_that_others_take_and_then_goes_on():
    claims = Claims(reader=60 * MB, everybody=100 * MB)
    first, second, third = (Job(Run(t), owner) for t, owner in zip("abc", "xyz", strict=True))
    claims.take(first, 60 * MB)
    claims.take(second, 40 * MB)
    taken = threading.Event()

    def wait():
        claims.take(third, 50 * MB)
        taken.set()

    threading.Thread(target=wait, daemon=True).start()
    while not third.doing.startswith("Waiting until there is memory"):
        assert not taken.is_set()
    claims.give_back(first)
    assert taken.wait(WAIT)


def test_two_that_want_more_than_they_have_do_not_wait_for_each_other_for_ever():
    claims = Claims(reader=60 * MB, everybody=100 * MB)
    jobs = [Job(Run(t), t) for t in "ab"]
    for job in jobs:
        claims.take(job, 45 * MB)
    done = [threading.Event() for _ in jobs]

    def more(job, event):
        claims.take(job, 58 * MB)
        event.set()
        claims.give_back(job)

    for pair in zip(jobs, done, strict=True):
        threading.Thread(target=more, args=pair, daemon=True).start()
    assert all(event.wait(WAIT) for event in done)


def test_what_is_known_so_far_can_be_had_before_the_rest():
    go = threading.Event()

    def slowly(run, progress, show):
        show("half")
        assert go.wait(WAIT)
        return "whole"

    job = Scheduler(slowly).ask(Run("a"), "one")
    while job.partial is None:
        pass
    assert not job.future.done()
    go.set()
    assert job.future.result(WAIT) == "whole"


def test_the_size_of_a_result_counts_each_array_and_text_once(make_trace):
    trace = make_trace(2, 3, 4)
    assert size_of((trace, {"again": trace})) >= trace.weights.nbytes
    assert size_of((trace, trace)) - size_of((trace,)) < 100
    assert size_of("x" * 1000) > 1000


def test_the_server_takes_so_much_work_and_no_more(slow, monkeypatch):
    monkeypatch.setattr("explorer.ui.scheduler.MOST_JOBS", 3)
    scheduler = Scheduler(slow)
    for i in range(3):
        assert not scheduler.ask(Run(f"{i}"), f"reader{i}/page work").future.done()
    with pytest.raises(ExplorerError, match="Very many readers"):
        scheduler.ask(Run("more"), "another/page work").future.result(WAIT)


def test_the_pages_of_one_reader_have_their_share_together(slow):
    scheduler = Scheduler(slow)
    for i in range(READER_JOBS):
        assert not scheduler.ask(Run(f"{i}"), f"reader/page{i} work").future.done()
    refused = scheduler.ask(Run("more"), "reader/another work")
    with pytest.raises(ExplorerError, match="EXPLORER_READER_JOBS"):
        refused.future.result(WAIT)
    assert not scheduler.ask(Run("other"), "somebody/page work").future.done()


def test_one_page_has_its_share_and_not_more(slow):
    scheduler = Scheduler(slow)
    jobs = [scheduler.ask(Run(f"{i}"), f"page work{i}") for i in range(SESSION_JOBS + 1)]
    assert not any(job.future.done() for job in jobs[:-1])
    with pytest.raises(ExplorerError, match="EXPLORER_SESSION_JOBS"):
        jobs[-1].future.result(WAIT)
    assert not scheduler.ask(Run("other"), "otherpage work").future.done()


@pytest.mark.parametrize(
    "trouble",
    [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ...")],
)
def test_both_ways_of_running_out_of_memory_are_told_and_the_next_run_works(make_trace, trouble):
    def burst(run, progress, show):
        if run.text == "huge":
            raise trouble
        return make_trace()

    scheduler = Scheduler(burst)
    with pytest.raises(ExplorerError, match="not enough memory"):
        scheduler.ask(Run("huge"), "one").future.result(WAIT)
    assert scheduler.ask(Run("small"), "one").future.result(WAIT)


def test_a_page_that_clears_streamlits_caches_leaves_the_one_scheduler_and_its_results():
    import streamlit as st

    from explorer.ui.scheduler import scheduler

    before = scheduler()
    st.cache_resource.clear()
    st.cache_data.clear()
    assert scheduler() is before
