"""Uploaded weights are bounded: for each reader, and for all of them together."""

import gc

import pytest

from explorer.errors import ExplorerError
from explorer.ui import uploads


@pytest.fixture(autouse=True)
def little_room(monkeypatch, make_trace):
    monkeypatch.setattr(uploads, "_held", type(uploads._held)())
    monkeypatch.setattr(uploads, "FILES_MB", 4)


@pytest.fixture
def megabyte(make_trace):
    return lambda seed: make_trace(1, 4, 256, seed=seed)


def test_a_reader_has_half_of_the_room_and_all_have_all_of_it(megabyte):
    kept = [megabyte(seed) for seed in range(4)]
    for trace, owner in zip(kept, ["one", "one", "two", "three"], strict=True):
        if owner == "one" and trace is kept[1]:
            uploads.hold(trace, owner)
            with pytest.raises(ExplorerError, match=r"yours, .* 2 MB \(EXPLORER_FILES_MB\)"):
                uploads.hold(megabyte(9), owner)
        else:
            uploads.hold(trace, owner)
    with pytest.raises(ExplorerError, match="of all readers, would take more than 4 MB"):
        uploads.hold(megabyte(8), "four")


def test_what_no_page_shows_any_more_makes_room(megabyte):
    first = megabyte(0)
    uploads.hold(first, "one")
    uploads.hold(megabyte(1), "one")
    del first
    gc.collect()
    uploads.hold(megabyte(2), "one")
