"""What a long text may cost: refused in words where it is too much, and drawn while it waits."""

import pytest

from explorer.errors import ExplorerError
from explorer.run import Run
from explorer.ui import work
from explorer.ui.work import Comparing, Surveying


@pytest.fixture
def traced(monkeypatch, make_trace):
    """Every run gives a trace of so many tokens."""

    def of(n):
        monkeypatch.setattr(work, "trace_run", lambda run, progress: make_trace(1, 2, n))

    return of


def silent(doing, share):
    pass


def test_attention_that_cannot_be_kept_is_refused_with_both_numbers(traced, monkeypatch):
    traced(400)
    monkeypatch.setattr(work, "CACHE_MB", 1)
    with pytest.raises(ExplorerError, match=r"these 400 tokens takes 0\.0 GB, and 0\.0 GB"):
        work.do(Run("x"), silent)
    traced(40)
    assert work.do(Run("x"), silent).shape == (1, 2, 40, 40)


def test_two_texts_too_long_to_be_compared_are_refused_before_any_head_is(traced):
    traced(800)
    with pytest.raises(ExplorerError, match="Compare takes texts of at most 768 tokens"):
        work.do(Comparing(Run("x"), Run("y")), silent)


def test_the_small_pictures_of_a_survey_are_drawn_where_it_can_be_stopped(traced):
    traced(800)
    told = []
    work.do(Surveying(Run("x"), by_line=False), lambda doing, share: told.append(doing))
    assert "Drawing small pictures of heads" in told


def test_whose_heads_are_read_is_known_before_they_are(traced):
    traced(12)
    shown = []
    work.do(Surveying(Run("one text\nanother"), by_line=True), silent, shown.append)
    (trace,) = shown
    assert trace.shape == (1, 2, 12, 12)
