"""Every kind of work lets others go on, and can be stopped, again and again: a clock of reports."""

import io
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from explorer import export
from explorer.cheaper import Cheap
from explorer.corpus.folder import CorpusFolder
from explorer.corpus.paged import read_corpus
from explorer.corpus.search import search_from
from explorer.corpus.shelf import Asked
from explorer.errors import ExplorerError
from explorer.instrument.wire.request import Group, Page, Request
from explorer.instrument.wire.trace import answers_to
from explorer.lesson import Trained
from explorer.run import Run
from explorer.sampling import Sampling
from explorer.source import Embedded, Hub, Scratch, Stories, Transplanted, parse_source
from explorer.sources import trace_run, warm_up, working_for
from explorer.sources.own import own_weights
from explorer.sources.pictures import picture_of
from explorer.target import Likeness, OutputVector
from explorer.ui import work
from explorer.ui.work import (
    Censusing,
    Changing,
    Cheapening,
    Checking,
    Choosing,
    Comparing,
    Continuing,
    Explaining,
    Fetching,
    Finding,
    LayerTracing,
    Learning,
    Lecturing,
    Making,
    Measuring,
    Recording,
    Recurring,
    Repeating,
    Replacing,
    Searching,
    Sizing,
    Surveying,
    Timing,
)

# Seconds of this thread's own processor time between two reports. The longest measured is a third
# of it; a kind of work that does not report takes several times as much.
LONGEST = 0.9
LONG = "the old keeper watched the ships and the sea while a red lamp burned in the fog " * 10
SHORT = "The cat sat on the mat because it was tired, and the dog did not care at all. " * 2
TINY = "The cat sat on the mat because it was tired."
LINES = "\n".join([LONG, SHORT, LONG])
STORY = "Mia and Tom live near the garden. Mia has a red ball."
LESSON = Trained("reverse", steps=60)


class Clock:
    """Whom the work is done for: notes how long it goes on without a word."""

    def __init__(self):
        self.last, self.longest, self.count = time.thread_time(), 0.0, 0

    def tick(self):
        now = time.thread_time()
        self.longest, self.last = max(self.longest, now - self.last), now
        self.count += 1

    @contextmanager
    def away(self):
        self.tick()
        yield
        self.last = time.thread_time()

    def claim(self, size):
        self.tick()


def everything_about(trace, report):
    words = tuple((i,) for i in range(len(trace.tokens)))
    group = Group("all", words, words, mean=True, together=False, rescaled=True)
    request = Request("x", 0, group, means=True, page=Page(1, None, {}))
    return answers_to(trace, request, lambda page: export.to_html(trace, report=report), report)


def photograph():
    out = io.BytesIO()
    Image.fromarray(np.zeros((1500, 1500, 3), np.uint8)).save(out, "PNG")
    return out.getvalue()


ROOM = tempfile.TemporaryDirectory()  # for what a corpus is kept in


def read_lines(name, report, show=lambda so_far: None):
    """A small corpus, read as the page has it read; its folder."""
    place = Path(ROOM.name)
    file, folder = place / f"{name}.txt", place / name
    file.write_text("\n".join(f"{i} {LONG}" for i in range(40)), "utf-8")
    read_corpus(Asked(file.name, ".txt", "bert"), file, folder, report, show)
    return folder


def sought(report, show):
    folder = CorpusFolder(read_lines("sought", lambda doing, share: None))
    return search_from(Run(LONG), (2, 9, 12, 1), folder, report, show)


def made(make):
    return lambda: Making(("test",), make)


