"""What a page asks to be explained: checked, and the same in a link and back."""

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import ExplorerError
from explorer.instrument.wire.explain import KINDS, MOST_TYPED, Wish, first_kind
from explorer.target import target_to_query

words = st.text("abc é", min_size=1, max_size=9).filter(str.strip)
wishes = st.builds(
    Wish,
    kind=st.sampled_from(KINDS),
    other=words,
    first=st.booleans(),
    at=st.none() | st.integers(0, 9),
    guess=st.just("") | words,
    label=st.none() | st.integers(0, 9),
    how=st.sampled_from(["replace", "drop", "cut"]),
    neutral=st.just("") | words,
    by_word=st.booleans(),
    whole_flow=st.booleans(),
)


@given(wishes)
def test_a_wish_comes_back_from_the_page(wish):
    assert Wish.of(asdict(wish)) == wish


@given(wishes)
def test_a_link_opens_the_target_and_the_ways_that_were_asked_for(wish):
    link = target_to_query(wish.target()) | wish.to_query()
    again = Wish.from_query(link)
    assert again.target() == wish.target()
    assert again.to_query() == wish.to_query()


@pytest.mark.parametrize(
    ("has", "opens"),
    [("like vector", "like"), ("next span", "next"), ("class", "class"), ("", "like")],
)
def test_a_page_opens_on_the_usual_target_or_on_the_first_that_the_model_has(has, opens):
    reasons = {kind: "" if kind in has.split() else "It has none." for kind in KINDS}
    assert first_kind(reasons, "like") == opens


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "magic"},
        {"kind": ["like"]},
        {"other": None},
        {"other": "x" * (MOST_TYPED + 1)},
        {"guess": 3},
        {"at": -1},
        {"at": True},
        {"at": 10**9},
        {"label": "0"},
        {"neutral": 3},
    ],
)
def test_what_is_no_wish_is_not_taken_for_one(change):
    assert Wish.of(asdict(Wish()) | change) is None
    assert Wish.of("like") is None


def test_a_wish_that_cannot_be_is_refused_in_words():
    with pytest.raises(ExplorerError, match="Like which text"):
        Wish(other=" ").target()
