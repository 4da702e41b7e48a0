"""What a page sends is a stranger's: checked, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.instrument import assets
from explorer.instrument.wire.request import (
    MAX_HEADS,
    MAX_PAIRS,
    MAX_THUMBS,
    MAX_WORDS,
    Group,
    Head,
    Page,
    Request,
    Step,
    shown_of,
    step_of,
    tuples_of,
)

GROUP = {
    "name": "1_2_words_renormalised",
    "queries": [[1], [2, 3]],
    "keys": [[0]],
    "mean": True,
    "together": False,
    "rescaled": True,
}
SENT = {
    **{"trace": "abc", "layer": 3, "group": GROUP, "means": True, "page": None},
    **{"heads": [[3, 1]], "summaries": [[3, 1], [3, 2]], "map": "sentence", "thumbs": [[0, 0]]},
    **{"striking": True, "effects": 5},
}

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def test_what_the_instrument_sends_is_understood():
    group = Group("1_2_words_renormalised", ((1,), (2, 3)), ((0,),), True, False, True)
    assert Request.of(SENT) == Request(
        *("abc", 3, group, True),
        heads=((3, 1),),
        summaries=((3, 1), (3, 2)),
        map="sentence",
        thumbs=((0, 0),),
        striking=True,
        effects=5,
    )


@pytest.mark.parametrize("wrong", [True, -1, "5", 5.0, [5], 10**9])
def test_a_layer_that_can_be_none_has_no_heads_to_switch_off(wrong):
    assert Request.of({"trace": "abc", "layer": 3, "effects": wrong}) == Request("abc", 3)


def test_what_is_worth_a_look_and_what_heads_do_must_be_computed():
    assert Request("abc", striking=True).asks()
    assert Request("abc", effects=0).asks()
    assert not Request("abc").asks()


def test_a_head_is_wanted_in_one_of_several_texts_and_nonsense_means_the_first():
    sent = {"layer": 3, "head": 1, "text": 2, "query": 8, "key": 2}
    assert shown_of(sent) == (2, Head(3, 1, 8, 2))
    assert shown_of(sent | {"text": -1, "query": "x", "key": None}) == (0, Head(3, 1))
    assert shown_of("L3·H1") is None


def test_the_wish_for_a_page_carries_its_view_without_what_no_view_holds():
    view = {"layer": "3", "heads": "1.2", "words": "<script>", "x y": "1", "mass": 5}
    request = Request.of(SENT | {"page": {"ticket": 9, "layers": [2, 0, 2], "view": view}})
    assert request.page == Page(9, (0, 2), {"layer": "3", "heads": "1.2"})
    assert request.without_page().page is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"trace": 3},
        {"trace": "a b"},
        {"layer": -1},
        {"layer": True},
        {"layer": 1.0},
        {"layer": 10**9},
    ],
)
def test_a_wish_that_names_no_layer_of_a_trace_is_none(wrong):
    assert Request.of(SENT | wrong) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"queries": []},
        {"queries": [[]]},
        {"keys": [["0"]]},
        {"keys": [[-1]]},
        {"keys": [[0]] * (MAX_WORDS + 1)},
        {"queries": [[1], [1]]},  # the same position again and again would be the same work again
        {"keys": [[0, 0]]},
        {"keys": [[0, 1]] * 2048},
        {"name": "<b>"},
    ],
)
def test_words_that_cannot_be_are_no_group(wrong):
    assert Request.of(SENT | {"group": GROUP | wrong}).group is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"heads": [[1, 2, 3]], "map": "<b>"},
        {"heads": [[1, -2]], "map": 5},
        {"heads": [[i, 0] for i in range(MAX_HEADS + 1)], "map": None},
        {"heads": 7, "map": ["sentence"]},
    ],
)
def test_heads_and_levels_that_cannot_be_are_none(wrong):
    found = Request.of(SENT | wrong)
    assert (found.heads, found.map) == ((), None)
    assert found.summaries == ((3, 1), (3, 2))


def test_no_more_heads_are_worked_for_than_a_page_can_show():
    many = [[i, 0] for i in range(MAX_THUMBS)]
    assert len(Request.of(SENT | {"thumbs": many}).thumbs) == MAX_THUMBS
    assert Request.of(SENT | {"thumbs": [*many, [0, 1]]}).thumbs == ()
    assert Request.of(SENT | {"summaries": many}).summaries == ()


def test_a_file_names_the_heads_of_a_long_text():
    page = {"ticket": 9, "layers": None, "view": {}}
    assert Request.of(SENT | {"page": page | {"heads": [[2, 1], [2, 1]]}}).page.heads == ((2, 1),)
    assert Request.of(SENT | {"page": page}).page.heads is None
    assert Request.of(SENT | {"page": page | {"heads": [[2]]}}).page is None


@given(anything, st.dictionaries(st.sampled_from([*SENT, "view"]), anything))
def test_nothing_that_a_page_sends_is_an_error(rubbish, some):
    Request.of(rubbish)
    Request.of(SENT | some)
    Request.of(
        SENT | {"group": GROUP | some, "page": {"ticket": 1, "layers": None, "view": {}} | some}
    )


def test_a_group_fits_a_trace_that_has_its_tokens():
    request = Request.of(SENT)
    assert request.fits(4, 1)
    assert not request.fits(3, 1)
    assert Request("abc", 0).fits(1, 1)


@pytest.mark.parametrize(
    ("sent", "head"),
    [
        ({"layer": 3, "head": 1}, Head(3, 1)),
        ({"layer": "3", "heads": "1.4", "query": "8-9", "key": "2"}, Head(3, 1, 8, 2)),
        ({"layer": "-1", "heads": "x", "query": 1.5}, Head(0, 0)),
        ({"layer": 10**9, "heads": "99999", "key": True}, Head(0, 0)),
        ({}, Head(0, 0)),
    ],
)
def test_a_head_is_read_from_what_a_page_or_a_link_says(sent, head):
    assert Head.of(sent) == head


def test_no_more_pairs_are_taken_than_a_page_can_point_at_and_each_once():
    pairs = [[0, i, 1] for i in range(MAX_PAIRS)]
    assert len(tuples_of({"pairs": pairs}, "pairs", 3, MAX_PAIRS)) == MAX_PAIRS
    assert tuples_of({"pairs": [[0, 1, 2]] * 3}, "pairs", 3, MAX_PAIRS) == ((0, 1, 2),)
    assert tuples_of({"pairs": [*pairs, [0, 0, 0]]}, "pairs", 3, MAX_PAIRS) is None
    assert f"MOST_PAIRS = {MAX_PAIRS};" in assets.read("numbers/survey")


def test_step_by_step_is_told_its_head_and_what_is_changed():
    sent = {"layer": 3, "head": 1, "change": "size.positions", "other_d_model": 32}
    assert step_of(sent | {"other_n_heads": 2}) == Step(
        Head(3, 1), ("positions", "size"), (32, 2), None
    )
    link = {"layer": "3", "heads": "1", "change": "backwards", "other_d_model": "1025"}
    assert step_of(link) == Step(Head(3, 1), ("backwards",), Step(Head()).other, None)


@given(anything, anything, anything)
def test_whatever_step_by_step_is_told_its_changes_are_known_and_its_sizes_bounded(a, b, c):
    step = step_of({"change": a, "other_d_model": b, "other_n_heads": c})
    assert set(step.changes) <= {"positions", "backwards", "size"}
    assert 1 <= step.other[0] <= 1024
    assert 1 <= step.other[1] <= 16
    assert step_of([a]) is None
