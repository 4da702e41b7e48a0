"""What is uploaded is bounded and read with care: weights, and texts one a line."""

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


# — Texts —


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"one\ntwo", "one\ntwo"),
        (b"one\r\n\r\n  \r\ntwo\r\n", "one\ntwo"),
        ("\ufeffcaf\u00e9".encode(), "café"),
        ("日本\n<b>".encode("utf-16"), "日本\n<b>"),
    ],
)
def test_each_line_of_a_file_is_a_text_and_blank_ones_are_left_out(data, text):
    assert uploads.lines_of(data) == text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"ok\nca\xe9 x", "not in UTF-8: byte 6, in line 2,"),
        (b"\xff\xfea", "not in UTF-16: byte 3, in line 1,"),
        (b"PNG\n\0\0", "is no text: line 2 holds bytes that are no characters"),
        (b" \n\n", "There is no text in this file"),
        (b"a\n" * 201, "has 201 texts with 402 characters; at most 200 texts"),
        (b"a" * 200_001, "has 1 texts with 200,001 characters; at most 200 texts with 200,000"),
    ],
)
def test_a_file_that_is_no_text_or_too_much_of_it_is_refused_with_the_place(data, words):
    with pytest.raises(ExplorerError, match=words):
        uploads.lines_of(data)