KINDS = {
    "Run": lambda: Run(LONG),
    "Run of two texts": lambda: Run(LONG, LONG),
    "Run from scratch": lambda: Run(LONG, source=Scratch(n_layers=6)),
    "Run with a model’s weights": lambda: Run(LONG, source=Transplanted(parse_source("bert"))),
    "Run of a trained layer": lambda: Run("abcabc", source=LESSON),
    "LayerTracing": lambda: LayerTracing(Run(LONG), 3),
    "Checking": lambda: Checking(Run(LONG)),
    "Measuring": lambda: Measuring("anew"),
    "Measuring saturation": lambda: Measuring(),
    "Continuing": lambda: Continuing(Run(STORY, source=Stories()), Sampling(1.0), 24),
    "Learning": lambda: Learning(Trained("reverse", steps=60, seed=1)),
    "Recording": lambda: Recording(LESSON, None),
    "Comparing": lambda: Comparing(Run(SHORT), Run(SHORT, source=Scratch())),
    "Surveying": lambda: Surveying(Run(LINES), by_line=True),
    "Cheapening": lambda: Cheapening(Run(LONG)),
    "Replacing": lambda: Replacing(Run(LONG), Cheap("rank", 4), None, ()),
    "Lecturing": lambda: Lecturing(Run(SHORT)),
    "Censusing": lambda: Censusing(
        "read", Embedded(), lambda report, show: read_lines("read", report, show)
    ),
    "Searching": lambda: Searching(Run(LONG), (2, 9, 12, 1), ("sought",), sought),
    "Timing": lambda: Timing("anew"),
    "Repeating": lambda: Repeating(Stories()),
    "Recurring": lambda: Recurring(Run(STORY, source=Stories())),
    "Finding": lambda: Finding(
        Surveying(Run(LINES), by_line=True), ((0, 3, 1), (0, 5, 2), (1, 2, 1))
    ),
    "Explaining": lambda: Explaining(Run(TINY), Likeness("A tired animal rests.")),
    "Explaining one token": lambda: Explaining(Run(TINY), OutputVector(5), "drop"),
    "Choosing": lambda: Choosing(Run(LONG)),
    "Changing": lambda: Changing(
        Run(LONG), Likeness("x"), frozenset({(0, 2), (3, 1)}), frozenset({4, 5}), "replace"
    ),
    "Making answers and a page": made(
        lambda report: everything_about(trace_run(Run(LONG)), report)
    ),
    "Making an NPZ": made(lambda report: export.to_npz(trace_run(Run(SHORT)), report)),
    "Making of an uploaded file": made(
        lambda report: own_weights(export.to_npz(trace_run(Run(SHORT)), report), "mine")
    ),
    "Making of a picture": made(lambda report: picture_of(photograph())),
    # These wait for the hub, and report while they wait: tests/models/test_download.py.
    "Sizing": lambda: Sizing(Hub("no/body")),
    "Fetching": lambda: Fetching(Hub("no/body")),
}


@pytest.fixture(scope="module", autouse=True)
def warm():
    warm_up()  # importing the libraries and loading the model is done beside, and waited for
    work.do(Run(SHORT), lambda doing, share: None)


@pytest.fixture
def no_hub(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")


@pytest.mark.parametrize("kind", KINDS)
def test_work_of_every_kind_reports_often_enough_to_take_turns_and_be_stopped(kind, no_hub):
    clock, wanted = Clock(), KINDS[kind]()
    with working_for(clock):
        try:
            work.do(wanted, lambda doing, share: clock.tick())
        except ExplorerError:
            assert isinstance(wanted, Sizing | Fetching)
    clock.tick()
    print(f"{kind}: {clock.count} reports, the longest silence {clock.longest:.2f} s")
    assert clock.longest < LONGEST


def test_every_kind_of_work_that_there_is_has_been_timed():
    assert {type(make()) for make in KINDS.values()} == set(get_args(work.Work))


@pytest.mark.parametrize("kind", ["Run", "Explaining", "Surveying", "Comparing", "Finding"])
def test_work_that_is_stopped_ends_at_its_next_report(kind):
    class Stopping(Clock):
        def tick(self):
            super().tick()
            if self.count == 3:
                raise ExplorerError("Stopped.")
            assert self.count < 3, "it went on"

    clock = Stopping()
    with working_for(clock), pytest.raises(ExplorerError, match="Stopped"):
        work.do(KINDS[kind](), lambda doing, share: clock.tick())
